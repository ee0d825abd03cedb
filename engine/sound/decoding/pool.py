"""Asking decoder processes: who waits for one can stop, and who crashes one gets an error."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from typing import Any, BinaryIO, cast

from engine.errors import CancelledError, DecodeError
from engine.progress import CancelToken
from engine.sound.decoding import FLAG
from engine.sound.decoding import messages as wire
from engine.sound.decoding.messages import Message
from engine.sound.decoding.worker import MORE, STALLED, STOP

log = logging.getLogger(__name__)
Messages = Generator[Message, None, None]

START_S = 60.0  # a cold disk, a virus scanner
# Without a sign of life. Drives that sleep need 10 s, networks more; a stalled decoder ends itself.
SILENCE_S = 60.0
STOP_S = 0.5  # to come to rest after an answer that was not heard to its end
IDLE_S = 60.0
MAX_FILES = 1000  # then a fresh process: whatever decoders lose of their memory comes back
_POLL_S = 0.1
_NO_WINDOW = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # on Windows
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
_BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; from engine.sound.decoding.worker import main; main()"
)

CRASHED = (
    "The file makes its decoder crash, so it is left out. It is damaged or made to do harm: "
    "replace it."
)
GOES_IN_CIRCLES = (
    "The file is damaged: its decoder works on and on, and no sound comes out. Replace it."
)
SILENT = (
    f"Nothing could be read of the file for {SILENCE_S:.0f} seconds. See whether its drive or "
    "network is there, then retry it."
)


class Decoder:
    """One process. Used by one thread at a time. Raises OSError where none can be started."""

    def __init__(self) -> None:
        self.num_files = 0
        self.idle_since_s = 0.0
        self.is_fit = True  # to be asked again
        self._messages = queue.SimpleQueue[Message | None]()
        self._process = _start()
        threading.Thread(target=self._read, name="decoder", daemon=True).start()

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> bool:
        with contextlib.suppress(queue.Empty):
            return self._messages.get(timeout=START_S) is not None
        return False

    def ask(self, request: dict[str, Any], cancel: CancelToken | None) -> Messages:
        """Raises DecodeError, also where the process dies of the file; CancelledError."""
        self.num_files += 1
        is_at_end = False
        self._send(request)
        try:
            while True:
                head, body = self._next(cancel)
                if "is_end" in head:
                    is_at_end = True
                    return
                if "is_last" in head:
                    self.is_fit = False
                self._send(MORE)
                yield head, body
        finally:
            if not is_at_end:
                self._rest()

    def _next(self, cancel: CancelToken | None) -> Message:
        for _ in range(round(SILENCE_S / _POLL_S)):  # a computer that sleeps does not count on
            try:
                message = self._messages.get(timeout=_POLL_S)
            except queue.Empty:
                if cancel is not None and cancel.is_cancelled:
                    raise CancelledError from None
                continue
            if message is not None:
                return message
            self.is_fit = False
            is_stalled = self._process.returncode == STALLED
            raise DecodeError(GOES_IN_CIRCLES if is_stalled else CRASHED)
        raise DecodeError(SILENT)

    def _rest(self) -> None:
        """Bring it to the end of the request; one that does not come to it must die."""
        if not self.is_fit:
            return
        self._send(STOP)
        deadline_s = time.monotonic() + STOP_S
        with contextlib.suppress(queue.Empty):
            while (left_s := deadline_s - time.monotonic()) > 0:
                message = self._messages.get(timeout=left_s)
                if message is None:
                    break
                if "is_end" in message[0]:
                    return
        self.is_fit = False
        self.kill()

    def kill(self) -> None:
        """Its thread sees the end and buries it."""
        self._process.kill()

    def wait(self) -> None:
        self._process.wait()

    def _send(self, order: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # a dead one is noticed when it is heard
            wire.send(cast(BinaryIO, self._process.stdin), order)

    def _read(self) -> None:
        """On a thread of its own: messages, then the end."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while (message := wire.receive(cast(BinaryIO, process.stdout))) is not None:
                self._messages.put(message)
        process.kill()
        process.wait()
        self._messages.put(None)
        for file in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                file.close()


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _BOOT, *map(os.path.abspath, sys.path)]
    if getattr(sys, "frozen", False):
        command = [sys.executable, FLAG]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # Ctrl-C is for the one who asked, and no console is to flash up.
        process_group=0,
        creationflags=_NO_WINDOW | _NEW_GROUP,
        # An arena for each of FFmpeg's threads would count against the limit of memory.
        env={**os.environ, "MALLOC_ARENA_MAX": "2"},
    )


class Pool:
    """As many processes as there are askers at a time. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all = set[Decoder]()
        self._idle: list[Decoder] = []
        self._timer: threading.Timer | None = None
        self._can_start = True

    def ask(self, request: dict[str, Any], cancel: CancelToken | None = None) -> Messages:
        """All messages of an answer; what is not taken is not made. Closing it early is fine.

        Raises DecodeError, also where the process dies of the file; CancelledError within a second.
        """
        decoder = self._take()
        if decoder is None:
            yield from _answered_here(request)
            return
        try:
            with contextlib.closing(decoder.ask(request, cancel)) as messages:
                for head, body in messages:
                    if "error" in head:
                        raise DecodeError(str(head["error"]))
                    yield head, body
        finally:
            self._give_back(decoder)

    def _take(self) -> Decoder | None:
        with self._lock:
            while self._idle:
                decoder = self._idle.pop()
                if decoder.is_alive:
                    return decoder
                self._all.discard(decoder)
        return self._started() if self._can_start else None

    def _started(self) -> Decoder | None:
        try:
            decoder = Decoder()
        except OSError as error:
            log.warning("no decoder process can be started: %s", error)
            return None
        with self._lock:
            self._all.add(decoder)
        if decoder.wait_until_ready():
            return decoder
        if decoder.is_alive:  # a computer that is far too busy; it may have more time the next time
            log.warning("a decoder process did not start in %.0f s; decoding in this one", START_S)
        else:
            # Something in the way of all of them, such as a strict system: music comes first.
            log.warning("decoder processes end at once; files are decoded here from now on")
            self._can_start = False
        self._drop(decoder)
        return None

    def _give_back(self, decoder: Decoder) -> None:
        if not decoder.is_fit or decoder.num_files >= MAX_FILES:
            self._drop(decoder)
            return
        with self._lock:
            decoder.idle_since_s = time.monotonic()
            self._idle.append(decoder)
            if self._timer is None:
                self._wait_for_idlers()

    def _drop(self, decoder: Decoder) -> None:
        decoder.kill()
        with self._lock:
            self._all.discard(decoder)

    def _wait_for_idlers(self) -> None:
        self._timer = threading.Timer(IDLE_S, self._drop_idlers)
        self._timer.daemon, self._timer.name = True, "decoder-idlers"
        self._timer.start()

    def _drop_idlers(self) -> None:
        with self._lock:
            limit_s = time.monotonic() - IDLE_S
            dropped = [decoder for decoder in self._idle if decoder.idle_since_s <= limit_s]
            self._idle = [decoder for decoder in self._idle if decoder not in dropped]
            self._timer = None
            if self._idle:
                self._wait_for_idlers()
        for decoder in dropped:
            self._drop(decoder)

    def pids(self) -> list[int]:
        """Of the processes that run now."""
        with self._lock:
            return [decoder.pid for decoder in self._all if decoder.is_alive]

    def close(self) -> None:
        """End all processes, busy ones too. The next question starts new ones."""
        with self._lock:
            ended, self._all, self._idle = self._all, set(), []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        for decoder in ended:
            decoder.kill()
        for decoder in ended:
            decoder.wait()


def _answered_here(request: dict[str, Any]) -> Messages:
    from engine.sound.decoding.worker import safe_answers

    for head, body in safe_answers(request):
        if "error" in head:
            raise DecodeError(str(head["error"]))
        yield head, b"".join(body)


# One pool for the process: like threads, its children belong to it and to nobody in it.
_pool = Pool()


def ask(request: dict[str, Any], cancel: CancelToken | None = None) -> Messages:
    """``Pool.ask`` of this process' pool."""
    return _pool.ask(request, cancel)


def pids() -> list[int]:
    """The decoder processes that this process has now."""
    return _pool.pids()


def close() -> None:
    """End them all."""
    _pool.close()


def _forget() -> None:
    """A forked child must not talk into the pipes of its parent."""
    global _pool
    _pool = Pool()


atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

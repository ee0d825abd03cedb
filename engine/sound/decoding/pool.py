"""Asking decoder processes: who waits for one can stop, and who crashes one gets an error.

Whoever asks reads the answer on its own thread; one more thread looks after all processes, and ends
those whose asker wants to stop, that give no sign of life, or that nobody has asked for long. The
reader then finds the end of the stream.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable
from typing import Any, BinaryIO, cast

from engine.errors import CancelledError, DecodeError
from engine.progress import CancelToken
from engine.sound.decoding import FLAG
from engine.sound.decoding import messages as wire
from engine.sound.decoding.messages import Message
from engine.sound.decoding.worker import STALLED, STOP

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
        self._process = _start()
        self._cancel: CancelToken | None = None
        self._left_s: float | None = None  # until ``look`` ends it; None: it is not waited for
        self._is_late = False

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_ready(self) -> bool:
        """Wait until it can be asked; False where it dies before or takes too long."""
        return self._receive(START_S) is not None

    def ask(self, request: dict[str, Any], cancel: CancelToken | None) -> Messages:
        """Raises DecodeError, also where the process dies of the file; CancelledError."""
        self.num_files += 1
        self._cancel = cancel
        self._send(request)
        is_at_end = False
        try:
            while (message := self._receive(SILENCE_S)) is not None:
                if is_at_end := "is_end" in message[0]:
                    return
                if "is_last" in message[0]:  # it ends now, out of memory
                    self.num_files = MAX_FILES
                yield message
            raise self._why_dead()
        finally:
            self._cancel = None
            if not is_at_end:
                self._stop()

    def _why_dead(self) -> CancelledError | DecodeError:
        if self._cancel is not None and self._cancel.is_cancelled:
            return CancelledError()
        if self._is_late:
            return DecodeError(SILENT)
        return DecodeError(GOES_IN_CIRCLES if self._process.wait() == STALLED else CRASHED)

    def _stop(self) -> None:
        """Bring it to the end of the request; one that does not come to it dies."""
        self._send(STOP)
        deadline_s = time.monotonic() + STOP_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            message = self._receive(left_s)
            if message is None or "is_end" in message[0]:
                return
        self.kill()

    def _send(self, order: dict[str, Any]) -> None:
        with contextlib.suppress(OSError, ValueError):  # a dead one is noticed when it is heard
            wire.send(cast(BinaryIO, self._process.stdin), order)

    def _receive(self, patience_s: float) -> Message | None:
        """None where it has died, or is too late and therefore does."""
        self._left_s = patience_s
        message = None
        with contextlib.suppress(OSError, ValueError):
            message = wire.receive(cast(BinaryIO, self._process.stdout))
        self._left_s = None
        if message is None:
            self.kill()
            self._process.wait()
        return message

    def rest(self) -> None:
        """From now on it is ended after a while, unless ``wake`` comes before."""
        self._left_s = IDLE_S

    def wake(self) -> bool:
        """Whether it is still there to be asked."""
        self._left_s = None
        return self.is_alive and not self._is_late

    def look(self) -> None:
        """To be called every ``_POLL_S``: a computer that sleeps does not count on."""
        if (left_s := self._left_s) is None:
            return
        is_cancelled = self._cancel is not None and self._cancel.is_cancelled
        if is_cancelled or left_s <= 0:
            self._is_late = not is_cancelled
            self.kill()
        else:
            self._left_s = left_s - _POLL_S

    def kill(self) -> None:
        """Its reader, if there is one, finds the end."""
        self._process.kill()

    def end(self) -> None:
        self.kill()
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                cast(BinaryIO, file).close()


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
        self._keeper: threading.Thread | None = None
        self._can_start = True

    def ask(self, request: dict[str, Any], cancel: CancelToken | None = None) -> Messages:
        """All messages of an answer; few more are made than are taken. Closing it early is fine.

        Raises DecodeError, also where the process dies of the file; CancelledError within a second.
        """
        decoder = self._idle_one() or self._started()
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

    def _idle_one(self) -> Decoder | None:
        with self._lock:
            for decoder in reversed(self._idle):
                if decoder.wake():
                    self._idle.remove(decoder)
                    return decoder
        return None

    def _started(self) -> Decoder | None:
        if not self._can_start:
            return None
        try:
            decoder = Decoder()
        except OSError as error:
            log.warning("no decoder process can be started: %s", error)
            return None
        with self._lock:
            self._all.add(decoder)
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="decoders", daemon=True)
                self._keeper.start()
        if decoder.is_ready():
            return decoder
        if decoder.wake():
            # Something in the way of all of them, such as a strict system: music comes first.
            log.warning("decoder processes end at once; files are decoded here from now on")
            self._can_start = False
        else:  # a computer that is far too busy; it may have more time the next time
            log.warning("a decoder process did not start in %.0f s; decoding in this one", START_S)
        self._drop([decoder])
        return None

    def _give_back(self, decoder: Decoder) -> None:
        if decoder.is_alive and decoder.num_files < MAX_FILES:
            with self._lock:
                decoder.rest()
                self._idle.append(decoder)
        else:
            self._drop([decoder])

    def _drop(self, decoders: Iterable[Decoder]) -> None:
        for decoder in decoders:
            decoder.end()
        with self._lock:
            self._all.difference_update(decoders)

    def _keep(self) -> None:
        """On a thread of its own, as long as there are processes."""
        while True:
            time.sleep(_POLL_S)
            with self._lock:
                if not self._all:
                    self._keeper = None
                    return
                for decoder in self._all:
                    decoder.look()
                dead = [decoder for decoder in self._idle if not decoder.is_alive]
                self._idle = [decoder for decoder in self._idle if decoder not in dead]
            self._drop(dead)

    def pids(self) -> list[int]:
        """Of the processes that run now."""
        with self._lock:
            return [decoder.pid for decoder in self._all if decoder.is_alive]

    def close(self) -> None:
        """End all processes, busy ones too. The next question starts new ones."""
        with self._lock:
            ended, self._idle = list(self._all), []
        for decoder in ended:
            decoder.kill()
        self._drop(ended)


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

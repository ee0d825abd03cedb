"""Asking decoder processes: whoever asks can stop, and a file that crashes one costs that file.

A process answers one question at a time and rests in between, whether it was heard to the end or
not. It ends itself where a file keeps it too long, where nobody asks any more, and with whoever
started it: nobody has to look after it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from typing import Any, BinaryIO, cast

from engine.errors import CancelledError, DecodeError
from engine.progress import CancelToken
from engine.sound.decoding import FLAG, messages
from engine.sound.decoding.messages import Message
from engine.sound.decoding.worker import MORE, RESTED, SILENCE_S, SPUN, STOP, STUCK

Messages = Generator[Message, None, None]

MAX_FILES = 1000  # then a fresh process: whatever decoders lose of their memory comes back
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
NONE_STARTS = (
    "No process can be started to decode it. Close other programs, or allow Singalike to start "
    "processes, then retry it."
)
SILENT = (
    f"Nothing could be read of the file for {SILENCE_S:.0f} seconds. See whether its drive or "
    "network is there, then retry it."
)
_WHY = {SPUN: GOES_IN_CIRCLES, STUCK: SILENT}


class Decoder:
    """One process, used by one thread at a time. Raises DecodeError where none can be started."""

    def __init__(self) -> None:
        self.num_files = 0
        try:
            self.process = _start()
        except OSError as error:
            raise DecodeError(NONE_STARTS) from error
        if self.receive() is None:  # not even that it is ready
            self.end()
            raise DecodeError(NONE_STARTS)

    def exchange(self, order: dict[str, Any]) -> Message | None:
        """The answer to an order; None as with ``receive``."""
        with contextlib.suppress(OSError, ValueError):  # a dead one is noticed when it is heard
            messages.send(cast(BinaryIO, self.process.stdin), order)
        return self.receive()

    def receive(self) -> Message | None:
        """None where the process is dead, or says what makes no sense."""
        with contextlib.suppress(OSError, ValueError):
            return messages.receive(cast(BinaryIO, self.process.stdout))
        return None

    def end(self) -> int:
        """Its exit code."""
        self.process.kill()
        for file in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                cast(BinaryIO, file).close()
        return self.process.wait()


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
        self.forget()

    def forget(self) -> None:
        """In a forked child, which must not talk into the pipes of its parent."""
        self._lock = threading.Lock()
        self._idle, self._busy = list[Decoder](), set[Decoder]()

    def ask(self, request: dict[str, Any], cancel: CancelToken | None = None) -> Messages:
        """All messages of an answer, each made when it is taken. Closing it early is fine.

        Raises DecodeError, also where the process dies of the file; CancelledError at once.
        """
        cancel, code = cancel or CancelToken(), RESTED
        while code == RESTED:  # or it left by itself before it was asked
            decoder = self._taken()
            with cancel.calling(decoder.process.kill):
                try:
                    yield from _messages(decoder, request)
                    return
                except EOFError:
                    code = decoder.end()
                finally:
                    self._give_back(decoder)
            if cancel.is_cancelled:
                raise CancelledError
        raise DecodeError(_WHY.get(code, CRASHED))

    def _taken(self) -> Decoder:
        """One that rests, or a new one."""
        with self._lock:
            while self._idle:
                decoder = self._idle.pop()
                if decoder.process.poll() is None:
                    self._busy.add(decoder)
                    return decoder
                decoder.end()
        decoder = Decoder()
        with self._lock:
            self._busy.add(decoder)
        return decoder

    def _give_back(self, decoder: Decoder) -> None:
        is_fit = decoder.process.poll() is None and decoder.num_files < MAX_FILES
        if not is_fit:
            decoder.end()
        with self._lock:
            self._busy.discard(decoder)
            if is_fit:
                self._idle.append(decoder)

    def pids(self) -> list[int]:
        """Of the decoder processes that run now."""
        with self._lock:
            every = [*self._idle, *self._busy]
        return [decoder.process.pid for decoder in every if decoder.process.poll() is None]

    def close(self) -> None:
        """End all processes, busy ones too. The next question starts new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
            for decoder in self._busy:
                decoder.process.kill()  # whoever asks it sees the end
        for decoder in idle:
            decoder.end()


def _messages(decoder: Decoder, request: dict[str, Any]) -> Messages:
    """Raises DecodeError where that is the answer, EOFError where the process dies."""
    decoder.num_files += 1
    order, is_at_end = request, False
    try:
        while not is_at_end:
            message = decoder.exchange(order)
            if message is None:
                is_at_end = True
                raise EOFError
            is_at_end = "is_end" in message[0] or "error" in message[0]
            if "error" in message[0]:
                raise DecodeError(str(message[0]["error"]))
            if not is_at_end:
                yield message
            order = MORE
    finally:
        if not is_at_end:  # the file is closed, and the process ready for the next one
            decoder.exchange(STOP)


# One pool for the process: like threads, its children belong to it and to nobody in it.
_pool = Pool()
ask, pids, close = _pool.ask, _pool.pids, _pool.close

atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.forget)

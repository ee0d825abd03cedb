"""A decoder process: answers what it is asked about files, until nobody asks any more."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import DecodeError
from engine.sound.decoding import messages

# Until the next message of an answer. Drives that sleep need 10 s, networks more.
SILENCE_S = 60.0
# Of a processor's time for it, where the system counts that. Real decoders need less for minutes.
MAX_CPU_S = 6.0
IDLE_S = 60.0
# The exit codes that say so; whoever rests too long has done nothing wrong.
RESTED, STUCK = 0, 86
SPUN = STUCK if sys.platform == "win32" else -signal.SIGPROF
MAX_MEMORY_BYTES = 1 << 30  # hours of sound are streamed in some 60 MB
MAX_PICTURE_BYTES = 20_000_000
MORE, STOP = {"do": "more"}, {"do": "stop"}

NO_MORE: messages.Message = ({"is_end": True}, b"")


def answers(request: dict[str, Any]) -> Generator[messages.Message, None, None]:
    """What there is to say to a request; a failure is a last message ``{"error": sentence}``."""
    try:
        yield from _answers(request)
    except DecodeError as error:
        yield {"error": str(error)}, b""
    except MemoryError:
        size_mb = MAX_MEMORY_BYTES / 1e6
        sentence = f"Its decoder would need more than {size_mb:.0f} MB of memory: it is damaged, "
        yield {"error": f"{sentence}or made to do harm. Replace the file.", "is_last": True}, b""
    except Exception as error:  # parsers break in every way there is
        told = f"{type(error).__name__}: {error}"[:200]
        yield {"error": f"The file is damaged: its decoder gave up ({told}). Replace it."}, b""


def _answers(request: dict[str, Any]) -> Iterator[messages.Message]:
    """Raises DecodeError."""
    from engine.sound.decoding import streams, tags

    path = Path(request["path"])
    _check_kind(path)
    match request["do"]:
        case "probe":
            yield streams.probe(path), b""
        case "hash":
            yield from ((head, b"") for head in streams.audio_hash(path))
        case "decode":
            part = (request[name] for name in ("sample_rate_hz", "start_s", "end_s", "piece_s"))
            yield from streams.pieces(path, *part)
        case "texts":
            read = tags.texts if request["reader"] == "mutagen" else tags.texts_by_ffmpeg
            yield {"texts": read(path)}, b""
        case "pictures":
            found = tags.pictures(path)
            yield from (({}, data) for data in found if len(data) <= MAX_PICTURE_BYTES)


def _check_kind(path: Path) -> None:
    """Opening a pipe would wait for ever."""
    with contextlib.suppress(OSError):  # opening tells what is wrong
        if not stat.S_ISREG(path.stat().st_mode):
            raise DecodeError("This is no file, so there is no sound in it. Choose another one.")


def main() -> None:
    """Serve on standard input and output, one message for each order. Does not return."""
    source, target = _own_streams()
    _limit_memory()
    found: Generator[messages.Message, None, None] | None = None  # an answer that has more to it
    with contextlib.suppress(OSError, ValueError):  # whoever asked is gone
        import av  # noqa: F401  # now, while nobody waits yet

        messages.send(target, {"is_ready": True})
        while (order := _order(source, is_idle=found is None)) is not None:
            head, body = NO_MORE
            with _within(SILENCE_S, STUCK, MAX_CPU_S):
                if found is not None and order != MORE:  # not heard to its end: close its file
                    found.close()
                    found = None
                if order not in (MORE, STOP):
                    found = answers(order)
                if found is not None:
                    head, body = next(found, NO_MORE)
            if "is_end" in head or "error" in head:
                found = None
            messages.send(target, head, body)
            if "is_last" in head:
                break
    os._exit(RESTED)


def _order(source: BinaryIO, *, is_idle: bool) -> dict[str, Any] | None:
    """None where there will be none. Players may wait in the middle of a song as they like."""
    with _within(IDLE_S, RESTED) if is_idle else contextlib.nullcontext():
        message = messages.receive(source)
    return None if message is None else message[0]


@contextlib.contextmanager
def _within(seconds: float, exit_code: int, cpu_s: float = 0.0) -> Iterator[None]:
    """End the process where the inside takes longer: no exception interrupts a decoder.

    The system's own timer of processor time ends also what never lets another thread run.
    """
    timer = threading.Timer(seconds, os._exit, (exit_code,))
    timer.daemon = True
    timer.start()
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        yield
    finally:
        timer.cancel()
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Input and output as they were given; what libraries print from now on goes nowhere."""
    source, target = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    if sys.platform == "win32":
        import msvcrt

        for number in (source, target):
            msvcrt.setmode(number, os.O_BINARY)
    return os.fdopen(source, "rb"), os.fdopen(target, "wb")


def _limit_memory() -> None:
    """Only Linux counts what a process really has; elsewhere FFmpeg's own limits must do."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

"""A decoder process: answers what it is asked about files, until nobody asks any more."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import stat
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import DecodeError
from engine.sound.decoding import messages

# Processor time without a sound coming out. Real decoders need less than this for minutes of sound.
STALL_CPU_S = 6.0
# the exit code that says so
STALLED = 86 if sys.platform == "win32" else -signal.SIGPROF
MAX_MEMORY_BYTES = 1 << 30  # hours of sound are streamed in some 60 MB
MAX_PICTURE_BYTES = 20_000_000
STOP = {"do": "stop"}

Answer = tuple[messages.Head, Sequence[bytes]]


class Watch:
    """Ends the process when a decoder goes in circles, which no exception can interrupt."""

    def __init__(self) -> None:
        self._is_busy = threading.Event()
        self._since_s = 0.0
        if sys.platform == "win32":
            threading.Thread(target=self._look, name="watch", daemon=True).start()
        else:  # the system's own timer ends also what never lets another thread run
            signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def alive(self) -> None:
        """To be called whenever something has come out."""
        if sys.platform == "win32":
            self._since_s = time.process_time()
        else:
            signal.setitimer(signal.ITIMER_PROF, STALL_CPU_S)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        self.alive()
        self._is_busy.set()
        yield
        self._is_busy.clear()
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self) -> None:
        while self._is_busy.wait():
            if time.process_time() - self._since_s > STALL_CPU_S:
                os._exit(STALLED)
            time.sleep(0.25)


def answers(request: dict[str, Any], watch: Watch | None = None) -> Iterator[Answer]:
    """What there is to say to one request, in as many messages as it takes. Raises DecodeError."""
    from engine.sound.decoding import streams

    path = Path(request["path"])
    _check_kind(path)
    alive = watch.alive if watch is not None else lambda: None
    match request["do"]:
        case "probe":
            yield streams.probe(path), ()
        case "hash":
            yield from ((head, ()) for head in streams.audio_hash(path, alive))
        case "decode":
            yield from streams.pieces(
                path,
                request["sample_rate_hz"],
                request["num_channels"],
                request["start_s"],
                request["end_s"],
                request["piece_s"],
                alive,
            )
        case "texts":
            from engine.sound.decoding import tags

            yield {"texts": tags.texts(path)}, ()
        case "pictures":
            from engine.sound.decoding import tags

            for data in tags.pictures(path):
                if len(data) <= MAX_PICTURE_BYTES:
                    yield {}, (data,)


def _check_kind(path: Path) -> None:
    """Opening a pipe would wait for ever."""
    with contextlib.suppress(OSError):  # opening tells what is wrong
        if not stat.S_ISREG(path.stat().st_mode):
            raise DecodeError("This is no file, so there is no sound in it. Choose another one.")


def safe_answers(
    request: dict[str, Any], watch: Watch | None = None
) -> Generator[Answer, None, None]:
    """Like ``answers``, with every failure as a last message ``{"error": sentence}``."""
    try:
        yield from answers(request, watch)
    except DecodeError as error:
        yield {"error": str(error)}, ()
    except MemoryError:
        size_mb = MAX_MEMORY_BYTES / 1e6
        sentence = f"Its decoder would need more than {size_mb:.0f} MB of memory: it is damaged, "
        yield {"error": f"{sentence}or made to do harm. Replace the file.", "is_last": True}, ()
    except Exception as error:  # parsers break in every way there is
        told = f"{type(error).__name__}: {error}"[:200]
        yield {"error": f"The file is damaged: its decoder gave up ({told}). Replace it."}, ()


def main() -> None:
    """Serve on standard input and output. Does not return."""
    source, target = _own_streams()
    _limit_memory()
    orders = queue.SimpleQueue[dict[str, Any]]()
    threading.Thread(target=_listen, args=(source, orders), name="orders", daemon=True).start()
    watch = Watch()
    try:
        import av  # noqa: F401  # now, while nobody waits yet

        messages.send(target, {"is_ready": True})
        while True:
            request = orders.get()
            if request != STOP:  # one that came too late
                _serve(request, orders, target, watch)
    except (OSError, ValueError):  # whoever asked is gone
        os._exit(0)


def _serve(
    request: dict[str, Any],
    orders: queue.SimpleQueue[dict[str, Any]],
    target: BinaryIO,
    watch: Watch,
) -> None:
    found = safe_answers(request, watch)
    is_last = False
    while orders.empty():  # whoever asks sends nothing but STOP before the end of an answer
        with watch.working():
            answer = next(found, None)
        if answer is None:
            break
        is_last = "is_last" in answer[0]
        messages.send(target, *answer)  # waits where nobody reads
    found.close()
    messages.send(target, {"is_end": True})
    if is_last:
        os._exit(0)


def _listen(source: BinaryIO, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    """On a thread of its own, so that the end of the asking process is seen at once."""
    with contextlib.suppress(OSError, ValueError):
        while (message := messages.receive(source)) is not None:
            orders.put(message[0])
    os._exit(0)


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

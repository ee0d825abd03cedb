"""What the audio callback reads: two decks (query and result), each fed by a decoding thread.

No Qt and no sound device in here. The callback side (``Mixer.fill``) never waits, allocates next to
nothing and takes no lock: one thread writes each number and one reads it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from engine.errors import SingalikeError

log = logging.getLogger(__name__)

BLOCK_FRAMES = 1024
RING_S = 12.0
CHUNK_S = 0.5

# (path, sample rate, start in seconds) -> chunks (2, n) float32
Decode = Callable[[Path, int, float], Iterator[np.ndarray]]


class Source:
    """The sound of one file from ``start_s`` on: a thread decodes into a ring, the callback reads.

    A seek makes a new Source; an old one is stopped and forgotten.
    """

    def __init__(self, path: Path, start_s: float, rate_hz: int, decode: Decode) -> None:
        self.path = path
        self.start_s = start_s
        self.rate_hz = rate_hz
        self.error: str | None = None
        self.is_complete = False  # nothing more will be written
        self.num_read = 0  # frames; written by the callback only
        self.num_written = 0  # frames; written by the decoding thread only
        self._ring = np.zeros((int(RING_S * rate_hz), 2), dtype=np.float32)
        self._decode = decode
        self._has_room = threading.Event()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._fill, name="decode", daemon=True)
        self._thread.start()

    @property
    def position_s(self) -> float:
        return self.start_s + self.num_read / self.rate_hz

    @property
    def num_buffered(self) -> int:
        return self.num_written - self.num_read

    @property
    def is_drained(self) -> bool:
        return self.is_complete and self.num_buffered == 0

    def read_into(self, out: np.ndarray) -> int:
        """Copies up to ``len(out)`` frames and returns their number. For the audio callback."""
        num = min(len(out), self.num_buffered)
        start = self.num_read % len(self._ring)
        first = min(num, len(self._ring) - start)
        out[:first] = self._ring[start : start + first]
        out[first:num] = self._ring[: num - first]
        self.num_read += num
        return num

    def wake(self) -> None:
        """Lets the decoding go on when half of the ring is free; called while playing."""
        if self.num_buffered * 2 <= len(self._ring):
            self._has_room.set()

    def stop(self, timeout_s: float | None = None) -> None:
        """Ends the thread; waits for it when a timeout is given."""
        self._is_stopped = True
        self._has_room.set()
        if timeout_s is not None:
            self._thread.join(timeout_s)

    def _fill(self) -> None:
        try:
            for chunk in self._decode(self.path, self.rate_hz, self.start_s):
                self._write(chunk.T)
                if self._is_stopped:
                    return
        except SingalikeError as error:
            self.error = str(error)
        except Exception as error:  # a bad file must not end the program
            log.exception("Decoding for playback failed")
            self.error = f"{self.path.name} cannot be played: {error}."
        finally:
            self.is_complete = True

    def _write(self, frames: np.ndarray) -> None:
        done = 0
        while done < len(frames) and not self._is_stopped:
            room = len(self._ring) - self.num_buffered
            if room == 0:
                self._has_room.wait()
                self._has_room.clear()
                continue
            start = self.num_written % len(self._ring)
            num = min(room, len(frames) - done, len(self._ring) - start)
            self._ring[start : start + num] = frames[done : done + num]
            self.num_written += num
            done += num


class Deck:
    """One of the two sounds. The window sets ``source``, ``gain`` and ``is_running``.

    The callback follows smoothly: every change of gain is a ramp over one block, and a new source
    fades in as the old one fades out.
    """

    def __init__(self) -> None:
        self.source: Source | None = None
        self.gain = 1.0
        self.is_running = False
        self._heard: Source | None = None  # the callback's own
        self._heard_gain = 0.0

    @property
    def is_silent(self) -> bool:
        return self._heard_gain == 0.0

    def mix_into(self, out: np.ndarray, scratch: np.ndarray, rise: np.ndarray) -> None:
        """Adds this deck's next block to ``out`` (n, 2). ``rise`` (n, 1) goes from 0 to 1."""
        source = self.source
        if source is not self._heard:
            self._ramp(out, scratch, rise, 0.0)
            self._heard = source
        if source is not None and (self.is_running or self._heard_gain > 0.0):
            self._ramp(out, scratch, rise, self.gain if self.is_running else 0.0)

    def _ramp(self, out: np.ndarray, scratch: np.ndarray, rise: np.ndarray, gain: float) -> None:
        start, self._heard_gain = self._heard_gain, gain
        if self._heard is None:
            return
        num = self._heard.read_into(scratch)
        if start == gain == 0.0:
            return  # runs along unheard, so that both songs stay at the same moment
        scratch[:num] *= start + (gain - start) * rise[:num]
        out[:num] += scratch[:num]


class Mixer:
    """The sum of both decks."""

    def __init__(self) -> None:
        self.decks = (Deck(), Deck())
        self.num_blocks = 0  # lets the window see that the device still asks for sound
        self._scratch = np.zeros((BLOCK_FRAMES, 2), dtype=np.float32)
        self._rise = np.linspace(0, 1, BLOCK_FRAMES, dtype=np.float32)[:, None]

    def fill(self, out: np.ndarray) -> None:
        """The audio callback: writes the next block into ``out`` (at most 1024, 2) float32."""
        out[:] = 0.0
        num = len(out)
        for deck in self.decks:
            deck.mix_into(out, self._scratch[:num], self._rise[:num])
        np.clip(out, -1.0, 1.0, out=out)
        self.num_blocks += 1

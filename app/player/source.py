"""The sound of one file, decoded by a thread into a ring that the audio callback reads.

No Qt and no sound device in here. What the callback calls never waits, allocates nothing
and takes no lock: one thread writes each number and one reads it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.errors import PastEndError, SingalikeError
from engine.sound import audio

log = logging.getLogger(__name__)

RING_S = 12.0
SEAM_S = 0.01  # of a loop, faded so that it does not click


class Source:
    """The sound of one file from ``start_s`` on: a thread decodes into a ring, the callback reads.

    A seek makes a new Source; an old one is stopped and forgotten.

    Attributes:
        gain: what brings it to the common loudness; the window sets it, the callback follows.
        loop_s: it begins anew after so many seconds; None: it runs to its end.
    """

    def __init__(
        self,
        path: Path,
        start_s: float,
        rate_hz: int,
        *,
        gain: float = 1.0,
        loop_s: float | None = None,
    ) -> None:
        self.path = path
        self.start_s = start_s
        self.rate_hz = rate_hz
        self.gain = gain
        self.loop_s = loop_s
        self.error: str | None = None
        self.is_complete = False  # nothing more will be written
        self.num_read = 0  # frames; written by the callback only
        self.num_written = 0  # frames; written by the decoding thread only
        self._loop_frames = 0  # length of the loop, once it is known
        self._ring = np.zeros((int(RING_S * rate_hz), 2), dtype=np.float32)
        self._has_room = threading.Event()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._fill, name="decode", daemon=True)
        self._thread.start()

    @property
    def position_s(self) -> float:
        num = self.num_read % self._loop_frames if self._loop_frames else self.num_read
        return self.start_s + num / self.rate_hz

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

    def skip_to(self, position_s: float) -> bool:
        """Passes over what lies before a place; False where that is not decoded yet.

        Only for a source that nobody reads from yet.
        """
        num = round((position_s - self.start_s) * self.rate_hz)
        if num > self.num_written and not self.is_complete:
            self.num_read = self.num_written  # makes room for what is wanted
            self.wake()
            return False
        self.num_read = min(max(num, self.num_read), self.num_written)
        return True

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
            chunks = audio.decode(
                self.path,
                sample_rate_hz=self.rate_hz,
                num_channels=2,
                start_s=self.start_s,
                chunk_s=0.5,
            )
            for chunk in chunks if self.loop_s is None else self._looped(chunks, self.loop_s):
                self._write(chunk.T)
                if self._is_stopped:
                    return
        except PastEndError:
            pass  # a place right at the end, or vocals that end before the song: it is over
        except SingalikeError as error:
            self.error = str(error)
        except Exception as error:  # a bad file must not end the program
            log.exception("Decoding for playback failed")
            self.error = f"{self.path.name} cannot be played: {error}."
        finally:
            self.is_complete = True

    def _looped(self, chunks: Iterator[np.ndarray], loop_s: float) -> Iterator[np.ndarray]:
        """The first ``loop_s`` seconds again and again; its ends are faded."""
        wanted, held, num = round(loop_s * self.rate_hz), list[np.ndarray](), 0
        for chunk in chunks:
            held.append(chunk[:, : wanted - num])
            num += held[-1].shape[1]
            if num == wanted or self._is_stopped:
                break
        if num == 0:
            return
        turn = np.concatenate(held, axis=1)
        seam = min(round(SEAM_S * self.rate_hz), num // 2)
        rise = np.linspace(0.0, 1.0, seam, dtype=np.float32)
        turn[:, :seam] *= rise
        turn[:, num - seam :] *= rise[::-1]
        self._loop_frames = num
        while not self._is_stopped:
            yield turn

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

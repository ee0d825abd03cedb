"""Two decks, one for each song of a comparison, mixed and crossfaded for the audio callback.

No Qt and no sound device in here. The callback (``Decks.fill``) never waits, allocates next to
nothing and takes no lock.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from app.player.loudness import Levels, stepped
from app.player.source import Source

BLOCK_FRAMES = 1024

# (path, start in seconds, seconds after which it begins anew)
OpenSource = Callable[[Path, float, float | None], Source]


class Deck:
    """One of the two songs. The window sets ``gain`` and ``is_running``, and calls what is public.

    The callback goes along smoothly: every change of gain is a ramp over one block, and a new
    source fades in as the old one fades out. Where ``following`` is there when the source ends, it
    begins with the very next sample; ``heard`` then is that source, for the window to see.
    """

    def __init__(self, open_source: OpenSource) -> None:
        self.source: Source | None = None
        self.following: Source | None = None
        self.gain = 1.0
        self.is_running = False
        self.heard: Source | None = None  # written by the callback only
        self._open = open_source
        self.coming: Source | None = None  # takes over once it is decoded
        self._seen: Source | None = None  # what ``source`` was in the block before
        self._heard_gain = 0.0

    # What is so

    @property
    def position_s(self) -> float:
        return self.source.position_s if self.source is not None else 0.0

    @property
    def is_complete(self) -> bool:
        """Nothing more will be decoded of the song."""
        return self.source is not None and self.source.is_complete

    @property
    def is_at_end(self) -> bool:
        source = self.source
        if source is None or self.following is not None:
            return False
        return source.is_drained and source.error is None

    @property
    def error(self) -> str | None:
        """Why a song ended too early, once all that could be read of it was heard."""
        return self.source.error if self.source is not None and self.source.is_drained else None

    # In the UI thread

    def begin(self, path: Path | None, start_s: float, loop_s: float | None = None) -> None:
        """Another song or another place, at once; what was prepared is forgotten."""
        old = (self.source, self.following, self.coming)
        self.following = self.coming = None
        self.source = None if path is None else self._open(path, start_s, loop_s)
        for source in old:
            if source is not None:
                source.stop()

    def exchange(self, path: Path, is_playing: bool) -> None:
        """To another file of the same song, at the same place: without a gap while playing."""
        source, waiting = self.source, self.coming
        if source is None or path == (waiting or source).path:
            return
        start_s = source.position_s if source.loop_s is None else source.start_s
        if not is_playing:
            self.begin(path, start_s, source.loop_s)
            return
        if waiting is not None:
            waiting.stop()
        self.coming = self._open(path, start_s, source.loop_s)

    def prepare(self, path: Path | None) -> None:
        """What comes after the song, or nothing; decoded from now on, in place of anything else."""
        old = self.following
        if path == (None if old is None else old.path) or (old is not None and self.heard is old):
            return
        self.following = None if path is None else self._open(path, 0.0, None)
        if old is not None:
            old.stop()

    def has_advanced(self) -> bool:
        """True once, when what was prepared has begun."""
        if self.following is None or self.heard is not self.following:
            return False
        self.source, self.following = self.following, None
        return True

    def take_over(self) -> None:
        """Puts in what is to be exchanged, once it has been decoded as far as the song has come."""
        coming, old = self.coming, self.source
        if coming is None or old is None or not (coming.num_written or coming.is_complete):
            return
        if coming.skip_to(old.position_s):
            self.coming, self.source = None, coming
            old.stop()

    def close(self) -> None:
        """No thread is left."""
        for source in (self.source, self.following, self.coming):
            if source is not None:
                source.stop(timeout_s=2.0)

    # In the audio callback

    def mix_into(self, out: np.ndarray, scratch: np.ndarray, rise: np.ndarray) -> None:
        """Adds this deck's next block to ``out`` (n, 2). ``rise`` (n, 1) goes from 0 to 1."""
        source = self.source
        if source is not self._seen:
            if source is not self.heard:
                self._ramp(out, scratch, rise, 0.0)
                self.heard = source
            self._seen = source
        if self.heard is not None and (self.is_running or self._heard_gain > 0.0):
            gain = self.gain * self.heard.gain if self.is_running else 0.0
            num = self._ramp(out, scratch, rise, gain)
            if num < len(out) and self.is_running and self.heard.is_drained:
                self._follow(out[num:], scratch[num:])

    def _follow(self, out: np.ndarray, scratch: np.ndarray) -> None:
        """The next song, from the sample after the last one of this."""
        following = self.following
        if following is None or following is self.heard:
            return
        self.heard = following
        num = following.read_into(scratch)
        self._heard_gain = self.gain * following.gain
        scratch[:num] *= self._heard_gain
        out[:num] += scratch[:num]

    def _ramp(self, out: np.ndarray, scratch: np.ndarray, rise: np.ndarray, gain: float) -> int:
        start, self._heard_gain = self._heard_gain, gain
        if self.heard is None:
            return 0
        num = self.heard.read_into(scratch)
        if start == gain == 0.0:
            return num  # runs along unheard, so that both songs stay at the same moment
        scratch[:num] *= start + (gain - start) * rise[:num]
        out[:num] += scratch[:num]
        return num


class Decks:
    """Both decks, equally loud.

    Attributes:
        rate_hz: of the sound device. After a change, every source is to be begun anew.
        num_blocks: lets the window see that the device still asks for sound.
    """

    def __init__(self, levels: Levels, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.num_blocks = 0
        self._levels = levels
        self._decks = (Deck(self._open), Deck(self._open))
        self._scratch = np.zeros((BLOCK_FRAMES, 2), dtype=np.float32)
        self._rise = np.linspace(0, 1, BLOCK_FRAMES, dtype=np.float32)[:, None]

    def __getitem__(self, side: int) -> Deck:
        return self._decks[side]

    def fill(self, out: np.ndarray) -> None:
        """The audio callback: writes the next block into ``out`` (at most 1024, 2) float32."""
        out[:] = 0.0
        num = len(out)
        for deck in self._decks:
            deck.mix_into(out, self._scratch[:num], self._rise[:num])
        np.clip(out, -1.0, 1.0, out=out)
        self.num_blocks += 1

    def level(self) -> None:
        """As loud as the levels say; at once where nothing is heard yet."""
        for deck, gain in zip(self._decks, self._gains(), strict=True):
            if deck.source is not None and not (deck.is_running and deck.source.num_read):
                deck.source.gain = gain
            if deck.following is not None:
                deck.following.gain = self._levels.gains([deck.following.path])[0]

    def tick(self) -> None:
        """Thirty times a second while playing."""
        for deck, gain in zip(self._decks, self._gains(), strict=True):
            deck.take_over()
            if deck.source is not None:
                deck.source.wake()
                deck.source.gain = stepped(deck.source.gain, gain)

    def close(self) -> None:
        for deck in self._decks:
            deck.close()

    def _open(self, path: Path, start_s: float, loop_s: float | None) -> Source:
        gain = self._levels.gains([path])[0]
        return Source(path, start_s, self.rate_hz, gain=gain, loop_s=loop_s)

    def _gains(self) -> list[float]:
        return self._levels.gains(
            [deck.source.path if deck.source is not None else None for deck in self._decks]
        )

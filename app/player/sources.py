"""What the two decks read: a source each, what takes over from it, and what comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.player.decks import Decode, Mixer, Source
from app.player.loudness import Levels, stepped
from engine.sound import audio


def decode_file(path: Path, rate_hz: int, start_s: float) -> Iterator[np.ndarray]:
    """Blocks of (2, n) float32: what the decks read."""
    return audio.decode(path, sample_rate_hz=rate_hz, num_channels=2, start_s=start_s, chunk_s=0.5)


@dataclass(frozen=True)
class Decoding:
    """How far the decoding of one side has come.

    Attributes:
        path: what is heard; None where there is nothing.
        gain: what brings it to the common loudness.
        buffered_s: decoded and not heard yet.
        is_complete, is_next_complete: nothing more will be decoded, of the song and of the next.
        is_exchanging: another file of the same song is to take over as soon as it can.
    """

    path: Path | None
    rate_hz: int
    gain: float
    buffered_s: float
    is_complete: bool
    is_next_complete: bool
    is_exchanging: bool


class Feed:
    """In the UI thread; ``side`` is 0 or 1. No Qt in here.

    Attributes:
        rate_hz: of the sound device. After a change, every source is to be begun anew.
        is_playing: gains then change in steps, and files are exchanged without a gap.
    """

    def __init__(self, mixer: Mixer, decode: Decode, levels: Levels, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.is_playing = False
        self._decks = mixer.decks
        self._decode = decode
        self._levels = levels
        self._coming: list[Source | None] = [None, None]  # takes over once it is decoded
        self._loops_s: list[float | None] = [None, None]

    def position_s(self, side: int) -> float:
        source = self._decks[side].source
        return source.position_s if source is not None else 0.0

    def decoded_s(self, side: int) -> float:
        """The end of the song as far as it is known."""
        source = self._decks[side].source
        return source.start_s + source.num_written / source.rate_hz if source is not None else 0.0

    def decoding(self, side: int) -> Decoding:
        source, following = self._decks[side].source, self._decks[side].following
        return Decoding(
            source.path if source is not None else None,
            source.rate_hz if source is not None else self.rate_hz,
            source.gain if source is not None else 1.0,
            source.num_buffered / source.rate_hz if source is not None else 0.0,
            source is not None and source.is_complete,
            following is not None and following.is_complete,
            self._coming[side] is not None,
        )

    def is_at_end(self, side: int) -> bool:
        deck = self._decks[side]
        source = deck.source
        if source is None or deck.following is not None:
            return False
        return source.is_drained and source.error is None

    def error(self, side: int) -> str | None:
        """Why a song ended too early, once all that could be read of it was heard."""
        source = self._decks[side].source
        return source.error if source is not None and source.is_drained else None

    def begin(
        self, side: int, path: Path | None, start_s: float, loop_s: float | None = None
    ) -> None:
        """Another song or another place, at once; what was prepared is forgotten."""
        deck = self._decks[side]
        old = (deck.source, deck.following, self._coming[side])
        deck.following = self._coming[side] = None
        self._loops_s[side] = loop_s
        deck.source = None if path is None else self._source(path, start_s, loop_s)
        self.level()
        for source in old:
            if source is not None:
                source.stop()

    def exchange(self, side: int, path: Path) -> None:
        """To another file of the same song, at the same place."""
        source, waiting = self._decks[side].source, self._coming[side]
        if source is None or path == (waiting or source).path:
            return
        loop_s = self._loops_s[side]
        if not self.is_playing:
            self.begin(side, path, source.position_s if loop_s is None else source.start_s, loop_s)
            return
        if waiting is not None:
            waiting.stop()
        start_s = source.position_s if loop_s is None else source.start_s
        self._coming[side] = self._source(path, start_s, loop_s)

    def prepare(self, side: int, path: Path) -> None:
        """What comes after the song; decoded from now on."""
        deck = self._decks[side]
        if deck.following is None:
            deck.following = self._source(path, 0.0, None)
            deck.following.gain = self._levels.gains([path])[0]

    def has_advanced(self, side: int) -> bool:
        """True once, when what was prepared has begun."""
        deck = self._decks[side]
        if deck.following is None or deck.heard is not deck.following:
            return False
        deck.source, deck.following = deck.following, None
        return True

    def level(self) -> None:
        """As loud as the levels say; at once where nothing is heard yet."""
        for deck, gain in zip(self._decks, self._gains(), strict=True):
            if deck.source is not None and not (self.is_playing and deck.source.num_read):
                deck.source.gain = gain
            if deck.following is not None:
                deck.following.gain = self._levels.gains([deck.following.path])[0]

    def tick(self) -> None:
        """Thirty times a second while playing."""
        for side, gain in enumerate(self._gains()):
            self._take_over(side)
            deck = self._decks[side]
            if deck.source is not None:
                deck.source.wake()
                deck.source.gain = stepped(deck.source.gain, gain)

    def close(self) -> None:
        """No thread is left."""
        decks = self._decks
        for source in (*(d.source for d in decks), *(d.following for d in decks), *self._coming):
            if source is not None:
                source.stop(timeout_s=2.0)

    def _gains(self) -> list[float]:
        return self._levels.gains(
            [deck.source.path if deck.source is not None else None for deck in self._decks]
        )

    def _source(self, path: Path, start_s: float, loop_s: float | None) -> Source:
        return Source(path, start_s, self.rate_hz, self._decode, loop_s=loop_s)

    def _take_over(self, side: int) -> None:
        """Puts in what has been decoded as far as the song has come."""
        coming, deck = self._coming[side], self._decks[side]
        old = deck.source
        if coming is None or old is None or not (coming.num_written or coming.is_complete):
            return
        if coming.skip_to(old.position_s):
            coming.gain = self._levels.gains([coming.path])[0]
            self._coming[side], deck.source = None, coming
            old.stop()

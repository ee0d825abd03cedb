"""Pieces of a song, spread evenly over it however long it is, for networks that need no more."""

from __future__ import annotations

import numpy as np


class SpreadPieces:
    """Takes a stream of segments; holds the beginning of one in every so many of them.

    When there are more pieces than ``most``, every other one is let go of, and from then on only
    every other one is taken: at the end there are between half of ``most`` and all of it (or one
    for each segment), evenly spread, and memory is bounded.
    """

    def __init__(self, piece_samples: int, most: int) -> None:
        """``piece_samples``: not longer than a segment. ``most``: an even number."""
        self._piece_samples, self._most = piece_samples, most
        self._every, self._num_seen = 1, 0
        self._pieces: list[np.ndarray] = []

    def add(self, segments: np.ndarray) -> None:
        """(n, num_samples) float32, in the order of the song."""
        for segment in segments:
            if self._num_seen % self._every == 0:
                self._pieces.append(segment[: self._piece_samples].copy())
            self._num_seen += 1
            if len(self._pieces) > self._most:
                self._pieces = self._pieces[::2]
                self._every *= 2

    @property
    def pieces(self) -> np.ndarray:
        """(num_pieces, piece_samples) float32."""
        return np.stack(self._pieces) if self._pieces else np.zeros((0, self._piece_samples), "f4")

"""All vectors of a space in memory, float16 as the library keeps them: exact similarities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.library import codec

_BLOCK_ROWS = 1024  # as float32 they stay in the processor's cache
_SPARE_SHARE, _MIN_SPARE = 0.125, 1024  # of rows: room that costs no memory until it is filled
_MIN_SQUARE = 1e-6
NO_ROW = -1


@dataclass(frozen=True, eq=False)
class Matrix:
    """The embeddings of a space as they were at one moment.

    Attributes:
        room: (at least n, dim) float16, shared with the matrix that this one has grown from.
        ids: (n,) int64, of the embeddings, ascending.
        track_ids: (n,) int64, whose they are; none twice.
    """

    room: np.ndarray
    ids: np.ndarray
    track_ids: np.ndarray

    @classmethod
    def empty(cls, dim: int) -> Matrix:
        nothing = np.empty(0, np.int64)
        return cls(np.empty((0, dim), np.float16), nothing, nothing)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def last_id(self) -> int:
        return int(self.ids[-1]) if len(self) else 0

    def extended(
        self, chunks: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], num_expected: int
    ) -> Matrix:
        """With newer embeddings at the end: (ids, track ids, vectors) as ``stored_vectors`` gives.

        Only the newest matrix may be extended: others share its room.
        """
        room, ids, track_ids, num = self.room, [self.ids], [self.track_ids], len(self)
        for some_ids, some_tracks, vectors in chunks:
            end = num + len(some_ids)
            if end > len(room):
                larger = max(end, num_expected)
                larger += max(_MIN_SPARE, round(_SPARE_SHARE * larger))
                room, old = np.empty((larger, room.shape[1]), np.float16), room[:num]
                room[:num] = old
            room[num:end] = vectors
            num = end
            ids.append(some_ids)
            track_ids.append(some_tracks)
        if len(ids) == 1:
            return self
        return Matrix(room, np.concatenate(ids), np.concatenate(track_ids))

    def only(self, ids: np.ndarray) -> Matrix:
        """Without all whose ids are not among these."""
        is_kept = np.isin(self.ids, ids, assume_unique=True)
        kept = self.room[: len(self)][is_kept]
        return Matrix(kept, self.ids[is_kept], self.track_ids[is_kept])

    def rows(self, track_ids: np.ndarray) -> np.ndarray:
        """(m,) int64: the row of each of these tracks, NO_ROW where it has none."""
        ascending, order = self._by_track
        found = places(ascending, track_ids)
        return np.where(found == NO_ROW, NO_ROW, order[found]) if len(self) else found

    def tracks(self, ids: np.ndarray) -> np.ndarray:
        """(n,) int64: the tracks of those of these embeddings that are here."""
        rows = places(self.ids, ids)
        return self.track_ids[rows[rows != NO_ROW]]

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        """(m, dim) float32, L2-normalised. LibraryCorruptError where they are damaged."""
        vectors = _as_float32(self.room[rows])
        return np.asarray(vectors / codec.lengths(vectors)[:, None])

    def similarities(
        self, track_ids: np.ndarray, query: np.ndarray, centre: np.ndarray
    ) -> np.ndarray:
        """(m,) float32: cosines of these tracks with a query; NaN of those that are not here.

        Args:
            query: (dim,) float32, of unit length, without the centre.
            centre: (dim,) float32, to be taken away from the vectors, too.

        Raises LibraryCorruptError where one of the vectors is damaged.
        """
        rows = self.rows(track_ids)
        is_here = rows != NO_ROW
        rows, both = rows[is_here], np.column_stack([query, centre]).astype(np.float32)
        found = np.empty((len(rows), 2), np.float32)
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            vectors = _as_float32(self.room[rows[block]])
            lengths = codec.lengths(vectors)
            found[block] = (vectors @ both) / lengths[:, None]
        with_query, with_centre = found.T
        squares = 1 - 2 * with_centre + float(centre @ centre)  # of the lengths that are left
        result = np.full(len(track_ids), np.nan, np.float32)
        result[is_here] = (with_query - float(centre @ query)) / np.sqrt(
            np.maximum(squares, _MIN_SQUARE)
        )
        return result

    @cached_property
    def _by_track(self) -> tuple[np.ndarray, np.ndarray]:
        """(tracks (n,) ascending, the row of each)."""
        order = np.argsort(self.track_ids)
        return self.track_ids[order], order


def _as_float32(halves: np.ndarray) -> np.ndarray:
    """(n, dim) float16 -> float32, in an eighth of the time that ``astype`` takes.

    Sign, exponent and fraction are moved to where float32 has them; what the exponents differ by is
    multiplied. Infinite values and those that are no number become some above 60,000.
    """
    bits = halves.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= -0x70000001  # three copies of the sign
    values = bits.view(np.float32)
    values *= np.float32(2.0**112)
    return values


def places(ascending: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(m,) int64: where each value is, NO_ROW where it is not."""
    if not len(ascending):
        return np.full(len(values), NO_ROW)
    found = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.where(ascending[found] == values, found, NO_ROW)

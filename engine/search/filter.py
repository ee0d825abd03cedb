"""Which of the nearest songs to show: other artists, other albums, no song or artist twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from engine.library import Tags, Track
from engine.library.scope import artist_key
from engine.library.text import normalise
from engine.search.records import SearchOptions

_SAME_SOUND = 0.99  # cosine: the same recording in another coding
_SAME_LENGTH_S = 1.0
SONGS_EACH = 3  # of an artist, where artists are asked for
_MAX_FURTHER = 500  # songs by others, after which no more songs of the artists are looked for
_NOBODY = frozenset(("", "various artists", "various", "va", "unknown artist", "unknown"))


@dataclass(frozen=True, eq=False)
class Song:
    """What tells whether two songs are the same one, or belong together."""

    tags: Tags
    path: Path
    audio_hash: str | None
    duration_s: float | None
    vector: np.ndarray | None

    @classmethod
    def of_track(cls, track: Track, vector: np.ndarray | None) -> Song:
        return cls(track.tags, track.path, track.audio_hash, track.duration_s, vector)

    @cached_property
    def artists(self) -> set[str]:
        """Comparable names of artist and album artist, without guests; empty where unknown."""
        names = (self.tags.artist, self.tags.album_artist)
        return {artist_key(name) for name in names} - _NOBODY

    @cached_property
    def _title(self) -> str:
        return normalise(self.tags.title)

    def is_on_album_of(self, other: Song) -> bool:
        album = normalise(self.tags.album)
        if not album or album != normalise(other.tags.album):
            return False
        return bool(self.artists & other.artists) or self.path.parent == other.path.parent

    def is_same_song(self, other: Song) -> bool:
        """The same sound, the same artist and title, or nearly the same vector and length."""
        if self.audio_hash is not None and self.audio_hash == other.audio_hash:
            return True
        if self._title and self._title == other._title and self.artists & other.artists:
            return True
        if self.vector is None or other.vector is None:
            return False
        if self.duration_s is None or other.duration_s is None:
            return False
        is_same_length = abs(self.duration_s - other.duration_s) <= _SAME_LENGTH_S
        return is_same_length and float(self.vector @ other.vector) >= _SAME_SOUND


def artists_of(track: Track) -> set[str]:
    return Song.of_track(track, None).artists


@dataclass(frozen=True, eq=False)
class Filter:
    """What to leave out; the query itself is never shown.

    Attributes:
        own_ids: tracks that are the query or part of it, or were marked as another voice.
        others: further songs that are asked with.
        options: of which the ways to leave songs out count here; the scope does not.
    """

    query: Song
    own_ids: frozenset[int]
    options: SearchOptions
    others: tuple[Song, ...] = ()

    @property
    def is_narrow(self) -> bool:
        """Whether many of the nearest songs may be left out: by artist, album or scope."""
        options = self.options
        return bool(
            options.other_artists
            or options.other_albums
            or options.one_per_artist
            or options.as_artists
            or options.scope.num_conditions
        )

    def __call__(
        self, ranked: Iterable[tuple[Track, float, np.ndarray | None]]
    ) -> list[list[tuple[Track, float]]]:
        """The first of (track, similarity, vector) that may be shown, in order, as many as asked.

        Each is a row of its own, or each artist's first songs are, where artists are asked for;
        songs by nobody known are left out then. Vectors are needed to hide duplicates.
        """
        rows, names = list[list[tuple[Track, float]]](), list[set[str]]()
        by_artist = self.options.as_artists
        asked, shown, num_further = [self.query, *self.others], list[Song](), 0
        for track, similarity, vector in ranked:
            song = Song.of_track(track, vector)
            place = len(rows)
            if by_artist:
                place = next((i for i, one in enumerate(names) if one & song.artists), place)
            if place == self.options.k:
                num_further += 1  # artists enough: from now on, only their songs are of use
                if not by_artist or num_further == _MAX_FURTHER:
                    break
                continue
            is_full = place < len(rows) and len(rows[place]) == SONGS_EACH
            if is_full or track.id in self.own_ids or (by_artist and not song.artists):
                continue
            if self._is_wanted(song, asked, shown):
                if place == len(rows):
                    rows.append([])
                    names.append(song.artists)
                rows[place].append((track, similarity))
                shown.append(song)
        return rows

    def _is_wanted(self, song: Song, asked: list[Song], shown: list[Song]) -> bool:
        options = self.options
        is_of_others = options.other_artists or options.as_artists
        if is_of_others and any(song.artists & one.artists for one in asked):
            return False
        if options.other_albums and any(song.is_on_album_of(one) for one in asked):
            return False
        if options.one_per_artist and any(song.artists & one.artists for one in shown):
            return False
        alike = (*asked, *shown) if options.hide_duplicates else ()
        return not any(song.is_same_song(one) for one in alike)

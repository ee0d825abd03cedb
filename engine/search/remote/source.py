"""A catalogue as the source of a search: candidates from LanceDB, exact similarities from here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from engine.errors import QueryError
from engine.library import Track, filenames
from engine.library.scope import Facets, Scope, artist_key, genres_of
from engine.library.text import normalise
from engine.records import MomentCodes, View, VoicePortrait
from engine.search.filter import Filter
from engine.search.index.centre import placed
from engine.search.index.space_index import Nearest
from engine.search.remote.rows import (
    SHOWN,
    described,
    moments_of,
    song_id,
    tags_of,
    track_of,
    vectors_of,
)
from engine.search.remote.table import SongTable, among, in_words
from engine.search.source import QueryView, Space

T = TypeVar("T")
_Kept = defaultdict[View, dict[int, np.ndarray]]  # vectors of latest candidates, by track
# As many candidates at least, and so many for each root of the number of songs: their codes of one
# bit a dimension rank roughly, and around the centre songs are ranked here.
_MIN_CANDIDATES, _CANDIDATES_PER_ROOT, _MAX_CANDIDATES = 400, 0.8, 20_000
_MIN_PROBES = 40  # parts of the index that are looked into; more where a filter leaves too few
_MAX_KEPT = 100_000
_MAX_LISTED, _MAX_NAMED, _MAX_OF_ARTIST, _NUM_SAMPLED = 10_000, 12, 1000, 100_000
# of the list in the window, by what it is sorted by; others are called the same
_COLUMNS = {"duration": "duration_s", "track": "track_number", "status": "path", "added": "id"}
_NO_CENTRE = "This catalogue has no index yet. Run `singalike-catalogue index` on it."


class TableSource:
    """Ids of tracks are keys of songs. Any thread may use it."""

    def __init__(self, table: SongTable) -> None:
        self.table = table
        self._shown = [name for name in SHOWN if name in table.songs.schema.names]
        self._kept = _Kept(dict)

    def space(self, view: View, model: str | None) -> Space:
        name = None if model is None else Path(model).name
        for key in self.table.spaces:
            if key.view == view and name in (None, key.model):
                centre = self.table.centre(key)
                note = _NO_CENTRE if centre is None else None
                return Space(view, key, np.zeros(key.dim) if centre is None else centre, note=note)
        raise QueryError(
            f"The songs of this catalogue were not heard for the view {view} by "
            f"{name or 'any model'}, but by {described(self.table.spaces)}."
        )

    def candidates(self, views: Sequence[QueryView], num: int, accept: Filter) -> Nearest:
        """LanceDB itself leaves out what is outside the scope; the rest is the filter's."""
        if sum(map(len, self._kept.values())) > _MAX_KEPT:
            self._kept = _Kept(dict)
        usual = max(_MIN_CANDIDATES, round(_CANDIDATES_PER_ROOT * self.table.count() ** 0.5))
        num = min(max(num, usual), _MAX_CANDIDATES)
        where = condition(accept.options.scope)
        found = [self._nearest(view, views, num, where) for view in views]
        is_all = all(len(ids) < num for ids in found) or num == _MAX_CANDIDATES
        return Nearest(np.unique(np.concatenate(found)), is_all)

    def _nearest(
        self, view: QueryView, views: Sequence[QueryView], num: int, where: str
    ) -> np.ndarray:
        """(n,) int64. The vectors of what is found are kept, for they are asked for next."""
        names = [one.space.key.view for one in views]
        column = f"{view.space.key.view}_vector"
        asked = self.table.songs.search(view.stored, vector_column_name=column).limit(num)
        asked = asked.distance_type("cosine").minimum_nprobes(_MIN_PROBES).maximum_nprobes(0)
        asked = asked.select(["id", "_distance", *(f"{name}_vector" for name in names)])
        with in_words(self.table.place):
            rows = (asked.where(where) if where else asked).to_arrow()
        for one in views:
            self._kept[one.space.key.view].update(vectors_of(rows, one.space.key))
        return rows.column("id").to_numpy()

    def similarities(self, view: QueryView, track_ids: np.ndarray) -> np.ndarray:
        found = np.full(len(track_ids), np.nan, np.float32)
        ids, vectors = self.vectors(view.space, track_ids)
        found[np.isin(track_ids, ids)] = placed(vectors, view.space.centre) @ view.vector
        return found

    def vectors(self, space: Space, track_ids: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
        ids, kept = [int(one) for one in track_ids], self._kept[space.key.view]
        if missing := [one for one in ids if one not in kept]:
            rows = self.table.rows(["id", f"{space.key.view}_vector"], among(missing))
            kept.update(vectors_of(rows, space.key))
        have = [one for one in ids if one in kept]
        vectors = np.array([kept[one] for one in have], np.float32)
        return np.array(have, np.int64), vectors.reshape(-1, space.key.dim)

    def moments(self, space: Space, track_ids: Collection[int]) -> dict[int, MomentCodes]:
        view = space.key.view
        columns = [f"{view}_{name}" for name in ("codes", "starts_s", "length_s")]
        rows = self.table.by_id(columns, track_ids)
        return {i: moments_of(row, view) for i, row in rows.items() if row[f"{view}_codes"]}

    def from_mixture(self, space: Space, track_ids: Collection[int]) -> set[int]:
        name = f"{space.key.view}_from_mixture"
        rows = self.table.by_id([name], track_ids)
        return {i for i, row in rows.items() if row[name]}

    def marked_apart(self, track_ids: Collection[int]) -> set[int]:
        return set()  # marks are a person's, in their library

    def portraits(self, track_ids: Collection[int]) -> dict[int, VoicePortrait]:
        rows = self.table.by_id(["portrait"], track_ids)
        return {i: VoicePortrait(**row["portrait"]) for i, row in rows.items() if row["portrait"]}

    def tracks(self, track_ids: Collection[int]) -> list[Track]:
        found = self.table.by_id(self._shown, track_ids)
        return [track_of(found[number]) for number in track_ids if number in found]

    def tracks_of_artist(self, name: str) -> list[int]:
        where = f"array_has_any(artist_keys, {_list([artist_key(name)])})"
        return sorted(self.table.rows(["id"], where, _MAX_OF_ARTIST).column("id").to_pylist())

    def artists_like(self, words: str) -> list[str]:
        rows = self.table.rows(["artist"], _with_words(words), _MAX_OF_ARTIST)
        names = sorted(set(rows.column("artist").to_pylist()))
        wanted = normalise(words).split()
        return [name for name in names if all(word in artist_key(name) for word in wanted)]

    def tracks_of_file(self, path: Path, audio_hash: str) -> tuple[Track | None, set[int]]:
        number = song_id(audio_hash, self.table.spaces)
        return next(iter(self.tracks([number])), None), {number}

    # What a person looks for

    def track_by_path(self, path: Path) -> Track | None:
        place = filenames.shown(filenames.given(path))
        rows = self.table.rows(["id"], f"path = {_text(place)}", 1)
        return next(iter(self.tracks(rows.column("id").to_pylist())), None)

    def find(self, words: str) -> list[int]:
        """Ids: of whole names first, else of all with every word among their tags."""
        wanted = normalise(words)
        if not wanted:
            return []
        columns = ["id", "artist", "title"]
        rows = self.table.rows(columns, _with_words(words), _MAX_LISTED).to_pylist()
        named = [row["id"] for row in rows if wanted in _names(row["artist"], row["title"])]
        return (named or [row["id"] for row in rows])[:_MAX_NAMED]

    def track_ids(
        self, text: str = "", sort: str = "artist", *, descending: bool = False
    ) -> list[int]:
        """Ids of at most 10,000 songs with every word of a text among their tags, in order."""
        name = _COLUMNS.get(sort, sort)
        columns = list(dict.fromkeys(("id", name, "artist", "album", "track_number", "title")))
        rows = self.table.rows(columns, _with_words(text), _MAX_LISTED)
        order = [(name, "descending" if descending else "ascending")]
        order += [(one, "ascending") for one in columns[2:]]
        return rows.sort_by(order).column("id").to_pylist()

    def facets(self) -> Facets:
        """What tags and places offer; of a large catalogue as a hundred thousand songs tell it."""
        columns = ["genre", "year", "path", "heard"]
        rows = self.table.rows(columns, self.table.sample(_NUM_SAMPLED)).to_pylist()
        share = self.table.count() / max(1, len(rows))

        def counted(found: Iterable[T]) -> list[tuple[T, int]]:
            return [(one, round(num * share)) for one, num in Counter(found).most_common()]

        years = [row["year"] for row in rows if row["year"]]
        folders = counted(Path(row["path"].rpartition("/")[0]) for row in rows)
        heard = counted((tag.name, tag.kind) for row in rows for tag in tags_of(row))
        return Facets(
            tuple(counted(name for row in rows for name in genres_of(row["genre"]))),
            min(years, default=None),
            max(years, default=None),
            tuple(sorted(folders)),
            tuple((*tag, num) for tag, num in heard),
        )


def condition(scope: Scope) -> str:
    """What LanceDB itself leaves out, as SQL; "" where it leaves out nothing."""
    parts = []
    if scope.genres:
        parts.append(f"array_has_any(genre_keys, {_list(scope.genres)})")
    if scope.sounds_like:
        parts.append(f"array_has_all(heard_keys, {_list(scope.sounds_like)})")
    bounds = {
        "year >=": scope.first_year,
        "year <=": scope.last_year,
        "duration_s >=": scope.min_duration_s,
        "duration_s <=": scope.max_duration_s,
        "portrait.lowest_note >= -0.5 +": scope.lowest_note,  # half a semitone off is the same note
        "portrait.highest_note <= 0.5 +": scope.highest_note,
    }
    parts += [f"{bound} {value}" for bound, value in bounds.items() if value is not None]
    if scope.folders:
        places = sorted(filenames.shown(filenames.given(path)) for path in scope.folders)
        inside = (f"starts_with(path, {_text(place.rstrip('/') + '/')})" for place in places)
        parts.append(f"({' OR '.join(inside)})")
    return " AND ".join(parts)


def _with_words(text: str) -> str:
    words = sorted(normalise(text).split(), key=len, reverse=True)
    return " AND ".join(f"contains(words, {_text(word)})" for word in words)


def _names(artist: str, title: str) -> set[str]:
    artist, title = normalise(artist), normalise(title)
    return {title, f"{artist} {title}", f"{title} {artist}"}


def _text(value: str) -> str:
    """As a text of SQL."""
    return "'" + value.replace("'", "''") + "'"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, sorted(values)))}]"

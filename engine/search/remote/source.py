"""A catalogue as the source of a search: candidates from LanceDB, exact similarities from here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import QueryError
from engine.library import Track, filenames
from engine.library.scope import Facets, Scope, artist_key, genres_of
from engine.library.text import normalise
from engine.records import MomentCodes, View, VoicePortrait
from engine.search.filter import Filter
from engine.search.index.space_index import Nearest
from engine.search.remote.rows import (
    SHOWN,
    moments_of,
    song_id,
    tags_of,
    track_of,
    vectors_of,
)
from engine.search.remote.table import SongTable
from engine.search.source import QueryView, Space

# As many candidates at least, and so many for each root of the number of songs: their codes of one
# bit a dimension rank roughly, and around the centre songs are ranked here.
_MIN_CANDIDATES, _CANDIDATES_PER_ROOT, _MAX_CANDIDATES = 400, 0.8, 20_000
_MIN_PROBES = 40  # parts of the index that are looked into; more where a filter leaves too few
_MAX_KEPT = 100_000  # vectors of latest candidates
_MAX_LISTED, _MAX_NAMED, _MAX_OF_ARTIST, _NUM_SAMPLED = 10_000, 12, 1000, 100_000
_NO_CENTRE = "This catalogue has no index yet. Run `singalike-catalogue index` on it."


class TableSource:
    """Ids of tracks are keys of songs. Any thread may use it."""

    def __init__(self, table: SongTable) -> None:
        self.table = table
        self._kept = dict[str, dict[int, np.ndarray | None]]()  # by view, then by track

    def space(self, view: View, model: str | None) -> Space:
        name = None if model is None else Path(model).name
        for key in self.table.spaces:
            if key.view == view and name in (None, key.model):
                centre = self.table.centre(key)
                note = _NO_CENTRE if centre is None else None
                return Space(view, key, np.zeros(key.dim) if centre is None else centre, note=note)
        by_model = f" by the model {name}" if name else ""
        models = ", ".join(sorted({key.model for key in self.table.spaces}))
        raise QueryError(
            f"The songs of this catalogue were not heard for the view {view}{by_model} (models "
            f"that have heard them: {models})."
        )

    def candidates(self, views: Sequence[QueryView], num: int, accept: Filter) -> Nearest:
        """LanceDB itself leaves out what is outside the scope; the rest is the filter's."""
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
        rows = self.table.told(asked.where(where) if where else asked)
        for one in views:
            self._keep(rows, one.space)
        return rows.column("id").to_numpy()

    def similarities(self, view: QueryView, track_ids: np.ndarray) -> np.ndarray:
        found = np.full(len(track_ids), np.nan, np.float32)
        ids, vectors = self.vectors(view.space, track_ids)
        rest = vectors - view.space.centre
        lengths = np.maximum(np.linalg.norm(rest, axis=1), 1e-9)
        found[np.isin(track_ids, ids)] = rest @ view.vector / lengths
        return found

    def vectors(self, space: Space, track_ids: Collection[int]) -> tuple[np.ndarray, np.ndarray]:
        ids = [int(one) for one in track_ids]
        kept = self._kept.get(space.key.view, {})
        if missing := [one for one in ids if one not in kept]:
            self._keep(self._rows(["id", f"{space.key.view}_vector"], missing), space)
            kept = self._kept[space.key.view]
        have = [one for one in ids if kept.get(one) is not None]
        vectors = np.array([kept[one] for one in have], np.float32).reshape(-1, space.key.dim)
        return np.array(have, np.int64), vectors

    def _keep(self, rows: Any, space: Space) -> None:
        has_one, vectors = vectors_of(rows, space.key)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        kept = self._kept.get(space.key.view, {})
        kept = {} if len(kept) > _MAX_KEPT else kept
        ids = rows.column("id").to_numpy()
        kept.update(dict.fromkeys(ids[~has_one].tolist()))
        kept.update(zip(ids[has_one].tolist(), vectors, strict=True))
        self._kept[space.key.view] = kept

    def _rows(self, columns: list[str], track_ids: Collection[int]) -> Any:
        listed = ", ".join(str(int(one)) for one in track_ids)
        return self.table.rows(columns, f"id IN ({listed})" if listed else "false")

    def moments(self, space: Space, track_ids: Collection[int]) -> dict[int, MomentCodes]:
        view = space.key.view
        columns = ["id", *(f"{view}_{name}" for name in ("codes", "starts_s", "length_s"))]
        rows = self._rows(columns, track_ids).to_pylist()
        found = (row for row in rows if row[f"{view}_codes"] is not None)
        return {row["id"]: moments_of(row, view) for row in found}

    def from_mixture(self, space: Space, track_ids: Collection[int]) -> set[int]:
        name = f"{space.key.view}_from_mixture"
        return {row["id"] for row in self._rows(["id", name], track_ids).to_pylist() if row[name]}

    def marked_apart(self, track_ids: Collection[int]) -> set[int]:
        return set()  # marks are a person's, in their library

    def portraits(self, track_ids: Collection[int]) -> dict[int, VoicePortrait]:
        rows = self._rows(["id", "portrait"], track_ids).to_pylist()
        return {row["id"]: VoicePortrait(**row["portrait"]) for row in rows if row["portrait"]}

    def tracks(self, track_ids: Collection[int]) -> list[Track]:
        found = {row["id"]: track_of(row) for row in self._rows(self._shown, track_ids).to_pylist()}
        return [found[number] for number in track_ids if number in found]

    @property
    def _shown(self) -> list[str]:
        return [*SHOWN, *(f"{k.view}_length_s" for k in self.table.spaces if k.view == "vocals")]

    def tracks_of_artist(self, name: str) -> list[int]:
        where = f"array_has_any(artist_keys, [{_text(artist_key(name))}])"
        rows = self.table.rows(["id"], where, _MAX_OF_ARTIST) if artist_key(name) else None
        return [] if rows is None else sorted(rows.column("id").to_pylist())

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
        rows = self.table.rows(self._shown, f"path = {_text(place)}", 1).to_pylist()
        return track_of(rows[0]) if rows else None

    def find(self, words: str) -> list[int]:
        """Ids: of whole names first, else of all with every word among their tags."""
        wanted = normalise(words)
        if not wanted:
            return []
        phrase = f"contains(words, {_text(wanted)})"
        for where in (phrase, _with_words(words)):
            rows = self.table.rows(["id", "artist", "title"], where, _MAX_OF_ARTIST).to_pylist()
            named = [row["id"] for row in rows if wanted in _names(row["artist"], row["title"])]
            if named:
                return named[:_MAX_NAMED]
        return [row["id"] for row in rows][:_MAX_NAMED]

    def track_ids(
        self, text: str = "", sort: str = "artist", *, descending: bool = False
    ) -> list[int]:
        """Ids of at most 10,000 songs with every word of a text among their tags, in order."""
        others = {
            "duration": "duration_s",
            "track": "track_number",
            "status": "path",
            "added": "id",
        }
        name = others.get(sort, sort)
        columns = list(dict.fromkeys(("id", name, "artist", "album", "track_number", "title")))
        rows = self.table.rows(columns, _with_words(text), _MAX_LISTED)
        order = [(name, "descending" if descending else "ascending")]
        order += [(one, "ascending") for one in columns[2:]]
        ids: list[int] = rows.sort_by(order).column("id").to_pylist()
        return ids

    def facets(self) -> Facets:
        """What tags and places offer; of a large catalogue as a hundred thousand songs tell it."""
        total = self.table.count()
        columns = ["genre", "year", "path", "heard"]
        rows = self.table.rows(columns, self.table.sample(_NUM_SAMPLED)).to_pylist()
        share = total / max(1, len(rows))
        years = [row["year"] for row in rows if row["year"]]
        genres = Counter(name for row in rows for name in genres_of(row["genre"]))
        folders = Counter(row["path"].rpartition("/")[0] for row in rows)
        heard = Counter((tag.name, tag.kind) for row in rows for tag in tags_of(row))
        return Facets(
            tuple((name, round(num * share)) for name, num in genres.most_common()),
            min(years, default=None),
            max(years, default=None),
            tuple(sorted((Path(place), round(num * share)) for place, num in folders.items())),
            tuple((*tag, round(num * share)) for tag, num in heard.most_common()),
        )


def condition(scope: Scope) -> str:
    """What LanceDB itself leaves out, as SQL; "" where it leaves out nothing."""
    parts = []
    for function, column, names in (
        ("array_has_any", "genre_keys", scope.genres),
        ("array_has_all", "heard_keys", scope.sounds_like),
    ):
        listed = ", ".join(map(_text, sorted(names)))
        parts += [f"{function}({column}, [{listed}])"] if names else []
    for column, low, high in (
        ("year", scope.first_year, scope.last_year),
        ("duration_s", scope.min_duration_s, scope.max_duration_s),
    ):
        parts += [f"{column} >= {low}"] if low is not None else []
        parts += [f"{column} <= {high}"] if high is not None else []
    if scope.lowest_note is not None:  # half a semitone off is the same note
        parts.append(f"portrait.lowest_note >= {scope.lowest_note - 0.5}")
    if scope.highest_note is not None:
        parts.append(f"portrait.highest_note <= {scope.highest_note + 0.5}")
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

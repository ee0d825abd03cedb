"""Indexes of a catalogue, what is in it, and whether it is sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np

from engine.library.text import normalise
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey
from engine.search.index.centre import artists_centre
from engine.search.remote.rows import described, packed, song_id, songs_of, vectors_of
from engine.search.remote.table import SongTable, in_words

MIN_INDEXED = 20_000  # of fewer songs every one is compared
MAX_GROWTH = 3.0  # since its parts were laid out, until a vector index is made anew
# Of k-means over the parts of a vector index; LanceDB's own 50 and 256 take twenty times as long.
ITERATIONS, SAMPLES_PER_PART = 10, 64
CENTRE_SONGS = 300_000  # the mean of so many is that of all
KEPT_VERSIONS = timedelta(hours=1)  # for searches that are under way
MAX_PROBLEMS = 100
_NUM_LAID_OUT = "singalike.num_laid_out"


def tidy(table: SongTable) -> None:
    """Put small files together, bring indexes up to date, drop what nobody reads any more."""
    with in_words(table.place):
        for one in (table.songs, table.skipped):
            one.optimize(cleanup_older_than=KEPT_VERSIONS)


def index(
    table: SongTable,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> None:
    """Measure what all songs have in common, and build or extend indexes; searches go on meanwhile.

    Raises CatalogueError, CancelledError.
    """
    cancel = cancel or CancelToken()
    for name, work in _steps(table):
        cancel.check()
        progress(Progress("index", message=name))
        with in_words(table.place):
            work()


def _steps(table: SongTable) -> Iterator[tuple[str, Callable[[], object]]]:
    from lancedb.index import BTree, Fm, LabelList

    yield "tidying", lambda: tidy(table)
    if not table.count():
        return
    with in_words(table.place):
        known = {one.columns[0] for one in table.songs.list_indices()}
    create = table.songs.create_index
    kinds: dict[str, Any] = dict.fromkeys(("id", "path", "year", "duration_s"), BTree())
    kinds |= {"artist_keys": LabelList(), "genre_keys": LabelList(), "words": Fm()}
    for column, kind in kinds.items():
        if column not in known:
            yield column, partial(create, column, config=kind)
    for key in table.spaces:
        yield f"centre of {key.view}", partial(_measure_centre, table, key)
        num = table.count(f"{key.view}_vector IS NOT NULL")
        if num >= MIN_INDEXED and not _is_laid_out(table, key):
            yield f"vectors of {key.view}", partial(_lay_out, table, key)


def _lay_out(table: SongTable, key: SpaceKey) -> None:
    from lancedb.index import IvfRq

    num = table.count()
    how = IvfRq("cosine", max_iterations=ITERATIONS, sample_rate=SAMPLES_PER_PART)
    table.songs.create_index(f"{key.view}_vector", config=how)
    table.keep(key, _NUM_LAID_OUT, str(num))


def _is_laid_out(table: SongTable, key: SpaceKey) -> bool:
    """Whether there is a vector index whose parts were made for about as many songs."""
    return int(table.kept(key, _NUM_LAID_OUT) or 0) * MAX_GROWTH >= table.count()


def _measure_centre(table: SongTable, key: SpaceKey) -> None:
    """What songs have in common, each artist counting once, as in a library."""
    columns, where = ["artist", "path", f"{key.view}_vector"], table.sample(CENTRE_SONGS)
    num_songs = Counter[str]()
    for batch in table.batches(columns[:2], f"{where} AND {key.view}_vector IS NOT NULL"):
        num_songs.update(_artists(batch))
    total = np.zeros(key.dim)
    for batch in table.batches(columns, f"{where} AND {key.view}_vector IS NOT NULL"):
        weights = np.array([1 / max(1, num_songs[name]) for name in _artists(batch)])
        total += weights @ vectors_of(batch, key)[1]
    table.set_centre(key, artists_centre(total, len(num_songs)))


def _artists(batch: Any) -> list[str]:
    names, paths = (batch.column(name).to_pylist() for name in ("artist", "path"))
    return [normalise(name) or path for name, path in zip(names, paths, strict=True)]


def status(table: SongTable) -> dict[str, Any]:
    """What is in a catalogue.

    ``voices``: songs in which somebody sings; ``failed``, ``copies``: of what was skipped;
    ``to_index``: songs that every search compares, since no vector index holds them yet;
    ``num_bytes``: of data and indexes, without earlier versions.
    """
    num, columns = table.count(), [f"{key.view}_vector" for key in table.spaces]
    with in_words(table.place):
        failed = table.skipped.count_rows("is_failed")
        found = [table.songs.index_stats(f"{column}_idx") for column in columns]
        indexes = sum(one.size_bytes or 0 for one in table.songs.list_indices())
        return {
            "models": described(table.spaces),
            "songs": num,
            "voices": table.count(f"{columns[0]} IS NOT NULL") if "vocals" in columns[0] else 0,
            "failed": failed,
            "copies": table.skipped.count_rows() - failed,
            "to_index": max(num if one is None else one.num_unindexed_rows for one in found),
            "num_bytes": int(table.songs.stats()["total_bytes"]) + indexes,
        }


def verify(
    table: SongTable,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> list[str]:
    """Read everything; returns sentences on what is not as it should be, at most some hundred.

    Raises CatalogueError where a part cannot be read, CancelledError.
    """
    cancel, problems = cancel or CancelToken(), list[str]()
    ids, num = list[np.ndarray](), table.count()
    for batch in table.song_batches():
        cancel.check()
        progress(Progress("verify", sum(map(len, ids)), num))
        ids.append(batch.column("id").to_numpy())
        if len(problems) < MAX_PROBLEMS:
            problems += _problems(table, batch)
    numbers = np.concatenate([np.zeros(0, np.int64), *ids])
    if num_twice := len(numbers) - len(np.unique(numbers)):
        problems.append(f"{num_twice} songs are there more than once.")
    for key in table.spaces:
        if table.centre(key) is None:
            problems.append(f"The view {key.view} has no index. Run `singalike-catalogue index`.")
    return problems


def _problems(table: SongTable, batch: Any) -> list[str]:
    """Of some rows; where one of them cannot be read, of each by itself."""
    try:
        songs = songs_of(batch, table.spaces)
        packed(dict(enumerate(songs)), table.spaces)
    except (TypeError, ValueError) as error:
        if batch.num_rows == 1:
            return [f"{batch.column('path')[0]} is damaged: {error}."]
        rows = (batch.slice(row, 1) for row in range(batch.num_rows))
        return [problem for row in rows for problem in _problems(table, row)]
    return [
        f"{song.path} has a key that is not of its sound."
        for number, song in zip(batch.column("id").to_pylist(), songs, strict=True)
        if number != song_id(song.audio_hash or "", table.spaces)
    ]

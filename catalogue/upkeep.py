"""Indexes of a catalogue, what is in it, and whether it is sound."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from engine.errors import CatalogueError
from engine.library.text import normalise
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.records import SpaceKey
from engine.search.index.centre import centre_of_vectors
from engine.search.remote.rows import described, song_id, song_of, vectors_of
from engine.search.remote.table import SongTable, in_words

MIN_INDEXED = 20_000  # of fewer songs every one is compared
MAX_GROWTH = 3.0  # since its parts were laid out, until a vector index is made anew
# Of k-means over the parts of a vector index; LanceDB's own 50 and 256 take twenty times as long.
ITERATIONS, SAMPLES_PER_PART = 10, 64
CENTRE_SONGS = 100_000  # the mean of so many is that of all
KEPT_VERSIONS = timedelta(hours=1)  # for searches that are under way
_NUM_LAID_OUT = "singalike.num_laid_out"


def tidy(table: SongTable) -> None:
    """Put small files together, bring indexes up to date, drop what nobody reads any more."""
    with in_words(table.place):
        for one in (table.songs, table.skipped):
            one.optimize(cleanup_older_than=KEPT_VERSIONS)


def index(table: SongTable, progress: ProgressCallback, cancel: CancelToken) -> None:
    """Measure what all songs have in common, and build or extend indexes; searches go on meanwhile.

    Raises CatalogueError, CancelledError.
    """
    from lancedb.index import BTree, Fm, IvfRq, LabelList

    def begin(step: str) -> None:
        cancel.check()
        progress(Progress("index", message=step))

    begin("tidying")
    tidy(table)
    kinds: dict[str, Any] = dict.fromkeys(("id", "path", "year", "duration_s"), BTree())
    kinds |= {"artist_keys": LabelList(), "genre_keys": LabelList(), "words": Fm()}
    vectors = IvfRq("cosine", max_iterations=ITERATIONS, sample_rate=SAMPLES_PER_PART)
    with in_words(table.place):
        known = {one.columns[0] for one in table.songs.list_indices()}
        for column, kind in kinds.items() if table.count() else ():
            if column not in known:
                begin(column)
                table.songs.create_index(column, config=kind)
        for key in table.spaces:
            begin(f"centre of {key.view}")
            table.set_centre(key, _centre(table, key))
            num = table.count(f"{key.view}_vector IS NOT NULL")
            if num >= max(MIN_INDEXED, MAX_GROWTH * int(table.kept(key, _NUM_LAID_OUT) or 0)):
                begin(f"vectors of {key.view}")
                table.songs.create_index(f"{key.view}_vector", config=vectors)
                table.keep(key, _NUM_LAID_OUT, str(num))


def _centre(table: SongTable, key: SpaceKey) -> np.ndarray:
    """(dim,) what songs have in common, each artist counting once, as in a library."""
    where = f"{table.sample(CENTRE_SONGS)} AND {key.view}_vector IS NOT NULL"
    rows = table.rows(["id", "artist", "path", f"{key.view}_vector"], where)
    named = rows.select(["artist", "path"]).to_pylist()
    artists = [normalise(row["artist"]) or row["path"] for row in named]
    _, numbers = np.unique(artists, return_inverse=True)
    vectors = np.array(list(vectors_of(rows, key).values())).reshape(-1, key.dim)
    return centre_of_vectors(vectors, numbers)


def status(table: SongTable) -> dict[str, Any]:
    """What is in a catalogue.

    ``voices``: songs in which somebody sings; ``failed``, ``copies``: of what was skipped;
    ``to_index``: songs that every search compares, since no vector index holds them yet;
    ``num_bytes``: of data and indexes, without earlier versions.
    """
    num, views = table.count(), [key.view for key in table.spaces]
    with in_words(table.place):
        failed = table.skipped.count_rows("is_failed")
        found = [table.songs.index_stats(f"{view}_vector_idx") for view in views]
        indexes = sum(one.size_bytes or 0 for one in table.songs.list_indices())
        return {
            "models": described(table.spaces),
            "songs": num,
            "voices": table.count("vocals_vector IS NOT NULL") if "vocals" in views else 0,
            "failed": failed,
            "copies": table.skipped.count_rows() - failed,
            "to_index": max(num if one is None else one.num_unindexed_rows for one in found),
            "num_bytes": int(table.songs.stats()["total_bytes"]) + indexes,
        }


def verify(table: SongTable, progress: ProgressCallback, cancel: CancelToken) -> Iterator[str]:
    """Read everything; sentences on what is not as it should be, as it is found.

    Raises CatalogueError where a part cannot be read, CancelledError.
    """
    ids, num = array("q"), table.count()
    for batch in table.batches(table.songs.schema.names):
        cancel.check()
        progress(Progress("verify", len(ids), num))
        for row in batch.to_pylist():
            ids.append(row["id"])
            try:
                song = song_of(row, table.spaces)
            except CatalogueError as error:
                yield str(error)
            else:
                if row["id"] != song_id(song.audio_hash, table.spaces):
                    yield f"{song.path} has a key that is not of its sound."
    if num_twice := len(ids) - len(np.unique(ids)):
        yield f"{num_twice} songs are there more than once."
    for key in table.spaces:
        if table.centre(key) is None:
            yield f"The view {key.view} has no index. Run `singalike-catalogue index`."

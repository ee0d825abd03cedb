from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, put_vectors

from engine.errors import CancelledError, SingalikeError
from engine.library import Library, Tags, indexes
from engine.progress import CancelToken, Progress
from engine.records import SpaceKey
from engine.search import Searcher
from engine.search.index import graph
from engine.search.index.space_index import Nearest, SpaceIndex
from engine.search.source import QueryView, Space

NUM_TRACKS = 1600  # enough for searches to ask the graph


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """1600 tracks whose vectors gather around 20 voices, in the space 1."""
    with Library.open(tmp_path / "library.db") as library:
        add_tracks(library, tmp_path, [Tags(f"Title {i}", "Artist") for i in range(NUM_TRACKS)])
        store(library, clustered(NUM_TRACKS))
        yield library


def clustered(num: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    voices = random.standard_normal((20, OVERALL.dim))
    return voices[np.arange(num) % 20] + 0.3 * random.standard_normal((num, OVERALL.dim))


def store(library: Library, vectors: np.ndarray, first: int = 1) -> None:
    """Quicker than one transaction per track."""
    space_id = library.space_id(OVERALL)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("<f2")
    with library.database.write() as db:
        for track_id, vector in enumerate(unit, start=first):
            db.execute("DELETE FROM embedding WHERE track_id = ?", (track_id,))
            row = (track_id, space_id, vector.tobytes())
            db.execute("INSERT INTO embedding (track_id, space_id, vector) VALUES (?, ?, ?)", row)


def refresh(library: Library) -> bool:
    return graph.refresh(library, 1, num_threads=1)


def found_by(searcher: Searcher, query: np.ndarray, k: int = 10) -> list[int]:
    return searcher.nearest(in_space(query), k).tolist()


def in_space(query: np.ndarray) -> QueryView:
    """Where the library has nothing in common."""
    return QueryView(Space(1, OVERALL, np.zeros(len(query), np.float32)), query)


def candidates(library: Library) -> Nearest:
    """What a search through the index gives; the graph serves where that is not all."""
    loaded = SpaceIndex(library, 1).current()
    return loaded.nearest(loaded.matrix.vectors(np.array([5]))[0], 100, None)


def recall(library: Library, k: int = 10) -> float:
    """Share of the true k nearest that the search through the index finds."""
    assert not candidates(library).is_all
    searcher, num_found = Searcher(library), 0
    track_ids, vectors = library.embeddings(1)
    for query in vectors[::10]:
        true = track_ids[np.argsort(-(vectors @ query), kind="stable")[:k]]
        num_found += len(set(true.tolist()) & set(found_by(searcher, query, k)))
    return num_found / (k * len(vectors[::10]))


def record(library: Library) -> indexes.IndexRecord:
    found = indexes.index_of(library.database, 1)
    assert found is not None
    return found[1]


def change_record(library: Library, **columns: object) -> None:
    with library.database.write() as db:
        for name, value in columns.items():
            db.execute(f"UPDATE hnsw_index SET {name} = ?", (value,))


def test_the_index_finds_what_exact_search_finds(library: Library) -> None:
    assert refresh(library)
    assert recall(library) > 0.99
    assert record(library).num_elements == NUM_TRACKS


def test_nothing_new_nothing_written(library: Library) -> None:
    assert refresh(library)
    before = record(library)
    assert not refresh(library)
    assert record(library) == before


def test_the_same_embeddings_give_the_same_bytes(library: Library) -> None:
    refresh(library)
    before = record(library)
    with library.database.write() as db:
        db.execute("DELETE FROM hnsw_index")
    refresh(library)
    assert record(library) == before


def test_scores_are_exact_cosines_with_the_stored_vectors(library: Library) -> None:
    refresh(library)
    track_ids, vectors = library.embeddings(1)
    source = Searcher(library).source
    found = source.similarities(in_space(vectors[5]), track_ids)
    assert found == pytest.approx(vectors @ vectors[5], abs=1e-6)


def test_newer_embeddings_are_found_before_they_are_in_the_index(
    library: Library, tmp_path: Path
) -> None:
    refresh(library)
    searcher = Searcher(library)
    (newcomer,) = add_tracks(library, tmp_path, [Tags("New", "Artist")])
    vector = clustered(1, seed=9)[0]
    put_vectors(library, OVERALL, {newcomer: vector})
    query = (vector / np.linalg.norm(vector)).astype(np.float32)
    assert found_by(searcher, query)[0] == newcomer
    before = record(library)
    assert not refresh(library)  # a single song is not worth writing the whole index
    assert record(library) == before
    more = add_tracks(library, tmp_path, [Tags(f"New {i}", "Artist") for i in range(39)])
    put_vectors(library, OVERALL, dict(zip(more, clustered(39, seed=8), strict=True)))
    assert refresh(library)
    assert record(library).num_elements == NUM_TRACKS + 40
    assert found_by(searcher, query)[0] == newcomer
    assert recall(library) > 0.99


def test_deleted_and_replaced_embeddings_are_never_found(library: Library) -> None:
    refresh(library)
    with library.database.write() as db:
        db.execute("DELETE FROM embedding WHERE track_id BETWEEN 1 AND 40")
    store(library, -clustered(40), first=41)  # the opposite of what they were
    assert recall(library) > 0.99
    assert refresh(library)
    assert record(library).num_elements == NUM_TRACKS - 40
    assert recall(library) > 0.99


def test_too_many_dead_elements_mean_a_new_index(library: Library) -> None:
    refresh(library)
    with library.database.write() as db:
        db.execute("DELETE FROM embedding WHERE track_id <= 350")
    assert refresh(library)
    assert record(library).num_elements == NUM_TRACKS - 350
    assert recall(library) > 0.99


def test_an_emptied_space(library: Library) -> None:
    refresh(library)
    with library.database.write() as db:
        db.execute("DELETE FROM embedding")
    query = np.eye(OVERALL.dim, dtype=np.float32)[0]
    assert found_by(Searcher(library), query) == []
    assert refresh(library)
    assert not refresh(library)
    assert found_by(Searcher(library), query) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE hnsw_chunk SET data = replace_byte(data)",
        "UPDATE hnsw_chunk SET data = substr(data, 1, length(data) - 1)",
        "DELETE FROM hnsw_chunk",
        "UPDATE hnsw_index SET sha256 = 'other'",
        "UPDATE hnsw_index SET dim = dim + 1",
        "UPDATE hnsw_index SET metric = 'l2'",
        "UPDATE hnsw_index SET m = 8",
        "UPDATE hnsw_index SET num_elements = num_elements - 1",
        "UPDATE hnsw_index SET state = 'building'",
    ],
)
def test_a_damaged_index_is_noticed_replaced_by_exact_search_and_built_anew(
    library: Library, damage: str
) -> None:
    refresh(library)
    with library.database.write() as db:
        db.create_function("replace_byte", 1, lambda data: data[:999] + b"?" + data[1000:])
        db.execute(damage)
    with pytest.raises(graph.UnusableIndexError):
        graph.load(library, 1)
    _, vectors = library.embeddings(1)
    assert found_by(Searcher(library), vectors[5])[0] == 6
    assert candidates(library).is_all
    assert "building" in damage or "exact" in (candidates(library).note or "")
    assert refresh(library)
    assert recall(library) > 0.99


def test_without_an_index_the_search_is_exact(library: Library) -> None:
    _, vectors = library.embeddings(1)
    assert found_by(Searcher(library), vectors[5])[0] == 6
    assert (candidates(library).is_all, candidates(library).note) == (True, None)


def test_an_index_of_another_space_is_not_taken(library: Library) -> None:
    refresh(library)
    other = library.space_id(VOCALS)
    with pytest.raises(graph.UnusableIndexError, match="no search index"):
        graph.load(library, other)
    wider = library.space_id(SpaceKey("wide", "1" * 64, "overall", None, 32))
    change_record(library, space_id=wider)
    with pytest.raises(graph.UnusableIndexError, match="other embeddings"):
        graph.load(library, wider)


@pytest.mark.parametrize("k", [1, 149, 151, 900, 5000])
def test_any_k_is_served(library: Library, k: int) -> None:
    refresh(library)
    _, vectors = library.embeddings(1)
    assert len(found_by(Searcher(library), vectors[5], k)) == min(k, NUM_TRACKS)


def test_a_query_of_another_dimension_is_an_error(library: Library) -> None:
    refresh(library)
    with pytest.raises(ValueError, match="dimensions"):
        graph.load(library, 1).nearest(np.ones(3, np.float32), 5)


def test_the_index_lies_in_chunks(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "CHUNK_BYTES", 10_000)
    refresh(library)
    sizes = [row[0] for row in library.database.rows("SELECT length(data) FROM hnsw_chunk")]
    assert len(sizes) > 5
    assert max(sizes) == 10_000
    assert sum(sizes) == record(library).num_bytes
    assert recall(library) > 0.99


def test_a_stopped_refresh_leaves_the_earlier_index(library: Library, tmp_path: Path) -> None:
    refresh(library)
    before = record(library)
    ids = add_tracks(library, tmp_path, [Tags(f"New {i}", "Artist") for i in range(40)])
    put_vectors(library, OVERALL, dict(zip(ids, clustered(40), strict=True)))
    token = CancelToken()
    token.cancel()
    with pytest.raises(CancelledError):
        graph.refresh(library, 1, cancel=token)
    assert record(library) == before


def test_progress_is_told(library: Library) -> None:
    reports: list[Progress] = []
    graph.refresh(library, 1, reports.append, num_threads=1)
    assert reports[-1] == Progress("index", NUM_TRACKS, NUM_TRACKS)


def test_a_disk_that_is_full_while_the_index_is_saved(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def half(self: Path, **options: bool) -> object:
        found = stat(self, **options)
        if self.name != "index":
            return found
        self.write_bytes(self.read_bytes()[: found.st_size // 2])
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", half)
    with pytest.raises(SingalikeError, match="full"):
        refresh(library)
    assert indexes.index_of(library.database, 1) is None


def test_without_room_to_unpack_the_index_the_search_is_exact(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refresh(library)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    _, vectors = library.embeddings(1)
    assert found_by(Searcher(library), vectors[5])[0] == 6
    assert "could not be unpacked" in (candidates(library).note or "")


def test_counts_follow_what_this_and_other_threads_write(library: Library) -> None:
    def count() -> int:
        return indexes.count_embeddings(library.database, 1)

    def forget(track_id: int) -> None:
        with library.database.write() as db:
            db.execute("DELETE FROM embedding WHERE track_id = ?", (track_id,))

    assert count() == count() == NUM_TRACKS
    forget(1)
    assert count() == NUM_TRACKS - 1
    other = threading.Thread(target=forget, args=(2,))
    other.start()
    other.join()
    assert count() == NUM_TRACKS - 2
    assert indexes.count_embeddings(library.database, 1, up_to_id=4) == 2

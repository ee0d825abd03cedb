from __future__ import annotations

import hnswlib
import numpy as np
import pytest

from engine.search.index.packing import PackedGraph, packed

DIM, NUM = 8, 500
VECTORS = np.random.default_rng(0).standard_normal((NUM, DIM)).astype(np.float32)
LABELS = np.arange(NUM) * 3 + 7


@pytest.fixture(scope="module")
def graph() -> hnswlib.Index:
    """Its elements lie on several levels."""
    graph = hnswlib.Index(space="ip", dim=DIM)
    graph.init_index(max_elements=NUM, M=16, ef_construction=200)
    graph.add_items(VECTORS, LABELS, num_threads=1)
    return graph


@pytest.fixture(scope="module")
def raw(graph: hnswlib.Index) -> np.ndarray:
    return bytes_of(graph)


def bytes_of(graph: hnswlib.Index) -> np.ndarray:
    with packed(graph) as path:
        return np.fromfile(path, np.uint8)


def test_a_graph_and_what_is_in_it_come_back(graph: hnswlib.Index, raw: np.ndarray) -> None:
    found = PackedGraph(raw, DIM)
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.vectors, VECTORS)
    again = found.unpacked(NUM)
    np.testing.assert_array_equal(bytes_of(again), raw)
    graph.set_ef(50)
    again.set_ef(50)
    for one, other in zip(graph.knn_query(VECTORS, 5), again.knn_query(VECTORS, 5), strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_unpacked_graph_grows(raw: np.ndarray) -> None:
    again = PackedGraph(raw, DIM).unpacked(NUM + 1)
    again.add_items(10 * VECTORS[:1], [1], num_threads=1)
    assert again.knn_query(VECTORS[:1], 1)[0] == 1


def test_an_empty_graph() -> None:
    empty = hnswlib.Index(space="ip", dim=DIM)
    empty.init_index(max_elements=1, M=16, ef_construction=200)
    again = PackedGraph(bytes_of(empty), DIM).unpacked(1)
    assert again.element_count == 0
    again.add_items(VECTORS[:1], [5], num_threads=1)
    assert again.knn_query(VECTORS[:1], 1)[0] == 5


@pytest.mark.parametrize("num_bytes", [0, 95, 96, 5000, -4, -2])
def test_part_of_a_graph_is_none(raw: np.ndarray, num_bytes: int) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        PackedGraph(raw[:num_bytes], DIM)


def test_a_graph_of_other_vectors_is_none(raw: np.ndarray) -> None:
    with pytest.raises(ValueError, match="size"):
        PackedGraph(raw, DIM + 1)


def test_links_that_do_not_add_up_are_no_graph(raw: np.ndarray) -> None:
    wrong = raw.copy()
    wrong[-4:] = 255
    with pytest.raises(ValueError, match="links"):
        PackedGraph(wrong, DIM)

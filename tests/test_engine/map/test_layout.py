from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from engine.errors import CancelledError
from engine.map import affinity, layout, repulsion
from engine.map.affinity import affinities, neighbours, principal_axes


def no_step(*_: int) -> None:
    pass


def clusters(num: int, each: int, dim: int = 16) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    centres = 4 * random.standard_normal((num, dim))
    labels = np.repeat(np.arange(num), each)
    points = centres[labels] + random.standard_normal((num * each, dim))
    return points.astype(np.float32), labels


# Neighbours


def test_principal_axes_keep_distances_and_have_no_arbitrary_sign():
    points, _ = clusters(3, 20, dim=8)
    axes = principal_axes(lambda: [points[:13], points[13:]], 8)
    whole = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(np.linalg.norm(axes[:, None] - axes, axis=2), whole, atol=1e-3)
    assert (np.diff(axes.var(0)) <= 1e-4).all()
    np.testing.assert_array_equal(axes, principal_axes(lambda: [points[:13], points[13:]], 8))


def test_neighbours_are_the_nearest_and_never_oneself(monkeypatch):
    points, _ = clusters(6, 50)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    truth = np.sort(np.argsort(distances, axis=1)[:, :7], axis=1)
    exact = neighbours(points, 7, no_step)
    np.testing.assert_array_equal(exact, truth)
    monkeypatch.setattr(affinity, "EXACT_LIMIT", 0)
    found = neighbours(points, 7, no_step)
    assert found.shape == (300, 7)
    assert not (found == np.arange(300)[:, None]).any()
    recall = np.mean([len(set(a) & set(b)) / 7 for a, b in zip(found, truth, strict=True)])
    assert recall > 0.98


def test_ties_are_mutual_and_add_up_to_one():
    ties = affinities(np.array([[1, 2], [0, 2], [0, 1], [0, 1]]))
    assert (ties != ties.T).nnz == 0
    assert ties.sum() == pytest.approx(1)
    assert ties[0, 1] == pytest.approx(2 * ties[0, 3])  # 3 is not among the nearest of 0


# Forces


@pytest.mark.parametrize("spread", [1e-4, 0.1, 3.0, 10.0])
def test_the_grid_repels_as_all_pairs_do(spread):
    random = np.random.default_rng(1)
    points = (spread * random.standard_normal((500, 2)) * [1.0, 0.4]).astype(np.float32)
    forces, total = repulsion._exact(points)
    grid_forces, grid_total = repulsion._on_grid(points)
    assert grid_total == pytest.approx(total, rel=0.03)
    error = np.linalg.norm(grid_forces - forces) / np.linalg.norm(forces)
    assert error < 0.08


def test_more_room_than_the_grid_has_boxes_still_gives_forces(monkeypatch):
    monkeypatch.setattr(repulsion, "MAX_BOXES", 40)
    points = (60 * np.random.default_rng(2).standard_normal((500, 2))).astype(np.float32)
    forces, total = repulsion._on_grid(points)
    assert np.isfinite(forces).all()
    assert total > 0


def divergence(ties: np.ndarray, points: np.ndarray) -> float:
    """Kullback-Leibler divergence of t-SNE, straight from its definition."""
    kernel = 1 / (1 + ((points[:, None] - points[None]) ** 2).sum(2))
    np.fill_diagonal(kernel, 0)
    nearness = kernel / kernel.sum()
    known = ties > 0
    return float((ties[known] * np.log(ties[known] / nearness[known])).sum())


def test_the_slope_is_that_of_the_divergence():
    random = np.random.default_rng(3)
    weights = random.random((12, 12)) * (random.random((12, 12)) < 0.4)
    np.fill_diagonal(weights, 0)
    weights = weights + weights.T
    weights /= weights.sum()
    points = random.standard_normal((12, 2))
    ties = sparse.csr_array(weights.astype(np.float32))
    rows = np.repeat(np.arange(12), np.diff(ties.indptr))
    slope = layout._gradient(ties, rows, points.astype(np.float32), 1.0)
    for i, axis in ((0, 0), (5, 1), (11, 0)):
        ahead, behind = points.copy(), points.copy()
        ahead[i, axis] += 1e-5
        behind[i, axis] -= 1e-5
        numeric = (divergence(weights, ahead) - divergence(weights, behind)) / 2e-5
        assert slope[i, axis] == pytest.approx(numeric, rel=2e-3, abs=1e-5)


# The whole


def test_what_belongs_together_lies_together():
    points, labels = clusters(8, 20)
    axes = principal_axes(lambda: [points])
    ties = affinities(neighbours(axes, 10, no_step))
    steps: list[tuple[int, int]] = []
    places = layout.lay_out(ties, axes[:, :2], lambda done, of: steps.append((done, of)))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :5]
    assert (labels[nearest] == labels[:, None]).mean() > 0.98
    assert steps[-1] == (600, 600)
    assert [done for done, _ in steps] == list(range(1, 601))


def test_laying_out_can_be_stopped():
    points, _ = clusters(2, 10)

    def stop(done: int, of: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        layout.lay_out(affinities(neighbours(points, 5, no_step)), points[:, :2], stop)

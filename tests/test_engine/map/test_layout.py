from __future__ import annotations

import numpy as np
import pytest

from engine.errors import CancelledError
from engine.map import layout
from engine.map.neighbours import neighbours, principal_axes


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
    axes = principal_axes(points, 8)
    whole = np.linalg.norm(points[:, None] - points, axis=2)
    np.testing.assert_allclose(np.linalg.norm(axes[:, None] - axes, axis=2), whole, atol=1e-3)
    assert (np.diff(axes.var(0)) <= 1e-4).all()
    np.testing.assert_array_equal(axes, principal_axes(points, 8))


def test_neighbours_are_the_nearest_and_never_oneself():
    points, _ = clusters(6, 50)
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    truth = np.argsort(distances, axis=1)[:, :7]
    found, lengths = neighbours(points, 7, no_step)
    assert found.shape == (300, 7)
    rows = np.arange(300)[:, None]
    np.testing.assert_allclose(lengths, distances[rows, found], rtol=1e-3)
    assert not (found == np.arange(300)[:, None]).any()
    recall = np.mean([len(set(a) & set(b)) / 7 for a, b in zip(found, truth, strict=True)])
    assert recall > 0.98


# Places


@pytest.mark.parametrize("each", [4, 16, 100])  # as many as there are neighbours: 16
def test_what_belongs_together_lies_together(each):
    points, labels = clusters(8, each)
    axes = principal_axes(points)
    near, lengths = neighbours(axes, 15, no_step)
    steps: list[tuple[int, int]] = []
    places = layout.lay_out(near, lengths, axes[:, :2], lambda done, of: steps.append((done, of)))
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :3]
    assert (labels[nearest] == labels[:, None]).mean() > 0.98
    assert steps == [(done, 600) for done in range(10, 601, 10)]
    again = layout.lay_out(near, lengths, axes[:, :2], no_step)
    np.testing.assert_array_equal(places, again)
    assert distances.min() > 1e-5 * np.ptp(places)  # none lies on another


def test_laying_out_can_be_stopped():
    points, _ = clusters(2, 10)

    def stop(done: int, of: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        layout.lay_out(*neighbours(points, 5, no_step), points[:, :2], stop)


@pytest.mark.parametrize("num", [4, 5, 6, 7])
def test_few_songs_are_not_drawn_onto_one_line(num: int) -> None:
    points, _ = clusters(2, 4)
    points = points[:num]
    axes = principal_axes(points, 2)
    places = layout.lay_out(*neighbours(points, num - 1, no_step), axes, no_step)
    assert places.shape == (num, 2)
    assert places.std(0).min() > 0.05 * places.std(0).max()

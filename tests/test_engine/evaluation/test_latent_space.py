from __future__ import annotations

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings, weights_of

from engine.errors import CancelledError, EvaluationError
from engine.evaluation import metrics
from engine.evaluation.protocols import agreement, latent_space
from engine.evaluation.protocols.latent_space import Chosen, cluster_figures, ratio_replicates
from engine.evaluation.results import Options
from engine.progress import CancelToken


def clustered(spread: float, num_singers: int = 4, num_songs: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(8)[:num_singers], num_songs, axis=0)
    return centres + spread * rng.normal(size=centres.shape)


SINGERS = [f"s{i // 4}" for i in range(16)]


def slow_ratio(distances: np.ndarray, labels: np.ndarray) -> float:
    """Within over between, of each label, on average."""
    ratios = []
    for label in set(labels.tolist()):
        own = labels == label
        pairs = own.sum() * (own.sum() - 1)
        within = distances[np.ix_(own, own)].sum() / pairs
        ratios.append(within / distances[np.ix_(own, ~own)].mean())
    return float(np.mean(ratios))


def first_two(vectors: np.ndarray, seed: int, cancel: CancelToken) -> np.ndarray:
    return vectors[:, :2] + 1e-3 * seed


def test_ratio_replicates_are_the_ratio_of_drawn_artists() -> None:
    # Labels that cross artists: two groups of two artists each.
    vectors = clustered(0.3)
    labels = np.array(["x" if i < 8 else "y" for i in range(16)])
    artists = np.repeat(np.arange(4), 4)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    chosen = Chosen(vectors, labels, artists)
    once = ratio_replicates(distances, chosen, np.ones((1, 4), int))
    assert once[0] == pytest.approx(slow_ratio(distances, labels))
    without = ratio_replicates(distances, chosen, np.array([[0, 1, 1, 1]]))
    kept = artists > 0
    expected = slow_ratio(distances[np.ix_(kept, kept)], labels[kept])
    assert without[0] == pytest.approx(expected)


def test_cluster_figures_lie_in_their_intervals() -> None:
    embeddings = make_embeddings(clustered(0.4), SINGERS)
    vectors = embeddings.vectors()
    chosen = Chosen(vectors, np.array(SINGERS), embeddings.artists)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    silhouette, ratio = cluster_figures([distances], chosen, weights_of(embeddings, 200))
    of_points = metrics.silhouettes(distances, np.array(SINGERS))
    assert silhouette.value == pytest.approx(of_points.reshape(4, 4).mean())
    for figure in (silhouette, ratio):
        assert figure.low < figure.value < figure.high


def test_drawings_without_any_labelled_singer_are_left_out() -> None:
    # Two of three singers have a label: some drawings hold the third alone.
    embeddings = make_embeddings(clustered(0.4, 3), SINGERS[:12])
    kept = embeddings.artists < 2
    vectors = embeddings.vectors()[kept]
    chosen = Chosen(vectors, np.array(SINGERS)[:8], embeddings.artists[kept])
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    weights = np.array([[3, 0, 0], [0, 0, 3], [1, 1, 1]])
    silhouette, ratio = cluster_figures([distances], chosen, weights)
    of_points = metrics.silhouettes(distances, chosen.labels)
    drawn = [of_points[:4].mean(), silhouette.value]
    assert silhouette.low == pytest.approx(np.quantile(drawn, 0.025))
    assert silhouette.high == pytest.approx(np.quantile(drawn, 0.975))
    assert np.isnan(ratio.low)  # of one drawing only: a singer alone is far from nobody


def test_labels_that_each_clip_has_alone_have_no_ratio() -> None:
    embeddings = make_embeddings(clustered(0.4), SINGERS)
    vectors = embeddings.vectors()
    chosen = Chosen(vectors, np.array([f"song {i}" for i in range(16)]), embeddings.artists)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    silhouette, ratio = cluster_figures([distances], chosen, weights_of(embeddings, 20))
    assert silhouette.value == 0
    assert np.isnan(ratio.value)


def test_tighter_clusters_have_better_figures() -> None:
    tight = make_embeddings(clustered(0.1), SINGERS, model="tight")
    loose = make_embeddings(clustered(2.0), SINGERS, model="loose")
    result = latent_space.run(context_of(tight, loose), layout=first_two)
    rows = {row[1]: row for row in result.tables[0].rows}
    assert rows["tight"][4].value > 0.5 > rows["loose"][4].value  # type: ignore[union-attr]
    assert rows["tight"][5].value < rows["loose"][5].value  # type: ignore[union-attr]
    assert list(result.plots[0].panels) == ["vocals: tight", "vocals: loose"]  # type: ignore[union-attr]


def test_tsne_keeps_clusters_together_and_is_the_same_each_time() -> None:
    embeddings = make_embeddings(clustered(0.05, 2, 8), ["A"] * 8 + ["B"] * 8)
    plane = latent_space.tsne(embeddings.vectors(), 0, CancelToken())
    assert plane.shape == (16, 2)
    distances = np.linalg.norm(plane[:, None] - plane, axis=-1)
    assert metrics.silhouettes(distances, np.repeat([0, 1], 8)).mean() > 0.4
    np.testing.assert_array_equal(plane, latent_space.tsne(embeddings.vectors(), 0, CancelToken()))


def test_a_map_needs_labels() -> None:
    embeddings = make_embeddings(clustered(0.4), SINGERS)
    with pytest.raises(EvaluationError, match="A map by 'genre' needs 8 clips"):
        latent_space.run(context_of(embeddings, label="genre"), layout=first_two)
    labelled = make_embeddings(
        clustered(0.4), SINGERS, labels=[{"genre": "ab"[i % 2]} for i in range(16)]
    )
    result = latent_space.run(context_of(labelled, label="genre"), layout=first_two)
    assert set(result.plots[0].panels["vocals: m"][1]) == {"a", "b"}  # type: ignore[union-attr]


def test_a_map_holds_so_many_singers_at_most() -> None:
    embeddings = make_embeddings(clustered(0.4), SINGERS)
    chosen = latent_space.choose_clips(embeddings, Options(num_artists=3))
    assert len(chosen.labels) == 12
    assert len(set(chosen.labels)) == 3
    assert chosen.notes == ("The maps show 3 of 4 singers, by chance.",)


def test_an_input_that_allows_no_map_is_noted() -> None:
    embeddings = make_embeddings(clustered(0.4), SINGERS)
    alone = make_embeddings(clustered(0.4), ["A"] * 16, source="mixture")
    result = latent_space.run(context_of(embeddings, alone), layout=first_two)
    assert list(result.plots[0].panels) == ["vocals: m"]  # type: ignore[union-attr]
    assert result.notes[-1].startswith("mixture: A map by 'singer' needs")


def test_a_layout_can_be_stopped() -> None:
    context = context_of(make_embeddings(clustered(0.4), SINGERS))
    context.cancel.cancel()
    with pytest.raises(CancelledError):
        latent_space.run(context)


def test_nearest_songs_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "ROWS_AT_ONCE", 2)
    angles = np.radians([0, 1, 10, 90, 95])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    songs = ["x", "x", "y", "z", "w"]  # the first two are one song
    embeddings = make_embeddings(vectors, ["A", "A", "B", "C", "D"], songs)
    np.testing.assert_array_equal(
        agreement.nearest(embeddings, CancelToken())[:, 0], [2, 2, 1, 4, 3]
    )
    alone = make_embeddings(vectors[:2], ["A", "A"], ["x", "x"])
    np.testing.assert_array_equal(agreement.nearest(alone, CancelToken())[:, 0], [-1, -1])


def test_agreement() -> None:
    vectors = clustered(0.3)
    one, same = (make_embeddings(vectors, SINGERS, model=name) for name in ("one", "same"))
    other = make_embeddings(np.random.default_rng(9).normal(size=(16, 8)), SINGERS, model="other")
    result = agreement.run(context_of(one, same, other))
    shares = {row[1:3]: row[3].value for row in result.tables[0].rows}  # type: ignore[union-attr]
    assert shares["one", "same"] == 1.0
    assert shares["one", "other"] < 0.5
    matrix = np.array(result.plots[0].panels["vocals"])  # type: ignore[union-attr]
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.isnan(np.diagonal(matrix)).all()
    with pytest.raises(EvaluationError, match="two models"):
        agreement.run(context_of(one))

"""The map of voices: t-SNE of clip embeddings, and how well it groups them by a label.

Source: paper, section V (latent space), figures 5 and 6: silhouette and distance ratio per
cluster on the t-SNE plane, mean over 5 runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import Estimate, estimate
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.results import Column, Context, Options, Points, Result, Table
from engine.progress import CancelToken

NAME = "latent-space"
TITLE = "Latent space"
NUM_RUNS = 5
MAX_CLIPS = 2000
MIN_CLIPS = 8
Layout = Callable[[np.ndarray, int, CancelToken], np.ndarray]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The clips of a map: their vectors (n, dim), labels, artists and names.

    ``notes`` say which were left out.
    """

    vectors: np.ndarray
    labels: np.ndarray
    artists: np.ndarray
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Map:
    """A plane (n, 2), and (silhouette, intra/inter ratio) on the planes and in the space."""

    chosen: Chosen
    plane: np.ndarray
    on_plane: tuple[Estimate, Estimate]
    in_space: tuple[Estimate, Estimate]


def tsne(vectors: np.ndarray, seed: int, cancel: CancelToken) -> np.ndarray:
    """(n, dim) -> (n, 2) float64. Raises CancelledError."""
    from engine.map.layout import plane  # a second of imports

    return plane(vectors, seed, cancel.check)


def run(context: Context, layout: Layout = tsne) -> Result:
    """A map for every model and input. ``layout`` puts vectors on a plane, given a seed.

    An input that allows no map is noted. Raises EvaluationError when none does.
    """

    def one(embeddings: ModelEmbeddings) -> Map:
        chosen = choose_clips(embeddings, context.options)
        return draw_map(chosen, context.weights(embeddings), context, layout)

    maps, reasons = context.measure(NAME, one)
    label = context.options.label
    notes = {f"{NUM_RUNS} runs of t-SNE from random starts; the picture shows the first.": None}
    notes |= dict.fromkeys(note for drawn in maps.values() for note in drawn.chosen.notes)
    return Result(NAME, TITLE, (_table(label, maps),), (_points(label, maps),), (*notes, *reasons))


def draw_map(chosen: Chosen, weights: np.ndarray, context: Context, layout: Layout) -> Map:
    """Runs of the layout, and how well labels cluster in them and in the space itself."""
    seeds = [context.options.seed + number for number in range(NUM_RUNS)]
    planes = [layout(chosen.vectors, seed, context.cancel) for seed in seeds]
    cosines = np.clip(1 - chosen.vectors @ chosen.vectors.T, 0, None)
    on_plane = cluster_figures([_distances(p) for p in planes], chosen, weights)
    context.cancel.check()
    return Map(chosen, planes[0], on_plane, cluster_figures([cosines], chosen, weights))


def _points(label: str, maps: dict[ModelEmbeddings, Map]) -> Points:
    titles = {embeddings: f"{embeddings.source}: {embeddings.model}" for embeddings in maps}
    return Points(
        "t-sne",
        f"t-SNE of clips, by {label}",
        label,
        {titles[h]: (m.plane, tuple(m.chosen.labels)) for h, m in maps.items()},
        {titles[h]: f"silhouette {m.on_plane[0].value:z.2f}" for h, m in maps.items()},
        len({h.model for h in maps}),
        {titles[h]: m.chosen.names for h, m in maps.items()},
    )


def choose_clips(embeddings: ModelEmbeddings, options: Options) -> Chosen:
    """Clips with a label, at most 50 singers' (where they are the label) and MAX_CLIPS.

    Raises EvaluationError with too few clips, or fewer than two labels.
    """
    labels = np.array([clip.label(options.label) for clip in embeddings.clips], dtype=object)
    kept = np.flatnonzero(labels != "")
    rng = np.random.default_rng([options.seed, 6])
    names = np.unique(labels[kept].astype(str))
    notes = []
    if options.label == "singer" and len(names) > options.num_artists:
        notes.append(f"The maps show {options.num_artists} of {len(names)} singers, by chance.")
        names = rng.choice(names, options.num_artists, replace=False)
        kept = kept[np.isin(labels[kept].astype(str), names)]
    if len(kept) > MAX_CLIPS:
        notes.append(f"The maps show {MAX_CLIPS} of {len(kept)} clips, by chance.")
        kept = np.sort(rng.choice(kept, MAX_CLIPS, replace=False))
    if len(names) < 2 or len(kept) < MIN_CLIPS:
        raise EvaluationError(
            f"A map by {options.label!r} needs {MIN_CLIPS} clips and two different labels; there "
            f"are {len(kept)} clips with {len(names)}. Choose another column with --label."
        )
    clips = [embeddings.clips[i] for i in kept]
    return Chosen(
        embeddings.best_vectors[kept],
        labels[kept].astype(str),
        embeddings.artists[kept],
        tuple(f"{clip.singer} – {clip.song}" for clip in clips),
        tuple(notes),
    )


def cluster_figures(
    distances: list[np.ndarray], chosen: Chosen, weights: np.ndarray
) -> tuple[Estimate, Estimate]:
    """(silhouette, intra/inter ratio): mean per cluster, then over clusters, then over runs.

    The ratio is NaN where every cluster is a single clip.
    """
    silhouettes = np.mean([metrics.silhouettes(d, chosen.labels) for d in distances], axis=0)
    member = (chosen.labels[:, None] == np.unique(chosen.labels)).astype(float)
    # All artists once, for the figure itself, then as they were drawn, for its interval.
    weights = np.concatenate([np.ones((1, weights.shape[1]), weights.dtype), weights])
    of_clusters = _cluster_means(silhouettes, member, weights[:, chosen.artists])
    ratios = np.mean([ratio_replicates(d, chosen, weights) for d in distances], axis=0)
    return estimate(float(of_clusters[0]), of_clusters[1:]), estimate(float(ratios[0]), ratios[1:])


def _cluster_means(values: np.ndarray, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean per cluster, then over the clusters that were drawn: (num_replicates,).

    NaN where none was: singers without a label, or beyond the most that a map shows, are drawn too.
    """
    with np.errstate(invalid="ignore"):
        means = (weights * values @ member) / (weights @ member)
        drawn = np.isfinite(means)
        return np.asarray(np.where(drawn, means, 0.0).sum(1) / drawn.sum(1))


def ratio_replicates(distances: np.ndarray, chosen: Chosen, weights: np.ndarray) -> np.ndarray:
    """Mean intra/inter ratio of the clusters under each drawing of artists: (num_replicates,).

    Of a cluster: mean distance within over mean distance to all others' clips. 1: no cluster at
    all; towards 0: tight and far from the others. Clusters of a single clip have none.

    Pairs of clips count as often as their artists were drawn: once per drawing for two clips of one
    artist, the product for clips of two.
    """
    groups, codes = np.unique(
        np.stack([np.unique(chosen.labels, return_inverse=True)[1], chosen.artists], axis=1),
        axis=0, return_inverse=True,
    )  # fmt: skip
    labels, artists = groups.T
    member = np.eye(len(groups))[codes.ravel()]
    sums, sizes = member.T @ distances @ member, member.sum(0)
    counts = np.outer(sizes, sizes) - np.diag(sizes)
    same_artist, same_label = artists[:, None] == artists, labels[:, None] == labels
    of_cluster = np.eye(labels.max() + 1)[labels]
    found = []
    for row in weights[:, artists]:
        pairs = np.where(same_artist, row[:, None], np.outer(row, row))
        total = [of_cluster.T @ (pairs * v * same_label).sum(1) for v in (sums, counts)]
        other = [of_cluster.T @ (pairs * v * ~same_label).sum(1) for v in (sums, counts)]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = (total[0] / total[1]) / (other[0] / other[1])
        known = ratios[np.isfinite(ratios)]
        found.append(known.mean() if len(known) else np.nan)
    return np.array(found)


def _distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points[:, None] - points, axis=-1))


def _table(label: str, maps: dict[ModelEmbeddings, Map]) -> Table:
    rows = tuple(
        (h.source, h.model, *m.on_plane, *m.in_space, len(m.chosen.labels)) for h, m in maps.items()
    )
    columns = (
        Column("input", "input"),
        Column("model", "model"),
        Column("silhouette", "silhouette", better="higher"),
        Column("ratio", "intra/inter", better="lower"),
        Column("silhouette_in_space", "silhouette, cosine", better="higher"),
        Column("ratio_in_space", "intra/inter, cosine", better="lower"),
        Column("clips", "clips"),
    )
    return Table(
        "clusters",
        f"Clusters by {label}",
        columns,
        rows,
        "On the t-SNE plane first, then between the embeddings themselves. The paper's ratios grow "
        "with better models, so presumably they are one minus intra/inter.",
    )

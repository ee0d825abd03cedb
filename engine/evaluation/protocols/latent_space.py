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
from engine.evaluation.hearing import Hearing
from engine.evaluation.results import Column, Context, Points, Result, Table
from engine.progress import Progress

NAME = "latent-space"
TITLE = "Latent space"
NUM_RUNS = 5
MAX_CLIPS = 2000
MIN_CLIPS = 8
Layout = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The clips of a map: their vectors (n, dim), labels and artists."""

    vectors: np.ndarray
    labels: np.ndarray
    artists: np.ndarray
    names: tuple[str, ...] = ()


def tsne(vectors: np.ndarray, seed: int) -> np.ndarray:
    """(n, dim) -> (n, 2) float64. Raises EvaluationError without scikit-learn."""
    try:
        from sklearn.manifold import TSNE
    except ModuleNotFoundError as error:
        raise EvaluationError(
            "The map needs scikit-learn. Install it: pip install 'singalike[evaluation]'"
        ) from error
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    model = TSNE(2, perplexity=perplexity, metric="cosine", init="random", random_state=seed)
    return np.asarray(model.fit_transform(vectors), dtype=np.float64)


def run(context: Context, layout: Layout = tsne) -> Result:
    """A map for every model and input. ``layout`` puts vectors on a plane, given a seed."""
    hearings = [h for h in context.heard.hearings if h.source != "accompaniment"]
    rows = []
    panels: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {}
    captions: dict[str, str] = {}
    names: dict[str, tuple[str, ...]] = {}
    for number, hearing in enumerate(hearings):
        context.progress(Progress(NAME, number, len(hearings), message=hearing.model))
        chosen = choose_clips(hearing, context)
        weights = context.weights(hearing)
        planes = []
        for run_number in range(NUM_RUNS):
            context.cancel.check()
            planes.append(layout(chosen.vectors, context.options.seed + run_number))
        silhouette, ratio = cluster_figures([_distances(p) for p in planes], chosen, weights)
        cosines = np.clip(1 - chosen.vectors @ chosen.vectors.T, 0, None)
        in_space, ratio_in_space = cluster_figures([cosines], chosen, weights)
        rows.append(
            (hearing.source, hearing.model, silhouette, ratio, in_space, ratio_in_space,
             len(chosen.labels))
        )  # fmt: skip
        panel = f"{hearing.source}: {hearing.model}"
        panels[panel] = (planes[0], tuple(chosen.labels))
        captions[panel] = f"silhouette {silhouette.value:.2f}"
        names[panel] = chosen.names
    label = context.options.label
    return Result(
        NAME,
        TITLE,
        (_table(label, tuple(rows)),),
        (
            Points(
                "t-sne",
                f"t-SNE of clips, by {label}",
                label,
                panels,
                captions,
                len({h.model for h in hearings}),
                names,
            ),
        ),
        (f"{NUM_RUNS} runs of t-SNE from random starts; the picture shows the first.",),
    )


def choose_clips(hearing: Hearing, context: Context) -> Chosen:
    """Clips with a label, at most 50 singers' (where they are the label) and MAX_CLIPS.

    Raises EvaluationError with too few clips, or fewer than two labels.
    """
    options = context.options
    labels = np.array([clip.label(options.label) for clip in hearing.clips], dtype=object)
    kept = np.flatnonzero(labels != "")
    rng = np.random.default_rng([options.seed, 6])
    names = np.unique(labels[kept].astype(str))
    if options.label == "singer" and len(names) > options.num_artists:
        names = rng.choice(names, options.num_artists, replace=False)
        kept = kept[np.isin(labels[kept].astype(str), names)]
    if len(kept) > MAX_CLIPS:
        kept = np.sort(rng.choice(kept, MAX_CLIPS, replace=False))
    if len(names) < 2 or len(kept) < MIN_CLIPS:
        raise EvaluationError(
            f"A map by {options.label!r} needs {MIN_CLIPS} clips and two different labels; there "
            f"are {len(kept)} clips with {len(names)}. Choose another column with --label."
        )
    vectors = hearing.best_vectors[kept]
    clips = [hearing.clips[i] for i in kept]
    return Chosen(
        vectors,
        labels[kept].astype(str),
        hearing.artists[kept],
        tuple(f"{clip.singer} – {clip.song}" for clip in clips),
    )


def cluster_figures(
    distances: list[np.ndarray], chosen: Chosen, weights: np.ndarray
) -> tuple[Estimate, Estimate]:
    """(silhouette, intra/inter ratio): mean per cluster, then over clusters, then over runs."""
    silhouettes = np.mean([metrics.silhouettes(d, chosen.labels) for d in distances], axis=0)
    member = (chosen.labels[:, None] == np.unique(chosen.labels)).astype(float)
    silhouette = estimate(
        float((silhouettes @ member / member.sum(0)).mean()),
        _cluster_means(silhouettes, member, weights[:, chosen.artists]),
    )
    ratios = [np.nanmean(metrics.intra_inter_ratios(d, chosen.labels)) for d in distances]
    replicates = np.mean([ratio_replicates(d, chosen, weights) for d in distances], axis=0)
    return silhouette, estimate(float(np.mean(ratios)), replicates)


def _cluster_means(values: np.ndarray, member: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean per cluster, then over the clusters that were drawn: (num_replicates,)."""
    with np.errstate(invalid="ignore"):
        means = (weights * values @ member) / (weights @ member)
    drawn = np.isfinite(means)
    return np.asarray(np.where(drawn, means, 0.0).sum(1) / drawn.sum(1))


def ratio_replicates(distances: np.ndarray, chosen: Chosen, weights: np.ndarray) -> np.ndarray:
    """Mean intra/inter ratio of the clusters under each drawing of artists: (num_replicates,).

    Pairs of clips count as often as their artists were drawn, as in ``metrics``: once per drawing
    for two clips of one artist, the product for clips of two.
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


def _table(label: str, rows: tuple[tuple[str | Estimate | int, ...], ...]) -> Table:
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

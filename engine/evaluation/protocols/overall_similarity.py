"""Does a similarity of whole songs embed_data the voice, the band, or both?

Triplets of stems (``engine.evaluation.crossed``): in which share of them the same voice in front
of another band, another voice in front of the same band, and both of these lie nearer to a song
than another voice in front of another band. Beside it, labels that say what a song is like, such
as its genre: whether the nearest songs have the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import Estimate, mean_estimate
from engine.evaluation.crossed import Stems, StemTriplet, stems
from engine.evaluation.embeddings import AS_PROGRAM, ModelEmbeddings
from engine.evaluation.evaluation_data import Clip
from engine.evaluation.protocols.agreement import nearest
from engine.evaluation.results import Bars, Column, Context, Result, Table
from engine.evaluation.similarity import retrieval
from engine.progress import CancelToken, Progress

NAME = "overall-similarity"
TITLE = "Overall similarity"
LABELS = ("genre", "album")
NUM_NEAREST = 10
# Shares of triplets in which both, the voice and the band lie nearer, and how many there are.
Nearer = tuple[Estimate, Estimate, Estimate, int]
# R@1 and R@10 of songs by their label, R@1 by chance, and how many songs ask.
Retrieval = tuple[Estimate, Estimate, float, int]


def run(context: Context) -> Result:
    """Every model, on mixtures. Raises EvaluationError when nothing could be measured."""
    all_embeddings = [h for h in context.embedded.all_embeddings if h.source == "mixture"]
    crossed = {h.model: h for h in context.crossed}
    nearer: dict[str, Nearer] = {}
    labels: dict[tuple[str, str], Retrieval] = {}
    for number, embeddings in enumerate(all_embeddings):
        context.cancel.check()
        context.progress(Progress(NAME, number, len(all_embeddings), message=embeddings.model))
        weights = context.weights(embeddings)
        if embeddings.model in crossed:
            heard = crossed[embeddings.model]
            if found := measure_triplets(embeddings, heard, context.triplets, weights):
                nearer[embeddings.model] = found
        for label in LABELS:
            if retrieved := retrieve_label(embeddings, label, weights):
                labels[label, embeddings.model] = retrieved
    if not nearer and not labels:
        raise EvaluationError(
            "Overall similarity needs mixtures, and either vocals and accompaniment as files of "
            "their own (three songs by others than the singer of a song, and another of theirs), "
            f"or a column {' or '.join(LABELS)} with a value that several songs share."
        )
    tables = (
        _triplet_table(nearer),
        _label_table(labels),
        _common_table(all_embeddings, context),
    )
    notes = () if nearer else ("No triplets: the data has no stems, or of too few singers.",)
    return Result(NAME, TITLE, tuple(t for t in tables if t.rows), _plots(nearer), notes)


def measure_triplets(
    embeddings: ModelEmbeddings,
    crossed: ModelEmbeddings,
    triplets: Sequence[StemTriplet],
    weights: np.ndarray,
) -> Nearer | None:
    """``crossed``: what the same model hears in the songs that the triplets ask for.

    Triplets of which a part was not heard, or is too short, are left out; None where all are.
    """
    places, crossed_places = _places(embeddings), _places(crossed)
    queries, means = [], []
    for triplet in triplets:
        wanted = {stems(clip) for one in triplet.crossed for clip in (one.vocals, one.band)}
        if not {stems(triplet.query), *wanted} <= places.keys():
            continue
        if not {one.stems for one in triplet.crossed} <= crossed_places.keys():
            continue
        parts = _parts(triplet, embeddings, places, crossed, crossed_places)
        if all(map(len, parts)):
            queries.append(places[stems(triplet.query)])
            means.append(np.stack([part.mean((0, 1)) for part in parts]))
    if not means:
        return None
    found = np.stack(means)
    placed = embeddings.placed(found.reshape(-1, found.shape[-1]), AS_PROGRAM)
    query, *others = placed.reshape(*found.shape[:2], -1).swapaxes(0, 1)
    voice, band, neither = ((query * other).sum(1) for other in others)
    shares = ((voice > neither) & (band > neither), voice > neither, band > neither)
    artists = embeddings.artists[queries]
    of_both, of_voice, of_band = (
        mean_estimate(share.astype(float), artists, weights) for share in shares
    )
    return of_both, of_voice, of_band, len(queries)


Places = dict[Stems | None, int]


def _places(embeddings: ModelEmbeddings) -> Places:
    """Where the clips that have stems are, by these."""
    return {stems(clip): place for place, clip in enumerate(embeddings.clips) if stems(clip)}


def _parts(
    triplet: StemTriplet,
    embeddings: ModelEmbeddings,
    places: Places,
    crossed: ModelEmbeddings,
    crossed_places: Places,
) -> list[np.ndarray]:
    """Excerpts of the query's first half, of same voice, same band (second half) and neither.

    Crossed songs count for as long as both of their stems last.
    """

    def num_segments(clip: Clip) -> int:
        return int(embeddings.num_segments[places[stems(clip)]])

    half = max(1, num_segments(triplet.query) // 2)
    parts = [embeddings.excerpts(places[stems(triplet.query)])[:half]]
    for one in triplet.crossed:
        first = half if one is triplet.same_band else 0
        last = min(num_segments(one.vocals), num_segments(one.band))
        parts.append(crossed.excerpts(crossed_places[one.stems])[first:last])
    return parts


def retrieve_label(
    embeddings: ModelEmbeddings, label: str, weights: np.ndarray
) -> Retrieval | None:
    """Whether songs of the same label are nearest; other songs of the artist count for albums only.

    An artist's songs are alike whatever their genre: for anything but albums they are left out.
    None where no song has another one to find.
    """
    labels = np.array([clip.label(label) for clip in embeddings.clips])
    scores = embeddings.best_vectors @ embeddings.best_vectors.T
    left_out = embeddings.songs[:, None] == embeddings.songs
    same = (labels[:, None] == labels) & (labels != "")
    if label == "album":
        same &= embeddings.artists[:, None] == embeddings.artists  # two albums of one name
    else:
        left_out = left_out | (embeddings.artists[:, None] == embeddings.artists)
    figures = np.full((len(labels), 3), np.nan)
    for i in np.flatnonzero(labels != ""):
        known = ~left_out[i] & (labels != "")
        positive, negative = scores[i][known & same[i]], scores[i][known & ~same[i]]
        _, hit_at_1, hit_at_10, _, chance = retrieval(positive, negative)
        figures[i] = hit_at_1, hit_at_10, chance
    if not (num := int(np.isfinite(figures[:, 0]).sum())):
        return None
    at_1, at_10 = (mean_estimate(figures[:, i], embeddings.artists, weights) for i in (0, 1))
    return at_1, at_10, float(np.nanmean(figures[:, 2])), num


def shares_in_common(
    one: ModelEmbeddings, other: ModelEmbeddings, cancel: CancelToken
) -> np.ndarray:
    """(num_clips,): of each song's nearest, how many both models name; NaN where there are none."""
    num = min(NUM_NEAREST, len(one.clips) - 1)
    pairs = zip(nearest(one, cancel, num), nearest(other, cancel, num), strict=True)
    shares = [
        len({*a.tolist()} & {*b.tolist()} - {-1}) / (a >= 0).sum() if (a >= 0).any() else math.nan
        for a, b in pairs
    ]
    return np.array(shares)


def _triplet_table(nearer: dict[str, Nearer]) -> Table:
    columns = (
        Column("model", "model"),
        Column("both", "both nearer", "%", "higher"),
        Column("voice", "same voice nearer", "%", "higher"),
        Column("band", "same band nearer", "%", "higher"),
        Column("triplets", "triplets"),
    )
    rows = tuple((model, *figures) for model, figures in nearer.items())
    note = (
        "Against the first half of a song: its singer in front of another band, another singer in "
        "front of its band (the other half of the song), and another singer in front of another "
        "band. Nearer: than the last of these. By chance 50 % each, 33 % both."
    )
    return Table("triplets", "Triplets of voice and band", columns, rows, note)


def _label_table(labels: dict[tuple[str, str], Retrieval]) -> Table:
    columns = (
        Column("label", "label"),
        Column("model", "model"),
        Column("r_at_1", "R@1", "%", "higher"),
        Column("r_at_10", "R@10", "%", "higher"),
        Column("chance", "R@1 by chance", "%"),
        Column("queries", "queries"),
    )
    rows = tuple((*key, *figures) for key, figures in labels.items())
    note = "Same genre: by other artists only. Same album: another song of it."
    return Table("labels", "Nearest songs of the same label", columns, rows, note)


def _common_table(all_embeddings: Sequence[ModelEmbeddings], context: Context) -> Table:
    rows = tuple(
        (
            one.model,
            other.model,
            mean_estimate(
                shares_in_common(one, other, context.cancel), one.artists, context.weights(one)
            ),
            len(one.clips),
        )
        for one, other in combinations(all_embeddings, 2)
        if len(one.clips) > 1
    )
    columns = (
        Column("one", "model"),
        Column("other", "other model"),
        Column("common", "in common", "%"),
        Column("queries", "queries"),
    )
    title = f"Of the nearest {NUM_NEAREST}, how many two models have in common"
    return Table("in-common", title, columns, rows)


def _plots(nearer: dict[str, Nearer]) -> tuple[Bars, ...]:
    if not nearer:
        return ()
    groups = ("both", "same voice", "same band")
    series = {model: figures[:3] for model, figures in nearer.items()}
    title = "Triplets: nearer than another voice in front of another band"
    return (
        # no line for chance: it is 33 % for both and 50 % for each
        Bars("triplets", title, "share of triplets (higher is better)", groups, series),
    )

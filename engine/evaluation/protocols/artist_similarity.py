"""Are two songs of one singer more alike than two songs of two singers?

Source: paper, section IV-B (artist similarity), and CVSM.md, "Evaluation, as published".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from engine.evaluation.bootstrap import Estimate
from engine.evaluation.crossing import CROSSINGS, Crossing, cross
from engine.evaluation.embeddings import AS_PROGRAM, Centring, ModelEmbeddings
from engine.evaluation.evaluation_data import INPUTS, Input
from engine.evaluation.results import Bars, Column, Context, Reasons, Result, Table
from engine.evaluation.similarity import DistinctSongs, Trials, distinct_songs, paper_trials
from engine.progress import Progress

NAME = "artist-similarity"
TITLE = "Artist similarity"
# Accompaniment alone should tell nothing: from this error rate down, it does.
LEAK_EER = 0.45
FEW_SINGERS = 5  # fewer, with two songs each, say little about others

_WHO = (Column("input", "input"), Column("model", "model"), Column("centring", "centring"))
_EER = Column("eer", "EER", "%", "lower")
_MNR = Column("mnr", "MNR", "%", "lower")
_RETRIEVAL = (
    Column("r_at_1", "R@1", "%", "higher"),
    Column("r_at_10", "R@10", "%", "higher"),
    Column("map", "mAP", "%", "higher"),
)


@dataclass
class Found:
    """Figures so far, and why some are lacking."""

    distinct: dict[tuple[ModelEmbeddings, Centring], DistinctSongs] = field(default_factory=dict)
    trials: dict[tuple[ModelEmbeddings, Centring], Trials] = field(default_factory=dict)
    leaks: dict[ModelEmbeddings, DistinctSongs] = field(default_factory=dict)
    crossings: dict[tuple[ModelEmbeddings, ModelEmbeddings], Crossing] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)


def run(context: Context) -> Result:
    """Both protocols for every model, input and centring, inputs asking for others, the leak check.

    Raises EvaluationError when nothing at all could be measured.
    """
    all_embeddings = context.embedded.all_embeddings
    found = Found()
    for number, embeddings in enumerate(all_embeddings):
        message = f"{embeddings.model}, {embeddings.source}"
        context.progress(Progress(NAME, number, len(all_embeddings), message=message))
        _measure(context, embeddings, found)
    _measure_crossings(context, found)
    if not found.distinct and not found.trials:
        raise found.reasons.error()
    leak_notes, warnings = _leak_findings(found.leaks)
    tables = (
        _distinct_table(found.distinct),
        _paper_table(found.trials),
        _crossing_table(found.crossings),
        _leak_table(found.leaks),
    )
    return Result(
        NAME,
        TITLE,
        tables=tuple(table for table in tables if table.rows),
        plots=_plots(found.distinct, found.trials),
        notes=(*_notes(context, found), *leak_notes),
        warnings=(*_few_singers(list(found.distinct)), *warnings),
    )


def _measure(context: Context, embeddings: ModelEmbeddings, found: Found) -> None:
    weights, options, cancel = context.weights(embeddings), context.options, context.cancel
    if embeddings.source == "accompaniment":
        with found.reasons.noting(embeddings.source):
            found.leaks[embeddings] = distinct_songs(
                embeddings, AS_PROGRAM, weights, options.seed, cancel
            )
        return
    for centring in embeddings.centrings:
        with found.reasons.noting(embeddings.source):
            found.distinct[embeddings, centring] = distinct_songs(
                embeddings, centring, weights, options.seed, cancel
            )
        with found.reasons.noting(embeddings.source):
            found.trials[embeddings, centring] = paper_trials(
                embeddings, centring, weights, options, cancel
            )


def _measure_crossings(context: Context, found: Found) -> None:
    options = context.options
    by_input = {(h.model, h.source): h for h in context.embedded.all_embeddings}
    for model in dict.fromkeys(h.model for h in context.embedded.all_embeddings):
        for asked, stored in CROSSINGS:
            pair = by_input.get((model, asked)), by_input.get((model, stored))
            if pair[0] is None or pair[1] is None:
                continue
            with found.reasons.noting(asked):
                found.crossings[pair[0], pair[1]] = cross(
                    pair[0], pair[1], options.num_replicates, options.seed, context.cancel
                )


def _few_singers(measured: list[tuple[ModelEmbeddings, Centring]]) -> tuple[str, ...]:
    """A warning where all figures are about very few: only singers of two songs are asked for."""
    if not measured:
        return ()
    embeddings = max((h for h, _ in measured), key=lambda h: len(h.clips))
    pairs = np.unique(np.stack([embeddings.artists, embeddings.songs]), axis=1)
    num = int((np.bincount(pairs[0]) > 1).sum())
    if num >= FEW_SINGERS:
        return ()
    who = "1 singer has" if num == 1 else f"{num} singers have"
    return (
        f"Only {who} two songs or more here, and all these figures are about their songs. With so "
        "few, also 100 % says little about other singers.",
    )


def _distinct_table(
    found: dict[tuple[ModelEmbeddings, Centring], DistinctSongs],
) -> Table:
    rows = tuple(
        (h.source, h.model, c, d.eer, d.mnr, d.r_at_1, d.r_at_10, d.mean_ap, len(h.clips))
        for (h, c), d in found.items()
    )
    columns = (*_WHO, _EER, _MNR, *_RETRIEVAL, Column("clips", "clips"))
    note = (
        "Centring: what is subtracted from a clip's mean before the cosine. raw: nothing; model: "
        "the model's own centre; data: the mean of these clips; library: the model's, then what "
        "all singers of these clips share, as in a library of them. The last looks at the singers' "
        "names as the program does at tags, and does best with few of them."
    )
    return Table("distinct-songs", "Distinct songs, all pairs pooled", columns, rows, note)


def _paper_table(found: dict[tuple[ModelEmbeddings, Centring], Trials]) -> Table:
    rows = tuple(
        (h.source, h.model, c, t.eer, t.mnr, t.num_artists, t.same_song)
        for (h, c), t in found.items()
    )
    columns = (
        *_WHO,
        _EER,
        _MNR,
        Column("artists", "artists a trial"),
        Column("same_song", "same song", "%"),
    )
    note = (
        "As in the published code, clips are plain means over excerpts with vocals, and both clips "
        "of an artist may be the same song (last column), which flatters: compare with the paper "
        "only."
    )
    return Table("paper", "The paper's trials", columns, rows, note)


def _crossing_table(
    found: dict[tuple[ModelEmbeddings, ModelEmbeddings], Crossing],
) -> Table:
    rows = tuple(
        (asked.source, stored.source, asked.model, c.eer, c.r_at_1, c.mean_ap)
        for (asked, stored), c in found.items()
    )
    columns = (
        Column("asks", "asks"),
        Column("for", "for"),
        Column("model", "model"),
        _EER,
        *(c for c in _RETRIEVAL if c.key != "r_at_10"),
    )
    note = (
        "Songs heard through one input ask for other songs heard through another, as the program "
        "compares (library): only where all lie in one space do they find their singers."
    )
    return Table("crossings", "One input asks for another", columns, rows, note)


def _leak_table(leaks: dict[ModelEmbeddings, DistinctSongs]) -> Table:
    rows = tuple(
        (h.model, d.eer, d.mnr, d.r_at_1, d.r_at_10, d.mean_ap, len(h.clips))
        for h, d in leaks.items()
    )
    figures = (replace(column, better="") for column in (_EER, _MNR, *_RETRIEVAL))
    columns = (Column("model", "model"), *figures, Column("clips", "clips"))
    return Table("leak-check", "Leak check: accompaniment alone", columns, rows)


def _leak_findings(
    leaks: dict[ModelEmbeddings, DistinctSongs],
) -> tuple[list[str], tuple[str, ...]]:
    if not leaks:
        return ["No leak check: the data has no accompaniment of its own to listen to."], ()
    warnings = tuple(
        f"Accompaniment alone tells singers apart: {embeddings.model} has an EER of "
        f"{100 * found.eer.value:.1f} % ({100 * found.eer.low:.1f} to {100 * found.eer.high:.1f}), "
        "where chance is 50 %. Figures for mixtures (and for separated vocals, which keep traces "
        "of the accompaniment) owe part of this to it, not to voices."
        for embeddings, found in leaks.items()
        if found.eer.value < LEAK_EER
    )
    notes = [] if warnings else ["Leak check passed: accompaniment alone is near chance."]
    return notes, warnings


def _notes(context: Context, found: Found) -> list[str]:
    all_embeddings = [h for h in context.embedded.all_embeddings if h.source != "accompaniment"]
    counts = {h.source: (h.num_artists, len(h.clips)) for h in all_embeddings}
    notes = [f"{s}: {c} clips by {a} singers." for s, (a, c) in counts.items()]
    smallest = min((t.num_artists for t in found.trials.values()), default=None)
    if smallest is not None and smallest < context.options.num_artists:
        notes.append(
            f"Trials hold {smallest} artists instead of {context.options.num_artists}: there are "
            "no more with two clips. Their figures are easier than the paper's."
        )
    if any(h.source == "mixture" and h.is_voiced is None for h in all_embeddings):
        notes.append(
            "mixture: the paper's trials take every segment that is not silent, since no vocals "
            "were heard beside it (input vocals or separated) that tell where somebody sings."
        )
    return [*notes, *found.reasons.notes]


def _plots(
    distinct: dict[tuple[ModelEmbeddings, Centring], DistinctSongs],
    trials: dict[tuple[ModelEmbeddings, Centring], Trials],
) -> tuple[Bars, ...]:
    """Bars for models as the program uses them; a kind of figure that was not measured has none."""
    best = {(h.source, h.model): d for (h, c), d in distinct.items() if c == AS_PROGRAM}
    paper = {(h.source, h.model): t for (h, c), t in trials.items() if c == AS_PROGRAM}
    chances = [d.chance_at_1 for d in best.values()]
    candidates = (
        ("eer", "Distinct songs: equal error rate", "EER (lower is better)", 0.5,
         {key: d.eer for key, d in best.items()}),
        ("r-at-1", "Distinct songs: nearest song has the same singer", "R@1 (higher is better)",
         sum(chances) / max(len(chances), 1), {key: d.r_at_1 for key, d in best.items()}),
        ("paper-eer", "The paper's trials: equal error rate", "EER (lower is better)", 0.5,
         {key: t.eer for key, t in paper.items()}),
    )  # fmt: skip
    return tuple(_bars(*candidate) for candidate in candidates if candidate[-1])


def _bars(
    name: str,
    title: str,
    value_label: str,
    chance: float,
    values: dict[tuple[Input, str], Estimate],
) -> Bars:
    sources = [source for source in INPUTS if any(s == source for s, _ in values)]
    models = list(dict.fromkeys(model for _, model in values))
    series = {m: tuple(values.get((s, m)) for s in sources) for m in models}
    return Bars(name, title, value_label, tuple(sources), series, chance)

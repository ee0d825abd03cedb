"""Which of two models recommends better? Ask people, blind.

Source: paper, section IV-D and figure 7. The first run makes the test (``triplets.py`` says what
lies where); every later run with the same folder merges the answers that have come in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation import metrics
from engine.evaluation.bootstrap import Estimate, mean_estimate, replicate_weights
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.evaluation_data import Clip, Input
from engine.evaluation.protocols.agreement import nearest
from engine.evaluation.results import Cell, Column, Context, HeatMaps, Options, Result, Table
from engine.evaluation.triplets import (
    QUESTIONS,
    Answer,
    ListeningTest,
    Question,
    Secret,
    Triplet,
    export_answers,
    read_answers,
    read_test,
    save_test,
)
from engine.paths import written_whole
from engine.progress import CancelToken, Progress
from engine.sound.audio import decode_all, probe
from engine.sound.loudness import measure

NAME = "listening-test"
TITLE = "Listening test"
FOLDER = "listening-test"
EXCERPT_S = 15.0
CONTROL_SHARE = 0.1
SAMPLE_RATE_HZ = 44_100
EXCERPT_LUFS = -23.0  # of EBU R 128: nearly all music can be brought to it without clipping
PEAK = 0.9  # MP3 overshoots a little


@dataclass(frozen=True, eq=False)
class _Drawn:
    """A triplet as clips, before it has sound and a name."""

    source: Input
    query: Clip
    candidates: tuple[Clip, Clip]
    models: tuple[str, str]

    @property
    def is_control(self) -> bool:
        return self.candidates[0] is self.candidates[1]


def run(context: Context) -> Result:
    """Make the test, or evaluate the answers to the one that is there."""
    folder = context.folder / FOLDER
    test = read_test(folder)
    notes = []
    if test is None:
        test = make_test(context, folder)
        if len(test.triplets) < context.options.num_triplets:
            notes.append(
                f"Of {context.options.num_triplets} triplets asked for, the data gives "
                f"{len(test.triplets)}: a query serves once, and models must differ on it."
            )
    elif {m for s in test.secrets for m in (s.model_a, s.model_b)} - context.embedded.models:
        notes.append(
            f"The test in {FOLDER} was made with other models and is kept: answers belong to it. "
            "For a new test, choose another folder for the report."
        )
    found = outcome(folder, test, context.options)
    return replace(found, notes=(*found.notes, *notes))


def outcome(folder: Path, test: ListeningTest, options: Options) -> Result:
    """What the answers that lie in a test's folder say by now; what to do while there are none.

    All answers, with what the key says of them, are put into ``answers.csv`` of that folder.
    """
    answers, notes = read_answers(folder, test)
    if not answers:
        return Result(NAME, TITLE, notes=(
            f"A test of {len(test.triplets)} triplets is ready: open {FOLDER}/listen.html, put the "
            f"answers that it saves into {FOLDER}/answers, and run this command again.",
            *notes,
        ))  # fmt: skip
    export_answers(folder, test, answers)
    tables, plots = score(test, answers, options)
    num_listeners = len({answer.listener for answer in answers})
    controls = _control_note(test, answers)
    who = "1 listener." if num_listeners == 1 else f"{num_listeners} listeners."
    return Result(NAME, TITLE, tables, plots, (who, *controls, *notes))


def make_test(context: Context, folder: Path) -> ListeningTest:
    """Draw triplets, cut their sound, write everything. Raises EvaluationError, OSError."""
    drawn = draw_triplets(context.embedded.all_embeddings, context.options, context.cancel)
    folder.mkdir(parents=True, exist_ok=True)
    triplets, secrets = [], []
    for number, item in enumerate(drawn):
        context.cancel.check()
        context.progress(Progress(NAME, number, len(drawn)))
        query, one, other = (
            _excerpt(folder, clip, item.source, context.options.seed)
            for clip in (item.query, *item.candidates)
        )
        name = f"t{number + 1:03d}"
        questions: tuple[Question, ...] = (
            ("vocals",) if item.source == "vocals" else ("overall", "vocals")
        )
        triplets.append(Triplet(name, query, one, other, questions))
        secrets.append(Secret(name, item.source, *item.models, item.query.singer, item.is_control))
    identity = hashlib.sha256(repr((triplets, secrets)).encode()).hexdigest()[:16]
    test = ListeningTest(identity, tuple(triplets), tuple(secrets))
    from engine.evaluation.listening_page import listening_page

    (folder / "listen.html").write_text(listening_page(test), encoding="utf-8")
    save_test(folder, test)
    return test


def draw_triplets(
    all_embeddings: tuple[ModelEmbeddings, ...], options: Options, cancel: CancelToken | None = None
) -> list[_Drawn]:
    """Random queries for every pair of models in turn, inputs in turn, candidates in random order.

    Queries for which both models recommend the same song are left out, but for a few controls.
    Raises EvaluationError with fewer than two models, or when models never differ.
    """
    rng = np.random.default_rng([options.seed, 7])
    sources = list(dict.fromkeys(h.source for h in all_embeddings if h.source != "accompaniment"))
    streams = [
        _pairs(h, rng, cancel or CancelToken())
        for h in ([h for h in all_embeddings if h.source == s] for s in sources)
    ]
    num_controls = round(CONTROL_SHARE * options.num_triplets)
    drawn: list[_Drawn] = []
    while streams and len(drawn) < options.num_triplets:
        for stream in list(streams):
            needed = options.num_triplets - len(drawn)
            num_same = sum(item.is_control for item in drawn)
            item = next((i for i in stream if not i.is_control or num_same < num_controls), None)
            if item is None or needed <= 0:
                streams.remove(stream)
            else:
                drawn.append(item)
    if not any(not item.is_control for item in drawn):
        raise EvaluationError(
            "A listening test needs two models that recommend different songs. Name more models, "
            "or take more data."
        )
    return drawn


def _pairs(
    all_embeddings: list[ModelEmbeddings], rng: np.random.Generator, cancel: CancelToken
) -> Iterator[_Drawn]:
    """Every query once, with pairs of models in turn."""
    pairs = list(combinations(all_embeddings, 2))
    if not pairs:
        return
    best = {h.model: nearest(h, cancel)[:, 0] for h in all_embeddings}
    order = [pairs[i] for i in rng.permutation(len(pairs))]
    for number, query in enumerate(rng.permutation(len(all_embeddings[0].clips))):
        pair = order[number % len(order)]
        one, other = (pair[i] for i in rng.permutation(2))
        found = best[one.model][query], best[other.model][query]
        if min(found) >= 0:
            clips = one.clips[found[0]], one.clips[found[1]]
            yield _Drawn(one.source, one.clips[query], clips, (one.model, other.model))


def _excerpt(folder: Path, clip: Clip, source: Input, seed: int) -> str:
    """Cut the middle of a clip to a file whose name tells nothing; its name below ``folder``.

    What models heard as separated vocals is played as the mixture it came from. All excerpts are
    equally loud: what is louder is liked better, whoever sings.
    """
    from engine.sound.encode import write_audio

    paths = clip.parts("mixture" if source == "separated" else source)
    key = repr((seed, [str(path) for path in paths])).encode()
    name = f"audio/{hashlib.blake2b(key, digest_size=8).hexdigest()}.mp3"
    if not (folder / name).exists():
        start_s = max(0.0, (probe(paths[0]).duration_s - EXCERPT_S) / 2)
        parts = [
            decode_all(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=2, start_s=start_s,
                       end_s=start_s + EXCERPT_S)
            for path in paths
        ]  # fmt: skip
        length = min(part.shape[1] for part in parts)
        sound = sum((part[:, :length] for part in parts), np.zeros((2, length), np.float32))
        loudness = measure(sound, SAMPLE_RATE_HZ)
        gain = min(loudness.gain_to(EXCERPT_LUFS), PEAK / max(loudness.peak, PEAK / 100))
        (folder / "audio").mkdir(exist_ok=True)
        with written_whole(folder / name, ".mp3") as draft:
            write_audio(draft, (sound * gain).astype(np.float32), SAMPLE_RATE_HZ)
    return name


def score(
    test: ListeningTest, answers: list[Answer], options: Options
) -> tuple[tuple[Table, ...], tuple[HeatMaps, ...]]:
    """Win rates per pair and over all, by input and question; controls are left out.

    A win rate is wins over wins and losses; ties are counted beside it.
    """
    secrets = {secret.id: secret for secret in test.secrets if not secret.is_control}
    singers = sorted({secret.singer for secret in secrets.values()})
    weights = replicate_weights(len(singers), options.num_replicates, options.seed)
    models = sorted({m for s in secrets.values() for m in (s.model_a, s.model_b)})
    overall: list[tuple[Cell, ...]] = []
    pairs: list[tuple[Cell, ...]] = []
    panels, notes = {}, {}
    heard = [(secrets[a.triplet], a) for a in answers if a.triplet in secrets]
    for source, question in sorted({(s.input, a.question) for s, a in heard}):
        chosen = [(s, a) for s, a in heard if (s.input, a.question) == (source, question)]
        rates = np.full((len(models), len(models)), np.nan)
        for i, j in np.ndindex(rates.shape):
            one, other = models[i], models[j]
            duels = [(s, a) for s, a in chosen if {s.model_a, s.model_b} == {one, other}]
            if i != j and duels:
                cells = _tally(duels, one, singers, weights)
                rates[i, j] = cells[0].value
                if i < j:
                    pairs.append((source, question, one, other, *cells))
        tallies = {
            m: _tally([(s, a) for s, a in chosen if m in (s.model_a, s.model_b)], m, singers,
                      weights)
            for m in models
        }  # fmt: skip
        overall += [(source, question, m, *cells) for m, cells in tallies.items()]
        panel = f"{source}: {question}"
        panels[panel] = tuple(tuple(row) for row in rates.tolist())
        notes[panel] = tuple(f"{m} ({t[1]}–{t[2]})" for m, t in tallies.items())
    who = (Column("input", "input"), Column("question", "question"), Column("model", "model"))
    figures = (
        Column("win_rate", "win rate", "%", "higher"),
        Column("wins", "wins"),
        Column("losses", "losses"),
        Column("ties", "ties"),
        Column("p", "p (two-sided)", "p"),
    )
    against = Column("other", "against")
    note = "Questions: " + " ".join(f"{key}: {text}" for key, text in QUESTIONS.items())
    return (
        Table("overall", "Win rate of each model", (*who, *figures), tuple(overall), note),
        # One row a pair: the other's rate is what is left, so none of them is "the best".
        Table("pairs", "Pair by pair",
              (*who, against, replace(figures[0], better=""), *figures[1:]), tuple(pairs)),
    ), (
        HeatMaps("win-rates", "Win rate of the row against the column, % (wins–losses)",
                 tuple(models), panels, notes, chance=0.5),
    )  # fmt: skip


def _tally(
    duels: list[tuple[Secret, Answer]], model: str, singers: list[str], weights: np.ndarray
) -> tuple[Estimate, int, int, int, float]:
    """(win rate, wins, losses, ties, p) of a model; the interval draws singers of queries again."""
    values, artists = [], []
    for secret, answer in duels:
        won = {"a": secret.model_a, "b": secret.model_b}.get(answer.choice)
        values.append(np.nan if won is None else float(won == model))
        artists.append(singers.index(secret.singer))
    wins, losses = values.count(1.0), values.count(0.0)
    rate = mean_estimate(np.array(values), np.array(artists, dtype=np.int64), weights)
    ties = len(values) - wins - losses
    return rate, wins, losses, ties, metrics.binomial_p(wins, losses)


def _control_note(test: ListeningTest, answers: list[Answer]) -> list[str]:
    controls = {secret.id for secret in test.secrets if secret.is_control}
    choices = [answer.choice for answer in answers if answer.triplet in controls]
    if not choices:
        return []
    return [f"Controls (the same song twice): {choices.count('tie')} of {len(choices)} answers say "
            "that both are alike."]  # fmt: skip

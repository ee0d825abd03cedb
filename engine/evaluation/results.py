"""What a protocol finds: tables and plots as plain data, for reports and for the window."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from engine.errors import EvaluationError
from engine.evaluation.bootstrap import NUM_REPLICATES, Estimate, replicate_weights
from engine.evaluation.crossed import StemTriplet
from engine.evaluation.embeddings import EmbeddedData, ModelEmbeddings
from engine.progress import CancelToken, Progress, ProgressCallback

Found = TypeVar("Found")
Cell = str | int | float | Estimate | None


@dataclass(frozen=True)
class Options:
    """Settings of the protocols; those of the paper unless said otherwise.

    Attributes:
        num_artists: in a trial of artist similarity, and in a repeat of artist identification.
        label: column that colours the latent space.
        gender_column: of the table.
        num_triplets: of a listening test.
    """

    seed: int = 0
    num_trials: int = 100
    num_artists: int = 50
    num_repeats: int = 5
    num_replicates: int = NUM_REPLICATES
    label: str = "singer"
    gender_column: str = "gender"
    num_triplets: int = 20


class Reasons:
    """Why a protocol could not be run on some inputs, while it goes on with the others."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, str], None] = {}

    @contextmanager
    def noting(self, source: str) -> Iterator[None]:
        """An EvaluationError inside ends the block only, and is noted."""
        try:
            yield
        except EvaluationError as error:
            self._texts[source, str(error)] = None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(f"{source}: {text}" for source, text in self._texts)

    def error(self) -> EvaluationError:
        """For a protocol that could be run on no input; what holds for all is said once."""
        texts = dict.fromkeys(text for _, text in self._texts)
        return EvaluationError(" ".join(texts) or "No clip has any of the inputs asked for.")


@dataclass(frozen=True)
class Context:
    """Everything that a protocol works on. It may put files of its own into ``folder``.

    For overall-similarity only: ``triplets``, and ``crossed``, what each model hears in the songs
    that they ask for.
    """

    embedded: EmbeddedData
    options: Options
    folder: Path
    progress: ProgressCallback
    cancel: CancelToken
    triplets: tuple[StemTriplet, ...] = ()
    crossed: tuple[ModelEmbeddings, ...] = ()

    def weights(self, embeddings: ModelEmbeddings) -> np.ndarray:
        """Bootstrap weights of the artists: (num_replicates, num_artists)."""
        options = self.options
        return replicate_weights(embeddings.num_artists, options.num_replicates, options.seed)

    def measure(
        self, name: str, one: Callable[[ModelEmbeddings], Found]
    ) -> tuple[dict[ModelEmbeddings, Found], tuple[str, ...]]:
        """What ``one`` finds of every model and input but accompaniment, and where it could not.

        Raises EvaluationError when it could nowhere.
        """
        heard = [h for h in self.embedded.all_embeddings if h.source != "accompaniment"]
        found: dict[ModelEmbeddings, Found] = {}
        reasons = Reasons()
        for number, embeddings in enumerate(heard):
            message = f"{embeddings.model}, {embeddings.source}"
            self.progress(Progress(name, number, len(heard), message=message))
            with reasons.noting(embeddings.source):
                found[embeddings] = one(embeddings)
        if not found:
            raise reasons.error()
        return found, reasons.notes


@dataclass(frozen=True)
class Column:
    """Of a table. Fractions with the unit % are printed times 100; p marks probabilities."""

    key: str
    title: str
    unit: Literal["", "%", "p"] = ""
    better: Literal["", "lower", "higher"] = ""


@dataclass(frozen=True)
class Table:
    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Bars:
    """A bar with its interval for each series in each group. ``chance`` is a dashed line."""

    name: str
    title: str
    value_label: str
    groups: tuple[str, ...]
    series: Mapping[str, tuple[Estimate | None, ...]]
    chance: float | None = None


@dataclass(frozen=True)
class Curves:
    """A line with its band for each series, over x; one panel for each input."""

    name: str
    title: str
    x_label: str
    value_label: str
    x: tuple[float, ...]
    panels: Mapping[str, Mapping[str, tuple[Estimate, ...]]]
    chance: float | None = None


@dataclass(frozen=True)
class HeatMaps:
    """Square matrices over the same names, one panel each; fractions, NaN for empty cells.

    ``chance`` is the middle between two colours; without it, there is one that deepens.
    """

    name: str
    title: str
    labels: tuple[str, ...]
    panels: Mapping[str, tuple[tuple[float, ...], ...]]
    row_notes: Mapping[str, tuple[str, ...]]
    chance: float | None = None


@dataclass(frozen=True, eq=False)
class Points:
    """Points (n, 2) on a plane with a label each, by its colour; panels fill a grid by rows.

    ``names`` says what each point of a panel is, for those who point at it.
    """

    name: str
    title: str
    label_title: str
    panels: Mapping[str, tuple[np.ndarray, tuple[str, ...]]]
    captions: Mapping[str, str]
    num_columns: int
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


Plot = Bars | Curves | HeatMaps | Points


@dataclass(frozen=True)
class Result:
    """Of one protocol. ``reason`` says why it could not run; None when it did."""

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Report:
    """What was run, on what, and what came out.

    Two runs with the same data, models, options and seed differ in ``created`` and ``command``
    only.
    """

    created: str
    command: str
    seed: int
    packages: Mapping[str, str]
    data: Mapping[str, Any]
    models: tuple[Mapping[str, Any], ...]
    inputs: tuple[str, ...]
    options: Mapping[str, Any]
    notes: tuple[str, ...]
    results: tuple[Result, ...]

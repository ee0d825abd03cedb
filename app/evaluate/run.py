"""What the page asks of the engine. Everything heavy is imported inside: these run as jobs."""

from __future__ import annotations

import shlex
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import EvaluationError
from engine.networks.preload import import_heavy_libraries
from engine.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    from engine.evaluation.evaluation_data import EvaluationData

UNFINISHED = ".unfinished-"
STALE_S = 24 * 3600.0
MERT_BYTES = 380_000_000


@dataclass(frozen=True)
class ModelChoice:
    """A model that can be measured. ``obstacle`` says what is missing before it can be."""

    name: str
    title: str
    description: str
    licence: str
    size_bytes: int
    is_default: bool = False
    obstacle: str = ""


@dataclass(frozen=True)
class DataFacts:
    """What there is to evaluate on.

    Attributes:
        songs_by: number of songs of each singer.
        columns: labels that clips have, with the number of different ones.
    """

    path: Path
    name: str
    num_clips: int
    songs_by: Mapping[str, int]
    inputs: tuple[str, ...]
    columns: Mapping[str, int]
    notes: tuple[str, ...] = ()

    @property
    def num_songs(self) -> int:
        return sum(self.songs_by.values())

    def num_singers(self, min_songs: int = 1) -> int:
        """Singers with so many songs at least."""
        return sum(num >= min_songs for num in self.songs_by.values())


@dataclass(frozen=True)
class Request:
    """Everything that a run needs to know."""

    protocols: tuple[str, ...]
    models: tuple[str, ...]
    data: Path
    inputs: tuple[str, ...]
    seed: int = 0
    num_trials: int = 100
    num_artists: int = 50
    num_repeats: int = 5
    num_triplets: int = 20
    label: str = "singer"
    gender_column: str = "gender"
    clip_s: float | None = 30.0
    max_singers: int = 100
    max_songs: int = 10
    separator: str = "spleeter"
    has_consent: bool = field(default=False, compare=False)  # weights may be downloaded

    def command(self, out: Path) -> str:
        """The same on the command line, which has no limit to singers and songs."""
        words = ["singalike", "evaluate", ",".join(self.protocols)]
        words += ["--models", ",".join(self.models), "--data", str(self.data), "--out", str(out)]
        words += ["--input", ",".join(self.inputs), "--seed", str(self.seed)]
        words += ["--trials", str(self.num_trials), "--artists", str(self.num_artists)]
        words += ["--repeats", str(self.num_repeats), "--triplets", str(self.num_triplets)]
        words += ["--label", self.label, "--gender-column", self.gender_column]
        words += ["--separator", self.separator]
        if self.clip_s is not None:
            words += ["--clip-s", f"{self.clip_s:g}"]
        return shlex.join(words)


def find_models() -> list[ModelChoice]:
    """All that can be named, voice models first. Opens no weights."""
    from engine import models
    from engine.evaluation.embedders import BUILT_IN, available

    voice = models.available()
    defaults = {info.name for info in voice if info.views}
    found = [
        ModelChoice(
            info.name,
            info.title,
            info.description,
            info.licence,
            info.size_bytes,
            info.name in defaults,
        )
        for info in sorted(voice, key=lambda info: info.name not in defaults)
    ]
    known = {choice.name for choice in found}
    for name in available():
        if name not in known:
            known.add(name)
            found.append(_other_model(name, name in BUILT_IN))
    return found


def _other_model(name: str, is_built_in: bool) -> ModelChoice:
    if name == "mfcc":
        text = "Timbre in forty numbers, learned from nothing: what every model must beat."
        return ModelChoice(name, "MFCC statistics", text, "MIT", 0)
    if name == "mert":
        text = "A general music encoder that knows nothing of voices in particular."
        licence = "CC BY-NC 4.0: not for commercial use (fetched when first used)"
        obstacle = (
            ""
            if find_spec("transformers") is not None
            else "Needs one more package: pip install 'singalike[mert]'"
        )
        return ModelChoice(name, "MERT v0 public", text, licence, MERT_BYTES, obstacle=obstacle)
    text = "Comes with the program." if is_built_in else "A plug-in of another package."
    return ModelChoice(name, name, text, "", 0)


def find_separators() -> tuple[list[str], str]:
    """Names of those that are installed, and the one in use for the library."""
    from engine import separation

    names = [info.name for info in separation.available() if info.is_installed]
    return names, separation.default_name()


def look_at(path: Path) -> DataFacts:
    """What a library or a table offers. Raises EvaluationError, LibraryError."""
    from engine.evaluation.evaluation_data import read_data
    from engine.evaluation.run import default_inputs

    dataset = read_data(path)
    songs = {(clip.singer, clip.song) for clip in dataset.clips}
    labels: dict[str, set[str]] = {}
    for clip in dataset.clips:
        for column, value in (*clip.labels.items(), ("album", clip.album)):
            if value:
                labels.setdefault(column, set()).add(value)
    return DataFacts(
        path,
        dataset.name,
        len(dataset.clips),
        Counter(singer for singer, _ in songs),
        default_inputs(dataset),
        {column: len(values) for column, values in labels.items()},
        dataset.notes,
    )


def run(request: Request, root: Path, progress: ProgressCallback, cancel: CancelToken) -> Path:
    """Evaluate, and return the new report's folder below ``root``. Nothing else stays behind.

    Raises EvaluationError, CheckpointError, SeparatorError, LibraryError, CancelledError.
    """
    progress(Progress("load"))
    import_heavy_libraries()
    from engine.evaluation.report import write
    from engine.evaluation.results import Options
    from engine.evaluation.run import check_inputs, evaluate, load_models

    dataset = _data(request)
    cancel.check()
    models = load_models(request.models, allow_download=request.has_consent)
    cancel.check()
    folder = _new_folder(root)
    partial = root / f"{UNFINISHED}{folder.name}"
    try:
        partial.mkdir(parents=True)
        report = evaluate(
            request.protocols,
            models,
            dataset,
            check_inputs(request.inputs),
            Options(
                seed=request.seed,
                num_trials=request.num_trials,
                num_artists=request.num_artists,
                num_repeats=request.num_repeats,
                label=request.label,
                gender_column=request.gender_column,
                num_triplets=request.num_triplets,
            ),
            folder=partial,
            separator=request.separator,
            clip_s=request.clip_s,
            command=request.command(folder),
            progress=progress,
            cancel=cancel,
        )
        progress(Progress("write"))
        write(report, partial, cancel)
        cancel.check()
        partial.rename(folder)
    except OSError as error:
        raise EvaluationError(
            f"The report cannot be written into {root}: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _data(request: Request) -> EvaluationData:
    from engine.evaluation.evaluation_data import read_data, thinned

    return thinned(read_data(request.data), request.max_singers, request.max_songs, request.seed)


def _new_folder(root: Path) -> Path:
    """A name that is not taken yet. What earlier runs left when they were killed goes away."""
    for left in root.glob(f"{UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > STALE_S:
            shutil.rmtree(left, ignore_errors=True)
    name = f"{datetime.now():%Y-%m-%d %H.%M.%S}"
    number, folder = 1, root / name
    while folder.exists():
        number += 1
        folder = root / f"{name} ({number})"
    return folder

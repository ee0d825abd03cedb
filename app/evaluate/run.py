"""What the page asks of the engine. Everything heavy is imported inside: these run as jobs."""

from __future__ import annotations

import shlex
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from engine.errors import EvaluationError
from engine.networks.preload import import_heavy_libraries
from engine.progress import CancelToken, Progress, ProgressCallback

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
        words += ["--input", ",".join(self.inputs)]
        for name in ("seed", "label", "gender_column", "separator", "clip_s"):
            if getattr(self, name) is not None:
                words += [f"--{name.replace('_', '-')}", str(getattr(self, name))]
        for name in ("trials", "artists", "repeats", "triplets"):
            words += [f"--{name}", str(getattr(self, f"num_{name}"))]
        return shlex.join(words)


def find_models() -> list[ModelChoice]:
    """All that can be named, voice models first. Opens no weights."""
    from engine import models
    from engine.evaluation.embedders import available

    voice = sorted(models.available(), key=lambda info: not info.views)
    found = {
        info.name: ModelChoice(
            info.name,
            info.title,
            info.description,
            info.licence,
            info.size_bytes,
            is_default=bool(info.views),
        )
        for info in voice
    }
    others = [_other_model(name) for name in available() if name not in found]
    return [*found.values(), *others]


def _other_model(name: str) -> ModelChoice:
    if name == "mfcc":
        text = "Timbre in forty numbers, learned from nothing: what every model must beat."
        return ModelChoice(name, "MFCC statistics", text, "MIT", 0)
    if name == "mert":
        text = "A general music encoder that knows nothing of voices in particular."
        licence = "CC BY-NC 4.0: not for commercial use (fetched when first used)"
        needs = "Needs one more package: pip install 'singalike[mert]'"
        obstacle = "" if find_spec("transformers") is not None else needs
        return ModelChoice(name, "MERT v0 public", text, licence, MERT_BYTES, obstacle=obstacle)
    return ModelChoice(name, name, "A plug-in of another package.", "", 0)


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
    from engine.evaluation.evaluation_data import read_data, thinned
    from engine.evaluation.report import write
    from engine.evaluation.results import Options
    from engine.evaluation.run import check_inputs, evaluate, load_models

    data = read_data(request.data)
    data = thinned(data, request.max_singers, request.max_songs, request.seed)
    cancel.check()
    models = load_models(request.models, allow_download=request.has_consent)
    known = {f.name for f in fields(Options)}
    folder = free_path(root / f"{datetime.now():%Y-%m-%d %H-%M-%S}")
    partial = root / f"{UNFINISHED}{folder.name}"
    try:
        _remove_stale(root)
        partial.mkdir(parents=True)
        report = evaluate(
            request.protocols,
            models,
            data,
            check_inputs(request.inputs),
            Options(**{name: v for name, v in vars(request).items() if name in known}),
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


def _remove_stale(root: Path) -> None:
    """What earlier runs left when they were killed."""
    for left in root.glob(f"{UNFINISHED}*"):
        if time.time() - left.stat().st_mtime > STALE_S:
            shutil.rmtree(left, ignore_errors=True)


def free_path(path: Path) -> Path:
    """The path, with a number where there is such a file or folder already."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free

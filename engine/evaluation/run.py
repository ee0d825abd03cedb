"""One function for three callers (window, command line, training): models + data -> report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path

from engine import __version__, separation
from engine.errors import CancelledError, EvaluationError, SingalikeError
from engine.evaluation.clip_sound import Listening
from engine.evaluation.crossed import StemTriplet, crossed_clips, plan_triplets
from engine.evaluation.embedders import Embedder, load
from engine.evaluation.embeddings import ModelEmbeddings, embed_data
from engine.evaluation.evaluation_data import INPUTS, EvaluationData, Input
from engine.evaluation.protocols import PROTOCOLS, protocol
from engine.evaluation.results import Context, Options, Report, Result
from engine.paths import cache_path
from engine.progress import CancelToken, ProgressCallback, ignore_progress, with_eta

PACKAGES = ("numpy", "scipy", "torch", "openTSNE", "av", "matplotlib", "transformers")


def load_models(names: Sequence[str], *, allow_download: bool = False) -> dict[str, Embedder]:
    """Models by name or checkpoint folder. Raises EvaluationError, CheckpointError."""
    models: dict[str, Embedder] = {}
    for name in names:
        embedder = load(name, allow_download=allow_download)
        label, number = embedder.name, 2
        while label in models:
            label, number = f"{embedder.name} ({number})", number + 1
        models[label] = embedder
    return models


def default_inputs(dataset: EvaluationData) -> tuple[Input, ...]:
    """Every input that some clip of the data set has."""
    return tuple(s for s in INPUTS if any(clip.parts(s) for clip in dataset.clips))


def evaluate(
    protocols: Sequence[str],
    models: Mapping[str, Embedder],
    dataset: EvaluationData,
    inputs: Sequence[Input] = (),
    options: Options | None = None,
    *,
    folder: Path,
    separator: str = separation.DEFAULT,
    clip_s: float | None = None,
    cache_folder: Path | None = None,
    num_workers: int = 0,
    command: str = "",
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> Report:
    """Run protocols on what models hear in a data set.

    Args:
        protocols: of ``PROTOCOLS``. One that cannot run says why in its result; the others go on.
        inputs: what models are given to hear; none: every input that the data has.
        folder: where protocols put files of their own (a listening test its sound).
        clip_s: listen only to so much of each clip, from its middle.
        cache_folder: of embeddings; by default in the user's cache.
        command: recorded in the report.

    Raises:
        EvaluationError: no model, or nothing could be heard at all.
        SeparatorError, CancelledError, OSError.
    """
    if not models:
        raise EvaluationError("Name at least one model: --models ge2e, for example.")
    options, cancel = options or Options(), cancel or CancelToken()
    progress = with_eta(progress)
    sources = list(inputs or default_inputs(dataset))
    if "artist-similarity" in protocols:
        sources += [s for s in ("accompaniment",) if any(c.parts(s) for c in dataset.clips)]
    listening = Listening(
        separation.load(separator) if "separated" in sources else None,
        clip_s,
    )
    listen = partial(
        embed_data,
        embedders=models,
        listening=listening,
        cache_folder=cache_folder or cache_path() / "evaluation",
        num_workers=num_workers,
        progress=progress,
        cancel=cancel,
    )
    embedded = listen(dataset, sources=sources)
    triplets: tuple[StemTriplet, ...] = ()
    crossed: tuple[ModelEmbeddings, ...] = ()
    if "overall-similarity" in protocols and "mixture" in sources:
        triplets = plan_triplets(dataset.clips, options.seed)
    if triplets:
        songs = EvaluationData(dataset.name, crossed_clips(triplets))
        crossed = listen(songs, sources=["mixture"]).all_embeddings
    context = Context(embedded, options, folder, progress, cancel, triplets, crossed)
    results = tuple(_run(name, context) for name in protocols)
    return Report(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        seed=options.seed,
        packages=_versions(),
        data={
            "name": dataset.name,
            "table_sha256": dataset.sha256,
            "content_sha256": embedded.content_sha256,
            "clips": len(dataset.clips),
            "singers": len({clip.singer for clip in dataset.clips}),
            "songs": len({(clip.singer, clip.song) for clip in dataset.clips}),
        },
        models=tuple(
            {"name": label, "sha256": m.sha256, "dim": m.dim, "excerpt_samples": m.excerpt_samples}
            for label, m in models.items()
        ),
        inputs=tuple(sources),
        options={**asdict(options), "clip_s": clip_s, "separator": separator},
        notes=(*dataset.notes, *embedded.notes),
        results=results,
    )


def _run(name: str, context: Context) -> Result:
    title, run = protocol(name)
    try:
        return run(context)
    except CancelledError:
        raise
    except SingalikeError as error:
        return Result(name, title, reason=str(error))


def _versions() -> dict[str, str]:
    versions = {"singalike": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def check_inputs(names: Sequence[str]) -> list[Input]:
    """Raises EvaluationError for one that is not known."""
    _check("input", names, INPUTS)
    return [source for source in INPUTS if source in names]


def check_protocols(names: Sequence[str]) -> list[str]:
    """``all`` and names -> names. Raises EvaluationError for one that is not known."""
    _check("protocol", names, (*PROTOCOLS, "all"))
    return list(PROTOCOLS) if "all" in names else list(dict.fromkeys(names))


def _check(what: str, names: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in known]:
        raise EvaluationError(
            f"There is no {what} {', '.join(unknown)}. Known are {', '.join(known)}."
        )

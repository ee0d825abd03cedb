"""Commands that change what the library holds, or listen: index, retry, forget, embed, demo."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from engine.cli.common import (
    JsonOption,
    LibraryOption,
    ModelOption,
    View,
    Voices,
    VoicesOption,
    clock,
    note,
    open_library,
    printable,
    some,
    stoppable,
    voices_or_chosen,
    write_json,
)
from engine.cli.progress import shown_progress
from engine.errors import CancelledError, SingalikeError

if TYPE_CHECKING:
    import numpy as np

    from engine.indexing.pipeline import IndexOptions, IndexSummary
    from engine.library import Library
    from engine.records import TrackEmbedding

SeparatorOption = Annotated[
    str | None,
    typer.Option("--separator", help="Cuts out the vocals. Default: the one chosen in the window."),
]
WorkersOption = Annotated[
    int, typer.Option("--workers", min=0, help="Songs at a time. Default: one per core.")
]


def index(
    folders: Annotated[
        list[Path] | None,
        # readable: one folder that may not be read must not keep the others from being heard
        typer.Argument(help="Default: all folders of the library.", readable=False),
    ] = None,
    library: LibraryOption = None,
    model: ModelOption = None,
    separator: SeparatorOption = None,
    voices: VoicesOption = None,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Listen to the music in folders, so that it can be searched.

    A second run listens only to what is new or changed. Can be stopped at any time.
    """
    with open_library(library, create=True) as opened:
        if not folders and not opened.folders():
            raise typer.BadParameter("Name a folder of music: the library has none yet.")
        _index(opened, folders or [], _options(model, separator, voices, workers), as_json)


def retry(
    library: LibraryOption = None,
    model: ModelOption = None,
    separator: SeparatorOption = None,
    voices: VoicesOption = None,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Listen again to the files that failed."""
    from dataclasses import replace

    from engine.library import TrackStatus

    with open_library(library) as opened:
        failed = frozenset(opened.track_ids(status=TrackStatus.FAILED))
        note(f"Trying {some(opened.clear_failure(), 'file')} again.")
        options = replace(_options(model, separator, voices, workers), only=failed)
        _index(opened, [], options, as_json)


def forget(
    folder: Annotated[Path, typer.Argument(help="A folder of the library.", readable=False)],
    library: LibraryOption = None,
) -> None:
    """Take a folder out of the library. Its files are not touched."""
    with open_library(library) as opened:
        num_tracks = opened.forget_folder(folder)
    place = printable(str(folder))
    note(f"Forgotten: {some(num_tracks)} of {place}. The files are where they were.")


def _options(
    model: str | None, separator: str | None, voices: Voices | None, workers: int
) -> IndexOptions:
    from engine.indexing.pipeline import IndexOptions
    from engine.separation import default_name

    models = {"vocals": model, "overall": model} if model else {}
    separator = separator or default_name()
    return IndexOptions(
        models=models,  # type: ignore[arg-type]
        separator=separator,
        voices=voices_or_chosen(voices),
        num_workers=workers,
    )


def _index(library: Library, folders: list[Path], options: IndexOptions, as_json: bool) -> None:
    from engine.indexing.pipeline import index_folders

    with stoppable() as cancel, shown_progress() as progress:
        summary = index_folders(library, folders, options, progress, cancel)
    if as_json:
        written = asdict(summary)
        del written["skipped"]
        write_json(written)
    _tell(summary)
    if summary.failed or summary.skipped:
        raise typer.Exit(3 if summary.found else 1)


def _tell(summary: IndexSummary) -> None:
    for sentence in summary.skipped:
        note(printable(sentence))
    speed = summary.audio_seconds / summary.seconds if summary.seconds else 0
    note(
        f"{some(summary.found)} found: {summary.indexed} heard now ({clock(summary.audio_seconds)} "
        f"of audio, {speed:.0f} × real time), {summary.unchanged} known before, {summary.moved} "
        f"moved, {summary.no_vocals} without vocals, {summary.failed} failed."
    )
    if summary.failed:
        note("`singalike failed` tells why, `singalike retry` listens to them again.")
    if not summary.found and not summary.skipped:
        note("There is no music in there. Name a folder that holds audio files.")


def embed(
    files: Annotated[list[Path], typer.Argument(readable=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="An .npz file.")],
    model: ModelOption = None,
    view: Annotated[View, typer.Option(help="What to listen to.")] = "vocals",
    input_kind: Annotated[
        Literal["mixture", "vocals"],
        typer.Option("--input", help="vocals: already isolated; nothing is separated."),
    ] = "mixture",
    separator: SeparatorOption = None,
    voices: VoicesOption = None,
) -> None:
    """Write embeddings of files: arrays ``paths`` and ``embeddings`` (num_files, dim) float32.

    Embeddings have unit length, so their dot product is the similarity. A file that cannot be
    embedded is named on stderr and left out.
    """
    import numpy as np

    if os.path.isdir(out) or not os.access(out.parent, os.W_OK):  # noqa: PTH112, raises nothing
        # told now, not after hours of listening
        raise SingalikeError(f"{out} cannot be written. Name a file in a folder of yours.")

    from engine import models, separation
    from engine.listening.embedding import check_hears_songs, check_serves, embed_file

    ear = models.load(model or models.default_model_name(view))
    check_serves(ear, view)
    is_song = view == "vocals" and input_kind == "mixture"
    how: Voices = voices_or_chosen(voices) if is_song else "fine"
    if how == "fast":
        check_hears_songs(ear)
    is_cut = is_song and how == "fine"
    cutter = separation.load(separator or separation.default_name()) if is_cut else None
    heard = _heard(files, partial(embed_file, model=ear, view=view, separator=cutter, voices=how))
    rows = [vector for _, vector in heard]
    embeddings = np.stack(rows) if rows else np.zeros((0, ear.vector_dim), np.float32)
    try:
        with out.open("wb") as file:
            paths = np.array([str(path) for path, _ in heard], dtype=str)
            np.savez(file, paths=paths, embeddings=embeddings)
    except OSError as error:
        raise SingalikeError(f"{out} cannot be written: {error.strerror}.") from error
    note(f"{len(heard)} of {len(files)} files embedded by {ear.name}, {ear.vector_dim} dimensions.")
    if len(heard) < len(files):
        raise typer.Exit(3 if heard else 1)


def _heard(
    files: list[Path], hear: Callable[..., TrackEmbedding | None]
) -> list[tuple[Path, np.ndarray]]:
    """Embeddings (dim,) of those files that can be heard, in their order; others are told."""
    from engine.progress import Progress

    heard = []
    with stoppable() as cancel, shown_progress() as progress:
        for done, path in enumerate(files):
            progress(Progress("embed", done, len(files), message=path.name))
            try:
                found = hear(path, cancel=cancel)
            except CancelledError:
                raise
            except SingalikeError as error:
                note(f"{printable(str(path))}: {error}")
                continue
            if found is None:
                note(f"{printable(str(path))}: Nobody sings in it, as far as can be heard.")
                continue
            heard.append((path, found.vector))
    return heard


def demo(
    folder: Annotated[Path, typer.Argument(help="Made where it does not exist.")],
    has_stems: Annotated[
        bool,
        typer.Option("--stems", help="Stems and a table for singalike evaluate, instead of songs."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a small music library by singers who do not exist, to try the program with."""
    from engine.demo import make_demo_library, make_demo_stems

    try:
        with stoppable() as cancel, shown_progress() as progress:
            if has_stems:
                paths = [make_demo_stems(folder, progress, cancel)]
            else:
                paths = make_demo_library(folder, progress, cancel)
    except OSError as error:
        raise SingalikeError(f"{folder} cannot be written: {error.strerror}.") from error
    if as_json:
        write_json([str(path) for path in paths])
    if has_stems:
        note(f"Stems and their table are in {folder}. Next: singalike evaluate all "
             f"--models ge2e,mfcc --data {paths[0]} --out report")  # fmt: skip
    else:
        note(f"{len(paths)} songs are in {folder}. Next: singalike index {folder}")

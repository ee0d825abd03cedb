"""The pipeline: scan, then listen to what is new in two passes, then bring the indexes up to date.

The first pass hears whole songs, for their sound and for their voice: it needs no separation, so a
library can be searched by both within minutes. The second pass separates the vocals, and what is
heard in them replaces the voice that was heard through the song. Each track is decoded, separated
and embedded by one worker thread on one core: cores never wait for each other inside a track, and
stages of different tracks overlap by themselves. Memory is bounded by the number of workers,
whatever the length of the files. What is finished of a track is kept at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from engine import models, separation
from engine.errors import CheckpointError
from engine.indexing.passes import Ear, Pass
from engine.library import Library, ScanSummary
from engine.library.counts import tally
from engine.library.filenames import resolved
from engine.library.kept.songs import relink
from engine.library.scan.scan import scan
from engine.listening.embedding import check_hears_songs, check_serves, embed_song, embed_voice
from engine.models.model import Model
from engine.preferences import Voices, read_choices
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import LISTENING_VERSION, SpaceKey, TrackEmbedding, View
from engine.search.index import centre
from engine.search.index.graph import refresh


@dataclass(frozen=True)
class IndexOptions:
    """How to index.

    Attributes:
        models: which model listens to which view; a view that is not named gets its default.
        separator: cuts out the vocals for the view ``vocals``.
        views: what to listen for.
        voices: ``fast`` leaves them as they are heard through whole songs; ``fine`` separates them.
        only: ids of the tracks to listen to; None: all that wait.
        num_workers: tracks listened to at the same time; 0: one per core, and one more where
            nothing is separated, since a third of the time then goes by in decoders.
    """

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = field(default_factory=separation.default_name)
    views: tuple[View, ...] = ("overall", "vocals")
    voices: Voices = field(default_factory=lambda: read_choices().voices)
    only: frozenset[int] | None = None
    num_workers: int = 0


@dataclass(frozen=True)
class IndexSummary:
    """What became of the files of a run.

    Attributes:
        found: audio files that are there = indexed + unchanged + failed.
        indexed: listened to in this run, in at least one view.
        moved: found in another place than before; what was heard in them is kept.
        no_vocals: of all found, those in which nobody sings.
        failed: of all found, those that cannot be listened to (``Library.track(...).error``).
        seconds: of this run. audio_seconds: length of the indexed tracks, together.
        skipped: folders and files that could not be looked at, a sentence each.
    """

    found: int
    indexed: int
    unchanged: int
    moved: int
    no_vocals: int
    failed: int
    seconds: float
    audio_seconds: float
    skipped: tuple[str, ...] = ()


def index_folders(
    library: Library,
    folders: Sequence[Path] = (),
    options: IndexOptions | None = None,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> IndexSummary:
    """Bring a library up to date with some folders (none: all that it has).

    Can be stopped at any moment, even by force, and run again: what was finished is kept.

    Raises:
        LibraryLockedError: another process is indexing. LibraryError: the library cannot be
        written. CheckpointError, SeparatorError: before anything is listened to. CancelledError.
    """
    options = options or IndexOptions()
    cancel = cancel or CancelToken()
    started = time.monotonic()
    heard: dict[int, float] = {}
    with library.lease() as lease:
        load_model = cache(models.load)
        ears = [_ear(library, view, options, load_model) for view in options.views]
        scanned = scan(library, folders, progress, cancel)
        passes = []
        for make_pass in (_whole_songs, _separated_voices):
            one = make_pass(library, ears, options)
            found = one.run(lease, progress, cancel)
            if found and not one.is_final:  # the second pass may take days
                _refresh_indexes(library, ears, progress)
            passes.append(one)
            heard |= found
        _refresh_indexes(library, ears, progress)
        relink(library.database)  # now that the sounds are known
    summary = _summary(library, folders, scanned, heard, time.monotonic() - started)
    if num_gone := sum(one.num_gone for one in passes):
        gone = f"Gone during the run: {num_gone} files. Index again once they are back."
        summary = replace(summary, skipped=(*summary.skipped, gone))
    return summary


def _refresh_indexes(library: Library, ears: Sequence[Ear], progress: ProgressCallback) -> None:
    for ear in ears:
        progress(Progress("index", message=ear.view))
        refresh(library, ear.space_id)
        centre.refresh(library, ear.space_id)


def _ear(
    library: Library, view: View, options: IndexOptions, load_model: Callable[[str], Model]
) -> Ear:
    """Loads nothing where the library knows the space: mostly there is nothing new to hear."""
    model_name = options.models.get(view) or models.default_model_name(view)
    separator_name = options.separator if view == "vocals" else None
    separator = cache(lambda: separation.load(options.separator))

    def model() -> Model:
        return load_model(model_name)

    with suppress(CheckpointError):  # which loading tells better
        manifest = models.manifest_of(model_name)
        wanted = (manifest.name, manifest.identity, view, separator_name, LISTENING_VERSION)
        for space_id, key in library.spaces():
            if wanted == (key.model, key.model_sha256, key.view, key.separator, key.listening):
                return Ear(view, space_id, model, separator)
    check_serves(model(), view)
    heard_through = separator().name if view == "vocals" else None
    key = SpaceKey(model().name, model().sha256, view, heard_through, model().vector_dim)
    return Ear(view, library.space_id(key), model, separator)


def _whole_songs(library: Library, ears: Sequence[Ear], options: IndexOptions) -> Pass:
    """The first pass: what needs no separation, of all views at once."""
    waiting: dict[int, list[Ear]] = {}
    for ear in ears:
        pending = _wanted(library.pending(ear.space_id), options)
        for track_id in pending if pending and _hears_songs(ear, options) else ():
            waiting.setdefault(track_id, []).append(ear)

    def hear(path: Path, ears: Sequence[Ear], **tools: Any) -> Mapping[View, TrackEmbedding | None]:
        return embed_song(path, {ear.view: ear.model() for ear in ears}, **tools)

    num_workers = options.num_workers or (os.cpu_count() or 1) + 1
    waiting = dict(sorted(waiting.items()))
    return Pass(library, "overall", waiting, hear, num_workers, overall=_overall(ears))


def _wanted(track_ids: Sequence[int], options: IndexOptions) -> list[int]:
    return [one for one in track_ids if options.only is None or one in options.only]


def _hears_songs(ear: Ear, options: IndexOptions) -> bool:
    """Whether an ear is of use without separation; loads its model.

    CheckpointError where voices are to be heard so, and cannot be.
    """
    if ear.view == "overall":
        return True
    if options.voices == "fast":
        check_hears_songs(ear.model())
    return ear.model().hears_voices_in_mixtures


def _separated_voices(library: Library, ears: Sequence[Ear], options: IndexOptions) -> Pass:
    """The second pass: voices, separated, in the place of those from whole songs."""
    waiting: dict[int, list[Ear]] = {}
    for ear in ears:
        if ear.view == "vocals" and options.voices == "fine":
            pending = _wanted(library.pending(ear.space_id, to_separate=True), options)
            waiting = {track_id: [ear] for track_id in pending}
            if pending:  # errors come before anything is listened to
                ear.model(), ear.separator()

    def hear(path: Path, ears: Sequence[Ear], **tools: Any) -> Mapping[View, TrackEmbedding | None]:
        (ear,) = ears
        separator = ear.separator()
        return {ear.view: embed_voice(path, ear.model(), separator, **tools)}

    num_workers = options.num_workers or os.cpu_count() or 1
    return Pass(
        library, "vocals", waiting, hear, num_workers, overall=_overall(ears), is_final=True
    )


def _overall(ears: Sequence[Ear]) -> Ear | None:
    return next((ear for ear in ears if ear.view == "overall"), None)


def _summary(
    library: Library,
    folders: Sequence[Path],
    scanned: ScanSummary,
    heard: Mapping[int, float],
    seconds: float,
) -> IndexSummary:
    tops = [resolved(folder) for folder in folders]
    num_there, num_failed, num_no_vocals, indexed = tally(library.database, tops, heard.keys())
    return IndexSummary(
        found=num_there,
        indexed=len(indexed),
        unchanged=num_there - len(indexed) - num_failed,
        moved=scanned.moved,
        no_vocals=num_no_vocals,
        failed=num_failed,
        seconds=seconds,
        audio_seconds=sum(heard[track_id] for track_id in indexed),
        skipped=tuple(f"{skipped.path}: {skipped.reason}" for skipped in scanned.skipped),
    )

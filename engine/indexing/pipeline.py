"""The pipeline: scan, then listen to what is new, view by view, then bring the indexes up to date.

The overall view of the whole library comes first: it needs no separation, so a library can be
searched within minutes. Then the vocals replace silence track by track. Each track is decoded,
separated and embedded by one worker thread on one core: cores never wait for each other inside a
track, and stages of different tracks overlap by themselves. Memory is bounded by the number of
workers, whatever the length of the files. Every finished track is one transaction.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from pathlib import Path

from engine import models, separation
from engine.errors import CancelledError, CheckpointError, SingalikeError
from engine.library import Library, ScanSummary, SpaceKey, Track, TrackEmbedding, View
from engine.library.counts import tally
from engine.library.filenames import resolved
from engine.library.lease import Lease
from engine.library.scan.scan import scan
from engine.listening.embedding import embed_file
from engine.models import VoiceModel
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.search.index import centre
from engine.search.index.graph import refresh
from engine.separation import Separator
from engine.sound.audio import audio_hash

log = logging.getLogger(__name__)
REPORT_INTERVAL_S = 0.1


@dataclass(frozen=True)
class IndexOptions:
    """How to index.

    Attributes:
        models: which model listens to which view; a view that is not named gets its default.
        separator: cuts out the vocals for the view ``vocals``.
        views: in this order.
        num_workers: tracks listened to at the same time; 0: one per core, and one more where
            nothing is separated, since a third of the time then goes by in decoders.
    """

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = field(default_factory=separation.default_name)
    views: tuple[View, ...] = ("overall", "vocals")
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
        voices = [_voice(library, view, options) for view in options.views]
        scanned = scan(library, folders, progress, cancel)
        passes = []
        for voice in voices:
            passes.append(_Pass(library, voice, lease, progress, cancel))
            heard |= passes[-1].run(_num_workers(options, voice.view))
        for voice in voices:
            progress(Progress("index", message=voice.view))
            refresh(library, voice.space_id)
            centre.refresh(library, voice.space_id)
    summary = _summary(library, folders, scanned, heard, time.monotonic() - started)
    if num_gone := sum(one.num_gone for one in passes):
        gone = f"Gone during the run: {num_gone} files. Index again once they are back."
        summary = replace(summary, skipped=(*summary.skipped, gone))
    return summary


def _num_workers(options: IndexOptions, view: View) -> int:
    return options.num_workers or (os.cpu_count() or 1) + (view == "overall")


@dataclass(frozen=True)
class _Voice:
    """What listens in one pass; loaded when there is something to listen to."""

    view: View
    space_id: int
    load: Callable[[], tuple[VoiceModel, Separator | None]]


def _voice(library: Library, view: View, options: IndexOptions) -> _Voice:
    """Loads nothing where the library knows the space: mostly there is nothing new to hear."""
    model_name = options.models.get(view) or models.default_model_name(view)
    separator_name = options.separator if view == "vocals" else None

    @cache
    def load() -> tuple[VoiceModel, Separator | None]:
        separator = None if separator_name is None else separation.load(separator_name)
        return models.load(model_name), separator

    with suppress(CheckpointError):  # which loading tells better
        manifest = models.manifest_of(model_name)
        wanted = (manifest.name, manifest.identity, view, separator_name)
        for space_id, key in library.spaces():
            if wanted == (key.model, key.model_sha256, key.view, key.separator):
                return _Voice(view, space_id, load)
    model, separator = load()
    heard_through = None if separator is None else separator.name
    key = SpaceKey(model.name, model.sha256, view, heard_through, model.dim)
    return _Voice(view, library.space_id(key), load)


@dataclass(frozen=True)
class _Heard:
    """What a worker brings back from a track: an embedding, or that nobody sings, or a failure.

    ``is_gone``: there is no such file any more, which is no failure of it: it may come back.
    """

    track: Track
    duration_s: float = 0.0
    audio_hash: str = ""
    embedding: TrackEmbedding | None = None
    failure: str | None = None
    is_gone: bool = False


class _Pass:
    """All pending tracks of one view. Workers listen; the calling thread writes and reports."""

    def __init__(
        self,
        library: Library,
        voice: _Voice,
        lease: Lease,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> None:
        self.library, self.voice, self.lease = library, voice, lease
        self.progress, self.cancel = progress, cancel
        self.pending = library.pending(voice.space_id)
        # May be copies of one song, of which one is listened to: these are hashed before.
        self.twins = library.tracks_of_equal_size()
        self.num_gone = 0
        self.clock = _Clock(voice.view, len(self.pending))

    def run(self, num_workers: int) -> dict[int, float]:
        """Listen to everything; returns {track id: duration in seconds} of what was heard.

        A track that fails is written down as failed and does not stop the others.
        """
        heard: dict[int, float] = {}
        if not self.pending:
            return heard
        self.model, self.separator = self.voice.load()
        # each looked up when its turn comes: its folder may be forgotten during the run
        todo = (track for track_id in self.pending for track in self.library.tracks([track_id]))
        running: set[Future[_Heard]] = set()
        workers = ThreadPoolExecutor(num_workers, thread_name_prefix="listen")
        with single_threaded_torch(), workers as pool:
            try:
                while True:
                    for track in islice(todo, num_workers - len(running)):
                        running.add(pool.submit(self._listen, track))
                    if not running:
                        break
                    done, _ = wait(running, REPORT_INTERVAL_S, FIRST_COMPLETED)
                    for future in done:
                        running.remove(future)
                        result = future.result()
                        self._write(result)
                        self.num_gone += result.is_gone
                        if not result.is_gone:
                            heard[result.track.id] = result.duration_s
                        self.clock.finish(result.track)
                    self.progress(self.clock.report())
            except BaseException:
                self.cancel.cancel()  # whatever ended the run, workers must not go on for nothing
                for future in running:
                    with suppress(SingalikeError):
                        self._write(future.result())
                raise
        return heard

    def _listen(self, track: Track) -> _Heard:
        """On a worker thread. Only CancelledError leaves it."""
        decoded_s, identities = list[float](), list[str]()

        def on_decoded(seconds: float) -> None:
            decoded_s.append(seconds)
            self.clock.hear(seconds)

        try:
            identity = track.audio_hash
            if identity is None and track.id in self.twins:
                identity = audio_hash(track.path, self.cancel)
            if identity is not None and (
                known := self.library.heard(identity, self.voice.space_id)
            ):
                embedding, duration_s = known
                on_decoded(duration_s)
                return _Heard(track, duration_s, identity, embedding)
            embedding = embed_file(
                track.path,
                self.model,
                self.voice.view,
                separator=self.separator,
                cancel=self.cancel,
                on_decoded=on_decoded,
                on_hash=identities.append,
            )
            return _Heard(track, sum(decoded_s), identities[-1], embedding)
        except CancelledError:
            raise
        except SingalikeError as error:
            return _Heard(track, failure=str(error), is_gone=_is_gone(track.path))
        except Exception as error:  # one bad file must not end the run
            log.exception("unexpected failure while listening to %s", track.path)
            return _Heard(
                track, failure=f"Unexpected failure ({type(error).__name__}: {error}). Retry it."
            )

    def _write(self, heard: _Heard) -> None:
        self.lease.check()
        track_id, space_id = heard.track.id, self.voice.space_id
        identity, duration_s = heard.audio_hash, heard.duration_s
        if heard.is_gone:
            self.library.put_missing(track_id)
        elif heard.failure is not None:
            self.library.put_failure(track_id, heard.failure)
        elif heard.embedding is None:
            self.library.put_no_vocals(
                track_id, space_id, audio_hash=identity, duration_s=duration_s
            )
        else:
            self.library.put_embedding(
                track_id, space_id, heard.embedding, audio_hash=identity, duration_s=duration_s
            )


def _is_gone(path: Path) -> bool:
    """Deleted, or on a drive that was pulled out in the middle of the run."""
    try:
        path.stat()
    except PermissionError:
        return False
    except OSError:
        return True
    return False


class _Clock:
    """Counts what the workers of a pass have done, and estimates when they will be through."""

    def __init__(self, view: View, num_total: int) -> None:
        self._view, self._num_total = view, num_total
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._num_done = 0
        self._audio_s = 0.0
        self._finished_audio_s = 0.0
        self._last = ""

    def hear(self, seconds: float) -> None:
        with self._lock:
            self._audio_s += seconds

    def finish(self, track: Track) -> None:
        with self._lock:
            self._num_done += 1
            self._finished_audio_s = self._audio_s
            self._last = track.title or track.path.name

    def report(self) -> Progress:
        """Songs ahead are taken to be as long, on average, as those behind."""
        with self._lock:
            audio_total_s, eta_s = 0.0, None
            if self._num_done:
                audio_total_s = self._finished_audio_s / self._num_done * self._num_total
                audio_total_s = max(audio_total_s, self._audio_s)
                elapsed_s = time.monotonic() - self._started
                if self._audio_s > 0:
                    eta_s = elapsed_s * (audio_total_s / self._audio_s - 1)
            return Progress(
                self._view,
                self._num_done,
                self._num_total,
                self._audio_s,
                audio_total_s,
                eta_s,
                self._last,
            )


def _summary(
    library: Library,
    folders: Sequence[Path],
    scanned: ScanSummary,
    heard: Mapping[int, float],
    seconds: float,
) -> IndexSummary:
    tops = [resolved(folder) for folder in folders]
    there = tally(library.database, tops, heard.keys())
    num_indexed = len(there.asked_for)
    return IndexSummary(
        found=there.num_tracks,
        indexed=num_indexed,
        unchanged=there.num_tracks - num_indexed - there.num_failed,
        moved=scanned.moved,
        no_vocals=there.num_no_vocals,
        failed=there.num_failed,
        seconds=seconds,
        audio_seconds=sum(heard[track_id] for track_id in there.asked_for),
        skipped=tuple(f"{skipped.path}: {skipped.reason}" for skipped in scanned.skipped),
    )

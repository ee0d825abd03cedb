"""A pass over the tracks of a library: workers listen, one thread writes and reports."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from engine.errors import CancelledError, SingalikeError
from engine.library import Library, Track
from engine.library.lease import Lease
from engine.models.model import Model
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress, ProgressCallback, with_eta
from engine.records import TrackEmbedding, View
from engine.separation import Separator
from engine.sound.audio import audio_hash

log = logging.getLogger(__name__)
REPORT_INTERVAL_S = 0.1


@dataclass(frozen=True)
class Ear:
    """What listens for one view into one space; loaded when there is something to listen to."""

    view: View
    space_id: int
    model: Callable[[], Model]
    separator: Callable[[], Separator]


# (path, ears, cancel=, on_decoded=, on_hash=) -> what is heard, by view; None: nobody sings. Raises
# what ``engine.listening.embedding`` does.
Hear = Callable[..., Mapping[View, TrackEmbedding | None]]


@dataclass(frozen=True)
class Heard:
    """What a worker brings back from a track: by space what was heard, or a failure.

    ``is_gone``: there is no such file any more, which is no failure of it: it may come back.
    """

    track: Track
    duration_s: float = 0.0
    audio_hash: str = ""
    embeddings: Mapping[int, TrackEmbedding | None] = field(default_factory=dict)
    failure: str | None = None
    is_gone: bool = False


class Pass:
    """All tracks that wait for one way of hearing.

    Args:
        waiting: by track, in the order of listening, the ears that it waits for.
        stage: of the progress, and the view that it is mainly for.
        overall: hears whole songs; where nobody sings, they have to be compared without a voice.
        is_final: what was heard before through the whole song is not good enough.
    """

    def __init__(
        self,
        library: Library,
        stage: View,
        waiting: Mapping[int, Sequence[Ear]],
        hear: Hear,
        num_workers: int,
        *,
        overall: Ear | None = None,
        is_final: bool = False,
    ) -> None:
        self.library, self.waiting, self.hear = library, waiting, hear
        self.num_workers, self.overall, self.is_final = num_workers, overall, is_final
        # May be copies of one song, of which one is listened to: these are hashed before.
        self.twins = library.tracks_of_equal_size()
        self.num_gone = 0
        self._stage, self._audio_s, self._lock = stage, 0.0, threading.Lock()

    def run(
        self, lease: Lease, progress: ProgressCallback, cancel: CancelToken
    ) -> dict[int, float]:
        """Listen to everything; returns {track id: duration in seconds} of what was heard.

        A track that fails is written down as failed and does not stop the others.
        """
        heard: dict[int, float] = {}
        if not self.waiting:
            return heard
        progress, num_done, latest = with_eta(progress), 0, ""
        # each looked up when its turn comes: its folder may be forgotten during the run
        todo = (track for track_id in self.waiting for track in self.library.tracks([track_id]))
        running: set[Future[Heard]] = set()
        workers = ThreadPoolExecutor(self.num_workers, thread_name_prefix="listen")
        with single_threaded_torch(), workers as pool:
            try:
                while True:
                    for track in islice(todo, self.num_workers - len(running)):
                        running.add(pool.submit(self._listen, track, cancel))
                    if not running:
                        break
                    done, _ = wait(running, REPORT_INTERVAL_S, FIRST_COMPLETED)
                    for future in done:
                        running.remove(future)
                        result = future.result()
                        self._write(result, lease)
                        self.num_gone += result.is_gone
                        if not result.is_gone:
                            heard[result.track.id] = result.duration_s
                        num_done += 1
                        latest = result.track.title or result.track.path.name
                    progress(
                        Progress(
                            self._stage,
                            num_done,
                            len(self.waiting),
                            audio_done_s=self._audio_s,
                            message=latest,
                        )
                    )
            except BaseException:
                cancel.cancel()  # whatever ended the run, workers must not go on for nothing
                for future in running:
                    with suppress(SingalikeError):
                        self._write(future.result(), lease)
                raise
        return heard

    def _listen(self, track: Track, cancel: CancelToken) -> Heard:
        """On a worker thread. Only CancelledError leaves it."""
        try:
            return self._known(track, cancel) or self._heard(track, cancel)
        except CancelledError:
            raise
        except SingalikeError as error:
            return Heard(track, failure=str(error), is_gone=_is_gone(track.path))
        except Exception as error:  # one bad file must not end the run
            log.exception("unexpected failure while listening to %s", track.path)
            return Heard(
                track, failure=f"Unexpected failure ({type(error).__name__}: {error}). Retry it."
            )

    def _known(self, track: Track, cancel: CancelToken) -> Heard | None:
        """What was heard in a copy of a song, or in one whose folder was renamed; else None."""
        identity = track.audio_hash
        if identity is None and track.id in self.twins:
            identity = audio_hash(track.path, cancel)
        if identity is None:
            return None
        embeddings, duration_s = dict[int, TrackEmbedding | None](), 0.0
        for ear in self.waiting[track.id]:
            known = self.library.heard(identity, ear.space_id)
            if known is None or (self.is_final and _waits_for_separation(known[0])):
                return None
            embeddings[ear.space_id], duration_s = known
        self._count(duration_s)
        return Heard(track, duration_s, identity, self._settled(track, embeddings))

    def _heard(self, track: Track, cancel: CancelToken) -> Heard:
        decoded_s, identities = list[float](), list[str]()

        def on_decoded(seconds: float) -> None:
            decoded_s.append(seconds)
            self._count(seconds)

        ears = self.waiting[track.id]
        found = self.hear(
            track.path, ears, cancel=cancel, on_decoded=on_decoded, on_hash=identities.append
        )
        embeddings = {ear.space_id: found[ear.view] for ear in ears}
        return Heard(track, sum(decoded_s), identities[-1], self._settled(track, embeddings))

    def _count(self, seconds: float) -> None:
        """Sound that is heard, on any worker thread."""
        with self._lock:
            self._audio_s += seconds

    def _settled(
        self, track: Track, embeddings: Mapping[int, TrackEmbedding | None]
    ) -> Mapping[int, TrackEmbedding | None]:
        """Where nobody sings, with the whole sound as it is without a voice, ahead of all else."""
        if self.overall is None:
            return embeddings
        space_id = self.overall.space_id
        voices = [embedding for other, embedding in embeddings.items() if other != space_id]
        if not (None in voices if voices else track.has_vocals is False):
            return embeddings
        heard = embeddings.get(space_id) or self.library.embedding(space_id, track.id)
        if heard is None:
            return embeddings
        vector = self.overall.model().without_voice(heard.vector)
        return {space_id: replace(heard, vector=vector)} | {
            other: embedding for other, embedding in embeddings.items() if other != space_id
        }

    def _write(self, heard: Heard, lease: Lease) -> None:
        lease.check()
        track_id = heard.track.id
        if heard.is_gone:
            self.library.put_missing(track_id)
        elif heard.failure is not None:
            self.library.put_failure(track_id, heard.failure)
        for space_id, embedding in heard.embeddings.items():
            self.library.put_embedding(
                track_id,
                space_id,
                embedding,
                audio_hash=heard.audio_hash,
                duration_s=heard.duration_s,
            )


def _waits_for_separation(heard: TrackEmbedding | None) -> bool:
    return heard is not None and heard.from_mixture and not heard.is_inseparable


def _is_gone(path: Path) -> bool:
    """Deleted, or on a drive that was pulled out in the middle of the run."""
    try:
        path.stat()
    except PermissionError:
        return False
    except OSError:
        return True
    return False

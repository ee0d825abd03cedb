"""A data set through the ears of models: embeddings of every clip, from the cache or made now."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import CancelledError, EvaluationError, SingalikeError
from engine.evaluation import cache
from engine.evaluation.clip_sound import Listening, view_of
from engine.evaluation.embedders import Embedder
from engine.evaluation.evaluation_data import Clip, EvaluationData, Input
from engine.models.geometry import Placing
from engine.models.segments import NORM_EPS, cut_excerpts, segment_weights
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.search.index.centre import centre_of_vectors, placed
from engine.sound.audio import audio_hash

# What is subtracted from a clip's mean before it is scaled to unit length: nothing; the model's own
# centre; the mean of the data set at hand (but for the first, the model's own transform follows
# where it has one). ``library``: the model's, then what all singers of the data share, as a search
# in a library of these clips does it.
Centring = Literal["raw", "model", "data", "library"]
AS_PROGRAM: Centring = "library"


@dataclass(frozen=True, eq=False)
class ModelEmbeddings:
    """What one model hears in a data set through one input.

    Attributes:
        clips: those in which something is heard, the same for all models of an input.
        means: (num_clips, dim) float32, over segments, weighted as the program does it.
        num_segments: (num_clips,) int, that pass the gate.
        geometry: the model's own, None where it has none.
        is_voiced: for each clip which of its segments have vocals, (num_segments,) bool; None
            where nobody knows, since no vocals were heard beside the mixtures.
    """

    model: str
    source: Input
    clips: tuple[Clip, ...]
    means: np.ndarray
    num_segments: np.ndarray
    geometry: Placing | None
    paths: tuple[Path, ...]
    is_voiced: tuple[np.ndarray, ...] | None = None

    @property
    def centrings(self) -> tuple[Centring, ...]:
        own: tuple[Centring, ...] = ("raw",) if self.geometry is None else ("raw", "model")
        return (*own, "data", "library")

    def vectors(self, centring: Centring = "raw", *, as_in_paper: bool = False) -> np.ndarray:
        """(num_clips, dim) float32 of unit length; their dot products are the similarities.

        ``as_in_paper``: of plain means over excerpts with vocals, instead of as the program does.
        """
        means = self.voiced_means if as_in_paper else self.means
        return self.placed(means, centring, as_in_paper=as_in_paper)

    def placed(
        self, means: np.ndarray, centring: Centring, *, as_in_paper: bool = False
    ) -> np.ndarray:
        """Any means (n, dim), of these clips or others, as these clips' ``vectors`` are."""
        own_means = self.voiced_means if as_in_paper else self.means
        if centring == "library":
            own: Centring = "raw" if self.geometry is None else "model"
            centre = centre_of_vectors(self.vectors(own, as_in_paper=as_in_paper), self.artists)
            return placed(self.placed(means, own, as_in_paper=as_in_paper), centre)
        centred = means.astype(np.float64)
        if centring == "data":
            centred -= own_means.mean(0)
        if centring != "raw" and self.geometry is not None:
            moved = self.geometry.centre if centring == "data" else 0.0
            centred = self.geometry.place(centred + moved)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return (centred / np.maximum(lengths, NORM_EPS)).astype(np.float32)

    @property
    def best_vectors(self) -> np.ndarray:
        """As the program compares."""
        return self.vectors(AS_PROGRAM)

    @cached_property
    def num_voiced(self) -> np.ndarray:
        """(num_clips,) int: segments with vocals, as far as that is known."""
        if self.is_voiced is None:
            return self.num_segments
        return np.array([voiced.sum() for voiced in self.is_voiced])

    @cached_property
    def voiced_means(self) -> np.ndarray:
        """(num_clips, dim) float32: plain means over the excerpts with vocals; else 0."""
        if self.is_voiced is None:
            return self.means
        found = np.zeros_like(self.means)
        for clip, voiced in enumerate(self.is_voiced):
            if voiced.any():
                found[clip] = self.excerpts(clip)[voiced].mean((0, 1), dtype=np.float64)
        return found

    def excerpts(self, clip: int) -> np.ndarray:
        """(num_segments, excerpts per segment, dim) float32 of a clip, by its index."""
        found = cache.read(self.paths[clip], "excerpts")
        if found is None:
            raise EvaluationError("An embedding vanished from the cache. Run the evaluation again.")
        return found[0].astype(np.float32)

    @cached_property
    def artists(self) -> np.ndarray:
        """(num_clips,) int: which singer, by the order of the sorted names."""
        return np.unique([clip.singer for clip in self.clips], return_inverse=True)[1]

    @property
    def num_artists(self) -> int:
        return int(self.artists.max()) + 1 if len(self.artists) else 0

    @cached_property
    def songs(self) -> np.ndarray:
        """(num_clips,) int: which song (of which singer)."""
        return _codes([(clip.singer, clip.song) for clip in self.clips])

    @cached_property
    def albums(self) -> np.ndarray:
        """(num_clips,) int: which album; a negative number of its own where it is not known."""
        codes = _codes([(clip.singer, clip.album) for clip in self.clips])
        unknown = np.array([not clip.album for clip in self.clips])
        return np.where(unknown, -1 - np.arange(len(codes)), codes)


def _codes(keys: Sequence[tuple[str, str]]) -> np.ndarray:
    numbers: dict[tuple[str, str], int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class EmbeddedData:
    """All embeddings of a run, and what could not be heard, a sentence each."""

    all_embeddings: tuple[ModelEmbeddings, ...]
    content_sha256: str
    notes: tuple[str, ...]

    @property
    def models(self) -> frozenset[str]:
        """Names of those that heard anything."""
        return frozenset(h.model for h in self.all_embeddings)


@dataclass(frozen=True, eq=False)
class _Job:
    clip: int
    source: Input
    path_of: dict[int, Path]  # of the cache, for each embedder
    missing: tuple[int, ...] = ()  # embedders that have not heard it yet


def embed_data(
    dataset: EvaluationData,
    embedders: Mapping[str, Embedder],
    sources: Sequence[Input],
    listening: Listening,
    cache_folder: Path,
    *,
    num_workers: int = 0,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> EmbeddedData:
    """Embed every clip with every model through every input, unless that is in the cache.

    ``embedders`` maps the names of the models in the report to them. A clip that cannot be heard,
    and a model that fails, are left out with a note. Raises EvaluationError when nothing is left,
    CancelledError (what was finished stays in the cache).
    """
    cancel = cancel or CancelToken()
    worker = _Worker(dataset.clips, embedders, listening, cache_folder, cancel)
    worker.collect(sources, progress)
    todo = [job for job in worker.jobs.values() if job.missing]
    with single_threaded_torch(), ThreadPoolExecutor(num_workers or os.cpu_count() or 1) as pool:
        futures = {pool.submit(worker.listen, job): job for job in todo}
        try:
            for num_done, future in enumerate(as_completed(futures), start=1):
                future.result()
                clip = dataset.clips[futures[future].clip]
                message = f"{clip.singer} - {clip.song}"
                progress(Progress("listen", num_done, len(todo), message=message))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return worker.embedded_data(sources)


class _Worker:
    """One pass over a data set: what is to do, doing it, and what came of it."""

    def __init__(
        self,
        clips: Sequence[Clip],
        embedders: Mapping[str, Embedder],
        listening: Listening,
        cache_folder: Path,
        cancel: CancelToken,
    ) -> None:
        self._clips = clips
        self._names, self._embedders = list(embedders), list(embedders.values())
        self._listening, self._folder, self._cancel = listening, cache_folder, cancel
        self._contents: dict[int, list[str]] = defaultdict(list)
        self._failed_clips: dict[tuple[int, Input], str] = {}
        self._failed_models: dict[int, str] = {}
        self.jobs: dict[tuple[int, Input], _Job] = {}

    def collect(self, sources: Sequence[Input], progress: ProgressCallback) -> None:
        """Find out what the cache lacks, by the content of the files."""
        hashes: dict[Path, str] = {}
        for number, clip in enumerate(self._clips):
            self._cancel.check()
            progress(Progress("read", number, len(self._clips)))
            for source in sources:
                parts = clip.parts(source)
                if not parts:
                    continue
                if lost := [part for part in parts if not part.exists()]:
                    self._failed_clips[number, source] = f"There is no file {lost[0]}."
                    continue
                try:
                    for part in parts:
                        hashes[part] = hashes.get(part) or audio_hash(part)
                except SingalikeError as error:
                    self._failed_clips[number, source] = str(error)
                    continue
                content = "+".join(hashes[part] for part in parts)
                self._contents[number].append(content)
                self.jobs[number, source] = self._job(number, source, content)

    def _job(self, number: int, source: Input, content: str) -> _Job:
        key = self._listening.key(source)
        paths = {
            i: cache.path_of(self._folder, e.sha256, key, content)
            for i, e in enumerate(self._embedders)
        }
        missing = tuple(i for i, p in paths.items() if cache.read(p, "mean") is None)
        return _Job(number, source, paths, missing)

    def listen(self, job: _Job) -> None:
        """On a worker thread. Only CancelledError leaves it."""
        excerpts: dict[int, list[np.ndarray]] = {
            i: [] for i in job.missing if i not in self._failed_models
        }
        weights, numbers = [np.zeros(0)], [np.zeros(0, np.int64)]
        clip = self._clips[job.clip]
        try:
            for found, segments in self._listening.segments(clip, job.source, self._cancel):
                numbers.append(found)
                weights.append(segment_weights(segments, view_of(job.source)))
                for i in [i for i in excerpts if len(segments)]:
                    self._cancel.check()
                    if (embedded := self._embed(i, segments)) is None:
                        del excerpts[i]
                    else:
                        excerpts[i].append(embedded)
        except CancelledError:
            raise
        except SingalikeError as error:
            self._failed_clips[job.clip, job.source] = str(error)
            return
        for i, parts in excerpts.items():
            silent = np.zeros((0, 1, self._embedders[i].dim), np.float32)
            heard = np.concatenate(parts) if parts else silent
            cache.save(job.path_of[i], heard, np.concatenate(weights), np.concatenate(numbers))

    def _embed(self, index: int, segments: np.ndarray) -> np.ndarray | None:
        embedder = self._embedders[index]
        try:
            vectors = embedder.embed_excerpts(cut_excerpts(segments, embedder.excerpt_samples))
        except Exception as error:  # foreign code may raise anything; the other models go on
            self._failed_models[index] = f"it failed: {error or type(error).__name__}"
            return None
        if vectors.ndim != 2 or vectors.shape[1] != embedder.dim:
            self._failed_models[index] = (
                f"it says that its vectors have {embedder.dim} dimensions, but they came in the "
                f"shape {vectors.shape}."
            )
            return None
        if not np.isfinite(vectors).all():
            self._failed_models[index] = "its vectors hold NaN or infinity."
            return None
        return vectors.reshape(len(segments), -1, embedder.dim)

    def embedded_data(self, sources: Sequence[Input]) -> EmbeddedData:
        """Everything that worked, read back from the cache."""
        notes = [
            f"The model {self._names[i]} was left out: {reason}"
            for i, reason in sorted(self._failed_models.items())
        ]
        all_embeddings = []
        for source in sources:
            all_embeddings += self._embeddings_of_input(source, notes)
        if not all_embeddings:
            raise EvaluationError(" ".join(["Nothing could be heard.", *notes]))
        contents = "\n".join(" ".join(self._contents[i]) for i in range(len(self._clips)))
        digest = hashlib.sha256(contents.encode()).hexdigest()
        return EmbeddedData(tuple(all_embeddings), digest, tuple(notes))

    def _embeddings_of_input(self, source: Input, notes: list[str]) -> list[ModelEmbeddings]:
        jobs = [j for j in self.jobs.values() if j.source == source]
        failed = {c: reason for (c, s), reason in self._failed_clips.items() if s == source}
        for number, reason in sorted(failed.items())[:3]:
            clip = self._clips[number]
            notes.append(f"{source}: {clip.singer} - {clip.song} was left out. {reason}")
        if len(failed) > 3:
            notes.append(f"{source}: {len(failed)} clips were left out because of their files.")
        if not jobs and not failed:
            notes.append(f"{source}: no clip of the data has this input.")
        jobs = [j for j in jobs if j.clip not in failed]
        silent: set[int] = set()
        found = []
        for i, embedder in enumerate(self._embedders):
            if i in self._failed_models:
                continue
            self._cancel.check()
            summaries = {j: cache.read(j.path_of[i], "mean", "numbers") for j in jobs}
            heard = {j: s for j, s in summaries.items() if s is not None and len(s[1])}
            silent |= {j.clip for j in jobs if j not in heard}
            if heard:
                found.append(self._model_embeddings(i, embedder, source, heard))
        if silent:
            notes.append(f"{source}: in {len(silent)} of {len(jobs)} clips nobody is heard.")
        return found

    def _model_embeddings(
        self, index: int, embedder: Embedder, source: Input, heard: dict[_Job, list[np.ndarray]]
    ) -> ModelEmbeddings:
        """``heard``: of each clip the mean, and the numbers of its segments."""
        get_geometry = getattr(embedder, "geometry", None)
        geometry = get_geometry(view_of(source)) if get_geometry is not None else None
        masks = [self._is_voiced(job, index, numbers) for job, (_, numbers) in heard.items()]
        known = tuple(mask for mask in masks if mask is not None)
        return ModelEmbeddings(
            self._names[index],
            source,
            tuple(self._clips[job.clip] for job in heard),
            np.stack([mean.astype(np.float32) for mean, _ in heard.values()]),
            np.array([len(numbers) for _, numbers in heard.values()]),
            geometry if geometry is not None and np.any(geometry.centre) else None,
            tuple(job.path_of[index] for job in heard),
            known if len(known) == len(heard) else None,
        )

    def _is_voiced(self, job: _Job, index: int, numbers: np.ndarray) -> np.ndarray | None:
        """(num_segments,) bool of what was heard: by the gate of the clip's vocals, if known."""
        if view_of(job.source) == "vocals":
            return np.ones(len(numbers), bool)
        inputs: tuple[Input, ...] = ("vocals", "separated")
        for source in inputs:
            beside = self.jobs.get((job.clip, source))
            for path in beside.path_of.values() if beside is not None else ():
                if (voiced := cache.read(path, "numbers")) is not None:
                    return np.isin(numbers, voiced[0])
        return None

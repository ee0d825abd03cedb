"""Embeddings of files that are queries, in the library or not."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from engine import models, separation
from engine.errors import QueryError
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.records import LISTENING_VERSION, SpaceKey, TrackEmbedding
from engine.search.records import FilePart, NoEmbeddingError, nobody_sings

_MAX_KEPT = 32


class FileEmbedder:
    """What listens is loaded when first needed; what served last is kept, embeddings too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # nothing is loaded twice
        self._model = lru_cache(len(models.VIEWS))(lambda name: models.load(name))
        self._separator = lru_cache(1)(lambda name: separation.load(name))
        self._latest = dict[tuple[object, ...], TrackEmbedding]()

    def embedding(
        self,
        part: FilePart,
        audio_hash: str,
        key: SpaceKey,
        model: str | None,
        progress: ProgressCallback,
        cancel: CancelToken | None,
    ) -> TrackEmbedding:
        """Of a file, as a space has them.

        ``model``: as in ``SearchOptions``. Raises what ``Searcher.by_file`` does.
        """
        identity = (audio_hash, replace(part, path=Path()), key)
        if (found := self._latest.get(identity)) is None:
            progress(Progress("query", message=key.view))
            found = self._latest[identity] = self._embed(part, model or key.model, key, cancel)
            if len(self._latest) > _MAX_KEPT:
                del self._latest[next(iter(self._latest))]
        return found

    def _embed(
        self, part: FilePart, name: str, key: SpaceKey, cancel: CancelToken | None
    ) -> TrackEmbedding:
        from engine.listening.embedding import embed_file

        with self._lock:
            ear = self._model(name)
        if (ear.sha256, LISTENING_VERSION) != (key.model_sha256, key.listening):
            raise QueryError(
                f"These songs were heard by another version of the model {key.model} than is "
                "installed. Index them again, then search by file."
            )
        is_song = key.view == "vocals" and not part.is_vocals
        is_fast = is_song and part.voices == "fast"
        separator = None
        if is_song and not is_fast:
            with self._lock:
                separator = self._separator(str(key.separator))
        embedding = embed_file(
            part.path,
            ear,
            key.view,
            separator=separator,
            voices="fast" if is_fast else "fine",
            start_s=part.start_s,
            end_s=part.end_s,
            cancel=cancel,
        )
        if embedding is None:
            raise NoEmbeddingError(nobody_sings(part.path.name))
        moments = embedding.moments
        starts_s = moments.starts_s + np.float32(part.start_s)
        return replace(embedding, moments=replace(moments, starts_s=starts_s))

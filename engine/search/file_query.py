"""Embeddings of files that are queries, in the library or not."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import QueryError
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.records import LISTENING_VERSION, SpaceKey, TrackEmbedding
from engine.search.records import FilePart, NoEmbeddingError, nobody_sings

if TYPE_CHECKING:
    from engine.models.model import Model
    from engine.separation import Separator

_MAX_KEPT = 32


class FileEmbedder:
    """Models and separators are loaded when first needed; the latest embeddings are kept.

    Args:
        load_model, load_separator: from a name; by default the registries of ``engine.models`` and
            ``engine.separation``.
    """

    def __init__(
        self,
        load_model: Callable[[str], Model] | None,
        load_separator: Callable[[str], Separator] | None,
    ) -> None:
        self._load_model, self._load_separator = load_model, load_separator
        self._lock = threading.Lock()
        self._models: dict[str, Model] = {}
        self._separators: dict[str, Separator] = {}
        self._latest: OrderedDict[tuple[object, ...], TrackEmbedding] = OrderedDict()

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
            while len(self._latest) > _MAX_KEPT:
                self._latest.popitem(last=False)
        return found

    def _embed(
        self, part: FilePart, name: str, key: SpaceKey, cancel: CancelToken | None
    ) -> TrackEmbedding:
        from engine.listening.embedding import embed_file

        is_song = key.view == "vocals" and not part.is_vocals
        is_fast = is_song and part.voices == "fast"
        embedding = embed_file(
            part.path,
            self._model(name, key),
            key.view,
            separator=self._separator(str(key.separator)) if is_song and not is_fast else None,
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

    def _model(self, name: str, key: SpaceKey) -> Model:
        from engine import models

        with self._lock:
            if name not in self._models:
                self._models[name] = (self._load_model or models.load)(name)
            model = self._models[name]
        if (model.sha256, LISTENING_VERSION) != (key.model_sha256, key.listening):
            raise QueryError(
                f"These songs were heard by another version of the model {key.model} than is "
                "installed. Index them again, then search by file."
            )
        return model

    def _separator(self, name: str) -> Separator:
        from engine import separation

        with self._lock:
            if name not in self._separators:
                self._separators[name] = (self._load_separator or separation.load)(name)
            return self._separators[name]

"""A worker: loads the models once, then listens to one recording after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalogue.manifest import Entry
from catalogue.storage import LocalCopy, local_copy, place_in
from engine import models, separation
from engine.errors import CatalogueError, CheckpointError, SingalikeError
from engine.library import Tags
from engine.library.imports import Song
from engine.library.scan.tags import tags_of
from engine.listening.embedding import check_serves, embed_file
from engine.models import Model
from engine.networks.processor import single_threaded_torch
from engine.records import SpaceKey, TrackEmbedding, View
from engine.search.remote.rows import Skipped
from engine.separation import Separator


@dataclass(frozen=True)
class Ears:
    """What to listen with: by name or checkpoint folder, as each worker finds it."""

    models: Mapping[View, str]
    separator: str


class Listener:
    """Runs in a process of its own, on one core. Everything it takes and gives can be pickled.

    ``root``: the folder above all recordings; what is below it tells who sings.
    """

    def __init__(self, ears: Ears, root: str) -> None:
        self._ears, self._root = ears, root
        self._models: dict[View, Model] = {}
        self._separator: Separator | None = None

    def load(self) -> tuple[SpaceKey, ...]:
        """Load everything; returns the spaces that embeddings will be in.

        Raises CheckpointError, SeparatorError.
        """
        by_name = {name: models.load(name) for name in set(self._ears.models.values())}
        self._models = {view: by_name[name] for view, name in self._ears.models.items()}
        for view, model in self._models.items():
            check_serves(model, view)
        if "vocals" in self._models:
            self._separator = separation.load(self._ears.separator)
        name = None if self._separator is None else self._separator.name
        return tuple(
            SpaceKey(m.name, m.sha256, view, name if view == "vocals" else None, m.vector_dim)
            for view, m in self._models.items()
        )

    def hear(self, entry: Entry) -> Song | Skipped:
        """What fails is skipped with its reason. CatalogueError where nothing can be read."""
        if not entry.address:
            reason = "The manifest names no path in this row. Correct the manifest."
            return Skipped(f"row {entry.row}", reason, is_failed=True)
        try:
            with single_threaded_torch(), local_copy(entry.address) as copy:
                return self._listen(entry, copy)
        except (CatalogueError, CheckpointError):
            raise
        except SingalikeError as error:
            return Skipped(entry.address, str(error), is_failed=True)
        except Exception as error:  # one bad file must not end the run
            reason = f"Unexpected failure ({type(error).__name__}: {error}). Retry it."
            return Skipped(entry.address, reason, is_failed=True)

    def _listen(self, entry: Entry, copy: LocalCopy) -> Song:
        tags = _completed(entry.tags, tags_of(copy.path, place_in(entry.address, self._root)))
        heard, identities = dict[View, TrackEmbedding | None](), list[str]()
        for view, model in self._models.items():
            decoded_s = list[float]()
            heard[view] = embed_file(
                copy.path,
                model,
                view,
                separator=self._separator if view == "vocals" else None,
                on_decoded=decoded_s.append,
                on_hash=identities.append,
            )
        return Song(
            entry.address,
            tags,
            copy.size_bytes,
            copy.mtime_ns,
            identities[-1],
            sum(decoded_s),
            heard,
            entry.id,
        )


def _completed(given: Tags, found: Tags) -> Tags:
    """What the manifest says counts; what it leaves open, the file tells."""
    names = Tags.__dataclass_fields__
    return Tags(**{name: getattr(given, name) or getattr(found, name) for name in names})

"""What a worker does: it loads the models once, then listens to one recording after the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from catalogue.manifest import Entry
from catalogue.storage import LocalCopy, local_copy, place_in
from engine import models, separation
from engine.errors import CatalogueError, CheckpointError, SingalikeError
from engine.library import Tags
from engine.library.imports import Song
from engine.library.scan.tags import tags_of
from engine.listening.embedding import check_serves, embed_file
from engine.networks.processor import single_threaded_torch
from engine.records import SpaceKey, TrackEmbedding, View
from engine.search.remote.rows import Skipped
from engine.separation import Separator


@dataclass(frozen=True)
class Ears:
    """What to listen with: models by view, by name or checkpoint folder as each worker finds it.

    ``root``: the folder above all recordings; what is below it tells who sings.
    """

    models: tuple[tuple[View, str], ...]
    separator: str
    root: str = ""


@cache
def listener(ears: Ears) -> Listener:
    """The one of this process. Raises CheckpointError, SeparatorError."""
    return Listener(ears)


class Listener:
    """Everything that these ears need, loaded; on one core.

    Attributes:
        spaces: those that embeddings will be in.
    """

    def __init__(self, ears: Ears) -> None:
        by_name = {name: models.load(name) for name in {name for _, name in ears.models}}
        self._models = {view: by_name[name] for view, name in ears.models}
        for view, model in self._models.items():
            check_serves(model, view)
        self._root = ears.root
        self._separator: Separator | None = None
        if "vocals" in self._models:
            self._separator = separation.load(ears.separator)
        name = None if self._separator is None else self._separator.name
        self.spaces = tuple(
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

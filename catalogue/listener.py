"""A worker: loads the models once, then listens to rows of the manifest and writes shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from catalogue.errors import CatalogueError
from catalogue.manifest import Entry, Manifest
from catalogue.shards import ShardHeader, ShardRow, pack_shard, read_shard, shard_name
from catalogue.storage import LocalCopy, ShardFolder, local_copy
from engine import models, separation
from engine.errors import CheckpointError, SingalikeError
from engine.library import Tags
from engine.library.scan.tags import read_tags
from engine.listening.embedding import embed_file
from engine.models import VoiceModel
from engine.networks.processor import single_threaded_torch
from engine.records import SpaceKey, TrackEmbedding, View
from engine.separation import Separator


@dataclass(frozen=True)
class Ears:
    """What to listen with: by name or checkpoint folder, as each worker finds it."""

    models: Mapping[View, str]
    separator: str


@dataclass(frozen=True)
class ShardTask:
    """Rows to hear and to write as one shard.

    Attributes:
        refused: reasons for rows that must not be listened to again: they ended worker processes.
        is_retry: keep what the shard holds, and listen only to its rows with an error.
    """

    number: int
    entries: tuple[Entry, ...]
    refused: Mapping[int, str] = field(default_factory=dict)
    is_retry: bool = False


@dataclass(frozen=True)
class RowReport:
    """What a worker says of a row as soon as it is through with it.

    ``is_known``: it was heard by an earlier run.
    """

    address: str
    audio_s: float
    is_failed: bool
    has_no_vocals: bool
    is_known: bool


def _report(row: ShardRow, is_known: bool) -> RowReport:
    heard = row.heard or {}
    has_no_vocals = "vocals" in heard and heard["vocals"] is None
    audio_s, is_failed = row.duration_s or 0.0, row.error is not None
    return RowReport(row.entry.address, audio_s, is_failed, has_no_vocals, is_known)


class Listener:
    """Runs in a process of its own, on one core. Everything it takes and gives can be pickled."""

    def __init__(self, ears: Ears, folder: ShardFolder, manifest: Manifest) -> None:
        self._ears = ears
        self._folder = folder
        self._manifest = manifest
        self._models: dict[View, VoiceModel] = {}
        self._separator: Separator | None = None

    def load(self) -> tuple[SpaceKey, ...]:
        """Load everything; returns the spaces that embeddings will be in.

        Raises CheckpointError, SeparatorError.
        """
        by_name = {name: models.load(name) for name in set(self._ears.models.values())}
        self._models = {view: by_name[name] for view, name in self._ears.models.items()}
        if "vocals" in self._models:
            self._separator = separation.load(self._ears.separator)
        return self.spaces()

    def spaces(self) -> tuple[SpaceKey, ...]:
        name = None if self._separator is None else self._separator.name
        return tuple(
            SpaceKey(m.name, m.sha256, view, name if view == "vocals" else None, m.dim)
            for view, m in self._models.items()
        )

    def make_shard(self, task: ShardTask) -> Iterator[RowReport]:
        """Hear all rows, telling of each; the shard is there once the last report was taken.

        A row that fails is written down with its reason. Raises CatalogueError where nothing can be
        read or written at all.
        """
        known = self._known_rows(task) if task.is_retry else {}
        rows = list[ShardRow]()
        with single_threaded_torch():
            for entry in task.entries:
                row = known.get(entry.row) or self._row(entry, task.refused.get(entry.row))
                rows.append(row)
                yield _report(row, is_known=entry.row in known)
        header = ShardHeader(self.spaces(), self._manifest.sha256, rows[0].entry.row, len(rows))
        self._folder.write(shard_name(task.number), pack_shard(header, rows))

    def _known_rows(self, task: ShardTask) -> dict[int, ShardRow]:
        shard = read_shard(self._folder.path_of(shard_name(task.number)))
        return {row.entry.row: row for row in shard.rows() if row.error is None}

    def _row(self, entry: Entry, refusal: str | None) -> ShardRow:
        if refusal is not None:
            return ShardRow(entry, error=refusal)
        if not entry.address:
            reason = "The manifest names no path in this row. Correct the manifest."
            return ShardRow(entry, error=reason)
        try:
            with local_copy(entry.address, self._manifest.root) as copy:
                return self._listen(entry, copy)
        except (CatalogueError, CheckpointError):
            raise
        except SingalikeError as error:
            return ShardRow(entry, error=str(error))
        except Exception as error:  # one bad file must not end the run
            reason = f"Unexpected failure ({type(error).__name__}: {error}). Retry it."
            return ShardRow(entry, error=reason)

    def _listen(self, entry: Entry, copy: LocalCopy) -> ShardRow:
        entry = replace(entry, tags=_completed(entry.tags, read_tags(copy.path, copy.root)))
        row = ShardRow(entry, copy.size_bytes, copy.mtime_ns)
        try:
            heard, decoded_s = dict[View, TrackEmbedding | None](), list[float]()
            identities = list[str]()
            for view, model in self._models.items():
                decoded_s.clear()
                separator = self._separator if view == "vocals" else None
                heard[view] = embed_file(
                    copy.path,
                    model,
                    view,
                    separator=separator,
                    on_decoded=decoded_s.append,
                    on_hash=identities.append,
                )
        except CheckpointError:
            raise
        except SingalikeError as error:
            return replace(row, error=str(error))
        return replace(row, audio_hash=identities[-1], duration_s=sum(decoded_s), heard=heard)


def _completed(given: Tags, found: Tags) -> Tags:
    """What the manifest says counts; what it leaves open, the file tells."""
    names = Tags.__dataclass_fields__
    return Tags(**{name: getattr(given, name) or getattr(found, name) for name in names})

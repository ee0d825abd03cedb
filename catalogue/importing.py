"""Shards into a library: its tracks, embeddings and search index, as if it had listened itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalogue.errors import CatalogueError
from catalogue.shards import Shard, ShardHeader, read_header, read_shard, shard_places
from engine import models
from engine.library import Library
from engine.library.imports import ImportCounts, ImportedTrack, Importer
from engine.models.checkpoint import read_manifest
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey, View
from engine.search.index import centre
from engine.search.index.graph import refresh


@dataclass(frozen=True)
class ImportSummary:
    """What came in: see ``ImportCounts``. ``notes``: sentences on what to know about it."""

    counts: ImportCounts
    num_shards: int
    seconds: float
    index_seconds: float
    notes: tuple[str, ...]


def import_shards(
    library: Library,
    shards: Sequence[str],
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> ImportSummary:
    """Bring shards (folders, files, addresses) into a library, then its indexes up to date.

    One transaction per shard; can be stopped and run again. Raises CatalogueError (no shards, or
    damaged, or by models that do not fit; nothing of that shard is kept), LibraryLockedError,
    LibraryError, CancelledError.
    """
    cancel, started = cancel or CancelToken(), time.monotonic()
    places = shard_places(shards)
    spaces = common_spaces(places)
    notes = _check_models(spaces)
    counts = ImportCounts()
    with library.lease() as lease:
        ids = {key.view: _space_id(library, key) for key in spaces}
        importer = Importer(library, _paths(places, progress, cancel))
        for number, place in enumerate(places):
            cancel.check()
            lease.check()
            progress(_progress("import", number, places, started))
            counts += _put(importer, read_shard(place), ids)
        imported = time.monotonic()
        for space_id in ids.values():
            refresh(library, space_id, progress, cancel)
            centre.refresh(library, space_id)
    now = time.monotonic()
    return ImportSummary(counts, len(places), now - started, now - imported, notes)


def common_spaces(places: Sequence[str]) -> tuple[SpaceKey, ...]:
    """The spaces of some shards. CatalogueError where not all were made alike."""
    first: ShardHeader | None = None
    for place in places:
        header = read_header(place)
        if first is not None and header.spaces != first.spaces:
            raise CatalogueError(
                f"{place} was made by {_in_words(header.spaces)}, {places[0]} by "
                f"{_in_words(first.spaces)}. Take shards of one kind at a time."
            )
        first = first or header
    return first.spaces if first else ()


def _check_models(spaces: Sequence[SpaceKey]) -> tuple[str, ...]:
    """Refuses models that are not what goes by their names here; tells of those not here."""
    installed = {info.name: read_manifest(info.folder).sha256 for info in models.available()}
    notes = list[str]()
    for key in spaces:
        if key.model not in installed:
            notes.append(
                f"The model {key.model} is not installed here: search from songs of the library, "
                "not from other files."
            )
        elif (here := installed[key.model]) != key.model_sha256:
            raise CatalogueError(
                f"These shards were made by another version of {key.model} (sha256 "
                f"{key.model_sha256[:12]}…) than is installed here ({here[:12]}…): their voices "
                "cannot be compared. Install that version, or make the shards again."
            )
    return tuple(dict.fromkeys(notes))


def _space_id(library: Library, key: SpaceKey) -> int:
    try:
        return library.space_id(key)
    except ValueError as error:
        raise CatalogueError(
            f"The library knows {key.model} with another number of dimensions than {key.dim}. Make "
            "the shards again with the model that is installed here."
        ) from error


def _paths(places: Sequence[str], progress: ProgressCallback, cancel: CancelToken) -> Iterator[str]:
    """Of all rows, those without a path left out."""
    started = time.monotonic()
    for number, place in enumerate(places):
        cancel.check()
        progress(_progress("import", number, places, started))
        yield from filter(None, read_shard(place, ["path"]).table.column("path").to_pylist())


def _put(importer: Importer, shard: Shard, ids: Mapping[View, int]) -> ImportCounts:
    tracks = [
        ImportedTrack(
            row.entry.address,
            row.entry.tags,
            row.size_bytes,
            row.mtime_ns,
            row.audio_hash,
            row.duration_s,
            row.error,
            {ids[view]: embedding for view, embedding in (row.heard or {}).items()},
        )
        for row in shard.rows()
        if row.entry.address
    ]
    try:
        return importer.put(tracks)
    except ValueError as error:
        raise CatalogueError(
            f"{shard.place} holds {error}. Nothing of this shard was used. Delete it, run "
            "singalike-catalogue again to make it anew, then repeat this command."
        ) from error


def _progress(stage: str, number: int, places: Sequence[str], started: float) -> Progress:
    elapsed_s = time.monotonic() - started
    eta_s = elapsed_s / number * (len(places) - number) if number else None
    return Progress(stage, number, len(places), eta_s=eta_s, message=places[number])


def _in_words(spaces: Sequence[SpaceKey]) -> str:
    kinds = (", ".join(filter(None, (key.view, key.separator))) for key in spaces)
    return " and ".join(
        f"{key.model} {key.model_sha256[:8]} ({kind})"
        for key, kind in zip(spaces, kinds, strict=True)
    )

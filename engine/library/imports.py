"""Taking in what was heard elsewhere: many tracks with their embeddings, in few transactions.

Files of this machine become tracks of real folders, which a scan then follows. What has an address
(``s3://bucket/song.mp3``) becomes a track of a folder that stands for its store: no scan looks for
it, nothing is ever missing from it, and nothing in it waits to be indexed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import LibraryError
from engine.library import codec, filenames
from engine.library.records import Tags, TrackEmbedding
from engine.library.store import Library
from engine.library.track_rows import Sighting

MIN_FOLDER_PARTS = 3  # "/mnt/archive": nobody's folder of music is "/" or "/mnt"
_MAX_VALUES = 500  # of one SELECT


@dataclass(frozen=True, eq=False)
class ImportedTrack:
    """A recording that was heard somewhere.

    Attributes:
        place: an absolute path, or an address.
        mtime_ns: of the file; 0 where its store tells none.
        audio_hash, duration_s: None where there is an error.
        error: why it could not be heard, a sentence.
        heard: by space id; None where nobody sings.
    """

    place: str
    tags: Tags
    size_bytes: int
    mtime_ns: int
    audio_hash: str | None
    duration_s: float | None
    error: str | None
    heard: Mapping[int, TrackEmbedding | None]


@dataclass(frozen=True)
class ImportCounts:
    """What became of imported tracks.

    Attributes:
        new: were not in the library. updated: were, and learned something.
        known: were, with all of this. outdated: the library knows a newer file in this place.
        failed: of all, those that could not be heard.
    """

    new: int = 0
    updated: int = 0
    known: int = 0
    outdated: int = 0
    failed: int = 0

    def __add__(self, other: ImportCounts) -> ImportCounts:
        return ImportCounts(
            self.new + other.new,
            self.updated + other.updated,
            self.known + other.known,
            self.outdated + other.outdated,
            self.failed + other.failed,
        )


class Importer:
    """Brings tracks into a library, some at a time. The caller holds the library's lease.

    Args:
        places: of all tracks to come; their folders are added to the library here.
    """

    def __init__(self, library: Library, places: Iterable[str]) -> None:
        self._library = library
        self._dims = {space_id: key.dim for space_id, key in library.spaces()}
        self._folders = _Folders(library, places)

    def put(self, tracks: Sequence[ImportedTrack]) -> ImportCounts:
        """One transaction: all of them, or none. What is known already is left as it is.

        ValueError where a vector is not (dim,), finite and of length 1.
        """
        placed = {self._folders.place(track.place): track for track in tracks}  # last one counts
        with self._library.database.write() as db:
            batch = _Batch(db, self._dims, _known(db, placed))
            for (folder_id, rel_path), track in placed.items():
                batch.add(folder_id, rel_path, track)
            return batch.write()


@dataclass
class _Known:
    """A track that the library has: as much of it as decides what an import may change."""

    id: int
    audio_hash: str | None
    mtime_ns: int
    state: str
    spaces: set[int]


_Place = tuple[int, bytes]


def _known(db: sqlite3.Connection, places: Iterable[_Place]) -> dict[_Place, _Known]:
    by_folder = defaultdict[int, list[bytes]](list)
    for folder_id, rel_path in places:
        by_folder[folder_id].append(rel_path)
    found = dict[_Place, _Known]()
    for folder_id, paths in by_folder.items():
        for start in range(0, len(paths), _MAX_VALUES):
            some = paths[start : start + _MAX_VALUES]
            marks = ", ".join("?" * len(some))
            rows = db.execute(
                "SELECT rel_path, id, audio_hash, mtime_ns, state,"
                " (SELECT group_concat(space_id) FROM (SELECT space_id FROM embedding"
                "  WHERE track_id = track.id UNION ALL SELECT space_id FROM no_vocals"
                "  WHERE track_id = track.id))"
                f" FROM track WHERE folder_id = ? AND rel_path IN ({marks})",
                (folder_id, *some),
            )
            for rel_path, track_id, audio_hash, mtime_ns, state, spaces in rows:
                heard_in = {int(one) for one in (spaces or "").split(",") if one}
                known = _Known(track_id, audio_hash, mtime_ns, state, heard_in)
                found[folder_id, rel_path] = known
    return found


class _Batch:
    """Rows of one transaction, gathered to be written table by table."""

    def __init__(
        self, db: sqlite3.Connection, dims: Mapping[int, int], known: Mapping[_Place, _Known]
    ) -> None:
        self._db, self._dims, self._known = db, dims, known
        self._next_track_id = _next_id(db, "track")
        self._next_embedding_id = _next_id(db, "embedding")
        self._tracks: list[dict[str, Any]] = []
        self._embeddings: list[tuple[int, int, int, bytes]] = []
        self._moments: list[tuple[Any, ...]] = []
        self._no_vocals: list[tuple[int, int]] = []
        self._counts = ImportCounts()

    def add(self, folder_id: int, rel_path: bytes, track: ImportedTrack) -> None:
        known = self._known.get((folder_id, rel_path))
        sighting = Sighting(folder_id, rel_path, track.size_bytes, track.mtime_ns, track.tags)
        if known is None:
            track_id, self._next_track_id = self._next_track_id, self._next_track_id + 1
            self._tracks.append({"id": track_id, **sighting.columns(), **_state(track)})
            self._hear(track_id, track, frozenset())
            counts = ImportCounts(new=1)
        else:
            counts = self._update(known, sighting, track)
        self._counts += counts + ImportCounts(failed=track.error is not None)

    def _update(self, known: _Known, sighting: Sighting, track: ImportedTrack) -> ImportCounts:
        is_same_sound = known.audio_hash in (None, track.audio_hash)
        if track.error is not None and (known.spaces or known.state == "failed"):
            return ImportCounts(known=1)
        if not is_same_sound and track.mtime_ns < known.mtime_ns:
            return ImportCounts(outdated=1)
        fresh = track.heard.keys() - (known.spaces if is_same_sound else set())
        if is_same_sound and not fresh and known.state != "new" and not track.error:
            return ImportCounts(known=1)
        if not is_same_sound:
            for table in ("embedding", "no_vocals"):
                self._db.execute(f"DELETE FROM {table} WHERE track_id = ?", (known.id,))
        # the tags of the same file are as its last scan read them
        changed = {} if known.audio_hash == track.audio_hash else sighting.columns()
        codec.update(self._db, "track", known.id, {**changed, **_state(track)})
        self._hear(known.id, track, known.spaces if is_same_sound else frozenset())
        return ImportCounts(updated=1)

    def _hear(self, track_id: int, track: ImportedTrack, spaces: set[int] | frozenset[int]) -> None:
        for space_id, embedding in track.heard.items():
            if space_id in spaces:
                continue
            if embedding is None:
                self._no_vocals.append((track_id, space_id))
                continue
            embedding_id, self._next_embedding_id = (
                self._next_embedding_id,
                self._next_embedding_id + 1,
            )
            vector = codec.pack_vector(embedding.vector, self._dims[space_id])
            self._embeddings.append((embedding_id, track_id, space_id, vector))
            self._moments.append((embedding_id, *codec.pack_moments(embedding.moments)))

    def write(self) -> ImportCounts:
        if self._tracks:
            names = self._tracks[0].keys()
            marks = ", ".join(f":{name}" for name in names)
            self._db.executemany(
                f"INSERT INTO track ({', '.join(names)}) VALUES ({marks})", self._tracks
            )
        self._db.executemany(
            "INSERT INTO embedding (id, track_id, space_id, vector) VALUES (?, ?, ?, ?)",
            self._embeddings,
        )
        self._db.executemany("INSERT INTO moments VALUES (?, ?, ?, ?, ?)", self._moments)
        self._db.executemany("INSERT INTO no_vocals VALUES (?, ?)", self._no_vocals)
        return self._counts


def _state(track: ImportedTrack) -> dict[str, Any]:
    return {
        "audio_hash": track.audio_hash,
        "duration_s": track.duration_s,
        "state": "indexed" if track.error is None else "failed",
        "error": track.error,
    }


def _next_id(db: sqlite3.Connection, table: str) -> int:
    """Ids are never used twice (AUTOINCREMENT): labels of search graphs rely on it."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 1 if row is None else int(row[0]) + 1


class _Folders:
    """The folder of the library that each place belongs to; added where there is none yet."""

    def __init__(self, library: Library, places: Iterable[str]) -> None:
        self._library = library
        above = set[str]()  # of files of this machine
        stores = set[str]()
        for place in places:
            if filenames.is_address(Path(place)):
                stores.add(split_address(place)[0])
            else:
                above.add(os.path.dirname(place))  # noqa: PTH120
        self._stores = {store: _store_id(library, store) for store in stores}
        self._above = dict[str, tuple[int, bytes]]()
        known = [folder.path for folder in library.folders()]
        strange = [one for one in map(Path, above) if not any(map(one.is_relative_to, known))]
        for root in common_roots(strange):
            folder = library.add_folder(root)
            _note_availability(library, folder.id, folder.path)
        self._roots = [(f.id, f.path) for f in library.folders()]

    def place(self, place: str) -> _Place:
        """(id of the folder, path in it)."""
        if filenames.is_address(Path(place)):
            store, inside = split_address(place)
            return self._stores[store], os.fsencode(inside)
        folder, name = os.path.split(place)
        if folder not in self._above:
            self._above[folder] = self._inside(Path(folder))
        folder_id, prefix = self._above[folder]
        return folder_id, prefix + os.fsencode(name)

    def _inside(self, folder: Path) -> tuple[int, bytes]:
        for path in (folder, filenames.resolved(folder)):
            for folder_id, root in self._roots:
                if path == root:
                    return folder_id, b""
                if path.is_relative_to(root):
                    return folder_id, filenames.relative_bytes(path, root) + b"/"
        raise LibraryError(f"{folder} is in none of the library's folders.")


def split_address(address: str) -> tuple[str, str]:
    """``s3://bucket/a/b.mp3`` -> (``s3://bucket``, ``a/b.mp3``): its store, and where in it."""
    scheme, _, rest = address.partition("://")
    first, _, inside = rest.partition("/")
    if not inside or "::" in first:  # an archive inside of a store, or a store without names
        return f"{scheme}://", rest
    return f"{scheme}://{first}", inside


def common_roots(folders: Sequence[Path]) -> list[Path]:
    """Few folders that hold all of these and do not overlap.

    None is above somebody's home, or so near the root of a drive that it may hold all and sundry,
    unless songs lie right there. LibraryError for songs in the root of a drive itself.
    """
    if not folders:
        return []
    root = Path(os.path.commonpath(folders))
    is_root = root == root.parent
    if is_root and root in folders:
        raise LibraryError(
            f"Songs lie directly in {root}. Move them into a folder, and name it in the manifest."
        )
    home = Path.home()
    is_too_high = len(root.parts) < MIN_FOLDER_PARTS or root in (home, *home.parents)
    if root in folders or not is_too_high:
        return [root]
    branches = defaultdict[str, list[Path]](list)
    for folder in folders:
        branches[folder.parts[len(root.parts)]].append(folder)
    return [top for branch in branches.values() for top in common_roots(branch)]


def _store_id(library: Library, store: str) -> int:
    with library.database.write() as db:
        raw = filenames.to_bytes(store)
        db.execute("INSERT OR IGNORE INTO folder (path, is_available) VALUES (?, 0)", (raw,))
        row = db.execute("SELECT id FROM folder WHERE path = ?", (raw,)).fetchone()
    return int(row[0])


def _note_availability(library: Library, folder_id: int, path: Path) -> None:
    from engine.library import track_rows

    with library.database.write() as db:
        track_rows.set_available(db, folder_id, path.is_dir())

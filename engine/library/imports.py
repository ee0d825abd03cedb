"""Taking in what was heard elsewhere: many tracks with their embeddings, in few transactions.

Files of this machine become tracks of real folders, which a scan then follows. What has an address
(``s3://bucket/song.mp3``) becomes a track of a folder that stands for its store: no scan looks for
it, nothing is ever missing from it, and nothing in it waits to be indexed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from engine.errors import LibraryError
from engine.library import codec, filenames, files, portraits
from engine.library.files import Sighting
from engine.library.records import Folder, Tags
from engine.library.store import Library
from engine.library.tables import tables
from engine.records import TrackEmbedding

MIN_FOLDER_PARTS = 3  # "/mnt/archive": nobody's folder of music is "/" or "/mnt"


@dataclass(frozen=True, eq=False)
class ImportedTrack:
    """A recording that was heard somewhere.

    Attributes:
        place: an absolute path, or an address.
        mtime_ns: of the file; 0 where its store tells none.
        heard: by space id; None where nobody sings.
    """

    place: str
    tags: Tags
    size_bytes: int
    mtime_ns: int
    audio_hash: str
    duration_s: float
    heard: Mapping[int, TrackEmbedding | None]


@dataclass(frozen=True)
class ImportCounts:
    """What became of imported tracks.

    Attributes:
        new: were not in the library. updated: were, and learned something.
        known: were, with all of this. outdated: the library knows a newer file in this place.
    """

    new: int = 0
    updated: int = 0
    known: int = 0
    outdated: int = 0

    def __add__(self, other: ImportCounts) -> ImportCounts:
        return ImportCounts(*map(sum, zip(astuple(self), astuple(other), strict=True)))


class Importer:
    """Brings tracks into a library, some at a time. The caller holds the library's lease.

    Args:
        places: of all tracks to come; their folders are added to the library here.
    """

    def __init__(self, library: Library, places: Iterable[str]) -> None:
        self._library = library
        self._dims = {space_id: key.dim for space_id, key in library.spaces()}
        self._stores = dict[str, int]()  # ids of folders, by address
        self._folders = dict[str, tuple[int, bytes]]()  # (id of the one above, path in it)
        self._add_folders(places)

    def put(self, tracks: Sequence[ImportedTrack]) -> ImportCounts:
        """One transaction: all of them, or none. What is known already is left as it is.

        ValueError where a vector is not (dim,), finite and of length 1.
        """
        counts = Counter[str]()
        placed = {self._place(track.place): track for track in tracks}  # last one counts
        with self._library.database.write() as db:
            for (folder_id, rel_path), track in placed.items():
                file = Sighting(folder_id, rel_path, track.size_bytes, track.mtime_ns, track.tags)
                counts[self._put(db, file, track)] += 1
        return ImportCounts(**counts)

    def _put(self, db: sqlite3.Connection, file: Sighting, track: ImportedTrack) -> str:
        """What became of it: the name of one of the counts."""
        state = {
            "audio_hash": track.audio_hash,
            "duration_s": track.duration_s,
            "state": "indexed",
            "error": None,
        }
        known = db.execute(
            "SELECT id, audio_hash, mtime_ns, state FROM track"
            " WHERE folder_id = ? AND rel_path = ?",
            (file.folder_id, file.rel_path),
        ).fetchone()
        if known is None:
            self._put_heard(db, files.add(db, file.columns() | state), track, set())
            return "new"
        track_id, known_hash, known_mtime_ns, known_state = known
        spaces = _heard_in(db, track_id)
        is_same_sound = known_hash in (None, track.audio_hash)
        if not is_same_sound and track.mtime_ns < known_mtime_ns:
            return "outdated"
        if not is_same_sound:
            files.forget_heard(db, track_id)
            spaces = set()
        elif known_state == "indexed" and track.heard.keys() <= spaces:
            return "known"
        # the tags of the same file are as its last scan read them
        tags = {} if known_hash == track.audio_hash else file.columns()
        files.update(db, track_id, tags | state)
        self._put_heard(db, track_id, track, spaces)
        return "updated"

    def _put_heard(
        self, db: sqlite3.Connection, track_id: int, track: ImportedTrack, spaces: set[int]
    ) -> None:
        """What was heard in a track, but for the spaces in which it is known already."""
        for space_id, embedding in track.heard.items():
            if space_id not in spaces:
                dim = self._dims[space_id]
                packed = None if embedding is None else codec.pack(embedding, dim)
                files.put_heard(db, track_id, space_id, packed)
                if embedding is not None and embedding.portrait is not None:
                    portraits.put(db, track_id, embedding.portrait)

    def _place(self, place: str) -> tuple[int, bytes]:
        """(id of the folder, path in it)."""
        if filenames.is_address(place):
            store, inside = split_address(place)
            return self._stores[store], os.fsencode(inside)
        folder, name = os.path.split(place)
        folder_id, prefix = self._folders[folder]
        return folder_id, prefix + os.fsencode(name)

    def _add_folders(self, places: Iterable[str]) -> None:
        above = set[str]()  # of files of this machine
        for place in places:
            if filenames.is_address(place):
                self._stores[split_address(place)[0]] = -1
            else:
                above.add(os.path.dirname(place))  # noqa: PTH120
        for store in self._stores:
            self._stores[store] = _store_id(self._library, store)
        known = [folder.path for folder in self._library.folders()]
        strange = [one for one in map(Path, above) if not any(map(one.is_relative_to, known))]
        for root in common_roots(strange):
            folder = self._library.add_folder(root)
            with self._library.database.write() as db:
                files.set_available(db, folder.id, folder.path.is_dir())
        folders = self._library.folders()
        self._folders = {path: _inside(folders, Path(path)) for path in above}


def _heard_in(db: sqlite3.Connection, track_id: int) -> set[int]:
    """Ids of the spaces in which a track was heard, with any outcome."""
    rows = db.execute(
        "SELECT space_id FROM embedding WHERE track_id = :track"
        " UNION ALL SELECT space_id FROM no_vocals WHERE track_id = :track",
        {"track": track_id},
    )
    return {row[0] for row in rows}


def _inside(folders: Sequence[Folder], path: Path) -> tuple[int, bytes]:
    """Where a folder of files lies: (id of the library's folder, path in it with its slash)."""
    for place in (path, filenames.resolved(path)):
        for folder in folders:
            if place == folder.path:
                return folder.id, b""
            if place.is_relative_to(folder.path):
                return folder.id, filenames.relative_bytes(place, folder.path) + b"/"
    raise LibraryError(f"{path} is in none of the library's folders.")


def _store_id(library: Library, store: str) -> int:
    """The folder that stands for a store; no scan looks for it."""
    raw = filenames.to_bytes(store)
    with library.database.write() as db:
        row = {"path": raw, "is_available": 0}
        tables(db).table("folder").insert(row, ignore=True)
        return int(db.execute("SELECT id FROM folder WHERE path = ?", (raw,)).fetchone()[0])


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

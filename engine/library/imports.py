"""Taking in what was heard elsewhere: many songs with their embeddings, in few transactions.

Files of this machine become tracks of real folders, which a scan then follows. What has an address
(``s3://bucket/song.mp3``) becomes a track of a folder that stands for its store: no scan looks for
it, nothing is ever missing from it, and nothing in it waits to be indexed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import LibraryError
from engine.library import codec, filenames, files
from engine.library.files import Sighting
from engine.library.heard import put_portrait, put_tags
from engine.library.records import Folder, Tags
from engine.library.store import Library
from engine.library.tables import tables
from engine.records import TrackEmbedding, View

MIN_FOLDER_PARTS = 3  # "/mnt/archive": nobody's folder of music is "/" or "/mnt"


@dataclass(frozen=True, eq=False)
class Song:
    """What was heard in one sound, somewhere.

    Attributes:
        path: an absolute path, or an address. archive_id: its owner's name for it.
        mtime_ns: of the file; 0 where its store tells none.
        heard: by view, of those that were listened to; None: nobody sings.
    """

    path: str
    tags: Tags
    size_bytes: int
    mtime_ns: int
    audio_hash: str
    duration_s: float
    heard: Mapping[View, TrackEmbedding | None]
    archive_id: str | None = None


class Importer:
    """Brings songs into a library, some at a time. The caller holds the library's lease.

    Args:
        paths: of all songs to come; their folders are added to the library here.
        space_ids: by view.
    """

    def __init__(
        self, library: Library, paths: Iterable[str], space_ids: Mapping[View, int]
    ) -> None:
        self._library = library
        self._space_ids = space_ids
        self._dims = {space_id: key.dim for space_id, key in library.spaces()}
        self._stores = dict[str, int]()  # ids of folders, by address
        self._folders = dict[str, tuple[int, bytes]]()  # (id of the one above, path in it)
        self._add_folders(paths)

    def put(self, songs: Sequence[Song]) -> Counter[str]:
        """One transaction: all of them, or none. Counts what became of them:

        ``new``; ``updated``: learned something; ``known``: all of this; ``outdated``: the library
        knows a newer file in this place. ValueError where a vector is not (dim,), finite and of
        length 1.
        """
        counts = Counter[str]()
        placed = {self._place(song.path): song for song in songs}  # last one counts
        with self._library.database.write() as db:
            for (folder_id, rel_path), song in placed.items():
                file = Sighting(folder_id, rel_path, song.size_bytes, song.mtime_ns, song.tags)
                counts[self._put(db, file, song)] += 1
        return counts

    def _put(self, db: sqlite3.Connection, file: Sighting, song: Song) -> str:
        known = db.execute(
            "SELECT id, audio_hash, mtime_ns, state FROM track"
            " WHERE folder_id = ? AND rel_path = ?",
            (file.folder_id, file.rel_path),
        ).fetchone()
        state = {"audio_hash": song.audio_hash, "duration_s": song.duration_s, "state": "indexed"}
        if known is None:
            self._put_heard(db, files.add(db, file.columns() | state), song, set())
            return "new"
        track_id, known_hash, known_mtime_ns, known_state = known
        is_same_sound = known_hash in (None, song.audio_hash)
        if not is_same_sound and song.mtime_ns < known_mtime_ns:
            return "outdated"
        if not is_same_sound:
            files.forget_heard(db, track_id)
        spaces = _heard_in(db, track_id)
        if known_state == "indexed" and {self._space_ids[view] for view in song.heard} <= spaces:
            return "known"
        # the tags of the same file are as its last scan read them
        tags = {} if known_hash == song.audio_hash else file.columns()
        files.update(db, track_id, tags | state | {"error": None})
        self._put_heard(db, track_id, song, spaces)
        return "updated"

    def _put_heard(
        self, db: sqlite3.Connection, track_id: int, song: Song, spaces: set[int]
    ) -> None:
        """What was heard in a song, but for the spaces in which it is known already."""
        for view, embedding in song.heard.items():
            space_id = self._space_ids[view]
            if space_id in spaces:
                continue
            packed = None if embedding is None else codec.pack(embedding, self._dims[space_id])
            files.put_heard(db, track_id, space_id, packed)
            if embedding is not None and embedding.portrait is not None:
                put_portrait(db, track_id, embedding.portrait)
            if embedding is not None and embedding.tags is not None:
                put_tags(db, track_id, embedding.tags)

    def _place(self, path: str) -> tuple[int, bytes]:
        """(id of the folder, path in it)."""
        if filenames.is_address(path):
            store, inside = split_address(path)
            return self._stores[store], os.fsencode(inside)
        folder, name = os.path.split(path)
        folder_id, prefix = self._folders[folder]
        return folder_id, prefix + os.fsencode(name)

    def _add_folders(self, paths: Iterable[str]) -> None:
        above = set[str]()  # of files of this machine
        for path in paths:
            if filenames.is_address(path):
                self._stores[split_address(path)[0]] = -1
            else:
                above.add(os.path.dirname(path))  # noqa: PTH120
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

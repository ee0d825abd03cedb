"""The library: tracks, what is known of them, and what was heard in them. One SQLite file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from engine.errors import LibraryError
from engine.library import codec, filenames, files, queries
from engine.library.codec import IN_IDS, ids_value
from engine.library.database import Database
from engine.library.heard import portraits, put_portrait, put_tags, tags_of
from engine.library.indexes import stored_vectors
from engine.library.kept.songs import note_places
from engine.library.lease import Lease
from engine.library.processes import clear_leftovers
from engine.library.records import Folder, LibraryCounts, Track, TrackStatus
from engine.library.tables import insert, tables
from engine.library.text import normalise
from engine.records import MomentCodes, SpaceKey, TrackEmbedding


class Library:
    """An open library. Any thread may use it; whoever opened it closes it.

    Every method raises LibraryError (or one of its kinds) when the file cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Library:
        """Open a library, made where it does not exist, brought to today's schema where it is old.

        Raises LibraryCorruptError (not ours, or damaged), LibraryNewerError, LibraryLockedError
        (busy), LibraryError (missing with ``create=False``, not readable, disk full).
        """
        clear_leftovers()  # here, since all that we start opens one
        return cls(Database(path, create=create))

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def path(self) -> Path:
        return self.database.path

    def lease(self) -> Lease:
        """The right to index, for a ``with`` block. LibraryLockedError while another has it."""
        return Lease(self.database)

    # folders

    def folders(self) -> list[Folder]:
        found = self.database.rows(
            "SELECT id, path, is_available,"
            " (SELECT count(*) FROM track WHERE folder_id = folder.id) FROM folder ORDER BY path"
        )
        return [Folder(row[0], filenames.from_bytes(row[1]), bool(row[2]), row[3]) for row in found]

    def add_folder(self, path: Path) -> Folder:
        """The folder of the library that covers ``path``: added, unless one above it is there.

        Folders never overlap: those below a new one are merged into it, tracks and all.
        """
        path = filenames.resolved(path)
        with self.database.write() as db:
            known = db.execute("SELECT id, path FROM folder").fetchall()
            paths = {folder_id: filenames.from_bytes(raw) for folder_id, raw in known}
            if not any(path.is_relative_to(above) for above in paths.values()):
                new = insert(db, "folder", {"path": filenames.to_bytes(path)})
                for folder_id, below in paths.items():
                    if below.is_relative_to(path):
                        files.merge_folder(db, folder_id, below, new, path)
        return next(folder for folder in self.folders() if path.is_relative_to(folder.path))

    def forget_folder(self, path: Path) -> int:
        """Forget a folder and all that was learned from it; returns the number of its tracks.

        The files themselves are not touched, and playlists keep its songs for when it comes back.
        LibraryError where it is no folder of the library.
        """
        absolute = filenames.given(path)
        for folder in self.folders():
            if folder.path in (absolute, filenames.resolved(path)):
                with self.database.write() as db:
                    note_places(db, folder.id)
                    db.execute("DELETE FROM folder WHERE id = ?", (folder.id,))
                self.database.shrink()
                return folder.num_tracks
        known = ", ".join(str(folder.path) for folder in self.folders()) or "none yet"
        raise LibraryError(f"{path} is not a folder of the library. Its folders are: {known}.")

    # tracks

    def track(self, track_id: int) -> Track:
        found = self.tracks([track_id])
        if not found:
            raise LibraryError(f"There is no track {track_id} in the library.")
        return found[0]

    def tracks(self, ids: Iterable[int]) -> list[Track]:
        """The tracks with these ids, in this order; ids that are not there are left out."""
        wanted = list(ids)
        found = self.database.rows(
            f"SELECT {codec.TRACK_COLUMNS} WHERE track.id {IN_IDS}", (ids_value(wanted),)
        )
        by_id = {row[0]: codec.track_from_row(row) for row in found}
        return [by_id[track_id] for track_id in wanted if track_id in by_id]

    def track_by_path(self, path: Path) -> Track | None:
        """The track that is this file, also when it is named through a link or spelt otherwise."""
        track_id = files.track_id_at(self.database, path)
        return next(iter(self.tracks([] if track_id is None else [track_id])), None)

    def tracks_of_equal_size(self) -> set[int]:
        """Ids of the tracks whose files have as many bytes as another one."""
        rows = self.database.rows(
            "SELECT id FROM track WHERE size_bytes IN"
            " (SELECT size_bytes FROM track GROUP BY size_bytes HAVING COUNT(*) > 1)"
        )
        return {row[0] for row in rows}

    def tracks_with_hash(self, audio_hash: str) -> list[int]:
        """Ids of the tracks with this sound: a file and its copies, whatever their tags."""
        rows = self.database.rows(
            "SELECT id FROM track WHERE audio_hash = ? ORDER BY id", (audio_hash,)
        )
        return [row[0] for row in rows]

    def track_ids(
        self,
        text: str = "",
        sort: str = "artist",
        descending: bool = False,
        status: TrackStatus | None = None,
        folder_id: int | None = None,
    ) -> list[int]:
        """Ids of the tracks with every word of ``text`` in title, artist, album, genre or path.

        ``sort``: artist, title, album, genre, year, track, duration, status, path, added or heard
        (by the strongest tag). Words may be parts of words; case and accents do not matter.
        """
        sql, values = queries.listed(text, sort, descending, status, folder_id)
        # in one piece: 100,000 rows of one number each would take longer than finding them
        ((ids,),) = self.database.rows(f"SELECT json_group_array(id) FROM ({sql})", values)
        found: list[int] = json.loads(ids)
        return found

    def find(self, words: str) -> list[int]:
        """Ids of the tracks that these words from artist and title mean, best first.

        Whole names come first: where the words are just a title, or artist and title, only such
        tracks are returned. Otherwise every word must occur in artist, title or album.
        """
        wanted = normalise(words)
        if not wanted:
            return []
        rows = self.database.rows(queries.NAMED_EXACTLY, {"words": wanted})
        if not rows:
            parts = wanted.split()
            rows = self.database.rows(queries.named_with(parts), parts)
        return [row[0] for row in rows]

    def counts(self) -> LibraryCounts:
        # nearly all are indexed: to count all, and the others, takes a third of grouping all
        by_status = dict(
            self.database.rows(
                "SELECT CASE WHEN is_missing THEN 'missing' ELSE state END, count(*) FROM track"
                " WHERE is_missing OR state != 'indexed' GROUP BY 1"
                " UNION ALL SELECT 'all', count(*) FROM track"
            )
        )
        num_tracks = by_status.pop("all")
        by_status["indexed"] = num_tracks - sum(by_status.values())
        in_space = self.database.rows(
            "SELECT id, (SELECT count(*) FROM embedding WHERE space_id = space.id) FROM space"
        )
        silent = self.database.rows(
            "SELECT count(DISTINCT track_id) FROM no_vocals WHERE track_id NOT IN (SELECT track_id"
            " FROM embedding JOIN space ON space.id = space_id WHERE view = 'vocals')"
        )
        return LibraryCounts(
            tracks=num_tracks,
            **{s.value: by_status.get(s.value, 0) for s in TrackStatus},
            no_vocals=silent[0][0],
            embeddings={space_id: num for space_id, num in in_space if num},
        )

    # spaces and embeddings

    def space_id(self, key: SpaceKey) -> int:
        """The id of a space, made where it does not exist. LibraryError: of other dimensions."""
        for _ in range(2):
            for space_id, known in self.spaces():
                if known == key:
                    return space_id
            row = {**asdict(key), "separator": key.separator or ""}
            with self.database.write() as db:
                tables(db).table("space").insert(row, ignore=True)
        raise LibraryError(
            f"The library knows {key.model} with another number of dimensions than {key.dim}. Take "
            "the model that is installed here."
        )

    def spaces(self) -> list[tuple[int, SpaceKey]]:
        columns = "id, model, model_sha256, view, separator, dim, listening"
        sql = f"SELECT {columns} FROM space ORDER BY id"
        # remembered, since every search asks for them several times
        found = self.database.remembered("spaces", lambda: self.database.rows(sql))
        return [
            (row[0], SpaceKey(row[1], row[2], row[3], row[4] or None, row[5], row[6]))
            for row in found
        ]

    def space(self, space_id: int) -> SpaceKey:
        return dict(self.spaces())[space_id]

    def pending(self, space_id: int, *, to_separate: bool = False) -> list[int]:
        """Ids of the tracks that wait for their embedding in this space, in the order of a scan.

        ``to_separate``: also those whose voice was only heard through the whole song. Not those
        that are missing, on a drive that is not there, failed (see ``clear_failure``), or in which
        nobody sings.
        """
        rows = self.database.rows(
            "SELECT track.id FROM track JOIN folder ON folder.id = folder_id"
            " WHERE is_available AND NOT is_missing AND state != 'failed'"
            " AND track.id NOT IN (SELECT track_id FROM embedding WHERE space_id = :space"
            f"   AND NOT (:to_separate AND from_mixture = {codec.TO_SEPARATE}))"
            " AND track.id NOT IN (SELECT track_id FROM no_vocals WHERE space_id = :space)"
            " ORDER BY track.id",
            {"space": space_id, "to_separate": to_separate},
        )
        return [row[0] for row in rows]

    def from_mixture(self, space_id: int, track_ids: Iterable[int]) -> set[int]:
        """Those of these tracks whose voice was only heard through the whole song."""
        return set(self._sources(space_id, track_ids))

    def _sources(self, space_id: int, track_ids: Iterable[int]) -> dict[int, int]:
        rows = self.database.rows(
            "SELECT track_id, from_mixture FROM embedding WHERE space_id = ? AND from_mixture"
            f" AND track_id {IN_IDS}",
            (space_id, ids_value(track_ids)),
        )
        return dict(rows)

    def num_to_separate(self, space_id: int) -> int:
        """How many voices were heard through whole songs, and wait for being separated."""
        sql = "SELECT count(*) FROM embedding WHERE space_id = ? AND from_mixture = ?"
        return int(self.database.rows(sql, (space_id, codec.TO_SEPARATE))[0][0])

    def put_embedding(
        self,
        track_id: int,
        space_id: int,
        embedding: TrackEmbedding | None,
        *,
        audio_hash: str,
        duration_s: float,
    ) -> None:
        """Keep what was heard in a track, which is indexed from now on. One transaction.

        None: nobody sings in it, in a space of the view ``vocals``. Its tags take the place of
        earlier ones, where the model knows any; a separated voice's portrait takes the place of the
        earlier one. A track that was forgotten meanwhile stays so. ValueError where the vector is
        not (dim,), finite and of length 1.
        """
        space = self.space(space_id)
        if embedding is None and space.view != "vocals":
            raise ValueError("only the view vocals can lack vocals")
        packed = None if embedding is None else codec.pack(embedding, space.dim)
        with self.database.write() as db:
            if not files.mark_heard(db, track_id, space_id, audio_hash, duration_s):
                return
            files.put_heard(db, track_id, space_id, packed)
            if embedding is not None and embedding.tags is not None:
                put_tags(db, track_id, embedding.tags)
            if embedding is None:
                put_portrait(db, track_id, None)
            elif space.view == "vocals" and not embedding.from_mixture:
                put_portrait(db, track_id, embedding.portrait)

    def put_missing(self, track_id: int) -> None:
        """Keep that the file is not there any more, until a scan finds it again."""
        with self.database.write() as db:
            files.set_missing(db, [track_id], True)

    def heard(self, audio_hash: str, space_id: int) -> tuple[TrackEmbedding | None, float] | None:
        """What was heard in a sound, in whichever track: (None: nobody sings, duration in seconds).

        None where no track with this sound was heard in the space.
        """
        for track in self.tracks(self.tracks_with_hash(audio_hash)):
            embedding = self.embedding(space_id, track.id)
            silent = self.database.row(
                "SELECT 1 FROM no_vocals WHERE track_id = ? AND space_id = ?", (track.id, space_id)
            )
            if (embedding or silent) and track.duration_s is not None:
                return embedding, track.duration_s
        return None

    def embedding(self, space_id: int, track_id: int) -> TrackEmbedding | None:
        """All that was heard in a track in a space; None where nothing was."""
        _, vectors = self.embeddings(space_id, [track_id])
        moments = self.moments_of([track_id], space_id).get(track_id)
        if not len(vectors) or moments is None:
            return None
        source = self._sources(space_id, [track_id]).get(track_id)
        tags = tags_of(self.database, [track_id]).get(track_id)
        portrait = portraits(self.database, [track_id]).get(track_id)
        is_inseparable = source == codec.INSEPARABLE
        return TrackEmbedding(vectors[0], moments, bool(source), portrait, tags, is_inseparable)

    def put_failure(self, track_id: int, reason: str) -> None:
        """Keep why a track could not be indexed. What is known of it otherwise stays."""
        with self.database.write() as db:
            db.execute(
                "UPDATE track SET state = 'failed', error = ? WHERE id = ?", (reason, track_id)
            )

    def clear_failure(self, track_ids: Iterable[int] | None = None) -> int:
        """Let failed tracks (all, or these) be tried again; returns how many there were.

        Not those in folders that are not there: they could not be listened to.
        """
        ids = self.track_ids(status=TrackStatus.FAILED) if track_ids is None else list(track_ids)
        with self.database.write() as db:
            return db.execute(
                "UPDATE track SET error = NULL, state = CASE WHEN id IN (SELECT track_id FROM"
                " embedding UNION SELECT track_id FROM no_vocals) THEN 'indexed' ELSE 'new' END"
                f" WHERE state = 'failed' AND id {IN_IDS}"
                " AND folder_id IN (SELECT id FROM folder WHERE is_available)",
                (ids_value(ids),),
            ).rowcount

    def embeddings(
        self, space_id: int, ids: Iterable[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(track ids (n,) int64, vectors (n, dim) float32) of a space, all or of these tracks.

        In the order of ``ids``; tracks without an embedding in the space are left out.
        """
        dim = self.space(space_id).dim
        if ids is None:
            track_ids, vectors = [np.empty(0, np.int64)], [np.empty((0, dim), np.float32)]
            for _, some, halves in stored_vectors(self.database, space_id, dim):
                track_ids.append(some)
                vectors.append(codec.unit(halves))
            return np.concatenate(track_ids), np.concatenate(vectors)
        wanted = list(ids)
        rows = self.database.rows(
            f"SELECT track_id, vector FROM embedding WHERE space_id = ? AND track_id {IN_IDS}",
            (space_id, ids_value(wanted)),
        )
        by_track = dict(rows)
        there = [one for one in wanted if one in by_track]
        halves = codec.stored_vectors([by_track[one] for one in there], dim)
        return np.array(there, np.int64), codec.unit(halves)

    def moments_of(self, track_ids: Iterable[int], space_id: int) -> dict[int, MomentCodes]:
        """By track, of those of them that have an embedding in the space."""
        rows = self.database.rows(
            "SELECT track_id, num_moments, length_s, starts, codes FROM moments JOIN embedding"
            f" ON embedding.id = embedding_id WHERE space_id = ? AND track_id {IN_IDS}",
            (space_id, ids_value(track_ids)),
        )
        return {row[0]: codec.unpack_moments(row[1:]) for row in rows}

"""A catalogue: a folder, or an address in a store of objects, with two tables of LanceDB.

``songs`` has a row for each sound that was heard: where it lies, its tags, and its embeddings. Its
schema says by which models it was made; one table knows one way of hearing. ``skipped`` has what is
not among them, and why. What all songs of a space have in common lies beside its column.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import CatalogueError
from engine.library import filenames
from engine.library.codec import unpack_centre
from engine.library.imports import Song
from engine.records import SpaceKey
from engine.search.remote.rows import (
    METADATA,
    VERSION,
    Skipped,
    described,
    packed,
    schema,
    skipped_schema,
    song_id,
    songs_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

SONGS, SKIPPED = "songs", "skipped"
_CENTRE = "singalike.centre"
_SEEN_ANEW = timedelta(seconds=20)  # what others have written meanwhile
# A store of objects that does not answer is told of after some minutes, not after an hour.
_STORAGE = {"client_max_retries": "4", "retry_timeout": "60s", "connect_timeout": "10s"}


@contextmanager
def in_words(place: str) -> Iterator[None]:
    """What LanceDB raises becomes CatalogueError: a sentence that says what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CatalogueError(
            f"This needs the package {error.name}: pip install 'singalike[catalogue]'."
        ) from error
    except (RuntimeError, OSError, ValueError) as error:
        told = " ".join(str(error).split())
        hint = next((hint for sign, hint in _HINTS.items() if sign in told.lower()), _NO_HINT)
        raise CatalogueError(
            f"The catalogue {place} cannot be used: {hint} ({told[:300]})"
        ) from error


_RIGHTS = "You may not read or write there. Look at your rights, and the keys in your environment."
_NO_BUCKET = "There is no such bucket. Make it, or correct the address."
_NO_ANSWER = "The network or the store does not answer. Run the same command again."
_NO_HINT = "Check the address, that it can be reached, and that you may read and write there."
_HINTS = {
    "no space left": "The disk is full. Make room, then run the same command again.",
    "nosuchbucket": _NO_BUCKET,
    "bucket does not exist": _NO_BUCKET,
    "permission denied": _RIGHTS,
    "accessdenied": _RIGHTS,
    "403": _RIGHTS,
    "credential": _RIGHTS,
    "error sending request": _NO_ANSWER,
    "timed out": _NO_ANSWER,
    "was not found": "A part of it is gone. Run `singalike-catalogue verify` on it.",
}


class SongTable:
    """An open catalogue. Any thread may use it. Everything raises CatalogueError.

    Attributes:
        place: its folder or address.
        spaces: one for each view that was listened to.
    """

    def __init__(self, place: str, songs: Any, skipped: Any, spaces: tuple[SpaceKey, ...]) -> None:
        self.place = place
        self.songs, self.skipped, self.spaces = songs, skipped, spaces

    @classmethod
    def open(cls, place: str) -> SongTable:
        """CatalogueError where there is none, or one by a newer version."""
        database = _database(place)
        with in_words(place):
            if SONGS not in database.list_tables().tables:
                raise CatalogueError(
                    f"There is no catalogue at {place}. Fill one with `singalike-catalogue run`."
                )
            songs, skipped = database.open_table(SONGS), database.open_table(SKIPPED)
        version, spaces = _told(place, songs.schema)
        if version != VERSION:
            raise CatalogueError(
                f"The catalogue {place} is of version {version}; this Singalike knows {VERSION}. "
                "Update Singalike."
            )
        if missing := [one for one in schema(spaces) if one.name not in songs.schema.names]:
            with in_words(place):  # made before there were tags, or portraits
                songs.add_columns(missing)
        return cls(place, songs, skipped, spaces)

    @classmethod
    def create(cls, place: str, spaces: Sequence[SpaceKey]) -> SongTable:
        """An empty one, or the one that is there. CatalogueError where that hears otherwise."""
        database = _database(place, create=True)
        with in_words(place):
            if SONGS not in database.list_tables().tables:
                kind = schema(spaces)
                database.create_table(SKIPPED, schema=skipped_schema(), exist_ok=True)
                songs = database.create_table(SONGS, schema=kind, exist_ok=True)
                songs.set_unenforced_primary_key("id")
        table = cls.open(place)
        if table.spaces != tuple(spaces):
            raise CatalogueError(
                f"The catalogue {place} was made by {described(table.spaces)}, and this would add "
                f"what {described(spaces)} hears. Take the same models, or name another place."
            )
        return table

    # Reading

    def rows(self, columns: Sequence[str], where: str = "", limit: int | None = None) -> pa.Table:
        """The songs for which a condition of SQL holds, in no order."""
        with in_words(self.place):
            asked = self.songs.search().select(list(columns))
            asked = asked.where(where) if where else asked
            return (asked.limit(limit) if limit is not None else asked).to_arrow()

    def told(self, query: Any) -> pa.Table:
        """The rows of a query of LanceDB."""
        with in_words(self.place):
            return query.to_arrow()

    def batches(
        self, columns: Sequence[str], where: str = "", num_rows: int = 4096
    ) -> Iterator[pa.RecordBatch]:
        """The same, for millions of rows, some at a time."""
        with in_words(self.place):
            asked = self.songs.search().select(list(columns))
            yield from (asked.where(where) if where else asked).to_batches(num_rows)

    def song_batches(self, num_rows: int = 4096) -> Iterator[pa.RecordBatch]:
        """All that ``songs_of`` needs, some rows at a time."""
        names = (name for name in self.songs.schema.names if not name.endswith(("_keys", "words")))
        return self.batches(list(names), num_rows=num_rows)

    def skipped_batches(self) -> Iterator[pa.RecordBatch]:
        with in_words(self.place):
            yield from self.skipped.search().to_batches(4096)

    def count(self, where: str | None = None) -> int:
        with in_words(self.place):
            return int(self.songs.count_rows(where))

    def sample(self, num: int) -> str:
        """A condition for about ``num`` songs, whichever: ids are hashes."""
        return f"id % {max(1, self.count() // max(1, num))} = 0"

    def centre(self, key: SpaceKey) -> np.ndarray | None:
        """(dim,) float32: what the songs of a space had in common when it was last indexed."""
        told = self.kept(key, _CENTRE)
        try:
            return None if told is None else unpack_centre(base64.b64decode(told), key.dim)
        except ValueError:  # no base64; indexing anew makes it again
            return None

    def set_centre(self, key: SpaceKey, centre: np.ndarray) -> None:
        self.keep(key, _CENTRE, base64.b64encode(centre.astype("<f4").tobytes()).decode())

    def kept(self, key: SpaceKey, name: str) -> str | None:
        """A text that lies beside the vectors of a space."""
        with in_words(self.place):
            told = self.songs.schema.field(f"{key.view}_vector").metadata or {}
        return told[name.encode()].decode() if name.encode() in told else None

    def keep(self, key: SpaceKey, name: str, text: str) -> None:
        change = {"path": f"{key.view}_vector", "metadata": {name: text}}
        with in_words(self.place):
            self.songs.update_field_metadata(change)

    # Writing

    def add(self, songs: Sequence[Song], skipped: Sequence[Skipped] = ()) -> list[Skipped]:
        """Append songs whose sounds are not there yet; returns the copies among them.

        Songs appear all at once, however many processes write. A vector that is not (dim,), finite
        and of length 1 is a ValueError.
        """
        by_id = {song_id(song.audio_hash, self.spaces): song for song in reversed(songs)}
        listed = ", ".join(map(str, by_id)) or "0"
        found = self.rows(["id", "path"], f"id IN ({listed})").to_pylist()
        known = {row["id"]: row["path"] for row in found}
        new = {number: song for number, song in by_id.items() if number not in known}
        paths = known | {number: song.path for number, song in new.items()}
        copies = [
            Skipped(song.path, f"The same sound as {kept}.", is_failed=False)
            for song in songs
            if (kept := paths[song_id(song.audio_hash, self.spaces)]) != song.path
        ]
        with in_words(self.place):
            if new:
                rows = packed(new, self.spaces)
                insert = self.songs.merge_insert("id").when_not_matched_insert_all()
                insert.execute(rows, on_bad_vectors="null")
            if told := [*skipped, *copies]:
                self._skip(told)
        return copies

    def _skip(self, told: Sequence[Skipped]) -> None:
        """A path that was skipped before has the newest reason."""
        rows = {one.path: asdict(one) for one in told}
        change = self.skipped.merge_insert("path").when_matched_update_all()
        change.when_not_matched_insert_all().execute(list(rows.values()))

    def forget_failures(self) -> None:
        """So that they are tried again."""
        with in_words(self.place):
            self.skipped.delete("is_failed")


def _told(place: str, kind: pa.Schema) -> tuple[object, tuple[SpaceKey, ...]]:
    """(version, spaces) of a schema, which may be anybody's; without spaces if it is a newer one.

    CatalogueError where they are none, or their columns are not as they say.
    """
    try:
        told = json.loads((kind.metadata or {}).get(METADATA.encode(), b"{}"))
        if told.get("version") != VERSION:
            return told.get("version"), ()
        spaces = tuple(SpaceKey(**space) for space in told["spaces"])
        if not spaces or any(
            kind.field(f"{key.view}_vector").type.list_size != key.dim for key in spaces
        ):
            raise ValueError("its vectors are of other dimensions")
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CatalogueError(
            f"The table of songs at {place} is no catalogue of Singalike's ({error!r:.200}). Name "
            "another place, or fill a new one with `singalike-catalogue run`."
        ) from error
    return VERSION, spaces


def _database(place: str, *, create: bool = False) -> Any:
    """LanceDB makes folders wherever it is asked to look: not for one who only reads."""
    with in_words(place):
        import lancedb

        if not filenames.is_address(place):
            folder = Path(place)
            if not create and not folder.is_dir():
                raise CatalogueError(
                    f"There is no catalogue at {place}. Fill one with `singalike-catalogue run`."
                )
            return lancedb.connect(folder, read_consistency_interval=_SEEN_ANEW)
        return lancedb.connect(
            place, read_consistency_interval=_SEEN_ANEW, storage_options=dict(_STORAGE)
        )


def songs_in(table: SongTable, num_rows: int = 256) -> Iterator[list[Song]]:
    """All of a table, some at a time. CatalogueError where a row is damaged."""
    for batch in table.song_batches(num_rows):
        try:
            yield songs_of(batch, table.spaces)
        except (TypeError, ValueError) as error:
            raise CatalogueError(
                f"The catalogue {table.place} is damaged: {error}. Run "
                "`singalike-catalogue verify` on it, which tells where."
            ) from error

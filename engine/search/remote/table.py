"""A catalogue: a folder, or an address in a store of objects, with two tables of LanceDB.

``songs`` has a row for each sound that was heard: where it lies, its tags, and its embeddings. Its
schema says by which models it was made; one table knows one way of hearing. ``skipped`` has what is
not among them, and why. What all songs of a space have in common lies beside its column.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
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
    row_of,
    schema,
    skipped_schema,
)

if TYPE_CHECKING:
    import pyarrow as pa

SONGS, SKIPPED = "songs", "skipped"
_CENTRE = "singalike.centre"
_SEEN_ANEW = timedelta(seconds=20)  # what others have written meanwhile
# A store of objects that does not answer is told of after some minutes, not after an hour.
_STORAGE = {"client_max_retries": "4", "retry_timeout": "60s", "connect_timeout": "10s"}
_HINTS = {
    "no space left": "The disk is full. Make room, then run the same command again.",
    "nosuchbucket|bucket does not exist": (
        "There is no such bucket. Make it, or correct the address."
    ),
    "permission denied|accessdenied|403|credential": (
        "You may not read or write there. Look at your rights, and the keys in your environment."
    ),
    "error sending request|timed out": (
        "The network or the store does not answer. Run the same command again."
    ),
    "was not found": "A part of it is gone. Run `singalike-catalogue verify` on it.",
    "": "Check the address, that it can be reached, and that you may read and write there.",
}


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
        hint = next(hint for signs, hint in _HINTS.items() if re.search(signs, told.lower()))
        raise CatalogueError(
            f"The catalogue {place} cannot be used: {hint} ({told[:300]})"
        ) from error


class SongTable:
    """An open catalogue. Any thread may use it. Everything raises CatalogueError.

    Attributes:
        place: its folder or address.
        songs, skipped: tables of LanceDB.
        spaces: one for each view that was listened to.
    """

    def __init__(self, place: str, songs: Any, skipped: Any) -> None:
        self.place, self.songs, self.skipped = place, songs, skipped
        self.spaces = _spaces(place, songs.schema)

    @classmethod
    def open(cls, place: str) -> SongTable:
        """CatalogueError where there is none, or one by a newer version."""
        with in_words(place):
            # LanceDB makes folders wherever it is asked to look
            is_there = filenames.is_address(place) or Path(place).is_dir()
            if not is_there or SONGS not in (database := _database(place)).list_tables().tables:
                raise CatalogueError(
                    f"There is no catalogue at {place}. Fill one with `singalike-catalogue run`."
                )
            return cls(place, database.open_table(SONGS), database.open_table(SKIPPED))

    @classmethod
    def create(cls, place: str, spaces: Sequence[SpaceKey]) -> SongTable:
        """An empty one, or the one that is there. CatalogueError where that hears otherwise."""
        with in_words(place):
            database = _database(place)
            if SONGS not in database.list_tables().tables:
                database.create_table(SKIPPED, schema=skipped_schema(), exist_ok=True)
                songs = database.create_table(SONGS, schema=schema(spaces), exist_ok=True)
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
            asked = self.songs.search().select(list(columns)).limit(limit)
            return (asked.where(where) if where else asked).to_arrow()

    def by_id(self, columns: Sequence[str], ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Rows of those of these songs that are there."""
        found = self.rows(["id", *columns], among(ids)).to_pylist()
        return {row["id"]: row for row in found}

    def batches(self, columns: Sequence[str], num_rows: int = 4096) -> Iterator[pa.RecordBatch]:
        """All of them, some at a time."""
        with in_words(self.place):
            yield from self.songs.search().select(list(columns)).to_batches(num_rows)

    def paths(self) -> Iterator[str]:
        for batch in self.batches(["path"]):
            yield from batch.column("path").to_pylist()

    def skipped_rows(self) -> pa.Table:
        with in_words(self.place):
            return self.skipped.to_arrow()

    def count(self, where: str | None = None) -> int:
        with in_words(self.place):
            return int(self.songs.count_rows(where))

    def sample(self, num: int) -> str:
        """A condition for about ``num`` songs, whichever: ids are hashes."""
        return f"id % {max(1, self.count() // max(1, num))} = 0"

    def centre(self, key: SpaceKey) -> np.ndarray | None:
        """(dim,) float32: what the songs of a space had in common when it was last indexed."""
        try:
            return unpack_centre(base64.b64decode(self.kept(key, _CENTRE)), key.dim)
        except ValueError:  # no base64; indexing anew makes it again
            return None

    def set_centre(self, key: SpaceKey, centre: np.ndarray) -> None:
        self.keep(key, _CENTRE, base64.b64encode(centre.astype("<f4").tobytes()).decode())

    def kept(self, key: SpaceKey, name: str) -> str:
        """A text that lies beside the vectors of a space; "" where there is none."""
        with in_words(self.place):
            told = self.songs.schema.field(f"{key.view}_vector").metadata or {}
        return told.get(name.encode(), b"").decode()

    def keep(self, key: SpaceKey, name: str, text: str) -> None:
        change = {"path": f"{key.view}_vector", "metadata": {name: text}}
        with in_words(self.place):
            self.songs.update_field_metadata(change)

    # Writing

    def add(self, songs: Sequence[Song], skipped: Sequence[Skipped] = ()) -> int:
        """Append songs whose sounds are not there yet; returns how many are new.

        Songs appear all at once, however many processes write. Copies, which are sounds that lie
        at another place, too, are noted as skipped. CatalogueError for a vector that is not (dim,),
        finite and of length 1.
        """
        with in_words(self.place):
            rows = [row_of(song, self.spaces) for song in reversed(songs)]  # the first one counts
            num_new = _insert(self.songs, "id", rows)
            there = self.by_id(["path"], (row["id"] for row in rows))
            copies = [
                Skipped(row["path"], f"The same sound as {path}.", is_failed=False)
                for row in rows
                if (path := there[row["id"]]["path"]) != row["path"]
            ]
            _insert(self.skipped, "path", [asdict(one) for one in (*skipped, *copies)])
        return num_new


def among(ids: Iterable[int]) -> str:
    """A condition for these songs."""
    listed = ", ".join(str(int(one)) for one in ids)
    return f"id IN ({listed})" if listed else "false"


def _insert(table: Any, key: str, rows: Sequence[dict[str, Any]]) -> int:
    """Those whose key is not there yet, whoever else writes meanwhile; how many these are."""
    import pyarrow as pa

    if not rows:
        return 0
    once = pa.Table.from_pylist(list({row[key]: row for row in rows}.values()), table.schema)
    insert = table.merge_insert(key).when_not_matched_insert_all()
    return int(insert.execute(once, on_bad_vectors="null").num_inserted_rows)


def _spaces(place: str, kind: pa.Schema) -> tuple[SpaceKey, ...]:
    """Of a schema, which may be anybody's.

    CatalogueError where it tells none, where its columns are not theirs, or of a newer version.
    """
    try:
        told = json.loads(kind.metadata[METADATA.encode()])
        if told["version"] != VERSION:
            raise CatalogueError(
                f"The catalogue {place} is of version {told['version']!r:.20}; this Singalike "
                f"knows {VERSION}. Update Singalike."
            )
        spaces = tuple(SpaceKey(**space) for space in told["spaces"])
        if not spaces or not kind.equals(schema(spaces)):
            raise ValueError("its columns are not those of its models")
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CatalogueError(
            f"The table of songs at {place} is no catalogue of Singalike's ({error!r:.200}). Name "
            "another place, or fill a new one with `singalike-catalogue run`."
        ) from error
    return spaces


def _database(place: str) -> Any:
    import lancedb

    where = place if filenames.is_address(place) else Path(place)
    return lancedb.connect(where, read_consistency_interval=_SEEN_ANEW, storage_options=_STORAGE)

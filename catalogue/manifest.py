"""What is to be heard: a table with one recording per row, as CSV, TSV or Parquet.

The column ``path`` (or ``address``, ``url``) names the file: a path, relative ones as seen from the
manifest, or any address that fsspec opens. Optional: ``id``, ``title``, ``artist``, ``album``,
``album_artist``, ``genre``, ``year``, ``track_number``; what is empty is read from the file's tags.
Other columns are left alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalogue.storage import absolute, common_folder, folder_of, opened
from engine.errors import CatalogueError
from engine.library import Tags

PLACE_COLUMNS = ("path", "address", "url")
TEXT_COLUMNS = ("title", "artist", "album", "album_artist", "genre")
NUMBER_COLUMNS = ("year", "track_number")
COLUMNS = (*PLACE_COLUMNS, "id", *TEXT_COLUMNS, *NUMBER_COLUMNS)


@dataclass(frozen=True)
class Entry:
    """One row.

    Attributes:
        row: counted from 0.
        address: an absolute path or an address; "" where the row names none.
        tags: what the row says; "" and None where it says nothing.
    """

    row: int
    address: str
    id: str | None
    tags: Tags


@dataclass(frozen=True)
class Manifest:
    """A manifest that has been read once, from end to end.

    ``root``: the folder that all of its recordings are in, "" where there is none; what is below
    tells who sings where a file has no tags.
    """

    place: str
    num_rows: int
    root: str

    def entries(self) -> Iterator[Entry]:
        """Streams: millions of rows need no memory."""
        base = folder_of(self.place)
        for row, values in enumerate(_rows(self.place)):
            yield _entry(row, values, base)


def read_manifest(place: str) -> Manifest:
    """Count a manifest's rows. CatalogueError where it is none."""
    place = absolute(place)
    num_rows, root, base = 0, None, folder_of(place)
    for values in _rows(place):
        num_rows += 1
        if where := _place(values, base):
            folder = folder_of(where.partition("::")[0])  # in an archive: what is inside of it
            root = folder if root is None else common_folder(root, folder)
    if not num_rows:
        raise CatalogueError(f"{place} has no rows. Name a manifest that lists recordings.")
    return Manifest(place, num_rows, root or "")


def _entry(row: int, values: Mapping[str, Any], base: str) -> Entry:
    texts = (_text(values.get(name)) for name in TEXT_COLUMNS)
    numbers = (_number(values.get(name)) for name in NUMBER_COLUMNS)
    tags = Tags(*texts, *numbers)  # type: ignore[arg-type]  # texts are as many as Tags has
    return Entry(row, _place(values, base), _text(values.get("id")) or None, tags)


def _place(values: Mapping[str, Any], base: str) -> str:
    place = next((text for name in PLACE_COLUMNS if (text := _text(values.get(name)))), "")
    return absolute(place, base) if place else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _number(value: Any) -> int | None:
    """1999, "1999", "1999-05-01", 1999.0, "7/12" -> the number in front; else None."""
    found = re.match(r"\d{1,9}(?!\d)", _text(value))
    return int(found[0]) if found else None


def _rows(place: str) -> Iterator[Mapping[str, Any]]:
    suffix = place.rpartition("?")[0] or place
    kind = suffix.rpartition(".")[2].lower()
    readers = {"csv": _csv, "tsv": _csv, "parquet": _parquet}
    if kind not in readers:
        raise CatalogueError(
            f"{place} is no manifest. Write one as .csv, .tsv or .parquet, with a column `path`."
        )
    try:
        yield from readers[kind](place)
    except (pa.ArrowInvalid, UnicodeDecodeError, csv.Error) as error:
        raise CatalogueError(
            f"{place} is not the {kind} that its name says, in UTF-8: {error}."
        ) from error


def _csv(place: str) -> Iterator[Mapping[str, Any]]:
    with opened(place) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        reader = csv.DictReader(text, delimiter="\t" if ".tsv" in place.lower() else ",")
        _check_columns(place, reader.fieldnames or ())
        yield from reader


def _parquet(place: str) -> Iterator[Mapping[str, Any]]:
    with opened(place) as file:
        table = pq.ParquetFile(file)
        _check_columns(place, table.schema_arrow.names)
        wanted = [name for name in table.schema_arrow.names if name in COLUMNS]
        for batch in table.iter_batches(columns=wanted):
            yield from batch.to_pylist()


def _check_columns(place: str, names: Iterable[str]) -> None:
    if not set(names) & set(PLACE_COLUMNS):
        raise CatalogueError(
            f"{place} has no column `path`. Name the column that holds paths or addresses so; it "
            f"has: {', '.join(names) or 'none'}."
        )

"""What is to be heard: a table with one recording per row, as CSV, TSV or Parquet.

The column ``path`` names the file: a path, relative ones as seen from the manifest, or any address
that fsspec opens. Optional: ``id``, ``title``, ``artist``, ``album``, ``album_artist``, ``genre``,
``year``, ``track_number``; what is empty is read from the file's tags. Others are left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from fsspec.core import url_to_fs
from pyarrow.csv import ConvertOptions, ParseOptions
from pyarrow.dataset import CsvFileFormat, ParquetFileFormat, dataset

from engine.errors import CatalogueError
from engine.library import Tags
from engine.library.filenames import is_address
from engine.library.scan.tags import leading_number

TEXTS, NUMBERS = ("title", "artist", "album", "album_artist", "genre"), ("year", "track_number")
COLUMNS = ("path", "id", *TEXTS, *NUMBERS)


@dataclass(frozen=True)
class Entry:
    """One row.

    Attributes:
        address: an absolute path or an address.
        place: where it lies below the manifest, or in an archive, by which its tags are guessed.
        tags: what the row says; "" and None where it says nothing.
    """

    address: str
    place: Path
    id: str | None
    tags: Tags


def entries(manifest: str) -> Iterator[Entry]:
    """All rows of a manifest, streamed. CatalogueError where it is none."""
    base = os.path.dirname(manifest)  # noqa: PTH120, of addresses, too
    for number, row in enumerate(_rows(manifest), 1):
        if not _text(row, "path"):
            raise CatalogueError(
                f"Row {number} of {manifest} has nothing in a column `path`. Name the column that "
                "holds paths or addresses so, and correct the row or leave it out."
            )
        address = absolute(_text(row, "path"), base)
        numbers = (leading_number(_text(row, name)) for name in NUMBERS)
        texts = (_text(row, name) for name in TEXTS)
        tags = Tags(*texts, *numbers)  # type: ignore[arg-type]  # texts are as many as Tags has
        yield Entry(address, _place(address, base), _text(row, "id") or None, tags)


def absolute(place: str, base: str = "") -> str:
    """A path or address as it is meant in a document that lies in the folder ``base``."""
    place = place if is_address(place) else os.path.join(base, place)  # noqa: PTH118
    return place if is_address(place) else os.path.abspath(place)  # noqa: PTH100


def _place(address: str, base: str) -> Path:
    inside, _, archive = address.partition("::")
    if archive:
        return Path(inside.partition("://")[2])
    is_below = address.startswith(base + "/")
    return Path(address.removeprefix(base + "/") if is_below else address.rpartition("/")[2])


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _rows(manifest: str) -> Iterator[dict[str, Any]]:
    try:
        system, path = url_to_fs(manifest)
        table = dataset(path, filesystem=system, format=_format(path))
        for batch in table.to_batches(columns=[n for n in COLUMNS if n in table.schema.names]):
            yield from batch.to_pylist()
    except FileNotFoundError as error:
        raise CatalogueError(f"There is no {manifest}. Check the address.") from error
    except Exception as error:  # each of fsspec's systems has errors of its own
        raise CatalogueError(
            f"{manifest} cannot be read ({error!r:.300}). Check the address, that you may read "
            "it, and that it is what its name says: .csv, .tsv (both in UTF-8) or .parquet."
        ) from error


def _format(path: str) -> Any:
    kind = Path(path.partition("?")[0]).suffix.lower()
    if kind == ".parquet":
        return ParquetFileFormat()
    parsed = ParseOptions(delimiter="\t" if kind == ".tsv" else ",", newlines_in_values=True)
    texts = ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()))  # "007" is an id
    return CsvFileFormat(parsed, convert_options=texts)

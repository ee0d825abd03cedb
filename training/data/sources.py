"""Where songs come from: Music4All, a folder ``artist/album/song``, or a table of files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from engine.evaluation.evaluation_data import csv_rows, table_rows
from engine.library.scan.walk import AUDIO_EXTENSIONS
from training.errors import DataError

Kind = Literal["mixture", "stems", "vocals", "speech", "accompaniment"]
TABLE_KINDS = ("mixture", "vocals", "accompaniment", "speech")


@dataclass(frozen=True)
class Song:
    """One song (or reading) of one artist, in one or several files.

    Attributes:
        key: identity within the source; the same on every run.
        kind: ``mixture`` (to be separated), ``stems`` (vocals with their mixture or accompaniment),
            ``vocals`` and ``speech`` (a voice alone), ``accompaniment`` (no voice).
        mixture, vocals, accompaniment: files; None where there is none.
        licence, corpus: as the table's columns licence and source say, "" where it has none.
        work: the same for several recordings of one song; "" where the recording is the song.
    """

    key: str
    artist: str
    title: str
    kind: Kind
    mixture: Path | None = None
    vocals: Path | None = None
    accompaniment: Path | None = None
    licence: str = ""
    corpus: str = ""
    work: str = ""

    @property
    def paths(self) -> list[Path]:
        return [p for p in (self.mixture, self.vocals, self.accompaniment) if p is not None]

    @property
    def has_voice(self) -> bool:
        return self.kind != "accompaniment"


assert set(TABLE_KINDS) <= set(get_args(Kind))
_SLOTS = {"speech": "vocals"}  # where a Song keeps a file, if not under the name of its kind


def read_source(path: Path, where: Sequence[str] = ()) -> list[Song]:
    """Songs of a source, whichever of the three it is.

    Args:
        path: a CSV or TSV table, the folder of Music4All as distributed, or a folder of music.
        where: ``COLUMN=TEXT`` each: rows of a table to take.

    Raises:
        DataError, EvaluationError: not found, not understood, or without any song.
    """
    if path.is_file():
        songs = read_table(path, where)
    elif (path / "id_information.csv").is_file():
        songs = read_music4all(path)
    elif path.is_dir():
        songs = read_folder(path)
    else:
        raise DataError(f"{path} is neither a table nor a folder. Check the path.")
    if not songs:
        notes = left_out(path) or ["Check the path."]
        raise DataError(f"No songs found in {path}. {notes[0]}")
    return songs


def read_music4all(root: Path) -> list[Song]:
    """``id_information.csv`` (tab-separated: id, artist, song, ...) and ``audios/<id>.mp3``."""
    header, rows = csv_rows(root / "id_information.csv", "\t")
    if not {"id", "artist", "song"} <= {*header}:
        raise DataError(
            f"{root / 'id_information.csv'} lacks the columns id, artist and song. "
            "Take the file as Music4All's authors distribute it (tab-separated)."
        )
    return [
        Song(
            row["id"],
            row["artist"],
            row["song"],
            "mixture",
            root / "audios" / f"{row['id']}.mp3",
            work=f"{row['artist']}\n{row['song']}",
        )
        for row in rows
    ]


def read_folder(root: Path) -> list[Song]:
    """``artist/album/song`` or ``artist/song``; the first folder below ``root`` is the artist."""
    return [
        Song("/".join(parts), parts[0], path.stem, "mixture", path)
        for path, parts in _sounds(root)
        if len(parts) > 1
    ]


def left_out(source: Path) -> list[str]:
    """Notes on what ``read_source`` finds and cannot use: songs in no artist's folder."""
    if not source.is_dir() or (source / "id_information.csv").is_file():
        return []
    strays = [parts[0] for _, parts in _sounds(source) if len(parts) == 1]
    if not strays:
        return []
    names = ", ".join(strays[:3]) + (", ..." if len(strays) > 3 else "")
    return [
        f"{len(strays)} song(s) lie in no artist's folder and were left out ({names}). Put them "
        "into folders named for their artists."
    ]


def _sounds(root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Audio files below a folder that are not hidden, sorted, with the names that lead to them."""
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        is_hidden = any(part.startswith(".") for part in parts)
        if path.suffix.lower() in AUDIO_EXTENSIONS and not is_hidden:
            yield path, parts


def read_table(path: Path, where: Sequence[str] = ()) -> list[Song]:
    """A table as evaluations read it, whose kinds may be speech; paths start at its folder."""
    groups: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in table_rows(path, where):
        if row["kind"] not in TABLE_KINDS:
            raise DataError(
                f"The table {path.name} says kind {row['kind']!r} of {row['path']}; known are "
                f"{', '.join(TABLE_KINDS)}."
            )
        groups[row["singer"], row["song"]].append(row)
    return [song for group in groups.values() for song in _songs_of(group, path.parent)]


def _songs_of(rows: list[dict[str, str]], root: Path) -> Iterable[Song]:
    """Rows with the same singer and song are stems of one song, if each kind comes once."""
    kinds = {row["kind"] for row in rows}
    is_one = len(kinds) == len(rows) > 1 and "vocals" in kinds
    for group in [[row for row in rows if row["kind"] != "speech"]] if is_one else zip(rows):
        first = group[0]
        kind: Kind = "stems" if is_one else first["kind"]  # type: ignore[assignment]  # see read_table
        yield Song(
            first["path"],
            first["singer"],
            first["song"],
            kind,
            licence=first.get("licence", ""),
            corpus=first.get("source", ""),
            work=f"{first['singer']}\n{first['song']}",
            **{_SLOTS.get(row["kind"], row["kind"]): root / row["path"] for row in group},
        )

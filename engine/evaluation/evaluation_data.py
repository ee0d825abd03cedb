"""What is evaluated on: songs with their singers, from a table of files or from a library."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import numpy as np

from engine.errors import EvaluationError
from engine.library import Library, Track, TrackStatus
from engine.library.text import normalise

Kind = Literal["mixture", "vocals", "accompaniment"]
KINDS: tuple[Kind, ...] = ("mixture", "vocals", "accompaniment")
# What a model is given to hear; "separated": the separator's vocals of the mixture.
Input = Literal["mixture", "vocals", "separated", "accompaniment"]
INPUTS: tuple[Input, ...] = ("vocals", "separated", "mixture")
REQUIRED_COLUMNS = ("path", "singer", "song", "kind")
LIBRARY_COLUMNS = ("artist", "singer", "song", "album", "genre", "year", "decade")
SQLITE_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Clip:
    """One piece of sound by one singer: a song, or a part of one.

    Attributes:
        song, album: several clips may be of one song; album is "" where it is not known.
        labels: all other columns of the table (gender, genre, ...), empty ones left out.
        files: what there is of it. Stems are aligned: the mixture is their sum.
    """

    singer: str
    song: str
    album: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Kind, Path] = field(default_factory=dict)

    def parts(self, source: Input) -> tuple[Path, ...]:
        """Files whose sum is heard through an input; empty where the clip does not have it."""
        kind: Kind = "mixture" if source == "separated" else source
        if kind in self.files:
            return (self.files[kind],)
        if kind == "mixture" and "vocals" in self.files and "accompaniment" in self.files:
            return (self.files["vocals"], self.files["accompaniment"])
        return ()

    def label(self, column: str) -> str:
        """The value of a column; "" where the clip has none."""
        own = {"singer": self.singer, "artist": self.singer, "song": self.song, "album": self.album}
        return own.get(column) or self.labels.get(column, "")


@dataclass(frozen=True)
class EvaluationData:
    """Clips to evaluate on. ``notes`` say what was left out while reading, a sentence each."""

    name: str
    clips: tuple[Clip, ...]
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Identity of the list (names, labels, file names); the sound has hashes of its own."""
        digest = hashlib.sha256()
        for clip in self.clips:
            files = [(kind, clip.files[kind].name) for kind in KINDS if kind in clip.files]
            row = (clip.singer, clip.song, clip.album, sorted(clip.labels.items()), files)
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def read_data(path: Path, where: Sequence[str] = ()) -> EvaluationData:
    """A table or a library, whichever the file is. Raises EvaluationError, LibraryError."""
    try:
        with path.open("rb") as file:
            is_library = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be read as data: name a table (CSV) or the file of a library."
        ) from error
    if not is_library:
        return read_table(path, where)
    with Library.open(path, create=False) as library:
        return read_library(library, where)


def read_library(library: Library, where: Sequence[str] = ()) -> EvaluationData:
    """All tracks that are there and name an artist, as mixtures; the artist is their singer.

    Spellings of one name (of case, accents, punctuation) are one singer, as everywhere.

    ``where``: as for a table, with the columns ``LIBRARY_COLUMNS``. Raises EvaluationError.
    """
    tracks = library.tracks(library.track_ids(sort="path"))
    spellings: dict[str, str] = {}
    clips = [
        Clip(
            spellings.setdefault(normalise(track.artist), track.artist),
            track.title or track.path.stem,
            track.album,
            _labels(track),
            {"mixture": track.path},
        )
        for track in tracks
        if track.artist and track.status not in (TrackStatus.MISSING, TrackStatus.FAILED)
    ]
    num_left_out = len(tracks) - len(clips)
    for condition in where:
        column, pattern = _condition(condition, LIBRARY_COLUMNS, "a library")
        clips = [clip for clip in clips if fnmatchcase(clip.label(column).lower(), pattern)]
    if not clips:
        raise EvaluationError(
            f"No song of {library.path.name} is left to evaluate on: songs must be at hand, and "
            "their tags must name an artist."
        )
    notes: tuple[str, ...] = ()
    if num_left_out:
        notes = (
            "Left out, because no artist is named or the file cannot be read: "
            f"{num_left_out} of {len(tracks)} tracks.",
        )
    return EvaluationData(_name(library.path.name, where), tuple(clips), notes)


def _labels(track: Track) -> dict[str, str]:
    """What tags tell beside artist, title and album; what they do not tell is left out."""
    tags = track.tags
    labels = {
        "genre": tags.genre or "",
        "year": str(tags.year) if tags.year else "",
        "decade": f"{tags.year // 10 * 10}s" if tags.year else "",
    }
    return {column: value for column, value in labels.items() if value}


def _name(name: str, where: Sequence[str]) -> str:
    return f"{name} ({', '.join(where)})" if where else name


def _condition(condition: str, columns: Sequence[str], what: str) -> tuple[str, str]:
    """``COLUMN=TEXT`` -> (column, pattern in small letters). Raises EvaluationError."""
    column, equals, pattern = condition.partition("=")
    if not equals:
        raise EvaluationError(f"--where {condition}: write it as COLUMN=TEXT.")
    if column not in columns:
        raise EvaluationError(
            f"--where {condition}: {what} has no column {column!r} (it has {', '.join(columns)})."
        )
    return column, pattern.lower()


def read_table(path: Path, where: Sequence[str] = ()) -> EvaluationData:
    """A CSV file (TSV by its ending) with a header, one row per audio file.

    Columns: path (relative to the table), singer, song, kind (mixture, vocals, accompaniment);
    optional: album, clip (tells the clips of one song apart), and any label. Rows that share
    singer, album, song and clip are the stems of one clip.

    Args:
        where: ``COLUMN=TEXT`` each, ``*`` standing for anything; rows must meet all of them.

    Raises:
        EvaluationError: not readable, columns missing, no row left, a stem given twice.
    """
    rows = table_rows(path, where)
    groups: defaultdict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    num_unnamed = 0
    for row in rows:
        if row["singer"] and row["song"]:
            groups[tuple(row.get(c, "") for c in ("singer", "album", "song", "clip"))].append(row)
        else:
            num_unnamed += 1
    clips = tuple(_clip(path, group) for group in groups.values())
    if not clips:
        raise EvaluationError(f"No row of {path.name} names both a singer and a song.")
    notes = [f"Left out, without a singer or a song: {num_unnamed} rows."] if num_unnamed else []
    return EvaluationData(_name(path.stem, where), clips, tuple(notes))


def thinned(dataset: EvaluationData, max_singers: int, max_songs: int, seed: int) -> EvaluationData:
    """At most so many singers and so many songs of each, drawn at random; a note says so.

    Singers with several songs come first: one song alone tells nothing of its singer's others.
    """
    songs: defaultdict[str, set[str]] = defaultdict(set)
    for clip in dataset.clips:
        songs[clip.singer].add(clip.song)
    rng = np.random.default_rng([seed, len(songs)])
    order = [str(singer) for singer in rng.permutation(sorted(songs))]
    order.sort(key=lambda singer: len(songs[singer]) < 2)  # stable: random among equals
    kept = {
        singer: {str(song) for song in rng.permutation(sorted(songs[singer]))[:max_songs]}
        for singer in order[:max_singers]
    }
    clips = tuple(clip for clip in dataset.clips if clip.song in kept.get(clip.singer, ()))
    if len(clips) == len(dataset.clips):
        return dataset
    note = (
        f"{len(kept)} of {len(songs)} singers take part, with {max_songs} songs each at most, "
        "drawn at random."
    )
    return EvaluationData(dataset.name, clips, (*dataset.notes, note))


def table_rows(path: Path, where: Sequence[str] = ()) -> list[dict[str, str]]:
    """Rows with the columns of ``REQUIRED_COLUMNS`` at least; ``where`` as for ``read_table``.

    Raises EvaluationError.
    """
    header, rows = csv_rows(path, "\t" if path.suffix.lower() == ".tsv" else ",")
    if missing := [name for name in REQUIRED_COLUMNS if name not in header]:
        raise EvaluationError(
            f"The table {path.name} lacks the columns {', '.join(missing)}. It needs at least: "
            f"{', '.join(REQUIRED_COLUMNS)}."
        )
    for condition in where:
        column, pattern = _condition(condition, header, "the table")
        rows = [row for row in rows if fnmatchcase(row[column].lower(), pattern)]
    if not rows:
        raise EvaluationError(f"No row of {path.name} is left.")
    return rows


def csv_rows(path: Path, delimiter: str) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the columns, and rows by them; "" where one is too short. Raises EvaluationError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            header = [name for name in reader.fieldnames or [] if name]
            return header, [{c: (row[c] or "").strip() for c in header} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{path} cannot be read as a table (CSV in UTF-8): {error}"
        raise EvaluationError(message) from error


def _clip(table: Path, rows: list[dict[str, str]]) -> Clip:
    files: dict[Kind, Path] = {}
    first = rows[0]
    for row in rows:
        kind = next((k for k in KINDS if k == row["kind"].lower()), None)
        if kind is None:
            raise EvaluationError(
                f"The table {table.name} says kind {row['kind']!r} of {row['path']}; known are "
                f"{', '.join(KINDS)}."
            )
        if kind in files:
            raise EvaluationError(
                f"The table {table.name} has two {kind} files for {first['song']!r} by "
                f"{first['singer']}. If they are different clips, tell them apart in a column clip."
            )
        files[kind] = table.parent / row["path"]
    special = {*REQUIRED_COLUMNS, "album", "clip"}
    # A label may differ between stems (their lengths, for example); the first row's counts.
    labels = {c: value for c, value in first.items() if c not in special and value}
    return Clip(first["singer"], first["song"], first.get("album", ""), labels, files)

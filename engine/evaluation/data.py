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
from engine.library import Library, TrackStatus

Kind = Literal["mixture", "vocals", "accompaniment"]
KINDS: tuple[Kind, ...] = ("mixture", "vocals", "accompaniment")
# What a model is given to hear; "separated": the separator's vocals of the mixture.
Input = Literal["mixture", "vocals", "separated", "accompaniment"]
INPUTS: tuple[Input, ...] = ("vocals", "separated", "mixture")
REQUIRED_COLUMNS = ("path", "singer", "song", "kind")
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
        own = {"singer": self.singer, "song": self.song, "album": self.album}
        return own.get(column) or self.labels.get(column, "")


@dataclass(frozen=True)
class Dataset:
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


def read_data(path: Path, where: Sequence[str] = ()) -> Dataset:
    """A table or a library, whichever the file is. Raises EvaluationError, LibraryError."""
    try:
        with path.open("rb") as file:
            is_library = file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError as error:
        raise EvaluationError(
            f"The data cannot be read: {path}. Name a table (CSV) or the file of a library."
        ) from error
    if not is_library:
        return read_table(path, where)
    if where:
        raise EvaluationError("--where chooses rows of a table; it does not work on a library.")
    with Library.open(path, create=False) as library:
        return read_library(library)


def read_library(library: Library) -> Dataset:
    """All tracks that are there and name an artist, as mixtures."""
    tracks = library.tracks(library.track_ids(sort="path"))
    usable = [
        t for t in tracks if t.artist and t.status not in (TrackStatus.MISSING, TrackStatus.FAILED)
    ]
    clips = tuple(
        Clip(
            track.artist,
            track.title or track.path.stem,
            track.album,
            {"genre": track.tags.genre} if track.tags.genre else {},
            {"mixture": track.path},
        )
        for track in usable
    )
    num_left_out = len(tracks) - len(usable)
    notes = (
        [f"{num_left_out} tracks were left out: no artist is named, or the file cannot be read."]
        if num_left_out
        else []
    )
    return Dataset(library.path.name, clips, tuple(notes))


def read_table(path: Path, where: Sequence[str] = ()) -> Dataset:
    """A CSV file with a header, one row per audio file.

    Columns: path (relative to the table), singer, song, kind (mixture, vocals, accompaniment);
    optional: album, clip (tells the clips of one song apart), and any label. Rows that share
    singer, album, song and clip are the stems of one clip.

    Args:
        where: ``COLUMN=TEXT`` each, ``*`` standing for anything; rows must meet all of them.

    Raises:
        EvaluationError: not readable, columns missing, no row left, a stem given twice.
    """
    rows = _rows(path, where)
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
    notes = [f"{num_unnamed} rows without a singer or a song were left out."] if num_unnamed else []
    return Dataset(path.stem, clips, tuple(notes))


def thinned(dataset: Dataset, max_singers: int, max_songs: int, seed: int) -> Dataset:
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
        f"{len(kept)} of {len(songs)} singers were drawn at random, with {max_songs} songs each "
        "at most."
    )
    return Dataset(dataset.name, clips, (*dataset.notes, note))


def _rows(path: Path, where: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            header = [name for name in reader.fieldnames or [] if name]
            rows = [{c: (row[c] or "").strip() for c in header} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{path} cannot be read as a table (CSV in UTF-8): {error}"
        raise EvaluationError(message) from error
    if missing := [name for name in REQUIRED_COLUMNS if name not in header]:
        raise EvaluationError(
            f"The table {path.name} lacks the columns {', '.join(missing)}. It needs at least: "
            f"{', '.join(REQUIRED_COLUMNS)}."
        )
    for condition in where:
        column, _, pattern = condition.partition("=")
        if column not in header:
            raise EvaluationError(
                f"--where {condition}: the table has no column {column!r} (it has "
                f"{', '.join(header)})."
            )
        rows = [row for row in rows if fnmatchcase(row[column].lower(), pattern.lower())]
    if not rows:
        raise EvaluationError(f"No row of {path.name} is left to evaluate on.")
    return rows


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

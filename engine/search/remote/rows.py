"""Rows of a catalogue: what was heard in a sound, to and from columns of Arrow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import CatalogueError
from engine.library import Tags, Track, TrackStatus
from engine.library.codec import pack_vector
from engine.library.imports import Song
from engine.library.scope import artist_key, genre_key, genres_of
from engine.library.text import normalise
from engine.records import (
    HeardTag,
    MomentCodes,
    SpaceKey,
    TrackEmbedding,
    View,
    VoicePortrait,
    most_heard,
)

if TYPE_CHECKING:
    import pyarrow as pa

VERSION, METADATA = 1, "singalike"
PORTRAIT = tuple(VoicePortrait.__dataclass_fields__)
TAGS = tuple(Tags.__dataclass_fields__)
FACTS = ("path", "archive_id", "size_bytes", "mtime_ns", "audio_hash", "duration_s")
SHOWN = (*TAGS, *FACTS, "heard", "vocals_length_s")


@dataclass(frozen=True)
class Skipped:
    """What is not among the songs: ``is_failed``, or a copy of one that is."""

    path: str
    reason: str
    is_failed: bool


def schema(spaces: Sequence[SpaceKey]) -> pa.Schema:
    """Of ``songs``. Names that end in ``_keys``, and ``words``, are for filters and names."""
    import pyarrow as pa

    texts = pa.list_(pa.string())
    kinds: dict[str, pa.DataType] = dict.fromkeys(
        ("path", "archive_id", *TAGS[:-2], "audio_hash", "words"), pa.string()
    )
    kinds |= dict.fromkeys(("artist_keys", "genre_keys", "heard_keys"), texts)
    kinds |= dict.fromkeys(TAGS[-2:], pa.int32())
    kinds |= {"size_bytes": pa.int64(), "mtime_ns": pa.int64(), "duration_s": pa.float64()}
    for key in spaces:
        kinds |= {
            f"{key.view}_vector": pa.list_(pa.float16(), key.dim),
            f"{key.view}_codes": pa.binary(),
            f"{key.view}_starts_s": pa.list_(pa.float32()),
            f"{key.view}_length_s": pa.float32(),
            f"{key.view}_from_mixture": pa.bool_(),
        }
    kinds["portrait"] = pa.struct(dict.fromkeys(PORTRAIT, pa.float64()))
    names, chances = dict.fromkeys(("name", "kind"), pa.string()), ("strength", "chance")
    kinds["heard"] = pa.list_(pa.struct(names | dict.fromkeys(chances, pa.float32())))
    told = json.dumps({"version": VERSION, "spaces": [asdict(key) for key in spaces]})
    return pa.schema([pa.field("id", pa.int64(), nullable=False), *kinds.items()], {METADATA: told})


def skipped_schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema({"path": pa.string(), "reason": pa.string(), "is_failed": pa.bool_()})


def song_id(audio_hash: str, spaces: Sequence[SpaceKey]) -> int:
    """The key: the same for the same sound heard in the same way; below 2**63."""
    heard = json.dumps([audio_hash, *(list(asdict(key).values()) for key in spaces)])
    return int.from_bytes(hashlib.blake2b(heard.encode(), digest_size=8).digest(), "big") >> 1


def described(spaces: Sequence[SpaceKey]) -> str:
    return " and ".join(
        f"{key.model} {key.model_sha256[:8]} ({', '.join(filter(None, (key.view, key.separator)))})"
        for key in spaces
    )


def row_of(song: Song, spaces: Sequence[SpaceKey]) -> dict[str, Any]:
    """A row of ``songs``. ValueError for a vector that is not (dim,), finite and of length 1."""
    tags = song.tags
    artists = {artist_key(tags.artist), artist_key(tags.album_artist)} - {""}
    named = (tags.artist, tags.title, tags.album, tags.album_artist, tags.genre)
    row = {
        "id": song_id(song.audio_hash, spaces),
        **asdict(tags),
        **{name: getattr(song, name) for name in FACTS},
        "artist_keys": sorted(artists),
        "genre_keys": sorted({genre_key(name) for name in genres_of(tags.genre)}),
        "words": normalise(" ".join(named)),
    }
    for key in spaces:
        if (heard := song.heard.get(key.view)) is not None:
            row |= _columns_of(heard, key)
    return row


def _columns_of(heard: TrackEmbedding, key: SpaceKey) -> dict[str, Any]:
    row = {
        f"{key.view}_vector": np.frombuffer(pack_vector(heard.vector, key.dim), np.float16),
        f"{key.view}_codes": heard.moments.codes.tobytes(),
        f"{key.view}_starts_s": heard.moments.starts_s,
        f"{key.view}_length_s": heard.moments.length_s,
        f"{key.view}_from_mixture": heard.from_mixture,
    }
    if key.view == "vocals":
        return row | {"portrait": heard.portrait and asdict(heard.portrait)}
    tags = [asdict(tag) for tag in heard.tags or () if tag.is_kept]
    return row | {"heard": tags, "heard_keys": [tag["name"] for tag in tags]}


def tags_of(row: Mapping[str, Any]) -> tuple[HeardTag, ...]:
    """What is heard in the song of a row."""
    return tuple(HeardTag(**tag) for tag in row["heard"] or ())


def vectors_of(rows: pa.Table, key: SpaceKey) -> dict[int, np.ndarray]:
    """(dim,) float32 of length 1, by id, of the rows that have a vector."""
    name = f"{key.view}_vector"
    rows = rows.filter(rows.column(name).is_valid())
    values = rows.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vectors = values.reshape(-1, key.dim).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return dict(zip(rows.column("id").to_pylist(), vectors, strict=True))


def moments_of(row: Mapping[str, Any], view: View) -> MomentCodes:
    """ValueError where its columns do not fit together."""
    starts_s = np.array(row[f"{view}_starts_s"], np.float32)
    codes = np.frombuffer(row[f"{view}_codes"], np.int8)
    shape = (len(starts_s), -1) if len(starts_s) else (0, 1)
    return MomentCodes(codes.reshape(shape), starts_s, row[f"{view}_length_s"])


def track_of(row: Mapping[str, Any]) -> Track:
    """As a library would show it; ``folder_id`` is 0, for there is no folder."""
    names = ("size_bytes", "mtime_ns", "audio_hash", "duration_s")
    return Track(
        id=row["id"],
        folder_id=0,
        path=Path(row["path"]),
        tags=Tags(*(row[name] for name in TAGS)),
        **{name: row[name] for name in names},
        status=TrackStatus.INDEXED,
        error=None,
        has_vocals=row["vocals_length_s"] is not None if "vocals_length_s" in row else None,
        heard=most_heard(tags_of(row)),
    )


def song_of(row: Mapping[str, Any], spaces: Sequence[SpaceKey]) -> Song:
    """All of a row. CatalogueError where it is damaged."""
    try:
        heard = {key.view: _embedding(row, key) for key in spaces}
    except (TypeError, ValueError) as error:
        raise CatalogueError(
            f"{row['path']} is damaged: {error}. Delete the row {row['id']}, and run again."
        ) from error
    facts = {name: row[name] for name in FACTS}
    return Song(tags=Tags(*(row[name] for name in TAGS)), heard=heard, **facts)


def _embedding(row: Mapping[str, Any], key: SpaceKey) -> TrackEmbedding | None:
    if row[f"{key.view}_vector"] is None:
        return None
    vector = np.array(row[f"{key.view}_vector"], np.float32)
    pack_vector(vector, key.dim)  # raises where it is damaged
    rough = bool(row[f"{key.view}_from_mixture"])
    heard = TrackEmbedding(vector, moments_of(row, key.view), rough)
    if key.view == "overall":
        return replace(heard, tags=tags_of(row))
    return replace(heard, portrait=row["portrait"] and VoicePortrait(**row["portrait"]))

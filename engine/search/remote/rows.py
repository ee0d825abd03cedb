"""Rows of a catalogue: what was heard in a sound, to and from columns of Arrow."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.library import Tags, Track, TrackStatus
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
PORTRAIT = tuple(field.name for field in dataclasses.fields(VoicePortrait))
TAGS = tuple(Tags.__dataclass_fields__)
FACTS = ("path", "archive_id", "size_bytes", "mtime_ns", "audio_hash", "duration_s")
SHOWN = ["id", "path", *TAGS, "size_bytes", "mtime_ns", "audio_hash", "duration_s", "heard"]


@dataclass(frozen=True)
class Skipped:
    """What is not among the songs: ``is_failed``, or a copy of one that is."""

    path: str
    reason: str
    is_failed: bool


def schema(spaces: Sequence[SpaceKey]) -> pa.Schema:
    """Of ``songs``. Names that end in ``_keys``, and ``words``, are for filters and names."""
    import pyarrow as pa

    texts = ("path", "archive_id", *TAGS[:-2], "audio_hash", "words")
    fields = [pa.field("id", pa.int64(), nullable=False)]
    fields += [pa.field(name, pa.string()) for name in texts]
    keys = ("artist_keys", "genre_keys", "heard_keys")
    fields += [pa.field(name, pa.list_(pa.string())) for name in keys]
    fields += [pa.field(name, pa.int32()) for name in TAGS[-2:]]
    fields += [pa.field(name, pa.int64()) for name in ("size_bytes", "mtime_ns")]
    fields.append(pa.field("duration_s", pa.float64()))
    for key in spaces:
        for name, kind in (
            ("vector", pa.list_(pa.float16(), key.dim)),
            ("codes", pa.binary()),
            ("starts_s", pa.list_(pa.float32())),
            ("length_s", pa.float32()),
            ("from_mixture", pa.bool_()),
        ):
            fields.append(pa.field(f"{key.view}_{name}", kind))
    numbers = pa.struct([(name, pa.float64()) for name in PORTRAIT])
    fields.append(pa.field("portrait", numbers))
    texts, chances = ("name", "kind"), ("strength", "chance")
    tag = pa.struct([(n, pa.string()) for n in texts] + [(n, pa.float32()) for n in chances])
    fields.append(pa.field("heard", pa.list_(tag)))
    told = json.dumps({"version": VERSION, "spaces": [asdict(key) for key in spaces]})
    return pa.schema(fields, {METADATA: told})


def skipped_schema() -> pa.Schema:
    import pyarrow as pa

    kinds = {"path": pa.string(), "reason": pa.string(), "is_failed": pa.bool_()}
    return pa.schema(list(kinds.items()))


def song_id(audio_hash: str, spaces: Sequence[SpaceKey]) -> int:
    """The key: the same for the same sound heard in the same way; below 2**63."""
    heard = json.dumps([audio_hash, *(list(asdict(key).values()) for key in spaces)])
    return int.from_bytes(hashlib.blake2b(heard.encode(), digest_size=8).digest(), "big") >> 1


def described(spaces: Sequence[SpaceKey]) -> str:
    kinds = (", ".join(filter(None, (key.view, key.separator))) for key in spaces)
    return " and ".join(
        f"{key.model} {key.model_sha256[:8]} ({kind})"
        for key, kind in zip(spaces, kinds, strict=True)
    )


def packed(songs: Mapping[int, Song], spaces: Sequence[SpaceKey]) -> pa.Table:
    """Rows of ``songs``, by id. ValueError for a vector that cannot be one."""
    import pyarrow as pa

    rows = [_facts(number, song) for number, song in songs.items()]
    kind = schema(spaces)
    columns = {name: [row.get(name) for row in rows] for name in kind.names}
    for key in spaces:
        heard = [song.heard.get(key.view) for song in songs.values()]
        for name, values in _embedding_columns(key, heard).items():
            columns[f"{key.view}_{name}"] = values
        if key.view == "vocals":
            portraits = [None if one is None else one.portrait for one in heard]
            columns["portrait"] = [one and asdict(one) for one in portraits]
        else:
            tags = [_kept_tags(one) for one in heard]
            columns["heard"] = [[asdict(tag) for tag in some] for some in tags]
            columns["heard_keys"] = [[tag.name for tag in some] for some in tags]
    return pa.table([pa.array(columns[field.name], field.type) for field in kind], schema=kind)


def _facts(number: int, song: Song) -> dict[str, Any]:
    tags = song.tags
    artists = {artist_key(tags.artist), artist_key(tags.album_artist)} - {""}
    named = (tags.artist, tags.title, tags.album, tags.album_artist, tags.genre)
    return {
        "id": number,
        **asdict(tags),
        **{name: getattr(song, name) for name in FACTS},
        "artist_keys": sorted(artists),
        "genre_keys": sorted({genre_key(name) for name in genres_of(tags.genre)}),
        "words": normalise(" ".join(named)),
    }


def _embedding_columns(
    key: SpaceKey, heard: Sequence[TrackEmbedding | None]
) -> dict[str, list[Any]]:
    for one in heard:
        if one is not None:
            length = float(np.linalg.norm(one.vector))
            if one.vector.shape != (key.dim,) or not abs(length - 1) < 1e-2:
                raise ValueError(f"a vector of {one.vector.shape} numbers, of length {length:.3g}")
    moments = [None if one is None else one.moments for one in heard]
    return {
        "vector": [None if one is None else one.vector.astype(np.float16) for one in heard],
        "codes": [None if one is None else one.codes.tobytes() for one in moments],
        "starts_s": [None if one is None else one.starts_s for one in moments],
        "length_s": [None if one is None else one.length_s for one in moments],
        "from_mixture": [None if one is None else one.from_mixture for one in heard],
    }


def _kept_tags(heard: TrackEmbedding | None) -> list[HeardTag]:
    tags = (heard.tags if heard else None) or ()
    return [tag for tag in tags if tag.is_kept]


def tags_of(row: Mapping[str, Any]) -> tuple[HeardTag, ...]:
    """What is heard in the song of a row."""
    return tuple(HeardTag(**tag) for tag in row["heard"] or ())


def vectors_of(rows: pa.Table | pa.RecordBatch, key: SpaceKey) -> tuple[np.ndarray, np.ndarray]:
    """(has one (n,) bool, vectors (m, dim) float32 of those that have)."""
    import pyarrow as pa

    column = rows.column(f"{key.view}_vector")
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    values = column.flatten().to_numpy(zero_copy_only=False)
    has_one = np.asarray(column.is_valid())
    return has_one, values.reshape(-1, key.dim).astype(np.float32)


def moments_of(row: Mapping[str, Any], view: View) -> MomentCodes:
    """ValueError where its columns do not fit together."""
    starts_s = np.array(row[f"{view}_starts_s"], np.float32)
    codes = np.frombuffer(row[f"{view}_codes"], np.int8)
    shape = (len(starts_s), -1) if len(starts_s) else (0, 1)
    return MomentCodes(codes.reshape(shape), starts_s, row[f"{view}_length_s"])


def track_of(row: Mapping[str, Any]) -> Track:
    """As a library would show it; ``folder_id`` is 0, for there is no folder."""
    return Track(
        id=row["id"],
        folder_id=0,
        path=Path(row["path"]),
        tags=Tags(*(row[name] for name in TAGS)),
        size_bytes=row["size_bytes"],
        mtime_ns=row["mtime_ns"],
        audio_hash=row["audio_hash"],
        duration_s=row["duration_s"],
        status=TrackStatus.INDEXED,
        error=None,
        has_vocals=row["vocals_length_s"] is not None if "vocals_length_s" in row else None,
        heard=most_heard(tags_of(row)),
    )


def songs_of(rows: pa.RecordBatch, spaces: Sequence[SpaceKey]) -> list[Song]:
    """ValueError, or TypeError, where a row is damaged."""
    found = rows.to_pylist()
    heard = [dict[View, TrackEmbedding | None]() for _ in found]
    for key in spaces:
        has_one, vectors = vectors_of(rows, key)
        left = iter(vectors)
        for row, views, is_here in zip(found, heard, has_one.tolist(), strict=True):
            views[key.view] = _embedding(row, key.view, next(left)) if is_here else None
    told = ({name: row[name] for name in FACTS} for row in found)
    tags = (Tags(*(row[name] for name in TAGS)) for row in found)
    return [
        Song(tags=some, heard=views, **facts)
        for facts, some, views in zip(told, tags, heard, strict=True)
    ]


def _embedding(row: Mapping[str, Any], view: View, vector: np.ndarray) -> TrackEmbedding:
    rough = bool(row[f"{view}_from_mixture"])
    if view == "overall":
        return TrackEmbedding(vector, moments_of(row, view), rough, tags=tags_of(row))
    portrait = row["portrait"] and VoicePortrait(**row["portrait"])
    return TrackEmbedding(vector, moments_of(row, view), rough, portrait)

"""A recording as a point: its vector, and a payload that can be filtered and shown."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.library import Tags, Track, TrackStatus, filenames
from engine.library.scope import Scope, artist_key, genre_key, genres_of
from engine.library.text import normalise
from engine.records import MomentCodes, View
from engine.search.filter import Song

if TYPE_CHECKING:
    from qdrant_client import models

_TAGS = tuple(Tags.__dataclass_fields__)
_FACTS = ("path", *_TAGS, "size_bytes", "mtime_ns", "audio_hash", "duration_s")
_MOMENTS = ("codes", "starts_s", "length_s")
SHOWN_FIELDS = list(_FACTS)
MOMENT_FIELDS = list(_MOMENTS)


def point_id(place: str) -> int:
    """The same for the same path or address, wherever and whenever it is heard; below 2**63."""
    digest = hashlib.blake2b(place.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def payload_of(
    place: str,
    tags: Tags,
    size_bytes: int,
    mtime_ns: int,
    audio_hash: str | None,
    duration_s: float | None,
    moments: MomentCodes,
) -> dict[str, Any]:
    """What is kept beside a vector. Keys ending in ``_keys`` and ``folders`` are for filters."""
    kept = moments.thinned()
    values = [getattr(tags, name) for name in _TAGS]
    facts = (place, *values, size_bytes, mtime_ns, audio_hash, duration_s)
    title, artist = normalise(tags.title), normalise(tags.artist)
    return {
        **dict(zip(_FACTS, facts, strict=True)),
        "artist_keys": sorted({artist_key(tags.artist), artist_key(tags.album_artist)} - {""}),
        "genre_keys": sorted({genre_key(name) for name in genres_of(tags.genre)}),
        "name_keys": sorted({title, f"{artist} {title}", f"{title} {artist}"}),
        "words": normalise(f"{tags.artist} {tags.title} {tags.album}"),
        "folders": folders_of(place),
        "codes": base64.b64encode(kept.codes.tobytes()).decode(),
        "starts_s": [float(start) for start in kept.starts_s],
        "length_s": float(kept.length_s),
    }


def folders_of(place: str) -> list[str]:
    """All folders above a path or address, the nearest last."""
    scheme, separator, inside = place.partition("://")
    if separator:
        parts = inside.split("/")[:-1]
        return [f"{scheme}://{'/'.join(parts[: n + 1])}" for n in range(len(parts))]
    return [str(folder) for folder in reversed(PurePosixPath(place).parents)]


def track_of(number: int, payload: dict[str, Any], view: View) -> Track:
    """As a library would show it; ``folder_id`` is 0, for there is no folder."""
    return Track(
        id=number,
        folder_id=0,
        path=Path(payload["path"]),
        tags=Tags(*(payload[name] for name in _TAGS)),
        size_bytes=payload["size_bytes"],
        mtime_ns=payload["mtime_ns"],
        audio_hash=payload["audio_hash"],
        duration_s=payload["duration_s"],
        status=TrackStatus.INDEXED,
        error=None,
        has_vocals=True if view == "vocals" else None,
    )


def moments_of(payload: dict[str, Any]) -> MomentCodes:
    starts_s = np.array(payload["starts_s"], np.float32)
    codes = np.frombuffer(base64.b64decode(payload["codes"]), np.int8)
    return MomentCodes(codes.reshape(len(starts_s), -1), starts_s, payload["length_s"])


def condition(scope: Scope, song: Song, other_artists: bool, own: list[int]) -> models.Filter:
    """What Qdrant itself leaves out: all outside the scope, the query, its artist on request."""
    from qdrant_client import models

    wanted: list[Any] = []
    for key, values in (
        ("genre_keys", sorted(scope.genres)),
        ("folders", sorted(filenames.shown(filenames.given(path)) for path in scope.folders)),
    ):
        if values:
            wanted.append(models.FieldCondition(key=key, match=models.MatchAny(any=values)))
    for key, low, high in (
        ("year", scope.first_year, scope.last_year),
        ("duration_s", scope.min_duration_s, scope.max_duration_s),
    ):
        if (low, high) != (None, None):
            wanted.append(models.FieldCondition(key=key, range=models.Range(gte=low, lte=high)))
    unwanted: list[Any] = [models.HasIdCondition(has_id=list(own))] if own else []
    if other_artists and (artists := sorted(song.artists())):
        match = models.MatchAny(any=artists)
        unwanted.append(models.FieldCondition(key="artist_keys", match=match))
    return models.Filter(must=wanted or None, must_not=unwanted or None)

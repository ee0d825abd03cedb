"""Records to and from rows: the only place that knows how vectors and tracks lie in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.errors import LibraryCorruptError
from engine.library import filenames
from engine.library.records import Tags, Track, TrackStatus
from engine.library.text import display, normalise, plain
from engine.records import MomentCodes, TrackEmbedding

# a vector, its moments and from_mixture, as columns
Packed = tuple[bytes, tuple[int, float, bytes, bytes], int]
# of from_mixture; 0 is a separated voice, or the whole sound
TO_SEPARATE, INSEPARABLE = 1, 2
_VECTOR = np.dtype("<f2")  # a cosine between unit vectors changes by less than 1e-4
_CENTRE = np.dtype("<f4")
_MAX_NORM_ERROR = 1e-2
_MAX_INTEGER = 2**31

# the columns of `track_from_row`, and the tables that they come from
TRACK_COLUMNS = """
    track.id, track.folder_id, folder.path, track.rel_path, track.title, track.artist, track.album,
    track.album_artist, track.genre, track.year, track.track_number, track.size_bytes,
    track.mtime_ns, track.audio_hash, track.duration_s,
    CASE WHEN track.is_missing THEN 'missing' ELSE track.state END, track.error,
    (SELECT from_mixture FROM embedding JOIN space ON space.id = embedding.space_id
     WHERE embedding.track_id = track.id AND space.view = 'vocals' ORDER BY space.id DESC LIMIT 1),
    EXISTS (SELECT 1 FROM no_vocals WHERE no_vocals.track_id = track.id), track.added_s,
    (SELECT group_concat(name, char(10)) FROM (
        SELECT name FROM heard_tag JOIN tag ON tag.id = heard_tag.tag_id
        WHERE heard_tag.track_id = track.id ORDER BY strength DESC, chance DESC, name LIMIT 3))
    FROM track JOIN folder ON folder.id = track.folder_id
"""


# a list of ids as one value of a statement, however many there are
IN_IDS = "IN (SELECT value FROM json_each(?))"


def ids_value(ids: Iterable[int]) -> str:
    """The value for IN_IDS."""
    return json.dumps([int(one) for one in ids])


def track_from_row(row: Any) -> Track:
    return Track(
        id=row[0],
        folder_id=row[1],
        path=filenames.join(row[2], row[3]),
        tags=Tags(*row[4:11]),
        size_bytes=row[11],
        mtime_ns=row[12],
        audio_hash=row[13],
        duration_s=row[14],
        status=TrackStatus(row[15]),
        error=row[16] if row[15] == "failed" else None,
        has_vocals=(False if row[18] else None) if row[17] is None else True,
        is_from_mixture=bool(row[17]),
        added_s=row[19],
        heard=tuple(row[20].split("\n")) if row[20] else (),
    )


def tag_columns(tags: Tags, rel_path: bytes) -> dict[str, Any]:
    """The columns of a track that follow from its tags and from where it lies in its folder.

    ``search_text`` is what the instant search looks through: tags, then the folders and the file.
    """
    texts = {
        "title": plain(tags.title),
        "artist": plain(tags.artist),
        "album": plain(tags.album),
        "album_artist": plain(tags.album_artist),
        "genre": plain(tags.genre),
    }
    place = display(filenames.from_bytes(rel_path).as_posix())
    return {
        **texts,
        "year": _small(tags.year),
        "track_number": _small(tags.track_number),
        "title_key": normalise(texts["title"]),
        "artist_key": normalise(texts["artist"] or texts["album_artist"]),
        "album_key": normalise(texts["album"]),
        "search_text": normalise(" ".join([*texts.values(), place])),
    }


def _small(number: int | None) -> int | None:
    return number if number is not None and 0 <= number < _MAX_INTEGER else None


def pack(embedding: TrackEmbedding, dim: int) -> Packed:
    """ValueError where the vector is not (dim,), finite and of length 1."""
    vector, moments = pack_vector(embedding.vector, dim), pack_moments(embedding.moments)
    return vector, moments, embedding.from_mixture + embedding.is_inseparable


def pack_vector(vector: np.ndarray, dim: int) -> bytes:
    """(dim,) of any float dtype, L2-normalised. ValueError where it is not that."""
    if vector.shape != (dim,):
        raise ValueError(f"a vector of shape {vector.shape} in a space of {dim} dimensions")
    if not np.isfinite(vector).all():
        raise ValueError("a vector with values that are not finite")
    norm = float(np.linalg.norm(vector))
    if abs(norm - 1.0) > _MAX_NORM_ERROR:
        raise ValueError(f"a vector of length {norm:.3g}, which should be 1")
    return vector.astype(_VECTOR).tobytes()


def stored_vectors(blobs: Sequence[bytes], dim: int) -> np.ndarray:
    """(n, dim) float16 as they lie there. LibraryCorruptError where the bytes are not as many."""
    if not {len(blob) for blob in blobs} <= {dim * _VECTOR.itemsize}:
        raise _damaged()
    return np.frombuffer(b"".join(blobs), _VECTOR).reshape(-1, dim)


def lengths(vectors: np.ndarray) -> np.ndarray:
    """(n, dim) float32 -> (n,), all nearly 1. LibraryCorruptError where one is not."""
    found = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    if not ((found > 0.5) & (found < 2.0)).all():  # nor for what is no number
        raise _damaged()
    return np.asarray(found)


def unit(vectors: np.ndarray) -> np.ndarray:
    """(n, dim) float16 as stored -> float32, rows L2-normalised. LibraryCorruptError."""
    wide = vectors.astype(np.float32)
    return np.asarray(wide / lengths(wide)[:, None])


def pack_centre(vector: np.ndarray) -> bytes:
    """(dim,) float32 -> what is stored of a space's centre."""
    return vector.astype(_CENTRE).tobytes()


def unpack_centre(blob: object, dim: int) -> np.ndarray | None:
    """(dim,) float32, or None for what ``pack_centre`` cannot have written.

    A centre is part of a mean of vectors of length 1, so it is no longer than they are.
    """
    if not isinstance(blob, bytes) or len(blob) != dim * _CENTRE.itemsize:
        return None
    vector = np.frombuffer(blob, _CENTRE).astype(np.float32)
    length = np.linalg.norm(vector.astype(np.float64))  # no number where one of them is none
    return vector if length <= 1.0 + _MAX_NORM_ERROR else None


def pack_moments(moments: MomentCodes) -> tuple[int, float, bytes, bytes]:
    """(num_moments, length_s, starts, codes)."""
    starts = np.asarray(moments.starts_s, "<f4")
    if not np.isfinite(starts).all():
        raise ValueError("moments with starts that are not finite")
    return len(starts), float(moments.length_s), starts.tobytes(), moments.codes.tobytes()


def unpack_moments(row: Any) -> MomentCodes:
    num_moments, length_s, starts, codes = row
    if num_moments == 0:
        return MomentCodes(np.empty((0, 1), np.int8), np.empty(0, np.float32), length_s)
    if len(starts) != 4 * num_moments or len(codes) % num_moments:
        raise _damaged()
    return MomentCodes(
        np.frombuffer(codes, np.int8).reshape(num_moments, -1),
        np.frombuffer(starts, "<f4").astype(np.float32),
        length_s,
    )


def is_sound(vector: Any, dim: int, moments: Any) -> bool:
    """Whether stored values can be what ``pack_vector`` and ``pack_moments`` wrote."""
    try:
        if len(vector) != dim * _VECTOR.itemsize:
            return False
        norm = np.linalg.norm(np.frombuffer(vector, _VECTOR).astype(np.float32))
        kept = unpack_moments(moments)
        is_finite = np.isfinite(kept.starts_s).all() and 0 < kept.length_s < np.inf
    except (LibraryCorruptError, TypeError, ValueError):
        return False
    return bool(is_finite and abs(norm - 1.0) <= 2 * _MAX_NORM_ERROR)  # no number is not near 1


def _damaged() -> LibraryCorruptError:
    return LibraryCorruptError(
        "The library holds damaged vectors. `singalike repair` takes them out; index again after "
        "it, and their songs are heard again."
    )

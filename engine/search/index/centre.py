"""What the voices of a library have in common, taken away before two of them are compared.

All embeddings of a space point to some extent in one direction, and part of it is the library's
own: its recordings, its kinds of music, what the separator leaves. Without it the rest tells
singers apart better (docs/results.md). Every artist counts once in it, however many songs there are
of them; of few artists less is taken away, and of one nothing.
"""

from __future__ import annotations

import numpy as np

from engine.library import Library, codec
from engine.library.centres import Centre, artist_weights, centre_of, put_centre
from engine.library.indexes import count_embeddings, stored_vectors

MAX_CHANGE = 1.5  # by which a library may have grown or shrunk until its centre is made anew
_MIN_LENGTH = 1e-9


def artists_centre(total: np.ndarray, num_artists: int) -> np.ndarray:
    """(dim,) sum of the artists' means -> (dim,) float32 to be subtracted.

    Of few artists the mean is mostly themselves: none of it is taken of one, half of three.
    """
    if num_artists < 2:
        return np.zeros(total.shape, np.float32)
    share = (num_artists - 1) / (num_artists + 1)
    return np.asarray(share * total / num_artists, np.float32)


def centre_of_vectors(vectors: np.ndarray, artists: np.ndarray) -> np.ndarray:
    """(n, dim) of unit length, (n,) int numbers of artists from 0 -> (dim,) float32."""
    counts = np.bincount(artists, minlength=1)
    return artists_centre((vectors / counts[artists, None]).sum(0), int((counts > 0).sum()))


def placed(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """(..., dim) of unit length -> the same without what all share, of unit length again."""
    rest = vectors - centre
    lengths = np.linalg.norm(rest, axis=-1, keepdims=True)
    return np.asarray(rest / np.maximum(lengths, _MIN_LENGTH), np.float32)


def measure(library: Library, space_id: int) -> Centre:
    """Of all embeddings that are in the space now. Reads each of them: 1 s for some 100,000."""
    ids, weights = artist_weights(library.database, space_id)
    dim = library.space(space_id).dim
    total = np.zeros(dim)
    num_artists, num_embeddings, max_id = 0.0, 0, 0
    chunks = stored_vectors(library.database, space_id, dim) if len(ids) else ()
    for embedding_ids, track_ids, halves in chunks:
        places = np.searchsorted(ids, track_ids)
        is_known = ids[np.minimum(places, len(ids) - 1)] == track_ids  # else stored meanwhile
        counted = weights[places[is_known]]
        total += counted @ codec.unit(halves)[is_known]
        num_artists += float(counted.sum())
        num_embeddings += len(track_ids)
        max_id = int(embedding_ids[-1])
    return Centre(artists_centre(total, round(num_artists)), num_embeddings, max_id)


def refresh(library: Library, space_id: int) -> None:
    """Bring the stored centre up to date with the space."""
    stored = centre_of(library.database, space_id)
    if stored is not None:
        num_old = count_embeddings(library.database, space_id, stored.max_embedding_id)
        num_now = count_embeddings(library.database, space_id)
        if num_old == num_now == stored.num_embeddings:
            return
    put_centre(library.database, space_id, measure(library, space_id))


def current(library: Library, space_id: int, kept: Centre | None = None) -> Centre:
    """The stored centre; where the library has outgrown it, ``kept`` or one that is measured now.

    So it is during the first listening, when measuring is quick.
    """
    num_now = count_embeddings(library.database, space_id)
    for centre in (centre_of(library.database, space_id), kept):
        if centre is not None and _is_of(centre, num_now):
            return centre
    return measure(library, space_id)


def _is_of(centre: Centre, num_embeddings: int) -> bool:
    """Whether it still stands for a space of so many embeddings."""
    low, high = sorted((centre.num_embeddings, num_embeddings))
    return high <= MAX_CHANGE * low

"""Shards into Qdrant: where one index on one machine no longer holds all recordings."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from catalogue.importing import common_spaces
from catalogue.shards import ShardRow, read_shard, shard_places
from engine.library.text import normalise
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.records import SpaceKey
from engine.search.index.centre import artists_centre, placed
from engine.search.remote.points import payload_of, point_id
from engine.search.remote.store import collection_name, collections, is_embedded, metadata_of

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

Quantisation = Literal["none", "int8", "binary"]
_KEYWORDS = ("artist_keys", "genre_keys", "name_keys", "folders", "audio_hash")


@dataclass(frozen=True)
class UploadSummary:
    """``points``: by collection; recordings without vocals, or that failed, are in none of them."""

    points: Mapping[str, int]
    num_shards: int
    seconds: float


def upload_shards(
    client: QdrantClient,
    shards: Sequence[str],
    quantisation: Quantisation = "int8",
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> UploadSummary:
    """One point per recording and view. Points keep their ids: a second upload changes nothing.

    ``quantisation``: of the copies that Qdrant keeps in memory to search; hits are scored again
    with the whole vectors, which lie on its disk. Raises CatalogueError, CancelledError.
    """
    cancel, started = cancel or CancelToken(), time.monotonic()
    places = shard_places(shards)
    spaces = common_spaces(places)
    new = [key for key in spaces if not client.collection_exists(collection_name(key))]
    for key, centre in _centres(new, places, cancel):
        _create(client, key, centre, quantisation)
    centres = {one.name: one.centre for one in collections(client)}
    points = dict.fromkeys(map(collection_name, spaces), 0)
    for number, place in enumerate(places):
        cancel.check()
        elapsed_s = time.monotonic() - started
        eta_s = elapsed_s / number * (len(places) - number) if number else None
        progress(Progress("upload", number, len(places), eta_s=eta_s, message=place))
        rows = read_shard(place).rows()
        for key in spaces:
            name = collection_name(key)
            if some := _points(key, rows, centres[name]):
                client.upsert(name, some, wait=number == len(places) - 1)
                points[name] += len(some)
    return UploadSummary(points, len(places), time.monotonic() - started)


def _centres(
    spaces: Sequence[SpaceKey], places: Sequence[str], cancel: CancelToken
) -> list[tuple[SpaceKey, np.ndarray]]:
    """What the recordings of all shards have in common, each artist counting once (``centre``).

    Reads all shards twice: how often an artist comes must be known before anything is added.
    """
    num_songs = {key: Counter[str]() for key in spaces}
    totals = {key: np.zeros(key.dim) for key in spaces}
    num_artists = dict.fromkeys(spaces, 0.0)
    for is_counting in (True, False) if spaces else ():
        for place in places:
            cancel.check()
            for row in read_shard(place).rows():
                tags = row.entry.tags
                artist = normalise(tags.artist or tags.album_artist) or row.entry.address
                for key in spaces:
                    embedding = (row.heard or {}).get(key.view)
                    if embedding is None:
                        continue
                    if is_counting:
                        num_songs[key][artist] += 1
                    else:
                        totals[key] += embedding.vector / num_songs[key][artist]
                        num_artists[key] += 1 / num_songs[key][artist]
    return [(key, artists_centre(totals[key], round(num_artists[key]))) for key in spaces]


def _points(key: SpaceKey, rows: Sequence[ShardRow], centre: np.ndarray) -> list[Any]:
    from qdrant_client import models

    found = []
    for row in rows:
        embedding = (row.heard or {}).get(key.view)
        if embedding is None:
            continue
        payload = payload_of(
            row.entry.address,
            row.entry.tags,
            row.size_bytes,
            row.mtime_ns,
            row.audio_hash,
            row.duration_s,
            embedding.moments,
        )
        number = point_id(row.entry.address)
        payload["id"] = row.entry.id
        vector = placed(embedding.vector, centre).tolist()
        found.append(models.PointStruct(id=number, vector=vector, payload=payload))
    return found


def _create(
    client: QdrantClient, key: SpaceKey, centre: np.ndarray, quantisation: Quantisation
) -> None:
    from qdrant_client import models

    name = collection_name(key)
    compact: Any = None
    if quantisation == "int8":
        int8 = models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=0.99, always_ram=True
        )
        compact = models.ScalarQuantization(scalar=int8)
    elif quantisation == "binary":
        binary = models.BinaryQuantizationConfig(always_ram=True)
        compact = models.BinaryQuantization(binary=binary)
    client.create_collection(
        name,
        models.VectorParams(
            size=key.dim,
            distance=models.Distance.COSINE,
            datatype=models.Datatype.FLOAT16,
            on_disk=quantisation != "none",
        ),
        quantization_config=compact,
        on_disk_payload=True,
        metadata=metadata_of(key, centre),
    )
    if is_embedded(client):
        return
    for field in _KEYWORDS:
        client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD)
    client.create_payload_index(name, "year", models.PayloadSchemaType.INTEGER)
    client.create_payload_index(name, "duration_s", models.PayloadSchemaType.FLOAT)
    client.create_payload_index(name, "words", models.PayloadSchemaType.TEXT)

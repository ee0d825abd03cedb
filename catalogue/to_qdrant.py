"""Shards into Qdrant: where one index on one machine no longer holds all recordings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from catalogue.importing import common_spaces
from catalogue.shards import HeardRow, read_shard, shard_places
from engine.library import SpaceKey
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.qdrant.points import payload_of, point_id
from engine.qdrant.store import collection_name, is_embedded, metadata_of

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
    for key in spaces:
        _create(client, key, quantisation)
    points = dict.fromkeys(map(collection_name, spaces), 0)
    for number, place in enumerate(places):
        cancel.check()
        elapsed_s = time.monotonic() - started
        eta_s = elapsed_s / number * (len(places) - number) if number else None
        progress(Progress("upload", number, len(places), eta_s=eta_s, message=place))
        rows = read_shard(place).rows()
        for key in spaces:
            if some := _points(key, rows):
                client.upsert(collection_name(key), some, wait=number == len(places) - 1)
                points[collection_name(key)] += len(some)
    return UploadSummary(points, len(places), time.monotonic() - started)


def _points(key: SpaceKey, rows: Sequence[HeardRow]) -> list[Any]:
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
        vector = embedding.vector.tolist()
        found.append(models.PointStruct(id=number, vector=vector, payload=payload))
    return found


def _create(client: QdrantClient, key: SpaceKey, quantisation: Quantisation) -> None:
    from qdrant_client import models

    name = collection_name(key)
    if client.collection_exists(name):
        return
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
        metadata=metadata_of(key),
    )
    if is_embedded(client):
        return
    for field in _KEYWORDS:
        client.create_payload_index(name, field, models.PayloadSchemaType.KEYWORD)
    client.create_payload_index(name, "year", models.PayloadSchemaType.INTEGER)
    client.create_payload_index(name, "duration_s", models.PayloadSchemaType.FLOAT)
    client.create_payload_index(name, "words", models.PayloadSchemaType.TEXT)

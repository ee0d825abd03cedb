"""Qdrant, as a server or as a folder of this machine; one collection per embedding space."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import QueryError
from engine.records import SpaceKey, View

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_PREFIX = "singalike"
_CENTRE = "singalike_centre"
API_KEY_VARIABLE = "QDRANT_API_KEY"
TIMEOUT_S = 60


def collection_name(key: SpaceKey) -> str:
    parts = (_PREFIX, key.view, key.model, key.separator or "", key.model_sha256[:12])
    return re.sub(r"[^A-Za-z0-9._-]", "_", ".".join(filter(None, parts)))


@dataclass(frozen=True, eq=False)
class Collection:
    """A collection of ours.

    ``centre``: (dim,) what its recordings had in common when it was made; its vectors are without.
    """

    name: str
    key: SpaceKey
    centre: np.ndarray


def metadata_of(key: SpaceKey, centre: np.ndarray) -> dict[str, Any]:
    """What a collection says about itself."""
    return {_PREFIX: asdict(key), _CENTRE: [float(value) for value in centre]}


@contextmanager
def opened_qdrant(address: str, *, create: bool = False) -> Iterator[QdrantClient]:
    """A client, for a ``with`` block. Errors of Qdrant inside of it become QueryError.

    Args:
        address: ``http(s)://host:port`` (key in $QDRANT_API_KEY), or a folder: Qdrant's embedded
            mode, for trials and small collections.
        create: make the folder where it does not exist.
    """
    try:
        from qdrant_client import QdrantClient
        from qdrant_client.http.exceptions import ApiException
    except ImportError as error:
        raise QueryError(
            "Qdrant needs the package qdrant-client: pip install 'singalike[catalogue]'."
        ) from error
    is_server = "://" in address
    if not is_server and not create and not (Path(address) / "meta.json").is_file():
        raise QueryError(
            f"There is no Qdrant collection in {address}. Fill one with singalike-catalogue "
            "to-qdrant, or give the address of a server."
        )
    try:
        client = (
            QdrantClient(
                url=address,
                api_key=os.environ.get(API_KEY_VARIABLE),
                timeout=TIMEOUT_S,
                check_compatibility=False,
            )
            if is_server
            else QdrantClient(path=address)
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise QueryError(f"Qdrant cannot be opened at {address}: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Local mode is not recommended")
            yield client
    except ApiException as error:
        raise QueryError(
            f"Qdrant at {address} does not do what it was asked: {error}. Check that it runs, its "
            f"version (1.16 or later), and the key in ${API_KEY_VARIABLE}."
        ) from error
    finally:
        client.close()


def is_embedded(client: QdrantClient) -> bool:
    """It compares every vector and looks at every payload: nothing can be set about how."""
    return bool(client.init_options.get("path"))


def collections(client: QdrantClient) -> list[Collection]:
    """All that are ours."""
    found = []
    for one in client.get_collections().collections:
        if one.name.startswith(f"{_PREFIX}."):
            metadata = client.get_collection(one.name).config.metadata or {}
            if _PREFIX in metadata:
                centre = np.array(metadata[_CENTRE], np.float32)
                found.append(Collection(one.name, SpaceKey(**metadata[_PREFIX]), centre))
    return found


def choose_collection(
    client: QdrantClient, view: View, model: str | None, default: str
) -> Collection:
    """That of the model asked for, else of the default one, else the fullest. QueryError."""
    serving = [one for one in collections(client) if one.key.view == view]
    names = {one.key.model for one in serving}
    wanted = model or (default if default in names else None)
    fitting = [one for one in serving if wanted in (None, one.key.model)]
    if not fitting:
        listened = f"the model {wanted} has heard" if wanted else "has been heard"
        raise QueryError(
            f"Nothing in this Qdrant {listened} for the view {view}. Fill it with "
            "singalike-catalogue to-qdrant"
            + (f" (models: {', '.join(sorted(names))})." if names else ".")
        )
    return max(fitting, key=lambda one: (client.count(one.name, exact=False).count, one.name))

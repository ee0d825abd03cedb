"""Qdrant, as a server or as a folder of this machine; one collection per embedding space."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import QueryError
from engine.library import SpaceKey, View

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_PREFIX = "singalike"
API_KEY_VARIABLE = "QDRANT_API_KEY"
TIMEOUT_S = 60


def collection_name(key: SpaceKey) -> str:
    parts = (_PREFIX, key.view, key.model, key.separator or "", key.model_sha256[:12])
    return re.sub(r"[^A-Za-z0-9._-]", "_", ".".join(filter(None, parts)))


def metadata_of(key: SpaceKey) -> dict[str, Any]:
    """What a collection says about itself."""
    return {_PREFIX: asdict(key)}


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


def known_spaces(client: QdrantClient) -> list[tuple[str, SpaceKey]]:
    """(name of the collection, its space) of all collections that are ours."""
    found = []
    for one in client.get_collections().collections:
        if one.name.startswith(f"{_PREFIX}."):
            metadata = client.get_collection(one.name).config.metadata or {}
            if _PREFIX in metadata:
                found.append((one.name, SpaceKey(**metadata[_PREFIX])))
    return found


def choose_collection(
    client: QdrantClient, view: View, model: str | None, default: str
) -> tuple[str, SpaceKey]:
    """That of the model asked for, else of the default one, else the fullest. QueryError."""
    spaces = [(name, key) for name, key in known_spaces(client) if key.view == view]
    names = {key.model for _, key in spaces}
    wanted = model or (default if default in names else None)
    fitting = [(name, key) for name, key in spaces if wanted in (None, key.model)]
    if not fitting:
        listened = f"the model {wanted} has heard" if wanted else "has been heard"
        raise QueryError(
            f"Nothing in this Qdrant {listened} for the view {view}. Fill it with "
            "singalike-catalogue to-qdrant"
            + (f" (models: {', '.join(sorted(names))})." if names else ".")
        )
    return max(fitting, key=lambda found: (client.count(found[0], exact=False).count, found[0]))

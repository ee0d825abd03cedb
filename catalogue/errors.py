"""What can go wrong with a whole run; a song that fails is a row with its reason instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import SingalikeError


class CatalogueError(SingalikeError):
    """A manifest, a folder of shards or a cluster cannot be used."""


@contextmanager
def extra_packages() -> Iterator[None]:
    """Around imports of what the extra ``catalogue`` brings: CatalogueError without it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise CatalogueError(
            f"This needs the package {error.name}: pip install 'singalike[catalogue]'."
        ) from error

"""What can go wrong with a whole run; a song that fails is a row with its reason instead."""

from __future__ import annotations

from engine.errors import SingalikeError


class CatalogueError(SingalikeError):
    """A manifest, a folder of shards or a cluster cannot be used."""

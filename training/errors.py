"""What a person may meet while training."""

from __future__ import annotations

from engine.errors import SingalikeError


class DataError(SingalikeError):
    """A source or a prepared data set cannot be used."""


class ConfigError(SingalikeError):
    """A training config has unknown keys or impossible values."""


class RunError(SingalikeError):
    """A training run cannot start, go on or be exported."""

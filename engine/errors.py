"""Every error that a person may meet, its message saying what happened and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class SingalikeError(Exception):
    """Base of all expected errors; ``str(error)`` is fit to be shown to the user as it is."""


class CancelledError(SingalikeError):
    """The user asked a running job to stop. Nothing is lost: the work can be started again."""

    def __init__(self) -> None:
        super().__init__("Stopped on request. What was finished is kept; start again to go on.")


class DecodeError(SingalikeError):
    """A file holds no audio that can be decoded (missing, empty, damaged, not audio at all)."""


class TooShortError(DecodeError):
    """A file holds less sound than the shortest excerpt a model can listen to."""


class PastEndError(DecodeError):
    """A file is read from a place at or behind its end."""


class SilentError(DecodeError):
    """A file decodes, but nothing can be heard in it."""


class CheckpointError(SingalikeError):
    """A model checkpoint is missing, damaged, or of a kind that this version cannot use."""


class SeparatorError(SingalikeError):
    """A separator is unknown, its weights are missing or damaged, or it failed on a track."""


class DownloadError(SingalikeError):
    """A file cannot be had from the network, or it is not the one that was expected."""


class LibraryError(SingalikeError):
    """A library file cannot be opened, read or written."""


class LibraryLockedError(LibraryError):
    """Another process is indexing into this library."""


class LibraryNewerError(LibraryError):
    """The library was written by a newer version of Singalike."""


class LibraryCorruptError(LibraryError):
    """The file is not a library of ours, or it is damaged."""


class CatalogueError(SingalikeError):
    """A catalogue, a manifest or a cluster cannot be used."""


class QueryError(SingalikeError):
    """A search cannot be run: unknown song, no embedding for the view asked for, bad options."""


class AmbiguousQueryError(QueryError):
    """Several tracks match the words of a query; ``candidates`` are their ids."""

    def __init__(self, message: str, candidates: Sequence[int]) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class EvaluationError(SingalikeError):
    """An evaluation cannot be run: its data, labels, models or answers do not allow it."""

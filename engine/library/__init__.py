"""The library: which files there are, what their tags say, and what was heard in them."""

from engine.library.records import (
    Embeddings,
    Folder,
    LibraryCounts,
    MomentCodes,
    SpaceKey,
    Tags,
    Track,
    TrackEmbedding,
    TrackStatus,
    View,
)
from engine.library.scan.scan import ScanSummary
from engine.library.store import Library

__all__ = [
    "Embeddings",
    "Folder",
    "Library",
    "LibraryCounts",
    "MomentCodes",
    "ScanSummary",
    "SpaceKey",
    "Tags",
    "Track",
    "TrackEmbedding",
    "TrackStatus",
    "View",
]

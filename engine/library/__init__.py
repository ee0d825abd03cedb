"""The library: which files there are, what their tags say, and what was heard in them."""

from engine.library.records import (
    Folder,
    LibraryCounts,
    Tags,
    Track,
    TrackStatus,
)
from engine.library.scan.reconcile import ScanSummary
from engine.library.store import Library

__all__ = [
    "Folder",
    "Library",
    "LibraryCounts",
    "ScanSummary",
    "Tags",
    "Track",
    "TrackStatus",
]

"""The map of a library: all songs of one view in the plane, near to those that sound like them."""

from engine.library.map_store import Labels, MapRecord, labels
from engine.map.making import MIN_SONGS, current_map, make_map, similarities

__all__ = [
    "MIN_SONGS",
    "Labels",
    "MapRecord",
    "current_map",
    "labels",
    "make_map",
    "similarities",
]

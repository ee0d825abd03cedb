"""A graph to bytes and back. hnswlib itself writes and reads nothing but files.

Written are the bytes of its file. Read, they go through what hnswlib offers for pickling: a
dictionary of the same numbers and arrays, which spares another file and half of the time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from engine.errors import SingalikeError
from engine.library.processes import is_running

# hnswlib 0.8, `HierarchicalNSW::saveIndex`, on 64 bits; named as `Index.__getstate__` names them
_HEAD = np.dtype(
    [
        ("offset_level0", "<u8"),
        ("max_elements", "<u8"),
        ("cur_element_count", "<u8"),
        ("size_data_per_element", "<u8"),
        ("label_offset", "<u8"),
        ("offset_data", "<u8"),
        ("max_level", "<i4"),
        ("enterpoint_node", "<u4"),
        ("max_M", "<u8"),
        ("max_M0", "<u8"),
        ("M", "<u8"),
        ("mult", "<f8"),
        ("ef_construction", "<u8"),
    ]
)
_LINK = np.dtype("<u4")
_LABEL = np.dtype("<u8")
_VALUE = np.dtype("<f4")


class PackedGraph:
    """The bytes of a graph, taken apart without being copied.

    Attributes:
        labels: (n,) int64, in the order in which elements were added.
        vectors: (n, dim) float32, a view of the bytes.
    """

    def __init__(self, raw: np.ndarray, dim: int) -> None:
        """``raw``: (num_bytes,) uint8. ValueError where they are no graph of such vectors."""
        self._head = dict(
            zip(_HEAD.names or (), np.frombuffer(raw, _HEAD, 1)[0].item(), strict=True)
        )
        num, size = self._head["cur_element_count"], self._head["size_data_per_element"]
        self._check_sizes(dim)
        elements_end = _HEAD.itemsize + num * size
        if elements_end > len(raw):
            raise ValueError("fewer elements than there should be")
        self._elements = raw[_HEAD.itemsize : elements_end].view(np.int8).reshape(num, size)
        self._sizes, self._links = _upper_links(raw[elements_end:].view(_LINK))
        if len(self._sizes) != num or (self._sizes % self._bytes_per_level).any():
            raise ValueError("not as many links as there should be")
        self.labels = self._column("label_offset", _LABEL, 1)[:, 0].astype(np.int64)
        self.vectors = self._column("offset_data", _VALUE, dim)

    def unpacked(self, max_elements: int) -> hnswlib.Index:
        """A graph with room for so many elements."""
        num = len(self.labels)
        levels = np.zeros(max_elements, np.int32)
        levels[:num] = self._sizes // self._bytes_per_level
        state = {
            "ser_version": 1,
            "space": "ip",
            "dim": self.vectors.shape[1],
            "index_inited": True,
            "ep_added": num > 0,
            "normalize": False,
            "num_threads": os.cpu_count() or 1,
            "seed": 100,
            "ef": 10,
            "has_deletions": False,
            "allow_replace_deleted": False,
            **self._head,
            "max_elements": max_elements,
            "size_links_per_element": self._bytes_per_level,
            "label_lookup_external": self.labels.astype(np.uint64),
            "label_lookup_internal": np.arange(num, dtype=np.uint32),
            "element_levels": levels,
            "data_level0": self._elements.reshape(-1),
            "link_lists": self._links.view(np.int8),
        }
        return hnswlib.Index(params=state)

    @property
    def _bytes_per_level(self) -> int:
        """Of an element's links above the lowest level: their number, then room for all."""
        return int(_LINK.itemsize * (1 + self._head["max_M"]))

    def _check_sizes(self, dim: int) -> None:
        links_end = _LINK.itemsize * (1 + self._head["max_M0"])
        vector_end = links_end + _VALUE.itemsize * dim
        found = [
            self._head[name]
            for name in ("offset_level0", "offset_data", "label_offset", "size_data_per_element")
        ]
        if found != [0, links_end, vector_end, vector_end + _LABEL.itemsize]:
            raise ValueError("elements of another size")

    def _column(self, offset: str, dtype: np.dtype[Any], num: int) -> np.ndarray:
        """(n, num) of what lies in each element from an offset on."""
        start = self._head[offset]
        return self._elements[:, start : start + num * dtype.itemsize].view(dtype)


def _upper_links(words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each element the size in bytes of its links above the lowest level; all these links.

    In ``words`` the size of each comes before its links; that of most is 0.
    """
    is_link = np.zeros(len(words), bool)
    end = 0
    for place in np.flatnonzero(words).tolist():
        if place >= end:  # else among the links of the one before
            end = place + 1 + int(words[place]) // _LINK.itemsize
            is_link[place + 1 : end] = True
    if end > len(words):
        raise ValueError("fewer links than there should be")
    return words[~is_link], words[is_link]


@contextmanager
def packed(graph: hnswlib.Index) -> Iterator[Path]:
    """A file with the bytes of a graph, which is there while the block lasts.

    SingalikeError where there is no room for it.
    """
    with _scratch_folder() as folder:
        path = Path(folder) / "index"
        try:
            graph.save_index(str(path))
            num_bytes = path.stat().st_size
        except (OSError, RuntimeError):
            num_bytes = -1
        if num_bytes != graph.index_file_size():  # hnswlib does not notice a full disk
            raise SingalikeError(
                f"The search index could not be written to {folder}: is the disk full? Make room, "
                "then start again; nothing else is lost."
            )
        yield path


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """What killed processes left goes."""
    for left in Path(tempfile.gettempdir()).glob("singalike-*-*"):
        pid = left.name.split("-")[1]
        if pid.isdecimal() and not is_running(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix=f"singalike-{os.getpid()}-")

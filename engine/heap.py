"""How glibc's malloc keeps memory that is free; other systems are left as they are."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # of mallopt(3)
NUM_HEAPS = 2


def limit_heaps() -> None:
    """For each thread glibc makes a heap, up to eight a core, and what is free lies scattered in
    all of them: each run of indexing left some 30 MB more than before. Two are as quick.
    """
    _set(M_ARENA_MAX, NUM_HEAPS)


def keep_freed_memory() -> None:
    """Give nothing back to the system, which would hand it out again page by page, zeroed.

    For training on a processor: every batch takes and frees the same large tensors. They cost it
    a third of its time (32 -> 43 pairs/s of EfficientNet-B0 on one core of a virtual machine).
    """
    _set(M_MMAP_MAX, 0)
    _set(M_TRIM_THRESHOLD, -1)  # never


def _set(parameter: int, value: int) -> None:
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(parameter, value)

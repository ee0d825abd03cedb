"""Threads inside of torch's operations, for work that shares the cores in another way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded_torch() -> Iterator[None]:
    """Operations run on one thread each; what was set before comes back at the end.

    For pools of workers that share the cores by tracks or clips: threads inside operations would
    only get in their way. Sums also come out the same on any number of cores.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

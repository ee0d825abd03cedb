"""How torch computes on this processor: threads inside its operations, and their precision."""

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


def has_fast_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 by itself (AVX-512 BF16, AMX).

    There, networks embed 1.2 to 2.1 times as fast as in float32; segments' embeddings keep a cosine
    of 0.9996 and more with those of float32. Elsewhere it is emulated, and slower.
    """
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))

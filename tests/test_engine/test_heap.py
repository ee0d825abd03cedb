"""Memory that is kept is not asked for page by page again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Tensors of 40 MB, as in a batch: each is 9,766 pages, of which huge ones may spare the most.
TAKE_AND_FREE = """
import resource
import torch
{keep}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def take_and_free():
    for _ in range(20):
        torch.ones(10_000_000)
take_and_free()  # until all of it has found its place
before = faults()
take_and_free()
print(faults() - before)
"""


def page_faults(keep: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", TAKE_AND_FREE.format(keep=keep)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="malloc is another one elsewhere")
def test_what_was_freed_is_taken_again_without_asking_the_system() -> None:
    keep = "from engine.heap import keep_freed_memory; keep_freed_memory()"

    assert page_faults(keep) < 100 < page_faults(keep="")

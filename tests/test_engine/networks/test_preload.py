from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.linux


# In a fresh process: this one may have torch already.
SCRIPT = """
import gc, sys
from engine.networks import preload
preload._load_torch_libraries()
print("libtorch_python" in open("/proc/self/maps").read(), "torch" in sys.modules)
preload.import_heavy_libraries()
print(gc.isenabled(), gc.get_freeze_count() > 100_000, "torchaudio" in sys.modules)
import torch
num_frozen = gc.get_freeze_count()
preload.import_heavy_libraries()
print(torch.ones(3).sum().item(), gc.get_freeze_count() == num_frozen)
"""


def test_libraries_are_loaded_ahead_and_left_alone_by_the_collector():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["True False", "True True True", "3.0 True"]

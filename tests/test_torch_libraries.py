from __future__ import annotations

import subprocess
import sys

# In a fresh process: this one may have torch already.
SCRIPT = """
import sys
from engine.torch_libraries import load_torch_libraries
load_torch_libraries()
is_mapped = "libtorch_python" in open("/proc/self/maps").read()
print(is_mapped, "torch" in sys.modules)
load_torch_libraries()
import torch
load_torch_libraries()
print(torch.ones(3).sum().item())
"""


def test_the_libraries_are_there_before_torch_and_torch_works_with_them():
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False", "3.0"]


def test_without_torch_nothing_happens(monkeypatch):
    from engine import torch_libraries

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.setattr(torch_libraries, "find_spec", lambda _: None)
    monkeypatch.setattr(torch_libraries.ctypes, "CDLL", None)  # would fail if it were used
    torch_libraries.load_torch_libraries()

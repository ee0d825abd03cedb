"""Imports what listening needs in a way that lets the other threads go on."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)

HEAVY = ("torch", "torchaudio")  # 1 s and 0.05 s


def import_heavy_libraries() -> None:
    """Before a thread needs torch while a window is to stay alive; costs nothing a second time.

    Two things stop all threads during such imports. Python holds its lock while the system loads
    and links torch's shared libraries (0.2 s): a foreign call lets it go, and the import finds them
    loaded. And the garbage collector looks several times through all that is being made, which is
    hundreds of thousands of functions and classes (0.1 s): it rests, and need not look through
    them later either, as they stay for good.
    """
    if all(name in sys.modules for name in HEAVY):
        return
    _load_torch_libraries()
    with _no_collecting():
        for name in HEAVY:
            import_module(name)


def _load_torch_libraries() -> None:
    """Nothing on Windows, where the window has imported torch before it opens."""
    if "torch" in sys.modules or sys.platform == "win32":
        return
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return
    suffix = "dylib" if sys.platform == "darwin" else "so"
    path = Path(spec.origin).parent / "lib" / f"libtorch_python.{suffix}"
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    if not dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_LOCAL):
        log.info("%s could not be loaded ahead; the import of torch will tell why", path)


@contextmanager
def _no_collecting() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()

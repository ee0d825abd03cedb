"""Loads torch's shared libraries in a way that lets the other threads go on."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from importlib.util import find_spec
from pathlib import Path

log = logging.getLogger(__name__)


def load_torch_libraries() -> None:
    """To be called before a thread imports torch while a window is to stay alive.

    An import holds Python's lock while the system loads and links a package's libraries: 0.2 s for
    torch's, in which no window answers. A foreign call lets the lock go; the import that follows
    finds them loaded. Does nothing where torch is there already or the libraries are not found, and
    on Windows, where the window imports torch before it opens.
    """
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

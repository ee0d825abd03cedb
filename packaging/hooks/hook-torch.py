"""What a search needs of torch: the hook that PyInstaller brings takes all of it, tests included.

Python's sources are left out but for those that torch reads as text when it is imported: overloads
in ``torch.nn`` and ``torch.functional``, and the comments in its modules of settings.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PyInstaller.utils.hooks import PY_DYLIB_PATTERNS, collect_dynamic_libs, get_package_paths

TESTS = ("aoti_custom_ops", "backend_with_compiler", "jitbackend_test", "torchbind_test")

FOLDER = Path(get_package_paths("torch")[1])
SETTINGS = [
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts)
    for path in FOLDER.rglob("*config.py")
]
READ_AS_TEXT = ["torch.nn", "torch.functional", *SETTINGS]

module_collection_mode = {"torch": "pyz", **dict.fromkeys(READ_AS_TEXT, "pyz+py")}
binaries = [
    (source, folder)
    for source, folder in collect_dynamic_libs(
        "torch", search_patterns=[*PY_DYLIB_PATTERNS, "*.so.*"]
    )
    if not any(test in source for test in TESTS) and not folder.startswith("torch/test")
]
if sys.platform != "win32":  # named at import, whether it is used or not
    binaries.append((str(FOLDER / "bin" / "torch_shm_manager"), "torch/bin"))
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]

"""Leave torchaudio's native library out where torch is a build without CUDA.

PyPI's torchaudio is made for CUDA, and cannot be imported beside such a torch on Linux, because its
library looks for CUDA's. torchaudio takes that library for optional, and all that is used of it
here is written in Python.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch


def main() -> None:
    spec = find_spec("torchaudio")
    if torch.version.cuda is None and spec is not None and spec.origin is not None:
        for library in Path(spec.origin).parent.glob("lib/*.so"):
            library.unlink()


if __name__ == "__main__":
    main()

"""``python -m engine.evaluation``: short for ``singalike evaluate``."""

from __future__ import annotations

import sys

from engine.cli import main

sys.argv.insert(1, "evaluate")
main()

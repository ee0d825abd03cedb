"""``python -m training``: what ``torchrun`` starts, once per GPU."""

from __future__ import annotations

import sys

from engine.errors import SingalikeError
from training.cli import app

if __name__ == "__main__":
    try:
        app(prog_name="singalike train")
    except SingalikeError as error:
        sys.exit(f"Error: {error}")

"""How often everything is repeated: CI has seconds, ``make faults`` has minutes."""

from __future__ import annotations

import os

NUM_KILLS = int(os.environ.get("SINGALIKE_KILLS", "20"))  # in all
IS_LONG = NUM_KILLS >= 200

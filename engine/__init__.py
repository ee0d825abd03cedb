"""Everything a search for similar voices needs: no Qt, no audio devices."""

import os

__version__ = "0.1.0"

# Before torch is loaded, which reads it once: its threads sleep while they wait for each other.
# Spinning, they take the cores from what they wait for as soon as another program is busy, and
# training goes at a fiftieth of its pace.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

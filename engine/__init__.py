"""Everything a search for similar voices needs: no Qt, no audio devices, nothing of the other rooms."""

__version__ = "0.1.0"

"""Everything a search for similar voices needs: no Qt, no audio devices."""

__version__ = "0.1.0"

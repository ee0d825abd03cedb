"""The colours of a report: each model has one, the same in every figure and table."""

from __future__ import annotations

# Hues after Okabe and Ito, told apart by people with any kind of colour vision; all of them stand
# out from white, and they are those of the window's own plots.
COLOURS = ("#6d39c6", "#db8606", "#0c9273", "#c65392", "#1d8dcd", "#c13d15", "#a5a012", "#4c5067")


def colour(number: int) -> str:
    """Of the model at a place in the list of models; after the last one they begin again."""
    return COLOURS[number % len(COLOURS)]

"""The colours of a report: each model has one, the same in every figure and table."""

from __future__ import annotations

# Hues after Okabe and Ito, told apart by people with any kind of colour vision; all of them stand
# out from white, and they are those of the window's own plots.
COLOURS = ("#6d39c6", "#db8606", "#0c9273", "#c65392", "#1d8dcd", "#c13d15", "#a5a012", "#4c5067")

# Of pages, in light and in dark, as CSS.
THEME = """
:root { color-scheme: light dark; --ink: #1f2933; --muted: #5f6b76; --line: #e1e5ea;
  --soft: #f6f7f9; --ground: #fff; --accent: #6440c4; --on-accent: #fff; --warn: #b45309;
  --warn-soft: #fdf3e3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebee; --muted: #a3adb7; --line: #343b43;
  --soft: #20252b; --ground: #171b20; --accent: #b39bf2; --on-accent: #171b20; --warn: #f0b45b;
  --warn-soft: #32281a; } }
* { box-sizing: border-box; }
"""


def colour(number: int) -> str:
    """Of the model at a place in the list of models; after the last one they begin again."""
    return COLOURS[number % len(COLOURS)]

"""The colours of both themes. The one place where a colour is written down.

``Palette.text_pairs`` lists which text lies on which ground: a test computes every contrast.
"""

from __future__ import annotations

import colorsys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

NUM_TILES = 24


@dataclass(frozen=True)
class Palette:
    """Colours as ``#rrggbb``. Grounds from the back to the front, then text, then accents."""

    name: str
    window: str  # behind everything
    panel: str  # bars and side panels
    surface: str  # lists, tables, fields
    raised: str  # hover, chips, buttons
    selected: str  # selected row
    line: str  # separators, borders of fields
    text: str
    muted: str  # secondary text
    accent: str  # the one accent: primary actions, focus, the voice view
    accent_hover: str
    on_accent: str  # text on the accent
    overall: str  # the overall view's counterpart of the accent
    warning: str
    error: str
    good: str
    wave: str  # waveform not yet played; no text
    on_scrim: str  # icons on the dark veil over a cover

    def text_pairs(self) -> Iterator[tuple[str, str]]:
        """(text, ground) for every combination that the window draws."""
        grounds = ("window", "panel", "surface", "raised", "selected")
        for ground in grounds:
            for text in ("text", "muted", "accent", "overall"):
                yield text, ground
        for text in ("warning", "error", "good"):
            yield text, "window"
            yield text, "panel"
            yield text, "surface"
        yield "on_accent", "accent"
        yield "on_accent", "accent_hover"

    def colours(self) -> dict[str, str]:
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}


LIGHT = Palette(
    name="light",
    window="#f4f3f6",
    panel="#faf9fb",
    surface="#ffffff",
    raised="#eeecf2",
    selected="#e9e4f7",
    line="#dedbe4",
    text="#1c1a22",
    muted="#625e6d",
    accent="#6440c4",
    accent_hover="#5433ad",
    on_accent="#ffffff",
    overall="#0a6b68",
    warning="#8a5300",
    error="#b3261e",
    good="#1a6b3c",
    wave="#c3bfcd",
    on_scrim="#ffffff",
)

DARK = Palette(
    name="dark",
    window="#131217",
    panel="#1a191f",
    surface="#1e1d24",
    raised="#2a2832",
    selected="#332c4a",
    line="#34323d",
    text="#f0eef4",
    muted="#a9a4b5",
    accent="#b9a1ff",
    accent_hover="#cbb9ff",
    on_accent="#1b1330",
    overall="#5fd0c5",
    warning="#f0b45c",
    error="#ff938a",
    good="#6fd198",
    wave="#4c4957",
    on_scrim="#ffffff",
)


def tile_number(seed: str) -> int:
    """Tiles of the same number look the same."""
    return zlib.crc32(seed.encode("utf-8", "replace")) % NUM_TILES


def tile_colours(palette: Palette, seed: str) -> tuple[str, str]:
    """(ground, mark) of a tile that stands in for a cover; the hue belongs to ``seed``."""
    hue = tile_number(seed) / NUM_TILES
    lights = (0.28, 0.58) if palette is DARK else (0.85, 0.55)
    ground, mark = (colorsys.hls_to_rgb(hue, light, 0.32) for light in lights)
    return _hex(ground), _hex(mark)


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)

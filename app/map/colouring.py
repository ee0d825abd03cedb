"""What the colours of the points say: artist, genre, year, what is heard, likeness to a song."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from PySide6.QtGui import QColor

from app.ui.heard import heard_word
from app.ui.palette import DARK, Palette
from engine.evaluation.colours import NUM_COLOURS, colour
from engine.library.maps import Labels
from engine.library.text import normalise
from engine.records import TagKind

NUM_SHADES = 64
NO_VALUE = 0  # the first colour: songs that no group or value is known of


class Colour(StrEnum):
    """What points can be coloured by."""

    ARTIST = "artist"
    GENRE = "genre"
    YEAR = "year"
    HEARD = "heard"  # kind of music
    MOOD = "mood"
    INSTRUMENTS = "instruments"
    LIKENESS = "likeness"


HEARD_KINDS: dict[Colour, TagKind] = {
    Colour.HEARD: "genre",
    Colour.MOOD: "mood",
    Colour.INSTRUMENTS: "instruments",
}


@dataclass(frozen=True, eq=False)
class Colouring:
    """Colours of all points, as places in a table.

    Attributes:
        codes: (n,) uint8; NO_VALUE, then groups from the largest on, or shades from low to high.
        names: of the groups, in the order of their codes from 1 on; () for shades.
        counts: points in each of these.
        num_others: points of no group.
        low, high: what the ends of the shades mean; "" for groups.
    """

    codes: np.ndarray
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    num_others: int = 0
    low: str = ""
    high: str = ""

    @property
    def is_graded(self) -> bool:
        return not self.names and bool(self.low)


def by_group(groups: np.ndarray, names: tuple[str, ...]) -> Colouring:
    """The largest groups in colours of their own. ``groups`` (n,) are places in ``names``.

    Nameless points belong to no group; -1 counts as nameless.
    """
    known = np.where(groups >= 0, groups, len(names))
    counts = np.bincount(known, minlength=len(names) + 1)[: len(names)]
    for nameless in (i for i, name in enumerate(names) if not name):
        counts[nameless] = 0
    largest = np.argsort(-counts, kind="stable")[:NUM_COLOURS]
    largest = np.array(
        sorted(largest[counts[largest] > 0], key=lambda i: (-counts[i], normalise(names[i]))), int
    )
    code_of = np.zeros(len(names) + 1, np.uint8)
    code_of[largest] = np.arange(1, len(largest) + 1)
    return Colouring(
        code_of[known],
        tuple(names[i] for i in largest),
        tuple(int(counts[i]) for i in largest),
        len(groups) - int(counts[largest].sum()),
    )


def by_year(years: np.ndarray) -> Colouring:
    """Shades from the earliest to the latest; a few odd years do not use up the scale."""
    is_known = years > 0
    if not is_known.any():
        return Colouring(np.zeros(len(years), np.uint8))
    low, high = np.percentile(years[is_known], [1, 99]).round()
    shades = np.clip((years - low) / max(high - low, 1), 0, 1)
    return Colouring(_shaded(shades, is_known), low=f"{low:.0f}", high=f"{high:.0f}")


def by_likeness(similarities: np.ndarray, low: str, high: str) -> Colouring:
    """Shades by rank, as similarities may lie close together; NaN where one is not known."""
    is_known = np.isfinite(similarities)
    ranks = np.zeros(len(similarities))
    order = np.argsort(similarities[is_known], kind="stable")
    placed = np.empty(len(order))
    placed[order] = np.linspace(0, 1, len(order)) if len(order) > 1 else 1.0
    ranks[is_known] = placed**3  # most of the scale for the nearest
    return Colouring(_shaded(ranks, is_known), low=low, high=high)


def aligned(track_ids: np.ndarray, known_ids: np.ndarray) -> np.ndarray:
    """(n,) for each of ``track_ids`` its place in ``known_ids`` (ascending), -1 where it is not."""
    if not len(known_ids):
        return np.full(len(track_ids), -1)
    places = np.minimum(np.searchsorted(known_ids, track_ids), len(known_ids) - 1)
    return np.where(known_ids[places] == track_ids, places, -1)


def carried(
    known_ids: np.ndarray, values: np.ndarray, track_ids: np.ndarray, otherwise: float
) -> np.ndarray:
    """(n,) for each of ``track_ids`` its value among those of ``known_ids``, in whatever order."""
    order = np.argsort(known_ids)
    rows = aligned(track_ids, known_ids[order])
    found = np.full(len(track_ids), otherwise, values.dtype)
    found[rows >= 0] = values[order][rows[rows >= 0]]
    return found


def by_tags(kind: Colour, track_ids: np.ndarray, labels: Labels) -> Colouring:
    """Points coloured by what their tags say, or what is heard in them."""
    rows = aligned(track_ids, labels.track_ids)
    has_row = rows >= 0
    if kind == Colour.YEAR:
        return by_year(np.where(has_row, labels.years[rows], 0))
    if kind in HEARD_KINDS:
        words, of = labels.heard[HEARD_KINDS[kind]]
        names = tuple(map(heard_word, words))
    else:
        names, of = {
            Colour.ARTIST: (labels.artists, labels.artist_of),
            Colour.GENRE: (labels.genres, labels.genre_of),
        }[kind]
    return by_group(np.where(has_row, of[rows], -1), names)


def _shaded(shares: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    codes = 1 + np.rint(shares * (NUM_SHADES - 1)).astype(np.uint8)
    return np.where(is_known, codes, NO_VALUE).astype(np.uint8)


def table_of(palette: Palette, is_graded: bool) -> list[QColor]:
    """The colours of the codes; the first is for points without a group or value."""
    others = QColor(palette.wave)
    if is_graded:
        return [others, *(shade(palette, i / (NUM_SHADES - 1)) for i in range(NUM_SHADES))]
    is_dark = palette is DARK
    groups = (colour(number, is_dark=is_dark) for number in range(NUM_COLOURS))
    return [others, *map(QColor, groups)]


def shade(palette: Palette, share: float) -> QColor:
    """From blue over grey to orange, always further from the ground: any colour vision can read it.

    Stops are hue, lightness, saturation.
    """
    if palette is DARK:
        stops = ((0.62, 0.45, 0.55), (0.60, 0.62, 0.08), (0.13, 0.66, 0.95))
    else:
        stops = ((0.58, 0.74, 0.50), (0.60, 0.52, 0.12), (0.07, 0.34, 0.95))
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    first = min(int(place), len(stops) - 2)
    low, high = (colorsys.hls_to_rgb(*stops[first + i]) for i in (0, 1))
    part = place - first
    return QColor.fromRgbF(*(a + part * (b - a) for a, b in zip(low, high, strict=True)))


def packed(colours: list[QColor]) -> np.ndarray:
    """(m,) uint32, 0xffRRGGBB."""
    return np.array([colour.rgb() & 0xFFFFFFFF for colour in colours], np.uint32)

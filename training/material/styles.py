"""Styles of accompaniment as data: who plays, and what, in steps of a bar.

A bar is a string of 16 steps (12 where beats have three). Drums: ``x`` a stroke, ``X`` an accent,
``o`` a ghost note. Bass: ``1 3 5 8`` degrees of the chord, ``a`` a step below the next root.
Chords: ``x`` a chord that sounds until the next step that is not ``-``; ``s`` a short one;
digits: single tones of the chord, from below. Several patterns: one is drawn for each song.
"""

from __future__ import annotations

from dataclasses import dataclass

DRUMS = {
    "kick": 36, "snare": 38, "rim": 37, "clap": 39, "hat": 42, "open": 46, "pedal": 44,
    "ride": 51, "crash": 49, "low tom": 45, "mid tom": 47, "high tom": 50, "tambourine": 54,
    "cowbell": 56, "shaker": 70, "cabasa": 69, "conga": 63, "low conga": 64, "mute conga": 62,
    "claves": 75, "timbale": 65, "brush": 40, "triangle": 81,
}  # fmt: skip
PIANOS, ELECTRIC_PIANOS, ORGANS = (0, 1, 2), (4, 5), (16, 17, 18, 19)
MALLETS, ACCORDIONS = (8, 9, 11, 12, 13, 108, 114), (21, 22, 23)
NYLON, STEEL, CLEAN, MUTED, OVERDRIVEN, DISTORTED = 24, 25, 27, 28, 29, 30
BASSES, SYNTH_BASSES = (33, 34, 35, 36), (38, 39)
UPRIGHT = 32
STRINGS, SYNTH_STRINGS, PADS = (48, 49), (50, 51), (88, 89, 90, 92, 93, 95)  # none that sings
BRASS, SAXES, REEDS, FLUTES = (61, 62, 63), (64, 65, 66, 67), (68, 70, 71), (73, 74, 75, 79)
TRUMPETS, BOWED, SYNTH_LEADS = (56, 57, 59), (40, 41, 42, 110), (80, 81, 82, 83, 84, 87)
PLUCKED = (15, 45, 46, 104, 105, 106, 107)


@dataclass(frozen=True)
class Part:
    """One player of chords: General MIDI programs to draw from, patterns, lowest note, level."""

    programs: tuple[int, ...]
    patterns: tuple[str, ...]
    lowest: int = 55
    velocity: int = 72


@dataclass(frozen=True)
class Style:
    """A kind of band.

    Attributes:
        tempo_bpm: lowest and highest.
        drums: one of these kits of patterns is drawn for each song.
        swing: share of a pair of steps by which the second is late.
        parts: those after the first two come and go with the sections.
        leads: programs that may play a melody between the phrases of the singer; () none.
        sevenths: chords have four tones.
    """

    tempo_bpm: tuple[int, int]
    drums: tuple[dict[str, str], ...]
    bass: tuple[str, ...]
    bass_programs: tuple[int, ...]
    parts: tuple[Part, ...]
    leads: tuple[int, ...] = ()
    num_beats: int = 4
    swing: float = 0.0
    sevenths: bool = False
    is_minor: float = 0.4


_EIGHTHS = "x.x.x.x.x.x.x.x."
_SIXTEENTHS = "xoxoxoxoxoxoxoxo"
_BACKBEAT = "....X.......X..."
_WHOLE = "x---------------"

STYLES: dict[str, Style] = {
    "rock": Style(
        (96, 158),
        (
            {"kick": "X.......X.x.....", "snare": _BACKBEAT, "hat": _EIGHTHS},
            {"kick": "X..x..x.X.......", "snare": _BACKBEAT, "ride": "x...x...x...x..."},
            {"kick": "X.....x.x.....x.", "snare": _BACKBEAT, "open": "x...x...x...x..."},
        ),
        ("1.1.1.1.1.1.1.1.", "1...1.1.1...1.1.", "1.....1.1...5.a."),
        BASSES,
        (
            Part((OVERDRIVEN, DISTORTED), (_WHOLE, "x.....x-....x---", "x.x.x.x.x.x.x.x."), 45, 70),
            Part((CLEAN, STEEL, *ORGANS), ("x...x...x...x...", "0.1.2.1.0.1.2.1.", _WHOLE), 55, 58),
            Part((*PIANOS, *ORGANS), ("x-------x-------", "x...x...x...x..."), 57, 60),
        ),
        (OVERDRIVEN, DISTORTED, *ORGANS),
    ),
    "metal": Style(
        (120, 190),
        (
            {"kick": "XxxxXxxxXxxxXxxx", "snare": "....X.......X...", "hat": "x...x...x...x..."},
            {"kick": "X.xxX.xxX.xxX.xx", "snare": "........X.......", "crash": "x.......x......."},
        ),
        ("1111111111111111", "1.111.111.111.11"),
        (34, 33),
        (
            Part((DISTORTED,), ("s.sss.sss.sss.ss", "x-----s.s.s.x---"), 40, 78),
            Part((DISTORTED, OVERDRIVEN), (_WHOLE, "x-------x-------"), 47, 70),
            Part((*SYNTH_STRINGS, *STRINGS), (_WHOLE,), 60, 46),
        ),
        (DISTORTED, OVERDRIVEN, 81),
        is_minor=0.9,
    ),
    "ballad": Style(
        (58, 84),
        (
            {"kick": "X.......x.......", "snare": _BACKBEAT, "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "X.....x.x.......", "rim": _BACKBEAT, "hat": "x...x...x...x..."},
            {"shaker": "x.o.x.o.x.o.x.o."},
        ),
        ("1-------1-------", "1-----5-8---5-a-"),
        (*BASSES, UPRIGHT),
        (
            Part(PIANOS, ("0.1.2.1.3.2.1.2.", "x...x...x...x...", "0.2.1.2.0.2.1.2."), 55, 66),
            Part((*STRINGS, *PADS), (_WHOLE,), 57, 50),
            Part((NYLON, STEEL, 46), ("0.1.2.3.2.1.2.1.", _WHOLE), 52, 56),
        ),
        (*SAXES, *FLUTES, *BOWED, 68),
    ),
    "disco": Style(
        (112, 130),
        (
            {"kick": "X...X...X...X...", "snare": _BACKBEAT, "open": "..x...x...x...x.",
             "hat": "x...x...x...x..."},
            {"kick": "X...X...X...X...", "clap": _BACKBEAT, "hat": _SIXTEENTHS,
             "tambourine": "..x...x...x...x."},
        ),
        ("1.8.1.8.1.8.1.8.", "1..11.8.1..15.8."),
        (33, 36, 37, *SYNTH_BASSES),
        (
            Part((MUTED, CLEAN), ("..s..ss...s..s.s", "s.ss..s.s.ss..s."), 60, 64),
            Part((*STRINGS, *SYNTH_STRINGS), (_WHOLE, "x-------....s.s."), 65, 56),
            Part((*ELECTRIC_PIANOS, *PIANOS, 7), ("..x...x...x...x.", "x..x..x...x..x.."), 57, 60),
            Part(BRASS, ("s..s............", "........s.s..s..", "x-------........"), 60, 66),
        ),
        (*SAXES, *TRUMPETS, *FLUTES),
        sevenths=True,
    ),
    "house": Style(
        (118, 138),
        (
            {"kick": "X...X...X...X...", "clap": _BACKBEAT, "open": "..x...x...x...x."},
            {"kick": "X...X...X...X...", "hat": _SIXTEENTHS, "clap": _BACKBEAT,
             "rim": "...x..x....x...."},
        ),
        ("..1...1...1...1.", "1..1..1.1..1..8."),
        SYNTH_BASSES,
        (
            Part((*PIANOS, 4, 17), ("x..x..x...x..x..", "..s..s..s..s..s."), 57, 72),
            Part((*SYNTH_STRINGS, *PADS), (_WHOLE,), 60, 52),
            Part(SYNTH_LEADS[:2], ("0.2.1.3.0.2.1.3.", "012301230123012.",
                 "0..1..2..0..1.2."), 67, 46),
        ),
        SYNTH_LEADS,
        is_minor=0.7,
    ),
    "synthpop": Style(
        (96, 128),
        (
            {"kick": "X...X...X...X...", "snare": _BACKBEAT, "hat": _EIGHTHS},
            {"kick": "X..x..x.X..x..x.", "snare": _BACKBEAT, "clap": _BACKBEAT,
             "shaker": _SIXTEENTHS},
        ),
        ("1.1.1.1.1.1.1.1.", "1.8.1.8.1.8.1.8.", "1..1..1.1..1..a."),
        (*SYNTH_BASSES, 87),
        (
            Part((80, 81, 62, 5), ("0123012301230123", "0.2.1.2.0.2.3.2.",
                 "x-..x-..x-..x-.."), 62, 50),
            Part((*PADS, *SYNTH_STRINGS), (_WHOLE,), 57, 54),
            Part((5, 8, 11, 14, 98), ("0...2...1...3...", "..2...3...1...2."), 72, 54),
        ),
        SYNTH_LEADS,
    ),
    "hip hop": Style(
        (76, 98),
        (
            {"kick": "X.....x...x.....", "snare": _BACKBEAT, "hat": _EIGHTHS},
            {"kick": "X..x......x..x..", "clap": _BACKBEAT, "hat": "x.xxx.x.x.x.xxxx"},
            {"kick": "X......x..x.....", "snare": "........X.......", "hat": "xxxxxxoxx.xxxxox"},
        ),
        ("1-----1---8-----", "1--1------5-1---", "1-------....a---"),
        (38, 39, 33, 35, UPRIGHT),
        (
            Part((*ELECTRIC_PIANOS, *PIANOS, 11), (_WHOLE, "x-----x---------",
                 "0...2..1..3....."), 57, 62),
            Part((*STRINGS, *PADS, 46), (_WHOLE, "x---....x---...."), 60, 46),
            Part((*MALLETS, *PLUCKED, 79), ("0..2..1.0..3..2.", "..0...1...2...0."), 67, 52),
        ),
        (*FLUTES, 11, 80, 107),
        swing=0.12,
        sevenths=True,
        is_minor=0.8,
    ),
    "funk": Style(
        (92, 118),
        (
            {"kick": "X.x....x..x..x..", "snare": "....X..o.o..X..o", "hat": _SIXTEENTHS},
            {"kick": "X..x..x...x.....", "snare": "....X..o....X...", "hat": "xxxxxxxxxxxxxxxx"},
        ),
        ("1..1..8.1.5.8...", "1.1...8..81...a.", "1..8.1..5..1..8."),
        (36, 37, 33),
        (
            Part((MUTED, CLEAN), ("ss.s.ss.s.ss.s.s", "..s.s..s..s.s..s"), 60, 62),
            Part((7, *ELECTRIC_PIANOS, *ORGANS), ("x..s....x..s..s.", "..s..s....s..s.."), 57, 62),
            Part(BRASS, ("s...........s.s.", "..s.s...........", "........x-----s."), 60, 72),
        ),
        (*SAXES, *TRUMPETS, OVERDRIVEN),
        sevenths=True,
        is_minor=0.5,
    ),
    "soul": Style(
        (72, 112),
        (
            {"kick": "X.....x.x.......", "snare": "....X.......X...", "hat": _EIGHTHS},
            {"kick": "X...x...X...x...", "snare": "x...X...x...X...", "tambourine": _BACKBEAT},
        ),
        ("1..1..5.8..5..a.", "1-..5-1.1-..5-8."),
        (33, 32, 35),
        (
            Part((*ELECTRIC_PIANOS, *PIANOS), ("x---..x-x---....", "x...x...x...x..."), 56, 64),
            Part(ORGANS, (_WHOLE, "x-------x-------"), 57, 48),
            Part((CLEAN, 26), ("....s.......s...", "..0.1.2...0.1.2."), 60, 56),
            Part(BRASS, ("x-----......s...", "............s.s."), 60, 62),
        ),
        SAXES,
        swing=0.1,
        sevenths=True,
    ),
    "reggae": Style(
        (66, 92),
        (
            {"kick": "........X.......", "rim": "........X.......", "hat": "x.x.x.x.x.x.x.x."},
            {"kick": "X...X...X...X...", "snare": "........X.......", "hat": "..x...x...x...x."},
        ),
        ("1...1.3.5...3...", "....1.1.5.5.3...", "1-..3-..5-..8-.."),
        (33, 32, 38),
        (
            Part((CLEAN, MUTED, 26), ("....s.......s...", "..s...s...s...s."), 60, 66),
            Part(ORGANS, ("..s.s.s...s.s.s.", "....s.......s..."), 60, 56),
            Part((*PIANOS, 7), ("....s.......s...",), 57, 54),
        ),
        (*TRUMPETS, 58, 22, *SAXES),
        swing=0.08,
    ),
    "bossa": Style(
        (104, 144),
        (
            {"kick": "X.....x.X.....x.", "rim": "x..x..x...x..x..", "hat": _EIGHTHS},
            {"kick": "X.....x.X.....x.", "cabasa": _SIXTEENTHS, "rim": "x...x..x..x..x.."},
        ),
        ("1-----5-5-----1-", "1---..5-1---..5-"),
        (UPRIGHT, 33, 35),
        (
            Part((NYLON,), ("x..x..x...x..x..", "..x..x..x..x..x."), 52, 66),
            Part((*ELECTRIC_PIANOS, 0, 11), (_WHOLE, "....x-------x---"), 57, 52),
            Part(STRINGS, (_WHOLE,), 62, 40),
        ),
        (*FLUTES, *SAXES, 11, 71),
        sevenths=True,
    ),
    "salsa": Style(
        (84, 104),
        (
            {"claves": "x..x..x...x.x...", "conga": "..x...xx..x...xx",
             "cowbell": "x...x.x.x...x.x.",
             "timbale": "....o.......o..."},
            {"conga": "..xx..xx..xx..xx", "claves": "..x.x...x..x..x.", "cabasa": _SIXTEENTHS,
             "kick": "......x.......x."},
        ),
        ("...1--5-...1--8-", "1-....5-..8-..a-"),
        (UPRIGHT, 33),
        (
            Part((*PIANOS,), ("0.13.1.20.13.1.2", "0..12..30..12..3"), 60, 74),
            Part(BRASS, ("......s.s.......", "s.s.....x-----..", "..............s."), 60, 74),
            Part((NYLON, 11, 12), ("x.x..x.x..x.x.x.",), 60, 48),
        ),
        (*TRUMPETS, *FLUTES),
        is_minor=0.6,
    ),
    "swing": Style(
        (108, 196),
        (
            {"ride": "x..x.xx..x.x", "pedal": "...x.....x..", "kick": "o..o..o..o.."},
            {"brush": "x..x.xx..x.x", "pedal": "...x.....x.."},
        ),
        ("1--3--5--a--", "1--5--8--5--", "1--3--5--3--"),
        (UPRIGHT,),
        (
            Part((*PIANOS, 26), ("...s.....s..", "x....s......", "..s.....s..."), 55, 62),
            Part((26, *ORGANS, 11), ("s..s..s..s..", "x-----x-----"), 57, 50),
            Part(BRASS, ("..s......s..", "x-----......"), 60, 64),
        ),
        (*SAXES, *TRUMPETS, 71, 11, 26),
        sevenths=True,
    ),
    "blues": Style(
        (70, 126),
        (
            {"kick": "X.....X.....", "snare": "...X.....X..", "hat": "x.xx.xx.xx.x"},
            {"kick": "X..x..X..x..", "snare": "...X.....X..", "ride": "x.xx.xx.xx.x"},
        ),
        ("1.13.35.58.5", "1--3--5--3--"),
        (33, 32, 34),
        (
            Part((26, 27, OVERDRIVEN, STEEL), ("s.ss.ss.ss.s", "x-----s.s..."), 50, 66),
            Part((*PIANOS, *ORGANS), ("...s.....s..", "x.xx.xx.xx.x"), 57, 58),
        ),
        (22, OVERDRIVEN, 26, *SAXES),
        sevenths=True,
    ),
    "waltz": Style(
        (84, 150),
        (
            {"kick": "X...........", "hat": "....x...x...", "snare": "....o...o..."},
            {"triangle": "....x...x..."},
            {},
        ),
        ("1-----------", "1---....5---"),
        (UPRIGHT, 33, 43),
        (
            Part((*ACCORDIONS, *PIANOS, NYLON), ("....s...s...", "0...1...2...",
                 "0.1.2.3.2.1."), 55, 62),
            Part((*STRINGS, 46), ("x-----------",), 57, 50),
            Part((*BOWED, *REEDS), ("x-----------",), 62, 50),
        ),
        (*ACCORDIONS, *BOWED, *FLUTES, *REEDS),
        num_beats=3,
    ),
    "country": Style(
        (92, 150),
        (
            {"kick": "X...x...X...x...", "snare": "..x...x...x...x.", "hat": _EIGHTHS},
            {"kick": "X.......X.......", "brush": "x.xxX.xxx.xxX.xx"},
        ),
        ("1...5...1...5...", "1...5...1...3.a."),
        (33, 32),
        (
            Part((STEEL,), ("..x...x...x...x.", "0.x.1.x.0.x.1.x."), 52, 66),
            Part((105, 26, CLEAN), ("0121032101210321", "0.1.2.1.3.1.2.1."), 57, 56),
            Part(PIANOS, ("..s...s...s...s.",), 60, 54),
        ),
        (110, 22, 26, 105),
        is_minor=0.15,
    ),
    "folk": Style(
        (80, 132),
        ({"shaker": "x.o.x.o.x.o.x.o."}, {"kick": "X.......X.......", "tambourine": _BACKBEAT}, {}),
        ("1-------5-------", "1---....5---...."),
        (UPRIGHT, 35, 33),
        (
            Part((STEEL, NYLON), ("0.2.1.3.0.2.1.3.", "x..xx.x.x..xx.x.",
                 "0.1.2.3.2.1.2.1."), 50, 70),
            Part((*PLUCKED, *ACCORDIONS, 46), ("x---x---x---x---", "0.1.2.1.0.1.2.1."), 57, 50),
            Part((*BOWED, *STRINGS), (_WHOLE,), 57, 44),
        ),
        (*FLUTES, *BOWED, *ACCORDIONS),
    ),
    "orchestra": Style(
        (56, 120),
        ({}, {"crash": "x..............."}, {"low tom": "x.......x.....xx"}),
        ("1-------5-------", "1---1---5---a---"),
        (43, 42),
        (
            Part(STRINGS, ("s.s.s.s.s.s.s.s.", _WHOLE, "0.1.2.1.3.1.2.1."), 52, 68),
            Part((60, 61, 57), (_WHOLE, "x-------x-------"), 52, 52),
            Part((46, 45, 0), ("0123210301232103", "0.1.2.3.0.1.2.3."), 57, 56),
            Part((*REEDS, 73), (_WHOLE,), 64, 48),
        ),
        (*BOWED, *FLUTES, *REEDS, *TRUMPETS),
    ),
    "trap": Style(
        (62, 78),
        (
            {"kick": "X.....x...x.....", "clap": "........X.......", "hat": "xxxxxxxxxxoxxxxx"},
            {"kick": "X..x......x.....", "snare": "........X.......", "hat": "x.xxx.x.x.xxxxxx"},
        ),
        ("1-----8---1-----", "1-------....1-a-"),
        (38, 39),
        (
            Part((10, 11, 14, 46, 98), ("0...1.2...3.1...", "0.1.2...0.1.3..."), 67, 58),
            Part((*PADS, 0), (_WHOLE,), 57, 50),
        ),
        (79, 75, 80),
        is_minor=0.95,
    ),
    "unplugged": Style(
        (66, 120),
        ({},),
        ("1-------........", "1---....1---...."),
        (UPRIGHT, 33),
        (
            Part((*PIANOS, NYLON, STEEL), ("x--.x-.xx--.x-.x", "0.1.2.3.1.2.3.2.", _WHOLE), 52, 74),
            Part((NYLON, STEEL, 26, *PIANOS), ("0.2.1.2.3.2.1.2.", _WHOLE), 55, 56),
        ),
        (42, 40, 73),
    ),
}  # fmt: skip

"""A small music library by singers who do not exist: for newcomers and for tests.

Everything is made by the code of this room: 8 voices, 24 songs, their backings, tags and covers.
Key, tempo and style of backing are dealt out so that none of them tells who sings.
"""

from __future__ import annotations

from engine.demo.library import make_demo_library, make_demo_stems, song_path, stem_path
from engine.demo.mix import SAMPLE_RATE_HZ, Stems, stems
from engine.demo.songs import SONGS, VOICES, Song
from engine.demo.voices import Voice

__all__ = [
    "SAMPLE_RATE_HZ",
    "SONGS",
    "VOICES",
    "Song",
    "Stems",
    "Voice",
    "make_demo_library",
    "make_demo_stems",
    "song_path",
    "stem_path",
    "stems",
]

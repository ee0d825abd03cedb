"""A small folder of real audio in several formats, and what happens to such folders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from support.libraries import retag
from support.sound import buzz, encode, write_wav

_FORMATS = (("wav", "", ""), ("flac", "flac", "mono"), ("mp3", "libmp3lame", "stereo"))
RATE_HZ = 16_000
OLD_S = 1_000_000_000  # modification times of files that nobody has touched since


def write_song(path: Path, pitch_hz: float, seconds: float = 1.2, gain: float = 1.0) -> Path:
    """A voice-like tone in the format that the suffix names; another pitch is another sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = gain * buzz(seconds, RATE_HZ, pitch_hz)
    if path.suffix == ".wav":
        write_wav(path, samples)
    else:
        _, codec, layout = next(known for known in _FORMATS if path.suffix == f".{known[0]}")
        num_channels = 1 if layout == "mono" else 2
        encode(path, np.stack([samples] * num_channels), RATE_HZ, codec, layout)
    os.utime(path, (OLD_S, OLD_S))
    return path


def write_album(folder: Path, num_songs: int = 9) -> Path:
    """Songs that can be heard, one without vocals, one that fails, one copy of another."""
    for number in range(num_songs):
        suffix = _FORMATS[number % len(_FORMATS)][0]
        artist = f"Singer {number % 3}"
        write_song(folder / artist / f"{number:02d} Song.{suffix}", 100 * 1.06**number)
    write_song(folder / "Quiet.wav", 500, gain=0.02)
    (folder / "Letter.mp3").write_text("Dear singer,\n" * 50)
    (folder / "Copy of 00.wav").write_bytes((folder / "Singer 0" / "00 Song.wav").read_bytes())
    return folder


def change_album(folder: Path) -> None:
    """What a week does: moved, swapped, retagged, re-recorded, deleted, mended and new files."""
    (folder / "Live").mkdir()
    (folder / "Singer 1" / "01 Song.flac").rename(folder / "Live" / "One.flac")
    a, b = folder / "Singer 0" / "03 Song.wav", folder / "Singer 0" / "06 Song.wav"
    a.rename(folder / "held")
    b.rename(a)
    (folder / "held").rename(b)
    retag(folder / "Singer 0" / "00 Song.wav", TIT2="Another title", TPE1="Another name")
    write_song(folder / "Singer 1" / "04 Song.flac", 777, seconds=1.5)
    (folder / "Singer 2" / "02 Song.mp3").unlink()
    (folder / "Letter.mp3").unlink()
    write_song(folder / "Letter.wav", 300)
    for number in range(3):
        write_song(folder / "New" / f"{number}.wav", 900 + 50 * number)

"""Plays songs for an hour through a real sound server, and compares what came out with the files.

    python tests/faults/playback.py SONG SONG... --minutes 60     # with PulseAudio

A sink that nobody hears is made for it. The window's player plays the queue again and again, a
recorder keeps all that the sink was given. Told are blocks that differ, and where samples were lost
or put in (a gap, a stumble), of which the drift is the sum. Exit code 1 where there is any. Songs
should be of 44.1 kHz: a resampler rounds the ends of songs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

RATE_HZ = 44_100
BLOCK = 882  # 20 ms
MAX_STEPS = 2  # of 16 bits, which the sink has


@contextmanager
def silent_sink() -> Iterator[None]:
    """The default device."""

    def pactl(*arguments: str) -> str:
        return subprocess.check_output(["pactl", *arguments], text=True).strip()

    name = f"singalike{os.getpid()}"
    number = pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={RATE_HZ}")
    try:
        pactl("set-default-sink", name)
        yield
    finally:
        pactl("unload-module", number)


def place_in(sound: np.ndarray, piece: np.ndarray) -> int:
    """Where a piece of a sound begins in it; both mono."""
    size = 1 << (len(sound) + len(piece)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(piece, size))
    return int(np.fft.irfft(spectrum, size)[: len(sound)].argmax())


def follow(heard: np.ndarray, songs: np.ndarray) -> tuple[int, list[tuple[float, int]]]:
    """How many blocks differ, and at which second how many samples were lost (< 0: put in).

    heard: (n, 2) int16. songs: (m, 2) int16, which are repeated.
    """
    mono, second = songs.mean(1), RATE_HZ
    ahead = place_in(np.concatenate([mono, mono[: 10 * second]]), heard[: 10 * second].mean(1))
    num_wrong, jumps = 0, []
    for start in range(0, len(heard) - BLOCK + 1, BLOCK):
        expected = songs.take(np.arange(BLOCK) + start + ahead, 0, mode="wrap").astype(np.int32)
        if np.abs(heard[start : start + BLOCK] - expected).max() <= MAX_STEPS:
            continue
        num_wrong += 1
        piece = heard[start + BLOCK : start + BLOCK + second].mean(1)
        around = mono.take(np.arange(3 * second) + start + BLOCK + ahead - second, mode="wrap")
        if piece.any() and (shift := place_in(around, piece) - second):
            jumps.append((start / RATE_HZ, shift))
            ahead += shift
    return num_wrong, jumps


def play(paths: list[Path], lengths_s: list[float], seconds: float) -> np.ndarray:
    """What the sink was given, (n, 2) int16, from the first sound on."""
    from PySide6.QtCore import QCoreApplication, QTimer

    from app.player.player import Player, Side, Sound
    from app.player.queue import Repeat

    application = QCoreApplication.instance() or QCoreApplication([])
    sounds = [Sound(p, p.stem, "", length) for p, length in zip(paths, lengths_s, strict=True)]
    command = ["parec", "--device=@DEFAULT_MONITOR@", "--raw", "--format=s16le"]
    command += [f"--rate={RATE_HZ}", "--channels=2"]
    with tempfile.TemporaryFile() as record, silent_sink():
        player = Player()
        player.levels.is_on = False
        player.problem.connect(print)
        player.set_volume(1.0)
        recorder = subprocess.Popen(command, stdout=record)
        player.play(Side.QUERY, sounds[0], sounds[1:])
        player.queue.repeat = Repeat.ALL
        QTimer.singleShot(round(1000 * seconds), application.quit)
        application.exec()
        recorder.terminate()
        recorder.wait()
        player.close()
        heard = np.memmap(record, np.int16, "r").reshape(-1, 2)
        return heard[np.flatnonzero(heard.any(1))[0] + 4 * BLOCK :]  # after the fade of the start


def main() -> int:
    from engine.sound import audio

    parser = argparse.ArgumentParser(description="See the file's first lines.")
    parser.add_argument("songs", nargs="+", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)  # as app.main does
    songs = [audio.decode_all(p, sample_rate_hz=RATE_HZ, num_channels=2).T for p in options.songs]
    steps = np.round(np.concatenate(songs) * 2**15).clip(-(2**15), 2**15 - 1)
    whole = steps.astype(np.int16, order="C")  # or each look into it would copy all of it
    heard = play(options.songs, [len(song) / RATE_HZ for song in songs], 60 * options.minutes)
    num_wrong, jumps = follow(heard, whole)
    print(
        f"{len(heard) / RATE_HZ / 60:.1f} minutes, {len(heard) / len(whole):.1f} times "
        f"{len(songs)} songs: {num_wrong} of {len(heard) // BLOCK} blocks of 20 ms differ; samples "
        f"lost or put in {len(jumps)} times, {sum(shift for _, shift in jumps)} in all"
    )
    print("\n".join(f"  at {at_s:.2f} s: {shift} samples" for at_s, shift in jumps[:20]))
    return 1 if num_wrong else 0


if __name__ == "__main__":
    sys.exit(main())

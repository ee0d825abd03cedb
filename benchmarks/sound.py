"""Plays a song and records what is heard of it, through a real sound server: is it the file?

    python benchmarks/sound.py SONG        # Linux, with a running PulseAudio

A sink that nobody hears is made for it; its monitor is the microphone. The player of the window
plays the song, the recorder of the window listens for ten seconds, and both are compared sample by
sample. Then the sink is taken away in the middle of the song, as if it was unplugged.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

RATE_HZ, SECONDS = 44_100, 10.0
BLOCK = 882  # 20 ms
STEP = 2**-15  # of 16 bits, which the sink has


def pactl(*arguments: str) -> str:
    done = subprocess.run(["pactl", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextmanager
def silent_sink() -> Iterator[Callable[[], None]]:
    """The default device, and its monitor the default microphone; yields how to unplug it."""
    name = f"singalike{os.getpid()}"
    number = pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={RATE_HZ}")
    is_there = True

    def unplug() -> None:
        nonlocal is_there
        if is_there:
            is_there = False
            pactl("unload-module", number)

    try:
        pactl("set-default-sink", name)
        pactl("set-default-source", f"{name}.monitor")
        yield unplug
    finally:
        unplug()


def wait(seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
    """In the event loop, which the player needs."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop, timer, end_s = QEventLoop(), QTimer(), time.monotonic() + seconds
    timer.timeout.connect(lambda: loop.quit() if until() or time.monotonic() > end_s else None)
    timer.start(5)
    loop.exec()
    return until()


def compare(heard: np.ndarray, file: np.ndarray) -> str:
    """Both mono. Where in the file the recording begins is found by what they have in common."""
    size = 1 << (len(heard) + len(file)).bit_length()
    spectrum = np.fft.rfft(file, size) * np.conj(np.fft.rfft(heard, size))
    start = int(np.fft.irfft(spectrum, size)[: len(file)].argmax())
    num = min(len(heard), len(file) - start) // BLOCK * BLOCK
    error = np.abs(heard[:num] - file[start : start + num]).reshape(-1, BLOCK).max(1)
    return (
        f"{num / RATE_HZ:.1f} s from {start / RATE_HZ:.2f} s on; largest difference "
        f"{error.max() / STEP:.1f} steps of 16 bits, more than 2 steps in "
        f"{(error > 2 * STEP).sum()} of {len(error)} blocks of 20 ms"
    )


def run(path: Path) -> None:
    from PySide6.QtCore import QCoreApplication

    from app.player.devices import SoundDevices
    from app.player.loudness import Levels
    from app.player.output import SoundOutput
    from app.player.player import Player, Side, Sound
    from app.record.microphone import Microphone
    from engine.sound import audio

    application = QCoreApplication.instance() or QCoreApplication([])
    devices = SoundDevices()
    problems: list[str] = []
    with silent_sink() as unplug:
        player = Player(
            make_output=lambda fill: SoundOutput(fill, devices), levels=Levels(is_on=False)
        )
        player.problem.connect(problems.append)
        player.set_volume(1.0)
        player.play(Side.QUERY, Sound(path, path.stem, "", audio.probe(path).duration_s))
        wait(10.0, lambda: player.position_s(Side.QUERY) > 1.0)
        microphone = Microphone(devices, SECONDS)
        wait(SECONDS + 5.0, lambda: microphone.is_full)
        heard = microphone.close()
        file = audio.decode_all(path, sample_rate_hz=RATE_HZ, num_channels=2).mean(0)
        print(compare(heard, file), flush=True)
        place_s = player.position_s(Side.QUERY)
        unplug()
        wait(6.0)
        print(
            f"unplugged at {place_s:.1f} s; 6 s later at {player.position_s(Side.QUERY):.1f} s, "
            f"{'playing' if player.is_playing else 'paused'}; told: {problems or 'nothing'}"
        )
        player.close()
    application.processEvents()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    sys.setswitchinterval(0.0005)  # as app.main does
    run(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

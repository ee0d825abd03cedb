"""What the player plays and the microphone records, through a real sound server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faults.playback import place_in
from support import devices
from support.devices import Device
from support.sound import write_wav

pytestmark = pytest.mark.linux
sound_server = devices.sound_server

ROOT = Path(__file__).parents[3]
RATE_HZ = 44_100
RECORD = """
import sys, time, numpy as np
from app.player.devices import SoundDevices
from app.record.microphone import open_microphone
microphone = open_microphone(SoundDevices(), max_s=2.0)
while not microphone.is_full and not microphone.is_stalled:
    time.sleep(0.05)
np.save(sys.argv[1], microphone.close())
print(microphone.rate_hz)
"""


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.3, 0.3, (2, round(seconds * RATE_HZ)))


def ours(server: Device, *words: object) -> str:
    """What a program of ours prints."""
    environment = server.environment | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, words)]
    return subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=False
    ).stdout


def test_what_is_heard_is_what_the_files_hold(tmp_path: Path, sound_server: Device) -> None:
    songs = [write_wav(tmp_path / f"{s}.wav", noise(s), RATE_HZ) for s in (2.0, 3.0)]
    program = ROOT / "tests" / "faults" / "playback.py"
    told = ours(sound_server, program, *songs, "--minutes", 0.12)
    found = re.search(r"(\d+) of (\d+) blocks of 20 ms differ", told)
    assert found, told
    num_wrong, num_blocks = map(int, found.groups())
    assert num_blocks > 150  # so each song has been begun once
    assert num_wrong <= 0.1 * num_blocks, told  # a busy machine may make a gap


def test_what_is_recorded_is_what_sounded(tmp_path: Path, sound_server: Device) -> None:
    sound = noise(30.0)
    song = write_wav(tmp_path / "song.wav", sound, RATE_HZ)
    with subprocess.Popen(["paplay", str(song)], env=sound_server.environment) as singer:
        rate_hz = int(ours(sound_server, "-c", RECORD, tmp_path / "recorded.npy"))
        singer.terminate()
    recorded = np.load(tmp_path / "recorded.npy")
    assert rate_hz == RATE_HZ
    assert len(recorded) == 2 * RATE_HZ
    piece = recorded[-RATE_HZ // 10 :]
    start = place_in(sound.mean(0), piece)
    np.testing.assert_allclose(piece, sound.mean(0)[start : start + len(piece)], atol=1e-4)

"""What it costs to decode in a process of its own: processor time of both sides, side by side.

    python benchmarks/decoding.py

Sound is made here: 240 s of a buzz in stereo at 44.1 kHz as MP3, FLAC and AAC.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from engine.sound import audio
from engine.sound.decoding import pool
from engine.sound.encode import write_audio

SECONDS, RATE_HZ, NUM_ROUNDS = 240, 44_100, 5


def main() -> None:
    away, here = pool.Pool(), pool.Pool()
    here._can_start = False
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("mp3", "flac", "m4a"):
            path = Path(folder) / f"song.{suffix}"
            time_s = np.arange(SECONDS * RATE_HZ, dtype=np.float32) / RATE_HZ
            tone = 0.2 * sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 9))
            write_audio(path, np.stack([tone, tone]).astype(np.float32), RATE_HZ)
            for rate_hz in (RATE_HZ, 16_000):
                compare(path, rate_hz, here, away)
        first_answer(path, away)
    away.close()


def compare(path: Path, rate_hz: int, here: pool.Pool, away: pool.Pool) -> None:
    times: dict[str, list[float]] = {"here": [], "away": []}
    for _ in range(NUM_ROUNDS + 1):  # the first one starts the process
        for name, one in (("here", here), ("away", away)):
            pool._pool = one
            before_s = time.process_time() + children_s(away)
            for _ in audio.decode(path, sample_rate_hz=rate_hz, num_channels=2):
                pass
            times[name].append(time.process_time() + children_s(away) - before_s)
    best = {name: min(all_s[1:]) for name, all_s in times.items()}
    extra_ms = 1000 * (best["away"] - best["here"]) / SECONDS
    print(
        f"{path.suffix[1:]:5}{rate_hz:6} Hz  here {SECONDS / best['here']:4.0f} x real time, "
        f"in a process {SECONDS / best['away']:4.0f} x: {extra_ms:.2f} ms more a second of sound"
    )


def children_s(one: pool.Pool) -> float:
    """Processor time of the decoder processes so far (Linux)."""
    ticks = 0
    for pid in one.pids():
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def first_answer(path: Path, away: pool.Pool) -> None:
    times_s, pool._pool = [], away
    for _ in range(NUM_ROUNDS):
        away.close()
        started_s = time.perf_counter()
        audio.probe(path)
        times_s.append(time.perf_counter() - started_s)
    (pid,) = away.pids()
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    rss_mb = int(status.partition("VmRSS:")[2].split()[0]) / 1000
    print(f"first answer of a new process after {min(times_s):.2f} s, which has {rss_mb:.0f} MB")


if __name__ == "__main__":
    main()

"""The long run of playback finds a gap, a lost piece and a click, and nothing else."""

from __future__ import annotations

import numpy as np
from faults.playback import RATE_HZ, follow


def test_gaps_and_lost_samples_are_found() -> None:
    songs = np.random.default_rng(0).integers(-9000, 9000, (20 * RATE_HZ, 2), dtype=np.int16)
    endless = np.concatenate([songs, songs, songs])[3 * RATE_HZ :]
    heard = endless[: 40 * RATE_HZ]
    assert follow(heard, songs) == (0, [])
    gap = np.zeros((700, 2), np.int16)
    parts = [heard[: 12 * RATE_HZ], gap, heard[12 * RATE_HZ : 25 * RATE_HZ]]
    num_wrong, jumps = follow(np.concatenate([*parts, heard[25 * RATE_HZ + 50 :]]), songs)
    assert 2 <= num_wrong <= 4
    assert [shift for _, shift in jumps] == [-700, 50]
    assert np.allclose([at_s for at_s, _ in jumps], [12, 25], atol=0.05)
    clicked = heard.copy()
    clicked[30 * RATE_HZ] += 50
    assert follow(clicked, songs) == (1, [])

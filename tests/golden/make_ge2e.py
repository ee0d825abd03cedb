"""Golden values for test_models.py: an embedding by the package that published the weights.

pip install resemblyzer==0.1.4
python tests/golden/make_ge2e.py
"""

from pathlib import Path

import numpy as np
from resemblyzer import VoiceEncoder


def sound() -> np.ndarray:
    """1.6 s of a gliding, buzzing tone at -30 dBFS, the level that the package normalises to."""
    time_s = np.arange(25_600) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 30))
    return wave / np.sqrt(np.mean(wave**2)) * 10 ** (-30 / 20)


if __name__ == "__main__":
    _, partials, _ = VoiceEncoder("cpu").embed_utterance(
        sound().astype(np.float32), return_partials=True
    )
    np.savez_compressed(Path(__file__).parent / "ge2e.npz", embedding=partials[0])

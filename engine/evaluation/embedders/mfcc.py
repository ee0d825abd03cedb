"""The oldest description of a voice's sound: mean and standard deviation of cepstra."""

from __future__ import annotations

import hashlib

import numpy as np
import torchaudio
from scipy.fft import dct

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES, HOP_SAMPLES, FFT_SIZE = 400, 160, 512
NUM_MELS, NUM_CEPSTRA = 40, 20
LOG_FLOOR = 1e-10


def mel_filterbank() -> np.ndarray:
    """HTK triangles of height 1, 0 to 8 kHz: (FFT_SIZE // 2 + 1, NUM_MELS) float32."""
    num_bins, top_hz = FFT_SIZE // 2 + 1, SAMPLE_RATE_HZ / 2
    filterbank = torchaudio.functional.melscale_fbanks(
        num_bins, 0.0, top_hz, NUM_MELS, SAMPLE_RATE_HZ
    )
    return np.asarray(filterbank.numpy())


class Mfcc:
    """20 cepstra of 40 mel bands every 10 ms; their means, then their standard deviations.

    The first cepstrum (loudness) is among them, as is usual.
    """

    def __init__(self) -> None:
        self.name = "mfcc"
        self.dim = 2 * NUM_CEPSTRA
        self.excerpt_samples = SAMPLE_RATE_HZ
        settings = (1, FRAME_SAMPLES, HOP_SAMPLES, FFT_SIZE, NUM_MELS, NUM_CEPSTRA, LOG_FLOOR)
        self.sha256 = hashlib.sha256(repr(settings).encode()).hexdigest()
        self._window = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
        self._filterbank = mel_filterbank()

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, 16,000) float32 -> (n, 40) float32."""
        frames = np.lib.stride_tricks.sliding_window_view(excerpts, FRAME_SAMPLES, axis=-1)
        spectra = np.fft.rfft(frames[:, ::HOP_SAMPLES] * self._window, FFT_SIZE)
        log_mels = np.log(np.square(np.abs(spectra)) @ self._filterbank + LOG_FLOOR)
        cepstra = dct(log_mels, norm="ortho", axis=-1)[..., :NUM_CEPSTRA]
        return np.concatenate([cepstra.mean(1), cepstra.std(1)], axis=-1).astype(np.float32)

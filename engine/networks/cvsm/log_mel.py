"""Waveform to log-mel spectrogram, as the CVSM paper's published code computes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class LogMelConfig:
    """The front end's constants (defaults: CVSM, section 4.1, and its code)."""

    sample_rate_hz: int = 16_000
    frame_samples: int = 400
    hop_samples: int = 160
    fft_size: int = 1024
    num_mels: int = 64
    min_hz: float = 60.0
    max_hz: float = 7800.0
    floor: float = 1e-5
    ceiling: float = 1e8


def hz_to_mel(hz: np.ndarray | float) -> np.ndarray:
    """HTK mel scale: 1127 ln(1 + f / 700)."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hz, dtype=np.float64) / 700.0))


def mel_filterbank(config: LogMelConfig) -> np.ndarray:
    """Triangles whose slopes are straight on the mel axis, without area normalisation.

    TensorFlow draws its triangles on the mel axis; most other libraries draw them on the
    frequency axis, which differs by up to 0.007. Published CVSM weights saw the former.

    Returns:
        (fft_size // 2 + 1, num_mels) float64, row 0 (DC) all zero.
    """
    bins_hz = np.linspace(0.0, config.sample_rate_hz / 2, config.fft_size // 2 + 1)
    bins_mel = hz_to_mel(bins_hz)[:, None]
    edges = np.linspace(hz_to_mel(config.min_hz), hz_to_mel(config.max_hz), config.num_mels + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins_mel - lower) / (centre - lower)
    falling = (upper - bins_mel) / (upper - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0
    return weights


class LogMel(nn.Module):
    """(batch, num_samples) at 16 kHz -> (batch, 1, num_frames, num_mels), natural logarithms.

    Frames are not padded: 16,000 samples give 98 frames. The Hann window is periodic, the
    spectrum a magnitude (power 1), clamped to [floor, ceiling] before the logarithm.
    """

    window: torch.Tensor
    filterbank: torch.Tensor

    def __init__(self, config: LogMelConfig | None = None) -> None:
        super().__init__()
        self.config = config or LogMelConfig()
        window = torch.hann_window(self.config.frame_samples, periodic=True)
        filterbank = torch.from_numpy(mel_filterbank(self.config)).float()
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filterbank", filterbank, persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        config = self.config
        frames = waveform.unfold(-1, config.frame_samples, config.hop_samples) * self.window
        magnitude = torch.fft.rfft(frames, n=config.fft_size).abs()
        with torch.autocast(waveform.device.type, enabled=False):
            mel = magnitude @ self.filterbank
        return mel.clamp(config.floor, config.ceiling).log().unsqueeze(1)

"""GE2E speaker encoder: the strongest voice model that can be had offline, and our baseline.

Source: Wan et al., "Generalized End-to-End Loss for Speaker Verification" (2018), in the form and
with the weights of Resemblyzer 0.1.4 (Apache-2.0): 40 mel bands of power (no logarithm), three
LSTM layers of 256, a linear layer, ReLU, unit length.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
import torchaudio
from torch import nn

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 400
HOP_SAMPLES = 160
NUM_MELS = 40
NUM_FRAMES = 160
EXCERPT_SAMPLES = NUM_FRAMES * HOP_SAMPLES
EMBEDDING_DIM = 256
# It was trained on speech at -30 dBFS; segments reach us with unit energy over 80,000 samples.
INPUT_GAIN = 10 ** (-30 / 20) * math.sqrt(80_000)


def slaney_filterbank(fft_size: int = FRAME_SAMPLES) -> torch.Tensor:
    """Mel triangles of equal area on Slaney's scale, (fft_size // 2 + 1, NUM_MELS), 0 to 8 kHz."""
    num_bins, top_hz = fft_size // 2 + 1, SAMPLE_RATE_HZ / 2
    filterbank: torch.Tensor = torchaudio.functional.melscale_fbanks(
        num_bins, 0.0, top_hz, NUM_MELS, SAMPLE_RATE_HZ, norm="slaney", mel_scale="slaney"
    )
    return filterbank


class Ge2e(nn.Module):
    """(batch, 25,600) float32 at 16 kHz, unit energy per 5 s -> (batch, 256), unit length."""

    window: torch.Tensor
    filterbank: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(FRAME_SAMPLES), persistent=False)
        self.register_buffer("filterbank", slaney_filterbank(), persistent=False)
        self.lstm = nn.LSTM(NUM_MELS, EMBEDDING_DIM, num_layers=3, batch_first=True)
        self.linear = nn.Linear(EMBEDDING_DIM, EMBEDDING_DIM)

    def mel(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Mel power of 160 frames centred on multiples of the hop: (batch, 160, 40)."""
        half = FRAME_SAMPLES // 2
        padded = F.pad(excerpts * INPUT_GAIN, (half, half))
        frames = padded.unfold(-1, FRAME_SAMPLES, HOP_SAMPLES)[:, :NUM_FRAMES]
        power = torch.fft.rfft(frames * self.window).abs().square()
        with torch.autocast(excerpts.device.type, enabled=False):
            return power @ self.filterbank

    def forward(self, excerpts: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(self.mel(excerpts))
        return F.normalize(F.relu(self.linear(hidden[-1])), dim=-1)

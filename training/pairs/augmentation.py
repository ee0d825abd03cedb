"""What is done to excerpts on the device: other speeds, other frequency responses."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from engine.models.segments import NORM_EPS, SAMPLE_RATE_HZ
from training.config import AugmentSettings

NUM_EQ_POINTS = 8


def speed_ratios(augment: AugmentSettings, device: torch.device | str = "cpu") -> torch.Tensor:
    """Speeds of the voices, (2 · voice_steps + 1,) float32, 1.0 in the middle."""
    steps = augment.voice_steps
    exponents = torch.linspace(-augment.voice_range, augment.voice_range, 2 * steps + 1)
    return torch.exp(exponents if steps else torch.zeros(1)).to(device)


def resampled(source: torch.Tensor, ratio: torch.Tensor, num_samples: int) -> torch.Tensor:
    """Read at ``ratio`` times the speed, with linear interpolation.

    Args:
        source: (n, length) with length > ratio · num_samples.
        ratio: (n,).

    Returns:
        (n, num_samples).
    """
    position = torch.arange(num_samples, device=source.device) * ratio[:, None]
    left = position.floor().clamp_(max=source.shape[1] - 2)
    weight = position - left
    index = left.long()
    return torch.lerp(source.gather(1, index), source.gather(1, index + 1), weight)


def equalised(excerpts: torch.Tensor, gains_db: torch.Tensor) -> torch.Tensor:
    """Filter each excerpt: rooms, microphones, codecs.

    Args:
        excerpts: (n, num_samples).
        gains_db: (n, num_points) from 0 Hz to half the sample rate, joined by straight lines.
    """
    spectrum = torch.fft.rfft(excerpts)
    curve = F.interpolate(gains_db[:, None], spectrum.shape[1], mode="linear", align_corners=True)
    return torch.fft.irfft(spectrum * 10 ** (curve[:, 0] / 20), n=excerpts.shape[1])


def in_rooms(excerpts: torch.Tensor, uniform: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Each excerpt with the reverberation of a room of its own: noise that dies away after it.

    Args:
        excerpts: (n, num_samples).
        uniform: (2, n): how long it takes to fall by 60 dB (0.15 to 1.5 s), and how loud it is (-20
            to 0 dB relative to the voice).
        noise: (n, length) normal, of which the room is made.

    Returns:
        (n, num_samples) with the energy of the excerpts.
    """
    num = excerpts.shape[1]
    decay_s = 0.15 * 10 ** uniform[0]
    time_s = torch.arange(noise.shape[1], device=noise.device) / SAMPLE_RATE_HZ
    tail = noise * torch.exp(-6.91 * time_s / decay_s[:, None])
    tail = tail / (tail.norm(dim=1, keepdim=True) + NORM_EPS) * 10 ** (uniform[1] - 1)[:, None]
    size = 1 << (num + noise.shape[1] - 1).bit_length()
    wet = torch.fft.irfft(torch.fft.rfft(excerpts, size) * torch.fft.rfft(tail, size), size)
    mixed = excerpts + wet[:, :num]
    energy = excerpts.norm(dim=1, keepdim=True) / (mixed.norm(dim=1, keepdim=True) + NORM_EPS)
    return mixed * energy

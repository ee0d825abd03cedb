"""MusiCNN: which kind of music is heard, as 50 tags and as what lies beneath them.

Source: Pons and Serra, "musicnn: Pre-trained convolutional neural networks for music audio
tagging" (2019, arXiv 1909.06654), with the weights that were trained on the Million Song Dataset
(ISC licence). 96 log mel bands; filters of 7 frames by 38 and 67 bands, which hear timbre, and of
128, 64 and 32 frames by one band, which hear rhythm; three layers over time; maximum and mean over
time of all of these, then two dense layers.

Most of the published filters at the front are zero: what they give is constant. They are left out
here, and one channel of ones stands for them, which changes nothing but the time it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchaudio.functional import melscale_fbanks

from engine.errors import CheckpointError

SAMPLE_RATE_HZ = 16_000
FFT_SIZE, HOP_SAMPLES, NUM_MELS = 512, 256, 96
NUM_FRAMES = 187
EXCERPT_SAMPLES = FFT_SIZE + (NUM_FRAMES - 1) * HOP_SAMPLES  # 3 s
# Songs as they are published have 0.1 to 0.25 rms; segments reach us with unit energy over 5 s.
INPUT_GAIN = 0.2 * 80_000**0.5
TIMBRAL_FRAMES = 7
TIMBRAL_MELS = (38, 67)
TEMPORAL_FRAMES = (128, 64, 32)
BLOCK_FRAMES = 16
MIDDLE_CHANNELS, NUM_MIDDLE, HIDDEN_DIM = 64, 3, 200
NORM_EPS = 1e-3


@dataclass(frozen=True)
class MusicnnConfig:
    """Filters of each shape, those that are zero left out, and the names of the tags in order."""

    timbral_filters: tuple[int, ...]
    temporal_filters: tuple[int, ...]
    tags: tuple[str, ...]

    @property
    def num_channels(self) -> int:
        """What is pooled over time: everything from the front, and the layers behind."""
        front = sum(self.timbral_filters) + sum(self.temporal_filters)
        return front + NUM_MIDDLE * MIDDLE_CHANNELS

    @property
    def dim(self) -> int:
        return 2 * self.num_channels


def musicnn_config(values: Mapping[str, Any]) -> MusicnnConfig:
    """From a manifest's ``config``. Raises CheckpointError on keys or values it does not know."""
    try:
        config = MusicnnConfig(**{name: tuple(value) for name, value in values.items()})
        counts = [*map(int, (*config.timbral_filters, *config.temporal_filters))]
        if len(counts) != len(TIMBRAL_MELS) + len(TEMPORAL_FRAMES) or min(counts) < 1:
            raise ValueError("five numbers of filters are needed, none of them nought")
        if not all(isinstance(tag, str) for tag in config.tags):
            raise ValueError("tags must be words")
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"This version cannot run MusiCNN's config: {error}.") from error
    return config


class LogMel(nn.Module):
    """(batch, num_samples) at 16 kHz -> (batch, num_frames, 96): log10(10,000 x mel power + 1).

    Frames are not padded; the published code begins half a window earlier, in mirrored sound.
    """

    window: torch.Tensor
    filterbank: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(FFT_SIZE), persistent=False)
        filterbank = melscale_fbanks(
            FFT_SIZE // 2 + 1,
            0.0,
            SAMPLE_RATE_HZ / 2,
            NUM_MELS,
            SAMPLE_RATE_HZ,
            norm="slaney",
            mel_scale="slaney",
        )
        self.register_buffer("filterbank", filterbank, persistent=False)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        frames = sound.unfold(-1, FFT_SIZE, HOP_SAMPLES) * self.window
        power = torch.fft.rfft(frames).abs().square()
        with torch.autocast(sound.device.type, enabled=False):
            return torch.log10(10_000 * (power @ self.filterbank) + 1)


class Branch(nn.Module):
    """(batch, 1, frames, mels) -> (batch, filters, frames): where it is loudest over the mels."""

    def __init__(self, num_filters: int, num_frames: int, num_mels: int) -> None:
        super().__init__()
        before = (num_frames - 1) // 2
        self.padding = (0, 0, before, num_frames - 1 - before)  # as many frames as there were
        self.conv = nn.Conv2d(1, num_filters, (num_frames, num_mels))
        self.norm = nn.BatchNorm2d(num_filters, NORM_EPS)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        # The norm only scales and shifts: what is loudest after it is loudest (or, where it turns
        # the sign, softest) before it, and need not be computed at every mel.
        sign = self.norm.weight.sign()
        kernel = self.conv.weight * sign[:, None, None, None]
        padded = F.pad(mels, self.padding)
        if kernel.shape[-1] == 1:
            loudest = loudest_rhythm(padded, kernel)
        else:
            loudest = F.conv2d(padded, kernel).amax(-1)
        loudest = loudest * sign[:, None]
        assert self.conv.bias is not None
        return self.norm(F.relu(loudest + self.conv.bias[:, None])[..., None])[..., 0]


def loudest_rhythm(mels: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """``F.conv2d(mels, kernel).amax(-1)`` for kernels of one mel, in a third of the time.

    BLOCK_FRAMES results at a time are one product of matrices: a stretch of frames times the
    filters at as many shifts.

    Args:
        mels: (batch, 1, num_in, mels).
        kernel: (filters, 1, length, 1).

    Returns:
        (batch, filters, num_in - length + 1).
    """
    num_filters, length = kernel.shape[0], kernel.shape[2]
    num_out, width = mels.shape[2] - length + 1, length + BLOCK_FRAMES - 1
    edge = BLOCK_FRAMES - 1
    shifted = F.pad(kernel[:, 0, :, 0], (edge, edge)).unfold(1, width, 1).flip(1)
    stretches = F.pad(mels[:, 0].mT, (0, -num_out % BLOCK_FRAMES)).unfold(-1, width, BLOCK_FRAMES)
    # Flat, since one product of two matrices takes half the time of a product of stacks of them.
    results = stretches.reshape(-1, width) @ shifted.permute(2, 1, 0).reshape(width, -1)
    loudest = results.reshape(*stretches.shape[:2], -1).amax(1)
    return loudest.reshape(len(mels), -1, num_filters)[:, :num_out].mT


class Layer(nn.Module):
    """(batch, num_in, frames) -> (batch, 64, frames)."""

    def __init__(self, num_in: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(num_in, MIDDLE_CHANNELS, TIMBRAL_FRAMES, padding=TIMBRAL_FRAMES // 2)
        self.norm = nn.BatchNorm1d(MIDDLE_CHANNELS, NORM_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(F.relu(self.conv(x)))


class Musicnn(nn.Module):
    """Excerpts of 3 s -> what kind of music they are."""

    def __init__(self, config: MusicnnConfig) -> None:
        super().__init__()
        self.config = config
        self.log_mel = LogMel()
        self.input_norm = nn.BatchNorm2d(1, NORM_EPS)
        timbral = zip(config.timbral_filters, TIMBRAL_MELS, strict=True)
        temporal = zip(config.temporal_filters, TEMPORAL_FRAMES, strict=True)
        self.front = nn.ModuleList(
            [Branch(num, TIMBRAL_FRAMES, num_mels) for num, num_mels in timbral]
            + [Branch(num, num_frames, 1) for num, num_frames in temporal]
        )
        num_front = config.num_channels - NUM_MIDDLE * MIDDLE_CHANNELS
        num_in = (num_front + 1, *[MIDDLE_CHANNELS] * (NUM_MIDDLE - 1))
        self.middle = nn.ModuleList(Layer(num) for num in num_in)
        self.dense = nn.Sequential(
            nn.BatchNorm1d(config.dim, NORM_EPS),
            nn.Linear(config.dim, HIDDEN_DIM),
            nn.ReLU(),
            nn.BatchNorm1d(HIDDEN_DIM, NORM_EPS),
            nn.Linear(HIDDEN_DIM, len(config.tags)),
        )

    def pooled(self, log_mel: torch.Tensor) -> torch.Tensor:
        """(batch, frames, 96) -> (batch, dim): maxima over time of all channels, then means."""
        mels = self.input_norm(log_mel[:, None])
        front = torch.cat([branch(mels) for branch in self.front], dim=1)
        first = self.middle[0](F.pad(front, (0, 0, 0, 1), value=1.0))
        second = self.middle[1](first) + first
        third = self.middle[2](second) + second
        channels = torch.cat([front, first, second, third], dim=1).float()
        return torch.cat([channels.amax(-1), channels.mean(-1)], dim=1)

    def pooled_statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, (dim,) each, of what is pooled, over the training's music.

        Constant features have a deviation close to nought; what is added to it, as in all norms
        of this network, keeps them finite.
        """
        norm = self.dense[0]
        assert isinstance(norm, nn.BatchNorm1d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        deviation = (norm.running_var + NORM_EPS).sqrt()
        return norm.running_mean.cpu().numpy(), deviation.cpu().numpy()

    def tags(self, pooled: torch.Tensor) -> torch.Tensor:
        """(batch, dim) -> (batch, num_tags): chances from 0 to 1, each for itself."""
        chances: torch.Tensor = torch.sigmoid(self.dense(pooled))
        return chances

    def forward(self, excerpts: torch.Tensor) -> torch.Tensor:
        """(batch, 48,128) float32 at 16 kHz, unit energy per 5 s -> (batch, dim) pooled."""
        return self.pooled(self.log_mel(excerpts * INPUT_GAIN))

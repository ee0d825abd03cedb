"""Spleeter, 2 stems: the default separator.

Source: Hennequin et al., "Spleeter: a fast and efficient music source separation tool with
pre-trained models" (2020). Two U-Nets, one for vocals and one for the accompaniment, look at
magnitude spectrograms of 512 frames by 1024 bins (up to 11 kHz); the vocals are the mixture's
spectrogram times the ratio of the squared estimates. Weights: MIT, see resources/models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.checkpoint import load_tensors, read_manifest
from engine.errors import CheckpointError, SeparatorError
from engine.paths import resources_path
from engine.progress import CancelToken
from engine.separation.blocks import BlockPlan, separate_blocks

NUM_BINS = 1024
# Blocks of 12 s that overlap by 1.5 s (measured: docs/separation.md). Two blocks at a time,
# since a request to stop waits for one batch at most.
PLAN = BlockPlan(
    frame_samples=4096,
    hop_samples=1024,
    num_bins=NUM_BINS,
    block_frames=512,
    context_frames=16,
    fade_frames=32,
    blocks_per_batch=2,
)
CHANNELS = (16, 32, 64, 128, 256, 512)
RATIO_EPS = 1e-10


class UNet(nn.Module):
    """Magnitudes (batch, 2, frames, bins) -> magnitudes of one stem, the same shape.

    Frames and bins are multiples of 64.
    """

    def __init__(self) -> None:
        super().__init__()
        down, up = (2, *CHANNELS), (*CHANNELS[::-1], 1)
        self.down = nn.ModuleList(
            nn.Conv2d(num_in, num_out, 5, stride=2) for num_in, num_out in pairwise(down)
        )
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in CHANNELS[:-1])
        self.up = nn.ModuleList(
            # From the second on, the input is joined by the encoder's output of the same size.
            nn.ConvTranspose2d(num_in * (1 if i == 0 else 2), num_out, 5, stride=2, padding=1)
            for i, (num_in, num_out) in enumerate(pairwise(up))
        )
        self.up_norm = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in up[1:])
        self.mask = nn.Conv2d(1, 2, 4, dilation=2, padding=3)

    def forward(self, magnitude: torch.Tensor) -> torch.Tensor:
        x, skips = magnitude, []
        for level, conv in enumerate(self.down):
            # TensorFlow's "same" padding for kernel 5 and stride 2 on even sizes.
            x = conv(F.pad(x, (1, 2, 1, 2)))
            skips.append(x)
            if level < len(self.down_norm):
                x = F.leaky_relu(self.down_norm[level](x), 0.2)
        for level, (conv, norm) in enumerate(zip(self.up, self.up_norm, strict=True)):
            skip = skips[-1 - level]
            x = conv(skip if level == 0 else torch.cat([skip, x], dim=1))
            x = norm(F.relu(x[..., :-1, :-1]))
        return torch.sigmoid(self.mask(x)) * magnitude


def vocals_mask(nets: tuple[nn.Module, nn.Module], magnitude: torch.Tensor) -> torch.Tensor:
    """Ratio mask in [0, 1] of the shape of ``magnitude`` (batch, 2, frames, bins)."""
    magnitude = magnitude.contiguous(memory_format=torch.channels_last)
    vocals, other = (net(magnitude).square() for net in nets)
    return (vocals + RATIO_EPS / 2) / (vocals + other + RATIO_EPS)


class Spleeter:
    """Both nets, run over a stream in batches of overlapping blocks. See ``Separator``."""

    name = "spleeter"

    def __init__(self, vocals_net: UNet, other_net: UNet) -> None:
        for net in (vocals_net, other_net):
            net.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._nets = vocals_net, other_net

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        gain_of = partial(vocals_mask, self._nets)
        return separate_blocks(chunks, PLAN, gain_of, cancel or CancelToken())


def load_spleeter(folder: Path | None = None) -> Spleeter:
    """Raises SeparatorError when the weights are missing or damaged."""
    folder = folder or resources_path() / "models" / "spleeter-2stems"
    try:
        tensors = load_tensors(folder, read_manifest(folder))
        nets = UNet(), UNet()
        for net, prefix in zip(nets, ("vocals.", "accompaniment."), strict=True):
            net.load_state_dict(
                {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
            )
    except (CheckpointError, RuntimeError) as error:
        raise SeparatorError(f"The separator cannot be loaded: {error}") from error
    return Spleeter(*nets)

"""Spleeter, 2 stems: the default separator.

Source: Hennequin et al., "Spleeter: a fast and efficient music source separation tool with
pre-trained models" (2020). Two U-Nets, one for vocals and one for the accompaniment, look at
magnitude spectrograms of 512 frames by 1024 bins (up to 11 kHz); the vocals are the mixture's
spectrogram times the ratio of the squared estimates. Weights: MIT, see resources/models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import CheckpointError, SeparatorError
from engine.models.checkpoint import load_tensors, read_manifest
from engine.networks.device import CPU, compute_device
from engine.networks.processor import has_fast_bfloat16
from engine.paths import resources_path
from engine.progress import CancelToken
from engine.separation.blocks import BlockPlan, on_device, separate_blocks, separate_voice

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


class Doubling(nn.Module):
    """A transposed convolution of kernel 5 and stride 2 that doubles both sides.

    (batch, in, h, w) -> (batch, out, 2h, 2w): TensorFlow's "same". Published as one convolution
    over a map in which three of four places are empty. Here each of the four kinds of places in the
    result has a convolution of its own, over the map as it is, with those taps that meet it: the
    same sums, which processors add up faster (and in bfloat16, four times as fast).
    """

    even: torch.Tensor
    odd: torch.Tensor
    both_bias: torch.Tensor

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_in, num_out, 5, 5))  # as published
        self.bias = nn.Parameter(torch.empty(num_out))

    def rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Taps for even and for odd rows: (2 * out, in, 2 or 3, 3), even columns first.

        Place 2m hears m - 1 and m; place 2m + 1 hears m - 1, m and m + 1.
        """
        taps = self.weight.detach().permute(1, 0, 2, 3)
        nothing = torch.zeros_like(taps[..., :1])
        even = torch.cat([taps[..., [3, 1]], nothing], dim=-1)
        both = torch.cat([even, taps[..., [4, 2, 0]]])
        return both[..., [3, 1], :], both[..., [4, 2, 0], :]

    def arrange(self, dtype: torch.dtype) -> None:
        """To be called when the weights are there."""
        for name, row in zip(("even", "odd"), self.rows(), strict=True):
            arranged = row.to(dtype, memory_format=torch.channels_last)
            self.register_buffer(name, arranged, persistent=False)
        self.register_buffer("both_bias", self.bias.detach().repeat(2).to(dtype), persistent=False)

    def forward(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        """Even rows, then odd rows: (batch, h, 2w, out)."""
        batch, _, height, width = x.shape
        for weight in (self.even, self.odd):
            row = F.relu_(F.conv2d(x, weight, self.both_bias, padding=1)[:, :, :height])
            yield row.permute(0, 2, 3, 1).reshape(batch, height, 2 * width, -1)


class Ending(nn.Module):
    """The last doubling, to one channel, and the convolution that makes gains of it.

    The latter has dilation 2: of the doubled map, places of one kind hear places of one other kind
    only. So the map is left in its four kinds, as channels: both convolutions become ordinary ones
    on the smaller map, and one channel in four places becomes four in one.
    """

    def __init__(self, doubling: Doubling, norm: nn.Module, mask: nn.Conv2d) -> None:
        super().__init__()
        assert mask.bias is not None
        even, odd = doubling.rows()
        self.doubling = nn.Conv2d(even.shape[1], 4, 3, padding=1)
        self.doubling.weight.data = torch.cat([F.pad(even, (0, 0, 0, 1)), odd])
        self.doubling.bias = nn.Parameter(doubling.bias.detach().repeat(4))
        self.norm = nn.BatchNorm2d(4, eps=1e-3)
        self.norm.load_state_dict(
            {n: t if t.dim() == 0 else t.repeat(4) for n, t in norm.state_dict().items()}
        )
        self.mask = nn.Conv2d(4, 8, 5, padding=2)
        # Place 2m hears the odd ones from m - 2 to m + 1, place 2m + 1 the even ones from m - 1.
        taps = torch.zeros(2, 2, 2, 2, 2, 5, 5)  # to row, to column, stereo, from row, from column
        for row, column in product(range(2), range(2)):
            meets = taps[row, column, :, 1 - row, 1 - column]
            meets[:, row : row + 4, column : column + 4] = mask.weight.detach()[:, 0]
        self.mask.weight.data = taps.reshape(8, 4, 5, 5)
        self.mask.bias = nn.Parameter(mask.bias.detach().repeat(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, in, h, w) -> gains (batch, 2, 2h, 2w) float32."""
        batch, _, height, width = x.shape
        logits = self.mask(self.norm(F.relu_(self.doubling(x)))).float()
        kinds = torch.sigmoid(logits).reshape(batch, 2, 2, 2, height, width)
        return kinds.permute(0, 3, 4, 1, 5, 2).reshape(batch, 2, 2 * height, 2 * width)


class UNet(nn.Module):
    """Magnitudes (batch, 2, frames, bins) -> gains of one stem, the same shape, in float32.

    The published net multiplies them by the magnitudes. Frames and bins are multiples of 64. In
    bfloat16, where the processor multiplies that by itself, its vocals differ from those in float32
    by -47 dB (docs/separation.md).
    """

    def __init__(self) -> None:
        super().__init__()
        down, up = (2, *CHANNELS), (*CHANNELS[::-1], 1)
        self.down = nn.ModuleList(
            nn.Conv2d(num_in, num_out, 5, stride=2) for num_in, num_out in pairwise(down)
        )
        self.down_norm = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in CHANNELS[:-1])
        self._doublings = [
            # From the second on, the input is joined by the encoder's output of the same size.
            Doubling(num_in * (1 if i == 0 else 2), num_out)
            for i, (num_in, num_out) in enumerate(pairwise(up))
        ]
        self.up = nn.ModuleList(self._doublings)
        self.up_norm = nn.ModuleList(nn.BatchNorm2d(n, eps=1e-3) for n in up[1:])
        self.mask = nn.Conv2d(1, 2, 4, dilation=2, padding=3)
        self._dtype = torch.float32

    def ready(self, dtype: torch.dtype) -> UNet:
        """With its weights arranged for inference in ``dtype``. Returns itself."""
        self.eval().requires_grad_(False)
        self._dtype = dtype
        self._ending = Ending(self._doublings[-1], self.up_norm[-1], self.mask).eval()
        for doubling in self._doublings[:-1]:
            doubling.arrange(dtype)
        for conv in (*self.down, self._ending.doubling, self._ending.mask):
            conv.to(dtype, memory_format=torch.channels_last)
        return self

    def forward(self, magnitude: torch.Tensor) -> torch.Tensor:
        x, skips = magnitude.to(self._dtype), []
        for level, conv in enumerate(self.down):
            # TensorFlow's "same" padding for kernel 5 and stride 2 on even sizes.
            x = conv(F.pad(x, (1, 2, 1, 2)))
            skips.append(x)
            if level < len(self.down_norm):
                x = F.leaky_relu_(self.down_norm[level](x), 0.2)
        x = skips.pop()
        for doubling, norm in zip(self._doublings[:-1], self.up_norm[:-1], strict=True):
            skip = skips.pop().permute(0, 2, 3, 1)
            joined = skip.new_empty(*skip.shape[:-1], 2 * skip.shape[-1])
            joined[..., : skip.shape[-1]] = skip
            for first, row in enumerate(doubling(x)):
                normed = norm(row.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
                joined[:, first::2, :, skip.shape[-1] :] = normed
            x = joined.permute(0, 3, 1, 2)
        return self._ending(x)


def vocals_mask(nets: tuple[nn.Module, nn.Module], magnitude: torch.Tensor) -> torch.Tensor:
    """Ratio mask in [0, 1] of the shape of ``magnitude`` (batch, 2, frames, bins)."""
    magnitude = magnitude.contiguous(memory_format=torch.channels_last)
    vocals, other = (net(magnitude).mul_(magnitude).square_() for net in nets)
    other += vocals
    return vocals.add_(RATIO_EPS / 2).div_(other.add_(RATIO_EPS))


class Spleeter:
    """Both nets, run over a stream in batches of overlapping blocks. See ``Separator``."""

    name = "spleeter"

    def __init__(
        self, vocals_net: nn.Module, other_net: nn.Module, device: torch.device = CPU
    ) -> None:
        nets = vocals_net.to(device), other_net.to(device)
        self._gain_of = on_device(partial(vocals_mask, nets), device)

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        return separate_blocks(chunks, PLAN, self._gain_of, cancel or CancelToken())

    def voice(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        return separate_voice(chunks, PLAN, self._gain_of, cancel or CancelToken())


def load_nets(folder: Path | None = None, dtype: torch.dtype = torch.float32) -> tuple[UNet, UNet]:
    """For vocals and accompaniment. Raises SeparatorError: weights are missing or damaged."""
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
    return nets[0].ready(dtype), nets[1].ready(dtype)


def load_spleeter(folder: Path | None = None) -> Spleeter:
    """On the device for this process, in its fastest precision. Raises SeparatorError."""
    device = compute_device()
    is_bfloat16 = device == CPU and has_fast_bfloat16()
    nets = load_nets(folder, torch.bfloat16 if is_bfloat16 else torch.float32)
    return Spleeter(*nets, device)

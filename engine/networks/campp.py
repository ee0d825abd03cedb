"""CAM++: a speaker encoder of densely connected time-delay layers with context-aware masks.

Source: Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking" (2023, arXiv 2303.00332), with the weights that 3D-Speaker publishes for
Mandarin and English (Apache-2.0). 80 log mel bands, a small 2-D convolution over them, three
dense blocks of 12, 24 and 16 layers at half the frame rate, mean and deviation over time, 192
dimensions.

All layers are two-dimensional, those over time alone with a height of 1: in that form a CPU keeps
channels together (``channels_last``), which makes the whole network nearly twice as fast.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.networks.kaldi import NUM_MELS, KaldiFilterbank

EXCERPT_SAMPLES = 80_000
EMBEDDING_DIM = 192
# Its level matters little; segments reach us with unit energy over 80,000 samples.
INPUT_GAIN = 0.06 * 80_000**0.5
FRONT_CHANNELS = 32
FIRST_CHANNELS, GROWTH_CHANNELS, HIDDEN_CHANNELS = 128, 32, 128
BLOCKS = ((12, 1), (24, 2), (16, 2))  # layers and dilation of each
CONTEXT_FRAMES = 100


class Campp(nn.Module):
    """(batch, n) float32 at 16 kHz, unit energy per 5 s -> (batch, 192), of any length."""

    def __init__(self) -> None:
        super().__init__()
        self.filterbank = KaldiFilterbank()
        self.front = Front()
        num_channels = FIRST_CHANNELS
        self.first = nn.Sequential(
            nn.Conv2d(
                FRONT_CHANNELS * NUM_MELS // 8,
                num_channels,
                (1, 5),
                stride=(1, 2),
                padding=(0, 2),
                bias=False,
            ),
            *normed(num_channels),
        )
        blocks: list[nn.Module] = []
        for num_layers, dilation in BLOCKS:
            blocks.append(DenseBlock(num_channels, num_layers, dilation))
            num_channels += num_layers * GROWTH_CHANNELS
            blocks += [
                *normed(num_channels),
                nn.Conv2d(num_channels, num_channels // 2, 1, bias=False),
            ]
            num_channels //= 2
        self.blocks = nn.Sequential(*blocks, *normed(num_channels))
        self.last = nn.Sequential(
            nn.Linear(2 * num_channels, EMBEDDING_DIM, bias=False),
            nn.BatchNorm1d(EMBEDDING_DIM, affine=False),
        )

    def forward(self, excerpts: torch.Tensor) -> torch.Tensor:
        bands = self.filterbank(excerpts * INPUT_GAIN)
        bands = (bands - bands.mean(1, keepdim=True)).transpose(1, 2)
        frames = self.blocks(self.first(self.front(bands[:, None])))[:, :, 0].float()
        return self.last(torch.cat([frames.mean(-1), frames.std(-1)], dim=1))

    def speed_up(self) -> None:
        """For inference only, when the weights are there: norms become part of the layers before.

        (Where a norm comes first, it stays.) Embeddings keep a cosine of 1 within rounding.
        """
        for layers in [m for m in self.eval().modules() if isinstance(m, nn.Sequential)]:
            for index in range(len(layers) - 1):
                conv, norm = layers[index], layers[index + 1]
                if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    layers[index] = fuse_conv_bn_eval(conv, norm)
                    layers[index + 1] = nn.Identity()


def normed(num_channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(num_channels), nn.ReLU(inplace=True)


class Front(nn.Module):
    """(batch, 1, 80, frames) -> (batch, 320, 1, frames): an eighth of the bands, 32 channels."""

    def __init__(self) -> None:
        super().__init__()
        num = FRONT_CHANNELS
        self.first = nn.Sequential(nn.Conv2d(1, num, 3, padding=1, bias=False), *normed(num))
        self.residual = nn.Sequential(Residual(2), Residual(1), Residual(2), Residual(1))
        self.last = nn.Sequential(
            nn.Conv2d(num, num, 3, stride=(2, 1), padding=1, bias=False), *normed(num)
        )

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        x = self.last(self.residual(self.first(bands)))
        return x.flatten(1, 2)[:, :, None]


class Residual(nn.Module):
    """Two convolutions beside a shortcut; ``stride`` over bands, never over time."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        num = FRONT_CHANNELS
        self.body = nn.Sequential(
            nn.Conv2d(num, num, 3, stride=(stride, 1), padding=1, bias=False),
            *normed(num),
            nn.Conv2d(num, num, 3, padding=1, bias=False),
            nn.BatchNorm2d(num),
        )
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(num, num, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(num)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.body(x) + self.shortcut(x))


class DenseBlock(nn.Module):
    """Each layer hears the input and what all layers before it found."""

    def __init__(self, num_in: int, num_layers: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            DenseLayer(num_in + i * GROWTH_CHANNELS, dilation) for i in range(num_layers)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], dim=1)
        return x


class DenseLayer(nn.Module):
    """(batch, num_in, 1, frames) -> (batch, 32, 1, frames), masked by what is around."""

    def __init__(self, num_in: int, dilation: int) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            *normed(num_in),
            nn.Conv2d(num_in, HIDDEN_CHANNELS, 1, bias=False),
            *normed(HIDDEN_CHANNELS),
        )
        self.local = nn.Conv2d(
            HIDDEN_CHANNELS,
            GROWTH_CHANNELS,
            (1, 3),
            padding=(0, dilation),
            dilation=(1, dilation),
            bias=False,
        )
        self.mask = nn.Sequential(
            nn.Conv2d(HIDDEN_CHANNELS, HIDDEN_CHANNELS // 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(HIDDEN_CHANNELS // 2, GROWTH_CHANNELS, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.hidden(x)
        near = F.avg_pool2d(hidden, (1, CONTEXT_FRAMES), ceil_mode=True)
        mask = self.mask(near + hidden.mean(-1, keepdim=True))
        mask = mask.repeat_interleave(CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]
        return self.local(hidden) * mask

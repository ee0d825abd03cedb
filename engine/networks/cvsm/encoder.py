"""EfficientNet-B0 on log-mel spectrograms, the encoder of every CVSM system.

Source: Tan and Le, "EfficientNet" (2019), in the form that Keras gives it, since the published
CVSM weights were trained there: one input channel, inputs divided by 255, batch-norm eps 1e-3,
TensorFlow's asymmetric "same" padding where the stride is 2 (symmetric padding would cost
cosine 0.99 with those weights), squeeze-and-excitation of a quarter of the block's input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import CheckpointError
from engine.networks.cvsm.log_mel import LogMel, LogMelConfig

# kernel, output channels, expansion, repeats, stride of the first repeat
STAGES = (
    (3, 16, 1, 1, 1),
    (3, 24, 6, 2, 2),
    (5, 40, 6, 2, 2),
    (3, 80, 6, 3, 2),
    (5, 112, 6, 3, 1),
    (5, 192, 6, 4, 2),
    (3, 320, 6, 1, 1),
)
NUM_BLOCKS = sum(stage[3] for stage in STAGES)
EMBEDDING_DIM = 1280
POOLINGS = ("max", "mean")


@dataclass(frozen=True)
class EncoderConfig:
    """What distinguishes one encoder from another; everything else is fixed.

    Attributes:
        excerpt_samples: model input at 16 kHz (CVSM: 1 s).
        pooling: over time and frequency: ``max`` (published code) or ``mean`` (the paper's text).
        drop_connect: highest rate of stochastic depth, reached at the last block; training only.
    """

    excerpt_samples: int = 16_000
    pooling: str = "max"
    drop_connect: float = 0.2
    log_mel: LogMelConfig = field(default_factory=LogMelConfig)

    def __post_init__(self) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {self.pooling!r}")


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's "same" padding, for any input size. No bias."""

    def __init__(self, num_in: int, num_out: int, kernel: int, stride: int = 1, groups: int = 1):
        # With stride 1 and an odd kernel, "same" is symmetric: let the convolution pad.
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(
            num_in, num_out, kernel, stride, padding=padding, groups=groups, bias=False
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            # TensorFlow: ceil(size / stride) outputs; what is odd of the padding goes to the end.
            pads = []
            for size in (x.shape[-1], x.shape[-2]):
                total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
                pads += [total // 2, total - total // 2]
            x = F.pad(x, pads)
        return super().forward(x)


def batch_norm(num_channels: int) -> nn.BatchNorm2d:
    """Keras's constants: eps 1e-3, and a momentum that PyTorch counts the other way round."""
    return nn.BatchNorm2d(num_channels, eps=1e-3, momentum=0.01)


class SqueezeExcite(nn.Module):
    def __init__(self, num_channels: int, num_squeezed: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(num_channels, num_squeezed, 1)
        self.expand = nn.Conv2d(num_squeezed, num_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True))))
        return x * torch.sigmoid(gate)


class MBConv(nn.Module):
    """Inverted residual with squeeze-and-excitation; stochastic depth on the residual branch."""

    def __init__(
        self, num_in: int, num_out: int, kernel: int, stride: int, expansion: int, drop: float
    ) -> None:
        super().__init__()
        num_hidden = num_in * expansion
        self.drop = drop
        self.has_residual = stride == 1 and num_in == num_out
        self.expand = (
            nn.Sequential(SameConv2d(num_in, num_hidden, 1), batch_norm(num_hidden), nn.SiLU())
            if expansion != 1
            else nn.Identity()
        )
        self.depthwise = nn.Sequential(
            SameConv2d(num_hidden, num_hidden, kernel, stride, groups=num_hidden),
            batch_norm(num_hidden),
            nn.SiLU(),
        )
        self.squeeze_excite = SqueezeExcite(num_hidden, max(1, num_in // 4))
        self.project = nn.Sequential(SameConv2d(num_hidden, num_out, 1), batch_norm(num_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.project(self.squeeze_excite(self.depthwise(self.expand(x))))
        if not self.has_residual:
            return out
        if self.training and self.drop > 0:
            keep = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop
            out = out * keep / (1 - self.drop)
        return x + out


class EfficientNetB0(nn.Module):
    """(batch, 1, num_frames, num_mels) -> feature map (batch, 1280, height, width)."""

    def __init__(self, drop_connect: float = 0.2) -> None:
        super().__init__()
        self.stem = nn.Sequential(SameConv2d(1, 32, 3, stride=2), batch_norm(32), nn.SiLU())
        blocks: list[nn.Module] = []
        num_in = 32
        for kernel, num_out, expansion, repeats, first_stride in STAGES:
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                drop = drop_connect * len(blocks) / NUM_BLOCKS
                blocks.append(MBConv(num_in, num_out, kernel, stride, expansion, drop))
                num_in = num_out
        self.blocks = nn.Sequential(*blocks)
        self.top = nn.Sequential(
            SameConv2d(num_in, EMBEDDING_DIM, 1), batch_norm(EMBEDDING_DIM), nn.SiLU()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.top(self.blocks(self.stem(x / 255.0)))
        return out


class Encoder(nn.Module):
    """Excerpts to embeddings: (batch, excerpt_samples) float32 at 16 kHz -> (batch, 1280) float32.

    The caller normalises: each 5 s segment has unit L2 norm before excerpts are cut from it
    (CVSM.md, front end). Embeddings are not normalised here.
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or EncoderConfig()
        self.log_mel = LogMel(self.config.log_mel)
        self.net = EfficientNetB0(self.config.drop_connect)

    @property
    def dim(self) -> int:
        return EMBEDDING_DIM

    def pool(self, features: torch.Tensor) -> torch.Tensor:
        return features.amax((2, 3)) if self.config.pooling == "max" else features.mean((2, 3))

    def forward(self, excerpts: torch.Tensor) -> torch.Tensor:
        log_mel = self.log_mel(excerpts).contiguous(memory_format=torch.channels_last)
        return self.pool(self.net(log_mel)).float()


def encoder_config(values: Mapping[str, Any]) -> EncoderConfig:
    """From a manifest's ``config``. Raises CheckpointError on keys or values it does not know."""
    try:
        plain = {**values, "log_mel": LogMelConfig(**values.get("log_mel", {}))}
        return EncoderConfig(**plain)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"This version cannot run the encoder's config: {error}.") from error

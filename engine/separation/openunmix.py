"""open-unmix: the separator of the CVSM paper, its vocals network only.

Source: Stöter et al., "Open-Unmix: a reference implementation for music source separation" (2019).
Three bidirectional LSTM layers over magnitude spectra, which they see up to 16 kHz, give a gain
for every bin. The multichannel Wiener filter that may follow there is left out: with one target
there is nothing for it to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.networks.device import CPU
from engine.progress import CancelToken
from engine.separation.blocks import BlockPlan, on_device, separate_blocks, separate_voice

NUM_CHANNELS = 2
NUM_BINS = 2049
NUM_INPUT_BINS = 1487  # up to 16 kHz at 44.1 kHz
# It was trained on 6 s, that is 258 frames. Blocks go through the LSTM side by side, which costs
# little more time than one, since what takes time there is reading the weights.
PLAN = BlockPlan(
    frame_samples=4096,
    hop_samples=1024,
    num_bins=NUM_BINS,
    block_frames=512,
    context_frames=32,
    fade_frames=64,
    blocks_per_batch=4,
)


class OpenUnmixNet(nn.Module):
    """Magnitudes (batch, 2, frames, 2049) -> gains >= 0 of the same shape.

    Args:
        hidden_size: 512 in umxhq, 1024 in umxl.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        num_out = NUM_CHANNELS * NUM_BINS
        self.input_mean = nn.Parameter(torch.zeros(NUM_INPUT_BINS))
        self.input_scale = nn.Parameter(torch.ones(NUM_INPUT_BINS))
        self.fc1 = nn.Linear(NUM_CHANNELS * NUM_INPUT_BINS, hidden_size, bias=False)
        self.bn1 = nn.BatchNorm1d(hidden_size)
        self.lstm = nn.LSTM(
            hidden_size, hidden_size // 2, num_layers=3, bidirectional=True, batch_first=True
        )
        self.fc2 = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.bn2 = nn.BatchNorm1d(hidden_size)
        self.fc3 = nn.Linear(hidden_size, num_out, bias=False)
        self.bn3 = nn.BatchNorm1d(num_out)
        self.output_scale = nn.Parameter(torch.ones(NUM_BINS))
        self.output_mean = nn.Parameter(torch.ones(NUM_BINS))

    def forward(self, magnitude: torch.Tensor) -> torch.Tensor:
        batch, _, num_frames, _ = magnitude.shape
        x = (magnitude[..., :NUM_INPUT_BINS] + self.input_mean) * self.input_scale
        x = self.fc1(x.transpose(1, 2).reshape(batch * num_frames, -1))
        x = torch.tanh(self.bn1(x)).reshape(batch, num_frames, -1)
        x = torch.cat([x, self.lstm(x)[0]], dim=-1).reshape(batch * num_frames, -1)
        x = self.bn3(self.fc3(F.relu(self.bn2(self.fc2(x)))))
        x = x.reshape(batch, num_frames, NUM_CHANNELS, NUM_BINS).transpose(1, 2)
        return F.relu(x * self.output_scale + self.output_mean)


class OpenUnmix:
    """The network, run over a stream in batches of overlapping blocks. See ``Separator``."""

    def __init__(self, name: str, net: OpenUnmixNet, device: torch.device = CPU) -> None:
        self.name = name
        self._gain_of = on_device(net.eval().to(device), device)

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        return separate_blocks(chunks, PLAN, self._gain_of, cancel or CancelToken())

    def voice(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        return separate_voice(chunks, PLAN, self._gain_of, cancel or CancelToken())

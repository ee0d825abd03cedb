"""Hybrid Demucs: the best and the slowest of the separators.

Source: Défossez, "Hybrid spectrogram and waveform source separation" (2021), in torchaudio's form.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
import torchaudio
from torch import nn

from engine.networks.device import CPU
from engine.progress import CancelToken

FFT_SIZE = 4096
HOP_SAMPLES = FFT_SIZE // 4
NUM_CHANNELS = 2
SOURCES = ["drums", "bass", "other", "vocals"]
MIN_SAMPLES = FFT_SIZE  # less cannot be padded by reflection
# 10 s at a time, of which neighbours share a quarter and fade into each other, as Demucs does.
SEGMENT_SAMPLES = 432 * HOP_SAMPLES
OVERLAP_SAMPLES = SEGMENT_SAMPLES // 4
STRIDE_SAMPLES = SEGMENT_SAMPLES - OVERLAP_SAMPLES


def network(num_hidden: int = 48) -> nn.Module:
    """Mixture (batch, 2, n) at 44.1 kHz, n >= 4096 -> sources (batch, 4, 2, n).

    Args:
        num_hidden: channels of the first level, doubled at each next; 48 as published.
    """
    net = torchaudio.models.HDemucs(SOURCES, channels=num_hidden, nfft=FFT_SIZE)
    net.time_encoder[-1].norm1 = nn.Identity()  # never used, and not in weights installed before
    return net


class HDemucs:
    """The network, run over a stream in segments that fade into each other. See ``Separator``."""

    def __init__(self, name: str, net: nn.Module, device: torch.device = CPU) -> None:
        self.name = name
        self._device = device
        # A fifth faster on a CPU, with the same results.
        self._net = net.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._running = threading.local()  # threads share the network, each with its own token
        # A segment takes seconds: a request to stop is heard between two of its levels.
        for side in ("freq_encoder", "time_encoder", "freq_decoder", "time_decoder"):
            for level in net.get_submodule(side).children():
                level.register_forward_pre_hook(lambda *_: self._running.cancel.check())

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        cancel = cancel or CancelToken()

        def estimate(mixture: torch.Tensor) -> torch.Tensor:
            self._running.cancel = cancel
            num_samples = mixture.shape[1]
            padded = F.pad(mixture, (0, max(0, MIN_SAMPLES - num_samples)))
            sources: torch.Tensor = self._net(padded[None].to(self._device))[0]
            return sources[SOURCES.index("vocals")].mean(0)[:num_samples].cpu()

        with torch.inference_mode():
            for piece in crossfaded((torch.from_numpy(chunk) for chunk in chunks), estimate):
                yield piece.numpy()


def crossfaded(
    chunks: Iterable[torch.Tensor], estimate: Callable[[torch.Tensor], torch.Tensor]
) -> Iterator[torch.Tensor]:
    """(2, n) chunks -> (n,) pieces of the same total length, segment by segment.

    The last segment reaches back as far as needed to be a whole one.
    """
    fade = torch.linspace(0, 1, OVERLAP_SAMPLES + 2)[1:-1]
    held = torch.zeros(NUM_CHANNELS, 0)
    start = 0  # in ``held``, of the next segment; before it lies the one before
    tail: torch.Tensor | None = None  # the last estimate, where the next one overlaps it

    def joined(piece: torch.Tensor) -> torch.Tensor:
        if tail is None:
            return piece
        mixed = tail * (1 - fade) + piece[:OVERLAP_SAMPLES] * fade
        return torch.cat([mixed, piece[OVERLAP_SAMPLES:]])

    for chunk in chunks:
        held = torch.cat([held, chunk], dim=1)
        while held.shape[1] - start > SEGMENT_SAMPLES:
            vocals = estimate(held[:, start : start + SEGMENT_SAMPLES])
            yield joined(vocals[:STRIDE_SAMPLES])
            tail = vocals[STRIDE_SAMPLES:]
            held, start = held[:, start:], STRIDE_SAMPLES
    num_rest = held.shape[1] - start
    if num_rest > 0:
        yield joined(estimate(held[:, -SEGMENT_SAMPLES:])[-num_rest:])

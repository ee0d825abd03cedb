"""Separation by gains on a spectrogram, block by block, for streams that do not fit in memory.

Near a block's border a network lacks context, and two neighbouring blocks disagree. So blocks
overlap, and frames close to a border serve as context only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from engine.progress import CancelToken
from engine.separation.stft import StreamingIstft, StreamingStft

GainOf = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class BlockPlan:
    """How a stream is cut.

    Attributes:
        frame_samples, hop_samples: of the STFT (Hann window).
        num_bins: lowest bins that are used; what lies above is silent.
        block_frames: what the network sees at once.
        context_frames: on both sides of a block; ``block_frames - 2 * context_frames`` count.
        blocks_per_batch: blocks in one forward pass.
    """

    frame_samples: int
    hop_samples: int
    num_bins: int
    block_frames: int
    context_frames: int
    blocks_per_batch: int

    @property
    def inner_frames(self) -> int:
        return self.block_frames - 2 * self.context_frames


def separate_blocks(
    chunks: Iterable[np.ndarray], plan: BlockPlan, gain_of: GainOf, cancel: CancelToken
) -> Iterator[np.ndarray]:
    """(2, n) float32 chunks -> (n,) float32 pieces of the same total length, mean of channels.

    Args:
        gain_of: magnitudes (num_blocks, 2, block_frames, num_bins) -> gains of the same shape,
            by which the mixture's spectrum is multiplied.
        cancel: checked once per batch.
    """
    istft = StreamingIstft(plan.frame_samples, plan.hop_samples)
    num_in = num_out = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal num_in
        for chunk in chunks:
            num_in += chunk.shape[1]
            yield chunk

    with torch.inference_mode():
        for spectrum, num_frames in _batches(counted(), plan):
            cancel.check()
            samples = istft.push(_masked_mean(spectrum, plan, gain_of)[:num_frames])
            num_out += len(samples)
            yield samples.numpy()
        yield istft.flush(num_in - num_out).numpy()


def _masked_mean(spectrum: torch.Tensor, plan: BlockPlan, gain_of: GainOf) -> torch.Tensor:
    """(2, context + n * inner + context, bins) -> (n * inner, bins)."""
    blocks = spectrum.unfold(1, plan.block_frames, plan.inner_frames)  # (2, n, bins, frames)
    blocks = blocks.permute(1, 0, 3, 2)
    inner = slice(plan.context_frames, plan.context_frames + plan.inner_frames)
    gain = gain_of(blocks.abs())[:, :, inner]
    return (blocks[:, :, inner] * gain).mean(1).reshape(-1, plan.num_bins)


def _batches(chunks: Iterable[np.ndarray], plan: BlockPlan) -> Iterator[tuple[torch.Tensor, int]]:
    """Spectra of a whole number of blocks with context on both sides: (2, frames, num_bins).

    With each comes the number of its inner frames that belong to the stream: all, but for the
    last batch, which silence fills up. Inner frames of successive batches follow without a gap.
    """
    stft = StreamingStft(plan.frame_samples, plan.hop_samples, num_channels=2)
    context, inner = plan.context_frames, plan.inner_frames
    silence = torch.zeros(2, 1, plan.num_bins, dtype=torch.complex64)
    held = [silence.expand(-1, context, -1)]
    num_held = context
    full = plan.blocks_per_batch * inner + 2 * context
    for chunk in chunks:
        held.append(stft.push(torch.from_numpy(chunk))[..., : plan.num_bins])
        num_held += held[-1].shape[1]
        while num_held >= full:
            spectrum = torch.cat(held, dim=1)
            yield spectrum[:, :full], plan.blocks_per_batch * inner
            held = [spectrum[:, full - 2 * context :].clone()]
            num_held = held[0].shape[1]
    spectrum = torch.cat([*held, stft.flush()[..., : plan.num_bins]], dim=1)
    num_inner = spectrum.shape[1] - context
    if num_inner > 0:
        num_blocks = -(-num_inner // inner)
        missing = num_blocks * inner + 2 * context - spectrum.shape[1]
        yield torch.cat([spectrum, silence.expand(-1, missing, -1)], dim=1), num_inner

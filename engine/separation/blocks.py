"""Separation by gains on a spectrogram, block by block, for streams that do not fit in memory.

Near a block's border a network lacks context, and two neighbouring blocks disagree. So blocks
overlap: frames at the very border serve as context only, and over those next to them the gains
of one block fade into the next one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from engine.progress import CancelToken
from engine.separation.mixture_floor import GainOf, floored
from engine.separation.stft import StreamingIstft, StreamingStft
from engine.sound.resampling import resampled


@dataclass(frozen=True)
class BlockPlan:
    """How a stream is cut.

    Attributes:
        frame_samples, hop_samples: of the STFT (Hann window).
        num_bins: lowest bins that are used; what lies above is silent.
        block_frames: what the network sees at once.
        context_frames: at both ends of a block; never used.
        fade_frames: over which a block takes over from the one before.
        blocks_per_batch: blocks in one forward pass.
    """

    frame_samples: int
    hop_samples: int
    num_bins: int
    block_frames: int
    context_frames: int
    fade_frames: int
    blocks_per_batch: int

    @property
    def step_frames(self) -> int:
        """From the start of a block to that of the next."""
        return self.block_frames - 2 * self.context_frames - self.fade_frames


def on_device(gain_of: GainOf, device: torch.device) -> GainOf:
    """Gains worked out on a device; what goes in and comes out is on the processor."""
    if device.type == "cpu":
        return gain_of
    return lambda magnitude: gain_of(magnitude.to(device)).cpu()


def separate_blocks(
    chunks: Iterable[np.ndarray],
    plan: BlockPlan,
    gain_of: GainOf,
    cancel: CancelToken,
    out_frame_samples: int | None = None,
) -> Iterator[np.ndarray]:
    """(2, n) float32 chunks -> (n,) float32 pieces of the same total length, mean of channels.

    Args:
        gain_of: magnitudes (num_blocks, 2, block_frames, num_bins) -> gains of the same shape,
            by which the mixture's spectrum is multiplied.
        cancel: checked once per batch.
        out_frame_samples: into which a frame is turned back; a multiple of 4. Fewer than came in
            hold the lowest bins only: sound at a lower rate, without a filter and without aliases.
    """
    in_frame_samples = plan.frame_samples
    out_frame_samples = out_frame_samples or in_frame_samples
    out_hop_samples = plan.hop_samples * out_frame_samples // in_frame_samples
    istft = StreamingIstft(out_frame_samples, out_hop_samples)
    scale = out_frame_samples / in_frame_samples
    blend = _Blend(plan, gain_of, min(plan.num_bins, out_frame_samples // 2), scale)
    num_in = num_out = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal num_in
        for chunk in chunks:
            num_in += chunk.shape[1]
            yield chunk

    with torch.inference_mode():
        for spectrum, num_frames in _batches(counted(), plan):
            cancel.check()
            samples = istft.push(blend.masked_mean(spectrum)[:num_frames])
            num_out += len(samples)
            yield samples.numpy()
        num_total = -(-num_in * out_frame_samples // in_frame_samples)
        yield istft.flush(num_total - num_out).numpy()


def separate_voice(
    chunks: Iterable[np.ndarray], plan: BlockPlan, gain_of: GainOf, cancel: CancelToken
) -> Iterator[np.ndarray]:
    """Like ``separate_blocks``, as voice models hear it: ``floored``, 44.1 kHz in, 16 kHz out.

    Only bins that 16 kHz can hold are turned back, at 3/8 of the rate. That is 16,537.5 Hz, from
    where it is not far to 16 kHz.
    """
    pieces = separate_blocks(chunks, plan, floored(gain_of), cancel, plan.frame_samples * 3 // 8)
    return resampled(pieces, 33_075, 32_000)  # both doubled: rates are whole numbers


class _Blend:
    """Applies the gains of successive batches; remembers where the last block faded out."""

    def __init__(self, plan: BlockPlan, gain_of: GainOf, num_bins: int, scale: float) -> None:
        self._plan, self._gain_of = plan, gain_of
        self._num_bins, self._scale = num_bins, scale
        self._fading: torch.Tensor | None = None
        # Strictly between 0 and 1: each frame of the fade hears both blocks.
        rise = torch.arange(1, plan.fade_frames + 1) / (plan.fade_frames + 1)
        self._rise = rise[:, None]

    def masked_mean(self, spectrum: torch.Tensor) -> torch.Tensor:
        """(2, frames of n blocks, bins) -> (n * step, lowest bins): mean of channels, scaled."""
        plan = self._plan
        blocks = spectrum.unfold(1, plan.block_frames, plan.step_frames)  # (2, n, bins, frames)
        blocks = blocks.permute(1, 0, 3, 2)
        gain = self._gain_of(blocks.abs())[..., : self._num_bins]
        first, last = plan.context_frames, plan.context_frames + plan.step_frames
        fading = gain[:, :, last : last + plan.fade_frames]
        used = gain[:, :, first:last].clone()
        start = used[:, :, : plan.fade_frames]
        before = start[:1] if self._fading is None else self._fading
        start.lerp_(torch.cat([before, fading[:-1]]), 1 - self._rise)
        self._fading = fading[-1:].clone()
        kept = blocks[:, :, first:last, : self._num_bins]
        mean = torch.addcmul(kept[:, 0] * used[:, 0], kept[:, 1], used[:, 1])
        return mean.mul_(self._scale / 2).reshape(-1, self._num_bins)


def _batches(chunks: Iterable[np.ndarray], plan: BlockPlan) -> Iterator[tuple[torch.Tensor, int]]:
    """Spectra of a whole number of blocks with context on both sides: (2, frames, num_bins).

    With each comes the number of frames, from the first that is not context, that are new: a step
    for each block, but fewer in the last batch, which silence fills up.
    """
    stft = StreamingStft(plan.frame_samples, plan.hop_samples, num_channels=2)
    context, step = plan.context_frames, plan.step_frames
    overlap = plan.block_frames - step
    silence = torch.zeros(2, 1, plan.num_bins, dtype=torch.complex64)
    held = [silence.expand(-1, context, -1)]
    num_held = context
    full = plan.blocks_per_batch * step + overlap
    for chunk in chunks:
        held.append(stft.push(torch.from_numpy(chunk))[..., : plan.num_bins])
        num_held += held[-1].shape[1]
        while num_held >= full:
            spectrum = torch.cat(held, dim=1)
            yield spectrum[:, :full], plan.blocks_per_batch * step
            held = [spectrum[:, full - overlap :].clone()]
            num_held = held[0].shape[1]
    spectrum = torch.cat([*held, stft.flush()[..., : plan.num_bins]], dim=1)
    num_left = spectrum.shape[1] - context
    if num_left > 0:
        num_blocks = -(-num_left // step)
        missing = num_blocks * step + overlap - spectrum.shape[1]
        yield torch.cat([spectrum, silence.expand(-1, missing, -1)], dim=1), num_left

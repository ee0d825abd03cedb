"""How much two blocks of the default separator disagree, by distance from a block's border.

    python benchmarks/separation.py SONG...

Blocks are laid over each song at every half block, so that each frame is seen by two: near the
border of one, far from that of the other. Printed is the energy of the difference of the two
masked spectrograms over that of the vocals, in dB, averaged over all songs.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from engine.separation import SAMPLE_RATE_HZ
from engine.separation.spleeter import NUM_BINS, PLAN, UNet, load_nets, vocals_mask
from engine.separation.stft import StreamingStft
from engine.sound.audio import decode_all

HALF = PLAN.block_frames // 2
PART_S = (30.0, 90.0)


def disagreement(nets: tuple[UNet, UNet], path: Path) -> np.ndarray:
    """(HALF,) difference energy over mean vocal energy, by frames from the later block's start."""
    start_s, end_s = PART_S
    sound = decode_all(
        path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=2, start_s=start_s, end_s=end_s
    )
    stft = StreamingStft(PLAN.frame_samples, PLAN.hop_samples, num_channels=2)
    magnitude = stft.push(torch.from_numpy(sound))[..., :NUM_BINS].abs()[None]
    starts = range(0, magnitude.shape[2] - PLAN.block_frames, HALF)
    vocals = [
        (block := magnitude[:, :, s : s + PLAN.block_frames]) * vocals_mask(nets, block)
        for s in starts
    ]
    pairs = list(pairwise(vocals))
    difference = [(a[:, :, HALF:] - b[:, :, :HALF]).square().mean((0, 1, 3)) for a, b in pairs]
    level = torch.stack([a.square().mean() for a, _ in pairs]).mean()
    return (torch.stack(difference).mean(0) / level).numpy()


def main() -> None:
    nets = load_nets()
    with torch.inference_mode():
        curves = [disagreement(nets, Path(name)) for name in sys.argv[1:]]
    mean = np.mean(curves, axis=0)
    # Both ends of the curve are borders: of the later block, and of the earlier one.
    folded = 10 * np.log10((mean + mean[::-1])[: HALF // 2] / 2)
    print("frames from a border   disagreement (dB)")
    for distance in (0, 4, 8, 16, 24, 32, 48, 64, 96):
        inner = PLAN.context_frames + PLAN.fade_frames
        used = "   context only" if distance < PLAN.context_frames else "   fading"
        used = used if distance < inner else ""
        print(f"{distance:>20}   {folded[distance : distance + 4].mean():>6.1f}{used}")


if __name__ == "__main__":
    main()

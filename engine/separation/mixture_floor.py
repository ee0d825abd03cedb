"""The 8 % of the mixture that stay under a separated voice where somebody sings."""

from __future__ import annotations

from collections.abc import Callable

import torch

GainOf = Callable[[torch.Tensor], torch.Tensor]

# What separators mute altogether, voice models hear as a change of the voice. So a little of the
# mixture stays (-22 dB) where somebody sings: in full from where the voice is a quarter of the
# sound on, and none where there is no voice. Measured: docs/separation.md.
FLOOR, FULL_FLOOR_SHARE = 0.08, 0.25


def floored(gain_of: GainOf) -> GainOf:
    """Gains that leave a little of the mixture under the voice."""

    def gains(magnitude: torch.Tensor) -> torch.Tensor:
        gain = gain_of(magnitude)
        total = magnitude.sum(-1, keepdim=True).clamp_min(torch.finfo(magnitude.dtype).tiny)
        share = (gain * magnitude).sum(-1, keepdim=True).div_(total)
        floor = FLOOR * share.div_(FULL_FLOOR_SHARE).clamp_(max=1)
        return gain.mul_(1 - floor).add_(floor)

    return gains

"""Whether anybody sings in a song, told from what a voice model hears of the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

WEIGHT, BIAS = "singing.weight", "singing.bias"  # of a checkpoint: resources/models/fit_singing.py


@dataclass(frozen=True, eq=False)
class SingingDetector:
    """A linear one, on the embeddings of segments: ``weight`` (dim,)."""

    weight: np.ndarray
    bias: float

    def is_sung(self, segment_embeddings: np.ndarray) -> bool:
        """(n, dim) of all segments of a song: on average, more speaks for a voice than against."""
        return bool(np.mean(segment_embeddings @ self.weight) + self.bias > 0)


def read_singing(tensors: Mapping[str, torch.Tensor], dim: int) -> SingingDetector | None:
    """Of a checkpoint; None where it has none. KeyError where it has one of another shape."""
    if WEIGHT not in tensors:
        return None
    weight, bias = tensors[WEIGHT].numpy(), tensors[BIAS].numpy()
    if weight.shape != (dim,) or bias.shape != (1,):
        raise KeyError(WEIGHT)
    return SingingDetector(weight, float(bias[0]))

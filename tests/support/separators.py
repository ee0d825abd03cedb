"""Small separators with seeded weights, and streams for them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from support.seeded import seeded, seeded_audio
from torch import nn

from engine.separation import Separator

MIXTURE = seeded_audio("mixture", (2, 40_001)) * np.float32(0.1)
Net = TypeVar("Net", bound=nn.Module)


def filled(net: Net, prefix: str) -> Net:
    state = {
        name: torch.from_numpy(seeded(f"{prefix}.{name}", tensor.shape))
        if tensor.is_floating_point()
        else tensor
        for name, tensor in net.state_dict().items()
    }
    net.load_state_dict(state)
    return net.eval()


def chunks_of(sound: np.ndarray, size: int) -> list[np.ndarray]:
    return [sound[:, start : start + size] for start in range(0, sound.shape[1], size)]


def streamed(separator: Separator, sound: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate(list(separator.vocals(chunks_of(sound, size))))

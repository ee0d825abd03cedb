"""What stands on the encoder during training, and is thrown away afterwards."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from training.config import LossSettings

PROJECTED_DIM = 512
MAX_SCALE = 100.0


class BilinearHead(nn.Module):
    """The paper's: Linear to 512, LayerNorm (eps 1e-3), tanh; similarity aᵀWp, no temperature."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(dim, PROJECTED_DIM)
        self.norm = nn.LayerNorm(PROJECTED_DIM, eps=1e-3)
        self.weight = nn.Parameter(torch.randn(PROJECTED_DIM, PROJECTED_DIM) * 0.05)

    def project(self, embeddings: torch.Tensor) -> torch.Tensor:
        return torch.tanh(self.norm(self.linear(embeddings)))

    def forward(self, anchors: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
        """(n, dim), (m, dim) -> logits (n, m)."""
        return self.project(anchors) @ self.weight @ self.project(positives).T


class CosineHead(nn.Module):
    """Cosine of centred embeddings over a learned temperature: what a search will compute.

    The centre is the batch's mean in training and its running mean in validation.
    """

    centre: torch.Tensor

    def __init__(self, dim: int, temperature: float) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / temperature)))
        self.register_buffer("centre", torch.zeros(dim))

    def forward(self, anchors: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
        """(n, dim), (m, dim) -> logits (n, m)."""
        centre = self.centre
        if self.training:
            centre = torch.cat([anchors, positives]).mean(0)
            with torch.no_grad():
                self.centre.lerp_(centre, 0.02)
        scale = self.log_scale.exp().clamp(max=MAX_SCALE)
        return scale * F.normalize(anchors - centre) @ F.normalize(positives - centre).T


def make_head(settings: LossSettings, dim: int) -> nn.Module:
    """Head for embeddings of this dimension."""
    if settings.head == "bilinear":
        return BilinearHead(dim)
    return CosineHead(dim, settings.temperature)


def linear_map(num_in: int, num_out: int) -> nn.Linear:
    """Identity to begin with where the sizes allow it: a student that starts from its teacher."""
    layer = nn.Linear(num_in, num_out)
    if num_in == num_out:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer

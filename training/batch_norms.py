"""Batch norms in training: their running statistics, and batches that several processes share."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class RunningStatistics:
    """Averages a network's batch statistics outside of its forward pass.

    Inside, every norm has a momentum of 1, so that its buffers come out with the statistics of the
    batch alone. A momentum that changes from batch to batch would have the network compiled anew
    for each value.

    Args:
        is_fresh: whether the network has seen no batch yet. Its averages then begin as the plain
            mean over all batches: a fixed momentum of 0.01 would leave 2 % of their starting value,
            a variance of 1, after 400 batches, more than many layers' own variance, and enough to
            make all embeddings alike.
    """

    def __init__(self, network: nn.Module, *, is_fresh: bool) -> None:
        self._is_fresh = is_fresh
        self._buffers: dict[float, list[torch.Tensor]] = defaultdict(list)  # by momentum
        self.norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.momentum]
        for norm in self.norms:
            assert norm.momentum is not None
            assert norm.running_mean is not None
            assert norm.running_var is not None
            self._buffers[norm.momentum] += [norm.running_mean, norm.running_var]
            norm.momentum = 1.0
        self._before = {m: [b.clone() for b in buffers] for m, buffers in self._buffers.items()}

    @torch.no_grad()
    def before_batch(self) -> None:
        """Keep the averages, which the forward pass is about to replace."""
        for momentum, buffers in self._buffers.items():
            torch._foreach_copy_(self._before[momentum], buffers)

    @torch.no_grad()
    def after_batch(self, batch: int) -> None:
        """Average in what the forward pass of this batch, counted from 0, has left."""
        for momentum, buffers in self._buffers.items():
            weight = max(momentum, 1 / (batch + 1)) if self._is_fresh else momentum
            averages = self._before[momentum]
            torch._foreach_lerp_(averages, buffers, weight)
            torch._foreach_copy_(buffers, averages)


class _Sum(torch.autograd.Function):
    """Sum over processes; so are the gradients."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        total = grads[0].clone()
        dist.all_reduce(total)
        return total


class JointBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose statistics see the joint batch, for processors, where torch has none."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        count = x.numel() / x.shape[1] * dist.get_world_size()
        wide = x.float()
        moments = torch.stack([wide.sum((0, 2, 3)), wide.square().sum((0, 2, 3))])
        sums: torch.Tensor = _Sum.apply(moments)  # type: ignore[no-untyped-call]
        mean = sums[0] / count
        variance = (sums[1] / count - mean.square()).clamp(min=0.0)
        self._note(mean.detach(), variance.detach() * count / max(1.0, count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (wide * scale[:, None, None] + shift[:, None, None]).to(x.dtype)

    def _note(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def with_joint_batch_norm(network: nn.Module, device: torch.device) -> nn.Module:
    """The network with norms over the joint batch; weights and statistics are kept."""
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return converted
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JointBatchNorm2d  # same parameters and buffers, other forward
    return network

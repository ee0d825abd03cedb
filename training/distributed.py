"""Several processes, one joint batch: the same loss and gradients as one process would have.

Every process embeds its share of the batch and sees all embeddings. The loss over the joint batch
is computed everywhere alike; its gradient flows back to the own share only, and the gradients of
the network are then summed over processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from training.errors import RunError


@dataclass(frozen=True)
class World:
    """One process among all of a run."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_main(self) -> bool:
        """The one that writes files and prints."""
        return self.rank == 0

    def share(self, num_pairs: int) -> slice:
        """The part of a joint batch that is embedded here. Raises RunError if it cannot be even."""
        if num_pairs % self.size:
            raise RunError(
                f"optim.num_pairs={num_pairs} cannot be shared by {self.size} processes. "
                f"Choose a multiple of {self.size}."
            )
        num_own = num_pairs // self.size
        return slice(self.rank * num_own, (self.rank + 1) * num_own)


def join_world() -> World:
    """The world that ``torchrun`` describes in the environment, or a world of one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return World(dist.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))


def leave_world(world: World) -> None:
    if world.size > 1 and dist.is_initialized():
        dist.destroy_process_group()


class _Gather(torch.autograd.Function):
    """Concatenate over processes; the gradient of the own share comes back."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:
        parts = [torch.empty_like(values) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, values.contiguous())
        ctx.num_own = len(values)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        first = dist.get_rank() * ctx.num_own
        return grads[0][first : first + ctx.num_own]


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


def gather(values: torch.Tensor, world: World) -> torch.Tensor:
    """(n, ...) of each process -> (n · size, ...), in the order of ranks."""
    if world.size == 1:
        return values
    gathered: torch.Tensor = _Gather.apply(values)  # type: ignore[no-untyped-call]
    return gathered


class JointBatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose statistics see the joint batch. Works on any device, unlike torch's own."""

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


def with_joint_batch_norm(network: nn.Module) -> nn.Module:
    """Replace each BatchNorm2d in place, weights and statistics kept."""
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JointBatchNorm2d  # same parameters and buffers, other forward
    return network


def sum_gradients(parameters: Iterable[nn.Parameter], world: World, *, mean: bool) -> None:
    """Over processes, in one message. ``mean`` for what every process computes in full."""
    grads = [p.grad for p in parameters if p.grad is not None]
    if world.size == 1 or not grads:
        return
    flat = torch.cat([grad.flatten() for grad in grads])
    dist.all_reduce(flat)
    if mean:
        flat /= world.size
    for grad, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
        grad.copy_(part.view_as(grad))


def any_of(flag: bool, world: World, device: torch.device) -> bool:
    """Whether the flag is set in any process: all must stop at the same batch."""
    if world.size == 1:
        return flag
    value = torch.tensor(float(flag), device=device)
    dist.all_reduce(value, dist.ReduceOp.MAX)
    return bool(value > 0)

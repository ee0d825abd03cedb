"""Several processes, one joint batch: the same loss and gradients as one process would have.

Every process embeds its share of the batch and sees all embeddings. The loss over the joint batch
is computed everywhere alike; its gradient flows back to the own share only, and the gradients of
the network are then summed over processes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from training.errors import RunError

MAX_WAIT = timedelta(days=1)  # for what one process does while the others wait: targets, validation


@dataclass(frozen=True)
class World:
    """One process among all of a run."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    control: Any = None  # the group in which processes agree, on their processors

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
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    if not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    control = dist.new_group(backend="gloo", timeout=MAX_WAIT)
    return World(dist.get_rank(), size, local_rank, control)


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


def gather(values: torch.Tensor, world: World) -> torch.Tensor:
    """(n, ...) of each process -> (n · size, ...), in the order of ranks."""
    if world.size == 1:
        return values
    gathered: torch.Tensor = _Gather.apply(values)  # type: ignore[no-untyped-call]
    return gathered


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


def any_of(flag: bool, world: World) -> bool:
    """Whether the flag is set in any process: all must stop at the same batch."""
    return not smallest(int(not flag), world)


def smallest(value: int, world: World) -> int:
    """Of what the processes say. The device does not take part, so nothing waits for it."""
    if world.size == 1:
        return value
    agreed = torch.tensor(value)
    dist.all_reduce(agreed, dist.ReduceOp.MIN, group=world.control)
    return int(agreed)


def from_main(value: Any, world: World) -> Any:
    """What the main process has, in every process. The others wait for it, up to a day."""
    if world.size == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, src=0, group=world.control)
    return box[0]

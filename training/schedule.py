"""What holds in which batch: the stage, the learning rate, and where that stands."""

from __future__ import annotations

import math
from dataclasses import dataclass

from training.config import StageSettings, SystemConfig


@dataclass
class Schedule:
    """Where the learning rate stands; part of the saved state.

    A stage begins with another one: its own learning rate, without halvings, and no best loss.
    """

    halvings: int = 0
    best_loss: float = math.inf
    best_batch: int = 0
    running_loss: float = math.nan
    halvings_since_best: int = 0
    stage_from: float = 0.0  # the stage's ``starts_at``

    def note(self, loss: float, batch: int, halve_after: int) -> None:
        """A validation loss; halves when the running mean has not improved for long enough."""
        is_first = math.isnan(self.running_loss)
        self.running_loss = loss if is_first else 0.7 * self.running_loss + 0.3 * loss
        if self.running_loss < self.best_loss:
            self.best_loss, self.best_batch, self.halvings_since_best = self.running_loss, batch, 0
        elif batch - self.best_batch >= halve_after * (self.halvings_since_best + 1):
            self.halvings += 1
            self.halvings_since_best += 1


def stage_of(config: SystemConfig, batch: int) -> StageSettings:
    """What holds in a batch, counted from 0; the first stage is the config's own."""
    pairs, optim = config.pairs, config.optim
    first = StageSettings(0.0, pairs.artificial, optim.learning_rate)
    begun = [s for s in config.stages if batch >= s.starts_at * optim.num_batches]
    return begun[-1] if begun else first


def rate_of(config: SystemConfig, batch: int, halvings: int) -> float:
    """The learning rate of a batch, counted from 0."""
    optim = config.optim
    rate = stage_of(config, batch).learning_rate
    rate *= min(1.0, (batch + 1) / max(1, optim.warmup_batches))
    if optim.schedule == "cosine":
        rate *= 0.5 + 0.5 * math.cos(math.pi * min(1.0, batch / optim.num_batches))
    elif optim.schedule == "halve":
        rate *= 0.5**halvings
    return rate

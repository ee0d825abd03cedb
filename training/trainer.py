"""One training run in memory: draw, embed, compare, step; validate; state to save and restore."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from engine.networks.campp import Campp
from engine.progress import ProgressCallback, ignore_progress
from training import losses
from training.config import SystemConfig
from training.data.data_set import Dataset
from training.data.stems import open_stems, validation_rows
from training.distributed import World, gather, sum_gradients, with_joint_batch_norm
from training.errors import ConfigError, RunError
from training.heads import linear_map, make_head
from training.networks import WeightAverage, make_network
from training.pairs.sampling import Pairs, PairSampler
from training.targets import make_space, teacher_network, teacher_targets
from training.validation import artist_similarity, pretext


@dataclass(frozen=True)
class RunOptions:
    """How a run is carried out; none of it changes what is learned, but for rounding.

    Attributes:
        stems: ``resident`` on the device, ``stream`` from disk, or ``auto``: resident if they fit.
        precision: ``auto`` (bfloat16 on a GPU, float32 elsewhere), ``float32`` or ``bfloat16``.
        compile: torch.compile; by default on a GPU only.
        save_every_s: seconds between saves.
        log_every: batches between lines in the log.
        num_batches: stop after so many batches in all; None: as the config says.
    """

    device: str = "auto"
    stems: str = "auto"
    precision: str = "auto"
    compile: bool | None = None
    save_every_s: float = 180.0
    log_every: int = 20
    num_batches: int | None = None
    tensorboard: bool = False


@dataclass
class Schedule:
    """Where the learning rate stands; part of the saved state."""

    halvings: int = 0
    best_loss: float = math.inf
    best_batch: int = 0
    running_loss: float = math.nan
    halvings_since_best: int = 0

    def note(self, loss: float, batch: int, halve_after: int) -> None:
        """A validation loss; halves when the running mean has not improved for long enough."""
        is_first = math.isnan(self.running_loss)
        self.running_loss = loss if is_first else 0.7 * self.running_loss + 0.3 * loss
        if self.running_loss < self.best_loss:
            self.best_loss, self.best_batch, self.halvings_since_best = self.running_loss, batch, 0
        elif batch - self.best_batch >= halve_after * (self.halvings_since_best + 1):
            self.halvings += 1
            self.halvings_since_best += 1


class Trainer:
    """One run in memory. ``batch`` counts optimiser steps."""

    def __init__(
        self,
        config: SystemConfig,
        dataset: Dataset,
        options: RunOptions,
        world: World | None = None,
        progress: ProgressCallback = ignore_progress,
    ) -> None:
        self.config, self.dataset, self.options = config, dataset, options
        self.world = world or World()
        self.device = pick_device(options.device, self.world)
        torch.manual_seed(config.seed)
        network, self.excerpt_samples, dim = make_network(config.encoder)
        if self.world.size > 1:
            network = with_joint_batch_norm(network)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        norms = [m for m in self.network.modules() if isinstance(m, _BatchNorm)]
        self._norms = [(m, m.momentum) for m in norms if m.momentum is not None]
        self.head = make_head(config.loss, dim).to(self.device)
        self.stems = open_stems(
            dataset, self.device, options.stems, config.optim.num_pairs, config.seed
        )
        self.valid_rows = validation_rows(dataset, self.device, config.seed)
        self.generator = torch.Generator(device=self.device).manual_seed(config.seed + 1)
        self._sampler: PairSampler | None = None
        self._make_distillation(dim, progress)
        self.optimiser = self._make_optimiser()
        self.average = WeightAverage(self.network) if config.optim.average > 0 else None
        self.schedule = Schedule()
        self.batch = 0
        is_gpu = self.device.type == "cuda"
        self.is_bfloat16 = options.precision == "bfloat16" or (
            options.precision == "auto" and is_gpu
        )
        is_compiled = is_gpu if options.compile is None else options.compile
        self._forward: Callable[[torch.Tensor], torch.Tensor] = (
            torch.compile(self.network) if is_compiled else self.network
        )

    @property
    def sampler(self) -> PairSampler:
        """Over the rows at hand, which change when the stems are streamed."""
        rows = self.stems.rows(self.batch)
        if self._sampler is None or self._sampler.rows is not rows:
            self._sampler = PairSampler(
                rows,
                self.config.pairs,
                self.config.augment,
                self.excerpt_samples,
                self.generator,
                self.world,
            )
        return self._sampler

    def _make_distillation(self, dim: int, progress: ProgressCallback) -> None:
        """Targets of songs and their map, the teacher of excerpts, and where both are compared."""
        distil = self.config.distil
        self.teacher = self._make_teacher()
        space = make_space(distil, dim)
        self.space = nn.Identity() if space is None else space.to(self.device)
        self.targets: torch.Tensor | None = None
        self.target_map: nn.Module = self.space
        if distil.has_targets:
            augment = self.config.augment
            self.targets = teacher_targets(
                self.dataset, distil, augment, self.device, progress, space
            )
            if space is None:
                self.target_map = linear_map(dim, self.targets.shape[-1]).to(self.device)

    def _make_teacher(self) -> nn.Module | None:
        """The network that hears the clean excerpts, if excerpts are to be denoised."""
        if not self.config.distil.teacher or self.config.distil.denoise == 0:
            return None
        network, excerpt_samples = teacher_network(self.config.distil.teacher, self.device)
        if excerpt_samples != self.excerpt_samples and not isinstance(network, Campp):
            raise ConfigError(
                f"distil.denoise needs a teacher with excerpts of {self.excerpt_samples} samples, "
                f"but {self.config.distil.teacher} takes {excerpt_samples}. Set it to 0."
            )
        return network

    def _make_optimiser(self) -> torch.optim.Optimizer:
        optim = self.config.optim
        kind = torch.optim.AdamW if optim.optimiser == "adamw" else torch.optim.Adam
        return kind(
            self.parameters(), lr=optim.learning_rate, weight_decay=optim.weight_decay, fused=True
        )

    def parameters(self) -> list[nn.Parameter]:
        modules = (self.network, self.head, self.target_map)
        return [p for module in modules for p in module.parameters()]

    # --- one batch ---------------------------------------------------------------------------

    def embed(self, excerpts: torch.Tensor) -> torch.Tensor:
        """(n, excerpt_samples) -> (n, dim) float32."""
        with self._autocast():
            return self._forward(excerpts).float()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_bfloat16)

    def step(self) -> dict[str, float | torch.Tensor]:
        """One optimiser step. Batch-norm statistics see anchors and positives together."""
        self._train_mode(True)
        self._warm_statistics()
        artificial, learning_rate = self._stage()
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        num_pairs = self.config.optim.num_pairs
        pairs = self.sampler.draw(num_pairs, artificial, with_clean=self.teacher is not None)
        own = self.embed(torch.cat([pairs.anchors, pairs.positives]))
        anchors, positives = (gather(half, self.world) for half in own.chunk(2))
        loss, parts = self.losses(anchors, positives, pairs)
        if self.teacher is not None and pairs.clean is not None:
            parts["denoise"] = self._denoise(own, pairs.clean)
            loss = loss + self.config.distil.denoise * parts["denoise"]
            parts["denoise"] = parts["denoise"].detach()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        sum_gradients(self.network.parameters(), self.world, mean=False)
        heads = [*self.head.parameters(), *self.target_map.parameters()]
        sum_gradients(heads, self.world, mean=True)
        most = self.config.optim.clip_norm or math.inf
        norm = nn.utils.clip_grad_norm_(self.parameters(), most)
        self.optimiser.step()
        self.batch += 1
        averaged_from = (1 - self.config.optim.average) * self.num_batches
        if self.average is not None and self.batch > averaged_from:
            self.average.add(self.network)
        facts: dict[str, float | torch.Tensor] = {"total": loss.detach(), "gradient_norm": norm}
        facts["learning_rate"] = learning_rate
        return facts | parts

    def losses(
        self, anchors: torch.Tensor, positives: torch.Tensor, pairs: Pairs
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Total loss and its parts, for embeddings of the joint batch, (num_pairs, dim) each."""
        config = self.config
        logits = self.head(anchors, positives)
        same = losses.same_voice(pairs.artist, pairs.step)
        excluded = same if config.loss.mask_same_artist else None
        loss = losses.contrastive(logits, is_excluded=excluded, symmetric=config.loss.symmetric)
        parts = {"loss": loss.detach(), "accuracy": losses.accuracy(logits.detach())}
        total = config.loss.weight * loss
        if self.targets is not None:
            distilled, more = self._distil(torch.cat([anchors, positives]), pairs, same)
            total, parts = total + distilled, parts | more
        return total, parts

    def _denoise(self, own: torch.Tensor, clean: torch.Tensor) -> torch.Tensor:
        """Over the joint batch, as every loss."""
        assert self.teacher is not None
        with torch.no_grad(), self._autocast():
            targets = self.teacher(clean).float()
        outputs, targets = gather(own, self.world), gather(targets, self.world)
        return losses.match(self.space(outputs), self.space(targets))

    def _distil(
        self, embeddings: torch.Tensor, pairs: Pairs, same: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        assert self.targets is not None
        settings = self.config.distil
        tracks = torch.cat([pairs.anchor_tracks, pairs.positive_tracks])
        targets = self.targets[tracks, pairs.step.repeat(2)]
        outputs = self.target_map(embeddings)
        parts = {"match": losses.match(outputs, targets)}
        total = settings.match * parts["match"]
        if settings.contrast > 0:
            parts["contrast"] = losses.target_contrast(outputs, targets, same.repeat(2, 2))
            total = total + settings.contrast * parts["contrast"]
        if settings.gram > 0:
            parts["gram"] = losses.gram(embeddings, targets)
            total = total + settings.gram * parts["gram"]
        return total, {name: part.detach() for name, part in parts.items()}

    def _warm_statistics(self) -> None:
        """Running statistics of a fresh network begin as the plain mean over all batches.

        A fixed momentum of 0.01 would leave 2 % of their starting value, a variance of 1, after 400
        batches: more than many layers' own variance, and enough to make all embeddings alike.
        """
        if self.config.encoder.init:
            return
        for module, momentum in self._norms:
            module.momentum = max(momentum, 1 / (self.batch + 1))

    def _train_mode(self, is_training: bool) -> None:
        for module in (self.network, self.head, self.target_map):
            module.train(is_training)
        if self.config.encoder.frozen_statistics:
            for norm, _ in self._norms:
                norm.eval()

    @property
    def num_batches(self) -> int:
        return self.options.num_batches or self.config.optim.num_batches

    def _stage(self) -> tuple[float, float]:
        """(share of artificial mixtures, learning rate) of the next batch."""
        optim = self.config.optim
        artificial, base = self.config.pairs.artificial, optim.learning_rate
        for stage in self.config.stages:
            if self.batch >= stage.starts_at * self.num_batches:
                artificial, base = stage.artificial, stage.learning_rate
        rate = base * min(1.0, (self.batch + 1) / max(1, optim.warmup_batches))
        if optim.schedule == "cosine":
            rate *= 0.5 + 0.5 * math.cos(math.pi * min(1.0, self.batch / self.num_batches))
        elif optim.schedule == "halve":
            rate *= 0.5**self.schedule.halvings
        return artificial, rate

    # --- validation --------------------------------------------------------------------------

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Pretext task and artist similarity on the validation artists."""
        self._train_mode(False)
        results = pretext(self.embed, self.head, self.valid_rows, self.config, self.excerpt_samples)
        results |= artist_similarity(self.embed, self.valid_rows, self.excerpt_samples)
        self.schedule.note(results["loss"], self.batch, self.config.optim.halve_after)
        return results

    @property
    def is_exhausted(self) -> bool:
        """Whether the early stop, if there is one, has been reached."""
        stop_after = self.config.optim.stop_after
        return stop_after > 0 and self.batch - self.schedule.best_batch >= stop_after

    # --- state -------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        average = {} if self.average is None else {"average": self.average.state()}
        return average | {
            "batch": self.batch,
            "network": self.network.state_dict(),
            "head": self.head.state_dict(),
            "target_map": self.target_map.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": dict(vars(self.schedule)),
            "generator": self.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.batch = state["batch"]
        self.network.load_state_dict(state["network"])
        if self.average is not None:
            self.average.restore(state["average"])
        self.head.load_state_dict(state["head"])
        self.target_map.load_state_dict(state["target_map"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule = Schedule(**state["schedule"])
        self.generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch_rng"].cpu())


def pick_device(name: str, world: World) -> torch.device:
    """``auto`` is this process's GPU where there is one. Raises RunError for an unknown name."""
    if name == "auto":
        name = f"cuda:{world.local_rank}" if torch.cuda.is_available() else "cpu"
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise RunError(f"--device must be auto, cpu, cuda or cuda:N, not {name!r}.") from error

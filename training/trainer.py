"""One training run in memory: draw, embed, compare, step; validate; state to save and restore."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.networks.campp import Campp
from engine.networks.cvsm.encoder import Encoder
from engine.progress import ProgressCallback, ignore_progress
from training import losses
from training.batch_norms import RunningStatistics, with_joint_batch_norm
from training.config import Precision, StemsMode, SystemConfig
from training.data.data_set import Dataset
from training.data.rows import Rows
from training.data.stems import open_stems, validation_rows
from training.distributed import World, from_main, gather, sum_gradients
from training.errors import ConfigError, RunError
from training.heads import linear_map, make_head
from training.networks import WeightAverage, make_network
from training.pairs.sampling import Pairs, PairSampler
from training.schedule import Schedule, rate_of, stage_of
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
        stop_after: leave off after so many batches in all, as if stopped then: the schedule stays
            that of ``optim.num_batches``. None goes on to its end.
    """

    device: str = "auto"
    stems: StemsMode = "auto"
    precision: Precision = "auto"
    compile: bool | None = None
    save_every_s: float = 180.0
    log_every: int = 20
    stop_after: int | None = None


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
            network = with_joint_batch_norm(network, self.device)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.statistics = RunningStatistics(self.network, is_fresh=not config.encoder.init)
        self.head = make_head(config.loss, dim).to(self.device)
        self.stems = open_stems(
            dataset, self.device, options.stems, config.optim.num_pairs, config.seed, self.world
        )
        self.valid_rows = validation_rows(dataset, self.device, config.seed, self.world)
        self.generator = torch.Generator(device=self.device)
        self._sampler: PairSampler | None = None
        self._make_distillation(dim, progress)
        self.optimiser = self._make_optimiser()
        self.average = WeightAverage(self.network) if config.optim.average > 0 else None
        self.schedule = Schedule()
        self.batch = 0
        self.is_bfloat16 = self._wants_bfloat16()
        is_gpu = self.device.type == "cuda"
        self.is_compiled = is_gpu if options.compile is None else options.compile
        self.forward = self._make_forward()

    def _wants_bfloat16(self) -> bool:
        precision, is_gpu = self.options.precision, self.device.type == "cuda"
        return precision == "bfloat16" or (precision == "auto" and is_gpu)

    def _make_forward(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """What a step runs: the network, compiled once for all batches (on a GPU, or if asked)."""
        if not self.is_compiled:
            return self.network
        # As one graph, which a GPU replays without the processor launching kernel after kernel.
        is_one_graph = self.world.size == 1 and isinstance(self.network, Encoder)
        mode = "reduce-overhead" if self.device.type == "cuda" and is_one_graph else None
        return torch.compile(self.network, fullgraph=is_one_graph, dynamic=False, mode=mode)

    @property
    def sampler(self) -> PairSampler:
        """Over the rows at hand, which change when the stems are streamed."""
        rows, pairs = self.stems.rows(self.batch), self.config.pairs
        before = self._sampler
        if before is None or before.rows is not rows or before.pairs is not pairs:
            self._sampler = PairSampler(
                rows,
                pairs,
                self.config.augment,
                self.excerpt_samples,
                self.generator,
                self.world,
            )
        assert self._sampler is not None
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
            arguments = (self.dataset, distil.teacher, augment, self.device, progress, space)
            if self.world.is_main:
                self.targets = teacher_targets(*arguments)
            from_main(None, self.world)  # the others read what the main process has written
            if self.targets is None:
                self.targets = teacher_targets(*arguments)
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
        """(n, excerpt_samples) -> (n, dim) float32. Any n: this is not what is compiled."""
        with self._autocast():
            embedded: torch.Tensor = self.network(excerpts).float()
        return embedded

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_bfloat16)

    def step(self) -> dict[str, float | torch.Tensor]:
        """One optimiser step. Batch-norm statistics see anchors and positives together.

        What is drawn depends on the seed and the number of the batch only, so that a run that goes
        on needs no memory of it. Nothing here waits for the device.
        """
        self._train_mode(True)
        self._seed()
        stage = stage_of(self.config, self.batch)
        if stage.starts_at != self.schedule.stage_from:
            self.schedule = Schedule(best_batch=self.batch, stage_from=stage.starts_at)
        learning_rate = rate_of(self.config, self.batch, self.schedule.halvings)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.zero_grad(set_to_none=True)
        loss, parts = self._forward_pass(stage.artificial)
        loss.backward()  # type: ignore[no-untyped-call]
        self.statistics.after_batch(self.batch)
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

    def _forward_pass(self, artificial: float) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Total loss of the joint batch, and its parts."""
        num_pairs = self.config.optim.num_pairs
        pairs = self.sampler.draw(num_pairs, artificial, with_clean=self.teacher is not None)
        self.statistics.before_batch()
        if self.is_compiled:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        with self._autocast():
            own = self.forward(torch.cat([pairs.anchors, pairs.positives])).float()
        anchors, positives = (gather(half, self.world) for half in own.chunk(2))
        loss, parts = self.losses(anchors, positives, pairs)
        if self.teacher is not None and pairs.clean is not None:
            denoise = self._denoise(own, pairs.clean)
            loss = loss + self.config.distil.denoise * denoise
            parts["denoise"] = denoise.detach()
        return loss, parts

    def _seed(self) -> None:
        """Of the joint batch everywhere alike; of drop-connect each process's own."""
        seed = self.config.seed
        self.generator.manual_seed(random_seed(seed, self.batch))
        torch.manual_seed(random_seed(seed, self.batch, 1 + self.world.rank))

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

    def _train_mode(self, is_training: bool) -> None:
        for module in (self.network, self.head, self.target_map):
            module.train(is_training)
        if self.config.encoder.frozen_statistics:
            for norm in self.statistics.norms:
                norm.eval()

    @property
    def num_batches(self) -> int:
        """Of the whole schedule."""
        return self.config.optim.num_batches

    # --- validation --------------------------------------------------------------------------

    def validate(self) -> dict[str, float]:
        """Pretext task and artist similarity on the validation artists; the main process hears."""
        results = None if self.valid_rows is None else self._heard(self.valid_rows)
        found: dict[str, float] = from_main(results, self.world)
        return found

    @torch.no_grad()
    def _heard(self, rows: Rows) -> dict[str, float]:
        self._train_mode(False)
        artificial = stage_of(self.config, max(0, self.batch - 1)).artificial
        samples = self.excerpt_samples
        results = pretext(self.embed, self.head, rows, self.config, samples, artificial)
        return results | artist_similarity(self.embed, rows, samples)

    def note_loss(self, loss: float) -> None:
        """A validation loss, by which the learning rate halves and the run may end early."""
        self.schedule.note(loss, self.batch, self.config.optim.halve_after)

    @property
    def is_finished(self) -> bool:
        """Whether the schedule has come to its end, or to its early stop where there is one."""
        stop_after = self.config.optim.stop_after
        is_exhausted = stop_after > 0 and self.batch - self.schedule.best_batch >= stop_after
        return self.batch >= self.num_batches or is_exhausted

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


def random_seed(*numbers: int) -> int:
    """One seed made of several numbers; any other numbers give another one."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def pick_device(name: str, world: World) -> torch.device:
    """``auto`` is this process's GPU where there is one. Raises RunError where there is none."""
    has_gpu = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if has_gpu else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise RunError(f"--device must be auto, cpu, cuda or cuda:N, not {name!r}.") from error
    if device.type not in ("cpu", "cuda"):
        raise RunError(f"--device must be auto, cpu, cuda or cuda:N, not {name!r}.")
    if device.type == "cpu":
        return torch.device("cpu")
    number = world.local_rank if device.index is None else device.index
    if not has_gpu or number >= torch.cuda.device_count():
        raise RunError(
            f"--device {name}: torch {torch.__version__} finds {torch.cuda.device_count()} GPU(s). "
            "Take --device cpu, or install torch for CUDA and a driver."
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)

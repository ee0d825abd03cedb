"""A linear classifier on frozen embeddings: how much of a label a model's vectors hold openly.

Source: paper, section IV-C: Adam at 5e-4, at most 200 epochs, stop after 6 without better accuracy
of validation clips; a clip's prediction is the mean over its excerpts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from engine.evaluation.bootstrap import Estimate, mean_estimate
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.results import Context, Curves
from engine.progress import CancelToken

LEARNING_RATE = 5e-4
MAX_EPOCHS, PATIENCE = 200, 6
BATCH_EXCERPTS = 128
# Bounds memory and time (the paper says nothing): 256 MB of excerpts of 1280 dimensions.
MAX_EXCERPTS = 50_000
# The same for the clips themselves, while they wait: segments in all of them together.
MAX_SEGMENTS = 10_000
CLIP_LENGTHS_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
SEGMENT_S = 5.0


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """Embeddings of a clip, (num_segments, excerpts per segment, dim), and its class."""

    excerpts: np.ndarray
    target: int

    @property
    def rows(self) -> np.ndarray:
        return self.excerpts.reshape(-1, self.excerpts.shape[-1])

    def kept(self, segments: np.ndarray) -> LabelledClip:
        return LabelledClip(self.excerpts[segments], self.target)


def segments_per_clip(num_clips: int) -> int:
    """How many segments of each clip are kept, so that so many clips fit into memory."""
    return max(1, MAX_SEGMENTS // max(num_clips, 1))


def spread(excerpts: np.ndarray, num_segments: int) -> np.ndarray:
    """Evenly spread segments, so many at most: (n, excerpts per segment, dim) of each."""
    if len(excerpts) <= num_segments:
        return excerpts
    return excerpts[np.linspace(0, len(excerpts) - 1, num_segments).round().astype(int)]


@dataclass(frozen=True, eq=False)
class Probe:
    """A trained classifier: (dim, num_classes) and (num_classes,), on standardised embeddings."""

    mean: np.ndarray
    scale: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    def probabilities(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, dim) -> (n, num_classes), rows add up to 1."""
        logits = (excerpts - self.mean) / self.scale @ self.weight + self.bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(odds / odds.sum(1, keepdims=True))

    def predict(self, clip: LabelledClip) -> int:
        return int(self.probabilities(clip.rows).mean(0).argmax())

    def share_correct(self, clip: LabelledClip, length_s: float) -> float:
        """Share of the clip's parts of such a length, side by side, that are classified rightly.

        A clip that is too short counts as one part. NaN where the model hears longer excerpts than
        that: it would be the figure of these once more.
        """
        per_excerpt = self.probabilities(clip.rows)
        excerpt_s = SEGMENT_S / clip.excerpts.shape[1]
        if length_s < excerpt_s:
            return math.nan
        size = min(max(1, round(length_s / excerpt_s)), len(per_excerpt))
        num_parts = len(per_excerpt) // size
        parts = per_excerpt[: num_parts * size].reshape(num_parts, size, -1).mean(1)
        return float((parts.argmax(1) == clip.target).mean())


@dataclass
class Answers:
    """Of probes to test clips: whose these are, what was right, and the share of it by length."""

    artists: list[int] = field(default_factory=list)
    correct: list[float] = field(default_factory=list)
    by_length: defaultdict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, probe: Probe, clip: LabelledClip, artist: int) -> None:
        self.artists.append(artist)
        self.correct.append(float(probe.predict(clip) == clip.target))
        for length_s in CLIP_LENGTHS_S:
            self.by_length[length_s].append(probe.share_correct(clip, length_s))

    def means(
        self, context: Context, embeddings: ModelEmbeddings, *of_clips: Sequence[float]
    ) -> tuple[Estimate, ...]:
        """Of figures that each clip has."""
        weights, artists = context.weights(embeddings), np.array(self.artists)
        return tuple(mean_estimate(np.array(v), artists, weights) for v in of_clips)


def accuracy_curves(
    name: str,
    title: str,
    x_label: str,
    x: tuple[float, ...],
    found: Mapping[ModelEmbeddings, tuple[Estimate, ...]],
    chance: float,
) -> Curves:
    """A panel for each input."""
    panels: dict[str, dict[str, tuple[Estimate, ...]]] = {}
    for embeddings, estimates in found.items():
        panels.setdefault(embeddings.source, {})[embeddings.model] = estimates
    return Curves(name, title, x_label, "accuracy", x, panels, chance)


def fit_probe(
    train: Sequence[LabelledClip],
    valid: Sequence[LabelledClip],
    num_classes: int,
    seed: int,
    cancel: CancelToken,
) -> Probe:
    """Train on all excerpts of the training clips; keep the weights that did best on ``valid``.

    Embeddings are standardised by the training excerpts first, so that models of any scale learn
    alike at one learning rate (not in the paper; a linear classifier can express the same).
    Raises CancelledError.
    """
    rows = np.concatenate([clip.rows for clip in train])
    targets = np.concatenate([np.full(len(clip.rows), clip.target) for clip in train])
    rng = np.random.default_rng([seed, 3])
    if len(rows) > MAX_EXCERPTS:
        chosen = rng.choice(len(rows), MAX_EXCERPTS, replace=False)
        rows, targets = rows[chosen], targets[chosen]
    mean = rows.mean(0, dtype=np.float64).astype(np.float32)
    scale = rows.std(0, dtype=np.float64).astype(np.float32)
    scale[scale < 1e-6 * max(float(scale.max()), 1e-12)] = 1.0  # dimensions that say nothing
    x, y = torch.from_numpy((rows - mean) / scale), torch.from_numpy(targets)
    weight = torch.zeros(x.shape[1], num_classes, requires_grad=True)
    bias = torch.zeros(num_classes, requires_grad=True)
    optimiser = torch.optim.Adam([weight, bias], lr=LEARNING_RATE)
    best, best_accuracy, best_epoch = Probe(mean, scale, *_arrays(weight, bias)), -1.0, 0
    for epoch in range(MAX_EPOCHS):
        for batch in np.array_split(rng.permutation(len(x)), -(-len(x) // BATCH_EXCERPTS)):
            cancel.check()
            optimiser.zero_grad()
            F.cross_entropy(x[batch] @ weight + bias, y[batch]).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        probe = Probe(mean, scale, *_arrays(weight, bias))
        accuracy = float(np.mean([probe.predict(clip) == clip.target for clip in valid]))
        if accuracy >= best_accuracy:  # of equally good weights, those that saw most
            best = probe
        if accuracy > best_accuracy:
            best_accuracy, best_epoch = accuracy, epoch
        elif epoch - best_epoch >= PATIENCE:
            break
    return best


def _arrays(weight: torch.Tensor, bias: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    return weight.detach().numpy().copy(), bias.detach().numpy().copy()

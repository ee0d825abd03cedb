"""Losses over a batch of pairs. Each has a slow reference in the tests."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def contrastive(
    logits: torch.Tensor, *, is_excluded: torch.Tensor | None = None, symmetric: bool = False
) -> torch.Tensor:
    """Cross-entropy of finding each anchor's positive among all of the batch (CVSM, equation 2).

    Args:
        logits: (n, n), anchors in rows, positives in columns, true pairs on the diagonal.
        is_excluded: (n, n) bool, pairs that are no negatives; the diagonal is never excluded.
        symmetric: mean of both directions.

    Returns:
        Mean loss; ln n where nothing is learned and nothing excluded.
    """
    if is_excluded is not None:
        off_diagonal = is_excluded & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        logits = logits.masked_fill(off_diagonal, -torch.inf)
    targets = torch.arange(len(logits), device=logits.device)
    loss = F.cross_entropy(logits, targets)
    return (loss + F.cross_entropy(logits.T, targets)) / 2 if symmetric else loss


def same_voice(artist: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    """(n,), (n,) -> (n, n) bool: the same artist at the same or a neighbouring speed.

    One step of speed is one or two semitones: too little to call it another voice.
    """
    is_near = (step[:, None] - step[None, :]).abs() <= 1
    return (artist[:, None] == artist[None, :]) & is_near


def accuracy(logits: torch.Tensor) -> torch.Tensor:
    """Share of anchors whose own positive has the highest logit."""
    return (logits.argmax(1) == torch.arange(len(logits), device=logits.device)).float().mean()


def match(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean of 1 − cosine between each output and its target, (n, dim) both."""
    return 1 - F.cosine_similarity(outputs, targets).mean()


def target_contrast(
    outputs: torch.Tensor,
    targets: torch.Tensor,
    is_excluded: torch.Tensor,
    temperature: float = 0.1,
) -> torch.Tensor:
    """InfoNCE of finding each output's target among the batch's."""
    logits = F.normalize(outputs) @ F.normalize(targets).T / temperature
    return contrastive(logits, is_excluded=is_excluded)


def gram(embeddings: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of all pairwise cosines, both sides centred on the batch.

    Args:
        embeddings: (n, dim); targets: (n, any dim).
    """
    student = F.normalize(embeddings - embeddings.mean(0))
    teacher = F.normalize(targets - targets.mean(0))
    difference = student @ student.T - teacher @ teacher.T
    num = len(difference)
    return difference.square().sum() / (num * (num - 1))  # the diagonal is 0 on both sides

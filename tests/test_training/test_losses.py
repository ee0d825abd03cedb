"""Each loss against a slow reference, written with loops from its definition."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from training.config import LossSettings
from training.heads import BilinearHead, CosineHead, make_head
from training.losses import accuracy, contrastive, gram, match, same_voice, target_contrast


def slow_contrastive(logits: torch.Tensor, excluded: torch.Tensor | None, symmetric: bool) -> float:
    num = len(logits)

    def one_way(value: torch.Tensor, is_out: torch.Tensor | None) -> float:
        total = 0.0
        for i in range(num):
            others = [
                math.exp(float(value[i, j]))
                for j in range(num)
                if j == i or is_out is None or not is_out[i, j]
            ]
            total -= math.log(math.exp(float(value[i, i])) / sum(others))
        return total / num

    forward = one_way(logits, excluded)
    if not symmetric:
        return forward
    return (forward + one_way(logits.T, None if excluded is None else excluded.T)) / 2


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("is_masked", [False, True])
def test_contrastive(symmetric: bool, is_masked: bool) -> None:
    torch.manual_seed(0)
    logits = torch.randn(7, 7)
    artist = torch.tensor([0, 1, 0, 2, 2, 2, 3])
    excluded = same_voice(artist, torch.zeros(7, dtype=torch.int64)) if is_masked else None
    loss = contrastive(logits, is_excluded=excluded, symmetric=symmetric)
    assert float(loss) == pytest.approx(slow_contrastive(logits, excluded, symmetric), rel=1e-5)


def test_contrastive_at_chance_is_the_logarithm_of_the_batch() -> None:
    assert float(contrastive(torch.zeros(128, 128))) == pytest.approx(math.log(128))


def test_a_batch_of_one_singer_has_a_finite_loss_and_gradient() -> None:
    logits = torch.randn(4, 4, requires_grad=True)
    everything = torch.ones(4, 4, dtype=torch.bool)
    loss = contrastive(logits, is_excluded=everything, symmetric=True)
    loss.backward()
    assert loss.item() == 0.0
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_same_voice_is_the_same_artist_at_about_the_same_speed() -> None:
    artist = torch.tensor([0, 0, 0, 1])
    step = torch.tensor([0, 1, 2, 0])
    expected = [
        [True, True, False, False],
        [True, True, True, False],
        [False, True, True, False],
        [False, False, False, True],
    ]
    assert same_voice(artist, step).tolist() == expected


def test_gram_match_and_contrast() -> None:
    torch.manual_seed(1)
    embeddings, targets = torch.randn(5, 8), torch.randn(5, 3)

    def dot(x: list[float], y: list[float]) -> float:
        return sum(a * b for a, b in zip(x, y, strict=True))

    def cosines(values: torch.Tensor) -> list[list[float]]:
        rows = (values - values.mean(0)).tolist()
        norms = [math.sqrt(sum(x * x for x in row)) for row in rows]
        return [
            [dot(x, y) / (m * n) for y, n in zip(rows, norms, strict=True)]
            for x, m in zip(rows, norms, strict=True)
        ]

    student, teacher = cosines(embeddings), cosines(targets)
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    expected = sum((student[i][j] - teacher[i][j]) ** 2 for i, j in pairs) / len(pairs)
    assert float(gram(embeddings, targets)) == pytest.approx(expected, rel=1e-4)
    assert float(match(targets, 3 * targets)) == pytest.approx(0.0, abs=1e-6)
    assert float(match(targets, -targets)) == pytest.approx(2.0)
    alone = torch.zeros(5, 5, dtype=torch.bool)
    logits = nn.functional.normalize(targets) @ nn.functional.normalize(targets).T / 0.1
    assert float(target_contrast(targets, targets, alone)) == pytest.approx(
        slow_contrastive(logits, None, False), rel=1e-4
    )


def test_accuracy() -> None:
    assert float(accuracy(torch.eye(3))) == 1.0
    assert float(accuracy(torch.tensor([[0.0, 1.0], [0.0, 1.0]]))) == 0.5


def test_bilinear_head_is_the_papers() -> None:
    torch.manual_seed(2)
    head = make_head(LossSettings(), 12)
    assert isinstance(head, BilinearHead)
    assert head.weight.shape == (512, 512)
    assert float(head.weight.detach().std()) == pytest.approx(0.05, rel=0.02)
    assert head.norm.eps == 1e-3
    a, p = torch.randn(2, 12), torch.randn(3, 12)
    with torch.no_grad():
        logits = head(a, p)
        for i in range(2):
            for j in range(3):
                left, right = head.project(a[i : i + 1])[0], head.project(p[j : j + 1])[0]
                expected = float(left @ head.weight @ right)
                assert float(logits[i, j]) == pytest.approx(expected, abs=1e-4)


def test_cosine_head_centres_on_the_batch_and_remembers_it() -> None:
    head = make_head(LossSettings(head="cosine", temperature=0.1), 6)
    assert isinstance(head, CosineHead)
    offset = torch.full((1, 6), 10.0)
    a, p = torch.randn(4, 6), torch.randn(4, 6)
    with torch.no_grad():
        torch.testing.assert_close(head(a + offset, p + offset), head(a, p), atol=1e-3, rtol=1e-3)
        learned = head(a + offset, p + offset)
        mean = torch.cat([a, p]).mean(0) + offset[0]
        head.centre.copy_(mean)
        head(a + offset, p + offset)
        torch.testing.assert_close(head.centre, mean)
        head.eval()
        torch.testing.assert_close(head(a + offset, p + offset), learned, atol=1e-3, rtol=1e-3)
    assert float(learned.abs().max()) <= 10.0 + 1e-4

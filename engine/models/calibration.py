"""From a cosine to a percentage that means something.

A cosine of 0.6 says much in one space and nothing in another. A calibration turns it into the
probability that both songs have the same voice, if that was as likely as not to begin with: 50 %
where a cosine is met as often between songs of one singer as between songs of two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

RIDGE = 1e-5  # keeps the slope finite where same and different do not overlap
# Percent from which on likeness has a name. ALIKE: one voice is likelier than two. VERY_ALIKE: the
# lowest multiple of 5 that at most 1 % of the calibration's pairs of two voices reach, in either
# view of the default model (none of 493, 4 of 493; pairs of one voice: 23 and 29 % of 102).
ALIKE, VERY_ALIKE = 50, 80

Likeness = Literal["very similar", "similar", ""]


@dataclass(frozen=True)
class Calibration:
    """Probability of the same voice = 1 / (1 + exp(-(slope * cosine + offset)))."""

    slope: float
    offset: float

    def probability(self, cosine: float) -> float:
        """Of the same voice, 0 to 1, both cases being as likely beforehand."""
        logit = max(-60.0, min(60.0, self.slope * cosine + self.offset))
        return 1 / (1 + math.exp(-logit))


def fit(cosines: np.ndarray, is_same: np.ndarray) -> Calibration:
    """Logistic regression, both classes of the same total weight.

    Args:
        cosines: (n,) of pairs of songs. is_same: (n,) bool, whether one voice sings both.

    Raises:
        ValueError: only one class is there, or pairs of one singer are not nearer on average.
    """
    from sklearn.linear_model import LogisticRegression  # slow to load, and only makers need it

    if is_same.all() or not is_same.any():
        raise ValueError("A calibration needs pairs of the same and of different singers.")
    if cosines[is_same].mean() <= cosines[~is_same].mean():
        raise ValueError("Songs of one singer are no nearer to each other than other songs.")
    weights = np.where(is_same, 0.5 / is_same.sum(), 0.5 / (~is_same).sum())
    centre, spread = cosines.mean(), max(float(cosines.std()), 1e-9)
    model = LogisticRegression(C=1 / RIDGE, solver="newton-cholesky", tol=1e-9)
    model.fit((cosines[:, None] - centre) / spread, is_same, sample_weight=weights)
    slope = float(model.coef_[0, 0]) / spread
    return Calibration(slope, float(model.intercept_[0]) - slope * float(centre))


def likeness(percent: int) -> Likeness:
    """What a calibrated percentage is called. "" is no verdict: one voice is less likely than two.

    Percentages that are no chances (a model without calibration) have no name: do not ask.
    """
    if percent >= VERY_ALIKE:
        return "very similar"
    return "similar" if percent >= ALIKE else ""


def blended(parts: Sequence[Calibration], weights: Sequence[float]) -> Calibration:
    """For a weighted mean of cosines from several views: the weighted mean of their logits."""
    return Calibration(
        sum(w * part.slope for w, part in zip(weights, parts, strict=True)),
        sum(w * part.offset for w, part in zip(weights, parts, strict=True)),
    )

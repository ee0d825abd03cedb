"""A cosine as a probability: fitted on known distributions, and what cannot be fitted is said."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from engine.models.calibration import Calibration, blended, fit, likeness


def pairs(num_same: int, num_different: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    same = rng.normal(0.6, 0.15, num_same)
    different = rng.normal(0.1, 0.15, num_different)
    return np.concatenate([same, different]), np.arange(num_same + num_different) < num_same


def test_two_normal_distributions_meet_half_way_whatever_their_sizes() -> None:
    found = fit(*pairs(4000, 20_000))
    # equal variances: the log likelihood ratio is linear, slope (0.6 - 0.1) / 0.15²
    assert found.slope == pytest.approx(0.5 / 0.15**2, rel=0.06)
    assert -found.offset / found.slope == pytest.approx(0.35, abs=0.01)
    assert found.probability(0.35) == pytest.approx(0.5, abs=0.05)


def test_the_probability_is_the_share_of_same_pairs_among_equally_many() -> None:
    cosines, is_same = pairs(20_000, 20_000)
    found = fit(cosines, is_same)
    chance = np.array([found.probability(c) for c in cosines[::7]])
    for low in (0.1, 0.3, 0.5, 0.7):
        within = (chance >= low) & (chance < low + 0.2)
        assert is_same[::7][within].mean() == pytest.approx(low + 0.1, abs=0.06)


def test_it_agrees_with_scikit_learn() -> None:
    cosines, is_same = pairs(300, 5000)
    reference = LogisticRegression(C=1e6, class_weight="balanced", tol=1e-8)
    reference.fit(cosines[:, None], is_same)
    found = fit(cosines, is_same)
    assert -found.offset / found.slope == pytest.approx(
        -reference.intercept_[0] / reference.coef_[0, 0], abs=2e-3
    )
    assert found.slope == pytest.approx(reference.coef_[0, 0], rel=0.05)


def test_classes_that_do_not_overlap_have_a_finite_slope() -> None:
    found = fit(np.array([0.9, 0.8, 0.1, 0.2]), np.array([True, True, False, False]))
    assert 0 < found.slope < 100
    assert -found.offset / found.slope == pytest.approx(0.5)


def test_probabilities_grow_and_stay_within_bounds() -> None:
    found = Calibration(2000.0, -1000.0)
    chances = [found.probability(c) for c in np.linspace(-1, 1, 21)]
    assert chances == sorted(chances)
    assert 0 <= chances[0] < 1e-9
    assert 1 - 1e-9 < chances[-1] <= 1
    assert found.probability(0.5) == pytest.approx(0.5)


def test_a_blend_lies_between_its_views() -> None:
    voices, overall = Calibration(10.0, -5.0), Calibration(20.0, -12.0)
    both = blended([voices, overall], [0.25, 0.75])
    assert both.slope == 17.5
    assert both.offset == -10.25
    assert blended([voices], [1.0]) == voices


@pytest.mark.parametrize("is_same", [[True, True], [False, False], [False, True]])
def test_what_cannot_be_calibrated(is_same: list[bool]) -> None:
    with pytest.raises(ValueError, match="singer"):
        fit(np.array([0.9, 0.1]), np.array(is_same))


@pytest.mark.parametrize(
    ("percent", "name"),
    [
        (100, "very similar"),
        (80, "very similar"),
        (79, "similar"),
        (50, "similar"),
        (49, ""),
        (0, ""),
    ],
)
def test_a_percentage_has_a_name_where_one_voice_is_likelier_than_two(
    percent: int, name: str
) -> None:
    assert likeness(percent) == name


def test_hardly_any_pair_of_two_voices_is_called_very_similar() -> None:
    cosines, is_same = pairs(4000, 20_000)
    found = fit(cosines, is_same)
    names = np.array([likeness(round(100 * found.probability(c))) for c in cosines])
    assert (names[~is_same] == "very similar").mean() < 0.05
    assert (names[is_same] == "very similar").mean() > 0.8
    assert (names[is_same] != "").mean() > 0.9

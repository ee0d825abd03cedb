"""Drawn pairs against what their definition says, found again by brute force."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.models.segments import SEGMENT_SAMPLES
from training.config import AugmentSettings, PairSettings
from training.data.data_set import INT16_SCALE
from training.data.rows import Rows, stem_norms
from training.distributed import World
from training.errors import DataError
from training.pairs.augmentation import equalised, resampled, speed_ratios
from training.pairs.sampling import Pairs, PairSampler

LENGTH = 16_000
# (artist, track) of each row, sorted: artist 0 has two songs, 1 has one of two segments,
# 2 one of one segment, 3 three songs.
LABELS = [(0, 0), (0, 0), (0, 1), (1, 2), (1, 2), (2, 3), (3, 4), (3, 5), (3, 6), (3, 6)]


@pytest.fixture(scope="module")
def rows() -> Rows:
    """Vocals are noise; accompaniments are constants, so that both can be told apart exactly."""
    rng = np.random.default_rng(0)
    vocals = rng.integers(-6000, 6000, (len(LABELS), SEGMENT_SAMPLES))
    constants = 500 * (1 + np.array([track for _, track in LABELS]))
    stems = torch.from_numpy(
        np.stack([vocals + constants[:, None], vocals], axis=1).astype(np.int16)
    )
    artist, track = torch.tensor(LABELS).T
    voiced = torch.ones(len(LABELS), dtype=torch.bool)
    clean = torch.arange(len(LABELS))
    return Rows(stems, stem_norms(stems), artist, track, voiced, clean)


def sampler(
    rows: Rows, pairs: PairSettings, augment: AugmentSettings | None = None, seed: int = 0
) -> PairSampler:
    generator = torch.Generator().manual_seed(seed)
    return PairSampler(rows, pairs, augment or AugmentSettings(), LENGTH, generator)


def find(excerpt: np.ndarray, rows: Rows, track: int, stem: int) -> tuple[int, int] | None:
    """(row, offset) of the slice that the excerpt's differences are in proportion to."""
    wanted = np.diff(excerpt[:60].astype(np.float64))
    wanted /= np.linalg.norm(wanted)
    for row in np.flatnonzero(rows.track.numpy() == track):
        differences = np.diff(rows.stems[row, stem].numpy().astype(np.float64))
        windows = np.lib.stride_tricks.sliding_window_view(differences, len(wanted))
        cosines = windows @ wanted / np.linalg.norm(windows, axis=1)
        best = int(np.argmax(cosines))
        if cosines[best] > 0.9999:
            return int(row), best
    return None


def test_excerpts_are_slices_of_unit_energy_segments(rows: Rows) -> None:
    pairs = sampler(rows, PairSettings(same="segment")).draw(6)
    starts = set()
    for i in range(6):
        found = []
        for excerpts, tracks, stem in (
            (pairs.anchors, pairs.anchor_tracks, 0),
            (pairs.positives, pairs.positive_tracks, 1),
        ):
            place = find(excerpts[i].numpy(), rows, int(tracks[i]), stem)
            assert place is not None
            row, offset = place
            segment = rows.stems[row, stem].double() / INT16_SCALE
            expected = (segment / segment.norm())[offset : offset + LENGTH]
            np.testing.assert_allclose(excerpts[i].numpy(), expected.numpy(), atol=1e-6)
            found.append(row)
            starts.add(offset)
        assert found[0] == found[1]  # the same segment,
    assert len(starts) == 12  # at independent offsets


def test_positives_of_another_song(rows: Rows) -> None:
    drawer = sampler(rows, PairSettings(same="other-song", anchor="vocals"))
    anchor = torch.arange(len(LABELS)).repeat_interleave(400)
    positive = drawer._positives(anchor)
    for row, (artist, track) in enumerate(LABELS):
        allowed = [i for i, (a, t) in enumerate(LABELS) if a == artist and t != track]
        if not allowed:  # the artist's only song: another segment of it, or else this one
            allowed = [i for i, (a, _) in enumerate(LABELS) if a == artist and i != row] or [row]
        counts = Counter(positive[anchor == row].tolist())
        assert set(counts) == set(allowed)
        for other in allowed:  # uniform, within five standard deviations
            mean = 400 / len(allowed)
            assert abs(counts[other] - mean) < 5 * math.sqrt(mean) + 1e-9


def test_positives_of_the_artist(rows: Rows) -> None:
    drawer = sampler(rows, PairSettings(same="artist"))
    anchor = torch.arange(len(LABELS)).repeat_interleave(400)
    positive = drawer._positives(anchor)
    for row, (artist, _) in enumerate(LABELS):
        allowed = {i for i, (a, _) in enumerate(LABELS) if a == artist}
        assert set(positive[anchor == row].tolist()) == allowed


@pytest.mark.parametrize("balance", [1.0, 0.5, 0.0])
def test_balance_of_artists(rows: Rows, balance: float) -> None:
    drawer = sampler(rows, PairSettings(balance=balance))
    artist = rows.artist[drawer.voiced[drawer._anchors(20_000)]]
    sizes = torch.bincount(rows.artist).double() ** balance
    shares = torch.bincount(artist) / 20_000
    torch.testing.assert_close(shares.double(), sizes / sizes.sum(), atol=0.02, rtol=0)


def test_artificial_mixtures_are_the_papers(rows: Rows) -> None:
    settings = PairSettings(same="segment", artificial=1.0)
    pairs = sampler(rows, settings).draw(8)
    weights = []
    for i in range(8):
        track = int(pairs.anchor_tracks[i])
        place = find(pairs.anchors[i].numpy(), rows, track, 1)
        assert place is not None
        row, offset = place
        vocals = rows.stems[row, 1].double() / INT16_SCALE
        vocals = (vocals / vocals.norm())[offset : offset + LENGTH]
        anchor = pairs.anchors[i].double()
        share = float(torch.diff(anchor) @ torch.diff(vocals) / torch.diff(vocals).square().sum())
        weight = math.sqrt(1 - share)  # vocals come with 1 − w²
        weights.append(weight)
        # What is left is the constant accompaniment: w over the root of 80,000 samples.
        rest = anchor - share * vocals
        assert float(rest.std()) < 1e-6
        assert float(rest.mean()) == pytest.approx(weight / math.sqrt(SEGMENT_SAMPLES), rel=1e-3)
    assert 0.6 <= min(weights) <= max(weights) <= 0.8


def test_backings_come_from_other_songs(rows: Rows) -> None:
    drawer = sampler(rows, PairSettings(artificial=1.0))
    side = drawer._side(4000, 1.0)
    own = torch.randint(len(LABELS), (4000,), generator=torch.Generator().manual_seed(3))
    chosen = drawer._other_backings(own, side)
    clashes = (rows.track[chosen] == rows.track[own]).sum()
    assert int(clashes) <= 8  # four draws in a row of the same song among ten: 1 in 2,500
    assert set(rows.track[chosen].tolist()) == {track for _, track in LABELS}


def test_ratio_mixtures_keep_their_energy_and_ratio(rows: Rows) -> None:
    settings = PairSettings(
        same="segment", artificial=1.0, mix="ratio", backing_db=(6.0, 6.0), clean=0.0
    )
    pairs = sampler(rows, settings).draw(4)
    for i in range(4):
        place = find(pairs.anchors[i].numpy(), rows, int(pairs.anchor_tracks[i]), 1)
        assert place is not None
        row, offset = place
        vocals = rows.stems[row, 1].double() / INT16_SCALE
        vocals = (vocals / vocals.norm())[offset : offset + LENGTH]
        gain = 10 ** (6 / 20)
        expected = (vocals + gain / math.sqrt(SEGMENT_SAMPLES)) / math.sqrt(1 + gain**2)
        torch.testing.assert_close(pairs.anchors[i].double(), expected, atol=1e-6, rtol=0)


def test_clean_means_no_backing(rows: Rows) -> None:
    settings = PairSettings(same="segment", artificial=1.0, clean=1.0)
    pairs = sampler(rows, settings).draw(3)
    for i in range(3):
        place = find(pairs.anchors[i].numpy(), rows, int(pairs.anchor_tracks[i]), 1)
        assert place is not None
        segment = rows.stems[place[0], 1].float() / INT16_SCALE
        expected = (segment / segment.norm())[place[1] : place[1] + LENGTH]
        torch.testing.assert_close(pairs.anchors[i], expected, atol=1e-6, rtol=0)


def test_speeds_are_shared_by_both_sides_and_stay_inside(rows: Rows) -> None:
    augment = AugmentSettings(voice_steps=2, voice_range=0.2)
    pairs = sampler(rows, PairSettings(), augment).draw(64)
    assert set(pairs.step.tolist()) == {0, 1, 2, 3, 4}
    assert pairs.anchors.shape == (64, LENGTH)
    assert torch.isfinite(pairs.anchors).all()
    np.testing.assert_allclose(
        speed_ratios(augment), np.exp([-0.2, -0.1, 0.0, 0.1, 0.2]), rtol=1e-6
    )


def test_resampling_a_sine_moves_its_pitch() -> None:
    time_s = np.arange(24_000) / 16_000
    source = torch.from_numpy(np.sin(2 * np.pi * 200 * time_s)).float()[None]
    faster = resampled(source, torch.tensor([1.2]), 16_000)[0].numpy()
    expected = np.sin(2 * np.pi * 240 * time_s[:16_000])
    np.testing.assert_allclose(faster, expected, atol=2e-3)


def test_a_flat_equaliser_changes_nothing_and_a_slope_is_a_filter() -> None:
    noise = torch.randn(2, 1600, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(equalised(noise, torch.zeros(2, 8)), noise, atol=1e-5, rtol=0)
    gains_db = torch.linspace(0, -40, 8).expand(2, 8)
    ratio = torch.fft.rfft(equalised(noise, gains_db)).abs() / torch.fft.rfft(noise).abs()
    expected = 10 ** (torch.linspace(0, -40, ratio.shape[1]) / 20)
    torch.testing.assert_close(ratio[0], expected, rtol=0.05, atol=1e-4)


def test_shares_of_several_processes_make_up_the_joint_batch(rows: Rows) -> None:
    settings = PairSettings(
        same="other-song", artificial=0.5, positive_artificial=0.5, clean=0.3, mix="ratio"
    )
    augment = AugmentSettings(voice_steps=1, eq_db=3.0, level_db=2.0)

    def draws(world: World) -> list[Pairs]:
        generator = torch.Generator().manual_seed(5)
        drawer = PairSampler(rows, settings, augment, LENGTH, generator, world)
        return [drawer.draw(8) for _ in range(2)]

    joint = draws(World())
    halves = [draws(World(rank, 2)) for rank in range(2)]
    for number, whole in enumerate(joint):
        for name in ("anchors", "positives"):
            parts = torch.cat([getattr(half[number], name) for half in halves])
            torch.testing.assert_close(parts, getattr(whole, name))
        for half in halves:
            assert torch.equal(half[number].artist, whole.artist)
            assert torch.equal(half[number].positive_tracks, whole.positive_tracks)


def test_nothing_to_learn_from(rows: Rows) -> None:
    silent = replace(rows, has_vocals=torch.zeros_like(rows.has_vocals))
    with pytest.raises(DataError, match="nothing to learn"):
        sampler(silent, PairSettings())
    norms = rows.norms.clone()
    norms[:, 2] = 0.0
    alone = replace(rows, norms=norms)
    with pytest.raises(DataError, match="accompaniments"):
        sampler(alone, PairSettings(artificial=1.0))

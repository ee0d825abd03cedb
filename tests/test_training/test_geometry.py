"""What is fitted beside a network: from which segments, and what the pairs of songs are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from support.training_data import write_dataset

from engine.models import load
from engine.models.checkpoint import load_tensors, read_manifest
from training.config import EncoderSettings, SpaceKind
from training.data.data_set import PARTS, Dataset, open_datasets
from training.export import fit_existing
from training.geometry import (
    NUM_NUISANCE_DIMS,
    chosen_segments,
    fit_views,
    pairs_of_songs,
    shortened_within,
    towards_alone,
    without_nuisance,
)
from training.networks import make_network


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_dataset(tmp_path_factory.mktemp("data"))


def test_segments_are_bounded_per_song_and_singer_and_have_vocals(dataset: Dataset) -> None:
    chosen = chosen_segments(dataset, "train", "overall", (1, 2))
    table = dataset.segments[chosen]
    assert table["has_vocals"].all()
    assert (table["part"] == PARTS.index("train")).all()
    assert np.unique(table["track"], return_counts=True)[1].max() == 1
    assert np.unique(table["artist"], return_counts=True)[1].max() <= 2


def test_voices_as_the_separator_left_them_stand_for_the_vocals_view(dataset: Dataset) -> None:
    table = dataset.segments.copy()
    train = np.flatnonzero(table["has_vocals"] & (table["part"] == PARTS.index("train")))
    table["clean"][train[1]] = train[0]  # the second is now a separated version of the first
    changed = replace(dataset, segments=table)
    assert chosen_segments(changed, "train", "vocals", (9, 9)).tolist() == [train[1]]
    assert train[1] not in chosen_segments(changed, "train", "overall", (9, 9))


def test_percentages_may_come_from_all_voices_of_another_data_set(
    dataset: Dataset, tmp_path: Path
) -> None:
    others = write_dataset(tmp_path / "others", num_artists=3, num_songs=3, seed=5)
    assert len(chosen_segments(others, None, "overall", (1, 9))) == 9
    network, excerpt_samples, _ = make_network(EncoderSettings("ge2e", init="ge2e"))
    own, other = (
        fit_views(network.eval(), excerpt_samples, dataset, percentages_on=given)
        for given in (None, others)
    )
    np.testing.assert_array_equal(own.geometry["overall"].centre, other.geometry["overall"].centre)
    assert own.calibration != other.calibration


def test_pairs_are_of_whole_songs_and_an_only_song_counts_as_two(dataset: Dataset) -> None:
    table = np.zeros(6, dataset.segments.dtype)
    table["artist"] = [0, 0, 0, 0, 1, 1]
    table["track"] = [0, 0, 1, 1, 2, 2]
    made = replace(dataset, segments=table)
    vectors = np.array([[1, 0.2], [1, -0.2], [0, 2], [0, 2], [-1, 0], [0, -1]], np.float32)
    cosines, is_same = pairs_of_songs(made, np.arange(6), vectors)
    # songs: (1, 0), (0, 1) of singer 0; (-1, 0) and (0, -1), halves of singer 1's only song
    assert is_same.tolist() == [True, False, False, False, False, True]
    # a pair of one singer is compared without what the other one is: (-0.5, -0.5)
    np.testing.assert_allclose(cosines, [0.6, -1, 0, 0, -1, 0.6], atol=1e-6)


def test_a_model_is_fitted_and_its_network_stays(dataset: Dataset, tmp_path: Path) -> None:
    written = fit_existing("ge2e", dataset, tmp_path / "ge2e")
    before, after = load("ge2e"), load(str(tmp_path / "ge2e"))
    assert (after.name, written.licence) == ("ge2e", "Apache-2.0")
    excerpts = np.random.default_rng(0).standard_normal((2, 25_600)).astype(np.float32) / 280
    np.testing.assert_array_equal(before.embed_excerpts(excerpts), after.embed_excerpts(excerpts))
    assert np.abs(after.geometry("overall").centre).max() > 0
    assert set(read_manifest(tmp_path / "ge2e").calibration) <= {"vocals", "overall"}
    stored = load_tensors(tmp_path / "ge2e", written, as_stored=True)
    assert {str(t.dtype) for t in stored.values()} == {"torch.float16"}


def test_several_data_sets_are_one(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", num_artists=3, seed=1)
    two = write_dataset(tmp_path / "two", num_artists=6, seed=2)
    both = open_datasets([one.path, two.path])
    assert both.artists == [f"artist {n}" for n in range(6)]
    assert len(both.segments) == len(one.segments) + len(two.segments)
    last = np.array([len(both.segments) - 1, 0])
    expected = [two.read(np.array([len(two.segments) - 1]))[0], one.read(np.array([0]))[0]]
    np.testing.assert_array_equal(both.read(last), np.stack(expected))
    # the third artist validates in the first, and would train in the second
    assert set(both.segments["part"][both.segments["artist"] == 2]) == {PARTS.index("valid")}
    tracks = both.segments["track"]
    assert len(np.unique(tracks)) == 2 * 3 + 2 * 6
    assert (both.segments["clean"] == np.arange(len(tracks))).all()
    assert len(both.info["sources"]) == 2


def test_an_artist_keeps_the_part_of_another_data_set(tmp_path: Path) -> None:
    one = write_dataset(tmp_path / "one", num_artists=3, seed=1)  # two train
    two = write_dataset(tmp_path / "two", num_artists=6, seed=2)  # four train
    moved = two.with_parts_of([one]).segments
    parts = [set(moved["part"][moved["artist"] == n].tolist()) for n in range(6)]
    assert parts == [{0}, {0}, {1}, {0}, {1}, {1}]


def test_directions_in_which_a_segment_differs_over_accompaniments_are_taken_away() -> None:
    rng = np.random.default_rng(0)
    voices = np.repeat(rng.standard_normal((200, 20)), 3, axis=0)
    basis, _ = np.linalg.qr(rng.standard_normal((20, 20)))
    band = rng.standard_normal((600, NUM_NUISANCE_DIMS)) @ basis[:, :NUM_NUISANCE_DIMS].T
    found = without_nuisance(voices + band, np.repeat(np.arange(200), 3))
    np.testing.assert_allclose(band @ found.T, 0, atol=1e-9)
    kept = basis[:, NUM_NUISANCE_DIMS:]
    np.testing.assert_allclose(kept.T @ found.T, kept.T, atol=1e-9)


def test_what_is_heard_beside_a_voice_is_moved_half_way_to_the_voice_alone() -> None:
    rng = np.random.default_rng(0)
    alone = rng.standard_normal((400, 6))
    turned, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    beside = alone @ turned
    labels = np.arange(400)
    is_alone = np.arange(800) < 400
    # Of sound that is never heard alone, nothing can be known.
    both, of_both = np.concatenate([beside, alone]), np.concatenate([labels, labels + 400])
    found = towards_alone(
        np.concatenate([alone, both]), np.concatenate([labels, of_both]), np.arange(1200) < 400
    )
    expected = towards_alone(np.concatenate([alone, beside]), np.tile(labels, 2), is_alone)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    before = np.linalg.norm(beside - alone)
    assert np.linalg.norm(beside @ found.T - alone) < before
    np.testing.assert_allclose(towards_alone(alone, labels, labels >= 0), np.eye(6), atol=0.01)


def test_segments_that_were_heard_once_change_nothing() -> None:
    embeddings = np.random.default_rng(0).standard_normal((40, 20))
    np.testing.assert_array_equal(without_nuisance(embeddings, np.arange(40)), np.eye(20))


def test_directions_in_which_a_voice_differs_are_shortened_to_one_length() -> None:
    rng = np.random.default_rng(0)
    voices = np.repeat(rng.standard_normal((300, 4)), 5, axis=0)
    around = rng.standard_normal((1500, 4)) * np.array([5.0, 1.0, 1.0, 0.5])
    moved = (voices + around) @ shortened_within(voices + around, np.repeat(np.arange(300), 5))
    left = moved - np.repeat(moved.reshape(300, 5, 4).mean(1), 5, axis=0)
    lengths = left.std(0)
    assert lengths.max() / lengths.min() < 1.3  # shrinkage leaves the shortest a little shorter
    between = moved.reshape(300, 5, 4).mean(1).std(0) / lengths
    assert np.argmax(between) == 3


def test_a_space_is_one_of_two(dataset: Dataset) -> None:
    network, excerpt_samples, _ = make_network(EncoderSettings("ge2e", init="ge2e"))
    band, voice = (
        fit_views(network.eval(), excerpt_samples, dataset, space=space).geometry["overall"]
        for space in get_args(SpaceKind)
    )
    np.testing.assert_array_equal(band.centre, voice.centre)
    assert np.abs(band.transform - voice.transform).max() > 0.1


def test_both_views_have_one_centre_and_one_transform(dataset: Dataset) -> None:
    network, excerpt_samples, _ = make_network(EncoderSettings("ge2e", init="ge2e"))
    geometry = fit_views(network.eval(), excerpt_samples, dataset).geometry
    assert geometry["vocals"] is geometry["overall"]

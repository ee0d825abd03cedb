from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings

from engine.errors import CancelledError, EvaluationError
from engine.evaluation.cache import save
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.probe import LabelledClip, Probe, fit_probe, spread
from engine.evaluation.protocols import artist_id, gender_id
from engine.progress import CancelToken


def clips(num: int, target: int, offset: float, seed: int) -> list[LabelledClip]:
    rng = np.random.default_rng([seed, target])
    shift = np.zeros(6, np.float32)
    shift[target] = offset
    return [
        LabelledClip(rng.normal(size=(3, 5, 6)).astype("f4") + shift, target) for _ in range(num)
    ]


def hearing_of(
    folder: Path, num_singers: int, num_songs: int, offset: float, **other: object
) -> ModelEmbeddings:
    rng = np.random.default_rng(0)
    voices = offset * np.eye(8)[:num_singers]
    parts = [
        (rng.normal(size=(3, 5, 8)) + voices[i]).astype(np.float32)
        for i in range(num_singers)
        for _ in range(num_songs)
    ]
    singers = [f"s{i}" for i in range(num_singers) for _ in range(num_songs)]
    means = np.stack([part.mean((0, 1)) for part in parts])
    return make_embeddings(means, singers, cache=folder, excerpts=parts, **other)  # type: ignore[arg-type]


def test_a_probe_learns_what_is_there_and_nothing_else() -> None:
    train = [c for t in range(3) for c in clips(6, t, 3.0, 0)]
    test = [c for t in range(3) for c in clips(20, t, 3.0, 1)]
    probe = fit_probe(train, train, 3, 0, CancelToken())
    assert np.mean([probe.predict(c) == c.target for c in test]) > 0.95
    again = fit_probe(train, train, 3, 0, CancelToken())
    np.testing.assert_array_equal(probe.weight, again.weight)
    nothing = [c for t in range(3) for c in clips(20, t, 0.0, 2)]
    lost = fit_probe(nothing, nothing[::7], 3, 0, CancelToken())
    unseen = [c for t in range(3) for c in clips(100, t, 0.0, 3)]
    assert np.mean([lost.predict(c) == c.target for c in unseen]) == pytest.approx(1 / 3, abs=0.1)


def test_a_probe_does_not_mind_the_scale_of_embeddings() -> None:
    train = [c for t in range(2) for c in clips(4, t, 2.0, 0)]
    scale = np.array([1e-4, 1.0, 1e4, 1.0, 1.0, 0.0], np.float32)
    scaled = [LabelledClip(c.excerpts * scale + 7, c.target) for c in train]
    plain = fit_probe(train, train, 2, 0, CancelToken())
    other = fit_probe(scaled, scaled, 2, 0, CancelToken())
    assert [other.predict(c) for c in scaled] == [plain.predict(c) for c in train]


def test_probes_can_be_stopped() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        fit_probe(clips(2, 0, 1.0, 0), clips(1, 0, 1.0, 0), 2, 0, cancel)


def test_parts_of_a_clip_by_length() -> None:
    # One dimension that is the class; a clip of 2 segments with 5 excerpts of 1 s each.
    probe = Probe(np.zeros(1), np.ones(1), np.array([[-1.0, 1.0]]), np.zeros(2))
    values = [-1, -1, 3, 3, 3, 3, 3, -1, -1, -1]
    clip = LabelledClip(np.array(values, np.float32).reshape(2, 5, 1), 1)
    assert probe.share_correct(clip, 1.0) == 0.5
    assert probe.share_correct(clip, 2.0) == 3 / 5
    assert probe.share_correct(clip, 5.0) == 0.5
    assert probe.share_correct(clip, 30.0) == 1.0
    assert probe.predict(clip) == 1
    of_5_s = LabelledClip(clip.excerpts[:, :1], 1)  # a model that hears no less at once
    assert math.isnan(probe.share_correct(of_5_s, 2.0))
    assert probe.share_correct(of_5_s, 5.0) == 0.5


def test_songs_are_split_without_overlap(tmp_path: Path) -> None:
    embeddings = hearing_of(tmp_path, 3, 20, 1.0)
    rng = np.random.default_rng(0)
    parts = artist_id.split(embeddings, np.arange(3), rng)
    assert [len(part) for part in parts] == [48, 6, 6]
    assert all({clip.target for clip in part} == {0, 1, 2} for part in parts)
    first = {clip.excerpts[0, 0, 0].item() for part in parts for clip in part}
    assert len(first) == 60


def test_of_many_clips_some_segments_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embeddings = hearing_of(tmp_path, 3, 10, 0.3)
    monkeypatch.setattr("engine.evaluation.probe.MAX_SEGMENTS", 30)
    train, valid, test = artist_id.split(embeddings, np.arange(3), np.random.default_rng(0))
    assert {len(clip.excerpts) for clip in (*train, *valid)} == {1}
    # Tests by length need the longest of them, 30 s.
    assert [len(clip.excerpts) for clip in test] == [3, 3, 3]
    assert spread(np.arange(10)[:, None], 3).ravel().tolist() == [0, 4, 9]


def test_smaller_shares_of_labels_are_parts_of_larger_ones(tmp_path: Path) -> None:
    embeddings = hearing_of(tmp_path, 2, 10, 1.0)
    train, valid, _ = artist_id.split(embeddings, np.arange(2), np.random.default_rng(0))
    order = np.random.default_rng(1).random(sum(len(c.excerpts) for c in (*train, *valid)))
    kept = {}
    for share in (0.05, 0.5, 1.0):
        few = artist_id.labelled_share((train, valid), share, order)[0]
        kept[share] = {tuple(s) for c in few for s in c.excerpts[:, 0].tolist()}
        assert {c.target for c in few} == {0, 1}
    assert [len(v) for v in kept.values()] == [2, 24, 48]
    assert kept[0.05] < kept[0.5] < kept[1.0]


def test_artist_identification(tmp_path: Path) -> None:
    good = hearing_of(tmp_path / "a", 4, 5, 3.0, model="good")
    bad = hearing_of(tmp_path / "b", 4, 5, 0.0, model="bad")
    result = artist_id.run(context_of(good, bad, num_repeats=2))
    rows = {row[1]: row for row in result.tables[0].rows}
    assert rows["good"][2].value == 1.0  # type: ignore[union-attr]
    assert rows["bad"][2].value < 0.7  # type: ignore[union-attr]
    assert rows["good"][4] == 8
    assert [t.name for t in result.tables] == ["artist-id", "clip-length", "label-share"]
    assert "The paper has 50 artists; there are no more with 3 songs." in result.notes
    with pytest.raises(EvaluationError, match="two singers with 3 songs each"):
        artist_id.run(context_of(hearing_of(tmp_path / "c", 4, 2, 1.0)))


def test_gender_identification(tmp_path: Path) -> None:
    labels = [{"gender": "x" if i < 15 else "y"} for i in range(30)]
    embeddings = hearing_of(tmp_path, 6, 5, 0.0, labels=labels)
    for i in range(30):  # a dimension that tells, in all singers alike
        excerpts = embeddings.excerpts(i)
        excerpts[..., 7] += 4 if i < 15 else 0
        save(embeddings.paths[i], excerpts, np.ones(len(excerpts)))
    result = gender_id.run(context_of(embeddings))
    assert result.tables[0].rows[0][2].value > 0.8  # type: ignore[union-attr]
    assert result.notes[0].startswith("vocals: 3 folds of singers; 3 singers 'x', 3 singers 'y'")
    unlabelled = make_embeddings(np.eye(4), ["A", "A", "B", "B"], source="mixture")
    result = gender_id.run(context_of(embeddings, unlabelled))
    assert {row[0] for row in result.tables[0].rows} == {"vocals"}
    assert result.notes[-1].startswith("mixture: The data has no labels in a column 'gender'")


def test_folds_hold_every_label() -> None:
    classes = {i: "x" if i < 25 else "y" for i in range(37)}
    folds = gender_id.deal_folds(classes, 0)
    assert len(folds) == 10
    assert sorted(a for fold in folds for a in fold) == list(range(37))
    assert all({classes[a] for a in fold} == {"x", "y"} for fold in folds)
    assert max(map(len, folds)) - min(map(len, folds)) <= 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([""] * 6, "no labels in a column 'gender'"),
        (["x"] * 6, "All singers have the same label"),
        (["x", "x", "x", "x", "x", "y"], "Of singers labelled 'y' there are 1"),
    ],
)
def test_labels_that_do_not_do(labels: list[str], message: str) -> None:
    singers = [f"s{i}" for i in range(6)]
    embeddings = make_embeddings(np.eye(6), singers, labels=[{"gender": g} for g in labels])
    with pytest.raises(EvaluationError, match=message):
        gender_id.classes_of(embeddings, "gender")


def test_a_singer_has_one_label() -> None:
    embeddings = make_embeddings(np.eye(2), ["A", "A"], labels=[{"gender": "x"}, {"gender": "y"}])
    with pytest.raises(EvaluationError, match="more than one label"):
        gender_id.classes_of(embeddings, "gender")

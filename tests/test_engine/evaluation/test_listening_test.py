from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings
from support.sound import buzz, write_wav

from engine.errors import EvaluationError
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.evaluation_data import Clip
from engine.evaluation.protocols import listening_test
from engine.evaluation.results import Options
from engine.evaluation.triplets import (
    Answer,
    ListeningTest,
    Secret,
    Triplet,
    new_listener,
    read_answers,
    read_test,
    save_answers,
    save_test,
)
from engine.sound.audio import decode_all, probe
from engine.sound.loudness import measure

SINGERS = [f"s{i // 2}" for i in range(12)]


def hearing_of(seed: int, model: str, **other: object) -> ModelEmbeddings:
    vectors = np.random.default_rng(seed).normal(size=(12, 6))
    return make_embeddings(vectors, SINGERS, model=model, **other)  # type: ignore[arg-type]


def test_triplets_are_blind_and_fair() -> None:
    all_embeddings = tuple(hearing_of(i, name) for i, name in enumerate("abc"))
    drawn = listening_test.draw_triplets(all_embeddings, Options(num_triplets=12))
    again = listening_test.draw_triplets(all_embeddings, Options(num_triplets=12))
    assert [(d.query.song, d.models) for d in drawn] == [(d.query.song, d.models) for d in again]
    assert len({d.query.song for d in drawn}) == len(drawn)
    assert sum(d.is_control for d in drawn) <= 1
    assert {frozenset(d.models) for d in drawn} == {frozenset(p) for p in ("ab", "ac", "bc")}
    assert len({d.models for d in drawn}) > 3  # either model may come first
    for item in drawn:
        assert item.query.song not in {c.song for c in item.candidates}


def test_models_that_never_differ_make_no_test() -> None:
    same = (hearing_of(0, "a"), hearing_of(0, "b"))
    with pytest.raises(EvaluationError, match="two models that recommend different songs"):
        listening_test.draw_triplets(same, Options())
    with pytest.raises(EvaluationError, match="two models"):
        listening_test.draw_triplets((hearing_of(0, "a"),), Options())


@pytest.fixture
def made(tmp_path: Path) -> Path:
    files = [write_wav(tmp_path / f"{i}.wav", buzz(1.0, pitch_hz=100 + 9 * i)) for i in range(12)]
    all_embeddings = []
    for seed, name in enumerate("ab"):
        plain = hearing_of(seed, name, source="mixture")
        clips = [replace(c, files={"mixture": f}) for c, f in zip(plain.clips, files, strict=True)]
        all_embeddings.append(replace(plain, clips=tuple(clips)))
    result = listening_test.run(
        context_of(*all_embeddings, folder=tmp_path / "out", num_triplets=3)
    )
    assert result.notes[0].startswith("A test of 3 triplets is ready")
    assert len(result.notes) == 1
    return tmp_path / "out" / "listening-test"


def test_a_test_lies_in_a_folder_and_tells_nothing(made: Path) -> None:
    test = read_test(made)
    assert test is not None
    assert len(test.triplets) == 3
    asked = (made / "test.json").read_text() + (made / "listen.html").read_text()
    for secret in test.secrets:
        assert secret.singer not in asked
    assert "model" not in (made / "test.json").read_text()
    for triplet in test.triplets:
        for name in (triplet.query, triplet.a, triplet.b):
            assert probe(made / name).duration_s == pytest.approx(1.0, abs=0.1)
    assert "http" not in (made / "listen.html").read_text()


def test_excerpts_are_equally_loud(tmp_path: Path) -> None:
    clips = [
        Clip(f"s{i}", "x", files={"mixture": write_wav(tmp_path / f"{i}.wav", gain * buzz(3.0))})
        for i, gain in enumerate((0.05, 0.3, 1.0))
    ]
    out = tmp_path / "out"
    out.mkdir()
    names = [listening_test._excerpt(out, clip, "mixture", 0) for clip in clips]
    heard = [
        measure(decode_all(out / name, sample_rate_hz=44_100, num_channels=2), 44_100).lufs
        for name in names
    ]
    assert heard == pytest.approx([heard[0]] * 3, abs=0.1)
    assert heard[0] == pytest.approx(listening_test.EXCERPT_LUFS, abs=1.0)  # MP3 pads the ends


def test_answers_are_merged_and_scored(made: Path) -> None:
    before = (made / "test.json").read_bytes()
    test = read_test(made)
    assert test is not None
    save_answers(made, test.id, "one", [Answer("one", "t001", "overall", "tie")])
    # Going on: the listener's file is written again with more in it.
    more = [Answer("one", "t001", "overall", "a"), Answer("one", "t001", "vocals", "b")]
    save_answers(made, test.id, "one", more)
    save_answers(made, test.id, "two", [Answer("two", "t001", "overall", "a")])
    save_answers(made, "another", "three", [Answer("three", "t001", "overall", "b")])
    save_answers(made, test.id, "four", [Answer("four", "t999", "overall", "b")])
    (made / "answers" / "five.json").write_text("{}")
    context = context_of(hearing_of(0, "a"), hearing_of(1, "b"), folder=made.parent)
    result = listening_test.run(context)
    assert (made / "test.json").read_bytes() == before  # the test that is there is kept
    wins = {row[:3]: row[4:7] for row in result.tables[0].rows}
    secret = test.secrets[0]
    assert wins["mixture", "overall", secret.model_a] == (2, 0, 0)
    assert wins["mixture", "overall", secret.model_b] == (0, 2, 0)
    assert wins["mixture", "vocals", secret.model_a] == (0, 1, 0)
    assert result.notes[0] == "2 listeners."
    assert any("answers another test" in note for note in result.notes)
    assert any("t999 does not ask" in note for note in result.notes)
    assert any("five.json" in note for note in result.notes)
    rows = list(csv.DictReader((made / "answers.csv").read_text(encoding="utf-8").splitlines()))
    assert [(r["listener"], r["question"], r["choice"]) for r in rows] == [
        ("one", "overall", "a"), ("one", "vocals", "b"), ("two", "overall", "a"),
    ]  # fmt: skip
    assert [r["winner"] for r in rows] == [secret.model_a, secret.model_b, secret.model_a]


def test_a_test_is_kept_when_other_models_are_named(made: Path) -> None:
    context = context_of(hearing_of(0, "a"), hearing_of(1, "c"), folder=made.parent)
    notes = listening_test.run(context).notes
    assert any("was made with other models and is kept" in note for note in notes)


def test_win_rates_by_hand() -> None:
    triplets = tuple(Triplet(f"t{i}", "q", "x", "y", ("overall",)) for i in range(3))
    test = ListeningTest("id", triplets, (
        Secret("t0", "mixture", "m1", "m2", "A", False),
        Secret("t1", "mixture", "m2", "m1", "B", False),
        Secret("t2", "mixture", "m1", "m2", "C", True),
    ))  # fmt: skip
    answers = [
        Answer("l1", "t0", "overall", "a"), Answer("l2", "t0", "overall", "tie"),
        Answer("l1", "t1", "overall", "b"), Answer("l2", "t1", "overall", "a"),
        Answer("l1", "t2", "overall", "a"),
    ]  # fmt: skip
    tables, plots = listening_test.score(test, answers, Options(num_replicates=50))
    row = {r[2]: r for r in tables[0].rows}["m1"]
    assert row[3].value == pytest.approx(2 / 3)  # type: ignore[union-attr]
    assert row[4:7] == (2, 1, 1)
    assert row[7] == pytest.approx(1.0)
    assert np.array(plots[0].panels["mixture: overall"])[1, 0] == pytest.approx(1 / 3)
    assert plots[0].row_notes["mixture: overall"] == ("m1 (2–1)", "m2 (1–2)")


def test_damaged_files_are_named(tmp_path: Path) -> None:
    assert read_test(tmp_path) is None
    test = ListeningTest("id", (Triplet("t", "q", "a", "b", ("vocals",)),), ())
    save_test(tmp_path, test)
    assert read_test(tmp_path) == test
    body = json.loads((tmp_path / "test.json").read_text())
    (tmp_path / "test.json").write_text(json.dumps({**body, "schema_version": 99}))
    with pytest.raises(EvaluationError, match="does not know"):
        read_test(tmp_path)
    (tmp_path / "test.json").write_text(json.dumps({**body, "triplets": [{}]}))
    with pytest.raises(EvaluationError, match="incomplete"):
        read_test(tmp_path)
    bad = {"schema_version": 1, "test": "id", "listener": "x"}
    rows = [{"triplet": "t", "question": "vocals", "choice": "maybe"}]
    (tmp_path / "answers" / "x.json").write_text(json.dumps({**bad, "answers": rows}))
    answers, notes = read_answers(tmp_path, test)
    assert answers == []
    assert "other than a, b and tie" in notes[0]


def test_listeners_are_anonymous() -> None:
    assert new_listener() != new_listener()
    assert len(new_listener()) == 8

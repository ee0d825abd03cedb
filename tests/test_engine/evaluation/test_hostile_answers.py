"""Answers to a listening test come by mail, from people nobody knows."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from engine.evaluation import triplets
from engine.evaluation.triplets import ListeningTest, Triplet, read_answers
from engine.sound.decoding import messages

TEST = ListeningTest("the-test", (Triplet("t", "q", "a", "b", ("vocals",)),), ())
ROW = {"triplet": "t", "question": "vocals", "choice": "a"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "answers").mkdir()
    return tmp_path


def mailed(folder: Path, listener: object = "Zoë M. 2", *rows: dict[str, Any]) -> Path:
    body = {"schema_version": 1, "test": TEST.id, "listener": listener, "answers": rows or [ROW]}
    path = folder / "answers" / "mailed.json"
    path.write_text(json.dumps(body))
    return path


def test_a_person_s_answers_are_taken(folder: Path) -> None:
    mailed(folder)
    [answer], notes = read_answers(folder, TEST)
    assert (answer.listener, notes) == ("Zoë M. 2", [])


@pytest.mark.parametrize(
    "listener",
    ["../../../.config/autostart/evil", "/etc/cron.d/evil", "..\\evil", "C:evil", "..", ".hidden",
     "", "x" * 65, '=HYPERLINK("http://127.0.0.1/")', "+1", "a\nb", "a\x1b[31m", "\u202eevil",
     ["x"], {"x": 1}],
)  # fmt: skip
def test_a_name_that_is_a_path_or_a_formula_is_no_name(folder: Path, listener: object) -> None:
    """Whoever goes on with a listener's sitting writes to a file of that name."""
    mailed(folder, listener)
    answers, [note] = read_answers(folder, TEST)
    assert answers == []
    assert "without a proper name" in note
    assert note.isprintable()


@pytest.mark.parametrize(
    "row",
    [{"triplet": ["t"]}, {"triplet": {}}, {"question": None}, {"choice": 1}, {"more": "x"},
     {"listener": "another"}],
)  # fmt: skip
def test_answers_of_another_form_are_told(folder: Path, row: dict[str, Any]) -> None:
    mailed(folder, "x", ROW | row)
    answers, [note] = read_answers(folder, TEST)
    assert answers == []
    assert note.startswith("mailed.json")


def test_what_is_told_of_answers_is_one_line(folder: Path) -> None:
    mailed(folder, "x", ROW | {"triplet": "no\x1b[31m\n\u202esuch " * 999})
    answers, [note] = read_answers(folder, TEST)
    assert answers == []
    assert note.isprintable()
    assert len(note) < 400


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 9, b"[" * 200_000, b"[]", b"7", b" " * (triplets._MAX_BYTES + 1)]
)
def test_what_holds_no_answers_is_told(folder: Path, content: bytes) -> None:
    (folder / "answers" / "mailed.json").write_bytes(content)
    answers, [note] = read_answers(folder, TEST)
    assert answers == []
    assert "mailed.json" in note


def test_a_message_of_a_decoder_that_is_deep_is_none() -> None:
    """Else the thread that listens to decoders would end, and its song never."""
    text = b"[" * 200_000
    with pytest.raises(ValueError, match="deep"):
        messages.receive(io.BytesIO(messages._SIZES.pack(len(text), 0) + text))

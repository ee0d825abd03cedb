"""A blind listening test on disk: its triplets, the key to them, and the answers of listeners.

test.json        what listeners are asked: a query and two candidates, by file only
key.json         which model recommended which; not to be opened before the answers are in
audio/*.mp3      the sound, under names that tell nothing
listen.html      plays the triplets in a browser and saves answers
answers/*.json   one file for each listener and each time that answers were saved
answers.csv      all answers with their key, for statistics of one's own
"""

from __future__ import annotations

import csv
import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import EvaluationError
from engine.library.text import plain
from engine.paths import written_whole

SCHEMA_VERSION = 1
Question = Literal["overall", "vocals"]
Choice = Literal["a", "b", "tie"]
QUESTIONS: dict[Question, str] = {
    "overall": "Which one is more similar to the query overall?",
    "vocals": "Which one has vocals more similar to those of the query?",
}

# Files of answers come from strangers; a listener's name becomes the name of a file, and a cell of
# a table that spreadsheets open.
_MAX_BYTES = 1 << 22
_LISTENER = re.compile(r"\w[\w .-]{0,63}")

_NAMES_OF_ANSWERS = ("listener", "triplet", "question", "choice")
_NAMES_OF_SECRETS = ("input", "model_a", "model_b", "is_control")


@dataclass(frozen=True)
class Triplet:
    """A query and two candidates, files below ``audio``. Says nothing of models or singers."""

    id: str
    query: str
    a: str
    b: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Secret:
    """What a triplet hides: its models (of candidates a and b), input, and the query's singer.

    A control has the same recommendation twice: answers to it show how careful listeners are.
    """

    id: str
    input: str
    model_a: str
    model_b: str
    singer: str
    is_control: bool


@dataclass(frozen=True)
class Answer:
    """Of one listener to one question. ``listener``: a name that is theirs alone (letters,
    digits, spaces, dots and hyphens; at most 64).
    """

    listener: str
    triplet: str
    question: Question
    choice: Choice


@dataclass(frozen=True)
class ListeningTest:
    """A test with its key. ``id`` ties answers to it."""

    id: str
    triplets: tuple[Triplet, ...]
    secrets: tuple[Secret, ...]


def new_listener() -> str:
    """A name that tells nothing about a person."""
    return secrets.token_hex(4)


def save_test(folder: Path, test: ListeningTest) -> None:
    """Write test and key. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "answers").mkdir(exist_ok=True)
    header = {"schema_version": SCHEMA_VERSION, "id": test.id}
    asked = {**header, "questions": QUESTIONS, "triplets": [asdict(t) for t in test.triplets]}
    hidden = {**header, "secrets": [asdict(secret) for secret in test.secrets]}
    (folder / "key.json").write_text(json.dumps(hidden, indent=1) + "\n", encoding="utf-8")
    (folder / "test.json").write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")


def read_test(folder: Path) -> ListeningTest | None:
    """The test of a folder, None where there is none yet. Raises EvaluationError (damaged)."""
    if not (folder / "test.json").exists():
        return None
    asked, hidden = _read(folder / "test.json"), _read(folder / "key.json")
    try:
        triplets = tuple(
            Triplet(**{**t, "questions": tuple(t["questions"])}) for t in asked["triplets"]
        )
        return ListeningTest(
            str(asked["id"]), triplets, tuple(Secret(**s) for s in hidden["secrets"])
        )
    except (KeyError, TypeError) as error:
        raise EvaluationError(f"The listening test in {folder} is incomplete: {error}.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_BYTES + 1)
        body = json.loads(text) if len(text) <= _MAX_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} cannot be read. Restore it, or make a new test.") from error
    if not isinstance(body, dict) or body.get("schema_version") != SCHEMA_VERSION:
        raise EvaluationError(f"{path} has a format that this version does not know.")
    return body


def save_answers(folder: Path, test_id: str, listener: str, answers: Iterable[Answer]) -> Path:
    """Write (again) all answers of a listener, so that a test can be left and gone on with."""
    path = folder / "answers" / f"{listener}.json"
    rows = [{k: v for k, v in asdict(a).items() if k != "listener"} for a in answers]
    body = {"schema_version": SCHEMA_VERSION, "test": test_id, "listener": listener,
            "answers": rows}  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as draft:
        draft.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return path


def read_answers(folder: Path, test: ListeningTest) -> tuple[list[Answer], list[str]]:
    """All answers to a test, merged over files, and what was left out, a sentence each.

    Of several answers of a listener to one question, the one in the newest file counts.
    """
    asked = {t.id: t.questions for t in test.triplets}
    found: dict[tuple[str, str, str], Answer] = {}
    notes = []
    paths = sorted((folder / "answers").glob("*.json"), key=lambda p: (p.stat().st_mtime_ns, p))
    for path in paths:
        try:
            answers = _answers_of(path, test.id)
        except EvaluationError as error:
            notes.append(str(error))
            continue
        for answer in answers:
            if answer.question in asked.get(answer.triplet, ()):
                found[answer.listener, answer.triplet, answer.question] = answer
            else:
                told = f"{path.name}: {answer.triplet} does not ask {answer.question!r}."
                notes.append(plain(told))
    return list(found.values()), notes


def export_answers(folder: Path, test: ListeningTest, answers: Iterable[Answer]) -> Path:
    """Write all answers, one a row, with what the key says of them. Raises OSError."""
    secrets_of = {secret.id: secret for secret in test.secrets}
    path = folder / "answers.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*_NAMES_OF_ANSWERS, *_NAMES_OF_SECRETS, "winner"))
        for answer in answers:
            secret = secrets_of[answer.triplet]
            models = {"a": secret.model_a, "b": secret.model_b}
            winner = "" if secret.is_control else models.get(answer.choice, "")
            told = [getattr(answer, name) for name in _NAMES_OF_ANSWERS]
            writer.writerow((*told, *(getattr(secret, n) for n in _NAMES_OF_SECRETS), winner))
    return path


def _answers_of(path: Path, test_id: str) -> Sequence[Answer]:
    body = _read(path)
    if body.get("test") != test_id:
        raise EvaluationError(f"{path.name} answers another test; it was left out.")
    try:
        answers = [Answer(str(body["listener"]), **row) for row in body["answers"]]
    except (KeyError, TypeError) as error:
        raise EvaluationError(f"{path.name} is incomplete: {error}.") from error
    if not all(isinstance(value, str) for a in answers for value in astuple(a)):
        raise EvaluationError(f"{path.name} has answers that are no text; it was left out.")
    if not _LISTENER.fullmatch(str(body["listener"])):
        raise EvaluationError(
            f"{path.name} is by a listener without a proper name; it was left out."
        )
    if any(a.choice not in ("a", "b", "tie") for a in answers):
        raise EvaluationError(f"{path.name} has answers other than a, b and tie; it was left out.")
    return answers

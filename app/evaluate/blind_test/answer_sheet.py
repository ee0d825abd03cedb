"""One listener's way through a test. Every answer is on disk before the next question is asked."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.evaluation.triplets import Answer, Choice, ListeningTest, Question, Triplet


@dataclass(frozen=True)
class Step:
    """One question about one triplet."""

    triplet: Triplet
    question: Question


class AnswerSheet:
    """Triplets come in an order of the listener's own, so that tiredness hits all of them alike.

    The order follows from the listener's name: a test that is gone on with keeps it.
    """

    def __init__(
        self, folder: Path, test: ListeningTest, listener: str, answers: Iterable[Answer] = ()
    ) -> None:
        self.folder = folder
        self.test = test
        self.listener = listener
        triplets = list(test.triplets)
        random.Random(listener).shuffle(triplets)
        self.triplets: Sequence[Triplet] = triplets
        self.steps = [Step(triplet, q) for triplet in triplets for q in triplet.questions]
        given = {(a.triplet, a.question): a.choice for a in answers if a.listener == listener}
        self._choices: dict[Step, Choice] = {
            step: given[step.triplet.id, step.question]
            for step in self.steps
            if (step.triplet.id, step.question) in given
        }

    @property
    def num_answered(self) -> int:
        return len(self._choices)

    @property
    def current(self) -> Step | None:
        """The first question without an answer; None when there is none left."""
        return next((step for step in self.steps if step not in self._choices), None)

    def choice(self, step: Step) -> Choice | None:
        return self._choices.get(step)

    def number(self, step: Step) -> int:
        """Place of its triplet, from 1."""
        return self.triplets.index(step.triplet) + 1

    def answer(self, choice: Choice) -> None:
        """To the current question. Raises OSError when it cannot be saved; it counts all the same.

        Saving is a few kilobytes and done at once, by whoever calls: an answer that was given must
        outlive whatever happens next.
        """
        step = self.current
        assert step is not None
        self._choices[step] = choice
        self._save()

    def undo(self) -> None:
        """Take the last answer back. Raises OSError."""
        last = next((step for step in reversed(self.steps) if step in self._choices), None)
        if last is not None:
            del self._choices[last]
            self._save()

    def _save(self) -> None:
        from engine.evaluation.triplets import Answer, save_answers

        answers = [
            Answer(self.listener, step.triplet.id, step.question, choice)
            for step, choice in self._choices.items()
        ]
        save_answers(self.folder, self.test.id, self.listener, answers)


def new_sheet(folder: Path, test: ListeningTest) -> AnswerSheet:
    """For a listener who has not been here, and who stays nameless."""
    from engine.evaluation.triplets import new_listener

    return AnswerSheet(folder, test, new_listener())


def answer_sheets(folder: Path, test: ListeningTest) -> list[AnswerSheet]:
    """All that were begun, the newest first."""
    from engine.evaluation.triplets import read_answers

    answers, _ = read_answers(folder, test)
    listeners = list(dict.fromkeys(answer.listener for answer in answers))
    return [AnswerSheet(folder, test, listener, answers) for listener in reversed(listeners)]

"""Finding: for a song, the nearest by voice and the nearest overall. The latest question counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from app.jobs import Job, JobRunner, LatestJob, Pool
from engine.errors import QueryError
from engine.library import Track
from engine.progress import CancelToken, ProgressCallback
from engine.search import Searcher, SearchOptions, SearchResult

NUM_RESULTS = 30
VIEWS: tuple[Literal["vocals", "overall"], ...] = ("vocals", "overall")


@dataclass(frozen=True)
class Question:
    """What is searched for: a track of the library, or any file."""

    track: Track | None
    path: Path
    duration_s: float | None = None


@dataclass(frozen=True)
class Answer:
    """Each view's results, or the sentence why there are none."""

    question: Question
    vocals: SearchResult | str
    overall: SearchResult | str


class Finder(QObject):
    asked = Signal(object)  # Question
    answered = Signal(object)  # Answer
    failed = Signal(str)
    history_changed = Signal()

    def __init__(
        self,
        runner: JobRunner,
        make_searcher: Callable[[], Searcher],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_searcher = make_searcher
        self._searcher: Searcher | None = None
        self._latest = LatestJob(runner, Pool.INTERACTIVE)
        self._history: list[Question] = []
        self._place = -1
        self.options = SearchOptions(k=NUM_RESULTS)

    @property
    def question(self) -> Question | None:
        return self._history[self._place] if self._history else None

    @property
    def can_go_back(self) -> bool:
        return self._place > 0

    @property
    def can_go_forward(self) -> bool:
        return self._place < len(self._history) - 1

    def find_track(self, track: Track) -> None:
        self._find(Question(track, track.path, track.duration_s))

    def find_file(self, path: Path, duration_s: float | None) -> None:
        """A file that need not be in the library: it is listened to first, which takes seconds."""
        self._find(Question(None, path, duration_s))

    def go(self, steps: int) -> None:
        """Back (-1) or forward (1) through the questions asked."""
        place = self._place + steps
        if 0 <= place < len(self._history):
            self._place = place
            self.ask_again()
            self.history_changed.emit()

    def set_filters(self, *, other_artists: bool, hide_duplicates: bool) -> None:
        self.options = replace(
            self.options, other_artists=other_artists, hide_duplicates=hide_duplicates
        )
        self.ask_again()

    def ask_again(self) -> None:
        """The same question, as filters or the library have changed."""
        question = self.question
        if question is None:
            return
        self.asked.emit(question)
        options = self.options
        job = Job(lambda progress, cancel: self._answer(question, options, progress, cancel))
        job.succeeded.connect(self.answered)
        job.failed.connect(self.failed)
        self._latest.start(job)

    def _find(self, question: Question) -> None:
        if question != self.question:
            del self._history[self._place + 1 :]
            self._history.append(question)
            self._place = len(self._history) - 1
            self.history_changed.emit()
        self.ask_again()

    # In the search thread

    def _answer(
        self,
        question: Question,
        options: SearchOptions,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> Answer:
        if self._searcher is None:
            self._searcher = self._make_searcher()
        found = {
            view: self._one_view(question, replace(options, by=view), progress, cancel)
            for view in VIEWS
        }
        return Answer(question, found["vocals"], found["overall"])

    def _one_view(
        self,
        question: Question,
        options: SearchOptions,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> SearchResult | str:
        assert self._searcher is not None
        cancel.check()
        try:
            if question.track is not None:
                return self._searcher.by_track(question.track.id, options)
            return self._searcher.by_file(question.path, options, progress=progress, cancel=cancel)
        except QueryError as error:
            return str(error)

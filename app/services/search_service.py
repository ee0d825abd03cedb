"""Searching: by voice and overall side by side, or both blended. The latest question counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.jobs import JobRunner, LatestJob, Pool
from engine.errors import QueryError
from engine.library import Track
from engine.networks.preload import import_heavy_libraries
from engine.progress import CancelToken, ProgressCallback
from engine.search import By, Searcher, SearchOptions, SearchResult

NUM_RESULTS = 30


@dataclass(frozen=True)
class Question:
    """What is searched for: a track of the library, any file, an artist, or several tracks.

    Attributes:
        others: further tracks that are asked with together with ``track``.
        part_s: only this stretch of the song is meant, from and to.
        artist: all songs of theirs are meant; then there is no track, and no path.
        is_voice: the file holds a voice alone, as somebody sang it into the microphone.
    """

    track: Track | None
    path: Path
    duration_s: float | None = None
    artist: str | None = None
    is_voice: bool = False
    others: tuple[Track, ...] = ()
    part_s: tuple[float, float] | None = None

    @classmethod
    def of(cls, first: Track, *others: Track) -> Question:
        """What these songs have in common."""
        return cls(first, first.path, first.duration_s, others=others)

    @property
    def is_known(self) -> bool:
        """The library has heard what is asked for; else it is listened to at every search."""
        return self.part_s is None and (self.track is not None or self.artist is not None)

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Those of the library that are asked with."""
        return () if self.track is None else (self.track, *self.others)


@dataclass(frozen=True)
class Answer:
    """For each list that was asked for its results, or the sentence why there are none."""

    question: Question
    lists: dict[By, SearchResult | str]


class SearchService(QObject):
    """Attributes:
    options: how to search; where it is not by a blend, there are two lists side by side.
    """

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
        self._runner = runner
        self._slots: dict[str, LatestJob] = {}
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
        self.find(Question.of(track))

    def find_artist(self, name: str) -> None:
        self.find(Question(None, Path(), artist=name))

    def go(self, steps: int) -> None:
        """Back (-1) or forward (1) through the questions asked."""
        place = self._place + steps
        if 0 <= place < len(self._history):
            self._place = place
            self.ask_again()
            self.history_changed.emit()

    def ask(
        self,
        slot: str,
        work: Callable[[Searcher, CancelToken], Any],
        use: Callable[[Any], object],
        fail: Callable[[str], object],
    ) -> None:
        """Something else of the searcher; of each slot, the latest wish counts."""
        latest = self._slots.setdefault(slot, LatestJob(self._runner, Pool.INTERACTIVE))
        self._runner.run(lambda _, cancel: work(self._ready_searcher(), cancel), use, fail, latest)

    def stop(self, slot: str) -> None:
        if slot in self._slots:
            self._slots[slot].cancel()

    def start_over(self) -> None:
        """Other songs are searched from now on; nothing has been asked of them."""
        self._latest.cancel()
        self._searcher, self._history, self._place = None, [], -1
        self.history_changed.emit()

    def set_options(self, options: SearchOptions) -> None:
        if options != self.options:
            self.options = options
            self.ask_again()

    def ask_again(self) -> None:
        """The same question, as options or the library have changed."""
        if (question := self.question) is not None:
            self.asked.emit(question)
            self._search(question)

    def look_again(self) -> None:
        """The same question, without a word: more songs have been heard since."""
        question = self.question
        if question is not None and not self._latest.is_running and question.is_known:
            self._search(question)

    def _search(self, question: Question) -> None:
        wanted = [replace(self.options, by=by) for by in self.lists_for(question)]

        def work(progress: ProgressCallback, cancel: CancelToken) -> Answer:
            lists = {one.by: self._one_list(question, one, progress, cancel) for one in wanted}
            return Answer(question, lists)

        self._runner.run(work, self.answered, self.failed, self._latest)

    def find(self, question: Question) -> None:
        if question != self.question:
            del self._history[self._place + 1 :]
            self._history.append(question)
            self._place = len(self._history) - 1
            self.history_changed.emit()
        self.ask_again()

    def lists_for(self, question: Question) -> tuple[By, ...]:
        """Which lists the answer will have. A voice alone has no overall sound to compare."""
        if question.is_voice:
            return ("vocals",)
        return ("blend",) if self.options.by == "blend" else ("vocals", "overall")

    # In the search thread

    def _ready_searcher(self) -> Searcher:
        if self._searcher is None:
            self._searcher = self._make_searcher()
        return self._searcher

    def _one_list(
        self,
        question: Question,
        options: SearchOptions,
        progress: ProgressCallback,
        cancel: CancelToken,
    ) -> SearchResult | str:
        searcher = self._ready_searcher()
        cancel.check()
        try:
            if question.tracks and question.part_s is None:
                return searcher.by_tracks([one.id for one in question.tracks], options)
            if question.artist is not None:
                return searcher.by_artist(question.artist, options)
            import_heavy_libraries()  # the file has to be listened to
            return searcher.by_file(
                question.path,
                options,
                start_s=question.part_s[0] if question.part_s else 0.0,
                end_s=question.part_s[1] if question.part_s else None,
                is_vocals=question.is_voice,
                progress=progress,
                cancel=cancel,
            )
        except QueryError as error:
            return str(error)

"""A journey from one voice to another: its songs in order, to be heard or taken away."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QSlider, QStackedLayout, QWidget

from app.find.result_delegate import ResultDelegate
from app.find.result_model import NO_PERCENT, ResultModel
from app.find.result_view import ResultView
from app.library.covers import Covers
from app.services.services import Services
from app.ui.dialogs import Dialog
from app.ui.layouts import hbox
from app.ui.text_format import title_of
from app.ui.widgets import label
from engine.library import Track
from engine.progress import CancelToken
from engine.records import View
from engine.search import Neighbour, Searcher
from engine.search.journey import MAX_SONGS, Journey, journey

FEWEST, MOST = 3, 30


class JourneyDialog(Dialog):
    play_requested = Signal(object, object)  # Neighbour, all of them: it and those after it
    save_requested = Signal(object, str)  # list[int], ids of tracks; name

    def __init__(
        self,
        parent: QWidget,
        services: Services,
        covers: Covers,
        ends: tuple[Track, Track],
        view: View,
    ) -> None:
        super().__init__(parent, services.theme, self.tr("A journey"), QSize(600, 640))
        self._search = services.search
        self._ends = ends
        self._view = view
        self.model = ResultModel()
        colour = "overall" if view == "overall" else "accent"
        delegate = ResultDelegate(services.theme, colour, covers.pixmap)
        self.list = ResultView(self.model, delegate, self.tr("Songs of the journey"))
        self._message = label(role="muted", wrap=True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._others = QCheckBox(self.tr("No artist twice in a row"))
        self._others.setAccessibleName(self._others.text())
        self._length = QSlider(Qt.Orientation.Horizontal)
        self._length.setRange(FEWEST, MOST)
        self._length.setValue(MAX_SONGS)
        self._length.setAccessibleName(self.tr("Most songs on the way"))
        self._length.setMinimumWidth(120)
        self._most = label(role="muted")
        self._build()
        self._ask()

    def _build(self) -> None:
        first, last = (title_of(track) for track in self._ends)
        text = self.tr("From “{first}” to “{last}” in the smallest steps from voice to voice.")
        if self._view == "overall":
            text = self.tr("From “{first}” to “{last}” in the smallest steps from sound to sound.")
        told = text.format(first=first[:80], last=last[:80])
        self.body.addWidget(label(told, "muted", wrap=True))
        self.body.addLayout(hbox(self._others, None, self._most, self._length, spacing=10))
        body = QFrame()
        body.setObjectName("card")
        self._stack = QStackedLayout(body)
        self._stack.setContentsMargins(1, 8, 1, 8)  # the rounded corners stay free
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._message)
        self.body.addWidget(body, 1)
        self._play = self.add_button(self.tr("Play"), self._play_all, "primary")
        self._save = self.add_button(self.tr("Keep as playlist…"), self._save_all)
        self.buttons.addStretch()
        self.add_button(self.tr("Close"), self.close)
        self._others.toggled.connect(self._ask)
        self._length.valueChanged.connect(self._ask)
        self.list.play_requested.connect(
            lambda neighbour: self.play_requested.emit(neighbour, self.model.neighbours)
        )

    def _ask(self) -> None:
        num = self._length.value()
        self._most.setText(self.tr("at most {num} songs").format(num=num))
        start, goal = (track.id for track in self._ends)
        view, others = self._view, self._others.isChecked()

        def work(searcher: Searcher, cancel: CancelToken) -> Journey:
            return journey(
                searcher, start, goal, view, max_songs=num, other_artists=others, cancel=cancel
            )

        self._search.ask("journey", work, self._show, self._fail)

    def _show(self, found: Journey) -> None:
        steps = ((1.0, NO_PERCENT), *zip(found.similarities, found.percents, strict=True))
        self.model.set_items(
            [
                Neighbour(rank, track, similarity, percent, ())
                for rank, (track, (similarity, percent)) in enumerate(
                    zip(found.tracks, steps, strict=True), start=1
                )
            ]
        )
        self._stack.setCurrentWidget(self.list)
        self._enable(True)

    def _fail(self, reason: str) -> None:
        self.model.set_items(())
        self._message.setText(reason)
        self._stack.setCurrentWidget(self._message)
        self._enable(False)

    def _enable(self, has_songs: bool) -> None:
        self._play.setEnabled(has_songs)
        self._save.setEnabled(has_songs)

    def _play_all(self) -> None:
        if self.model.neighbours:
            self.play_requested.emit(self.model.neighbours[0], self.model.neighbours)

    def _save_all(self) -> None:
        name = self.tr("From {first} to {last}")
        first, last = (title_of(track)[:30] for track in self._ends)
        ids = [neighbour.track.id for neighbour in self.model.neighbours]
        self.save_requested.emit(ids, name.format(first=first, last=last))

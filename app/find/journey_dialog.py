"""A journey from one voice to another: its songs in order, to be heard or taken away."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QSlider, QStackedLayout, QWidget

from app.find.result_delegate import ResultDelegate
from app.find.result_model import NO_PERCENT, ResultModel
from app.find.result_view import ResultView
from app.services.search_service import SearchService
from app.ui.dialogs import Dialog
from app.ui.layouts import hbox
from app.ui.text_format import title_of
from app.ui.theme import Theme
from app.ui.widgets import label
from engine.library import Track
from engine.records import View
from engine.search import Neighbour
from engine.search.journey import MAX_SONGS, Journey

FEWEST, MOST = 3, 30


class JourneyDialog(Dialog):
    play_requested = Signal(object, object)  # Neighbour, all of them: it and those after it
    save_requested = Signal(object, str)  # list[Track], name

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        search: SearchService,
        delegate: ResultDelegate,
        ends: tuple[Track, Track],
        view: View,
    ) -> None:
        super().__init__(parent, theme, self.tr("A journey"), QSize(600, 640))
        self._search = search
        self._ends = ends
        self._view = view
        self.model = ResultModel()
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
        self._search.find_journey(
            self._ends, self._view, num, self._others.isChecked(), self._show, self._fail
        )

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

    def tracks(self) -> Sequence[Track]:
        return [neighbour.track for neighbour in self.model.neighbours]

    def _play_all(self) -> None:
        if self.model.neighbours:
            self.play_requested.emit(self.model.neighbours[0], self.model.neighbours)

    def _save_all(self) -> None:
        name = self.tr("From {first} to {last}")
        first, last = (title_of(track)[:30] for track in self._ends)
        self.save_requested.emit(self.tracks(), name.format(first=first, last=last))

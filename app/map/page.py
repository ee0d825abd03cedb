"""The page of the map: every song a point, near to those that sound like it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QStackedWidget, QWidget

from app.desktop.drag_and_drop import drag
from app.library.covers import Covers
from app.map.colouring import (
    NO_VALUE,
    Colour,
    Colouring,
    aligned,
    by_likeness,
    by_tags,
    carried,
    table_of,
)
from app.map.legend import Legend
from app.map.map_source import MapSource, OpenedMap
from app.map.message import MapMessage, count_text, stage_text
from app.map.names import Islands, Names
from app.map.pointing import HoverCard, Preview
from app.map.tool_bar import MARGIN_PX, MapToolBar, SelectionBar
from app.map.view import MapView
from app.services.open_library import Overview
from app.services.search_service import Question
from app.services.services import Services
from app.settings import MAP_COLOUR, MAP_PREVIEW, MAP_VIEW
from app.ui.language import grouped
from app.ui.layouts import hbox, keep_room, vbox
from app.ui.widgets import button, label
from engine.map import MIN_SONGS
from engine.progress import Progress

MAX_UNASKED = 5000  # songs for which a map is made at once: under half a minute
REOPEN_MS = 4000  # while indexing goes on


class MapPage(QWidget):
    find_requested = Signal(object)  # Track
    play_requested = Signal(object)  # list[int]
    playlist_requested = Signal(object)  # list[int]
    list_requested = Signal(object)  # list[int]

    def __init__(self, services: Services, covers: Covers) -> None:
        super().__init__()
        self.setObjectName("page")
        self._services = services
        self._open_library, self._theme = services.open_library, services.theme
        self.source = MapSource(services.open_library, self)
        self._opened: OpenedMap | None = None
        self._ids = np.empty(0, np.int64)
        self._colouring = Colouring(np.empty(0, np.uint8))
        self._matching: list[int] | None = None  # what the search field finds
        self._picked = ""  # name of the group that stands out
        self._selected = np.empty(0, np.int64)  # ids, on whichever of the maps
        self._names = Names(services.theme, services.open_library, self)
        self.view = MapView(services.theme, self._names)
        self.tools = MapToolBar(services.theme)
        self.legend = Legend(services.theme, self.view)
        self.message = MapMessage(services.theme)
        self.preview = Preview(services.player, self)
        self.card = HoverCard(services, covers, self.view, self.preview)
        self.selection = SelectionBar(services.theme, self.view, self._actions())
        self._note = label(role="muted")
        self._anew = button(self.tr("Lay out anew"), "plain")
        self._stop = button(self.tr("Stop"), "plain")
        keep_room(self._anew, self._stop)  # or the map would move when they come
        self._reopen = QTimer(self, singleShot=True, interval=REOPEN_MS)
        self._reopen.timeout.connect(self._open)
        self._lay_out()
        self._restore()
        self._connect()

    def _lay_out(self) -> None:
        margins = (MARGIN_PX, 4, MARGIN_PX, 6)
        foot = hbox(self._note, self._anew, self._stop, None, spacing=6, margins=margins)
        shown = QWidget()
        legend = vbox(self.legend, None, margins=(0, MARGIN_PX, MARGIN_PX, 0))
        vbox((hbox((self.view, 1), legend), 1), foot, of=shown)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.message)
        self.stack.addWidget(shown)
        vbox(self.tools, (self.stack, 1), of=self)
        self._stop.hide()
        self.setTabOrder(self.tools.whole, self.view)

    def _actions(self) -> Iterator[QPushButton]:
        """For the songs that are selected."""
        for text, kind, signal in (
            (self.tr("Play these"), "primary", self.play_requested),
            (self.tr("Keep as playlist…"), "", self.playlist_requested),
            (self.tr("Show in library"), "", self.list_requested),
        ):
            action = button(text, kind)
            action.clicked.connect(lambda _=False, signal=signal: signal.emit(self.selected_ids))
            yield action

    def _restore(self) -> None:
        settings = self._services.settings
        self.tools.views.show_key("overall" if settings.get(MAP_VIEW) == "overall" else "vocals")
        colour = settings.get(MAP_COLOUR)
        self.tools.choose_colour(colour if colour in set(Colour) else Colour.ARTIST)
        self.tools.preview.setChecked(settings.get(MAP_PREVIEW))

    def _connect(self) -> None:
        tools, view, source = self.tools, self.view, self.source
        settings = self._services.settings
        tools.views.chosen.connect(partial(settings.set, MAP_VIEW))
        tools.views.chosen.connect(lambda _: self._open())
        tools.preview.toggled.connect(partial(settings.set, MAP_PREVIEW))
        tools.colour_chosen.connect(self._choose_colour)
        tools.lasso.clicked.connect(lambda is_on: view.set_lasso(is_on))
        view.lasso_changed.connect(tools.lasso.setChecked)
        tools.whole.clicked.connect(view.show_all)
        tools.preview.toggled.connect(self.preview.set_wanted)
        self.card.chosen.connect(self.find_requested)
        view.encircled.connect(lambda rows: self._select(self._ids[rows]))
        self.legend.picked.connect(self._pick)
        fetch = self._open_library.fetch_tracks
        self.selection.dragged.connect(lambda: fetch(self.selected_ids, partial(drag, self.view)))
        self.selection.cleared.connect(lambda: self._select(np.empty(0, np.int64)))
        source.opened.connect(self._show)
        source.progressed.connect(self._show_progress)
        source.making_changed.connect(self._making_changed)
        source.made.connect(self._open)  # of the view that is looked at by then
        source.stopped.connect(self._stopped)
        source.compared.connect(self._compared)
        source.problem.connect(partial(self._say, self.tr("No map")))
        for asked in (self.message.make_requested, self._anew.clicked):
            asked.connect(self._make)
        for stopped in (self.message.stop_requested, self._stop.clicked):
            stopped.connect(source.stop)
        self._open_library.overview_changed.connect(self._overview_changed)
        self._services.search.asked.connect(self._asked)
        self._theme.changed.connect(self._show_colours)

    # What is open

    @property
    def selected_ids(self) -> list[int]:
        """Of the songs encircled, those that stand out on this map."""
        return [int(i) for i in self._ids[self._is_meant() & np.isin(self._ids, self._selected)]]

    def showEvent(self, event: QShowEvent) -> None:
        self.preview.begin()
        self._show_meant()
        self._open()

    def hideEvent(self, event: QHideEvent) -> None:
        self.preview.stop()
        self.view.point_to(-1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self.view.setFocus(event.reason())  # a focus proxy would keep Tab from all the other parts

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """What its bars make no use of is the map's, wherever the focus is."""
        if self.view.isVisible() and not self.view.hasFocus():
            self.view.keyPressEvent(event)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self.selection, self.selection.place)

    def _open(self) -> None:
        if self.isVisible():
            self.source.open("overall" if self.tools.views.key == "overall" else "vocals")

    def _overview_changed(self, overview: Overview) -> None:
        """While songs are being listened to, they appear on the map."""
        if self._opened is None or self._opened.space_id is None:
            is_news = bool(overview.counts.embeddings)
        else:
            num_songs = overview.counts.embeddings.get(self._opened.space_id, 0)
            is_news = num_songs != self._opened.num_songs
        if is_news and self.isVisible() and not self._reopen.isActive():
            self._reopen.start()

    def _show(self, opened: OpenedMap) -> None:
        before, self._opened = self._opened, opened
        is_other = before is None or before.record is None or before.space_id != opened.space_id
        if opened.record is None:
            self._show_none(opened)
            return
        self._put(opened.record.track_ids, opened.record.positions, opened.islands)
        if is_other:
            self.view.show_all()
        self._show_view()
        self._show_note()
        self._mark_query(self._services.search.question)
        self._colour()
        self._show_meant()

    def _put(self, track_ids: np.ndarray, positions: np.ndarray, islands: Islands) -> None:
        """Other songs, or other places: what is seen of those that stay, stays."""
        colours = self._colouring
        codes = carried(self._ids, colours.codes, track_ids, NO_VALUE)  # until they are coloured
        self._colouring = replace(colours, codes=codes)
        pointed = self._ids[self.view.row] if self.view.row >= 0 else -1
        self._ids = self.card.ids = track_ids
        self._names.show_songs(track_ids, islands)
        self.view.show_points(positions, codes, self._row_of(pointed))

    def _row_of(self, track_id: int) -> int:
        return next(iter(np.flatnonzero(self._ids == track_id).tolist()), -1)

    def _show_view(self) -> None:
        if self.stack.currentIndex() == 0:
            self.stack.setCurrentIndex(1)
            if not isinstance(QApplication.focusWidget(), QLineEdit):
                self.view.setFocus(Qt.FocusReason.OtherFocusReason)  # it could not have it before

    def _show_none(self, opened: OpenedMap) -> None:
        self._put(np.empty(0, np.int64), np.empty((0, 2), np.float32), Islands())
        self._show_meant()
        self.stack.setCurrentIndex(0)
        if self.source.is_making:
            return
        if MIN_SONGS <= opened.num_songs <= MAX_UNASKED:
            self._make()
        else:
            self.message.show_missing(opened.view, opened.num_songs)

    def _say(self, heading: str, text: str, *, can_make: bool = False) -> None:
        self.message.say(heading, text, can_make=can_make)
        self.stack.setCurrentIndex(0)

    # Making

    def _make(self) -> None:
        if self._opened is not None and self._opened.space_id is not None:
            self.source.make(self._opened.space_id)

    def _making_changed(self) -> None:
        if self.source.is_making:
            self.message.show_progress(None)
        self._show_note()

    def _stopped(self) -> None:
        if self.stack.currentIndex() == 0:
            self._say(self.tr("No map yet"), self.tr("It was stopped."), can_make=True)

    def _show_progress(self, progress: Progress) -> None:
        self.message.show_progress(progress)
        if self.stack.currentIndex() == 1:
            self._note.setText(stage_text(self, progress))

    def _show_note(self) -> None:
        is_making = self.source.is_making
        self._stop.setVisible(is_making)
        record = self._opened.record if self._opened is not None else None
        if record is None:
            return
        num, num_new = len(record.track_ids), len(record.track_ids) - record.num_laid_out
        overview = self._open_library.overview
        num_all = overview.counts.tracks if overview is not None else 0
        texts = [count_text(self, self.tools.views.key, num, num_all)]
        if num_new:
            texts.append(self.tr("{num} came later").format(num=grouped(num_new)))
        self._note.setText(" · ".join(texts))
        self._anew.setVisible(num_new > 0 and not is_making)

    # Colours

    def _choose_colour(self, colour: Colour) -> None:
        self._services.settings.set(MAP_COLOUR, str(colour))
        self._picked = ""
        self._colour()

    def _colour(self) -> None:
        colour = self.tools.colour
        if self._opened is None or self._opened.record is None:
            return
        if colour != Colour.LIKENESS:
            self.card.scores = {}
            self._set_colouring(by_tags(colour, self._ids, self._opened.labels))
            return
        question = self._services.search.question
        if question is not None and question.track is not None and self._opened.space_id:
            self.source.compare(self._opened.space_id, question.track.id)
        else:
            self._set_colouring(Colouring(np.zeros(len(self._ids), np.uint8)))

    def _compared(self, found: tuple[np.ndarray, np.ndarray]) -> None:
        if self.tools.colour != Colour.LIKENESS:
            return
        scores = carried(*found, self._ids, np.nan)
        self.card.scores = dict(zip(self._ids.tolist(), scores.tolist(), strict=True))
        self._set_colouring(by_likeness(scores, self.tr("unlike"), self.tr("alike")))

    def _set_colouring(self, colouring: Colouring) -> None:
        self._colouring = colouring
        self._show_colours()
        self._show_meant()

    def _show_colours(self) -> None:
        colouring = self._colouring
        table = table_of(self._theme.palette, colouring.is_graded)
        is_likeness = self.tools.colour == Colour.LIKENESS
        self.legend.show_colouring(colouring, table, self._picked_code, is_likeness=is_likeness)
        if len(colouring.codes) == len(self.view.positions):
            self.view.show_colours(colouring.codes, table)

    # What is meant

    def show_matches(self, track_ids: list[int] | None) -> None:
        """Songs found by the search field stand out; None: nothing is searched for."""
        self._matching = track_ids
        if self.isVisible():  # while typing into the table's search, nobody looks at the map
            self._show_meant()

    @property
    def _picked_code(self) -> int:
        """-1 where no group stands out."""
        names = self._colouring.names
        return names.index(self._picked) + 1 if self._picked in names else -1

    def _pick(self, code: int) -> None:
        self._picked = self._colouring.names[code - 1] if code > 0 else ""
        self._show_meant()

    def _select(self, track_ids: np.ndarray) -> None:
        self._selected = track_ids
        self._show_meant()

    def _is_meant(self) -> np.ndarray:
        """(n,) bool: the songs that search and legend have stand out."""
        is_meant = np.ones(len(self._ids), bool)
        if self._matching is not None:
            found = np.sort(np.array(self._matching, np.int64))
            is_meant &= aligned(self._ids, found) >= 0
        if self._picked_code > 0:
            is_meant &= self._colouring.codes == self._picked_code
        return is_meant

    def _show_meant(self) -> None:
        is_meant, is_selected = self._is_meant(), np.isin(self._ids, self._selected)
        self.selection.show_count(int((is_meant & is_selected).sum()))
        if not len(self._ids):
            return
        if is_selected.any():
            is_meant &= is_selected
        self.view.mean_only(None if is_meant.all() else is_meant)

    # The song asked for

    def _asked(self, question: Question) -> None:
        self._mark_query(question)
        if self.tools.colour == Colour.LIKENESS and self.isVisible():
            self._colour()

    def _mark_query(self, question: Question | None) -> None:
        track_id = question.track.id if question is not None and question.track else -1
        self.view.mark_query(self._row_of(track_id))

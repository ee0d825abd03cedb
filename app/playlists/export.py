"""What can be taken away from the library page: results, selected songs, journeys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QMenu, QWidget

from app.find.comparison import Comparison
from app.find.finder import Finder
from app.find.journey_dialog import JourneyDialog
from app.find.result_delegate import ResultDelegate
from app.find.results_panel import ResultList, ResultsPanel
from app.library.actions import Deed
from app.library.panel import LibraryPanel
from app.library.table_model import shown, title_of
from app.playlists.export_menu import TakeAway
from app.services import Parts
from engine.library import Track, View
from engine.search import Neighbour

DrawCover = Callable[[Track, int, float], QPixmap]


class Taking(QObject):
    told = Signal(str)  # a sentence

    def __init__(
        self,
        parts: Parts,
        window: QWidget,
        library: LibraryPanel,
        results: ResultsPanel,
        comparison: Comparison,
        cover: DrawCover,
    ) -> None:
        super().__init__(window)
        self._parts = parts
        self._window = window
        self._library = library
        self._results = results
        self._comparison = comparison
        self._cover = cover
        self.take_away = TakeAway(window, parts.session.runner, parts.settings)
        self.take_away.told.connect(self.told)
        results.save_button.clicked.connect(self._show_save_menu)

    @property
    def _finder(self) -> Finder:
        return self._parts.finder

    # Saving

    def save_selected(self) -> None:
        """Songs selected in the list or table with the focus; else all results."""
        if self._library.view.hasFocus() and len(self._library.view.selected_ids()) > 1:
            self.save_ids(self._library.view.selected_ids())
            return
        lists = self._results.shown_lists()
        lists.sort(key=lambda one: not one.view.hasFocus())
        for one in lists:
            if one.model.neighbours:
                self._save_results(one)
                return

    def _save_results(self, results: ResultList) -> None:
        chosen = results.view.selected()
        some: Sequence[Neighbour] = chosen if len(chosen) > 1 else results.model.neighbours
        self.take_away.save(some, self._name())

    def save_ids(self, track_ids: Sequence[int]) -> None:
        """Songs of the table, which need not be known yet."""
        self._parts.session.fetch_tracks(
            track_ids, lambda tracks: self.take_away.save(tracks, self.tr("Singalike"))
        )

    def save_from_map(self, track_ids: Sequence[int]) -> None:
        """Songs that a line was drawn around, artist by artist."""
        self._parts.session.fetch_tracks(
            track_ids,
            lambda tracks: self.take_away.save(tracks, self.tr("Songs from the map")),
            by_artist=True,
        )

    def _name(self) -> str:
        sound = self._results.query_row.sound
        return self.tr("Like {title}").format(title=sound.title if sound else "Singalike")

    def _show_save_menu(self) -> None:
        menu = QMenu(self._window)
        for results in self._results.shown_lists():
            chosen, num = results.view.selected(), len(results.model.neighbours)
            if len(chosen) > 1:
                text = self.tr("{heading}: {num} selected songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=len(chosen)),
                    partial(self.take_away.save, chosen, self._name()),
                )
            if num:
                text = self.tr("{heading}: all {num} songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=num),
                    partial(self.take_away.save, results.model.neighbours, self._name()),
                )
        menu.aboutToHide.connect(menu.deleteLater)
        button = self._results.save_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    # Menus of songs

    def of_table(self, track: Track) -> list[Deed]:
        """What the menu of a song in the table offers."""
        deeds: list[Deed] = []
        question = self._finder.question
        if question is not None and question.track is not None and question.track.id != track.id:
            deeds.append(self._journey_deed(question.track, track, "vocals"))
        ids = self._library.view.selected_ids()
        if len(ids) > 1:
            text = self.tr("Save {num} selected songs…").format(num=len(ids))
            deeds.append(("share", text, partial(self.save_ids, ids)))
        return deeds

    def of_result(self, track: Track) -> list[Deed]:
        """What the menu of a result offers."""
        lists = sorted(self._results.shown_lists(), key=lambda one: not one.view.hasFocus())
        question = self._finder.question
        deeds: list[Deed] = []
        if question is not None and question.track is not None:
            view: View = "overall" if lists[0] is self._results.overall else "vocals"
            deeds.append(self._journey_deed(question.track, track, view))
        num = len(lists[0].view.selected())
        text = self.tr("Save {num} selected songs…") if num > 1 else self.tr("Save all {num}…")
        shown_num = num if num > 1 else len(lists[0].model.neighbours)
        deeds.append(("share", text.format(num=shown_num), partial(self._save_results, lists[0])))
        return deeds

    def _journey_deed(self, start: Track, goal: Track, view: View) -> Deed:
        name = shown(title_of(start))[:30].replace("&", "&&")
        text = self.tr("Journey from “{title}” to here…").format(title=name)
        return ("journey", text, partial(self.show_journey, start, goal, view))

    # Journeys

    def show_journey(self, start: Track, goal: Track, view: View) -> None:
        colour = "overall" if view == "overall" else "accent"
        delegate = ResultDelegate(self._parts.theme, colour, self._cover)
        dialog = JourneyDialog(
            self._window, self._parts.theme, self._finder, delegate, (start, goal), view
        )
        dialog.play_requested.connect(self._comparison.play_result)
        dialog.save_requested.connect(self.take_away.save)
        dialog.open()

"""Which songs go to other programs: all results, those that are selected, or those of the table."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from app.find.keeping import Keeping
from app.find.results_panel import ResultList, ResultsPanel
from app.library.panel import LibraryPanel
from app.playlists.song_export import SongExport


class ExportMenu(QObject):
    def __init__(
        self, export: SongExport, library: LibraryPanel, results: ResultsPanel, keeping: Keeping
    ) -> None:
        super().__init__(export)
        self._keeping = keeping
        self._export = export
        self._library = library
        self._results = results
        results.save_button.clicked.connect(self._open)

    def _open(self) -> None:
        menu = QMenu(self._results.window())
        for results in self._results.shown_lists():
            chosen, found = results.view.selected(), results.model.neighbours
            if len(chosen) > 1:
                text = self.tr("{heading}: {num} selected songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=len(chosen)),
                    partial(self._export.save, chosen, self._name()),
                )
            if found:
                text = self.tr("{heading}: all {num} songs…")
                menu.addAction(
                    text.format(heading=results.heading, num=len(found)),
                    partial(self._export.save, found, self._name()),
                )
                ids = [neighbour.track.id for neighbour in found]
                menu.addAction(
                    self.tr("{heading}: keep as playlist…").format(heading=results.heading),
                    partial(self._keeping.show_playlists, ids, self._name()),
                )
        menu.addSeparator()
        save = partial(self._keeping.ask_to_save, self._name())
        menu.addAction(self.tr("Save this search…"), save)
        if num := self._keeping.kept.num_marks:
            menu.addAction(
                self.tr("Table of your marks ({num} pairs)…").format(num=num),
                self._export.save_marks,
            )
        menu.aboutToHide.connect(menu.deleteLater)
        button = self._results.save_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    def save_selected(self) -> None:
        """Songs selected in the list or table with the focus; else all results."""
        table = self._library.view
        if table.hasFocus() and len(table.selected_ids()) > 1:
            self._export.save_ids(table.selected_ids())
            return
        lists = sorted(self._results.shown_lists(), key=lambda one: not one.view.hasFocus())
        if (one := next((one for one in lists if one.model.neighbours), None)) is not None:
            self.save_results(one)

    def save_results(self, results: ResultList) -> None:
        """Those that are selected, or all where there are not several."""
        chosen = results.view.selected()
        self._export.save(chosen if len(chosen) > 1 else results.model.neighbours, self._name())

    def _name(self) -> str:
        sound = self._results.query_row.sound
        return self.tr("Like {title}").format(title=sound.title if sound else "Singalike")

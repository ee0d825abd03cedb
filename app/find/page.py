"""The first page: songs on the left, on the right who sounds like the one that is picked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QSplitter, QWidget

from app.desktop.drag_and_drop import drag
from app.find.commands import Commands
from app.find.comparison import Comparison
from app.find.filters import NOTHING_FILTERED
from app.find.journey_dialog import JourneyDialog
from app.find.keeping import Keeping
from app.find.results_panel import ResultList, ResultsPanel
from app.library.covers import Covers
from app.library.dots import dot_legend
from app.library.panel import LibraryPanel
from app.playlists.song_export import SongExport
from app.record.dialog import RecordDialog
from app.services.search_service import Question
from app.services.services import Services
from app.settings import (
    AS_ARTISTS,
    BLEND_WEIGHT,
    HIDE_DUPLICATES,
    IS_BLENDED,
    ONE_PER_ARTIST,
    OTHER_ARTISTS,
    SPLITTER,
)
from app.ui.layouts import vbox
from app.ui.menus import Entry
from app.ui.rows import selected_rows
from app.ui.text_format import one_line, title_of
from engine.library import Track
from engine.library.groups import Group
from engine.library.processes import temporary_folder
from engine.records import View
from engine.search import Neighbour, SearchOptions

LOOK_AGAIN_MS = 5000  # for results among the songs that were heard meanwhile


class FindPage(QSplitter):
    def __init__(self, services: Services, covers: Covers, commands: Commands) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._services = services
        self._covers = covers
        self._commands = commands
        self._recordings: TemporaryDirectory[str] | None = None
        self.library = LibraryPanel(services, covers)
        legend = dot_legend(services.theme, self.library.model.state_texts)
        facets = services.open_library.read_facets
        self.results = ResultsPanel(services.theme, services.player, covers.pixmap, facets, legend)
        self.comparison = Comparison(self.results, services)
        self.export = SongExport(commands.window, services)
        self.keeping = Keeping(commands, services, self.library, self.results, self.export)
        self._look_again = QTimer(self, singleShot=True, interval=LOOK_AGAIN_MS)
        self._look_again.timeout.connect(services.search.look_again)
        self._lay_out()
        self._connect(commands)

    def _lay_out(self) -> None:
        side = QWidget()
        vbox(self.keeping.chooser, self.library, of=side)
        side.setObjectName("side")
        side.setMinimumWidth(300)
        self.results.setMinimumWidth(500)
        self.setChildrenCollapsible(False)
        self.setFocusProxy(self.library.view)
        self.addWidget(side)
        self.addWidget(self.results)
        self.setStretchFactor(0, 2)
        self.setStretchFactor(1, 3)
        self.setSizes([430, 640])
        self.restoreState(self._services.settings.layout(SPLITTER))
        self.setHandleWidth(1)  # after the state, which brings its own

    def _connect(self, commands: Commands) -> None:
        services, panel = self._services, self.results
        panel.filter_button.changed.connect(self._search_otherwise)
        panel.blend_bar.changed.connect(self._search_otherwise)
        panel.artists_button.toggled.connect(self._search_otherwise)
        self._restore_search()
        table = self.library.view
        table.menu_requested.connect(self._table_menu)
        table.find_requested.connect(services.search.find_track)
        table.play_requested.connect(self._play_track)
        groups = self.library.groups_view
        groups.menu_requested.connect(self._group_menu)
        groups.find_requested.connect(self._find_group)
        groups.play_requested.connect(lambda group: commands.play_all(group.track_ids))
        for view in (table, groups):
            view.dragged.connect(partial(self._drag, view))
        for results in panel.lists.values():
            results.view.menu_requested.connect(partial(self._result_menu, results))
        for signal in (
            services.player.state_changed,
            services.player.loaded,
            services.search.asked,
        ):
            signal.connect(self._mark_songs)
        services.indexing.progressed.connect(self._heard_more)
        services.indexing.ended.connect(self._index_ended)
        self._covers.arrived.connect(self._covers_arrived)
        self.keeping.favourites_changed.connect(self._show_favourites)
        self.keeping.options_restored.connect(self._restore_options)

    # Menus of songs

    def _table_menu(self, track: Track, at: QPoint) -> None:
        question = self._services.search.question
        entries: list[Entry] = []
        if question is not None and question.track is not None and question.track.id != track.id:
            entries.append(self._journey_entry(question.track, track, "vocals"))
        ids = self.library.view.selected_ids() or [track.id]
        entries += self.keeping.entries(ids)
        entries += self.keeping.table_entries(selected_rows(self.library.view))
        if len(ids) > 1:
            text = self.tr("Save {num} selected songs…").format(num=len(ids))
            entries.append(Entry(text, partial(self.export.save_ids, ids), "share"))
        play = partial(self._play_track, track)
        self._commands.show_track_menu(track, at, play, ids, entries)

    def _result_menu(self, results: ResultList, neighbour: Neighbour, at: QPoint) -> None:
        question, track = self._services.search.question, neighbour.track
        entries: list[Entry] = []
        if question is not None and question.track is not None:
            view: View = "overall" if results is self.results.overall else "vocals"
            entries.append(self._journey_entry(question.track, track, view))
        chosen = results.view.selected() or [neighbour]
        ids = ids_of(chosen)
        entries += self.keeping.entries(ids)
        if results is not self.results.overall:
            entries += self.keeping.mark_entries(chosen)
        num = len(ids)
        text = self.tr("Save {num} selected songs…") if num > 1 else self.tr("Save all {num}…")
        text = text.format(num=num if num > 1 else len(results.model.neighbours))
        entries.append(Entry(text, partial(self.keeping.save_results, results), "share"))
        play = partial(self.comparison.play_result, neighbour, results.model.neighbours)
        self._commands.show_track_menu(track, at, play, ids, entries)

    def _group_menu(self, group: Group, at: QPoint) -> None:
        show = partial(self.library.show_group, group)
        self._commands.show_group_menu(group, at, show, self.keeping.entries(group.track_ids))

    def _drag(self, view: QWidget, track_ids: Sequence[int]) -> None:
        self._services.open_library.fetch_tracks(track_ids, partial(drag, view))

    def _find_group(self, group: Group) -> None:
        """Voices like an artist's, or like those of the one whose album it is."""
        if group.artist:
            self._services.search.find_artist(group.artist)
        else:
            self.library.show_group(group)

    def _journey_entry(self, start: Track, goal: Track, view: View) -> Entry:
        name = one_line(title_of(start))[:30]
        text = self.tr("Journey from “{title}” to here…").format(title=name)
        return Entry(text, partial(self.show_journey, start, goal, view), "journey")

    def show_journey(self, start: Track, goal: Track, view: View) -> None:
        dialog = JourneyDialog(self.window(), self._services, self._covers, (start, goal), view)
        dialog.play_requested.connect(self.comparison.play_result)
        dialog.save_requested.connect(self.keeping.show_playlists)
        self._covers.arrived.connect(dialog.list.viewport().update)
        dialog.show()  # beside the window: its songs are dragged into queue and playlists

    def _play_track(self, track: Track) -> None:
        self.comparison.play_track(track, self.library.tracks_after(track.id))

    def _mark_songs(self) -> None:
        """In the table: what was asked for, and what sounds."""
        question, sound = self._services.search.question, self._services.player.playing
        asked = question.track if question is not None else None
        self.library.view.mark(
            asked.id if asked is not None else None, sound.track_id if sound is not None else None
        )

    def _restore_search(self) -> None:
        """What was filtered by tags and place is not kept: it would hide songs unseen."""
        get = self._services.settings.get
        filters = replace(
            NOTHING_FILTERED,
            other_artists=get(OTHER_ARTISTS),
            one_per_artist=get(ONE_PER_ARTIST),
            hide_duplicates=get(HIDE_DUPLICATES),
            as_artists=get(AS_ARTISTS),
            blend=min(1.0, max(0.0, get(BLEND_WEIGHT))),
            by="blend" if get(IS_BLENDED) else "vocals",
        )
        self._restore_options(filters)

    def _restore_options(self, options: SearchOptions) -> None:
        """Of a saved search, or of the last session."""
        results = self.results
        results.filter_button.set_filters(options)
        results.artists_button.setChecked(options.as_artists)
        results.blend_bar.show_blend(options.by == "blend", options.blend)
        self._search_otherwise()

    def _search_otherwise(self) -> None:
        results = self.results
        options = replace(
            results.filter_button.filters,
            as_artists=results.artists_button.isChecked(),
            by="blend" if results.blend_bar.is_blended else "vocals",
            blend=results.blend_bar.weight,
        )
        self._services.search.set_options(options)

    def _heard_more(self) -> None:
        self.library.refresh_soon()
        if not self._look_again.isActive():
            self._look_again.start()

    def _index_ended(self) -> None:
        self._look_again.stop()
        self.library.refresh()
        self._services.search.ask_again()

    def _show_favourites(self, track_ids: frozenset[int]) -> None:
        self.library.view.set_favourites(track_ids)
        for results in self.results.lists.values():
            results.view.set_favourites(track_ids)

    def toggle_favourite(self) -> None:
        """A heart for the songs selected in the list or table with the focus."""
        if ids := self.selected_ids():
            self.keeping.kept.toggle_favourites(ids)

    def mark_apart(self) -> None:
        """The results selected have not the voice that was asked for."""
        for results in self.results.shown_lists():
            if results is not self.results.overall and results.view.hasFocus():
                self.keeping.mark(results.view.selected(), False)

    def _covers_arrived(self) -> None:
        library = self.library
        for view in (
            library.view,
            library.groups_view,
            *(one.view for one in self.results.lists.values()),
        ):
            view.viewport().update()
        for row in (self.results.query_row, self.results.result_row):
            row.refresh_cover()

    def enter_table(self) -> None:
        """The keyboard goes to the table, or to what is in its place."""
        self.library.focus_view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def enter_results(self, results: ResultList) -> None:
        """The keyboard goes to one of the two lists, or to the one that there is."""
        if results.isHidden():
            results = self.results.shown_lists()[0]
        results.view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def selected_track(self) -> Track | None:
        """Of the list that has the focus; else the result chosen, else the song of the table."""
        if self.library.view.hasFocus():
            return self.library.view.current_track()
        chosen = self.results.chosen()
        return chosen.track if chosen is not None else self.library.view.current_track()

    def selected_ids(self) -> list[int]:
        """Of the songs selected in the list or table that ``selected_track`` is from.

        Of artists or albums, while they have the focus, all of their songs.
        """
        group = self.library.groups_view.current()
        if group is not None and self.library.groups_view.hasFocus():
            return list(group.track_ids)
        track = self.selected_track()
        lists = [self.library.view.selected_ids()]
        lists += [ids_of(one.view.selected()) for one in self.results.shown_lists()]
        alone = [track.id] if track is not None else []
        return next((ids for ids in lists if track is not None and track.id in ids), alone)

    def show_recorder(self) -> None:
        """Sing or hum, then find the voices nearest to it."""
        services = self._services
        if not services.open_library.is_open:
            return
        self._recordings = self._recordings or temporary_folder()
        folder = Path(self._recordings.name)
        dialog = RecordDialog(
            self.window(), services.theme, services.devices, services.open_library.runner, folder
        )
        dialog.began.connect(services.player.pause)
        dialog.found.connect(
            lambda path, s: services.search.find(Question(None, path, s, is_voice=True))
        )
        dialog.play_requested.connect(self.comparison.play_recording)
        dialog.open()

    def stop(self) -> None:
        """At the end of the program: nothing records any more, and no recording is left."""
        for dialog in self.window().findChildren(RecordDialog):
            dialog.close()
        if self._recordings is not None:
            self._recordings.cleanup()

    # Across a restart

    def state(self) -> dict[str, Any]:
        """What was asked, and what was selected; files from elsewhere would be heard anew."""
        question, chosen = self._services.search.question, self.results.chosen()
        return {
            "track": question.track.id if question is not None and question.track else None,
            "artist": question.artist if question is not None else None,
            "song": self.library.view.current_id(),
            "result": chosen.track.id if chosen is not None else None,
        }

    def restore(self, state: dict[str, Any], then: Callable[[], object]) -> None:
        """``then`` follows once the question has been asked again. Raises KeyError, TypeError."""
        search, artist = self._services.search, state["artist"]
        if state["result"] is not None:
            self.comparison.choose_soon(int(state["result"]))
        if state["song"] is not None:
            self.library.select_soon(int(state["song"]))

        def ask(tracks: list[Track]) -> None:
            for track in tracks:
                search.find_track(track)
            overview = self._services.open_library.overview
            if artist is not None and overview is not None and overview.folders:
                search.find_artist(str(artist))
            then()

        ids = [int(state["track"])] if state["track"] is not None else []
        self._services.open_library.fetch_tracks(ids, ask)

    def save_state(self) -> None:
        settings = self._services.settings
        settings.set_layout(SPLITTER, self.saveState())
        filters, bar = self.results.filter_button.filters, self.results.blend_bar
        settings.set(OTHER_ARTISTS, filters.other_artists)
        settings.set(AS_ARTISTS, self.results.artists_button.isChecked())
        settings.set(ONE_PER_ARTIST, filters.one_per_artist)
        settings.set(HIDE_DUPLICATES, filters.hide_duplicates)
        settings.set(IS_BLENDED, bar.is_blended)
        settings.set(BLEND_WEIGHT, bar.weight)
        self.library.save_state()


def ids_of(rows: Iterable[Neighbour]) -> list[int]:
    """Of the songs of results, of artists all that are shown."""
    return [song.track.id for row in rows for song in (row, *(row.more or ()))]

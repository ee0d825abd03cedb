"""Joins what a person keeps to the songs on show: hearts, playlists, marks of voices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication

from app.find.commands import Commands
from app.find.results_panel import ResultList, ResultsPanel
from app.library.panel import LibraryPanel
from app.playlists.lists import ListChooser
from app.playlists.song_export import SongExport
from app.services.kept import Kind, SongList
from app.services.search_service import Question
from app.services.services import Services
from app.ui.dialogs import ask_text
from app.ui.menus import Entry, show_menu
from app.ui.text_format import num_songs, one_line, title_of
from engine.library import Track
from engine.library.kept.songs import KeptSong
from engine.search import Neighbour
from engine.search.saved import SavedQuestion

MAX_ASKED = 100  # songs of one question: a mean of more tells nothing more


class Keeping(QObject):
    """Attributes:
    chooser: the list of songs that the table shows, above it.
    """

    favourites_changed = Signal(object)  # frozenset[int], ids of tracks
    options_restored = Signal(object)  # SearchOptions of a saved search

    def __init__(
        self,
        commands: Commands,
        services: Services,
        library: LibraryPanel,
        results: ResultsPanel,
        export: SongExport,
    ) -> None:
        super().__init__(commands.window)
        self._results = results
        self._window, self._play = commands.window, commands.play_tracks
        self._library = library
        self._export = export
        self._theme = services.theme
        self._search = services.search
        self._open_library = services.open_library
        self.kept = services.kept
        self.chooser = ListChooser(services.theme, services.kept)
        self._shown: list[KeptSong] = []  # of the playlist that the table shows
        self._connect()

    def _connect(self) -> None:
        chooser, kept = self.chooser, self.kept
        chooser.chosen.connect(self.show_list)
        chooser.play_requested.connect(lambda one: self._fetch(one, self._play))
        chooser.find_requested.connect(lambda one: self._fetch(one, self.find_tracks))
        chooser.save_requested.connect(
            lambda one: self._fetch(one, lambda tracks: self._export.save(tracks, one.name))
        )
        kept.changed.connect(self._show_changes)
        self._open_library.overview_changed.connect(
            lambda overview: chooser.show_num_all(overview.counts.tracks)
        )
        chooser.search_requested.connect(lambda name: kept.read_search(name, self._ask_again))
        self._library.all_shown.connect(lambda: chooser.choose_quietly(chooser.lists()[0]))
        self._results.save_button.clicked.connect(self.show_export_menu)
        self._library.view.moved.connect(self._move)
        self._library.view.removed.connect(self.take_out)

    # Lists in the table

    def show_list(self, one: SongList) -> None:
        if one.kind == Kind.ALL:
            self._library.show_all()
        elif one.kind == Kind.FAVOURITES:
            nothing = self.tr("No favourites yet. H gives the selected song a heart.")
            self._library.show_list(self.kept.favourites, one.name, nothing)
        else:
            self.kept.read(one.id, partial(self._show_playlist, one))
        self._library.view.set_movable(one.kind == Kind.PLAYLIST)

    def _show_playlist(self, one: SongList, songs: list[KeptSong]) -> None:
        if self.chooser.current.id != one.id:
            return  # meanwhile another one is shown
        self._shown = songs
        here = [song.track_id for song in songs if song.track_id is not None]
        nothing = self.tr("No songs yet. Drag some onto the playlist’s name.")
        if songs:
            nothing = self.tr(
                "None of its {songs} is in the library. They appear once their folder is added."
            ).format(songs=num_songs(len(songs)))
        self._library.show_list(here, one_line(one.name), nothing)
        self.chooser.show_num_lost(len(songs) - len(here))

    def _show_changes(self) -> None:
        self.favourites_changed.emit(frozenset(self.kept.favourites))
        if self.chooser.current.kind != Kind.ALL:
            self.show_list(self.chooser.current)

    def _fetch(self, one: SongList, use: Callable[[list[Track]], object]) -> None:
        """Hands over the songs of a list that are in the library."""
        if one.kind == Kind.PLAYLIST:

            def use_songs(songs: list[KeptSong]) -> None:
                ids = [song.track_id for song in songs if song.track_id is not None]
                self._open_library.fetch_tracks(ids, use)

            self.kept.read(one.id, use_songs)
        else:
            ids = self.kept.favourites if one.kind == Kind.FAVOURITES else self._library.model.ids
            self._open_library.fetch_tracks(ids, use)

    def _positions(self, rows: Sequence[int]) -> list[int]:
        """Rows of the table as places in the playlist, which may have songs that are not here."""
        here = [place for place, song in enumerate(self._shown) if song.track_id is not None]
        if self._library.is_in_order:
            return [here[row] for row in rows if row < len(here)]
        ids = {self._library.model.ids[row] for row in rows}
        return [place for place in here if self._shown[place].track_id in ids]

    def take_out(self, rows: Sequence[int]) -> None:
        """These rows of the table leave the playlist, or lose their heart."""
        one = self.chooser.current
        if one.kind == Kind.PLAYLIST:
            self.kept.take_out(one, self._positions(rows))
        elif one.kind == Kind.FAVOURITES:
            self.kept.toggle_favourites([self._library.model.ids[row] for row in rows])

    def _move(self, rows: Sequence[int], target: int) -> None:
        if self.chooser.current.kind == Kind.PLAYLIST and self._library.is_in_order:
            places = self._positions(range(self._library.model.rowCount()))
            before = places[target] if target < len(places) else len(self._shown)
            self.kept.move(self.chooser.current, self._positions(rows), before)

    # Menus of songs

    def entries(self, track_ids: Sequence[int]) -> list[Entry]:
        """What can be done with these songs, the selected ones of a list."""
        has_all = set(track_ids) <= set(self.kept.favourites)
        heart = self.tr("Take the heart away") if has_all else self.tr("Favourite")
        toggle = partial(self.kept.toggle_favourites, track_ids)
        keep = partial(self.show_playlists, track_ids)
        entries = [
            Entry(heart, toggle, "heart-filled" if has_all else "heart"),
            Entry(self.tr("Add to playlist…"), keep, "playlist"),
        ]
        if len(track_ids) > 1:
            text = self.tr("Find songs like these {num}").format(num=len(track_ids))
            use = partial(self._open_library.fetch_tracks, track_ids, self.find_tracks)
            entries.insert(0, Entry(text, use, "find"))
        return entries

    def table_entries(self, rows: Sequence[int]) -> list[Entry]:
        """And what only rows of a list in the table can do."""
        one = self.chooser.current
        text = self.tr("Take out of “{name}”").format(name=one_line(one.name)[:30])
        entry = Entry(text, partial(self.take_out, rows), "close")
        return [entry] if one.kind == Kind.PLAYLIST else []

    def find_tracks(self, tracks: Sequence[Track]) -> None:
        if tracks:
            self._search.find(Question.of(*tracks[:MAX_ASKED]))

    def show_playlists(self, track_ids: Sequence[int], name: str = "") -> None:
        """Where these songs could be kept, as a menu where the mouse is.

        ``name``: offered for a new playlist, or for a file.
        """
        new = partial(self.chooser.ask_new, track_ids, name)
        lists = [
            Entry(one_line(one.name)[:60], partial(self.kept.add, one, track_ids), "playlist")
            for one in self.kept.playlists
        ]
        save = partial(self._export.save_ids, track_ids, name or "Singalike")
        show_menu(
            QApplication.activeModalWidget() or self._window,
            self._theme,
            QCursor.pos() - QPoint(8, 8),
            [Entry(self.tr("New playlist…"), new, "add"), *lists],
            [Entry(self.tr("Save for other programs…"), save, "share")],
        )

    def show_playlists_by_artist(self, track_ids: Sequence[int], name: str) -> None:
        """The same for songs that have no order of their own."""

        def use(tracks: list[Track]) -> None:
            self.show_playlists([track.id for track in tracks], name)

        self._open_library.fetch_tracks(track_ids, use, by_artist=True)

    # Results for other programs

    def show_export_menu(self) -> None:
        """Below the button: of each list of results, those selected or all."""
        songs = list[Entry]()
        for results in self._results.shown_lists():
            chosen, found = results.view.selected(), results.model.neighbours
            if len(chosen) > 1:
                text = self.tr("{heading}: {num} selected songs…")
                told = text.format(heading=results.heading, num=len(chosen))
                songs.append(Entry(told, partial(self._export.save, chosen, self._name())))
            if found:
                text = self.tr("{heading}: all {num} songs…")
                told = text.format(heading=results.heading, num=len(found))
                songs.append(Entry(told, partial(self._export.save, found, self._name())))
                told = self.tr("{heading}: keep as playlist…").format(heading=results.heading)
                ids = [neighbour.track.id for neighbour in found]
                songs.append(Entry(told, partial(self.show_playlists, ids, self._name())))
        ask = partial(self.ask_to_save, self._name())
        others = [Entry(self.tr("Save this search…"), ask)]
        if num := self.kept.num_marks:
            text = self.tr("Table of your marks ({num} pairs)…").format(num=num)
            others.append(Entry(text, self._export.save_marks))
        button = self._results.save_button
        at = button.mapToGlobal(QPoint(0, button.height() + 4))
        show_menu(self._window, self._theme, at, songs, others)

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

    # Saved searches

    def ask_to_save(self, name: str) -> None:
        """For a name of the question on show, with the filters as they are."""
        if (question := self._search.question) is None:
            return
        ids = tuple(track.id for track in question.tracks)
        path = None if ids or question.artist is not None else question.path
        saved = SavedQuestion(self._search.options, ids, question.artist, path, question.part_s)

        def use(text: str) -> None:
            self.kept.save_search(text, saved)
            self.chooser.set_open(True)

        ask_text(self._window, self.tr("Save this search"), self.tr("Its name"), name, use)

    def _ask_again(self, found: tuple[SavedQuestion, list[Track]]) -> None:
        question, tracks = found
        self.options_restored.emit(question.options)
        if question.artist is not None:
            self._search.find_artist(question.artist)
        elif tracks:
            self._search.find(replace(Question.of(*tracks), part_s=question.part_s))
        elif question.path is not None:
            self._search.find(Question(None, question.path, part_s=question.part_s))

    # Marks

    def mark_entries(self, found: Sequence[Neighbour]) -> list[Entry]:
        """Whether results have the voice that was asked for."""
        entries = [
            Entry(self.tr("Not this voice"), partial(self.mark, found, False), "not-this"),
            Entry(self.tr("The same voice"), partial(self.mark, found, True), "same"),
        ]
        return entries if self._asked() else []

    def mark(self, found: Sequence[Neighbour], is_same: bool) -> None:
        """Results that have another voice leave the list."""
        if not (asked := self._asked()) or not found:
            return
        ids = [neighbour.track.id for neighbour in found]
        name = one_line(title_of(found[0].track))[:60]
        if is_same:
            text = self.tr("“{name}” is marked as the same voice.")
        else:
            text = self.tr("“{name}” is marked as another voice, and leaves the list.")
        if len(found) > 1:
            text = self.tr("{name} are marked.")
            name = num_songs(len(found))

        def tell() -> None:
            self._search.look_again()
            self.kept.told.emit(text.format(name=name), undo)

        def undo() -> None:
            self.kept.mark(asked, ids, None, self._search.look_again)

        self.kept.mark(asked, ids, is_same, tell)

    def _asked(self) -> list[int]:
        question = self._search.question
        return [] if question is None else [track.id for track in question.tracks]

"""What a person keeps of the library: favourites, playlists, saved searches, marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.services.open_library import OpenLibrary
from app.ui.text_format import num_songs
from engine.library import Library, Track
from engine.library.kept.marks import Mark, favourites, marks, put_mark, set_favourite
from engine.library.kept.playlists import (
    create,
    delete,
    import_m3u,
    playlists,
    rename,
    set_songs,
    songs_of,
)
from engine.library.kept.searches import delete_search, put_search, searches
from engine.library.kept.songs import KeptSong, keep
from engine.search.export import export_marks
from engine.search.saved import SavedQuestion, save_question, saved_question


class Kind(StrEnum):
    """What the table can show."""

    ALL = "all"
    FAVOURITES = "favourites"
    PLAYLIST = "playlist"
    SEARCH = "search"  # shows nothing in the table, but asks again


@dataclass(frozen=True)
class SongList:
    """A list of songs that can be chosen; ``id`` is for playlists."""

    kind: Kind
    name: str
    num_songs: int
    id: int = 0


class Kept(QObject):
    """Changes it off the UI thread, in order, and tells what is there now.

    Attributes (to be read):
        favourites: ids of tracks, the latest first. playlists, searches: by name.
        num_marks: pairs of songs marked as the same voice or not.
    """

    changed = Signal()
    told = Signal(str, object)  # a sentence, and what takes it back, or None

    def __init__(self, open_library: OpenLibrary, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_library = open_library
        self.favourites: tuple[int, ...] = ()
        self.playlists: tuple[SongList, ...] = ()
        self.searches: tuple[SongList, ...] = ()
        self.num_marks = 0
        open_library.overview_changed.connect(self.refresh)

    def refresh(self, _: object = None) -> None:
        """Nothing is kept of a catalogue, whose tracks have ids of their own."""
        if self._open_library.catalogue is not None:
            self._show(((), (), (), 0))
            return

        def work(library: Library) -> tuple[Any, ...]:
            db = library.database
            found = playlists(db)
            hearts = [song.track_id for song in favourites(db) if song.track_id is not None]
            lists = [SongList(Kind.PLAYLIST, one.name, one.num_songs, one.id) for one in found]
            saved = [SongList(Kind.SEARCH, name, 0) for name in searches(db)]
            return tuple(hearts), tuple(lists), tuple(saved), len(marks(db))

        self._open_library.run(work, self._show)

    def _show(self, now: tuple[Any, ...]) -> None:
        if now != (self.favourites, self.playlists, self.searches, self.num_marks):
            self.favourites, self.playlists, self.searches, self.num_marks = now
            self.changed.emit()

    def _change(
        self, work: Callable[[Library], Any], use: Callable[[Any], object] = lambda _: None
    ) -> None:
        if not self._open_library.is_read_only():
            self._open_library.run(work, use)
            self.refresh()

    # Favourites

    def toggle_favourites(self, track_ids: Sequence[int]) -> None:
        """All of them get a heart, or, where all have one, lose it."""
        is_new = not set(track_ids) <= set(self.favourites)
        self._change(lambda library: set_favourite(library.database, track_ids, is_new))

    # Playlists

    def read(self, playlist_id: int, use: Callable[[list[KeptSong]], object]) -> None:
        """Hands over a playlist's songs, with those that the library does not hold."""
        self._open_library.run(lambda library: songs_of(library.database, playlist_id), use)

    def create(
        self, name: str, track_ids: Sequence[int], use: Callable[[int], object] = lambda _: None
    ) -> None:
        """A new playlist; hands over its id. Its name gets a number where it is taken."""

        def work(library: Library) -> int:
            taken = {one.name.casefold() for one in playlists(library.database)}
            free, number = name, 1
            while free.casefold() in taken:
                free, number = f"{name} {number + 1}", number + 1
            return create(library.database, free, keep(library.database, track_ids))

        self._change(work, use)

    def add(self, playlist: SongList, track_ids: Sequence[int]) -> None:
        text = self.tr("{songs} added to “{name}”.")
        self._edit(
            playlist,
            lambda library, before: [*before, *keep(library.database, track_ids)],
            text.format(songs=num_songs(len(track_ids)), name=playlist.name),
        )

    def take_out(self, playlist: SongList, positions: Sequence[int]) -> None:
        """Songs by their places among all of the playlist's, which begin at 0."""
        gone, text = set(positions), self.tr("{songs} taken out of “{name}”.")
        self._edit(
            playlist,
            lambda _, before: [one for place, one in enumerate(before) if place not in gone],
            text.format(songs=num_songs(len(positions)), name=playlist.name),
        )

    def move(self, playlist: SongList, positions: Sequence[int], target: int) -> None:
        """Some songs before the one that is at ``target`` now, or to the end."""

        def change(library: Library, ids: list[int]) -> list[int]:
            others = [(place, one) for place, one in enumerate(ids) if place not in positions]
            before = [one for place, one in others if place < target]
            after = [one for place, one in others if place >= target]
            return [*before, *(ids[place] for place in positions), *after]

        self._edit(playlist, change)

    def _edit(
        self,
        playlist: SongList,
        change: Callable[[Library, list[int]], list[int]],
        text: str = "",
    ) -> None:
        """From the songs that there are to others; ``text`` is told, with a way back."""

        def work(library: Library) -> list[int]:
            before = [song.id for song in songs_of(library.database, playlist.id)]
            set_songs(library.database, playlist.id, change(library, before))
            return before

        def tell(before: list[int]) -> None:
            self.changed.emit()
            if text:
                self.told.emit(text, lambda: self._edit(playlist, lambda _, now: before))

        self._change(work, tell)

    def rename(self, playlist: SongList, name: str) -> None:
        self._change(lambda library: rename(library.database, playlist.id, name))

    def delete(self, playlist: SongList) -> None:
        def work(library: Library) -> list[int]:
            before = [song.id for song in songs_of(library.database, playlist.id)]
            delete(library.database, playlist.id)
            return before

        def tell(before: list[int]) -> None:
            def undo() -> None:
                self._change(lambda library: create(library.database, playlist.name, before))

            text = self.tr("The playlist “{name}” is deleted.").format(name=playlist.name)
            self.told.emit(text, undo)

        self._change(work, tell)

    def import_files(self, paths: Sequence[Path]) -> None:
        """Playlists of other programs."""

        def work(library: Library) -> list[KeptSong]:
            db = library.database
            return [song for path in paths for song in songs_of(db, import_m3u(db, path))]

        def tell(songs: list[KeptSong]) -> None:
            num_lost = sum(song.track_id is None for song in songs)
            text = self.tr("{songs} imported.").format(songs=num_songs(len(songs)))
            if num_lost:
                text += " " + self.tr(
                    "{num} of them are not in the library; they appear once their folder is."
                ).format(num=num_lost)
            self.told.emit(text, None)

        self._change(work, tell)

    # Saved searches

    def save_search(self, name: str, question: SavedQuestion) -> None:
        self._change(lambda library: save_question(library, name, question))

    def read_search(
        self, name: str, use: Callable[[tuple[SavedQuestion, list[Track]]], object]
    ) -> None:
        """Hands over a saved search, and the songs that it asks with."""

        def work(library: Library) -> tuple[SavedQuestion, list[Track]]:
            question = saved_question(library, name)
            return question, library.tracks(question.track_ids)

        self._open_library.run(work, use)

    def delete_search(self, name: str) -> None:
        def work(library: Library) -> dict[str, Any]:
            question = searches(library.database)[name]
            delete_search(library.database, name)
            return question

        def tell(question: dict[str, Any]) -> None:
            def undo() -> None:
                self._change(lambda library: put_search(library.database, name, question))

            self.told.emit(self.tr("The search “{name}” is deleted.").format(name=name), undo)

        self._change(work, tell)

    # Marks

    def mark(
        self,
        asked: Sequence[int],
        found: Sequence[int],
        is_same: bool | None,
        use: Callable[[], object],
    ) -> None:
        """Whether songs that were found have the voice of those asked with; None: no word on it."""

        def work(library: Library) -> None:
            for one in asked:
                for other in found:
                    put_mark(library.database, one, other, is_same)

        self._change(work, lambda _: use())

    def export_marks(self, target: Path) -> None:
        """All pairs as a table."""

        def work(library: Library) -> list[Mark]:
            found = marks(library.database)
            export_marks(found, target)
            return found

        def tell(found: list[Mark]) -> None:
            text = self.tr("{num} pairs written to {path}.").format(num=len(found), path=target)
            self.told.emit(text, None)

        self._open_library.run(work, tell)

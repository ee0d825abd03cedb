"""What buttons, drops and the menu of a song do: find, add folders, show failed files, help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.desktop.reveal import reveal
from app.library.dialogs import CatalogueDialog, FailedDialog, FoldersDialog
from app.player.player import Side
from app.player.queue import Sound, sound_of_file, sound_of_track
from app.services.search_service import Question
from app.services.services import Services
from app.settings import LAST_CATALOGUE, LAST_FOLDER, LAST_SOUND
from app.ui.dialogs import HelpSheet, Mode, open_file_dialog
from app.ui.menus import Entry, show_menu
from app.ui.shortcuts import Keys
from app.ui.text_format import num_songs, one_line, title_of
from engine.library import Track, TrackStatus
from engine.library.groups import Group
from engine.library.scan.walk import AUDIO_EXTENSIONS


class Commands(QObject):
    """The one place that opens menus and dialogs; ``window`` is their parent."""

    radio_requested = Signal(object)  # Track
    enqueued = Signal(int)  # so many songs

    def __init__(self, window: QWidget, services: Services) -> None:
        super().__init__(window)
        self.window = window
        self._services = services
        self._open_library = services.open_library
        self._settings = services.settings
        self._search = services.search
        self._player = services.player
        self._queue = services.player.queue
        self._theme = services.theme

    def add_folder(self) -> None:
        """Asks for a folder and adds it."""

        def use(path: Path) -> None:
            self._settings.set(LAST_FOLDER, str(path))
            self._open_library.add_folders([path])

        if self._open_library.is_open:
            # A sheet over a sheet, on macOS: it would open behind it.
            parent = QApplication.activeModalWidget() or self.window
            title, start = self.tr("Choose a music folder"), self._settings.get(LAST_FOLDER)
            dialog = open_file_dialog(parent, title, Mode.Directory, start=start)
            dialog.fileSelected.connect(lambda path: use(Path(path)))

    def open_catalogue(self) -> None:
        """Asks for a catalogue; where one is open, goes back to the library."""
        if self._open_library.catalogue is not None:
            self._open_library.close_catalogue()
        elif self._open_library.is_open:
            dialog = CatalogueDialog(self.window, self._theme, self._settings.get(LAST_CATALOGUE))
            dialog.chosen.connect(partial(self._settings.set, LAST_CATALOGUE))
            dialog.chosen.connect(self._open_library.open_catalogue)
            dialog.open()

    def find_file(self) -> None:
        """Asks for an audio file, which need not be in the library."""

        def use(path: Path) -> None:
            self._settings.set(LAST_SOUND, str(path.parent))
            self._probe(path)

        if self._open_library.is_open:
            patterns = " ".join(f"*{extension}" for extension in sorted(AUDIO_EXTENSIONS))
            dialog = open_file_dialog(
                self.window,
                self.tr("Find songs like this audio file"),
                Mode.ExistingFile,
                start=self._settings.get(LAST_SOUND),
                filters=(self.tr("Audio") + f" ({patterns})", self.tr("All files") + " (*)"),
            )
            dialog.fileSelected.connect(lambda path: use(Path(path)))

    def open_paths(self, paths: Sequence[Path]) -> None:
        """What was dropped, or named at the start: folders are added, else files are heard.

        The first file is searched with; several play one after another.
        """

        def use(found: tuple[list[Path], list[Path]]) -> None:
            folders, files = found
            gone = [path for path in paths if path not in (*folders, *files)]
            if gone:
                text = self.tr("{path} is not there. Was it moved or renamed?")
                self._open_library.problem.emit(text.format(path=one_line(str(gone[0]))[-200:]))
            if folders:
                self._open_library.add_folders(folders)
            elif files:
                self._probe(files[0], files[1:])

        if paths and self._open_library.is_open:
            self._open_library.sort_out(paths, use)

    def _probe(self, path: Path, following: Sequence[Path] = ()) -> None:
        def use(duration_s: float) -> None:
            self._search.find(Question(None, path, duration_s))
            if following:
                queue = [sound_of_file(one) for one in following]
                self._player.play(Side.QUERY, sound_of_file(path, duration_s), queue)

        self._open_library.probe(path, use)

    # The queue

    def play_all(self, track_ids: Sequence[int]) -> None:
        """These songs now, one after another."""
        self._open_library.fetch_tracks(track_ids, self.play_tracks)

    def play_tracks(self, tracks: Sequence[Track]) -> None:
        """The same, as far as their files are there."""
        sounds = [sound_of_track(track) for track in tracks if can_be_played(track)]
        if sounds:
            self._player.play(Side.QUERY, sounds[0], sounds[1:])

    def enqueue(self, track_ids: Sequence[int], *, is_next: bool = False) -> None:
        """Songs of the library, to be played next or at the end."""

        def use(tracks: list[Track]) -> None:
            sounds = [sound_of_track(track) for track in tracks if can_be_played(track)]
            self._queue.add(sounds, is_next=is_next)
            self.enqueued.emit(len(sounds))

        self._open_library.fetch_tracks(track_ids, use)

    def start_radio(self, track_ids: Sequence[int]) -> None:
        """From the first of these songs that can be played, if possible one with a voice."""

        def use(tracks: list[Track]) -> None:
            playable = sorted(filter(can_be_played, tracks), key=lambda one: not one.has_vocals)
            for track in playable[:1]:
                self.radio_requested.emit(track)

        self._open_library.fetch_tracks(track_ids, use)

    def enqueue_files(self, paths: Sequence[Path], place: int | None = None) -> None:
        """Files from anywhere, at a place of the queue or at its end."""

        def use(sounds: list[Sound]) -> None:
            last = len(self._queue.entries)
            self._queue.insert(sounds, last if place is None else min(place, last))
            self.enqueued.emit(len(sounds))

        self._open_library.sounds_of(paths, use)

    # Dialogs

    def show_folders(self) -> None:
        FoldersDialog(self.window, self._services, self.add_folder, self.open_catalogue).open()

    def show_failed(self) -> None:
        def use(tracks: list[Track]) -> None:
            FailedDialog(self.window, self._services, tracks, self.reveal_path).open()

        self._open_library.failed_tracks(use)

    def show_help(self) -> None:
        HelpSheet(self.window, self._theme).open()

    def reveal(self, track: Track) -> None:
        """Shows a song in the file manager, or says that it lies on no disk of this computer."""
        if track.is_elsewhere:
            self._open_library.problem.emit(
                self.tr("{title} is not on this computer: its voice was heard elsewhere.").format(
                    title=title_of(track)[:80]
                )
            )
        else:
            self.reveal_path(track.path)

    def reveal_path(self, path: Path) -> None:
        """Shows a file in the file manager."""
        if not reveal(path):
            self._open_library.problem.emit(
                self.tr("No file manager could be opened. The file is {path}").format(path=path)
            )

    def show_group_menu(
        self, group: Group, at: QPoint, show: Callable[[], object], more: Sequence[Entry]
    ) -> None:
        """What can be done with an artist, or an album; ``show``: as a click would."""
        ids = group.track_ids
        songs = Entry(self.tr("Show {songs}").format(songs=num_songs(len(ids))), show)
        play = Entry(self.tr("Play all"), partial(self.play_all, ids), "play")
        ways = self._ways_to_play(ids, partial(self.start_radio, ids))
        asking = [songs, *self._find_artist(group.artist)]
        show_menu(self.window, self._theme, at, asking, [play, *ways], more)

    def show_track_menu(
        self,
        track: Track,
        at: QPoint,
        play: Callable[[], object],
        ids: Sequence[int],
        more: Sequence[Entry] = (),
    ) -> None:
        """What can be done with a song, at a global position; ``more`` comes after playing.

        ``play``: as a double click would. ``ids``: all songs that are selected with it.
        """
        is_heard = track.status in (TrackStatus.INDEXED, TrackStatus.MISSING)
        find = partial(self._search.find_track, track)
        asking = [Entry(self.tr("Find similar"), find, "find", is_enabled=is_heard)]
        ways = self._ways_to_play(ids, partial(self.radio_requested.emit, track))
        playing = [Entry(self.tr("Play"), play, "play"), *ways]
        can_play = can_be_played(track)
        copy = partial(QGuiApplication.clipboard().setText, str(track.path))
        show = partial(self.reveal, track)
        file = [
            Entry(self.tr("Show in folder"), show, "reveal", is_enabled=not track.is_elsewhere),
            Entry(self.tr("Copy path"), copy),
        ]
        if track.status is TrackStatus.FAILED:
            again = partial(self._open_library.retry, [track.id])
            file.append(Entry(self.tr("Try again"), again, "retry"))
        show_menu(
            self.window,
            self._theme,
            at,
            [*asking, *self._find_artist(track.artist)],
            [replace(one, is_enabled=can_play) for one in playing],
            more,
            file,
        )

    def _find_artist(self, artist: str) -> list[Entry]:
        text = self.tr("Voices like {artist}’s").format(artist=one_line(artist)[:40])
        return [Entry(text, partial(self._search.find_artist, artist), "voice")] if artist else []

    def _ways_to_play(self, ids: Sequence[int], radio: Callable[[], object]) -> list[Entry]:
        """Next, at the end, and without one."""
        songs = "" if len(ids) < 2 else f"  ({num_songs(len(ids))})"
        play_next, enqueue = partial(self.enqueue, ids, is_next=True), partial(self.enqueue, ids)
        return [
            Entry(self.tr("Play next") + songs, play_next, "next", Keys.PLAY_NEXT),
            Entry(self.tr("Add to queue") + songs, enqueue, "queue", Keys.ENQUEUE),
            Entry(self.tr("Radio from this voice"), radio, "radio", Keys.RADIO),
        ]


def can_be_played(track: Track) -> bool:
    return track.status is not TrackStatus.MISSING and not track.is_elsewhere

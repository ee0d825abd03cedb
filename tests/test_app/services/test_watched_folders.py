"""Folders that are watched, a second start, and how fast indexing may be."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from support import app_fixtures
from support.app_fixtures import shown_titles
from support.app_window import SONGS, write_songs
from support.patience import PATIENCE_MS, PATIENCE_S
from watchfiles._rust_notify import RustNotify

from app.desktop.single_instance import SingleInstance, hand_over, server_name
from app.jobs import JobRunner
from app.preferences.dialog import PreferencesDialog
from app.services.indexing import num_workers
from app.services.open_library import Overview
from app.services.watched_folders import WatchedFolders
from app.settings import INDEX_SPEED
from engine.indexing.watch import WatchError, may_be_music, watch_folders
from engine.library import Folder, Library, LibraryCounts
from engine.library.scan.scan import scan
from engine.progress import CancelToken, Progress

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


# Watching


@pytest.fixture
def is_watched(monkeypatch) -> threading.Event:
    """Set as soon as the system tells of changes: what happens before that is not noticed."""
    event = threading.Event()

    def notify(*arguments: object) -> RustNotify:
        made = RustNotify(*arguments)
        event.set()
        return made

    monkeypatch.setattr("watchfiles.main.RustNotify", notify)
    return event


@pytest.fixture
def watch(tmp_path, is_watched, monkeypatch):
    """Starts watching ``tmp_path``; returns an event that each told change sets."""
    cancel, told = CancelToken(), threading.Event()
    folder = tmp_path / "music"
    folder.mkdir()
    monkeypatch.setattr("engine.indexing.watch.CALM_S", 0.2)
    thread = threading.Thread(target=watch_folders, args=([folder], told.set, cancel))
    thread.start()
    assert is_watched.wait(PATIENCE_S)
    yield folder, told
    cancel.cancel()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_new_song_in_a_new_folder_is_noticed(watch):
    folder, told = watch
    (folder / "Alma" / "Album").mkdir(parents=True)
    (folder / "Alma" / "Album" / "song.mp3").write_bytes(b"sound")
    assert told.wait(PATIENCE_S)


@pytest.mark.parametrize(
    ("name", "is_told"),
    [("song.flac", True), ("Album", True), ("notes.txt", False), ("cover.jpg", False)],
)
def test_what_is_no_music_is_not_told(name: str, is_told: bool):
    assert may_be_music(Path("/music") / name) == is_told


def test_folders_that_are_not_there_are_left_out(tmp_path):
    watch_folders([tmp_path / "unplugged"], pytest.fail, CancelToken())


def test_a_system_that_cannot_watch_is_told(tmp_path, monkeypatch):
    def watch(*_: object, **__: object) -> None:
        raise OSError("No space left on device: too many watches")

    monkeypatch.setattr("watchfiles.watch", watch)
    with pytest.raises(WatchError, match="too many watches"):
        watch_folders([tmp_path], pytest.fail, CancelToken())


def overview_of(path) -> Overview:
    counts = LibraryCounts(0, 0, 0, 0, 0, 0, {})
    return Overview((Folder(1, path, True, 0),), counts)


def test_where_nothing_can_be_watched_it_looks_when_the_window_is_used(
    qtbot, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO")

    def refuse(*_: object) -> None:
        raise WatchError("Too many folders.")

    monkeypatch.setattr("app.services.watched_folders.watch_folders", refuse)
    monkeypatch.setattr("app.services.watched_folders.LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr("app.services.watched_folders.START_MS", 0)
    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    watch = WatchedFolders(runner)
    watch.show_overview(overview_of(tmp_path))
    qtbot.waitUntil(lambda: "Too many folders." in caplog.text)
    qtbot.waitUntil(lambda: not watch.is_watching)
    with qtbot.waitSignal(watch.changed):
        watch.focused()
    watch.set_on(False)
    with qtbot.assertNotEmitted(watch.changed):
        watch.focused()
    assert runner.close()


def test_a_song_that_is_copied_into_a_folder_appears(qtbot, window, music, is_watched, monkeypatch):
    monkeypatch.setattr("engine.indexing.watch.CALM_S", 0.2)
    window.services.indexing.look_work = lambda library, progress, cancel: scan(
        library, (), progress, cancel
    )
    monkeypatch.setattr("app.services.watched_folders.START_MS", 0)
    window.watch.set_on(True)
    qtbot.waitUntil(is_watched.is_set)
    write_songs(music, (("Dora", "New song"),))
    qtbot.waitUntil(lambda: "New song" in shown_titles(window))
    window.watch.set_on(False)
    qtbot.waitUntil(lambda: not window.watch.is_watching)


# How fast


def test_cores_that_are_left_alone(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert [num_workers(speed) for speed in ("all", "spare", "one", "nonsense")] == [8, 7, 1, 7]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert num_workers("spare") == 1


def test_another_speed_starts_the_run_anew(qtbot, window):
    num_runs = []

    def index(library: Library, progress: object, cancel: CancelToken) -> None:
        num_runs.append(1)
        progress(Progress("vocals", 1, 2))
        while len(num_runs) == 1:
            cancel.check()
            threading.Event().wait(0.01)

    window.services.indexing.index_work = index
    window.services.indexing.start()
    qtbot.waitUntil(lambda: bool(num_runs))
    window.show_preferences()
    (dialog,) = window.findChildren(PreferencesDialog)
    speed = dialog.indexing.speed
    assert speed.currentData() == "spare"
    speed.setCurrentIndex(speed.findData("one"))
    speed.activated.emit(speed.currentIndex())
    dialog.close()
    assert window.services.settings.get(INDEX_SPEED) == "one"
    qtbot.waitUntil(lambda: len(num_runs) == 2)
    qtbot.waitUntil(lambda: not window.services.indexing.is_running)


# A second start


def test_a_second_start_hands_its_folders_to_the_first(qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("app.desktop.single_instance.PATIENCE_MS", PATIENCE_MS)
    folder = tmp_path / "naïve 🎤"
    library_path = tmp_path / "library.db"
    instance = SingleInstance(library_path)
    told: list = []
    instance.asked.connect(told.append)
    answers: list[bool] = []
    # In a thread, as another process would: it waits for the first one's event loop.
    thread = threading.Thread(target=lambda: answers.append(hand_over(library_path, [folder])))
    thread.start()
    qtbot.waitUntil(lambda: bool(told))
    thread.join(PATIENCE_S)
    assert (told, answers) == ([[folder]], [True])
    instance.close()


def test_nobody_answers_for_another_library(qapp, tmp_path):
    instance = SingleInstance(tmp_path / "one.db")
    assert not hand_over(tmp_path / "other.db", [])
    instance.close()
    assert not hand_over(tmp_path / "one.db", [])
    assert server_name(tmp_path / "a" / ".." / "one.db") == server_name(tmp_path / "one.db")


def test_a_second_start_brings_the_window_to_the_front(qtbot, window, tmp_path):
    write_songs(tmp_path / "more", SONGS[:1])
    window.services.indexing.index_work = lambda library, progress, cancel: scan(library, ())
    window.showMinimized()
    window.come_forward([tmp_path / "more"])
    assert not window.isMinimized()
    qtbot.waitUntil(lambda: len(shown_titles(window)) == len(SONGS) + 1)

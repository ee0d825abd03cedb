"""What goes wrong outside of the window: each time a sentence, and everything else goes on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from support import app_fixtures
from support.app_fixtures import click_song, find_first, results, shown_titles
from support.app_window import SONGS, listen, write_songs, write_wav

from app.library.dialogs import FoldersDialog
from app.player.player import Side, Sound
from engine.library import Library
from engine.library.scan.scan import scan

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


def test_music_on_a_drive_that_is_gone_stays_in_the_library(qtbot, window, music):
    find_first(qtbot, window)
    music.rename(music.with_name("unplugged"))
    window.services.indexing.index_work = lambda library, progress, cancel: scan(library, ())
    qtbot.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: not window.services.indexing.is_running)
    click_song(qtbot, window, 1)
    qtbot.waitUntil(lambda: "First light" in results(window)[0])
    window.services.player.toggle()
    qtbot.waitUntil(lambda: window.notice.text.startswith("Second wind: "))
    assert "gone" in window.notice.text
    assert not window.services.player.is_playing
    qtbot.waitUntil(lambda: not window.services.open_library.overview.folders[0].is_available)
    window.top_bar.folders.click()
    (dialog,) = window.findChildren(FoldersDialog)
    assert "not available now" in dialog.list.item(0).data(Qt.ItemDataRole.AccessibleTextRole)
    dialog.close()


def test_a_library_on_a_drive_that_is_gone_is_told(open_window, library_path):
    library_path.mkdir()  # what a place where something else was mounted may look like
    window = open_window()
    assert window.pages.currentWidget() is window.problem_page
    labels = window.problem_page.findChildren(QLabel)
    assert f"{library_path.name} is a folder" in " ".join(label.text() for label in labels)
    assert str(library_path) in " ".join(label.toolTip() for label in labels)


def test_a_file_that_is_deleted_while_it_plays_is_told_at_the_next_place(qtbot, window, tmp_path):
    player = window.services.player
    path = write_wav(tmp_path / "song.wav", 30.0)
    player.play(Side.QUERY, Sound(path, "My song", "", 30.0))
    player.device.pull(4)
    path.unlink()
    player.seek(Side.QUERY, 20.0)
    qtbot.waitUntil(lambda: window.notice.text.startswith("My song: "))
    assert not player.is_playing
    assert player.sound(Side.QUERY) is None


def test_titles_of_five_hundred_letters_leave_the_window_as_it_is(
    qtbot, open_window, library_path, music
):
    from mutagen.id3 import TALB, TIT2, TPE1
    from mutagen.wave import WAVE

    for path in write_songs(music, SONGS):
        song = WAVE(path)
        song.add_tags()
        for frame in (TIT2, TPE1, TALB):
            song.tags.add(frame(encoding=3, text=f"{path.stem} " + "Łą" * 250))
        song.save()
    with Library.open(library_path) as library:
        library.add_folder(music)
        scan(library)
        listen(library)
    window = open_window()
    qtbot.waitUntil(lambda: None not in shown_titles(window) and len(shown_titles(window)) == 5)
    assert {len(title) for title in shown_titles(window)} == {300}  # cut where nobody reads on
    click_song(qtbot, window, 0)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
    window.results.voices.view.setCurrentIndex(window.results.voices.model.index(0))
    window.services.player.toggle()
    window.resize(1024, 700)
    assert window.width() == 1024

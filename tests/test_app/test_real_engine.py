"""From the first start to a playlist, with nothing in the place of the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton
from support import app_fixtures
from support.app_fixtures import MAIN_PAGE, click_song, results, shown_titles
from support.sound import write_wav

from app.player.player import Side
from app.services.indexing import index_library
from engine.demo.mix import SAMPLE_RATE_HZ as RATE_HZ
from engine.demo.mix import stems
from engine.demo.songs import SONGS

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
open_window = app_fixtures.open_window

SINGERS = ("Ann", "Bea")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Two songs each by two singers."""
    for singer, name in enumerate(SINGERS):
        for song in range(2):
            path = tmp_path / "music" / name / "Album" / f"{name} {song}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, stems(SONGS[3 * singer + song]).mixture, RATE_HZ)
    return tmp_path / "music"


def test_first_start_index_find_play_and_export(qtbot, open_window, music):
    window = open_window(index=index_library)
    assert window.pages.currentWidget() is window.start_page
    buttons = window.start_page.findChildren(QPushButton)
    next(button for button in buttons if "folder" in button.text()).click()
    (dialog,) = window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(music))
    dialog.close()
    qtbot.waitUntil(lambda: window.pages.currentIndex() == MAIN_PAGE)
    qtbot.waitUntil(lambda: shown_titles(window) == ["Ann 0", "Ann 1", "Bea 0", "Bea 1"])
    library = window.services.open_library.library
    qtbot.waitUntil(lambda: library.counts().new == 0 and not window.services.indexing.is_running)
    assert library.counts().failed == 0

    click_song(qtbot, window, 0)
    qtbot.waitUntil(lambda: [len(found) for found in results(window)] == [3, 3])
    assert results(window)[0][0] == "Ann 1"  # by the same singer; another's band may be nearer

    voices = window.results.voices
    voices.view.setCurrentIndex(voices.model.index(0))
    qtbot.keyClick(voices.view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    player = window.services.player
    assert player.is_playing
    assert player.sound(Side.RESULT).title == "Ann 1"
    qtbot.waitUntil(lambda: bool(player.device.pull(4).any()))  # it sounds

    voices.view.setFocus()
    window.find_page.keeping.save_selected()
    (dialog,) = window.findChildren(QFileDialog)
    target = music / "like.m3u8"
    dialog.fileSelected.emit(str(target))
    dialog.close()
    qtbot.waitUntil(target.exists)
    songs = [line for line in target.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert songs[0] == "Ann/Album/Ann 1.wav"

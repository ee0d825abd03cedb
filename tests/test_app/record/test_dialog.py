"""Sing or hum: from the microphone to the voices nearest to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from support import app_fixtures
from support.app_fixtures import results
from support.app_window import make_library
from support.sound import buzz

from app.player.player import Side
from app.record.dialog import RecordDialog, RecordState
from app.record.microphone import Microphone
from app.window import MainWindow
from engine.search import SearchOptions

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window

RATE_HZ = 44_100


class Devices:
    """In place of PortAudio: a microphone that hears ``sound`` when it is told to."""

    def __init__(self, sound: np.ndarray) -> None:
        self.sound = sound
        self.error: Exception | None = None
        self.num_open = 0
        self.callback = None

    def refresh(self) -> bool:
        return True

    def open(self, make):
        if self.error is not None:
            raise self.error
        self.num_open += 1
        return make(self)

    def close(self, stream: object) -> None:
        self.num_open -= 1

    def check_input_settings(self, *args: object, **settings: object) -> None:
        assert settings["channels"] == 1

    PortAudioError = OSError

    def InputStream(self, *, callback, **settings: object) -> object:
        self.callback = callback
        return object()

    def sing(self, seconds: float) -> None:
        num = round(seconds * RATE_HZ)
        piece, self.sound = self.sound[:num], self.sound[num:]
        for start in range(0, len(piece), 882):
            block = piece[start : start + 882]
            self.callback(block[:, None], len(block), None, None)


@pytest.fixture
def devices() -> Devices:
    return Devices(buzz(12.0, RATE_HZ, 220.0))


@pytest.fixture
def window(qtbot, library_path: Path, music: Path, open_window, devices, monkeypatch) -> MainWindow:
    monkeypatch.setattr("app.record.microphone.STALL_S", 1000.0)  # a busy machine stalls as well
    make_library(library_path, music)
    window = open_window()
    window.services.devices = devices
    qtbot.waitUntil(lambda: len(window.library.model.ids) == 5)
    return window


def open_dialog(qtbot, window: MainWindow) -> RecordDialog:
    qtbot.mouseClick(window.top_bar.record, Qt.MouseButton.LeftButton)
    dialog = window.findChildren(RecordDialog)[-1]  # one that was closed may still be there
    assert dialog._state is RecordState.READY
    return dialog


def test_nothing_plays_into_the_microphone(qtbot, window, devices):
    window.comparison.play_track(window.library.model.track_at(0))
    dialog = open_dialog(qtbot, window)
    assert window.services.player.is_playing
    qtbot.mouseClick(dialog._again, Qt.MouseButton.LeftButton)
    assert not window.services.player.is_playing
    dialog.close()


def record(qtbot, dialog: RecordDialog) -> None:
    qtbot.mouseClick(dialog._again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._state is RecordState.RECORDING)


def text_of(dialog: RecordDialog) -> str:
    return " ".join(label.text() for label in dialog.findChildren(QLabel) if label.isVisible())


def test_ten_seconds_of_singing_find_the_nearest_voices(qtbot, window, devices, monkeypatch):
    asked = []

    def by_file(self, path: Path, options: SearchOptions, **about: object):
        asked.append((path, options.by, about["is_vocals"], path.is_file()))
        return self.by_track(1, options)

    monkeypatch.setattr("engine.search.Searcher.by_file", by_file)
    dialog = open_dialog(qtbot, window)
    record(qtbot, dialog)
    devices.sing(4.0)
    qtbot.waitUntil(lambda: dialog._meter._level > 0.4)
    assert "6 s left" in text_of(dialog)
    devices.sing(7.0)
    qtbot.waitUntil(lambda: dialog._state is RecordState.DONE)
    assert devices.num_open == 0
    qtbot.mouseClick(dialog._play, Qt.MouseButton.LeftButton)
    assert window.services.player.sound(Side.QUERY).title == "Your voice"
    window.services.player.pause()
    qtbot.mouseClick(dialog._find, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(results(window)[0]) == 4)
    ((path, by, is_vocals, was_there),) = asked
    assert (by, is_vocals, was_there) == ("vocals", True, True)
    assert window.results.shown_lists() == [window.results.voices]
    assert window.results.query_row.sound.title == "Your voice"
    window.close()
    assert not path.exists()


def test_a_recording_is_ended_by_hand_and_tried_again(qtbot, window, devices):
    dialog = open_dialog(qtbot, window)
    record(qtbot, dialog)
    devices.sing(3.0)
    qtbot.mouseClick(dialog._meter, Qt.MouseButton.LeftButton)  # the same as its button
    qtbot.waitUntil(lambda: dialog._state is RecordState.DONE)
    assert dialog._recording[1] == pytest.approx(3.0, abs=0.3)
    first = dialog._recording[0]
    record(qtbot, dialog)
    devices.sing(5.0)
    qtbot.mouseClick(dialog._again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog._state is RecordState.DONE)
    assert dialog._recording[0] != first
    dialog.close()


def test_silence_is_explained(qtbot, window, devices):
    devices.sound = np.zeros(12 * RATE_HZ, np.float32)
    dialog = open_dialog(qtbot, window)
    record(qtbot, dialog)
    devices.sing(10.5)
    qtbot.waitUntil(lambda: dialog._state is RecordState.READY)
    assert "not muted" in text_of(dialog)
    assert dialog._again.text() == "Try again"
    dialog.close()


def test_without_a_microphone_there_is_a_sentence(qtbot, window, devices):
    devices.error = OSError("Error querying device -1")
    dialog = open_dialog(qtbot, window)
    qtbot.mouseClick(dialog._again, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "no microphone was found" in text_of(dialog))
    assert "try again" in text_of(dialog)
    dialog.close()


def test_closing_while_the_microphone_opens_closes_it_again(qtbot, window, devices):
    dialog = open_dialog(qtbot, window)
    qtbot.mouseClick(dialog._again, Qt.MouseButton.LeftButton)
    dialog.close()
    qtbot.waitUntil(lambda: devices.callback is not None)
    qtbot.waitUntil(lambda: devices.num_open == 0)


def test_closing_ends_the_recording(qtbot, window, devices):
    dialog = open_dialog(qtbot, window)
    record(qtbot, dialog)
    assert devices.num_open == 1
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert devices.num_open == 0
    again = open_dialog(qtbot, window)
    record(qtbot, again)
    window.close()  # with the sheet open and recording
    assert devices.num_open == 0


def test_a_microphone_that_falls_silent_ends_the_recording(qtbot, window, devices, monkeypatch):
    dialog = open_dialog(qtbot, window)
    record(qtbot, dialog)
    devices.sing(2.5)
    monkeypatch.setattr("app.record.microphone.STALL_S", -1000.0)  # as if it were so long ago
    qtbot.waitUntil(lambda: dialog._state is RecordState.DONE)
    dialog.close()


def test_no_more_than_ten_seconds_are_kept(devices):
    microphone = Microphone(devices)  # type: ignore[arg-type]
    devices.sing(12.0)
    assert microphone.is_full
    assert len(microphone.close()) == 10 * RATE_HZ
    assert len(microphone.close()) == 10 * RATE_HZ
    assert devices.num_open == 0

from __future__ import annotations

import json
import re
import threading
import tomllib

import pytest
from PySide6.QtWidgets import QComboBox, QMenu, QMessageBox, QPushButton, QRadioButton
from support import app_fixtures
from support.documents import ROOT
from support.patience import PATIENCE_S

from app.desktop.log import tail
from app.library.dialogs import FoldersDialog
from app.preferences import about
from app.preferences.about import installed_parts, licences_text
from app.preferences.dialog import PreferencesDialog
from app.settings import EQUALLY_LOUD, INDEX_SPEED, OUTPUT_DEVICE, WATCH_FOLDERS
from engine.errors import SingalikeError
from engine.library import Library
from engine.models import default_model_name
from engine.preferences import Choices, choices_path, read_choices, write_choices

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user who has chosen nothing yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.fixture
def dialog(qtbot, home, window):
    window.top_bar.preferences.click()
    (dialog,) = window.findChildren(PreferencesDialog)
    qtbot.waitUntil(lambda: dialog.models._cards.count() > 0)
    yield dialog
    if window.findChildren(PreferencesDialog):
        dialog.close()


def button_of(qtbot, parent, text: str) -> QPushButton:
    """What has just been made can be seen only a turn of the event loop later."""

    def seen() -> list[QPushButton]:
        return [b for b in parent.findChildren(QPushButton) if text in b.text() and b.isVisible()]

    qtbot.waitUntil(lambda: bool(seen()))
    return seen()[0]


def question(dialog) -> QMessageBox:
    (box,) = [b for b in dialog.findChildren(QMessageBox) if b.isVisible()]
    return box


# Choices


def test_choices_are_kept_and_nonsense_is_passed_over(tmp_path):
    path = tmp_path / "a" / "choices.json"
    assert read_choices(path) == Choices()
    write_choices(Choices({"vocals": "ge2e"}, "umxhq"), path)
    assert read_choices(path) == Choices({"vocals": "ge2e"}, "umxhq")
    for nonsense in ("[]", "{", '{"models": 3}', "\0"):
        path.write_text(nonsense)
        assert read_choices(path) == Choices()
    (tmp_path / "file").write_text("")
    with pytest.raises(SingalikeError, match="cannot be kept"):
        write_choices(Choices(), tmp_path / "file" / "choices.json")


def test_a_chosen_model_serves_if_it_is_there(home):
    before = default_model_name("vocals")
    write_choices(Choices({"vocals": "dvector"}))
    assert default_model_name("vocals") == "dvector"
    assert default_model_name("overall") == default_model_name("overall")
    write_choices(Choices({"vocals": "long gone"}))
    assert default_model_name("vocals") == before


# Models and separators


def test_another_model_says_what_it_costs_before_anything_happens(qtbot, dialog, window):
    asked = []
    window.services.indexing.index_work = lambda *_: asked.append(1)
    picker = dialog.models._pickers["vocals"]
    before = picker.currentData()
    other = next(i for i in range(picker.count()) if picker.itemData(i) != before)
    name = picker.itemData(other)
    picker.setCurrentIndex(other)
    picker.activated.emit(other)
    box = question(dialog)
    assert "5 songs" in box.informativeText()
    assert "takes about" in box.informativeText()
    assert picker.currentData() == before
    box.button(QMessageBox.StandardButton.Cancel).click()
    assert not choices_path().exists()
    picker.activated.emit(other)  # as it shows the one before, this asks nothing
    picker.setCurrentIndex(other)
    picker.activated.emit(other)
    button_of(qtbot, question(dialog), "Change").click()
    qtbot.waitUntil(lambda: bool(asked))
    assert json.loads(choices_path().read_text())["models"] == {"vocals": name}
    qtbot.waitUntil(lambda: picker.currentData() == name)
    qtbot.waitUntil(lambda: not window.services.indexing.is_running)


def test_separators_show_licence_and_size_before_the_download(qtbot, dialog):
    dialog.choose("Separators")
    qtbot.waitUntil(lambda: dialog.separators._cards.count() == 4)
    texts = " ".join(
        label.text() for label in dialog.separators.findChildren(type(dialog.notice._text))
    )
    assert "MIT" in texts
    assert button_of(qtbot, dialog.separators, "Download").text().endswith("MB")


def test_a_download_shows_progress_and_stops(qtbot, dialog, monkeypatch):
    from engine.progress import Progress

    def install(name, progress, cancel):
        while True:
            progress(Progress("download", 3, 10))
            cancel.check()
            cancel._cancelled.wait(0.01)

    monkeypatch.setattr("app.preferences.separators.separation.install", install)
    dialog.choose("Separators")
    qtbot.waitUntil(lambda: dialog.separators._cards.count() == 4)
    button_of(qtbot, dialog.separators, "Download").click()
    qtbot.waitUntil(lambda: dialog.separators._bar is not None)
    qtbot.waitUntil(lambda: dialog.separators._bar.value() == 3)
    qtbot.waitUntil(dialog.separators._bar.isVisible)  # a turn of the event loop after it is made
    button_of(qtbot, dialog.separators, "Stop").click()
    qtbot.waitUntil(lambda: dialog.separators._job is None)


def test_closing_stops_a_download(qtbot, dialog, monkeypatch):
    started, stopped = threading.Event(), []

    def install(name, progress, cancel):
        started.set()
        cancel._cancelled.wait(PATIENCE_S)
        stopped.append(cancel.is_cancelled)
        cancel.check()

    monkeypatch.setattr("app.preferences.separators.separation.install", install)
    dialog.separators._install("umxl")
    qtbot.waitUntil(started.is_set)
    dialog.close()
    qtbot.waitUntil(lambda: stopped == [True])


# Indexing


def test_how_many_cores_and_whether_folders_are_watched(qtbot, dialog, window):
    window.watch.set_on(True)
    dialog.choose("Indexing")
    speed = dialog.indexing.speed
    speed.setCurrentIndex(speed.findData("one"))
    speed.activated.emit(speed.currentIndex())
    assert window.services.settings.get(INDEX_SPEED) == "one"
    assert window.watch._start.isActive() or window.watch.is_watching
    dialog.choose("Folders")
    dialog.folders.watch.setChecked(False)
    assert not window.services.settings.get(WATCH_FOLDERS)
    assert not window.watch._start.isActive()


def test_folders_take_the_place_of_the_preferences(qtbot, dialog, window):
    dialog.choose("Folders")
    dialog.folders.findChild(QPushButton).click()
    qtbot.waitUntil(lambda: bool(window.findChildren(FoldersDialog)))
    qtbot.waitUntil(lambda: not window.findChildren(PreferencesDialog))  # no sheet on a sheet
    window.findChild(FoldersDialog).close()


def test_voices_from_whole_songs_are_a_choice(qtbot, dialog, home):
    assert not dialog.indexing.fast.isChecked()
    dialog.indexing.fast.setChecked(True)
    assert read_choices().voices == "fast"
    dialog.indexing.fast.setChecked(False)
    assert read_choices().voices == "fine"


def test_what_was_heard_is_told_and_forgotten(qtbot, dialog, window, library_path):
    dialog.choose("Indexing")
    cards = dialog.indexing._cards
    qtbot.waitUntil(lambda: cards.count() == 2)
    library: Library = window.services.open_library.library
    space_id = library.spaces()[0][0]
    dialog.indexing._forget(space_id)
    qtbot.waitUntil(lambda: len(library.spaces()) == 1)
    qtbot.waitUntil(lambda: cards.count() == 1)


# Listening


def test_where_and_how_loud_songs_are_played(qtbot, dialog, window):
    player, settings = window.services.player, window.services.settings
    player.device.choose("Gone")
    dialog.choose("Sound")
    section = dialog.playback
    qtbot.waitUntil(lambda: section.devices.count() == 4)
    texts = [section.devices.itemText(row) for row in range(4)]
    assert texts == ["As the system says", "Speakers", "Headphones", "Gone (not connected)"]
    assert section.devices.currentData() == "Gone"
    menus = [menu for menu in window.player_bar.findChildren(QMenu) if menu.isVisible()]
    assert menus == []  # the player's own list of devices was not asked for
    section.devices.setCurrentIndex(2)
    section.devices.activated.emit(2)
    assert (player.device.name, settings.get(OUTPUT_DEVICE)) == ("Headphones", "Headphones")
    assert player.levels.is_on
    section.equally_loud.click()
    assert not player.levels.is_on
    assert not settings.get(EQUALLY_LOUD)


def test_the_next_window_plays_as_loud_as_this_was_told(dialog, window, open_window):
    dialog.playback.equally_loud.click()
    window.services.settings.save()
    assert not open_window().services.player.levels.is_on


def test_kept_vocals_are_counted_and_deleted(qtbot, home, window):
    folder = window.services.vocals._folder
    folder.mkdir()
    (folder / "one-spleeter.flac").write_bytes(bytes(3_000_000))
    window.show_preferences()
    (dialog,) = window.findChildren(PreferencesDialog)
    dialog.choose("Sound")
    size = dialog.playback._size
    qtbot.waitUntil(lambda: size.text() == "3 MB of at most 2.0 GB")
    button_of(qtbot, dialog.playback, "Delete").click()
    button_of(qtbot, question(dialog.playback), "Delete").click()
    qtbot.waitUntil(lambda: size.text() == "None yet")
    assert list(folder.iterdir()) == []
    assert not button_of(qtbot, dialog.playback, "Delete").isEnabled()
    dialog.close()


# The rest


def test_colours_change_at_once(dialog, window):
    dialog.choose("Appearance")
    next(b for b in dialog.findChildren(QRadioButton) if b.text() == "Dark").click()
    assert window.services.theme.palette.name == "dark"
    window.services.theme.choose("light")


def test_the_end_of_a_log_is_read(tmp_path):
    path = tmp_path / "a.log"
    assert tail(path) == ""
    path.write_text("".join(f"line {i}\n" for i in range(1000)))
    assert tail(path, 100).startswith("line ")
    assert tail(path, 100).endswith("line 999\n")
    assert len(tail(path, 100)) <= 100


def test_every_part_that_is_shipped_has_a_licence():
    parts = installed_parts()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", text)[0] for text in project["dependencies"]}
    assert needed <= set(about.PACKAGES)
    assert len(parts) == len(about.PACKAGES)  # all are installed here
    assert [part.name for part in parts if not part.licence] == []
    text = licences_text()
    assert "Model spleeter-2stems" in text
    assert "Permission is hereby granted" in text


def test_everything_that_takes_the_focus_has_a_name(qtbot, dialog):
    for kind in (QComboBox, QPushButton):
        for widget in dialog.findChildren(kind):
            assert widget.accessibleName(), widget

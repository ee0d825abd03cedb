from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from support import app_fixtures
from support.app_fixtures import find_first
from support.app_window import write_wav as write_sine
from support.evaluate_page import (
    choose_models,
    open_page,
    run_to_the_end,
    voice_library,
    wait_until_ready,
    write_listening_test,
)
from support.sound import buzz, write_wav

from app.evaluate.blind_test.answer_sheet import AnswerSheet, answer_sheets, new_sheet
from app.evaluate.blind_test.page import BlindTestPage, BlindTestStart
from app.evaluate.blind_test.view import BlindTestView
from app.evaluate.columns import ScrollColumn
from app.evaluate.report_view import ReportView
from app.evaluate.saved_reports import list_reports, open_report
from app.player.player import Side, Sound
from app.ui.top_bar import Page
from engine.evaluation.triplets import Answer, read_answers, save_answers

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

KEYS = {"a": Qt.Key.Key_Left, "tie": Qt.Key.Key_Down, "b": Qt.Key.Key_Right}


@pytest.fixture
def report(tmp_path) -> Path:
    folder = tmp_path / "reports" / "one"
    write_listening_test(folder)
    return folder


@pytest.fixture
def page(qtbot, tmp_path, report):
    with open_page(qtbot, tmp_path / "library.db", tmp_path / "reports") as page:
        qtbot.waitUntil(lambda: page.panel.list.count() == 1, timeout=20_000)
        yield page


def texts(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def enter(qtbot, page) -> BlindTestStart:
    """From the report to the start of its test."""
    page.panel.list.clearSelection()
    page.panel.list.setCurrentRow(0)
    view = page.pages.currentWidget()
    next(b for b in view.findChildren(QPushButton) if b.text() == "Take the test").click()
    blind_test = page.pages.currentWidget()
    assert isinstance(blind_test, BlindTestPage)
    qtbot.waitUntil(lambda: isinstance(blind_test.currentWidget(), BlindTestStart))
    return blind_test.currentWidget()


def begin(qtbot, page) -> BlindTestView:
    enter(qtbot, page).begin.click()
    view = page.pages.currentWidget().currentWidget()
    assert isinstance(view, BlindTestView)
    qtbot.waitUntil(view.isVisible)
    return view


def play_part(qtbot, view, part: str) -> None:
    """Turns the sound device by hand until enough of a sound was played."""

    def is_heard() -> bool:
        output = view.playback._player.device
        if output.is_open:
            output.pull(4)
        return part in view.playback.heard

    qtbot.waitUntil(is_heard)


def listen_to_all(qtbot, view) -> None:
    for key, part in ((Qt.Key.Key_1, "query"), (Qt.Key.Key_A, "a"), (Qt.Key.Key_3, "b")):
        qtbot.keyClick(view, key)
        play_part(qtbot, view, part)


def answer(qtbot, view, *choices: str) -> None:
    for choice in choices:
        qtbot.keyClick(view, KEYS[choice])


def test_nothing_lies_over_anything_in_the_lowest_window(qtbot, page):
    view = begin(qtbot, page)
    cards = [*view.cards.values(), *view.questions.values()]
    for height_px in (360, 446):
        view.setFixedSize(860, height_px)
        QApplication.processEvents()
        for one in cards:
            assert one.height() >= one.minimumSizeHint().height()
            assert not any(one.geometry().intersects(b.geometry()) for b in cards if b is not one)
    bar = view.findChild(ScrollColumn).verticalScrollBar()
    assert bar.maximum() == 0  # all is seen at 860 x 560


def answers_on_disk(report: Path) -> dict[tuple[str, str], str]:
    test = open_report(report).test
    found, notes = read_answers(report / "listening-test", test)
    assert notes == []
    return {(a.triplet, a.question): a.choice for a in found}


# One sheet


def test_a_sitting_is_saved_after_every_answer_and_gone_on_with(report):
    opened = open_report(report)
    sheet = new_sheet(opened.test_folder, opened.test)
    steps = list(sheet.steps)
    assert sorted(step.triplet.id for step in steps) == ["t0", "t0", "t1", "t1"]
    for number, choice in enumerate(("a", "tie", "b"), start=1):
        sheet.answer(choice)
        assert len(answers_on_disk(report)) == number
    (again,) = answer_sheets(opened.test_folder, opened.test)
    assert again.listener == sheet.listener
    assert again.steps == steps  # in the same order
    assert again.current == steps[3]
    assert [again.choice(step) for step in steps] == ["a", "tie", "b", None]
    again.undo()
    assert again.current == steps[2]
    assert len(answers_on_disk(report)) == 2
    again.answer("a")
    again.answer("a")
    assert again.current is None


def test_listeners_hear_triplets_in_orders_of_their_own(tmp_path):
    test = write_listening_test(tmp_path / "r", num_triplets=12)
    orders = {
        tuple(t.id for t in AnswerSheet(tmp_path, test, name).triplets) for name in ("a", "b", "c")
    }
    assert len(orders) == 3


# In the window, by keys


def test_the_test_is_taken_by_keys_and_ends_in_results(qtbot, page, report):
    view = begin(qtbot, page)
    assert page.panel.isHidden()  # nothing beside the test
    first = view.sheet.current.triplet.id
    answer(qtbot, view, "a")  # nothing has been listened to: it does not count
    assert view.sheet.num_answered == 0
    listen_to_all(qtbot, view)
    answer(qtbot, view, "a", "tie")
    assert answers_on_disk(report) == {(first, "overall"): "a", (first, "vocals"): "tie"}
    assert view.sheet.current.triplet.id != first
    assert view._place.text() == "Song 2 of 2"
    assert not view.has_heard_all
    listen_to_all(qtbot, view)
    answer(qtbot, view, "b")
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert view.sheet.num_answered == 2
    answer(qtbot, view, "b", "b")
    room = page.pages.currentWidget()
    qtbot.waitUntil(lambda: isinstance(room.currentWidget(), BlindTestStart))
    done = room.currentWidget()
    assert "All 4 answers are saved." in texts(done)
    assert not page.panel.isHidden()
    done.back.click()
    qtbot.waitUntil(lambda: isinstance(page.pages.currentWidget(), ReportView))
    view = page.pages.currentWidget()
    overall = view.tables[0].table
    rows = {row[1:3]: row[4:7] for row in overall.rows}
    # t0 has m0 as A, t1 has m1 as A: an A and a B in whatever order are two wins of one model.
    choices = answers_on_disk(report)
    wins = sum((choices[t, "overall"] == "a") == (t == "t0") for t in ("t0", "t1"))
    assert rows["overall", "m0"] == (wins, 2 - wins, 0)
    assert rows["vocals", "m0"][2] == 1  # the tie
    assert "By the voice, given whole songs, listeners" in texts(view)
    assert "may well be chance" in texts(view)
    qtbot.waitUntil(lambda: page.services.open_library.runner.num_jobs == 0, timeout=120_000)
    body = json.loads((report / "report.json").read_text())
    assert body["results"][0]["tables"][0]["rows"][0]["wins"] == rows["overall", "m0"][0]
    assert (report / "tables" / "listening-test.overall.csv").exists()
    assert (report / "figures" / "listening-test.win-rates.svg").exists()


def test_a_test_is_gone_on_with_after_the_window_was_closed(qtbot, tmp_path, report):
    for number in (0, 1):
        with open_page(qtbot, tmp_path / "library.db", tmp_path / "reports") as page:
            qtbot.waitUntil(lambda: page.panel.list.count() == 1, timeout=20_000)
            start = enter(qtbot, page)
            if number == 0:
                assert start.resume_buttons == []
                start.begin.click()
            else:
                (resume,) = start.resume_buttons
                assert resume.text().endswith("1 of 4 answers given")
                resume.click()
            view = page.pages.currentWidget().currentWidget()
            assert view.sheet.num_answered == number
            listen_to_all(qtbot, view)
            answer(qtbot, view, "b")
    assert len(answers_on_disk(report)) == 2
    assert len(list((report / "listening-test" / "answers").iterdir())) == 1


def test_pausing_leads_back_and_several_may_listen(qtbot, page, report):
    def pause_after_one_answer() -> BlindTestStart:
        view = begin(qtbot, page)
        listen_to_all(qtbot, view)
        answer(qtbot, view, "a")
        qtbot.keyClick(view, Qt.Key.Key_Escape)
        room = page.pages.currentWidget()
        qtbot.waitUntil(lambda: isinstance(room.currentWidget(), BlindTestStart))
        return room.currentWidget()

    assert len(pause_after_one_answer().resume_buttons) == 1
    start = pause_after_one_answer()
    assert len(start.resume_buttons) == 2
    assert "2 listeners; answers given: 2." in texts(start)


def test_buttons_do_what_the_keys_do(qtbot, page):
    view = begin(qtbot, page)
    play_part(qtbot, view, "query")
    for part in ("a", "b"):
        qtbot.mouseClick(view.cards[part], Qt.MouseButton.LeftButton)
        play_part(qtbot, view, part)
    overall, vocals = (view.questions[q].buttons for q in ("overall", "vocals"))
    assert overall["a"].isEnabled()
    assert not vocals["a"].isEnabled()  # one after the other
    qtbot.mouseClick(overall["tie"], Qt.MouseButton.LeftButton)
    assert overall["tie"].isChecked()
    assert vocals["a"].isEnabled()
    qtbot.mouseClick(view.undo_button, Qt.MouseButton.LeftButton)
    assert view.sheet.num_answered == 0


# What is heard


def test_what_sounds_is_the_triplet_and_the_player_comes_back_as_it_was(qtbot, page, tmp_path):
    player = page.services.player
    before = Sound(write_sine(tmp_path / "before.wav", 3.0), "Before", "Alma", 3.0)
    player.load(Side.QUERY, before, 1.5)
    player.set_vocals_only(True)
    view = begin(qtbot, page)
    assert player.is_plain
    triplet = view.sheet.current.triplet
    folder = view.sheet.folder
    assert player.is_playing
    assert player.sound(Side.QUERY).path == folder / triplet.query
    qtbot.keyClick(view, Qt.Key.Key_B)
    assert player.sound(Side.QUERY).path == folder / triplet.b
    assert player.sound(Side.QUERY).artist == ""  # nothing tells whose it is
    assert view.playback.heard == set()  # not for a second yet
    play_part(qtbot, view, "b")
    vocals_key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_V, Qt.KeyboardModifier.NoModifier, "v")
    QApplication.sendEvent(view, vocals_key)
    assert vocals_key.isAccepted()  # it never comes to the window, where it is a shortcut
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert not player.is_playing
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert player.is_playing
    page.hide()  # another page of the window
    assert not player.is_playing
    assert player.sound(Side.QUERY) == before
    assert player.is_vocals_only
    assert not player.is_plain
    assert player.position_s(Side.QUERY) == pytest.approx(1.5)
    page.show()
    assert player.sound(Side.QUERY).path == folder / triplet.query
    assert view.playback.heard == set()


def test_in_the_window_all_three_are_heard_as_they_were_cut(qtbot, window, report):
    player = window.services.player
    find_first(qtbot, window)
    player.toggle()
    player.seek(Side.QUERY, 0.2)
    test = open_report(report)
    folder = test.test_folder
    for name, level in (("0q", 0.9), ("0a", 0.1), ("0b", 0.5)):  # the player would level these
        write_wav(folder / "audio" / f"{name}.wav", level * buzz(15.0, pitch_hz=220.0))
    view = BlindTestView(window.services.theme, player, new_sheet(folder, test.test))
    window.sections[Page.EVALUATE] = view
    window.section_stack.addWidget(view)
    window.show_page(Page.EVALUATE)
    assert not window.player_bar._vocals.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_V)  # with the focus elsewhere, keys come to the window
    qtbot.keyClick(window, Qt.Key.Key_M)
    for part in ("query", "a", "b"):
        view.play(part)
        qtbot.waitUntil(lambda: window.services.open_library.runner.num_jobs == 0)
        player.tick()
        file = view.playback._sounds[part].path
        assert player.decks[Side.QUERY].source.path == file
        assert player.decks[Side.QUERY].source.gain == 1.0
        seconds = 15.0 if file.name.startswith("0") else 1.5
        assert player.duration_s(Side.QUERY) == pytest.approx(seconds, abs=0.01)
    window.show_page(Page.LIBRARY)
    assert player.sound(Side.QUERY).title == "First light"
    assert player.position_s(Side.QUERY) == pytest.approx(0.2)
    assert window.player_bar._vocals.isEnabled()


# Other people


def test_answers_of_others_are_taken_in_and_bad_ones_told(qtbot, page, report, tmp_path):
    start = enter(qtbot, page)
    room = page.pages.currentWidget()
    outside = tmp_path / "mail"
    good = save_answers(outside, "the-test", "else", [Answer("else", "t0", "overall", "a")])
    bad = save_answers(outside, "another", "bad", [Answer("bad", "t0", "overall", "a")])
    told = []
    page.problem.connect(told.append)
    room.add_answers([good, bad])
    qtbot.waitUntil(lambda: bool(told))
    assert told == ["bad.json answers another test; it was left out."]
    qtbot.waitUntil(lambda: room.currentWidget() is not start)
    assert "One listener; answers given: 1." in texts(room.currentWidget())
    assert answers_on_disk(report) == {("t0", "overall"): "a"}


def test_a_copy_for_others_has_no_key(qtbot, page, tmp_path):
    enter(qtbot, page)
    told = []
    page.problem.connect(told.append)
    page.pages.currentWidget().copy_to(tmp_path / "copy.zip")
    qtbot.waitUntil(lambda: bool(told))
    names = zipfile.ZipFile(tmp_path / "copy.zip").namelist()
    assert "listening-test/listen.html" in names
    assert sum(name.endswith(".wav") for name in names) == 6
    assert not any("key" in name or "answers" in name for name in names)


def test_answers_that_cannot_be_saved_are_told_and_kept(qtbot, page, report):
    view = begin(qtbot, page)
    answers = report / "listening-test" / "answers"
    answers.rmdir()
    answers.write_text("a file where the folder should be")
    listen_to_all(qtbot, view)
    with qtbot.waitSignal(page.problem) as told:
        answer(qtbot, view, "a")
    assert "cannot be saved" in told.args[0]
    assert view.sheet.num_answered == 1
    answers.unlink()
    answer(qtbot, view, "b")
    assert len(answers_on_disk(report)) == 2


# From the beginning


def test_a_test_is_made_from_the_library_and_taken(qtbot, tmp_path):
    library = voice_library(tmp_path)
    with open_page(qtbot, library, tmp_path / "reports") as page:
        wait_until_ready(qtbot, page)
        page.panel.test.click()
        assert page.setup.chosen_protocols == ("listening-test",)
        choose_models(page, "mfcc", "ge2e")
        page.setup.form.numbers["num_triplets"].setValue(2)
        run_to_the_end(qtbot, page)
        qtbot.waitUntil(lambda: page.panel.list.count() == 1)
        view = begin(qtbot, page)
        names = {child.text() for child in view.findChildren(QLabel)}
        assert not any("mfcc" in name or "ge2e" in name for name in names)
        while view.sheet.current is not None:
            listen_to_all(qtbot, view)
            answer(qtbot, view, "a", "b")
        (opened,) = list_reports(tmp_path / "reports")
        assert len(answer_sheets(opened.test_folder, opened.test)) == 1

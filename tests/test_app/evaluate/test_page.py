from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QMessageBox, QSpinBox, QWidget
from support import app_fixtures
from support.evaluate_page import (
    choose_models,
    choose_protocols,
    open_page,
    run_to_the_end,
    similarity_table,
    voice_library,
    wait_until_ready,
    write_report,
)
from support.evaluation import write_table
from support.patience import PATIENCE_S

from app.evaluate.report_comparison import ReportComparison
from app.evaluate.report_view import ReportView
from app.jobs import Job, Pool
from engine.evaluation.results import Result

no_leaks_left = app_fixtures.no_leaks_left


@pytest.fixture(scope="module")
def voices(tmp_path_factory) -> Path:
    """A library of twelve songs by four singers."""
    return voice_library(tmp_path_factory.mktemp("voices"))


@pytest.fixture
def page(qtbot, voices, tmp_path):
    with open_page(qtbot, voices, tmp_path / "reports") as page:
        wait_until_ready(qtbot, page)
        yield page


def texts(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def shown_report(qtbot, page) -> ReportView:
    qtbot.waitUntil(lambda: isinstance(page.pages.currentWidget(), ReportView))
    return page.pages.currentWidget()


def test_a_search_does_not_wait_until_the_music_is_counted(qtbot, page, monkeypatch):
    counted = threading.Event()
    monkeypatch.setattr("app.evaluate.run.look_at", lambda path: counted.wait(2 * PATIENCE_S))
    page.setup.look_again()
    try:
        asked = Job(lambda progress, cancel: None)
        with qtbot.waitSignal(asked.succeeded):
            page.services.open_library.runner.start(asked, Pool.INTERACTIVE)
    finally:
        page._looking.cancel()
        counted.set()


# Running


def test_artist_similarity_on_the_library(qtbot, page, voices, tmp_path):
    assert "Your library: 12 songs by 4 artists" in page.setup.facts_text.text()
    choose_models(page, "mfcc")
    page.setup.form.numbers["num_trials"].setValue(3)
    run_to_the_end(qtbot, page)
    view = shown_report(qtbot, page)
    table = view.tables[0]
    assert table.table.name == "distinct-songs"
    shown = {
        table.model().headerData(c, Qt.Orientation.Horizontal): table.model().index(0, c).data()
        for c in range(table.model().columnCount())
    }
    assert (shown["input"], shown["model"]) == ("mixture", "mfcc")
    (folder,) = (tmp_path / "reports").iterdir()
    with (folder / "tables" / "artist-similarity.distinct-songs.csv").open() as file:
        row = next(csv.DictReader(file))
    assert shown["R@1 % ↑"].startswith(f"{100 * float(row['r_at_1']):.1f}")
    body = json.loads((folder / "report.json").read_text())
    assert body["options"]["clip_s"] == 30.0
    assert body["command"].startswith("singalike evaluate artist-similarity --models mfcc")
    assert (folder / "index.html").exists()
    assert page.panel.run_card.isHidden()
    assert [opened.folder for opened in page.panel.selected] == [folder]
    assert "by the same singer" in texts(view)
    assert "Only 4 singers have two songs or more here" in texts(view)
    assert view.opened.title == "Artist similarity · Your library"
    assert not view.tables[0].isVisible()  # the sentence comes first
    view.unfold.click()
    assert view.tables[0].isVisible()


def test_what_cannot_run_says_why_and_the_others_go_on(qtbot, page, tmp_path):
    page.setup.use_table(write_table(tmp_path))
    wait_until_ready(qtbot, page)
    choose_models(page, "mfcc")
    choose_protocols(page, "artist-similarity", "gender-id", "agreement")
    assert "two models" in page.setup.protocols["agreement"].note
    assert "never guessed" in page.setup.protocols["gender-id"].note
    assert page.setup.start.isEnabled()
    run_to_the_end(qtbot, page)
    view = shown_report(qtbot, page)
    assert view.tables[0].table.rows
    for name, said in (("gender-id", "never guessed"), ("agreement", "two models")):
        view.choices[name].click()
        assert view.tables == []
        assert said in texts(view)


def test_labels_of_a_table_can_be_told_apart(qtbot, page, tmp_path):
    page.setup.use_table(write_table(tmp_path))
    wait_until_ready(qtbot, page)
    form = page.setup.form
    labels = form.choices["label"]
    assert [labels.itemText(i) for i in range(labels.count())] == ["singer", "group"]
    form.choices["gender_column"].setCurrentText("group")
    assert page.setup.protocols["gender-id"].note == ""
    assert page.setup.inputs["vocals"].isEnabled()


def test_a_run_can_be_stopped_and_leaves_nothing(qtbot, page, tmp_path):
    choose_models(page, "mfcc")
    page.setup.start.click()
    assert page.setup.missing().startswith("An evaluation is running")
    page._run.progressed.connect(lambda _: page.panel.run_card.cancel.click())
    qtbot.waitUntil(lambda: not page.is_running, timeout=60_000)
    assert list((tmp_path / "reports").glob("*")) == []
    assert page.setup.start.isEnabled()
    assert page.pages.currentWidget() is page.setup


def test_closing_stops_a_run(qtbot, voices, tmp_path):
    with open_page(qtbot, voices, tmp_path / "reports") as page:
        wait_until_ready(qtbot, page)
        choose_models(page, "mfcc")
        page.setup.start.click()
    assert list((tmp_path / "reports").glob("*")) == []


def test_two_models_agree_and_are_seen_on_maps(qtbot, page):
    choose_models(page, "mfcc", "ge2e")
    choose_protocols(page, "agreement", "latent-space")
    run_to_the_end(qtbot, page)
    view = shown_report(qtbot, page)
    view.choices["agreement"].click()
    assert "name the same nearest song" in texts(view)
    assert [table.table.name for table in view.tables] == ["agreement"]
    view.choices["latent-space"].click()
    assert [table.table.name for table in view.tables] == ["clusters"]


# What is there to work on


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "lacks the columns"),
        ("path,singer,song,kind\n", "No row"),
        ("path,singer,song,kind\nx.wav,A,S,solo\n", "kind 'solo'"),
    ],
)
def test_a_bad_table_is_told_and_the_library_is_still_there(qtbot, page, tmp_path, content, said):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    page.setup.use_table(path)
    wait_until_ready(qtbot, page)
    assert said in page.setup.facts_text.text()
    assert not page.setup.start.isEnabled()
    qtbot.mouseClick(page.setup.from_library, Qt.MouseButton.LeftButton)
    wait_until_ready(qtbot, page)
    assert "12 songs" in page.setup.facts_text.text()
    assert page.setup.start.isEnabled()


def test_too_small_a_library_says_what_is_needed(qtbot, tmp_path):
    library = voice_library(tmp_path, num_singers=1, num_songs=2)
    with open_page(qtbot, library, tmp_path / "reports") as page:
        wait_until_ready(qtbot, page)
        note = page.setup.protocols["artist-similarity"].note
        assert note == (
            "Needs two artists, one of them with two songs. Artists here: 1; with two "
            "songs or more: 1."
        )
        assert not page.setup.start.isEnabled()
        assert page.setup.missing() == note


def test_nothing_can_be_started_without_a_model_or_an_input(page):
    choose_models(page)
    assert page.setup.missing() == "Choose a model."
    choose_models(page, "mfcc")
    page.setup.inputs["mixture"].setChecked(False)
    assert page.setup.missing() == "Choose what models are given to hear."
    choose_protocols(page)
    assert page.setup.missing() == "Choose what you want to know."
    assert not page.setup.start.isEnabled()


def test_the_separator_in_use_is_shown_until_another_one_is_chosen(qtbot, page):
    form = page.setup.form
    separator = form.choices["separator"]
    qtbot.waitUntil(lambda: separator.currentText() == "spleeter")
    form.set_separators(["spleeter", "umxhq"], "umxhq")  # as chosen in the preferences meanwhile
    assert separator.currentText() == "umxhq"
    separator.setCurrentText("spleeter")
    separator.activated.emit(separator.currentIndex())
    form.set_separators(["spleeter", "umxhq"], "umxhq")
    assert separator.currentText() == "spleeter"
    form.set_separators(["umxhq"], "umxhq")
    assert separator.currentText() == "umxhq"


# Earlier reports


@pytest.fixture
def two_reports(tmp_path) -> Path:
    root = tmp_path / "reports"
    for number, values in enumerate(((0.3, 0.2), (0.25, 0.1, 0.4))):
        result = Result("artist-similarity", "Artist similarity", (similarity_table(*values),))
        created = f"2026-01-0{number + 1}T00:00:00+00:00"
        write_report(root / str(number), result, created=created)
    (root / "other").mkdir()
    (root / "other" / "report.json").write_text("{}")
    return root


def test_earlier_reports_are_listed_and_compared(qtbot, page, two_reports):
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    assert [opened.folder.name for opened in page.reports] == ["1", "0"]  # the newest first
    page.panel.list.selectAll()
    view = page.pages.currentWidget()
    assert isinstance(view, ReportComparison)
    rows = view.table.table.rows
    assert [row[:2] for row in rows] == [("mixture", "m0"), ("mixture", "m1"), ("mixture", "m2")]
    assert [[cell and cell.value for cell in row[2:]] for row in rows] == [
        [0.25, 0.3], [0.1, 0.2], [0.4, None],
    ]  # fmt: skip
    assert "different music" not in texts(view)
    view.choice.setCurrentIndex(1)
    assert view.table.table.title.endswith("R@1")
    assert [cell.value for cell in view.table.table.rows[0][2:]] == [0.75, 0.7]


def test_reports_on_different_music_are_compared_with_a_warning(qtbot, page, tmp_path):
    root = tmp_path / "reports"
    result = Result("artist-similarity", "Artist similarity", (similarity_table(0.3),))
    write_report(root / "0", result)
    write_report(root / "1", result, content="b")
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    page.panel.list.selectAll()
    assert "They are on different music" in texts(page.pages.currentWidget())


def test_a_report_is_read_sorted_and_copied(qtbot, page, two_reports):
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    page.panel.list.setCurrentRow(0)
    view = shown_report(qtbot, page)
    assert "Given whole songs, m1 hears best: for 90 % of songs" in texts(view)
    table = view.tables[0]
    table.sortByColumn(2, Qt.SortOrder.AscendingOrder)
    models = [table.model().index(row, 1).data() for row in range(3)]
    assert models == ["m1", "m0", "m2"]
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["input", "model", "EER % ↓", "R@1 % ↑", "clips"]
    assert lines[1].split("\t") == ["mixture", "m1", "10.0 [5.0, 10.0]", "90.0", "3"]
    assert len(lines) == 4


def test_names_are_plain_text(qtbot, page, two_reports):
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    page.panel.list.setCurrentRow(0)
    for label in shown_report(qtbot, page).findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText or not label.text()


def test_a_report_is_deleted(qtbot, page, two_reports):
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    page.panel.list.setCurrentRow(1)
    page.panel.list.setFocus()
    qtbot.keyClick(page.panel.list, Qt.Key.Key_Delete)
    (box,) = page.findChildren(QMessageBox)
    next(b for b in box.buttons() if b.text() == "Delete").click()
    qtbot.waitUntil(lambda: page.panel.list.count() == 1)
    assert not (two_reports / "0").exists()
    assert page.pages.currentWidget() is page.setup


def test_a_folder_that_cannot_be_written_is_told(qtbot, voices, tmp_path):
    (tmp_path / "reports").write_text("a file")
    with open_page(qtbot, voices, tmp_path / "reports") as page:
        wait_until_ready(qtbot, page)
        choose_models(page, "mfcc")
        with qtbot.waitSignal(page.services.open_library.problem, timeout=60_000) as told:
            page.setup.start.click()
        assert "cannot be written" in told.args[0]
        qtbot.waitUntil(lambda: not page.is_running)


# All of it


def test_the_page_costs_the_start_of_the_window_nothing_heavy():
    code = (
        "import sys, app.evaluate.page; print([m for m in ('torch', 'scipy', 'sklearn', "
        "'matplotlib', 'engine.evaluation.results') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_everything_has_a_name_and_fits(qtbot, page, two_reports):
    page.refresh_reports()
    qtbot.waitUntil(lambda: page.panel.list.count() == 2)
    page.panel.list.setCurrentRow(0)
    shown_report(qtbot, page)
    nameless = [
        widget
        for widget in page.findChildren(QWidget)
        if isinstance(widget, (QAbstractButton, QSpinBox, QComboBox))
        and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        and not widget.accessibleName()
        and not widget.objectName().startswith("qt_")
    ]
    assert nameless == []
    assert page.minimumSizeHint().width() <= 1024
    assert page.minimumSizeHint().height() <= 560


def test_fewer_songs_than_there_are_is_explained(qtbot, page):
    choose_models(page, "mfcc")
    assert page.setup._plan().startswith("Songs: 12, models: 1.")
    page.setup.form.numbers["max_songs"].setValue(2)
    assert page.setup._plan().startswith("Songs: 8 of 12, as of each artist 2 at most")

"""Earlier reports: a folder of folders. All of this is work for jobs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.evaluate.protocols import BY_NAME
from app.evaluate.run import UNFINISHED
from engine.errors import EvaluationError

if TYPE_CHECKING:
    from engine.evaluation.results import Report
    from engine.evaluation.triplets import ListeningTest

TEST_FOLDER = "listening-test"  # and the name of its protocol
REPORT_NAME = "report.json"
LIBRARY_NAME = "library.db"  # of the file, unless another one was named


def _tr(text: str) -> str:
    return QCoreApplication.translate("SavedReports", text)


@dataclass(frozen=True)
class SavedReport:
    """A report with where it lies, and its listening test where it has one."""

    folder: Path
    report: Report
    test: ListeningTest | None = None

    @property
    def made(self) -> datetime:
        """In local time."""
        return datetime.fromisoformat(self.report.created).astimezone()

    @property
    def name(self) -> str:
        name = str(self.report.data.get("name", self.folder.name))
        return _tr("Your library") if name == LIBRARY_NAME else name

    @property
    def title(self) -> str:
        """What was asked, and on which music."""
        results = self.report.results
        asked = [BY_NAME[r.name].shown_title if r.name in BY_NAME else r.title for r in results]
        others = _tr("{first} and {num} more").format(first="".join(asked[:1]), num=len(asked) - 1)
        what = others if len(asked) > 1 else "".join(asked)
        return " · ".join(filter(None, (what, self.name)))

    @property
    def test_folder(self) -> Path:
        return self.folder / TEST_FOLDER


def list_reports(root: Path) -> list[SavedReport]:
    """All that can be read, the newest first."""
    found = []
    for path in root.glob(f"*/{REPORT_NAME}"):
        if path.parent.name.startswith(UNFINISHED):
            continue
        try:
            found.append(open_report(path.parent))
        except EvaluationError:
            continue  # foreign, damaged or newer: none of ours to show
    return sorted(found, key=lambda opened: (opened.made, opened.folder.name), reverse=True)


def open_report(folder: Path) -> SavedReport:
    """Raises EvaluationError."""
    from engine.evaluation.saved_report import read
    from engine.evaluation.triplets import read_test

    report = read(folder)
    return SavedReport(folder, report, read_test(folder / TEST_FOLDER))


def scored(opened: SavedReport) -> SavedReport:
    """With the answers that lie in the test's folder by now. Nothing is written."""
    from engine.evaluation.protocols.listening_test import outcome
    from engine.evaluation.results import Options

    assert opened.test is not None
    report = opened.report
    known = {f.name for f in fields(Options)}
    options = Options(**{k: v for k, v in report.options.items() if k in known})
    result = outcome(opened.test_folder, opened.test, options)
    results = tuple(result if r.name == TEST_FOLDER else r for r in report.results)
    return replace(opened, report=replace(report, results=results))


def save(opened: SavedReport) -> None:
    """Write a report again in its folder; the old one is there until the new one is complete.

    Raises EvaluationError.
    """
    from engine.evaluation.report import write

    fresh = opened.folder.with_name(f"{UNFINISHED}{opened.folder.name}")

    def work() -> None:
        write(opened.report, fresh)
        new = [path for path in fresh.rglob("*") if path.is_file()]
        for path in sorted(new, key=lambda path: path.name == REPORT_NAME):  # it comes last
            target = opened.folder / path.relative_to(fresh)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    try:
        _try(work, f"The report {opened.folder} cannot be written")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def add_answers(opened: SavedReport, paths: Sequence[Path]) -> list[str]:
    """Take in files that listeners elsewhere have saved. Returns why some were not, in sentences.

    Raises EvaluationError when they cannot be copied.
    """
    from engine.evaluation.triplets import read_answers

    assert opened.test is not None
    folder = opened.test_folder / "answers"
    notes = []
    for path in paths:
        target = folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem} ({number}){path.suffix}"
        _try(partial(shutil.copyfile, path, target), f"{path} cannot be copied")
        told = [n for n in read_answers(opened.test_folder, opened.test)[1] if target.name in n]
        if told:
            target.unlink(missing_ok=True)
            notes += told
    return notes


def delete(folder: Path) -> None:
    """Raises EvaluationError where it cannot be deleted."""
    _try(lambda: shutil.rmtree(folder), f"The report {folder} cannot be deleted")


def export(folder: Path, target: Path) -> Path:
    """Copy a report to a new folder below ``target``; its key and answers go along.

    Raises EvaluationError.
    """
    number, copy = 1, target / f"Evaluation {folder.name}"
    while copy.exists():
        number += 1
        copy = target / f"Evaluation {folder.name} ({number})"
    _try(lambda: shutil.copytree(folder, copy), f"The report cannot be written to {target}")
    return copy


def export_test(folder: Path, target: Path) -> Path:
    """Zip what a listener elsewhere needs: the page and its sound, without the key.

    Raises EvaluationError.
    """

    def write() -> None:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for path in [folder / "listen.html", *sorted((folder / "audio").iterdir())]:
                archive.write(path, Path("listening-test") / path.relative_to(folder))

    _try(write, f"{target} cannot be written")
    return target


def _try(work: Callable[[], object], what: str) -> None:
    try:
        work()
    except OSError as error:
        raise EvaluationError(f"{what}: {error.strerror or error}.") from error

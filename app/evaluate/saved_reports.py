"""Earlier reports: a folder of folders. All of this is work for jobs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.evaluate.protocols import BY_NAME
from app.evaluate.run import UNFINISHED, free_path
from engine.errors import EvaluationError

if TYPE_CHECKING:
    from engine.evaluation.results import Report
    from engine.evaluation.triplets import ListeningTest

TEST_FOLDER = "listening-test"  # and the name of its protocol
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
    def model_titles(self) -> dict[str, str]:
        """What each model is called, by its name in the report."""
        return {str(m["name"]): str(m.get("title") or m["name"]) for m in self.report.models}

    @property
    def test_folder(self) -> Path:
        return self.folder / TEST_FOLDER


def list_reports(root: Path) -> list[SavedReport]:
    """All that can be read, the newest first."""
    found = []
    for path in root.glob("*/report.json"):
        if path.parent.name.startswith(UNFINISHED):
            continue
        try:
            found.append(open_report(path.parent))
        except EvaluationError:
            continue  # foreign, damaged or newer: none of ours to show
    return sorted(found, key=lambda opened: (opened.made, opened.folder.name), reverse=True)


def open_report(folder: Path) -> SavedReport:
    """Raises EvaluationError."""
    from engine.evaluation.report import read
    from engine.evaluation.triplets import read_test

    return SavedReport(folder, read(folder), read_test(folder / TEST_FOLDER))


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
    """Write a report again in its folder. Raises EvaluationError."""
    from engine.evaluation.report import write

    write(opened.report, opened.folder)


def add_answers(opened: SavedReport, paths: Sequence[Path]) -> list[str]:
    """Take in files that listeners elsewhere have saved. Returns why some were not, in sentences.

    Raises EvaluationError when they cannot be copied.
    """
    from engine.evaluation.triplets import read_answers

    assert opened.test is not None
    notes = []
    for path in paths:
        target = free_path(opened.test_folder / "answers" / path.name)
        with _told(f"{path} cannot be copied"):
            shutil.copyfile(path, target)
        told = [n for n in read_answers(opened.test_folder, opened.test)[1] if target.name in n]
        if told:
            target.unlink(missing_ok=True)
            notes += told
    return notes


def delete(folder: Path) -> None:
    """Raises EvaluationError where it cannot be deleted."""
    with _told(f"The report {folder} cannot be deleted"):
        shutil.rmtree(folder)


def export_test(folder: Path, target: Path) -> None:
    """Zip what a listener elsewhere needs: the page and its sound, without the key.

    Raises EvaluationError.
    """
    with _told(f"{target} cannot be written"), zipfile.ZipFile(target, "w") as archive:
        for path in [folder / "listen.html", *sorted((folder / "audio").iterdir())]:
            archive.write(path, Path("listening-test") / path.relative_to(folder))


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError(f"{what}: {error.strerror or error}.") from error

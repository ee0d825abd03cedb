"""Earlier reports: a folder of folders. All of this is work for jobs."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.evaluate.work import UNFINISHED
from engine.errors import EvaluationError

if TYPE_CHECKING:
    from engine.evaluation.results import Report
    from engine.evaluation.triplets import ListeningTest

TEST_FOLDER = "listening-test"


@dataclass(frozen=True)
class Opened:
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
        return str(self.report.data.get("name", self.folder.name))

    @property
    def test_folder(self) -> Path:
        return self.folder / TEST_FOLDER


def list_reports(root: Path) -> list[Opened]:
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


def open_report(folder: Path) -> Opened:
    """Raises EvaluationError."""
    from engine.evaluation.stored import read
    from engine.evaluation.triplets import read_test

    report = read(folder)
    return Opened(folder, report, read_test(folder / TEST_FOLDER))


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
            for path in [folder / "listen.html", *sorted((folder / "audio").glob("*.mp3"))]:
                archive.write(path, Path("listening-test") / path.relative_to(folder))

    _try(write, f"{target} cannot be written")
    return target


def _try(work: Callable[[], object], what: str) -> None:
    try:
        work()
    except OSError as error:
        raise EvaluationError(f"{what}: {error.strerror or error}.") from error

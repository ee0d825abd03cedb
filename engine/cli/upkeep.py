"""Commands for a library that may have suffered: verify, repair."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from engine.cli.common import JsonOption, LibraryOption, printable, some, stoppable, write_json
from engine.cli.progress import shown_progress

if TYPE_CHECKING:
    from engine.library.upkeep import HealthReport, RepairReport


def verify(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Check that the library is sound. Nothing is mended.

    One from an older version is first brought up to date, as by any command; a copy stays beside
    it. Exit code 0: all is well; 1: something is not.
    """
    from engine.library import upkeep
    from engine.paths import default_library_path

    path = library or default_library_path()
    with stoppable() as cancel, shown_progress() as progress:
        report = upkeep.verify(path, progress, cancel)
    if as_json:
        write_json({"library": str(path), "is_fine": report.is_fine, **asdict(report)})
    else:
        _tell_health(report)
    if not report.is_fine:
        raise typer.Exit(1)


def repair(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Mend what is wrong with the library. A copy as it was before is kept beside it.

    Exit code 0: all is well now; 1: something is not.
    """
    from engine.library import upkeep
    from engine.paths import default_library_path

    path = library or default_library_path()
    with stoppable() as cancel, shown_progress() as progress:
        report = upkeep.repair(path, progress, cancel)
    if as_json:
        kept = None if report.kept_path is None else str(report.kept_path)
        write_json({"library": str(path), **asdict(report), "kept_path": kept})
    else:
        _tell_repair(report)
    if report.left:
        raise typer.Exit(1)


def _tell_health(report: HealthReport) -> None:
    for problem in report.problems:
        typer.echo(printable(problem.sentence))
    if not report.is_fine:
        typer.echo(
            "If this is your library: `singalike repair` mends what can be mended, and keeps the "
            "file as it is now beside it."
        )
        return
    typer.echo(
        f"All is well: {some(report.num_tracks)}, {some(report.num_embeddings, 'vector')}, "
        f"{report.num_indexes} of {report.num_spaces} search indexes made."
    )


def _tell_repair(report: RepairReport) -> None:
    for sentence in report.done:
        typer.echo(sentence)
    if report.kept_path is None:
        typer.echo("There is nothing to repair.")
    else:
        typer.echo(f"The library as it was before: {printable(str(report.kept_path))}")
    for problem in report.left:
        typer.echo(f"Not mended: {printable(problem.sentence)}")

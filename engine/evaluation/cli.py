"""``singalike evaluate``: arguments in, a report and its main tables out."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import CancelledError, SingalikeError
from engine.progress import CancelToken, Progress, ProgressCallback

if TYPE_CHECKING:
    from engine.evaluation.report import Report

EXIT_ERROR, EXIT_USAGE, EXIT_PARTLY, EXIT_CANCELLED = 1, 2, 3, 130
PLAIN_INTERVAL_S = 10.0

app = typer.Typer(add_completion=False)


@app.command()
def evaluate(
    protocol: Annotated[str, typer.Argument(help="artist-similarity, ..., or all")],
    models: Annotated[str, typer.Option(help="Names or checkpoint folders, with commas between.")],
    data: Annotated[Path, typer.Option(help="A table (CSV) of files, or the file of a library.")],
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    inputs: Annotated[
        str,
        typer.Option("--input", help="mixture, vocals, separated; commas between. Default: all."),
    ] = "",
    where: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=TEXT: only such rows of the table (* stands for anything)."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.")] = 0,
    trials: Annotated[int, typer.Option(min=1, help="Trials of artist-similarity.")] = 100,
    artists: Annotated[int, typer.Option(min=2, help="Artists in a trial or repeat.")] = 50,
    repeats: Annotated[int, typer.Option(min=1, help="Repeats of artist-id.")] = 5,
    label: Annotated[str, typer.Option(help="Column that colours latent-space.")] = "singer",
    gender_column: Annotated[str, typer.Option(help="Column of the table.")] = "gender",
    clip_s: Annotated[
        float | None, typer.Option(min=1.0, help="Listen to the middle so many seconds only.")
    ] = None,
    separator: Annotated[str, typer.Option(help="For the input separated.")] = "spleeter",
    workers: Annotated[int, typer.Option(min=0, help="Clips at a time; 0: one per core.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="Folder of cached embeddings.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json instead.")] = False,
) -> None:
    """Measure how well models know voices; write a report with tables and figures."""
    from engine.evaluation import report as reports
    from engine.evaluation.data import read_data
    from engine.evaluation.results import Options
    from engine.evaluation.run import check_protocols, load_models
    from engine.evaluation.run import evaluate as run

    try:
        protocols = check_protocols(_names(protocol))
        with _interruptible() as cancel, _shown() as progress:
            report = run(
                protocols,
                load_models(_names(models)),
                read_data(data, where or ()),
                _inputs(inputs),
                Options(
                    seed=seed,
                    num_trials=trials,
                    num_artists=artists,
                    num_repeats=repeats,
                    label=label,
                    gender_column=gender_column,
                ),
                separator=separator,
                clip_s=clip_s,
                cache_folder=cache,
                num_workers=workers,
                command=shlex.join(["singalike", "evaluate", *_arguments()]),
                progress=progress,
                cancel=cancel,
            )
        page_path = reports.write(report, out)
    except CancelledError as error:
        _fail(str(error), EXIT_CANCELLED)
    except SingalikeError as error:
        _fail(str(error), EXIT_ERROR)
    except OSError as error:
        _fail(f"The report cannot be written: {error}", EXIT_ERROR)
    typer.echo(json.dumps(reports.as_json(report), indent=1) if as_json else _summary(report))
    typer.echo(f"Report: {page_path}", err=True)
    if any(result.reason is not None for result in report.results):
        raise typer.Exit(EXIT_PARTLY)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _inputs(text: str) -> list:  # type: ignore[type-arg]
    from engine.evaluation.data import INPUTS

    names = _names(text)
    if unknown := [name for name in names if name not in INPUTS]:
        _fail(f"There is no input {', '.join(unknown)}; known are {', '.join(INPUTS)}.", EXIT_USAGE)
    return names


def _arguments() -> list[str]:
    """What followed the word ``evaluate`` (or the module's name) on the command line."""
    arguments = sys.argv[1:]
    return arguments[1:] if arguments[:1] == ["evaluate"] else arguments


def _fail(message: str, code: int) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(code)


def _summary(report: Report) -> str:
    from engine.evaluation.report import table_markdown

    parts = list(report.notes)
    for result in report.results:
        parts.append(f"# {result.title}\n")
        if result.reason is not None:
            parts.append(f"Could not be run: {result.reason}\n")
        parts += [f"Warning: {warning}\n" for warning in result.warnings]
        parts += [table_markdown(table) for table in result.tables]
        parts += result.notes
    return "\n".join(parts)


@contextmanager
def _interruptible() -> Iterator[CancelToken]:
    """Ctrl-C asks the work to stop at its next safe point."""
    cancel = CancelToken()
    before = signal.signal(signal.SIGINT, lambda *_: cancel.cancel())
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _shown() -> Iterator[ProgressCallback]:
    """A bar with the time left on a terminal, now and then a line elsewhere; on stderr."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield _plain_lines()
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

    columns = (*Bar.get_default_columns()[:3], TextColumn("{task.fields[left]}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, object] = {}

        def show(report: Progress) -> None:
            if report.stage not in tasks:
                tasks[report.stage] = bar.add_task(report.stage, left="")
            left = "" if report.eta_s is None else f"{_time(report.eta_s)} left"
            bar.update(tasks[report.stage], completed=report.num_done,  # type: ignore[arg-type]
                       total=report.num_total, left=left)  # fmt: skip

        yield show


def _plain_lines() -> ProgressCallback:
    last_at, last_stage = 0.0, ""

    def show(report: Progress) -> None:
        nonlocal last_at, last_stage
        now = time.monotonic()
        if report.stage == last_stage and now - last_at < PLAIN_INTERVAL_S:
            return
        last_at, last_stage = now, report.stage
        left = "" if report.eta_s is None else f", {_time(report.eta_s)} left"
        typer.echo(f"{report.stage}: {report.num_done} of {report.num_total}{left}", err=True)

    return show


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"

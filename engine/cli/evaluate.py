"""``singalike evaluate``: arguments in, a report and its main tables out."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import (
    JsonOption,
    new_commands,
    note,
    stoppable,
    write_json,
)
from engine.cli.progress import shown_progress
from engine.errors import EvaluationError
from engine.evaluation.protocols import PROTOCOLS

if TYPE_CHECKING:
    from engine.evaluation.results import Report

EXIT_ERROR, EXIT_PARTLY = 1, 3

app = new_commands()


@app.command()
def evaluate(
    protocol: Annotated[
        str,
        typer.Argument(metavar="PROTOCOL", help=f"all, or of: {', '.join(PROTOCOLS)} (commas)."),
    ],
    models: Annotated[str, typer.Option(help="Names or checkpoint folders, with commas between.")],
    data: Annotated[Path, typer.Option(help="A table (CSV) of files, or the file of a library.")],
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", help="mixture, vocals, separated; commas between. Default: all."),
    ] = None,
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
    triplets: Annotated[int, typer.Option(min=1, help="Questions of a listening test.")] = 20,
    clip_s: Annotated[
        float | None, typer.Option(min=1.0, help="Listen to the middle so many seconds only.")
    ] = None,
    separator: Annotated[str, typer.Option(help="For the input separated.")] = "spleeter",
    workers: Annotated[int, typer.Option(min=0, help="Clips at a time; 0: one per core.")] = 0,
    cache: Annotated[Path | None, typer.Option(help="Folder of cached embeddings.")] = None,
    download: Annotated[bool, typer.Option(help="Fetch the weights of mert if need be.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure how well models know voices; write a report with tables and figures."""
    from engine.evaluation.evaluation_data import read_data
    from engine.evaluation.report import report_json, write
    from engine.evaluation.results import Options
    from engine.evaluation.run import check_inputs, check_protocols, load_models
    from engine.evaluation.run import evaluate as run

    try:
        protocols = check_protocols(_names(protocol))
        sources = check_inputs(_names(",".join(inputs or ())))
    except EvaluationError as error:
        raise typer.BadParameter(str(error)) from error
    with stoppable() as cancel, shown_progress() as progress:
        report = run(
            protocols,
            load_models(_names(models), allow_download=download),
            read_data(data, where or ()),
            sources,
            Options(
                seed=seed,
                num_trials=trials,
                num_artists=artists,
                num_repeats=repeats,
                label=label,
                gender_column=gender_column,
                num_triplets=triplets,
            ),
            folder=out,
            separator=separator,
            clip_s=clip_s,
            cache_folder=cache,
            num_workers=workers,
            command=shlex.join(["singalike", *sys.argv[1:]]),
            progress=progress,
            cancel=cancel,
        )
    page_path = write(report, out)
    if as_json:
        write_json(report_json(report))
    else:
        typer.echo(_summary(report))
    note(f"Report: {page_path}")
    if num_failed := sum(result.reason is not None for result in report.results):
        raise typer.Exit(EXIT_PARTLY if num_failed < len(report.results) else EXIT_ERROR)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _summary(report: Report) -> str:
    from engine.evaluation.tables import table_markdown

    parts = list(report.notes)
    for result in report.results:
        parts.append(f"# {result.title}\n")
        if result.reason is not None:
            parts.append(f"Could not be run: {result.reason}\n")
        parts += [f"Warning: {warning}\n" for warning in result.warnings]
        parts += [table_markdown(table) for table in result.tables]
        parts += result.notes
    return "\n".join(parts)

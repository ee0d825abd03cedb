"""What commands have in common: their options, an open library, output, and being stopped."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from engine.cli.terminal_text import escaped
from engine.progress import CancelToken

if TYPE_CHECKING:
    from engine.library import Library
    from engine.search.source import Source

LibraryOption = Annotated[
    Path | None, typer.Option("--library", help="The library's file. Default: your own library.")
]
CatalogueOption = Annotated[
    str | None,
    typer.Option(
        "--catalogue", metavar="PLACE", help="Search a catalogue, in a folder or at an address."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", help="A model's name or checkpoint folder. Default: each view's best."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]


# As in ``engine.records``, ``engine.search`` and ``engine.preferences``, without loading these.
View = Literal["vocals", "overall"]
By = Literal["vocals", "overall", "blend"]
Voices = Literal["fast", "fine"]


def new_commands(*, needs_arguments: bool = True) -> typer.Typer:
    """A set of commands, empty yet, that looks and answers as all others do.

    Called without arguments it shows its help, unless it needs none.
    """
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,  # rich would cost half of the time that --help takes
        pretty_exceptions_enable=False,
        no_args_is_help=needs_arguments,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def voices_or_chosen(voices: Voices | None) -> Voices:
    """What the option says, else what was chosen in the window."""
    from engine.preferences import read_choices

    return voices or read_choices().voices


VoicesOption = Annotated[
    Voices | None,
    typer.Option(
        "--voices",
        help="fast: through the whole song, nothing is separated. fine: separated first.",
        show_default="as chosen in the window, else fine",
    ),
]


@contextmanager
def open_library(path: Path | None, *, create: bool = False) -> Iterator[Library]:
    """The library named, or the user's own."""
    from engine.library import Library
    from engine.paths import default_library_path

    with Library.open(path or default_library_path(), create=create) as library:
        yield library


@contextmanager
def open_source(library: Path | None, catalogue: str | None) -> Iterator[Source]:
    """What is to be searched: a catalogue, or a library."""
    if catalogue is None:
        from engine.search.library_source import LibrarySource

        with open_library(library) as opened:
            yield LibrarySource(opened)
        return
    if library is not None:
        raise typer.BadParameter("--catalogue stands for a library: give one or the other.")
    from engine.search.remote.source import TableSource
    from engine.search.remote.table import SongTable

    yield TableSource(SongTable.open(catalogue))


@contextmanager
def stoppable() -> Iterator[CancelToken]:
    """Ctrl-C and SIGTERM ask the work to stop after the piece at hand; a second one ends it now."""
    cancel = CancelToken()

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_cancelled:
            raise KeyboardInterrupt
        note("Stopping. What is finished is kept.")
        cancel.cancel()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def note(text: str) -> None:
    """A sentence for the person, not for the program that reads the results."""
    typer.echo(text, err=True)


def write_json(value: Any) -> None:
    """One JSON document on stdout, with escapes for what is no text or would steer a terminal."""
    is_unicode = "utf" in (sys.stdout.encoding or "utf").lower()
    text = json.dumps(value, ensure_ascii=not is_unicode, indent=1, allow_nan=False)
    sys.stdout.write(escaped(text))
    sys.stdout.write("\n")


def write_list(rows: Sequence[Any], lines: Iterable[str], as_json: bool, empty: str = "") -> None:
    """Things as JSON or a line each; where there are none, a sentence that says so."""
    if as_json:
        write_json(rows)
        return
    for line in lines:
        typer.echo(line)
    if not rows and empty:
        note(empty)


def printable(text: str) -> str:
    """Text from tags and file names in one line, without what would steer a terminal."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return kept.encode("utf-8", "replace").decode()


def some(num: int, thing: str = "song") -> str:
    """``1 song``, ``2 songs``."""
    return f"{num} {thing}" if num == 1 else f"{num} {thing}s"


def clock(seconds: float) -> str:
    """65.2 -> 1:05; from an hour on, 1:02:03; from two days on, 19 days."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{seconds / 86_400:.0f} days"
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"

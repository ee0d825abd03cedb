"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 done, 1 error, 2 usage, 3 partly done, 130 stopped on request.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.cli.terminal_text import ReaderGoneError, make_streams_harmless
from engine.sound.decoding import serve_if_asked

if TYPE_CHECKING:
    import typer


def main() -> None:
    """Entry point of ``singalike``."""
    serve_if_asked()  # a frozen decoder process must not read a command line

    def load() -> typer.Typer:
        from engine.cli.commands import app

        return app

    run_app(load)


def run_app(load: Callable[[], typer.Typer]) -> None:
    """Run commands as a whole process. Never shows a traceback for an expected error."""
    _open_closed_streams()
    make_streams_harmless()
    try:
        try:
            _run(load)
        finally:
            sys.stdout.flush()  # here, where it can still be told that there is no room for it
    except KeyboardInterrupt:  # before or after the command itself, which stops in its own way
        sys.exit(130)
    except ReaderGoneError:
        _drop_stdout()
        sys.exit(0)
    except OSError as error:
        _drop_stdout()
        print(f"singalike: {_in_words(error)}", file=sys.stderr)
        sys.exit(1)


def _run(load: Callable[[], typer.Typer]) -> None:
    import typer

    from engine.errors import CancelledError, SingalikeError

    try:
        load()(standalone_mode=True)
    except CancelledError as error:
        print(error, file=sys.stderr)
        sys.exit(130)
    except SingalikeError as error:
        print(f"singalike: {error}", file=sys.stderr)
        sys.exit(1)
    except typer.Exit as error:
        sys.exit(error.exit_code)


def _in_words(error: OSError) -> str:
    if isinstance(error, io.UnsupportedOperation):  # see ``_open_closed_streams``
        return "The results cannot be written: standard output is closed. Leave it open."
    where = f": {error.filename}" if error.filename else ""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = " Make room, then try again." if is_full else ""
    return f"{error.strerror or error}{where}.{hint}"


def _drop_stdout() -> None:
    """What is left to be written goes nowhere: Python must not complain while it shuts down."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed_streams() -> None:
    """Give a process that was started without some standard stream (``2>&-``) the null device.

    Else the next file that is opened, such as the library, would get the stream's number, and what
    C libraries write to stderr would go into it. A stdout in the place of a closed one can only be
    read: results that are written nowhere are an error.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "w" if name == "stderr" else "r"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123

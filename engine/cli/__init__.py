"""The command line. Results go to stdout, everything else to stderr.

Exit codes: 0 done, 1 error, 2 usage, 3 partly done, 130 stopped on request.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point of ``singalike``. Never shows a traceback for an expected error."""
    import typer

    from engine.cli.commands import app
    from engine.errors import CancelledError, SingalikeError

    try:
        app(standalone_mode=True)
    except CancelledError as error:
        print(error, file=sys.stderr)
        sys.exit(130)
    except SingalikeError as error:
        print(f"singalike: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (``| head``) has seen enough; Python must not complain while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except typer.Exit as error:
        sys.exit(error.exit_code)

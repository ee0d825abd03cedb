"""What is printed comes from strangers' files as well: none of it may steer the terminal."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_KEPT = "\n\t"


def harmless(text: str) -> str:
    """Without control, bidirectional and other invisible characters, each of which is a space."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in _KEPT else " " for c in text)


def escaped(json_text: str) -> str:
    """JSON that means the same, with escapes for what ``harmless`` would take away."""
    return re.sub(r"[^\n -~]", lambda found: _escape(found[0]), json_text)


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


class ReaderGoneError(Exception):
    """Whoever reads the results (``| head``) has seen enough."""


class HarmlessStream:
    """Text that passes through is ``harmless``; what the encoding lacks comes out with escapes.

    Where ``is_output``, a reader who has gone is a ReaderGoneError: typer would take a
    BrokenPipeError for a failure.
    """

    def __init__(self, stream: TextIO, *, is_output: bool = False) -> None:
        self._stream = stream
        self._is_output = is_output
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        with self._reader():
            self._stream.write(harmless(text))
        return len(text)

    def flush(self) -> None:
        with self._reader():
            self._stream.flush()

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    @contextmanager
    def _reader(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError as error:
            if not self._is_output:
                raise
            raise ReaderGoneError from error

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":  # the way around
            raise AttributeError(name)
        return getattr(self._stream, name)


def make_streams_harmless() -> None:
    """Whatever prints, be it an error message of a library: here it passes.

    Progress bars, which steer the terminal with good reason, write to ``sys.__stderr__``.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, HarmlessStream):
            setattr(sys, name, HarmlessStream(stream, is_output=name == "stdout"))

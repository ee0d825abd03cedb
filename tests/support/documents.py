"""The commands that the documentation shows, and the sentences that it explains."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHELLS = ("", "sh", "shell", "bash", "console")


@dataclass(frozen=True)
class Command:
    """One command line of a document.

    Attributes:
        words: as a shell would hand them on, without assignments, comments and redirections.
        is_whole: it could be typed as it stands: it has no ``...`` and is not in a sentence.
    """

    place: str
    words: tuple[str, ...]
    is_whole: bool = True

    @property
    def program(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return f"{self.place}: {shlex.join(self.words)}"


def documents() -> list[Path]:
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> list[Command]:
    """All of them: from fenced and indented blocks, and from ``code`` within sentences."""
    return [command for path in documents() for command in commands_of(path.name, path.read_text())]


def commands_of(name: str, text: str) -> Iterator[Command]:
    for block in _blocks(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            yield from _commands_of_line(name, line)
    prose = _FENCE.sub("", text)
    for span in re.findall(r"`((?:singalike|make|python|sh) [^`\n]+)`", prose):
        for command in _commands_of_line(name, span):
            yield Command(name, command.words, is_whole=False)


def _blocks(text: str) -> Iterator[str]:
    for language, block in _FENCE.findall(text):
        if language in _SHELLS:
            yield block
    rest = _FENCE.sub("", text)
    for block in re.findall(r"(?:\A|\n\n)((?:(?: {4}.*|[ \t]*)\n)+)", rest):
        yield re.sub(r"^ {4}", "", block, flags=re.MULTILINE)


def _commands_of_line(name: str, line: str) -> Iterator[Command]:
    line = line.strip().removeprefix("$ ")
    if "\\Scripts\\" in line:  # Windows' way to say it
        line = line.replace(".venv\\Scripts\\", "").replace("\\", "/")
    words = shlex.split(line, comments=True)
    while words and re.match(r"[A-Z_]+=", words[0]):
        del words[0]
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "|":  # "singalike status | failed": one of them
            parts.append(["singalike"])
        else:
            parts[-1].append(word)
    for part in filter(None, parts):
        own = [word for word in part if word != "..."]
        own[0] = own[0].removeprefix("./").removeprefix(".venv/bin/")
        yield Command(name, tuple(own), is_whole=len(own) == len(part))


@cache
def program_texts() -> tuple[str, ...]:
    """All texts in the sources of the program; what is filled in at run time is a NUL."""
    found = []
    for folder in ("engine", "app"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    found.append("".join(
                        str(part.value) if isinstance(part, ast.Constant) else "\0"
                        for part in node.values
                    ))  # fmt: skip
    return tuple(found)


def explained_sentences(text: str) -> list[str]:
    """First column of the tables that begin with "The program says"."""
    found = []
    for table in re.findall(
        r"^\| The program says .*\n\|[ -|]+\n((?:\|.*\n)+)", text, re.MULTILINE
    ):
        found += [row.split("|")[1].strip() for row in table.splitlines()]
    return found

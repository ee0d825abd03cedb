"""Every sentence of the window that can be translated, read from the program's text.

python -m tools.sentences LANGUAGE.json    # which of them the table lacks, and has for nothing
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARKS = ("tr", "_tr", "noop", "translate")


def sentences(folder: Path = ROOT / "app") -> dict[str, str]:
    """By sentence, a place where it stands: ``tr("…")``, ``noop("…")``, ``translate(…, "…")``."""
    return {
        text: f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(folder.rglob("*.py"))
        for text, line in _marked(ast.parse(path.read_text(encoding="utf-8")))
    }


def _marked(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in MARKS:
            for text in _texts(node.args[-1]):
                yield text, node.lineno


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _texts(argument: ast.expr) -> Iterator[str]:
    """Both sentences of ``"…" if … else "…"``, all of a tuple."""
    if isinstance(argument, ast.IfExp):
        yield from _texts(argument.body)
        yield from _texts(argument.orelse)
    elif isinstance(argument, ast.Tuple):
        for element in argument.elts:
            yield from _texts(element)
    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value


def places(sentence: str) -> list[str]:
    """What is filled in, in alphabetical order: ``{num}``."""
    return sorted(re.findall(r"\{[^}]*\}", sentence))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    table = json.loads(parser.parse_args().table.read_text(encoding="utf-8"))
    wanted = sentences()
    for text in sorted(wanted.keys() - table.keys()):
        print(f"missing  {wanted[text]}  {json.dumps(text, ensure_ascii=False)}")
    for text in sorted(table.keys() - wanted.keys()):
        print(f"unused   {json.dumps(text, ensure_ascii=False)}")


if __name__ == "__main__":
    main()

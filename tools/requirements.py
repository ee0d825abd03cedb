"""Print what pyproject.toml requires, with the extras that are named: one requirement per word.

``pip install .`` would install the program itself as well, of which a bundle wants no second copy.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(extras: list[str]) -> list[str]:
    """Requirements that hold for this Python, their markers taken off."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    found = list(project["dependencies"])
    for extra in extras:
        found += project["optional-dependencies"][extra]
    return [text for text, is_wanted in map(_without_marker, found) if is_wanted]


def _without_marker(requirement: str) -> tuple[str, bool]:
    """The only markers that this project uses are a minimal and a maximal version of Python."""
    text, _, marker = requirement.partition(";")
    if not marker:
        return text.strip(), True
    name, comparison, version = marker.replace("'", "").split()
    assert name == "python_version", requirement
    asked = tuple(map(int, version.split(".")))
    is_newer = sys.version_info[:2] >= asked
    return text.strip(), is_newer if comparison == ">=" else not is_newer


if __name__ == "__main__":
    print(" ".join(requirements(sys.argv[1:])))

"""The licences of all that a bundle holds, as a folder of texts with an overview for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tools.bundled_parts import DISTRIBUTION, INSIDE, MODEL, PYTHON, SYSTEM, Part

HEADINGS = {
    PYTHON: "Python",
    DISTRIBUTION: "Packages of Python",
    INSIDE: "Libraries inside of these",
    SYSTEM: "Libraries of the operating system",
    MODEL: "Models",
}
INTRODUCTION = """\
Singalike {version} is MIT-licensed: see LICENSE.txt. This folder has the licences of all other
works in this bundle, each in a folder of its own; sbom.cdx.json is the same list for programs
(CycloneDX).

FFmpeg, Qt, PySide6 and libsndfile are used under the LGPL, version 3: their libraries are files of
their own in this bundle and may be replaced by other builds of them. The sources of all works are
those of the versions named below, from the addresses named beside them or from the Python Package
Index.
"""
UNDER_GPL = """
FFmpeg is linked with x264 and x265 here, which are under the GNU General Public License. So whoever
passes this bundle on as a whole does it under that licence, version 3 or later.
"""


class MissingLicenceError(Exception):
    """A part is bundled whose licence text nobody has."""


def write_licences(parts: Sequence[Part], folder: Path, version: str, own: str) -> None:
    """Write ``README.txt``, our own ``LICENSE.txt`` and a folder of texts for each part.

    Raises MissingLicenceError where a part brings neither a text nor a word on its licence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_under_gpl = any(part.name in ("x264", "x265") for part in parts)
    lines = [INTRODUCTION.format(version=version) + (UNDER_GPL if is_under_gpl else "")]
    for kind, heading in HEADINGS.items():
        lines += ["", heading, "-" * len(heading)]
        lines += [_write(part, folder) for part in parts if part.kind == kind]
    (folder / "README.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "LICENSE.txt").write_text(own, encoding="utf-8")


def folder_name(part: Part) -> str:
    """Where a part's texts are, below the folder of licences."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", part.name)


def _write(part: Part, folder: Path) -> str:
    if not part.texts or not part.licence:
        raise MissingLicenceError(f"{part.name} {part.version}: its licence is not known.")
    for name, text in part.texts.items():
        path = folder / folder_name(part) / re.sub(r"[^A-Za-z0-9.+-]+", "-", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    place = f"  {part.homepage}" if part.homepage else ""
    return f"{part.name} {part.version}: {part.licence}{place}"

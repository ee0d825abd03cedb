"""The notes of a release, from CHANGELOG.md: ``python tools/release_notes.py [VERSION]``.

Without a version, those of the program's own (``engine/__init__.py``, the only place where it is
written). A version that the program does not say, or that CHANGELOG.md lacks, ends in exit 1.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class ReleaseError(Exception):
    """There is no release to make; the message says what is missing."""


def program_version(root: Path = ROOT) -> str:
    """What ``singalike --version`` says."""
    text = (root / "engine" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "(.+?)"$', text, re.MULTILINE)
    if found is None:
        raise ReleaseError("engine/__init__.py tells no version.")
    return found[1]


def notes(changelog: str, version: str) -> str:
    """The section of a version, without its heading. Raises ReleaseError."""
    sections = re.split(r"^## +", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, body = section.partition("\n")
        if heading.split()[0].strip("[]") == version:
            if not body.strip():
                raise ReleaseError(f"CHANGELOG.md says nothing of {version}.")
            return body.strip() + "\n"
    raise ReleaseError(f"CHANGELOG.md has no section {version}.")


def main(arguments: list[str]) -> int:
    try:
        own = program_version()
        wanted = arguments[0] if arguments else own
        if wanted != own:
            raise ReleaseError(f"The tag says {wanted}, engine/__init__.py says {own}.")
        sys.stdout.write(notes((ROOT / "CHANGELOG.md").read_text("utf-8"), own))
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write down the very files that a bundle is made of on this system, by version and sha256.

    python -m tools.lock             ask pip what it would install, and write packaging/locked/…
    python -m tools.lock --path      print where that is; nothing where nobody has written it yet

``tools/bundle.sh`` then installs these files and no others (pip's ``--require-hashes``).
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# What a bundle is made of: written by tools/lock.py, from what pyproject.toml asks for.\n"


def locked_path() -> Path:
    """By system and Python, which have wheels of their own."""
    version = "".join(map(str, sys.version_info[:2]))
    system = f"{platform.system()}-{platform.machine()}-py{version}".lower()
    return ROOT / "packaging" / "locked" / f"{system}.txt"


def lines(report: dict[str, Any]) -> list[str]:
    """``name==version --hash=sha256:…`` for each file of pip's report but ourselves, by name."""
    found = []
    for one in report["install"]:
        name = re.sub(r"[-_.]+", "-", one["metadata"]["name"]).lower()
        if archive := one["download_info"].get("archive_info"):
            version, digest = one["metadata"]["version"], archive["hashes"]["sha256"]
            found.append(f"{name}=={version} --hash=sha256:{digest}")
    return sorted(found)


def asked() -> dict[str, Any]:
    """What pip would install, as it reports it. CalledProcessError where it cannot."""
    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    pip += ["--no-binary", "hnswlib", "--constraint", "constraints.txt", "--report", "-"]
    done = subprocess.run([*pip, ".[package]"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    if sys.argv[1:] == ["--path"]:
        print(locked_path() if locked_path().is_file() else "")
    else:
        locked_path().write_text(HEAD + "\n".join(lines(asked())) + "\n", encoding="utf-8")

"""Which work of others a bundle holds: told from the very files that went into it.

Each file that PyInstaller collects comes from somewhere: a distribution of Python (whose RECORD
names it), Python itself, a package of the operating system, or this repository. So nothing that is
bundled can be missing from the licences, and nothing that is not bundled is in them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OWN_TEXTS = ROOT / "packaging" / "licences"
TEXT_NAMES = re.compile(r"(licen[cs]e|copying|copyright|notice|authors)", re.IGNORECASE)
DISTRIBUTION, PYTHON, SYSTEM, MODEL = "distribution", "python", "system", "model"
INSIDE = "inside"
Owner = tuple[str, str]
# Licences that packages state in their sources only, by name.
UNDECLARED = {"hnswlib": "Apache-2.0", "torch": "BSD-3-Clause"}
# Bootloaders are PyInstaller's, under an exception that lets them be part of anything.
PYINSTALLER_LICENCE = "GPL-2.0-or-later WITH Bootloader-exception"


@dataclass(frozen=True)
class Part:
    """One bundled work.

    Attributes:
        kind: where it is from: DISTRIBUTION, INSIDE one, PYTHON, SYSTEM (a package of the system)
            or MODEL.
        licence: an SPDX expression where the part states one, else its own words, else "".
        texts: name -> text of each licence, notice or list of authors.
        num_files: how many files of the bundle are its.
    """

    name: str
    version: str
    kind: str
    licence: str
    texts: Mapping[str, str]
    num_files: int = 0
    homepage: str = ""


class UnknownSourceError(Exception):
    """A file is bundled of which nobody can say whose it is."""


def parts_of(sources: Iterable[str]) -> list[Part]:
    """The parts that own these source files, and the models, by kind and name.

    Raises UnknownSourceError.
    """
    owners = _owners_of_site_packages()
    counts: Counter[Owner] = Counter()
    for source in sources:
        path = Path(source).absolute()  # links are what RECORD names, so they are not followed
        if path.is_relative_to(ROOT) and not path.is_relative_to(sys.prefix):
            continue  # our own
        owner = owners.get(str(path)) or _elsewhere(path)
        counts[owner] += 1
        if inside := _inside(owner[1], path):
            counts[inside] += 1
    found = [_part(kind, name, num) for (kind, name), num in counts.items()]
    return sorted([*found, *_models()], key=lambda part: (part.kind, part.name.lower()))


def info_folder(part: Part) -> str:
    """Where Python looks for a part's metadata: at a hyphen, to it, the name ends."""
    return f"{part.name.replace('-', '_')}-{part.version}.dist-info"


def own_licence() -> str:
    """Of all that is ours and of the weights that come along, as an SPDX expression."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["license"])


@cache
def _known() -> dict[str, Any]:
    return tomllib.loads((OWN_TEXTS / "inside.toml").read_text("utf-8"))


def _inside(distribution: str, path: Path) -> Owner | None:
    """The work inside a distribution that a library is, where it is known to carry any."""
    for one in _known()["inside"]:
        if one["of"] == distribution and re.match(one["files"], path.name):
            return INSIDE, one["name"]
    if path.parent.name in ("av.libs", ".dylibs") and distribution == "av":
        raise UnknownSourceError(f"{path}: say in {OWN_TEXTS}/inside.toml what it is.")
    return None


@cache
def _owners_of_site_packages() -> dict[str, Owner]:
    """Absolute path of every installed file -> its distribution."""
    owners = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        for file in distribution.files or ():
            owners[str(Path(str(distribution.locate_file(file))).absolute())] = (DISTRIBUTION, name)
    return owners


def _elsewhere(path: Path) -> Owner:
    own = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sys.base_prefix}
    if any(path.is_relative_to(folder) for folder in own if folder and folder != "/usr"):
        return PYTHON, "Python"
    # What a bundler made on the way, such as the archive of the standard library.
    if path.name == "base_library.zip":
        return PYTHON, "Python"
    if path.suffix in (".pyc", ".pyi") or "PyInstaller" in path.parts:
        return DISTRIBUTION, "pyinstaller"
    return SYSTEM, _system_package(path)


def _system_package(path: Path) -> str:
    """The Debian package that owns a file of the system."""
    if shutil.which("dpkg") is None:
        raise UnknownSourceError(f"{path}: nobody here can say whose file it is.")
    for candidate in (path, path.resolve()):
        for form in (str(candidate), str(candidate).removeprefix("/usr")):
            done = subprocess.run(["dpkg", "-S", form], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout.split(":")[0]
    raise UnknownSourceError(f"{path} belongs to no package: install its library as one.")


def _part(kind: str, name: str, num_files: int) -> Part:
    if kind == PYTHON:
        text = _python_licence()
        version = ".".join(map(str, sys.version_info[:3]))
        return Part(name, version, kind, "PSF-2.0", {"LICENSE.txt": text}, num_files,
                    "https://www.python.org")  # fmt: skip
    if kind == SYSTEM:
        asked = ["dpkg-query", "-W", "-f=${Version}\n${Homepage}", name]
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        version, _, homepage = told.partition("\n")
        text = Path(f"/usr/share/doc/{name}/copyright").read_text("utf-8", "replace")
        names = dict.fromkeys(re.findall(r"^License:[ \t]*(\S.*?)\s*$", text, re.MULTILINE))
        licence = " AND ".join(names) or "as its text says"
        return Part(name, version, kind, licence, {"copyright": text}, num_files, homepage)
    if kind == INSIDE:
        one = next(one for one in _known()["inside"] if one["name"] == name)
        within = metadata.version(one["of"])
        return Part(name, f"of {one['of']} {within}", kind, one["licence"],
                    _own_texts(one["texts"]), num_files, one["homepage"])  # fmt: skip
    about = metadata.distribution(name)
    licence = PYINSTALLER_LICENCE if name == "pyinstaller" else licence_of(about.metadata)
    return Part(
        about.metadata["Name"], about.version, kind, licence, _texts(about), num_files,
        next(iter(about.metadata.get_all("Home-page") or ()), ""),
    )  # fmt: skip


def _python_licence() -> str:
    for folder in (sysconfig.get_path("stdlib"), sys.base_prefix):
        for name in ("LICENSE.txt", "LICENSE"):
            path = Path(str(folder)) / name
            if path.is_file():
                return path.read_text("utf-8")
    raise UnknownSourceError("Python's own licence was not found beside it.")


def licence_of(about: metadata.PackageMetadata) -> str:
    """What a distribution says of its licence, in one line."""
    for key in ("License-Expression", "License"):
        text = next((value for value in about.get_all(key) or () if value), "").strip()
        if text and "\n" not in text and len(text) < 80:
            return text
    classifiers = about.get_all("Classifier") or []
    names = [c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith("License ::")]
    return ", ".join(names) or UNDECLARED.get(about["Name"].lower(), "")


def _texts(distribution: metadata.Distribution) -> dict[str, str]:
    """Licence texts among the files of a distribution, and its own where it ships none."""
    found = {}
    for file in distribution.files or ():
        path = Path(str(distribution.locate_file(file)))
        is_text = path.suffix.lower() in ("", ".txt", ".md", ".rst", ".apache", ".bsd")
        if TEXT_NAMES.search(path.name) and is_text and path.is_file():
            found["/".join(file.parts)] = path.read_text("utf-8", "replace")
    return found | _own_texts(_known()["also"].get(distribution.metadata["Name"], ()))


def _own_texts(names: Iterable[str]) -> dict[str, str]:
    return {name: (OWN_TEXTS / name).read_text("utf-8") for name in names}


def _models() -> list[Part]:
    """The weights that come with the program, each with the licence beside it."""
    found = []
    for manifest_path in sorted((ROOT / "resources").glob("*/*/checkpoint.json")):
        folder, manifest = manifest_path.parent, json.loads(manifest_path.read_text("utf-8"))
        texts = {"LICENSE": (folder / "LICENSE").read_text("utf-8")}
        found.append(Part(folder.name, "1", MODEL, manifest["licence"], texts, 1))
    return found

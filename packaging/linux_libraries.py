"""What is done to the libraries of a bundle on Linux, as tables of PyInstaller.

Some of the libraries that FFmpeg is linked with are never called here: x264, x265 and SVT-AV1
encode video, GnuTLS is for addresses, and no file is ever opened by an address. With their own
libraries they are 36 MB, and the first two would put the bundle under the GPL. FFmpeg wants their
names to be there when it is loaded, no more: so each is replaced by a library of the same name in
which every function returns 0.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Container, Iterable
from functools import cache
from pathlib import Path

from icu_data import inside_library, only_needed

# Library -> (which of FFmpeg's asks for it, the names it asks for).
UNCALLED = {
    "x264": ("libavcodec", r"x264_"),
    "x265": ("libavcodec", r"x265_"),
    "SvtAv1Enc": ("libavcodec", r"(eb_)?svt_"),
    "gnutls": ("libavformat", r"gnutls_"),
}
Entry = tuple[str, str, str]  # target, source, kind: as in PyInstaller's tables


def without_uncalled(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The same table, the sources of UNCALLED replaced by stand-ins made in ``folder``."""
    table = list(entries)
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for library, (user, names) in UNCALLED.items():
        for target, source, kind in table:
            if kind == "BINARY" and Path(target).name.startswith(f"lib{library}-"):
                wanted = {n: v for n, v in _asked_by(table, user).items() if re.match(names, n)}
                made[source] = _stand_in(folder / Path(target).name, wanted)
    return [(target, made.get(source, source), kind) for target, source, kind in table]


def _asked_by(table: list[Entry], user: str) -> dict[str, str]:
    """The names that a library of FFmpeg wants others to have, each with its version or ""."""
    [source] = {source for target, source, _ in table if re.search(rf"{user}-[^/]*$", target)}
    told = subprocess.run(["nm", "-D", "--undefined-only", source], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    symbols = (line.split()[-1].partition("@") for line in told.splitlines())
    return {name: version for name, _, version in symbols}


def _stand_in(path: Path, names: dict[str, str]) -> str:
    if not names:
        raise ValueError(f"{path.name}: FFmpeg asks nothing of it")
    code = "".join(f"void *{name}(void) {{ return 0; }}\n" for name in names)
    if not (versions := sorted(set(names.values()) - {""})):
        return _compiled(path, code, "c")
    script = path.with_name(f"{path.name}.versions")
    script.write_text("".join(
        f"{one} {{ global: {' '.join(f'{n};' for n, v in names.items() if v == one)} }};\n"
        for one in versions
    ))  # fmt: skip
    return _compiled(path, code, "c", f"-Wl,--version-script={script}")


def _compiled(path: Path, code: str, language: str, *options: str) -> str:
    command = ["gcc", "-shared", "-fPIC", "-O1", "-s", f"-Wl,-soname,{path.name}", "-nostdlib",
               "-Wl,--build-id=none", *options, f"-x{language}", "-", "-o", str(path)]  # fmt: skip
    subprocess.run(command, input=code, text=True, check=True)
    return str(path)


def with_less_icu(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The same table, the source of ICU's data replaced by one with what Qt needs of it."""
    table = list(entries)
    found = {
        (Path(target).name, source) for target, source, kind in table
        if kind == "BINARY" and "/libicudata.so." in target
    }  # fmt: skip
    if not found:  # a Qt that takes the system's
        return table
    [(name, source)] = found
    folder.mkdir(parents=True, exist_ok=True)
    told = subprocess.run(["nm", "-DS", "--defined-only", source], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    [(_, size, _, symbol)] = [line.split() for line in told.splitlines()]
    data = folder / "icu.dat"
    data.write_bytes(only_needed(inside_library(Path(source).read_bytes(), int(size, 16))))
    code = (
        f".section .rodata\n.balign 16\n.globl {symbol}\n.type {symbol}, @object\n{symbol}:\n"
        f'.incbin "{data}"\n.size {symbol}, .-{symbol}\n.section .note.GNU-stack,"",@progbits\n'
    )
    small = _compiled(folder / name, code, "assembler")
    return [(target, small if s == source else s, kind) for target, s, kind in table]


def without_orphans(entries: Iterable[Entry], keep: str) -> list[Entry]:
    """Without libraries that nothing in the table is linked with any more.

    They came along with plugins and libraries that have been left out, from the system or within
    wheels. ``keep``: a pattern of names that are loaded by other means.
    """
    table = list(entries)
    while True:
        needed = {
            name for _, source, kind in table if kind != "SYMLINK" for name in _needed(source)
        }
        orphans = {
            target for target, _, _ in table
            if _is_library(target) and Path(target).name not in needed
            and not re.search(keep, target)
        }  # fmt: skip
        if not orphans:
            return table
        table = [entry for entry in table if entry[0] not in orphans]


def without_dead_links(entries: Iterable[Entry], targets: Container[str]) -> list[Entry]:
    """Without links to what has been left out: ``targets`` are the files that there are."""
    return [
        (target, source, kind) for target, source, kind in entries
        if kind != "SYMLINK" or os.path.normpath(Path(target).parent / source) in targets
    ]  # fmt: skip


def _is_library(target: str) -> bool:
    folder, name = str(Path(target).parent), Path(target).name
    return folder.endswith((".", ".libs")) and name.startswith("lib") and ".so" in name


@cache
def _needed(source: str) -> tuple[str, ...]:
    told = subprocess.run(["objdump", "-p", source], capture_output=True, text=True, check=False)
    return tuple(re.findall(r"^ +NEEDED +(\S+)", told.stdout, re.MULTILINE))


def linked_once(entries: Iterable[Entry]) -> list[Entry]:
    """Libraries that several wheels carry (numpy's and SciPy's Fortran): one, and links to it."""
    found, first = [], dict[tuple[str, str], str]()
    for target, source, kind in entries:
        if kind == "BINARY" and ".libs/" in target:
            same = Path(target).name, hashlib.sha256(Path(source).read_bytes()).hexdigest()
            if (other := first.setdefault(same, target)) != target:
                source, kind = os.path.relpath(other, Path(target).parent), "SYMLINK"
        found.append((target, source, kind))
    return found

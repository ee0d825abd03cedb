"""What is done to the libraries of a bundle on Linux, as tables of PyInstaller.

Three of the libraries that FFmpeg is linked with are never called here: x264, x265 and SVT-AV1
encode video. They are 30 MB, and the first two would put the bundle under the GPL. FFmpeg wants
their names to be there when it is loaded, no more: so each is replaced by a library of the same
name in which every function returns 0.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ENCODERS = {"x264": r"x264_", "x265": r"x265_", "SvtAv1Enc": r"(eb_)?svt_"}
Entry = tuple[str, str, str]  # target, source, kind: as in PyInstaller's tables


def without_encoders(entries: Iterable[Entry], folder: Path) -> list[Entry]:
    """The same table, the sources of the encoders replaced by stand-ins made in ``folder``."""
    table = list(entries)
    [user] = {source for target, source, _ in table if re.search(r"libavcodec-[^/]*$", target)}
    told = subprocess.run(["nm", "-D", "--undefined-only", user], capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    names = [line.split()[-1] for line in told.splitlines()]
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for target, source, kind in table:
        for encoder, prefix in ENCODERS.items():
            if kind == "BINARY" and Path(target).name.startswith(f"lib{encoder}-"):
                wanted = [name for name in names if re.match(prefix, name)]
                made[source] = _stand_in(folder / Path(target).name, wanted)
    return [(target, made.get(source, source), kind) for target, source, kind in table]


def _stand_in(path: Path, names: list[str]) -> str:
    if not names:
        raise ValueError(f"{path.name}: FFmpeg asks nothing of it")
    code = "".join(f"void *{name}(void) {{ return 0; }}\n" for name in names)
    command = ["gcc", "-shared", "-fPIC", "-O1", "-s", f"-Wl,-soname,{path.name}",
               "-Wl,--build-id=none", "-xc", "-", "-o", str(path)]  # fmt: skip
    subprocess.run(command, input=code, text=True, check=True)
    return str(path)


def without_orphans(entries: Iterable[Entry], keep: str) -> list[Entry]:
    """Without libraries of the system that nothing in the table is linked with any more.

    They came along with plugins that have been left out. ``keep``: a pattern of names that are
    loaded by other means.
    """
    table = list(entries)
    while True:
        needed = {
            name for _, source, kind in table if kind != "SYMLINK" for name in _needed(source)
        }
        orphans = {
            target for target, _, _ in table
            if ".so" in target and "/" not in target
            and target.startswith("lib") and target not in needed and not re.search(keep, target)
        }  # fmt: skip
        if not orphans:
            return table
        table = [entry for entry in table if entry[0] not in orphans]


@cache
def _needed(source: str) -> tuple[str, ...]:
    told = subprocess.run(["objdump", "-p", source], capture_output=True, text=True, check=False)
    return tuple(re.findall(r"^ +NEEDED +(\S+)", told.stdout, re.MULTILINE))

"""Pack a bundle and list what is in it: ``python -m tools.pack_bundle dist``.

Makes, beside the bundle, ``singalike-VERSION-SYSTEM-MACHINE.tar.xz`` (``.zip`` on Windows) and
``….manifest.json``: the sha256 of every file in it. Names are sorted, times are those of the commit
and owners nobody, so that the same files give the same archive.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tools.release_notes import program_version


def bundle_path(folder: Path) -> Path:
    """What PyInstaller made in its output folder."""
    name = "Singalike.app" if sys.platform == "darwin" else "Singalike"
    return folder / name


def stem() -> str:
    """Of the names of what is given to people."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    return f"singalike-{program_version()}-{system}-{platform.machine().lower()}"


def files_of(folder: Path) -> Iterator[Path]:
    """All files and links below a folder, sorted by name."""
    return iter(sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()))


def manifest(bundle: Path) -> dict[str, str]:
    """Relative path -> sha256 of the content, or ``-> target`` of a link."""
    found = {}
    for path in files_of(bundle):
        name = path.relative_to(bundle).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink().as_posix()}"
        else:
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def pack(bundle: Path, target: Path, time_s: int) -> Path:
    """Write the archive; returns its path."""
    if sys.platform == "win32":
        path = target.with_name(f"{target.name}.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in files_of(bundle):
                archive.write(file, Path(bundle.name) / file.relative_to(bundle))
        return path
    path = target.with_name(f"{target.name}.tar.xz")
    # xz itself uses all cores, which Python's module does not
    if shutil.which("xz"):
        with (
            path.open("wb") as out,
            subprocess.Popen(["xz", "-T0", "-6"], stdin=subprocess.PIPE, stdout=out) as xz,
        ):
            assert xz.stdin is not None
            _write_tar(bundle, xz.stdin, "w|", time_s)
            xz.stdin.close()
        if xz.returncode:
            raise OSError(f"{path} cannot be written. Is the disk full?")
    else:
        with path.open("wb") as out:
            _write_tar(bundle, out, "w:xz", time_s)
    return path


def _write_tar(bundle: Path, out: IO[bytes], mode: str, time_s: int) -> None:
    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = time_s
        is_program = bool(info.mode & stat.S_IXUSR) or info.isdir()
        info.mode = 0o755 if is_program else 0o644
        return info

    with tarfile.open(mode=mode, fileobj=out, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for path in sorted([bundle, *bundle.rglob("*")]):
            place = str(Path(bundle.name) / path.relative_to(bundle))
            archive.add(path, place, recursive=False, filter=plain)


def main(folder: Path) -> None:
    bundle, target = bundle_path(folder), folder / stem()
    listed = manifest(bundle)
    text = json.dumps(listed, indent=0, sort_keys=True) + "\n"
    target.with_name(f"{target.name}.manifest.json").write_text(text, encoding="utf-8")
    path = pack(bundle, target, int(os.environ.get("SOURCE_DATE_EPOCH", "1600000000")))
    print(f"{path}: {path.stat().st_size / 1e6:.0f} MB, {len(listed)} files")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Test a bundle as those who download it meet it: ``python -m tools.check_bundle dist``.

The archive is unpacked into a folder with spaces in its name and run with an empty home, without
Python, without any other program on PATH, and without a network where the system can take it away.
Figures (sizes, times) are printed and written to ``dist/….check.json``; faults end in exit 1.
``--against MANIFEST`` compares the files with those of another build.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.pack_bundle import bundle_path, files_of, manifest, stem
from tools.release_notes import ROOT, program_version

GOAL_UNPACKED_MB, GOAL_PACKED_MB, GOAL_WINDOW_S = 800, 300, 3.0
NUM_DEMO_SONGS = 24
# What must not be in a bundle: its path, relative to the bundle.
FORBIDDEN = {
    "training code": r"(^|/)training/",
    "tests": r"(^|/)(tests?|testing/data)/|(^|/)(conftest|test_\w+)\.py$|torch/bin/test",
    "files for compiling": r"\.(h|hpp|cuh|cmake|a|lib|pyx|pxd)$",
    "unused Qt": r"Qt6?(Qml|Quick|WebEngine|Pdf|Designer|VirtualKeyboard|Test|Sql)|/translations/",
    "torchaudio's native library": r"torchaudio/lib/.*\.(so|pyd|dylib)$",
    "sources of ours": r"(^|/)(app|engine|catalogue)/.*\.pyc?$",
}
TEXT_SUFFIXES = {".txt", ".json", ".xml", ".desktop", ".sh", ".py", ".md", ".plist", ".toml", ""}


class BundleError(Exception):
    """Something is wrong with the bundle; the message says what."""


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """The bundle in a folder whose name has spaces and letters that are not ASCII."""
    with tempfile.TemporaryDirectory(prefix="Größe and spaces ") as folder:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as file:
                file.extractall(folder)
        else:
            with tarfile.open(archive) as file:
                file.extractall(folder, filter="tar")
        yield bundle_path(Path(folder))


def program(bundle: Path, name: str) -> Path:
    """An executable of the bundle: ``Singalike`` or ``singalike``."""
    if name == "singalike" and sys.platform != "linux":
        name = "singalike-cli"
    if sys.platform == "darwin":
        return bundle / "Contents" / "MacOS" / name
    return bundle / (f"{name}.exe" if sys.platform == "win32" else name)


def data_path(bundle: Path) -> Path:
    """Where licences and resources are."""
    return bundle / ("Contents/Resources" if sys.platform == "darwin" else "_internal")


def environment(home: Path) -> dict[str, str]:
    """Nothing of the one who builds: no PATH, an empty home."""
    if sys.platform == "win32":
        kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
        return kept | {"USERPROFILE": str(home), "APPDATA": str(home), "LOCALAPPDATA": str(home)}
    return {"HOME": str(home), "PATH": str(home / "no programs"), "LANG": "C.UTF-8"}


def offline() -> list[str]:
    """A prefix that takes the network away, where this system lets us."""
    unshare = shutil.which("unshare")
    for prefix in ([unshare, "-n"], [unshare, "-rn"]) if unshare else ():
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:
            return [str(part) for part in prefix]
    return []


def run(bundle: Path, home: Path, *arguments: str | Path, code: int = 0) -> str:
    """The console program's stdout. BundleError for another exit code, or for a traceback."""
    command = [*offline(), str(program(bundle, "singalike")), *map(str, arguments)]
    done = subprocess.run(
        command, env=environment(home), cwd=home, capture_output=True, text=True, check=False,
        encoding="utf-8", timeout=900,
    )  # fmt: skip
    if done.returncode != code or "Traceback" in done.stderr:
        told = f"{done.stdout}\n{done.stderr}"[-3000:]
        raise BundleError(
            f"singalike {' '.join(map(str, arguments))}: exit {done.returncode}\n{told}"
        )
    return done.stdout


def check_contents(bundle: Path) -> dict[str, float]:
    """What must and must not be there. Returns sizes."""
    names = list(manifest(bundle))
    for what, pattern in FORBIDDEN.items():
        if found := [name for name in names if re.search(pattern, name)]:
            raise BundleError(f"{what} in the bundle: {found[:5]} ({len(found)} in all)")
    if dead := [path for path in files_of(bundle) if not path.exists()]:
        raise BundleError(f"links to nothing: {dead[:5]} ({len(dead)} in all)")
    for path in files_of(bundle):
        if path.suffix in TEXT_SUFFIXES and not path.is_symlink() and path.stat().st_size < 5e6:
            content = path.read_bytes()
            for place in (ROOT, Path.home() / "."):
                if len(str(place)) > 6 and str(place).encode() in content and b"\0" not in content:
                    raise BundleError(f"{path} names the folder {place} of the one who built it")
    seen = {(s.st_dev, s.st_ino): s.st_size for s in map(Path.lstat, files_of(bundle))}
    return {"num_files": len(names), "unpacked_mb": sum(seen.values()) / 1e6}


def check_licences(bundle: Path) -> dict[str, float]:
    """Every part of the list has a text, and what is imported by name is in the list."""
    folder = data_path(bundle) / "licences"
    listed = json.loads((folder / "sbom.cdx.json").read_text("utf-8"))["components"]
    for component in listed:
        texts = folder / re.sub(r"[^A-Za-z0-9.+-]+", "-", component["name"])
        if not texts.is_dir() or not any(file.stat().st_size > 200 for file in texts.iterdir()):
            raise BundleError(f"{component['name']} has no licence text in {folder}")
    names = {component["name"].lower() for component in listed}
    wanted = {"torch", "numpy", "scipy", "av", "ffmpeg", "qt", "pyside6_essentials", "python",
              "hnswlib", "sounddevice", "spleeter-2stems", "singalike-3"}  # fmt: skip
    if missing := wanted - names:
        raise BundleError(f"not in the list of parts: {sorted(missing)}")
    return {"num_parts": len(listed)}


def check_commands(bundle: Path, home: Path) -> dict[str, float]:
    """The self-test, the demo library from making to searching, and what is left out."""
    begun_s = time.monotonic()
    told = json.loads(run(bundle, home, "self-test", "--json"))
    names = {check["name"] for check in told["checks"]}
    is_whole = told["is_bundle"] and names == {"index", "search", "playback"}
    if not is_whole or told["version"] != program_version():
        raise BundleError(f"self-test: {told}")
    figures = {"self_test_s": time.monotonic() - begun_s}
    music = home / "Music and more"
    run(bundle, home, "demo", music)
    begun_s = time.monotonic()
    summary = json.loads(run(bundle, home, "index", music, "--json"))
    if summary["indexed"] != NUM_DEMO_SONGS or summary["failed"]:
        raise BundleError(f"index: {summary}")
    figures["index_demo_s"] = time.monotonic() - begun_s
    answer = json.loads(run(bundle, home, "similar", "harbour of moths", "--json"))
    if answer["neighbours"][0]["artist"] != "Ysolde Marrin":
        raise BundleError(f"similar: {answer['neighbours'][0]}")
    if "singalike-3" not in run(bundle, home, "models"):
        raise BundleError("models: singalike-3 is not listed")
    report = home / "report"
    run(bundle, home, "demo", home / "stems", "--stems")
    run(bundle, home, "evaluate", "artist-similarity,latent-space", "--models", "mfcc", "--data",
        home / "stems" / "songs.csv", "--input", "vocals", "--trials", "5", "--artists", "4",
        "--out", report)  # fmt: skip
    if not list((report / "figures").glob("latent-space*.png")):
        raise BundleError("evaluate: the report has no pictures")
    run(bundle, home, "train", code=2)
    run(bundle, home, "record", "--help")
    return figures


@contextmanager
def display() -> Iterator[dict[str, str]]:
    """An X server without a screen."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24"],
            stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        try:
            yield {"DISPLAY": f":{number}"}
        finally:
            server.terminate()
            server.wait()


def forget_files(bundle: Path) -> None:
    """Let the system read the bundle from the disk again, as after it was installed."""
    if sys.platform == "linux":
        os.sync()
        for path in files_of(bundle):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check_window(bundle: Path, home: Path, picture: Path) -> dict[str, float]:
    """The window opens on the demo library, cold and warm; a picture of it is kept."""
    figures = {}
    with display() as env:
        for name in ("window_cold_s", "window_warm_s"):
            if name == "window_cold_s":
                forget_files(bundle)
            begun_s = time.monotonic()
            command = [*offline(), str(program(bundle, "Singalike"))]
            own = environment(home) | env
            window = subprocess.Popen(command, env=own, stderr=subprocess.PIPE, cwd=home)
            try:
                wanted = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Singalike"]
                subprocess.run(wanted, env=os.environ | env, capture_output=True, timeout=60,
                               check=True)  # fmt: skip
                figures[name] = time.monotonic() - begun_s
                if name == "window_warm_s":
                    time.sleep(6)  # until songs and a first search are shown
                    shot = ["import", "-window", "root", str(picture)]
                    subprocess.run(list(map(str, shot)), env=os.environ | env, check=True)
                if window.poll() is not None:
                    raise BundleError(f"the window closed itself, exit {window.returncode}")
            finally:
                window.terminate()
                window.wait()
                assert window.stderr is not None
                told = window.stderr.read().decode("utf-8", "replace")
            if "Traceback" in told:
                raise BundleError(told[-2000:])
    return figures


def check_menu(bundle: Path, home: Path) -> None:
    """``install.sh`` makes an entry that starts this very program, and takes it out again."""
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", bundle / "install.sh"], env=env, check=True, capture_output=True)
    share = home / ".local" / "share"
    entry = next((share / "applications").glob("*.desktop")).read_text("utf-8")
    if f'Exec="{bundle}/Singalike" %F' not in entry:
        raise BundleError(f"install.sh wrote: {entry}")
    command = [str(home / ".local" / "bin" / "singalike"), "--version"]
    told = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
    if told.split() != ["singalike", program_version()]:
        raise BundleError(f"~/.local/bin/singalike says {told!r}")
    subprocess.run(["sh", bundle / "install.sh", "--remove"], env=env, check=True,
                   capture_output=True)  # fmt: skip
    left = [path for path in (home / ".local").rglob("*") if not path.is_dir()]
    left = [path for path in left if "Singalike/" not in str(path)]  # but for our own data
    if {path.name for path in left} - {"mimeinfo.cache"}:
        raise BundleError(f"install.sh --remove leaves {left}")


def check(folder: Path, against: Path | None) -> dict[str, float]:
    """All of it; returns the figures."""
    suffix = ".zip" if sys.platform == "win32" else ".tar.xz"
    archive = folder / f"{stem()}{suffix}"
    listed = json.loads((folder / f"{stem()}.manifest.json").read_text("utf-8"))
    figures: dict[str, float] = {"packed_mb": archive.stat().st_size / 1e6}
    with unpacked(archive) as bundle, tempfile.TemporaryDirectory(prefix="empty home ") as name:
        home = Path(name)
        if manifest(bundle) != listed:
            raise BundleError("the archive does not hold what its manifest lists")
        figures |= check_contents(bundle) | check_licences(bundle)
        print("no network" if offline() else "with the network: this system cannot take it away")
        figures |= check_commands(bundle, home)
        if sys.platform == "linux":
            figures |= check_window(bundle, home, folder / f"{stem()}.png")
            check_menu(bundle, home)
    if against:
        _compare(listed, json.loads(against.read_text("utf-8")))
    return figures


def _compare(new: dict[str, str], old: dict[str, str]) -> None:
    if names := set(new) ^ set(old):
        raise BundleError(f"the other build has other files: {sorted(names)[:10]}")
    different = sorted(name for name in new if new[name] != old[name])
    print(
        f"Compared with another build: {len(different)} of {len(new)} files differ {different[:10]}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--against", type=Path, help="the manifest of another build")
    options = parser.parse_args(arguments)
    try:
        figures = check(options.folder, options.against)
    except BundleError as failure:
        print(f"The bundle is not fit to be given to people: {failure}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        print(f"{name:<16} {value:.1f}")
    goals = {"unpacked_mb": GOAL_UNPACKED_MB, "packed_mb": GOAL_PACKED_MB,
             "window_cold_s": GOAL_WINDOW_S}  # fmt: skip
    for name, goal in goals.items():
        if figures.get(name, 0) > goal:
            print(f"{name} is beyond the goal of {goal}", file=sys.stderr)
    text = json.dumps(figures, indent=1) + "\n"
    (options.folder / f"{stem()}.check.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

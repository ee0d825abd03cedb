"""``singalike self-test``: does everything that a search needs work on this machine?

Four short songs by singers who do not exist go the whole way, in a folder that is removed again:
nobody's own library is touched. Packages above the engine add checks of their own (entry points
``singalike.self_tests``: functions without arguments that return a sentence or raise).
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import typer

from engine import __version__
from engine.cli.common import JsonOption, note, printable, write_json
from engine.errors import SingalikeError

# Of the demo library: two by one singer, two by another. A format each.
SONGS = {7: ".flac", 8: ".mp3", 5: ".m4a", 4: ".opus"}
START_S, LENGTH_S = 6.0, 12.0  # a part of each in which somebody sings
REPAIR = "Install Singalike again; if that does not help, report this line."


class CheckError(SingalikeError):
    """A part of the program does not do what it must; the message says what to do."""


def index(folder: Path) -> str:
    """Songs are written, read, separated and embedded, and become a library in the folder."""
    from engine.demo import SAMPLE_RATE_HZ, stems
    from engine.demo import SONGS as DEMO
    from engine.indexing.pipeline import index_folders
    from engine.library import Library
    from engine.sound.encode import write_audio

    music = folder / "music"
    music.mkdir()
    first, last = (int(s * SAMPLE_RATE_HZ) for s in (START_S, START_S + LENGTH_S))
    for number, suffix in SONGS.items():
        sound = stems(DEMO[number]).mixture[:, first:last]
        write_audio(music / f"{number}{suffix}", sound, SAMPLE_RATE_HZ)
    with Library.open(folder / "library.db") as library:
        summary = index_folders(library, [music])
        reasons = [str(track.error) for track in library.tracks(library.track_ids()) if track.error]
    if summary.indexed != len(SONGS) or summary.no_vocals:
        told = "; ".join(reasons) or f"{summary.no_vocals} without vocals"
        raise CheckError(f"{summary.indexed} of {len(SONGS)} songs: {told}. {REPAIR}")
    formats = ", ".join(suffix[1:] for suffix in SONGS.values())
    return f"{summary.indexed} songs are written ({formats}), heard and kept"


def search(folder: Path) -> str:
    """The voice nearest to a song's must be that of its singer's other song."""
    from engine.library import Library
    from engine.search import Searcher

    if not (folder / "library.db").exists():
        raise CheckError("There is no library to search: see the check before.")
    with Library.open(folder / "library.db") as library:
        track = library.track_by_path(folder / "music" / "7.flac")
        if track is None:
            raise CheckError("The library lacks the song to search for: see the check before.")
        neighbours = Searcher(library).by_track(track.id).neighbours
    if [one.track.path.stem for one in neighbours[:1]] != ["8"]:
        raise CheckError(f"The nearest voice is not the singer's own. {REPAIR}")
    return f"the nearest voice is the singer's own ({neighbours[0].percent} %)"


CHECKS: Mapping[str, Callable[[Path], str]] = {"index": index, "search": search}


def all_checks() -> dict[str, Callable[[Path], str]]:
    registered = {
        point.name: lambda folder, point=point: str(point.load()())
        for point in entry_points(group="singalike.self_tests")
    }
    return {**CHECKS, **registered}


def outcome_of(check: Callable[[Path], str], folder: Path) -> dict[str, Any]:
    """Run one check: ``is_ok``; ``text``: what works, or what is wrong and what to do; ``seconds``.

    Nothing that it raises passes through.
    """
    begun_s = time.perf_counter()
    try:
        is_ok, text = True, check(folder)
    except SingalikeError as error:
        is_ok, text = False, str(error)
    except Exception as error:  # a broken installation fails in its own ways: all must be told
        is_ok, text = False, f"{type(error).__name__}: {error}. {REPAIR}"
    return {"is_ok": is_ok, "text": text, "seconds": round(time.perf_counter() - begun_s, 2)}


def self_test(as_json: JsonOption = False) -> None:
    """Check that everything works on this machine: decode, separate, index, search, play.

    Exit code 0: all of it. 1: the lines that say FAILED tell what to do.
    """
    from engine.library.processes import temporary_folder

    found = []
    with temporary_folder() as folder:
        for name, check in all_checks().items():
            found.append({"name": name, **outcome_of(check, Path(folder))})
            if not as_json:
                word = "ok" if found[-1]["is_ok"] else "FAILED"
                typer.echo(f"{name:<9} {word:<7} {printable(found[-1]['text'])}")
    num_failed = sum(not outcome["is_ok"] for outcome in found)
    if as_json:
        write_json({**_machine(), "is_ok": not num_failed, "checks": found})
    note(f"{num_failed} of {len(found)} checks failed." if num_failed else "Everything works.")
    if num_failed:
        raise typer.Exit(1)


def _machine() -> dict[str, str | bool]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "is_bundle": bool(getattr(sys, "frozen", False)),
    }

"""``singalike self-test``: does everything that a search needs work on this machine?

Three short songs by singers who do not exist go the whole way, in a folder that is removed again:
nobody's own library is touched. Packages above the engine add checks of their own (entry points
``singalike.self_tests``: functions without arguments that return a sentence or raise).
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from engine import __version__
from engine.cli.common import JsonOption, note, printable, write_json
from engine.errors import SingalikeError

if TYPE_CHECKING:
    import numpy as np

    from engine.demo import Stems

SUFFIXES = (".mp3", ".flac", ".m4a", ".opus")
SONG_NUMBERS = (7, 8, 5)  # of the demo library: two by one singer, one by another
START_S, LENGTH_S = 6.0, 12.0  # a part of each in which somebody sings
MAX_LENGTH_ERROR_S = 0.15  # encoders add some padding
MIN_GAIN_DB = 3.0
REPAIR = "Install Singalike again; if that does not help, report this line."


class CheckError(SingalikeError):
    """A part of the program does not do what it must; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What came of one check. ``text``: what works, or what is wrong and what to do."""

    name: str
    is_ok: bool
    text: str
    seconds: float


class Bench:
    """The songs that the checks work on, made when first needed, below a folder."""

    def __init__(self, folder: Path) -> None:
        self.music_path = folder / "music"
        self.library_path = folder / "library.db"
        self._stems: dict[int, Stems] = {}

    def stems(self, number: int) -> Stems:
        """Of one of the songs, LENGTH_S long."""
        from engine.demo import SAMPLE_RATE_HZ, SONGS, Stems, stems

        if number not in self._stems:
            first, last = (int(s * SAMPLE_RATE_HZ) for s in (START_S, START_S + LENGTH_S))
            whole = stems(SONGS[SONG_NUMBERS[number]])
            self._stems[number] = Stems(
                whole.vocals[:, first:last], whole.accompaniment[:, first:last]
            )
        return self._stems[number]

    def write(self, number: int, suffix: str) -> Path:
        """A song as a file."""
        from engine.demo import SAMPLE_RATE_HZ
        from engine.sound.encode import write_audio

        self.music_path.mkdir(exist_ok=True)
        path = self.music_path / f"{number}{suffix}"
        write_audio(path, self.stems(number).mixture, SAMPLE_RATE_HZ)
        return path


def decode(bench: Bench) -> str:
    """Each format is written and read again; what comes out must have the length it had."""
    from engine.sound.audio import decode as read

    for suffix in SUFFIXES:
        path = bench.write(0, suffix)
        length_s = sum(c.shape[1] for c in read(path, sample_rate_hz=16_000, num_channels=1)) / 16e3
        path.unlink()
        if abs(length_s - LENGTH_S) > MAX_LENGTH_ERROR_S:
            raise CheckError(f"{suffix}: {length_s:.2f} s of {LENGTH_S:.0f} came out. {REPAIR}")
    return f"{', '.join(suffix[1:] for suffix in SUFFIXES)} are written and read"


def separate(bench: Bench) -> str:
    """The vocals that come out must be far nearer to the true ones than the mixture is."""
    import numpy as np

    from engine.separation import DEFAULT, load

    mixture, truth = bench.stems(0).mixture, bench.stems(0).vocals.mean(0)
    found = np.concatenate(list(load(DEFAULT).vocals([mixture])))
    gain_db = _distance_db(mixture.mean(0), truth) - _distance_db(found, truth)
    if not gain_db > MIN_GAIN_DB:
        raise CheckError(f"{DEFAULT} gains {gain_db:.1f} dB only. {REPAIR}")
    return f"{DEFAULT} takes {gain_db:.0f} dB of the accompaniment away"


def _distance_db(found: np.ndarray, truth: np.ndarray) -> float:
    import numpy as np

    return float(10 * np.log10(np.square(found - truth).mean() / np.square(truth).mean()))


def index(bench: Bench) -> str:
    """Three files become a library."""
    from engine.indexing.pipeline import index_folders
    from engine.library import Library

    for number in range(len(SONG_NUMBERS)):
        bench.write(number, ".flac")
    with Library.open(bench.library_path, create=True) as library:
        summary = index_folders(library, [bench.music_path])
        reasons = [str(track.error) for track in library.tracks(library.track_ids()) if track.error]
    if summary.indexed != len(SONG_NUMBERS) or summary.no_vocals:
        told = "; ".join(reasons) or f"{summary.no_vocals} without vocals"
        raise CheckError(f"{summary.indexed} of {len(SONG_NUMBERS)} songs: {told}. {REPAIR}")
    return f"{summary.indexed} songs are heard and kept"


def search(bench: Bench) -> str:
    """The voice nearest to a song's must be that of its singer's other song."""
    from engine.library import Library
    from engine.search import Searcher

    if not bench.library_path.exists():
        raise CheckError("There is no library to search: see the check before.")
    with Library.open(bench.library_path) as library:
        track = library.track_by_path(bench.music_path / "0.flac")
        if track is None:
            raise CheckError("The library lacks the song to search for: see the check before.")
        neighbours = Searcher(library).by_track(track.id).neighbours
    if [one.track.path.name for one in neighbours] != ["1.flac", "2.flac"]:
        raise CheckError(f"The nearest voice is not the singer's own. {REPAIR}")
    return f"the nearest voice is the singer's own ({neighbours[0].percent} %)"


CHECKS: Mapping[str, Callable[[Bench], str]] = {
    "decode": decode,
    "separate": separate,
    "index": index,
    "search": search,
}


def outcomes(checks: Mapping[str, Callable[[Bench], str]] | None = None) -> Iterator[Outcome]:
    """Run the checks, one after the other, by default all that there are."""
    from engine.library.processes import temporary_folder

    with temporary_folder() as folder:
        bench = Bench(Path(folder))
        for name, check in (checks or _all_checks()).items():
            yield outcome_of(name, check, bench)


def _all_checks() -> dict[str, Callable[[Bench], str]]:
    registered = {
        point.name: lambda bench, point=point: str(point.load()())
        for point in entry_points(group="singalike.self_tests")
    }
    return {**CHECKS, **registered}


def outcome_of(name: str, check: Callable[[Bench], str], bench: Bench) -> Outcome:
    """Run one check; nothing that it raises passes through."""
    begun_s = time.perf_counter()
    try:
        is_ok, text = True, check(bench)
    except SingalikeError as error:
        is_ok, text = False, str(error)
    except Exception as error:  # a broken installation fails in its own ways: all must be told
        is_ok, text = False, f"{type(error).__name__}: {error}. {REPAIR}"
    return Outcome(name, is_ok, text, round(time.perf_counter() - begun_s, 2))


def self_test(as_json: JsonOption = False) -> None:
    """Check that everything works on this machine: decode, separate, index, search, play.

    Exit code 0: all of it. 1: the lines that say FAILED tell what to do.
    """
    found = []
    for outcome in outcomes():
        found.append(outcome)
        if not as_json:
            word = "ok" if outcome.is_ok else "FAILED"
            typer.echo(f"{outcome.name:<9} {word:<7} {printable(outcome.text)}")
    is_ok = all(outcome.is_ok for outcome in found)
    if as_json:
        write_json({**_machine(), "is_ok": is_ok, "checks": [asdict(one) for one in found]})
    num_failed = sum(not outcome.is_ok for outcome in found)
    note("Everything works." if is_ok else f"{num_failed} of {len(found)} checks failed.")
    if not is_ok:
        raise typer.Exit(1)


def _machine() -> dict[str, str | bool]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "is_bundle": bool(getattr(sys, "frozen", False)),
    }

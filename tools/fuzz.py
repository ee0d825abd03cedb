"""Hostile files by the thousand: real containers, broken at random but repeatably, then read.

    python -m tools.fuzz --inputs 50000               the whole run (make fuzz)
    python -m tools.fuzz --show 1234 --out FOLDER     write one input, to look at it

Every input goes through tags, cover, probing, hashing, decoding and indexing, all of it as the
program does it. What goes wrong is kept with its number beside a report: a crash of this process,
an exception that is no sentence, more than 10 s, text that would steer a terminal, samples that
are no numbers, a track left without an outcome. Decoder processes that crash, stall or run out of
memory are what the isolation is for: they are counted, and their inputs kept as well.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from engine.errors import DecodeError
from engine.indexing import pipeline
from engine.library import Library, Track, TrackStatus
from engine.library.scan.covers import cover_bytes
from engine.listening.embedding import embed_song
from engine.models.geometry import Geometry
from engine.models.model import Model
from engine.records import TrackEmbedding, View
from engine.sound import audio
from engine.sound.decoding import pool
from tools.fuzz_inputs import Mutator, make_seeds

HANG_S = 10.0
MAX_DATA_BYTES = 2 << 30  # of the asking process; decoders limit themselves to half of it
BATCH, GROUP = 200, 50  # inputs, batches


@dataclass
class Tally:
    """What became of some inputs. ``findings``: (number, suffix, what, content)."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str, str, bytes]] = field(default_factory=list)
    slowest_s: float = 0.0
    decoder_rss_bytes: int = 0
    own_rss_bytes: int = 0

    def note(self, number: int, path: Path, problems: list[str], told: str | None) -> None:
        outcome = outcome_of(told)
        self.outcomes.update((outcome, f"{path.suffix} {'heard' if outcome == 'heard' else 'not'}"))
        content = path.read_bytes() if problems else b""
        self.findings += [(number, path.suffix, problem, content) for problem in problems]

    def add(self, other: Tally) -> None:
        self.outcomes += other.outcomes
        self.findings += other.findings
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.decoder_rss_bytes = max(self.decoder_rss_bytes, other.decoder_rss_bytes)
        self.own_rss_bytes = max(self.own_rss_bytes, other.own_rss_bytes)


CONTAINED = ("crash", "stall", "memory")


def outcome_of(told: str | None) -> str:
    """In a word, what an error says; None: there was none."""
    if told is None:
        return "heard"
    if "MB of memory" in told:
        return "memory"
    return {pool.CRASHED: "crash", pool.GOES_IN_CIRCLES: "stall"}.get(told, "refused")


def look(path: Path) -> list[str]:
    """Problems of what the window does beside indexing: covers, headers."""
    cover_bytes(path)
    try:
        audio.probe(path)
    except DecodeError as error:
        return _problems_of(str(error))
    return []


def is_plain(text: str) -> bool:
    """Nothing that controls, hides or ends lines; what this Python does not know yet may be."""
    kinds = {unicodedata.category(char) for char in text}
    return not kinds & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def _problems_of(told: str) -> list[str]:
    problems = [outcome_of(told)] if outcome_of(told) in CONTAINED else []
    if not is_plain(told) or len(told) > 400:
        problems.append(f"text of an error: {told!r}")
    if "gave up" in told or told.startswith("Unexpected"):
        problems.append(told)
    return problems


class _Ear(Model):
    """A model that costs nothing: loudness in sixteen bands of time."""

    name, sha256, dim, excerpt_samples = "ear", "0" * 64, 16, 80_000

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        return np.sqrt((excerpts.reshape(len(excerpts), 16, -1) ** 2).mean(-1)) + 1e-6

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        return self.embed_excerpts(segments)

    def geometry(self, view: View) -> Geometry:
        return Geometry(np.zeros(16), np.eye(16), np.eye(16))


@contextmanager
def _tiny_model(seconds: dict[str, float]) -> Iterator[None]:
    """What listens takes no time; how long each file takes is written down."""

    def timed(path: Path, *args: Any, **options: Any) -> dict[View, TrackEmbedding | None]:
        started_s = time.monotonic()
        try:
            return embed_song(path, *args, **options)
        finally:
            seconds[path.name] = time.monotonic() - started_s

    with (
        patch("engine.models.load", lambda name: _Ear()),
        patch("engine.models.default_model_name", lambda view: "ear"),
        patch("engine.indexing.pipeline.embed_song", timed),
    ):
        yield


def index(folder: Path, seconds: dict[str, float]) -> dict[str, Track]:
    """The tracks by file name, once the files of a folder went through all of the pipeline."""
    with _tiny_model(seconds), Library.open(folder / ".library.db") as library:
        options = pipeline.IndexOptions(views=("overall",), num_workers=1)
        pipeline.index_folders(library, [folder], options)
        return {track.path.name: track for track in library.tracks(library.track_ids())}


def problems_of(track: Track) -> list[str]:
    """What is wrong with how a file was indexed, or with what is kept of its tags."""
    tags = track.tags
    texts = (tags.title, tags.artist, tags.album, tags.album_artist, tags.genre)
    problems = _problems_of(track.error) if track.error is not None else []
    if not tags.title or not all(len(text) <= 300 and is_plain(text) for text in texts):
        problems.append(f"text of tags: {tags!r}")
    if track.status not in (TrackStatus.INDEXED, TrackStatus.FAILED):
        problems.append(f"left as {track.status}")
    return problems


def run_batch(songs: Path, seed: int, numbers: range) -> Tally:
    """In a process of its own."""
    tally, mutator = Tally(), Mutator(sorted(songs.iterdir()), seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder, seconds = Path(temporary), dict[str, float]()
        found = {number: _looked_at(number, mutator, folder, seconds) for number in numbers}
        tracks = index(folder, seconds)
        for number, (path, problems) in found.items():
            track = tracks.get(path.name)
            problems += problems_of(track) if track is not None else ["it is not in the library"]
            tally.note(number, path, problems, track.error if track is not None else "")
        tally.slowest_s = max(seconds.values())
    tally.decoder_rss_bytes = max(map(_peak_bytes, pool.pids()), default=0)
    tally.own_rss_bytes = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return tally


def _limit_memory() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, hard))


def _looked_at(
    number: int, mutator: Mutator, folder: Path, seconds: dict[str, float]
) -> tuple[Path, list[str]]:
    suffix, content = mutator.input(number)
    path = folder / f"{number}{suffix}"
    path.write_bytes(content)
    started_s = time.monotonic()
    try:
        problems = look(path)
    except Exception as error:  # which is what is looked for
        problems = [f"escaped: {type(error).__name__}: {error}"]
    seconds[f"{path.name}, a look"] = time.monotonic() - started_s
    return path, problems


def _peak_bytes(pid: int) -> int:
    """The most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def run(num_inputs: int, seed: int, num_jobs: int, out: Path, first: int = 0) -> Tally:
    """Read so many inputs; findings and a running report go to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    total, started_s = Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        make_seeds(Path(temporary))
        end = first + num_inputs
        batches = [range(n, min(n + BATCH, end)) for n in range(first, end, BATCH)]
        for group in range(0, len(batches), GROUP):  # with fresh processes, should one have died
            with ProcessPoolExecutor(num_jobs, get_context("spawn"), _limit_memory) as workers:
                jobs = {
                    workers.submit(run_batch, Path(temporary), seed, batch): batch
                    for batch in batches[group : group + GROUP]
                }
                for job in as_completed(jobs):
                    try:
                        total.add(job.result())
                    except BrokenProcessPool:
                        total.findings.append((jobs[job].start, "", "the asking process died", b""))
                    _report(total, seed, time.monotonic() - started_s, out)
    return total


def _report(total: Tally, seed: int, seconds: float, out: Path) -> None:
    num_inputs = sum(n for name, n in total.outcomes.items() if not name.startswith("."))
    for number, suffix, problem, content in total.findings:
        if content:
            (out / f"{seed}-{number}{suffix}").write_bytes(content)
            (out / f"{seed}-{number}.txt").write_text(problem + "\n", encoding="utf-8")
    kinds = Counter(problem.split(":")[0][:70] for _, _, problem, _ in total.findings)
    report = {
        "inputs": num_inputs, "seed": seed, "seconds": round(seconds),
        "outcomes": dict(sorted(total.outcomes.items())), "findings": dict(kinds.most_common()),
        "slowest_s": round(total.slowest_s, 2),
        "decoder_rss_mb": total.decoder_rss_bytes // 1_000_000,
        "own_rss_mb": total.own_rss_bytes // 1_000_000,
    }  # fmt: skip
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Returns 1 where something is to be mended: anything but what decoder processes contained."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--inputs", type=int, default=50_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    parser.add_argument("--show", type=int, help="only write this input to --out")
    options = parser.parse_args()
    if options.show is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            suffix, content = Mutator(make_seeds(Path(temporary)), options.seed).input(options.show)
        (options.out / f"{options.seed}-{options.show}{suffix}").write_bytes(content)
        return 0
    total = run(options.inputs, options.seed, options.jobs, options.out, options.first)
    print((options.out / "report.json").read_text("utf-8"))
    escaped = [finding for finding in total.findings if finding[2] not in CONTAINED]
    if total.slowest_s > HANG_S:
        escaped.append((0, "", f"an input took {total.slowest_s:.1f} s", b""))
    for number, suffix, problem, _ in escaped[:20]:
        print(f"input {number}{suffix}: {problem}", file=sys.stderr)
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())

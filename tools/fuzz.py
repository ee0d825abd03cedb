"""Hostile files by the thousand: real containers, broken at random but repeatably, then read.

    python tools/fuzz.py --inputs 50000          the whole run (make fuzz)
    python tools/fuzz.py --show 1234 --out FOLDER   write one input, to look at it

Every input goes through tags, cover, probing, hashing, decoding and indexing, all of it as the
program does it. What goes wrong is kept with its number beside a report: a crash of this process,
an exception that is no sentence, more than 10 s, text that would steer a terminal, samples that
are no numbers, a track left without an outcome. Decoder processes that crash, stall or run out of
memory are what the isolation is for: they are counted, and their inputs kept as well.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import resource
import sys
import tempfile
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
from mutagen import aiff, asf, flac, id3, oggvorbis, wave

from engine import audio, indexer
from engine.decoding import pool
from engine.demo.encode import SongTags, write_audio, write_tags
from engine.embedding import embed_file
from engine.errors import DecodeError
from engine.library import Library, MomentCodes, Track, TrackEmbedding, TrackStatus, View
from engine.library.covers import cover_bytes

HANG_S = 10.0
MAX_DATA_BYTES = 2 << 30  # of the asking process; decoders limit themselves to half of it
BATCH = 200
# one pixel, grey
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
NASTY = (
    b"\x1b[31m\x1b]0;owned\x07", "\u202e\u2066\u200b\x9b31m".encode(), b"<script>alert(1)</script>",
    b"../../../etc/passwd", b"CON", b"=cmd|' /C calc'!A0", b"%s%n%x" * 9, b"\0" * 64, b"A" * 5000,
)  # fmt: skip
NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF,
           0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)  # fmt: skip


def make_seeds(folder: Path) -> list[Path]:
    """One short song with tags and a cover in every container."""
    rate_hz = 44_100
    time_s = np.arange(round(1.1 * rate_hz)) / rate_hz
    tone = sum(np.sin(2 * np.pi * 220 * k * time_s) / k for k in range(1, 8))
    samples = np.stack([0.2 * tone, 0.1 * tone]).astype(np.float32)
    tags = SongTags("Title", "Artist", "Album", "Genre", 1999, 7, PNG)
    paths = [folder / f"song.{suffix}" for suffix in ("mp3", "flac", "opus", "m4a")]
    for path in paths:
        write_audio(path, samples, rate_hz)
        write_tags(path, tags)
    for suffix, codec in (("wav", "pcm_s16le"), ("aiff", "pcm_s16be"), ("ogg", "vorbis"),
                          ("wma", "wmav2"), ("wv", "wavpack"), ("mka", "flac")):  # fmt: skip
        paths.append(folder / f"song.{suffix}")
        _encode(paths[-1], samples, rate_hz, codec)
        if suffix not in ("wv", "mka"):
            _tag(paths[-1])
    return paths


def _encode(path: Path, samples: np.ndarray, rate_hz: int, codec: str) -> None:
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=rate_hz)
        stream.layout, stream.bit_rate = "stereo", 128_000
        stream.options = {"strict": "experimental"}
        resampler = av.AudioResampler(stream.format.name, "stereo", rate_hz)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
        fifo = av.AudioFifo()
        for piece in resampler.resample(frame):
            fifo.write(piece)
        while (part := fifo.read(stream.frame_size or 1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def _tag(path: Path) -> None:
    file: Any = mutagen.File(path)  # type: ignore[attr-defined]
    if isinstance(file, (wave.WAVE, aiff.AIFF)):
        file.add_tags()
        for frame in (id3.TIT2(3, "Title"), id3.TPE1(3, "Artist"), id3.APIC(3, "", 3, "", PNG)):
            file.tags.add(frame)
    elif isinstance(file, asf.ASF):
        file["Title"], file["Author"] = "Title", "Artist"
        raw = b"\x03" + len(PNG).to_bytes(4, "little") + "image/png\0\0".encode("utf-16-le")
        file["WM/Picture"] = [asf.ASFByteArrayAttribute(raw + PNG)]
    else:
        assert isinstance(file, oggvorbis.OggVorbis)
        picture: Any = flac.Picture()
        picture.type, picture.data, picture.mime = 3, PNG, "image/png"
        file["title"], file["artist"] = "Title", "Artist"
        file["metadata_block_picture"] = base64.b64encode(picture.write()).decode()
    file.save()


class Mutator:
    """Makes input number n: always the same for the same seed and the same songs."""

    def __init__(self, songs: list[Path], seed: int) -> None:
        self._songs = {path.suffix: path.read_bytes() for path in songs}
        self._seed = seed

    def input(self, number: int) -> tuple[str, bytes]:
        """(suffix, content)."""
        chance = random.Random(f"{self._seed} {number}")
        suffix = chance.choice(sorted(self._songs))
        content = bytearray(self._songs[suffix])
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5, 10, 30))):
            chance.choice(MUTATIONS)(content, chance, self._songs)
        if chance.random() < 0.8:
            _seal(content)
        if chance.random() < 0.02:  # under a name that promises another container
            suffix = chance.choice(sorted(self._songs))
        return suffix, bytes(content)


Songs = dict[str, bytes]
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))  # Ogg's CRC runs backwards


def _seal(content: bytearray) -> None:
    """Make the checksums of Ogg pages right again, or nothing behind them would be reached."""
    place = content.find(b"OggS")
    while place >= 0 and place + 27 <= len(content):
        table = content[place + 27 : place + 27 + content[place + 26]]
        end = place + 27 + len(table) + sum(table)
        content[place + 22 : place + 26] = bytes(4)
        crc = ~zlib.crc32(content[place:end].translate(_MIRRORED), 0xFFFFFFFF) & 0xFFFFFFFF
        content[place + 22 : place + 26] = crc.to_bytes(4, "big").translate(_MIRRORED)
        place = content.find(b"OggS", max(end, place + 4))


def _place(content: bytearray, chance: random.Random) -> int:
    """Headers are where most can go wrong."""
    reach = len(content)
    if chance.random() < 0.6:
        reach = min(reach, chance.choice((64, 512, 4096)))
    return chance.randrange(reach) if reach else 0


def _flip(content: bytearray, chance: random.Random, songs: Songs) -> None:
    for _ in range(chance.choice((1, 2, 8))):
        if content:
            content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _number(content: bytearray, chance: random.Random, songs: Songs) -> None:
    size, place = chance.choice((1, 2, 3, 4, 8)), _place(content, chance)
    value = chance.choice((*NUMBERS, len(content), chance.getrandbits(64))) & (256**size - 1)
    content[place : place + size] = value.to_bytes(size, chance.choice(("little", "big")))


def _noise(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place, size = _place(content, chance), chance.choice((4, 32, 256, 2048))
    content[place : place + size] = chance.randbytes(size)


def _cut(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place = _place(content, chance)
    del content[place : place + chance.choice((1, 4, 100, 5000))]


def _end(content: bytearray, chance: random.Random, songs: Songs) -> None:
    del content[chance.randrange(len(content) + 1) :]


def _repeat(content: bytearray, chance: random.Random, songs: Songs) -> None:
    place, size = _place(content, chance), chance.choice((1, 8, 64, 1024))
    times = chance.choice((1, 2, 10, 100))
    content[place:place] = content[place : place + size] * times


def _say(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """Nasty text where there was text, or anywhere, of the same length or longer."""
    text = chance.choice(NASTY)
    found = [p for word in (b"Title", b"Artist", b"Album") if (p := content.find(word)) >= 0]
    place = chance.choice(found) if found else _place(content, chance)
    if chance.random() < 0.5:
        text = text[:5]
    content[place : place + chance.choice((0, len(text)))] = text


def _graft(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """A part of another container."""
    other = songs[chance.choice(sorted(songs))]
    start = chance.randrange(len(other))
    place = _place(content, chance)
    size = chance.choice((16, 256, 4096))
    content[place : place + chance.choice((0, size))] = other[start : start + size]


def _rename(content: bytearray, chance: random.Random, songs: Songs) -> None:
    """One chunk gets the name of another."""
    names = (b"RIFF", b"fmt ", b"data", b"LIST", b"id3 ", b"FORM", b"COMM", b"SSND", b"moov",
             b"trak", b"mdia", b"stbl", b"stsd", b"stsz", b"stco", b"meta", b"ilst", b"covr",
             b"mdat", b"OggS", b"fLaC", b"ID3\4", b"TIT2", b"APIC", b"vorb", b"Opus")  # fmt: skip
    found = [place for name in names if (place := content.find(name)) >= 0]
    if found:
        place = chance.choice(found)
        content[place : place + 4] = chance.choice(names)


MUTATIONS: tuple[Callable[[bytearray, random.Random, Songs], None], ...] = (
    _flip, _flip, _number, _number, _noise, _cut, _end, _repeat, _say, _graft, _rename,
)  # fmt: skip


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


class _Ear:
    """A model that costs nothing: loudness in sixteen bands of time."""

    name, sha256, dim = "ear", "0" * 64, 16

    def embed_segments(self, segments: np.ndarray) -> np.ndarray:
        return np.sqrt((segments.reshape(len(segments), 16, -1) ** 2).mean(-1)) + 1e-6

    def track_vector(self, embeddings: np.ndarray, weights: np.ndarray, view: View) -> np.ndarray:
        mean = embeddings.mean(0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)

    def moment_codes(self, embeddings: np.ndarray, starts_s: np.ndarray, view: View) -> MomentCodes:
        codes = np.zeros((len(embeddings), 8), np.int8)
        return MomentCodes(codes, starts_s.astype(np.float32), 5.0)


@contextmanager
def _tiny_model(seconds: dict[str, float]) -> Iterator[None]:
    """What listens takes no time; how long each file takes is written down."""

    def timed(path: Path, *args: Any, **options: Any) -> TrackEmbedding | None:
        started_s = time.monotonic()
        try:
            return embed_file(path, *args, **options)
        finally:
            seconds[path.name] = time.monotonic() - started_s

    before = indexer.models.load, indexer.models.default_model_name
    indexer.models.load = lambda name: _Ear()  # type: ignore[assignment, return-value]
    indexer.models.default_model_name = lambda view: "ear"
    indexer.embed_file = timed  # type: ignore[assignment]
    yield
    indexer.models.load, indexer.models.default_model_name = before
    indexer.embed_file = embed_file


def index(folder: Path, seconds: dict[str, float]) -> dict[str, Track]:
    """The tracks by file name, once the files of a folder went through all of the pipeline."""
    with _tiny_model(seconds), Library.open(folder / ".library.db") as library:
        options = indexer.IndexOptions(views=("overall",), num_workers=1)
        indexer.index_folders(library, [folder], options)
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
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, hard))
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
        workers = ProcessPoolExecutor(num_jobs, get_context("spawn"), max_tasks_per_child=50)
        with workers:
            jobs = {workers.submit(run_batch, Path(temporary), seed, b): b for b in batches}
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

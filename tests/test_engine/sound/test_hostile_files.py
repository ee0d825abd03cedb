"""A file that crashes its decoder, or keeps it busy for ever, costs that file and nothing else."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import ToyModel, write_song
from support.sound import buzz, encode

from engine.errors import CancelledError, DecodeError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library, TrackStatus
from engine.progress import CancelToken
from engine.sound import audio
from engine.sound.decoding import FLAG, messages, pool, streams, worker

pytestmark = pytest.mark.linux


ROOT = Path(__file__).parents[3]
# What a decoder process does before it serves, so that files named "evil" are evil to it.
START = "import sys; sys.path[:] = sys.argv[1:]; from engine.sound.decoding import ffmpeg, worker; "
SEGFAULT = "import ctypes; ctypes.string_at(0)"
FOR_EVER = ("while True: pass", "sum(iter(int, 1))")  # the second lets no other thread run
MUCH_MEMORY = "bytes(worker.MAX_MEMORY_BYTES)"


def boot(deed: str, before: str = "") -> str:
    """A decoder process that does a deed when it opens an evil file."""
    lines = (
        f"{before}\nopened = ffmpeg.opened\ndef evil(path, link):\n    if 'evil' in path.name:\n"
        f"        {deed}\n    return opened(path, link)\nffmpeg.opened = evil\nworker.main()\n"
    )
    return f"{START}exec({lines!r})"


@pytest.fixture(autouse=True)
def fresh_pool() -> Iterator[None]:
    pool.close()
    yield
    pool.close()
    assert pool.pids() == []


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write_song(tmp_path / "song.wav", duration_s=1.5)


def eventually(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    """Zombies are there as well."""
    return Path(f"/proc/{pid}").exists()


def decoded(path: Path) -> np.ndarray:
    return audio.decode_all(path, sample_rate_hz=16_000, num_channels=1)


def test_a_crash_in_the_middle_of_a_song_costs_that_song(song: Path) -> None:
    chunks = audio.decode(song, sample_rate_hz=16_000, num_channels=1, chunk_s=0.1)
    next(chunks)
    (pid,) = pool.pids()
    os.kill(pid, signal.SIGSEGV)
    with pytest.raises(DecodeError, match="makes its decoder crash"):
        list(chunks)
    assert not is_there(pid)
    assert decoded(song).shape == (1, 24_000)


@pytest.mark.parametrize(
    ("deed", "sentence"), [(SEGFAULT, "crash"), (MUCH_MEMORY, "more than 1074 MB of memory")]
)
def test_an_evil_file_is_one_failed_track(
    tmp_path: Path, deed: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_BOOT", boot(deed))
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")
    for number, name in enumerate(("a", "evil", "z")):
        write_song(tmp_path / "music" / f"{name}.wav", 200 + 50 * number, duration_s=1.5)
    with Library.open(tmp_path / "library.db") as library:
        index_folders(library, [tmp_path / "music"], IndexOptions(views=("overall",)))
        tracks = {track.path.stem: track for track in library.tracks(library.track_ids())}
    assert tracks["evil"].status is TrackStatus.FAILED
    assert sentence in (tracks["evil"].error or "")
    assert {tracks[name].status for name in "az"} == {TrackStatus.INDEXED}


@pytest.mark.parametrize("deed", FOR_EVER)
def test_a_decoder_that_goes_in_circles_ends_itself(
    tmp_path: Path, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_BOOT", boot(deed, "worker.MAX_CPU_S = 0.2"))
    with pytest.raises(DecodeError, match="no sound comes out"):
        audio.audio_hash(write_song(tmp_path / "evil.wav"))
    assert audio.audio_hash(write_song(tmp_path / "good.wav"))


def test_a_drive_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pool, "_BOOT", boot("import time; time.sleep(1000)", "worker.SILENCE_S = 3.0")
    )
    with pytest.raises(DecodeError, match="drive or network"):
        audio.probe(write_song(tmp_path / "evil.wav"))
    assert pool.pids() == []
    assert audio.probe(write_song(tmp_path / "good.wav"))


FAILING_DRIVE = """
import io, pathlib
class Failing(io.FileIO):
    def readinto(self, buffer):
        if self.tell() > 150_000:
            raise OSError(5, "Input/output error")
        return super().readinto(buffer)
opened = pathlib.Path.open
pathlib.Path.open = lambda path, mode: (
    io.BufferedReader(Failing(path)) if "failing" in path.name else opened(path, mode)
)
"""


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg"])
def test_a_drive_that_fails_in_the_middle_makes_no_shorter_song(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers take it for the end, and what was read until then is most of the song."""
    monkeypatch.setattr(pool, "_BOOT", f"{START}exec({FAILING_DRIVE!r}); worker.main()")
    codec, layout = {
        "wav": ("pcm_s16le", "mono"),
        "flac": ("flac", "mono"),
        "mp3": ("libmp3lame", "stereo"),
        "ogg": ("vorbis", "stereo"),
    }[suffix]
    seconds = {"wav": 3.0, "flac": 4.0, "mp3": 12.0, "ogg": 5.0}[suffix]
    sound = np.stack([buzz(seconds, 44_100)] * (1 if layout == "mono" else 2))
    sound += 0.05 * np.random.default_rng(0).standard_normal(sound.shape).astype(np.float32)
    path = encode(tmp_path / f"failing.{suffix}", sound, 44_100, codec, layout)
    assert 150_000 < path.stat().st_size < 300_000
    for read in (decoded, audio.audio_hash):
        with pytest.raises(DecodeError, match="Input/output error"):
            read(path)
    whole = path.rename(tmp_path / f"whole.{suffix}")
    assert decoded(whole).shape[1] > 0.95 * seconds * 16_000


def test_reading_a_large_file_gives_signs_of_life(tmp_path: Path) -> None:
    """So that a minute without any is a drive that is gone, however slow drives may be."""
    large = write_song(tmp_path / "large.wav", duration_s=80.0)
    *signs, last = streams.audio_hash(large)
    assert signs == [{}] * (large.stat().st_size // streams.SIGN_OF_LIFE_BYTES)
    assert signs
    assert audio.audio_hash(large) == last["audio_hash"]


def test_a_request_to_stop_is_heard_while_a_decoder_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_BOOT", boot("import time; time.sleep(1000)"))
    cancel = CancelToken()
    threading.Timer(0.3, cancel.cancel).start()
    with pytest.raises(CancelledError):
        audio.audio_hash(write_song(tmp_path / "evil.wav"), cancel)
    eventually(lambda: not pool.pids())


def test_a_song_that_is_not_heard_to_its_end_leaves_the_decoder_ready(song: Path) -> None:
    for _ in range(5):
        chunks = audio.decode(song, sample_rate_hz=16_000, num_channels=1, chunk_s=0.01)
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]
    assert len(pool.pids()) == 1
    assert decoded(song).shape == (1, 24_000)


def test_decoders_that_nobody_needs_go(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_BOOT", f"{START}worker.IDLE_S = 0.2; worker.main()")
    decoded(song)
    eventually(lambda: not pool.pids())
    assert decoded(song).size


def test_one_that_leaves_while_it_is_asked_is_replaced(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever rests for a minute leaves at a moment of its own: no song is to pay for that."""
    audio.probe(song)
    (decoder,) = pool._pool._idle
    polls = iter([None])  # as it was a moment before
    monkeypatch.setattr(decoder.process, "poll", lambda: next(polls, 0))
    assert decoder.process.stdin is not None
    decoder.process.stdin.close()  # it leaves as if after its time
    decoder.process.wait()
    assert decoded(song).shape == (1, 24_000)


def test_a_song_may_be_heard_slowly(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A player that pauses waits in the middle of it."""
    monkeypatch.setattr(pool, "_BOOT", f"{START}worker.IDLE_S = 0.2; worker.main()")
    chunks = audio.decode(song, sample_rate_hz=16_000, num_channels=1, chunk_s=0.5)
    first = next(chunks)
    time.sleep(0.6)
    assert first.shape[1] + sum(chunk.shape[1] for chunk in chunks) == 24_000


def test_a_decoder_is_replaced_after_many_files(
    song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_FILES", 2)
    audio.probe(song)
    (first,) = pool.pids()
    audio.probe(song)
    audio.probe(song)
    assert pool.pids() != [first]


def test_several_songs_at_a_time_have_a_decoder_each(song: Path) -> None:
    streams = [
        audio.decode(song, sample_rate_hz=16_000, num_channels=1, chunk_s=0.1) for _ in range(3)
    ]
    firsts = [next(stream) for stream in streams]
    assert len(pool.pids()) == 3
    for first, stream in zip(firsts, streams, strict=True):
        np.testing.assert_array_equal(np.concatenate([first, *stream], axis=1), decoded(song))


def test_decoders_end_with_whoever_asked(song: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from engine.sound import audio\n"
        "from engine.sound.decoding import pool\n"
        "stream = audio.decode(Path(sys.argv[1]), sample_rate_hz=16_000, num_channels=1)\n"
        "next(stream); print(*pool.pids(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(song)], stdout=subprocess.PIPE, cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    eventually(lambda: not is_there(int(done.stdout)))


@pytest.mark.parametrize("program", ["/no/such/program", "/bin/false"])
def test_where_no_process_can_be_started_it_is_said(
    song: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(DecodeError, match="No process can be started"):
        decoded(song)
    assert pool.pids() == []


@pytest.mark.parametrize("entry", ["engine.cli", "app.main"])
def test_a_frozen_program_can_become_a_decoder(song: Path, entry: str) -> None:
    code = f"import sys; sys.argv[:] = ['program', {FLAG!r}]; from {entry} import main; main()"
    asked = io.BytesIO()
    messages.send(asked, {"do": "probe", "path": str(song)})
    done = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    assert done.stdin is not None
    assert done.stdout is not None
    with done, done.stdin, done.stdout as told:
        done.stdin.write(asked.getvalue())
        done.stdin.flush()
        assert messages.receive(told) == ({"is_ready": True}, b"")  # type: ignore[arg-type]
        found = messages.receive(told)  # type: ignore[arg-type]
    assert found is not None
    assert found[0]["duration_s"] == pytest.approx(1.5)


def test_what_a_decoder_that_was_taken_over_says_is_bounded() -> None:
    for sizes in ((worker.MAX_MEMORY_BYTES, 0), (0, messages.MAX_BODY_BYTES + 1)):
        with pytest.raises(ValueError, match="no message"):
            messages.receive(io.BytesIO(messages._SIZES.pack(*sizes)))
    with pytest.raises(ValueError, match="no message"):
        messages.receive(io.BytesIO(messages._SIZES.pack(2, 0) + b"[]"))
    assert messages.receive(io.BytesIO(messages._SIZES.pack(2, 5) + b"{}abc")) is None

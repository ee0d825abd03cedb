"""The short form of ``make fuzz``: broken files of every container, through all of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sound.decoding import pool, worker
from tools.fuzz import CONTAINED, run_batch
from tools.fuzz_inputs import Mutator, make_seeds

pytestmark = pytest.mark.linux


NUM_INPUTS = 200
SEED = 2026


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    assert len(make_seeds(folder)) == 10
    return folder


@pytest.fixture
def fresh_pool() -> None:
    pool.close()


def test_broken_files_break_nothing(songs: Path, fresh_pool: None) -> None:
    tally = run_batch(songs, SEED, range(NUM_INPUTS))
    problems = [f"{n}{suffix}: {what}" for n, suffix, what, _ in tally.findings]
    assert [problem for problem in problems if not problem.endswith(CONTAINED)] == []
    assert tally.outcomes["heard"] > NUM_INPUTS / 10
    assert tally.outcomes["refused"] > NUM_INPUTS / 10
    assert 0 < tally.decoder_rss_bytes <= worker.MAX_MEMORY_BYTES
    pool.close()


def test_a_crash_would_be_seen_and_kept(
    songs: Path, fresh_pool: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        pool,
        "_BOOT",
        "import ctypes, sys; sys.path[:] = sys.argv[1:]; "
        "from engine.sound.decoding import ffmpeg, worker; "
        "ffmpeg.opened = lambda *_: ctypes.string_at(0); worker.main()",
    )
    tally = run_batch(songs, SEED, range(3))
    assert tally.outcomes["crash"] == 3
    found = {(number, what): content for number, _, what, content in tally.findings}
    inputs = Mutator(sorted(songs.iterdir()), SEED)
    assert found == {(number, "crash"): inputs.input(number)[1] for number in range(3)}
    pool.close()


def test_an_input_is_always_the_same(songs: Path) -> None:
    paths = sorted(songs.iterdir())
    inputs = [Mutator(paths, SEED).input(number) for number in range(20)]
    assert inputs == [Mutator(paths, SEED).input(number) for number in range(20)]
    assert inputs != [Mutator(paths, SEED + 1).input(number) for number in range(20)]
    originals = {path.read_bytes() for path in paths}
    assert sum(content not in originals for _, content in inputs) > 15

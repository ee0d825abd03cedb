"""The whole pipeline on real files: good ones, bad ones, interrupted runs."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from support.sound import buzz, encode, write_wav

from engine.errors import CancelledError, LibraryLockedError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library, TrackStatus
from engine.progress import CancelToken

GE2E = IndexOptions(models={"vocals": "ge2e", "overall": "ge2e"}, num_workers=2)
OVERALL = IndexOptions(models={"overall": "ge2e"}, views=("overall",), num_workers=2)


@pytest.fixture
def library(tmp_path):
    with Library.open(tmp_path / "library.db") as library:
        yield library


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


def add_songs(folder: Path, count: int, seconds: float = 5.0) -> list[Path]:
    return [
        write_wav(folder / f"song {i}.wav", buzz(seconds, pitch_hz=110 * 1.1**i))
        for i in range(count)
    ]


def vectors(library: Library) -> dict[tuple[str, str], np.ndarray]:
    """{(view, file name): vector} of everything that was heard."""
    found = {}
    for space_id, key in library.spaces():
        ids, rows = library.embeddings(space_id)
        for track, row in zip(library.tracks(ids), rows, strict=True):
            found[key.view, track.path.name] = row
    return found


def test_both_views_of_a_voice(library, music):
    write_wav(music / "voice.wav", np.stack([buzz(6.0, 44_100, 220)] * 2), 44_100)
    reports = []
    summary = index_folders(library, [music], GE2E, progress=reports.append)
    assert (summary.found, summary.indexed, summary.failed) == (1, 1, 0)
    assert summary.audio_seconds == pytest.approx(6.0, abs=0.1)
    assert ("overall", "voice.wav") in vectors(library)
    [track] = library.tracks(library.track_ids())
    assert track.status is TrackStatus.INDEXED
    assert track.has_vocals is not None
    assert track.duration_s == pytest.approx(6.0, abs=0.1)
    stages = list(dict.fromkeys(report.stage for report in reports))
    assert [s for s in stages if s != "scan"] == ["overall", "index", "vocals"]
    assert max(r.num_done for r in reports if r.stage == "vocals") == 1


def test_a_second_run_has_nothing_to_do(library, music):
    add_songs(music, 2)
    first = index_folders(library, [music], OVERALL)
    before = vectors(library)
    second = index_folders(library, [music], OVERALL)
    assert (first.indexed, first.unchanged) == (2, 0)
    assert (second.indexed, second.unchanged, second.audio_seconds) == (0, 2, 0)
    assert before.keys() == vectors(library).keys()


def test_a_moved_song_keeps_what_was_heard(library, music):
    [path] = add_songs(music, 1)
    index_folders(library, [music], OVERALL)
    [before] = library.track_ids()
    (music / "elsewhere").mkdir()
    path.rename(music / "elsewhere" / "other name.wav")
    summary = index_folders(library, [music], OVERALL)
    assert (summary.found, summary.moved, summary.indexed) == (1, 1, 0)
    assert library.track_ids() == [before]


def test_bad_files_are_listed_with_reasons_and_the_rest_goes_on(library, music):
    add_songs(music, 1)
    flac = encode(music / "truncated.flac", np.stack([buzz(20.0)]), 16_000, "flac", "mono")
    flac.write_bytes(flac.read_bytes()[: flac.stat().st_size // 4])
    (music / "empty.mp3").touch()
    (music / "letter.mp3").write_text("Dear singer,\n" * 50)
    write_wav(music / "silence.wav", np.zeros(100_000))
    write_wav(music / "blink.wav", buzz(0.3))
    write_wav(music / "24 kHz.wav", buzz(5.0, 24_000), 24_000)
    write_wav(music / "surround.wav", np.stack([buzz(5.0)] * 6))
    write_wav(music / "wrong.wav", buzz(5.0)).rename(music / "wrong.mp3")
    summary = index_folders(library, [music], OVERALL)
    reasons = {
        track.path.name: track.error
        for track in library.tracks(library.track_ids(status=TrackStatus.FAILED))
    }
    assert summary.found == 9
    assert summary.failed == len(reasons) == 5
    assert "empty" in reasons["empty.mp3"]
    assert "not audio" in reasons["letter.mp3"]
    assert "silent" in reasons["silence.wav"]
    assert "0.3 s" in reasons["blink.wav"]
    assert "damaged" in reasons["truncated.flac"]
    assert {name for _, name in vectors(library)} == {
        "song 0.wav", "24 kHz.wav", "surround.wav", "wrong.mp3",
    }  # fmt: skip


def test_a_copy_of_a_song_is_not_listened_to_again(library, music, monkeypatch):
    [song] = add_songs(music, 1)
    index_folders(library, [music], OVERALL)
    (music / "copy.wav").write_bytes(song.read_bytes())
    monkeypatch.setattr("engine.indexing.pipeline.embed_song", None)
    summary = index_folders(library, [music], OVERALL)
    assert (summary.indexed, summary.failed) == (1, 0)
    assert summary.audio_seconds == pytest.approx(5.0)
    found = vectors(library)
    np.testing.assert_array_equal(found["overall", "copy.wav"], found["overall", song.name])


def test_a_renamed_folder_is_known_by_its_sounds(library, music, monkeypatch):
    add_songs(music, 2)
    index_folders(library, [music], OVERALL)
    monkeypatch.setattr("engine.indexing.pipeline.embed_song", None)
    renamed = music.rename(music.with_name("renamed"))
    assert index_folders(library, [renamed], OVERALL).indexed == 2
    whole = index_folders(library, [], OVERALL)
    assert (whole.found, whole.unchanged, len(whole.skipped)) == (2, 2, 1)


def test_songs_that_go_away_during_a_run_have_not_failed(library, music):
    """A drive that is pulled out: what is on it is as good as before once it is back."""
    add_songs(music, 4)
    away = music.with_name("away")

    def pull_out(report):
        if report.stage == "overall" and music.exists():
            music.rename(away)

    summary = index_folders(library, [music], OVERALL, progress=pull_out)
    counts = library.counts()
    assert summary.failed == counts.failed == 0
    assert counts.missing > 0
    assert summary.skipped == (
        f"Gone during the run: {counts.missing} files. Index again once they are back.",
    )
    assert summary.found == summary.indexed == counts.indexed
    away.rename(music)
    assert index_folders(library, [music], OVERALL).found == 4
    assert library.counts().indexed == 4


def test_a_folder_forgotten_during_a_run_does_not_end_it(library, music):
    add_songs(music, 4)
    (other := music.with_name("other")).mkdir()
    write_wav(other / "x.wav", buzz(5.0))

    def forget(report):
        if report.stage == "overall" and len(library.folders()) == 2:
            library.forget_folder(music)

    summary = index_folders(library, [music, other], OVERALL, progress=forget)
    assert (summary.found, summary.indexed, summary.unchanged) == (1, 1, 0)
    assert {name for _, name in vectors(library)} == {"x.wav"}


def test_an_empty_folder_and_a_missing_one(library, music, tmp_path):
    assert index_folders(library, [music], OVERALL).found == 0
    summary = index_folders(library, [tmp_path / "nowhere"], OVERALL)
    assert summary.found == 0
    assert "does not exist" in summary.skipped[0]


def test_a_repaired_file_is_heard(library, music):
    path = music / "song.wav"
    path.write_bytes(b"")
    assert index_folders(library, [music], OVERALL).failed == 1
    write_wav(path, buzz(5.0))
    summary = index_folders(library, [music], OVERALL)
    assert (summary.failed, summary.indexed) == (0, 1)


def test_cancel_keeps_what_was_finished(library, music):
    add_songs(music, 6)
    cancel = CancelToken()

    def stop_after_two(report):
        if report.stage == "overall" and report.num_done >= 2:
            cancel.cancel()

    with pytest.raises(CancelledError):
        index_folders(library, [music], OVERALL, progress=stop_after_two, cancel=cancel)
    kept = len(vectors(library))
    assert 2 <= kept <= 6
    assert index_folders(library, [music], OVERALL).indexed == 6 - kept
    assert len(vectors(library)) == 6


def test_pause_holds_everything_until_it_is_over(library, music):
    add_songs(music, 3)
    cancel = CancelToken()
    cancel.pause()
    ended = threading.Event()

    def run():
        index_folders(library, [music], OVERALL, cancel=cancel)
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert not ended.wait(1.0)
    assert not vectors(library)
    cancel.resume()
    thread.join()
    assert len(vectors(library)) == 3


def test_a_second_indexer_is_kept_out(library, music):
    with library.lease(), pytest.raises(LibraryLockedError, match="indexing"):
        index_folders(library, [music], OVERALL)


KILLED_RUN = """
import sys
from pathlib import Path
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library

options = IndexOptions(models={"overall": "ge2e"}, views=("overall",), num_workers=2)
with Library.open(Path(sys.argv[1])) as library:
    index_folders(library, [Path(sys.argv[2])], options)
"""


@pytest.mark.linux
def test_kill_at_any_moment_loses_nothing_but_the_track_in_work(tmp_path, music):
    add_songs(music, 8)
    path = tmp_path / "killed.db"
    for num_finished in (0, 2, 5):
        process = subprocess.Popen([sys.executable, "-c", KILLED_RUN, str(path), str(music)])
        while num_finished and process.poll() is None:
            if path.exists() and num_heard(path) >= num_finished:
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with Library.open(path) as killed, Library.open(tmp_path / "undisturbed.db") as undisturbed:
        index_folders(killed, [music], OVERALL)
        index_folders(undisturbed, [music], OVERALL)
        ours, expected = vectors(killed), vectors(undisturbed)
        assert killed.counts() == undisturbed.counts()
    assert ours.keys() == expected.keys()
    for name, vector in expected.items():
        np.testing.assert_array_equal(ours[name], vector)


def num_heard(path: Path) -> int:
    with Library.open(path) as library:
        return len(vectors(library))


def test_no_network_is_loaded_where_there_is_nothing_to_hear(library, music):
    add_songs(music, 1)
    index_folders(library, [music], OVERALL)
    code = f"""
import sys
from pathlib import Path
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
options = IndexOptions(models={{"overall": "ge2e"}}, views=("overall",))
with Library.open(Path({str(library.path)!r})) as library:
    assert index_folders(library, [], options).unchanged == 1
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr

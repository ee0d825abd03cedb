from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
from support.libraries import OVERALL, VOCALS, embedding, retag, write_song

from engine.errors import CancelledError, LibraryError
from engine.library import Library, ScanSummary, TrackStatus
from engine.library.scan.scan import scan
from engine.progress import CancelToken, Progress
from engine.sound import audio


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Three songs by two artists."""
    for number, name in enumerate(
        ("Ann/First/01 One.wav", "Ann/First/02 Two.wav", "Bob/Three.wav")
    ):
        write_song(tmp_path / "music" / name, 200 + 50 * number)
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def counts(summary: ScanSummary) -> dict[str, int]:
    """What is not zero in a summary."""
    return {name: count for name, count in vars(summary).items() if count}


def hear_all(library: Library) -> dict[str, int]:
    """Index every track; returns ids by title."""
    overall, vocals = library.space_id(OVERALL), library.space_id(VOCALS)
    for track in library.tracks(library.pending(overall)):
        about = {"audio_hash": audio.audio_hash(track.path), "duration_s": 1.0}
        library.put_embedding(track.id, overall, embedding(track.id), **about)
        library.put_embedding(track.id, vocals, None, **about)
    return {track.title: track.id for track in library.tracks(library.track_ids())}


def heard(library: Library) -> set[int]:
    return set(library.embeddings(library.space_id(OVERALL))[0].tolist())


def by_title(library: Library) -> dict[str, TrackStatus]:
    return {track.title: track.status for track in library.tracks(library.track_ids())}


def never_read(path: Path) -> str:
    raise AssertionError(f"{path} was read")


def scan_unread(library: Library, folders: Sequence[Path] = ()) -> ScanSummary:
    """A scan that reads no sound."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(audio, "audio_hash", never_read)
        return scan(library, folders)


def test_new_files_become_tracks(library: Library, music: Path) -> None:
    (music / "cover.jpg").write_bytes(b"no song")
    (music / "Empty folder").mkdir()
    assert counts(scan_unread(library, [music])) == {"found": 3, "new": 3}
    one = library.tracks(library.track_ids("one"))[0]
    assert (one.artist, one.album, one.tags.track_number) == ("Ann", "First", 1)
    assert one.path == music / "Ann" / "First" / "01 One.wav"
    assert one.size_bytes == one.path.stat().st_size


def test_a_second_scan_opens_no_file(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(library, [music])
    ids = hear_all(library)
    monkeypatch.setattr("engine.library.scan.reconcile.read_tags", never_read)
    assert counts(scan_unread(library, [music])) == {"found": 3, "unchanged": 3}
    assert counts(scan_unread(library)) == {"found": 3, "unchanged": 3}
    assert heard(library) == set(ids.values())


def test_other_sound_under_the_same_name_is_to_be_heard_again(
    library: Library, music: Path
) -> None:
    scan(library, [music])
    ids = hear_all(library)
    write_song(music / "Bob" / "Three.wav", 999, duration_s=0.3)
    assert counts(scan(library, [music])) == {"found": 3, "changed": 1, "unchanged": 2}
    assert library.pending(library.space_id(OVERALL)) == [ids["Three"]]
    assert library.pending(library.space_id(VOCALS)) == [ids["Three"]]
    track = library.track(ids["Three"])
    assert (track.status, track.duration_s) == (TrackStatus.NEW, None)
    assert library.moments_of([track.id], library.space_id(OVERALL)).get(track.id) is None


def test_other_tags_alone_keep_what_was_heard(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    retag(music / "Bob" / "Three.wav", TIT2="Drei", TPE1="Robert")
    assert counts(scan(library, [music])) == {"found": 3, "retagged": 1, "unchanged": 2}
    track = library.track(ids["Three"])
    assert (track.title, track.artist, track.status) == ("Drei", "Robert", TrackStatus.INDEXED)
    assert library.track_ids("drei robert") == [track.id]
    assert library.pending(library.space_id(OVERALL)) == []
    assert counts(scan_unread(library, [music])) == {"found": 3, "unchanged": 3}


def test_a_touched_file_is_the_same(library: Library, music: Path) -> None:
    scan(library, [music])
    hear_all(library)
    os.utime(music / "Bob" / "Three.wav", (1, 1))
    assert counts(scan(library, [music])) == {"found": 3, "retagged": 1, "unchanged": 2}
    assert len(heard(library)) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="has no time of change")
def test_another_song_of_equal_size_with_the_same_time_is_heard(
    library: Library, music: Path
) -> None:
    scan(library, [music])
    ids = hear_all(library)
    path = music / "Bob" / "Three.wav"
    before = path.stat()
    write_song(path, 999)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert counts(scan(library)) == {"found": 3, "changed": 1, "unchanged": 2}
    assert library.pending(library.space_id(OVERALL)) == [ids["Three"]]
    assert counts(scan_unread(library)) == {"found": 3, "unchanged": 3}


def test_other_rights_make_no_other_song(library: Library, music: Path) -> None:
    scan(library, [music])
    hear_all(library)
    for path in music.rglob("*.wav"):
        path.chmod(0o600)
    assert counts(scan(library)) == {"found": 3, "unchanged": 3}
    assert library.pending(library.space_id(OVERALL)) == []
    assert counts(scan_unread(library)) == {"found": 3, "unchanged": 3}


def test_a_library_of_an_older_schema_takes_files_as_they_are(
    library: Library, music: Path
) -> None:
    scan(library, [music])
    hear_all(library)
    with library.database.write() as db:
        noted = db.execute("SELECT id, ctime_ns FROM track").fetchall()
        db.execute("UPDATE track SET ctime_ns = NULL")
    assert counts(scan_unread(library)) == {"found": 3, "unchanged": 3}
    assert library.database.rows("SELECT id, ctime_ns FROM track") == noted


def test_a_moved_file_keeps_its_id_and_what_was_heard(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    (music / "Bob" / "Songs").mkdir()
    (music / "Bob" / "Three.wav").rename(music / "Bob" / "Songs" / "3 Trois.wav")
    assert counts(scan(library, [music])) == {"found": 3, "moved": 1, "unchanged": 2}
    track = library.track(ids["Three"])
    assert track.path == music / "Bob" / "Songs" / "3 Trois.wav"
    assert (track.title, track.album, track.status) == ("Trois", "Songs", TrackStatus.INDEXED)
    assert heard(library) == set(ids.values())


def test_moved_and_retagged_at_once(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    retag(music / "Bob" / "Three.wav", TIT2="Drei")
    (music / "Bob" / "Three.wav").rename(music / "Drei.wav")
    assert counts(scan(library, [music])) == {"found": 3, "moved": 1, "unchanged": 2}
    assert library.track(ids["Three"]).title == "Drei"


def test_a_move_that_is_found_later(library: Library, music: Path, tmp_path: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    (music / "Bob" / "Three.wav").rename(tmp_path / "away.wav")
    scan(library, [music])
    (tmp_path / "away.wav").rename(music / "back.wav")
    assert counts(scan(library, [music])) == {"found": 3, "moved": 1, "unchanged": 2}
    assert library.track(ids["Three"]).status is TrackStatus.INDEXED


def test_moved_to_another_folder_of_the_library(
    library: Library, music: Path, tmp_path: Path
) -> None:
    scan(library, [music])
    ids = hear_all(library)
    (tmp_path / "more").mkdir()
    (music / "Bob" / "Three.wav").rename(tmp_path / "more" / "Three.wav")
    assert counts(scan(library, [tmp_path / "more", music])) == {
        "found": 3,
        "moved": 1,
        "unchanged": 2,
    }
    assert library.track(ids["Three"]).path == tmp_path / "more" / "Three.wav"


def test_files_that_swapped_their_names(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    one, two = music / "Ann" / "First" / "01 One.wav", music / "Ann" / "First" / "02 Two.wav"
    one.rename(music / "x")
    two.rename(one)
    (music / "x").rename(two)
    os.utime(one, (1, 1))  # they were written in the same moment: else not even a change of time
    os.utime(two, (2, 2))
    assert counts(scan(library, [music])) == {"found": 3, "moved": 2, "unchanged": 1}
    assert library.track(ids["One"]).path == two
    assert library.track(ids["Two"]).path == one
    assert heard(library) == set(ids.values())


def test_a_new_file_under_the_name_of_a_moved_one(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = hear_all(library)
    (music / "Bob" / "Three.wav").rename(music / "Bob" / "Four.wav")
    write_song(music / "Bob" / "Three.wav", 999, duration_s=0.3)
    assert counts(scan(library, [music])) == {"found": 4, "new": 1, "moved": 1, "unchanged": 2}
    assert library.track(ids["Three"]).path.name == "Four.wav"
    assert len(library.pending(library.space_id(OVERALL))) == 1


def test_a_copy_is_a_track_of_its_own(library: Library, music: Path) -> None:
    scan(library, [music])
    hear_all(library)
    shutil.copy(music / "Bob" / "Three.wav", music / "Bob" / "Copy.wav")
    assert counts(scan(library, [music])) == {"found": 4, "new": 1, "unchanged": 3}


def test_a_file_that_was_never_heard_can_move_too(library: Library, music: Path) -> None:
    scan(library, [music])
    ids = {track.title: track.id for track in library.tracks(library.track_ids())}
    (music / "Bob" / "Three.wav").rename(music / "Three.wav")
    assert counts(scan(library, [music])) == {"found": 3, "moved": 1, "unchanged": 2}
    assert library.track(ids["Three"]).path == music / "Three.wav"


def test_a_missing_file_is_kept_and_marked_until_it_returns(
    library: Library, music: Path, tmp_path: Path
) -> None:
    scan(library, [music])
    ids = hear_all(library)
    three = music / "Bob" / "Three.wav"
    three.rename(tmp_path / "away.wav")
    assert counts(scan(library, [music])) == {"found": 2, "missing": 1, "unchanged": 2}
    assert library.track(ids["Three"]).status is TrackStatus.MISSING
    assert counts(scan(library, [music])) == {"found": 2, "unchanged": 2}
    assert heard(library) == set(ids.values())
    (tmp_path / "away.wav").rename(three)
    assert counts(scan(library, [music])) == {"found": 3, "returned": 1, "unchanged": 2}
    assert library.track(ids["Three"]).status is TrackStatus.INDEXED


def test_an_unplugged_drive_marks_nothing_as_missing(
    library: Library, music: Path, tmp_path: Path
) -> None:
    scan(library, [music])
    hear_all(library)
    music.rename(tmp_path / "unplugged")
    summary = scan(library, [music])
    assert summary.missing == 0
    assert "plug the drive in" in summary.skipped[0].reason
    assert set(by_title(library).values()) == {TrackStatus.INDEXED}
    assert not library.folders()[0].is_available
    music.mkdir()  # the place where a drive is mounted is an empty folder
    (music / ".Trash-1000").mkdir()
    assert "is empty" in scan(library).skipped[0].reason
    assert set(by_title(library).values()) == {TrackStatus.INDEXED}
    shutil.rmtree(music)
    (tmp_path / "unplugged").rename(music)
    assert counts(scan(library)) == {"found": 3, "unchanged": 3}
    assert library.folders()[0].is_available


def test_a_deleted_part_of_a_folder(library: Library, music: Path) -> None:
    scan(library, [music])
    shutil.rmtree(music / "Ann")
    assert counts(scan(library, [music])) == {"found": 1, "missing": 2, "unchanged": 1}


def test_what_lies_in_an_unreadable_folder_is_not_missing(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(library, [music])
    scandir = os.scandir

    def refuse_bob(path: str | Path) -> object:  # rights cannot be taken from root
        if Path(path).name == "Bob":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_bob)
    summary = scan(library, [music])
    assert (summary.found, summary.unchanged, summary.missing) == (2, 2, 0)
    assert summary.skipped[0].path == music / "Bob"
    summary = scan(library, [music / "Bob"])
    assert (summary.found, summary.missing) == (0, 0)
    assert "Permission denied" in summary.skipped[0].reason


def test_scanning_a_part_leaves_the_rest_alone(library: Library, music: Path) -> None:
    scan(library, [music])
    shutil.rmtree(music / "Ann")
    (music / "Bob" / "Three.wav").unlink()
    assert counts(scan(library, [music / "Ann"])) == {"missing": 2}
    assert by_title(library)["Three"] is TrackStatus.NEW
    write_song(music / "Bob" / "Four.wav")
    assert counts(scan(library, [music / "Bob"])) == {"found": 1, "new": 1, "missing": 1}
    assert len(library.folders()) == 1


def test_overlapping_folders_hold_each_file_once(library: Library, music: Path) -> None:
    scan(library, [music / "Ann"])
    hear_all(library)
    summary = scan(library, [music / "Ann", music, music / "Bob", music])
    assert counts(summary) == {"found": 3, "new": 1, "unchanged": 2}
    assert [folder.path for folder in library.folders()] == [music]
    assert len(heard(library)) == 2


def test_folders_that_are_none_are_told(library: Library, music: Path) -> None:
    summary = scan(library, [music / "nowhere", music / "Bob" / "Three.wav", music / "Ann"])
    assert summary.found == 2
    assert [skipped.reason for skipped in summary.skipped] == [
        "The folder does not exist.",
        "The folder is a file; name the folder it is in.",
    ]


@pytest.mark.linux
def test_folders_that_cannot_be_reached_are_told(library: Library, music: Path) -> None:
    circle = music / "circle"
    circle.symlink_to(circle)
    summary = scan(library, [circle, music / ("x" * 300), music / "Ann"])
    assert summary.found == 2
    circle_told, name_told = (skipped.reason for skipped in summary.skipped)
    assert "cannot be reached" in circle_told
    assert "cannot be reached" in name_told
    assert library.track_by_path(circle / "song.wav") is None
    with pytest.raises(LibraryError, match="not a folder of the library"):
        library.forget_folder(circle)


def test_an_empty_folder_is_no_problem(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert counts(scan(library, [tmp_path / "empty"])) == {}
    assert counts(scan(library)) == {}


FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")


@pytest.mark.linux
@pytest.mark.parametrize("on_disk", FORMS)
def test_a_track_is_found_by_its_path_in_either_unicode_form(
    library: Library, music: Path, on_disk: Literal["NFC", "NFD"]
) -> None:
    places = {form: music / unicodedata.normalize(form, "Beyoncé/Déjà vu.wav") for form in FORMS}
    write_song(places[on_disk])
    scan(library, [music])
    for place in places.values():
        found = library.track_by_path(place)
        assert found is not None
        assert found.path == places[on_disk]
    for place in places.values():  # a drive that keeps them apart
        write_song(place)
    scan(library)
    for place in places.values():
        found = library.track_by_path(place)
        assert found is not None
        assert found.path == place


@pytest.mark.linux
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Beyonc\u00e9/D\u00e9j\u00e0 vu.wav", "Beyonce\u0301/De\u0301ja\u0300 vu.wav"),
        ("aerosmith/dream on.wav", "Aerosmith/Dream On.wav"),
    ],
)
def test_a_name_in_another_form_or_case_is_the_same_track(
    library: Library, music: Path, before: str, after: str
) -> None:
    write_song(music / before, 333)
    scan(library, [music])
    hear_all(library)
    known = library.track_by_path(music / before)
    assert known is not None
    (music / after).parent.mkdir()
    (music / before).rename(music / after)
    assert counts(scan(library)) == {"found": 4, "moved": 1, "unchanged": 3}
    assert library.track(known.id).path == music / after
    assert library.pending(library.space_id(OVERALL)) == []


@pytest.mark.linux
def test_names_as_long_as_can_be(library: Library, music: Path) -> None:
    folders = ["ü" * 120, "Sehr lange Namen " * 14, "歌" * 80, "x" * 255]
    path = write_song(music / "short.wav", 333).rename(music / "moved.wav")
    place = music
    for name in folders:
        place = place / name.strip()
        place.mkdir()
    long = path.rename(place / ("é" * 125 + ".wav"))
    assert len(os.fsencode(long.name)) == 254
    scan(library, [music])
    ids = hear_all(library)
    found = library.track_by_path(long)
    assert found is not None
    assert found.id in ids.values()
    assert counts(scan_unread(library)) == {"found": 4, "unchanged": 4}


@pytest.mark.parametrize("when_s", [0, -1_000_000, 1_900_000_000, 4_200_000_000])
def test_times_long_ago_and_to_come(library: Library, music: Path, when_s: int) -> None:
    for path in music.rglob("*.wav"):
        os.utime(path, (when_s, when_s))
    scan(library, [music])
    hear_all(library)
    assert counts(scan_unread(library)) == {"found": 3, "unchanged": 3}


def test_names_that_are_not_utf_8(library: Library, music: Path) -> None:
    name = os.fsdecode(b"Bj\xf6rk")
    shutil.copytree(music / "Bob", music / name)
    write_song(music / name / os.fsdecode(b"J\xf3ga.wav"), 777)
    summary = scan(library, [music])
    assert summary.new == 5
    (track_id,) = library.track_ids("Bj rk j ga")
    track = library.track(track_id)
    assert track.path.read_bytes()
    assert (track.artist, track.title) == ("Bj�rk", "J�ga")
    assert library.track_by_path(track.path) == track
    assert counts(scan(library)) == {"found": 5, "unchanged": 5}


def test_names_with_line_breaks_quotes_and_emoji(library: Library, music: Path) -> None:
    for name in ("a\nb.wav", 'it\'s "so".wav', "🎵.wav", "%s%20;--.wav", " .wav"):
        write_song(music / "odd" / name)
    assert scan(library, [music / "odd"]).new == 5
    assert counts(scan(library)) == {"found": 5, "unchanged": 5}
    for track in library.tracks(library.track_ids()):
        assert track.path.exists()
        assert "\n" not in track.title


def test_a_broken_file_is_a_track_that_the_indexer_will_report(
    library: Library, music: Path
) -> None:
    scan(library, [music])
    hear_all(library)
    (music / "Bob" / "Three.wav").write_text("no audio any more")
    (music / "zero.mp3").touch()
    (music / "Ann" / "First" / "01 One.wav").unlink()  # so that new files are hashed
    summary = scan(library, [music])
    assert counts(summary) == {"found": 3, "new": 1, "changed": 1, "missing": 1, "unchanged": 1}
    assert by_title(library)["zero"] is TrackStatus.NEW


def test_a_file_that_is_deleted_while_it_is_read(
    library: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(library, [music])
    hear_all(library)
    for name in ("One", "Three"):
        (path,) = music.rglob(f"*{name}.wav")
        os.utime(path, (1, 1))

    def delete_then_hash(path: Path) -> str:
        if path.name == "Three.wav":
            path.unlink()
        return audio_hash(path)

    audio_hash = audio.audio_hash
    monkeypatch.setattr(audio, "audio_hash", delete_then_hash)
    summary = scan(library, [music])
    assert (summary.retagged, summary.missing) == (1, 1)
    assert by_title(library)["Three"] is TrackStatus.MISSING


def test_a_failed_file_that_changed_is_tried_again(library: Library, music: Path) -> None:
    scan(library, [music])
    (track_id,) = library.track_ids("three")
    library.put_failure(track_id, "It holds no audio.")
    write_song(music / "Bob" / "Three.wav", 999, duration_s=0.3)
    assert counts(scan(library)) == {"found": 3, "changed": 1, "unchanged": 2}
    assert library.track(track_id).status is TrackStatus.NEW
    assert library.track(track_id).error is None


def test_a_scan_can_be_stopped_and_run_again(library: Library, music: Path) -> None:
    token = CancelToken()

    def stop_after_one(progress: Progress) -> None:
        if progress.num_done == 1:
            token.cancel()

    with pytest.raises(CancelledError):
        scan(library, [music], stop_after_one, token)
    assert scan(library, [music]).found == 3
    assert len(library.track_ids()) == 3


def test_a_scan_reports_its_progress(library: Library, music: Path) -> None:
    reports: list[Progress] = []
    scan(library, [music], reports.append)
    assert {report.stage for report in reports} == {"scan"}
    assert (reports[-1].num_done, reports[-1].num_total) == (3, 3)
    assert any("Three.wav" in report.message for report in reports)


def test_a_library_that_is_closed_meanwhile_is_an_error(library: Library, music: Path) -> None:
    library.close()
    with pytest.raises(LibraryError, match="closed"):
        scan(library, [music])

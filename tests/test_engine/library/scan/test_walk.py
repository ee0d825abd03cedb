from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from engine.library.scan.walk import AUDIO_EXTENSIONS, Walk

pytestmark = pytest.mark.linux


def touch(root: Path, names: Iterable[str]) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def found(root: Path, walk: Walk | None = None) -> list[str]:
    walk = walk or Walk(lambda target: False)
    return [Path(file.path).relative_to(root).as_posix() for file in walk.files(root)]


def test_audio_files_are_found_by_their_extension_in_order(tmp_path: Path) -> None:
    touch(tmp_path, ["b/2.flac", "b/1.MP3", "a.ogg", "cover.jpg", "notes.txt", "code.ts", "mp3"])
    assert found(tmp_path) == ["a.ogg", "b/1.MP3", "b/2.flac"]


@pytest.mark.parametrize("extension", [".mp3", ".m4a", ".opus", ".wma", ".mkv", ".dsf", ".webm"])
def test_what_ffmpeg_reads_is_listed(extension: str) -> None:
    assert extension in AUDIO_EXTENSIONS


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "$RECYCLE.BIN",
        "System Volume Information",
        "@eaDir",
        ".Trash-1000",
        "__MACOSX",
        "lost+found",
        "#recycle",
    ],
)
def test_hidden_and_system_folders_are_skipped(tmp_path: Path, name: str) -> None:
    touch(tmp_path, [f"{name}/song.mp3", f"artist/{name}/song.mp3", "song.mp3", "._song.mp3"])
    assert found(tmp_path) == ["song.mp3"]


def test_a_hidden_folder_that_was_named_is_walked(tmp_path: Path) -> None:
    touch(tmp_path, [".music/song.mp3"])
    assert found(tmp_path / ".music") == ["song.mp3"]


def test_a_folder_with_the_name_of_a_song_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, ["song.mp3/inside.mp3"])
    assert found(tmp_path) == ["song.mp3/inside.mp3"]


def test_loops_of_links_end(tmp_path: Path) -> None:
    touch(tmp_path, ["a/song.mp3"])
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert found(tmp_path) == ["a/song.mp3"]


def test_a_file_is_found_once_whatever_leads_to_it(tmp_path: Path) -> None:
    touch(tmp_path, ["music/b.mp3", "elsewhere/c.mp3"])
    os.link(tmp_path / "music" / "b.mp3", tmp_path / "music" / "d.mp3")
    (tmp_path / "music" / "a.mp3").symlink_to("b.mp3")
    (tmp_path / "music" / "e").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "f").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music" / "g.mp3").symlink_to("nowhere.mp3")
    assert found(tmp_path / "music") == ["b.mp3", "e/c.mp3"]


def test_links_to_what_is_scanned_anyhow_are_not_followed(tmp_path: Path) -> None:
    touch(tmp_path, ["music/a.mp3", "elsewhere/c.mp3"])
    (tmp_path / "music" / "e").symlink_to(tmp_path / "elsewhere")
    walk = Walk(lambda target: target.startswith(str(tmp_path / "elsewhere")))
    assert found(tmp_path / "music", walk) == ["a.mp3"]


def test_sockets_and_pipes_are_no_songs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    assert found(tmp_path) == []


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, ["a/1.mp3", "b/2.mp3", "c/3.mp3"])
    scandir = os.scandir

    def refuse_b(path: str | Path) -> object:  # rights cannot be taken from root
        if Path(path).name == "b":
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_b)
    walk = Walk(lambda target: False)
    assert found(tmp_path, walk) == ["a/1.mp3", "c/3.mp3"]
    (skipped,) = walk.skipped
    assert skipped.path == tmp_path / "b"
    assert "Permission denied" in skipped.reason


def test_what_is_deleted_during_the_walk_is_not_found(tmp_path: Path) -> None:
    touch(tmp_path, ["a/1.mp3", "b/2.mp3", "c.mp3"])
    files = Walk(lambda target: False).files(tmp_path)
    assert Path(next(files).path).name == "1.mp3"
    (tmp_path / "b" / "2.mp3").unlink()
    (tmp_path / "b").rmdir()
    assert [Path(file.path).name for file in files] == ["c.mp3"]


def test_a_deep_tree_is_walked_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(300):
        folder = folder / "d"
        folder.mkdir()
    (folder / "song.mp3").touch()
    assert len(found(tmp_path)) == 1


def test_links_that_lead_nowhere_are_left_out_without_a_word(tmp_path: Path) -> None:
    touch(tmp_path, ["song.mp3"])
    for name, target in (("a.mp3", "b.mp3"), ("b.mp3", "a.mp3"), ("c.mp3", "gone"), ("d", "d")):
        (tmp_path / name).symlink_to(target)
    walk = Walk(lambda target: False)
    assert found(tmp_path, walk) == ["song.mp3"]
    assert not walk.skipped

from pathlib import Path

import pytest

from engine.errors import LibraryError
from engine.library.kept.m3u import read_m3u


def listed(folder: Path, content: bytes) -> list[tuple[Path, str]]:
    (folder / "list.m3u8").write_bytes(content)
    return read_m3u(folder / "list.m3u8")


@pytest.mark.linux
@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b"a.mp3", "HERE/a.mp3"),
        (b"./sub/../a b.mp3  ", "HERE/a b.mp3"),
        (b"/music/#1.mp3", "/music/#1.mp3"),
        (b"sub\\a.mp3", "HERE/sub/a.mp3"),
        (b"file:///music/a%20b%23%C3%A9?.mp3", "/music/a b#é?.mp3"),
        (b"FILE://localhost/music/a.mp3", "/music/a.mp3"),
        (b"file:/music/a.mp3", "/music/a.mp3"),
        ("Jóga.mp3".encode(), "HERE/Jóga.mp3"),
        ("Jóga.mp3".encode("cp1252"), "HERE/Jóga.mp3"),
        (b"s3://bucket/a.mp3", "s3:/bucket/a.mp3"),
    ],
)
def test_every_way_to_write_a_path(tmp_path, line, path):
    assert listed(tmp_path, line + b"\n") == [(Path(path.replace("HERE", str(tmp_path))), "")]


@pytest.mark.linux
def test_a_name_that_is_no_text_is_the_file_that_is_there(tmp_path):
    raw = "Jóga.mp3".encode("cp1252")
    (tmp_path / "list.m3u8").write_bytes(raw)
    import os

    path = tmp_path / os.fsdecode(raw)
    path.touch()
    assert read_m3u(tmp_path / "list.m3u8") == [(path, "")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_names_belong_to_the_song_below_them(tmp_path, end):
    lines = (b"\xef\xbb\xbf#EXTM3U", b"#EXTINF:12,Bj\xf6rk - Now", b"a.mp3", b"", b"#x", b"b.mp3")
    songs = listed(tmp_path, end.join(lines))
    assert songs == [(tmp_path / "a.mp3", "Björk - Now"), (tmp_path / "b.mp3", "")]


def test_what_is_no_playlist_is_refused(tmp_path):
    with pytest.raises(LibraryError, match="no playlist"):
        listed(tmp_path, b"RIFF\0\0\0\0WAVE")
    with pytest.raises(LibraryError, match="no playlist"):
        listed(tmp_path, b"root:x:0:0::/root:/bin/sh\nsync:x:4:4::/bin:/bin/sync\n")
    (tmp_path / "list.txt").write_bytes(b"a.mp3\n")
    with pytest.raises(LibraryError, match="no playlist"):
        read_m3u(tmp_path / "list.txt")
    with pytest.raises(LibraryError, match="cannot be read"):
        read_m3u(tmp_path / "not there.m3u8")


def test_a_playlist_without_songs_and_one_that_is_known_by_its_first_line(tmp_path):
    assert listed(tmp_path, b"#EXTM3U\n") == []
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbf#EXTM3U\ngone.mp3\n")
    assert read_m3u(tmp_path / "list.txt") == [(tmp_path / "gone.mp3", "")]

"""``singalike demo``: its songs are made once, and a bad folder gets a sentence."""

import json

import pytest

from engine.cli import main
from engine.demo import SONGS, song_path, stem_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["singalike", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code or 0


def test_a_library_that_is_there_is_kept(tmp_path, monkeypatch, capsys):
    for song in SONGS:
        path = tmp_path / song_path(song)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a song made before")
    assert run(monkeypatch, "demo", tmp_path, "--json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == [str(tmp_path / song_path(song)) for song in SONGS]
    assert f"Next: singalike index {tmp_path}" in err
    assert all((tmp_path / song_path(s)).read_bytes() == b"a song made before" for s in SONGS)


def test_stems_come_with_a_table_for_the_evaluation(tmp_path, monkeypatch, capsys):
    for path in [stem_path(song, kind) for song in SONGS for kind in ("vocals", "accompaniment")]:
        (tmp_path / path.parent).mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"a stem made before")
    assert run(monkeypatch, "demo", tmp_path, "--stems", "--json") == 0
    out, err = capsys.readouterr()
    table = tmp_path / "songs.csv"
    assert json.loads(out) == [str(table)]
    assert f"--data {table}" in err
    lines = table.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 49
    assert lines[0].startswith("path,singer,song,kind,album")


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder")
    assert run(monkeypatch, "demo", tmp_path / "file" / "songs") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot be written" in err
    assert "Traceback" not in err

"""What strangers write into tags and file names: shown as text, and as nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from support.libraries import ToyModel, WholeMixture, retag, write_song

from engine.cli import main
from engine.cli.terminal_text import HarmlessStream, escaped, harmless
from engine.library import Library, Track
from engine.library.text import MAX_TEXT_CHARS
from engine.search.export import ExportError, export, render

ESCAPES = "\x1b]0;owned\x07\x1b[31mred\x9b2J\x08\x7f\r\n"
BIDI = "\u202egpj.exe\u2066\u200f\u200b\ufeff"
MARKUP = "<img src=x onerror=alert(1)> [bold]x[/bold] &lt;b&gt; {0} %s"
LONG = "la" * 250  # 500 characters
FORMULA = '=HYPERLINK("http://127.0.0.1/?"&A1,"x")'
EVIL_NAME = f"evil {ESCAPES[:-2]} {BIDI}.wav"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``singalike`` with a model that costs nothing: (exit code, stdout, stderr)."""
    monkeypatch.setattr("engine.models.load", lambda name: ToyModel())
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")
    monkeypatch.setattr("engine.separation.load", lambda name: WholeMixture())

    def call(*arguments: object) -> tuple[int, str, str]:
        library = ["--library", str(tmp_path / "library.db")]
        out, err = io.BytesIO(), io.BytesIO()
        with pytest.MonkeyPatch.context() as streams:
            streams.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8"))
            streams.setattr(sys, "stderr", io.TextIOWrapper(err, encoding="utf-8"))
            streams.setattr(sys, "argv", ["singalike", *map(str, arguments), *library])
            with pytest.raises(SystemExit) as ended:
                main()
            sys.stdout.flush()
            sys.stderr.flush()
            return int(ended.value.code or 0), out.getvalue().decode(), err.getvalue().decode()

    return call


def evil_song(folder: Path, name: str, pitch_hz: float, **tags: str) -> Path:
    path = write_song(folder / name, pitch_hz, duration_s=1.5)
    retag(path, **tags)
    return path


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / f"music {ESCAPES[:4]}"
    evil_song(folder, EVIL_NAME, 200, TIT2=MARKUP, TPE1=f"Artist {BIDI}", TALB=ESCAPES)
    evil_song(folder, "b.wav", 300, TIT2=f"{ESCAPES}{LONG}", TPE1=LONG, TCON=FORMULA)
    evil_song(folder, "-c.wav", 400, TIT2=FORMULA, TPE1="../../../etc/passwd", TALB="CON")
    (folder / f"junk {ESCAPES[:9]}.mp3").write_bytes(b"no sound" * 100)
    return folder


def assert_harmless(*texts: str) -> None:
    for text in texts:
        assert text.replace("\n", "").isprintable(), repr(text)


def test_nothing_that_is_printed_steers_the_terminal(run: Run, music: Path, tmp_path: Path) -> None:
    code, out, err = run("index", music)
    assert code == 3  # all but the junk was heard
    for arguments in (
        ("status",),
        ("failed",),
        ("similar", "nothing \x1b[2J like this \u202e"),
        ("similar", "too", "many\x1b[31m", "\u202ewords"),
        ("no\x1b[31msuch\u202ecommand",),
        ("similar", "Artist", "--years", "\x1b[31m"),
        ("index", tmp_path / "not\x1b[31mthere\u202e"),
        ("forget", tmp_path / "not\x1b[31mthere\u202e"),
        ("export", tmp_path / "a\x1b[31m.\u202etxt"),
        ("export", tmp_path / "a\x1b[31m.m3u8"),
        ("status", "--json"),
        ("failed", "--json"),
    ):
        code, out, err = run(*arguments)
        assert out or err
        assert_harmless(out, err)


def test_json_keeps_what_it_escapes(run: Run, music: Path) -> None:
    run("index", music)
    _, out, _ = run("failed", "--json")
    assert_harmless(out)
    names = {Path(row["path"]).name for row in json.loads(out)}
    assert f"junk {ESCAPES[:9]}.mp3" in names


@given(st.text())
def test_escaped_json_means_the_same(text: str) -> None:
    written = json.dumps({"a": [text]}, ensure_ascii=False, indent=1)
    assert json.loads(escaped(written)) == {"a": [text]}
    assert_harmless(escaped(written))


@given(st.text())
def test_harmless_text_is_as_long_as_before(text: str) -> None:
    kept = harmless(text)
    assert len(kept) == len(text)
    assert_harmless(kept.replace("\t", ""))


def test_an_encoding_without_the_letters_is_no_reason_to_fail() -> None:
    raw = io.BytesIO()
    stream = HarmlessStream(io.TextIOWrapper(raw, encoding="ascii"))
    typer.echo("Björk \x1b[31m\x07東京", file=stream)  # type: ignore[arg-type]
    stream.flush()
    assert raw.getvalue() == b"Bj\\xf6rk  \\u6771\\u4eac\n"


def test_a_real_terminal_gets_no_escapes_but_those_of_the_progress(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    folder = tmp_path / "not\x1b]0;owned\x07there"
    reader, writer = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli", "similar", folder, "--library", tmp_path / "a.db"],
        stdout=writer, stderr=writer, check=False,
    )  # fmt: skip
    os.close(writer)
    shown = os.read(reader, 10_000).decode()
    os.close(reader)
    assert done.returncode == 1
    assert_harmless(shown.replace("\r", ""))


def test_progress_on_a_terminal_shows_markup_as_text_and_no_escapes() -> None:
    pty = pytest.importorskip("pty")
    reader, writer = pty.openpty()
    message = "[bold]x[/bold] :smile: \x1b]0;owned\x07 \u202e"
    code = (
        "from engine.cli.terminal_text import make_streams_harmless; make_streams_harmless()\n"
        "from engine.cli.progress import shown_progress; from engine.progress import Progress\n"
        f"with shown_progress() as show: show(Progress('scan', message={message!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stderr=writer, check=True, env={**os.environ, "TERM": "xterm"}
    )
    os.close(writer)
    shown = os.read(reader, 10_000).decode()
    os.close(reader)
    assert done.returncode == 0
    assert "[bold]x[/bold] :smile:" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(("kind", "num_lines"), [("xterm", 1), ("dumb", 2)])
def test_progress_is_one_living_line_on_a_narrow_terminal_and_plain_on_a_dumb_one(
    kind: str, num_lines: int
) -> None:
    pty = pytest.importorskip("pty")
    reader, writer = pty.openpty()
    code = (
        "from engine.cli.progress import shown_progress; from engine.progress import Progress\n"
        "with shown_progress() as show:\n"
        "    for stage in ('overall', 'vocals'): show(Progress(stage, message='long words ' * 9))"
    )
    narrow = {**os.environ, "TERM": kind, "COLUMNS": "40"}
    subprocess.run([sys.executable, "-c", code], stderr=writer, check=True, env=narrow)
    os.close(writer)
    shown = os.read(reader, 10_000).decode()
    os.close(reader)
    assert "Listening to" in shown
    assert shown.count("\n") == num_lines
    assert ("\x1b" in shown) == (kind == "xterm")


@pytest.fixture
def tracks(music: Path, tmp_path: Path) -> list[Track]:
    from engine.library.scan.scan import scan

    with Library.open(tmp_path / "library.db") as library:
        scan(library, [music])
        found = library.tracks(library.track_ids())
    return sorted((one for one in found if one.path.suffix == ".wav"), key=lambda one: one.path)


def test_tags_are_one_line_of_text(tracks: list[Track]) -> None:
    markup, long, evil = sorted(tracks, key=lambda one: one.path.name != EVIL_NAME)
    assert markup.title == MARKUP.replace("&lt;b&gt;", "<b>")
    for track in tracks:
        for text in (track.title, track.artist, track.album, track.tags.genre):
            assert_harmless(text)
            assert len(text) <= MAX_TEXT_CHARS
    lengths = {len(track.title) for track in (long, evil)}
    assert MAX_TEXT_CHARS in lengths


def test_a_playlist_has_one_line_for_each_song(tracks: list[Track]) -> None:
    written = render(tracks, "m3u8").decode()
    lines = written.splitlines()
    assert len(lines) == 1 + 2 * len(tracks)
    assert_harmless(*lines)
    assert all(line.startswith("#EXTINF:") for line in lines[1::2])
    for line in lines[2::2]:
        assert line.startswith(("/", "file:///"))


def test_paths_that_players_would_mistake_are_told_apart(
    tracks: list[Track], tmp_path: Path
) -> None:
    places = {
        "http:/evil.example/a.mp3": f".{os.sep}http:/evil.example/a.mp3",
        "\\\\evil\\share\\a.mp3": f".{os.sep}\\\\evil\\share\\a.mp3",
        "~root/a.mp3": f".{os.sep}~root/a.mp3",
        "#EXTM3U.mp3": f".{os.sep}#EXTM3U.mp3",
        "AC-DC/a.mp3": "AC-DC/a.mp3",
        "../other/a.mp3": "../other/a.mp3",
    }
    for place, expected in places.items():
        one = replace(tracks[0], path=tmp_path / "lists" / place)
        written = render([one], "m3u8", relative_to=tmp_path / "lists").decode().splitlines()
        assert written[2] == expected


@pytest.mark.parametrize("name", ["CON.m3u8", "nul.csv", "Com1.json", "lpt9.tar.m3u8", "aux .csv"])
def test_no_list_is_written_to_a_device_of_windows(
    tracks: list[Track], tmp_path: Path, name: str
) -> None:
    with pytest.raises(ExportError, match="device"):
        export(tracks, tmp_path / name)
    export(tracks, tmp_path / f"a{name}")


@pytest.mark.linux
def test_no_list_replaces_what_is_no_file(tracks: list[Track], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "null.csv").symlink_to(os.devnull)
    for name in ("pipe.csv", "null.csv"):
        with pytest.raises(ExportError, match="that is no file"):
            export(tracks, tmp_path / name)
    assert Path(os.devnull).is_char_device()


def test_a_spreadsheet_computes_nothing(tracks: list[Track]) -> None:
    rows = list(csv.DictReader(io.StringIO(render(tracks, "csv").decode())))
    assert len(rows) == len(tracks)
    assert not any(value.strip()[:1] in tuple("=+-@") for row in rows for value in row.values())
    assert {row["title"] for row in rows} >= {f"'{FORMULA}"}
    assert {row["artist"] for row in rows} >= {"../../../etc/passwd"}

"""The command line as scripts and people meet it: real processes, real files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from support.sound import buzz, write_wav
from typer.main import get_command
from typer.testing import CliRunner

from engine.cli.commands import app
from engine.cli.common import clock, printable, some
from engine.cli.progress import line_of
from engine.cli.similar import parse_part, parse_scope
from engine.progress import Progress


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def singalike(home: Path, *arguments: object, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def environment(home: Path) -> dict[str, str]:
    data = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "CACHE")}
    return {**os.environ, "HOME": str(home), **data}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Two singers of two songs each, as far as buzzes go, and a file that is none."""
    folder = tmp_path_factory.mktemp("music")
    for artist, pitch_hz in (("Low", 110.0), ("High", 330.0)):
        (folder / artist / "Album").mkdir(parents=True)
        for number in (1, 2):
            sound = buzz(6.0, pitch_hz=pitch_hz * (1 + 0.01 * number))
            write_wav(folder / artist / "Album" / f"0{number} Song {number}.wav", sound)
    (folder / "letter.mp3").write_text("Dear singer,\n" * 50)
    return folder


@pytest.fixture(scope="module")
def indexed(home, music):
    """The user's own library, made by the command itself."""
    return singalike(home, "index", music, "--model", "ge2e", "--json")


def test_help_needs_no_network_library(home):
    code = (
        "import sys; sys.argv = ['singalike', '--help']\n"
        "from engine.cli import main\n"
        "try: main()\n"
        "except SystemExit as error: assert not error.code\n"
        "heavy = {'torch', 'torchaudio', 'numpy', 'av', 'PySide6', 'hnswlib', 'rich'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("index", "similar", "embed", "status", "failed", "retry", "forget", "train"):
        assert command in done.stdout


@pytest.mark.parametrize("name", get_command(app).commands)
def test_each_command_has_help_by_either_name(name):
    for option in ("-h", "--help"):
        shown = CliRunner().invoke(app, [name, option])
        assert shown.exit_code == 0, shown.output
        assert "Usage:" in shown.output


def test_index_tells_in_json_what_became_of_the_files(indexed, music):
    assert indexed.returncode == 3  # the letter
    summary = json.loads(indexed.stdout)
    assert set(summary) == {
        "found", "indexed", "unchanged", "moved", "no_vocals", "failed", "seconds", "audio_seconds",
    }  # fmt: skip
    assert (summary["found"], summary["indexed"], summary["failed"]) == (5, 4, 1)
    assert "singalike failed" in indexed.stderr


def test_radio_in_json(indexed, home):
    done = singalike(home, "radio", "low song 1", "--by", "overall", "--songs", 3, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [song["rank"] for song in found] == [1, 2, 3]
    assert found[0]["artist"] == "High"  # the other one has just been heard


def test_similar_in_json(indexed, home):
    done = singalike(home, "similar", "low song 1", "--by", "overall", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["query"]["title"] == "Song 1"
    assert (answer["by"], answer["model"]) == ("overall", "ge2e")
    first = answer["neighbours"][0]
    assert (first["rank"], first["artist"], first["title"]) == (1, "Low", "Song 2")
    assert {"track_id", "path", "album", "similarity", "percent", "moments"} <= first.keys()
    assert {"query_start_s", "start_s", "similarity"} == first["moments"][0].keys()
    assert len(answer["neighbours"]) == 3


def test_similar_for_people(indexed, home):
    done = singalike(home, "similar", "low song 1", "--by", "overall", "-k", "2")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Nearest songs overall to Low – Song 1")
    assert "%  Low – Song 2" in lines[1]
    assert len(lines) == 3


def test_similar_without_a_song_shows_an_example(indexed, home):
    done = singalike(home, "similar", "--by", "overall", "--json")
    assert len(json.loads(done.stdout)["neighbours"]) == 3


def test_more_words_than_a_file_name_can_hold(indexed, home):
    done = singalike(home, "similar", "words " * 50)
    assert done.returncode == 1
    assert "No song matches" in done.stderr


@pytest.mark.linux
def test_a_reader_who_has_seen_enough_is_no_failure(indexed, home):
    command = f"{sys.executable} -m engine.cli similar --by overall"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; exit ${{PIPESTATUS[0]}}"],
        env=environment(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_no_length_is_told_with_an_example():
    with pytest.raises(typer.BadParameter, match=r"'long' is no length. Write it as 2:00-5:00"):
        parse_scope(None, None, None, "long")


@pytest.mark.parametrize("place", [".", "nowhere/out.npz"])
def test_where_nothing_can_be_written_is_told_before_listening(tmp_path, place):
    told = CliRunner().invoke(app, ["embed", "not there.mp3", "-o", str(tmp_path / place)])
    assert "cannot be written" in str(told.exception)


def test_a_folder_that_is_not_there_is_no_partial_success(home, tmp_path):
    done = singalike(home, "index", tmp_path / "nowhere", "--library", tmp_path / "new.db")
    assert done.returncode == 1
    assert "The folder does not exist" in done.stderr


def test_other_artists_only(indexed, home):
    done = singalike(home, "similar", "low song 1", "--by", "overall", "--other-artists", "--json")
    assert {n["artist"] for n in json.loads(done.stdout)["neighbours"]} == {"High"}


def test_artists_in_place_of_songs(indexed, home):
    done = singalike(home, "similar", "low song 1", "--by", "overall", "--artists", "--json")
    found = json.loads(done.stdout)["neighbours"]
    artists = [row["artist"] for row in found]
    assert len(artists) == len(set(artists)) > 0
    assert {song["artist"] for row in found for song in row["more"]} <= set(artists)
    told = singalike(home, "similar", "low song 1", "--by", "overall", "--artists").stdout
    assert len(told.splitlines()) == 1 + len(artists)


def test_similar_to_a_part_of_a_file_from_elsewhere(indexed, home, tmp_path):
    path = write_wav(tmp_path / "x.wav", np.concatenate([buzz(6.0, pitch_hz=333), buzz(6.0)]))
    done = singalike(home, "similar", path, "--by", "overall", "--at", "0:00-0:06", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["neighbours"][0]["artist"] == "High"
    assert answer["query"]["end_s"] == 6.0


def test_several_meanings_are_listed(indexed, home):
    done = singalike(home, "similar", "song")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("Song") == 4


def test_no_such_song(indexed, home):
    done = singalike(home, "similar", "nobody knows this")
    assert done.returncode == 1
    assert "Give a path" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_options_are_usage_errors(indexed, home):
    assert singalike(home, "similar", "low song 1", "--at", "soon").returncode == 2
    assert singalike(home, "similar", "low song 1", "--by", "colour").returncode == 2
    assert singalike(home, "similar", "low song 1", "-k", "0").returncode == 2
    assert singalike(home, "radio", "low song 1", "--songs", "9999999").returncode == 2


def test_status_and_failed(indexed, home, music):
    facts = json.loads(singalike(home, "status", "--json").stdout)
    assert (facts["tracks"], facts["failed"]) == (5, 1)
    assert facts["folders"] == [{"path": str(music), "tracks": 5, "is_available": True}]
    assert {space["view"] for space in facts["spaces"]} == {"vocals", "overall"}
    assert "overall by ge2e: 4 heard, 4 in the index" in singalike(home, "status").stdout
    [failure] = json.loads(singalike(home, "failed", "--json").stdout)
    assert failure["path"].endswith("letter.mp3")
    assert "not audio" in failure["reason"]
    assert "not audio" in singalike(home, "failed").stdout


def test_export_writes_a_playlist(indexed, home, tmp_path):
    done = singalike(home, "export", tmp_path / "a.m3u8", "low song 1", "--by", "overall")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "a.m3u8").read_text()
    assert text.startswith("#EXTM3U")
    assert text.count("#EXTINF") == 3
    assert singalike(home, "export", tmp_path / "all.json").returncode == 0
    assert len(json.loads((tmp_path / "all.json").read_text())) == 4


def test_export_takes_the_filters_of_similar(indexed, home, tmp_path):
    def exported(*arguments: object) -> list[str]:
        done = singalike(
            home, "export", tmp_path / "some.json", "--length", "0:01-9:00", *arguments
        )
        assert done.returncode == 0, done.stderr
        written = json.loads((tmp_path / "some.json").read_text())
        return [row["artist"] for row in written]

    assert len(exported()) == 4
    assert exported("--genre", "Polka") == []
    assert exported("low song 1", "--by", "overall", "--genre", "Polka") == []
    assert exported("--artist", "low", "--by", "overall", "--one-each") == ["High"]


def test_embed_writes_vectors_of_unit_length(home, music, tmp_path):
    files = [*sorted(music.glob("*/*/*.wav"))[:2], music / "letter.mp3"]
    out = tmp_path / "out.npz"
    done = singalike(
        home, "embed", *files, "--model", "ge2e", "--view", "vocals", "--input", "vocals", "-o", out
    )
    assert done.returncode == 3
    assert "letter.mp3" in done.stderr
    arrays = np.load(out)
    assert [Path(path) for path in arrays["paths"]] == files[:2]
    assert arrays["embeddings"].shape == (2, 256)
    assert arrays["embeddings"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(arrays["embeddings"], axis=1), 1.0, atol=1e-5)


def test_forget_leaves_the_files(tmp_path, music):
    library = tmp_path / "l.db"
    other = tmp_path / "music"
    other.mkdir()
    write_wav(other / "a.wav", buzz(5.0))
    index = singalike(tmp_path, "index", other, "--library", library, "--model", "ge2e")
    assert index.returncode == 0, index.stderr
    assert index.stdout == ""
    assert singalike(tmp_path, "forget", other, "--library", library).returncode == 0
    assert (other / "a.wav").exists()
    assert (
        json.loads(singalike(tmp_path, "status", "--library", library, "--json").stdout)["tracks"]
        == 0
    )


def test_models_are_listed(home):
    listed = json.loads(singalike(home, "models", "--json").stdout)
    served = {view for info in listed for view in info["serves"]}
    assert served == {"vocals", "overall"}
    assert all(info["licence"] for info in listed)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["index"], 2, "Name a folder"),
        (["similar", "x"], 1, "Index a folder of music first"),
        (["similar", "x", "--library", "/"], 1, "is a folder"),
        (["embed", "x.wav", "-o", "/tmp/x.npz", "--model", "nonsense"], 1, "singalike models"),
        (["index", ".", "--separator", "nonsense"], 1, "spleeter"),
    ],
)
def test_mistakes_get_a_sentence(tmp_path, arguments, code, sentence):
    done = singalike(tmp_path, *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_an_empty_folder(tmp_path):
    (tmp_path / "music").mkdir()
    done = singalike(tmp_path, "index", tmp_path / "music")
    assert done.returncode == 0
    assert "no music in there" in done.stderr


@pytest.mark.linux
def test_without_stderr_and_without_stdout(indexed, home, music):
    command = [sys.executable, "-m", "engine.cli", "index", str(music), "--model", "ge2e", "--json"]
    for closed, code in (("2>&-", 3), (">&-", 1), ("<&- >&- 2>&-", 1), (">/dev/full", 1)):
        done = subprocess.run(
            ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *command],
            env=environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, closed
        assert ("standard output is closed" in done.stderr) == (closed == ">&-")
        assert "Traceback" not in done.stderr


@pytest.mark.linux
def test_a_folder_that_may_not_be_read_does_not_keep_others_out(tmp_path):
    """(To root it is an empty one.)"""
    (closed := tmp_path / "closed").mkdir()
    (music := tmp_path / "music").mkdir()
    write_wav(music / "a.wav", buzz(5.0))
    closed.chmod(0)
    command = ["index", closed, music, "--model", "ge2e", "--json"]
    done = singalike(tmp_path, *command)
    closed.chmod(0o755)
    assert json.loads(done.stdout)["indexed"] == 1
    assert done.returncode == (0 if os.geteuid() == 0 else 3)


@pytest.mark.linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_and_keeps_what_is_done(tmp_path, number):
    music = tmp_path / "music"
    music.mkdir()
    for i in range(40):
        write_wav(music / f"{i}.wav", buzz(20.0, pitch_hz=100 + i))
    command = [sys.executable, "-m", "engine.cli", "index", str(music), "--model", "ge2e"]
    with subprocess.Popen(
        command, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "Listening to songs" in line:
                break
        time.sleep(1.0)
        process.send_signal(number)
        errors = process.stderr.read()
    assert process.returncode == 130
    assert "start again" in errors
    assert "Traceback" not in errors
    done = singalike(tmp_path, "status", "--json")
    assert json.loads(done.stdout)["tracks"] == 40


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1:05-1:20", (65, 80)),
        ("65 - 80", (65, 80)),
        ("0:00-0:00.5", (0, 0.5)),
        ("59:00-1:00:01", (3540, 3601)),
    ],
)
def test_parts_of_songs(text, part):
    assert parse_part(text) == part


def test_small_words():
    assert (some(0), some(1), some(2, "file")) == ("0 songs", "1 song", "2 files")
    assert (clock(5), clock(65.9), clock(3723)) == ("0:05", "1:05", "1:02:03")
    assert clock(1_641_600) == "19 days"
    assert printable("a\x1b[31mb\nc\udcff") == "a [31mb c "
    report = Progress("vocals", 3, 24, 751.0, 6000.0, 40.0, "Song")
    assert line_of(report) == "Listening to voices  3 of 24  12:31 of audio  0:40 left  Song"

"""Every command in the documentation works, or is at least one that the program understands."""

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
import typer
from support.documents import (
    ROOT,
    Command,
    commands,
    commands_of,
    explained_sentences,
    program_texts,
)
from support.libraries import add_tracks, vector_embedding
from typer.testing import CliRunner

from catalogue.cli import app as catalogue_app
from engine.cli.commands import GROUPS, app
from engine.library import Library, Tags
from engine.models import default_model_name
from engine.records import SpaceKey
from training.cli import app as training_app

ALL = commands()
# Programs of others, which are not ours to test.
OTHERS = {"pip", "pipx", "sudo", "npm", "py", "git", "ln", "tar", "pip-audit"}
SCRIPTS = {"python", "sh"}
# Run in a library of a few songs; all others would listen to music for seconds, or change things.
CHEAP = {
    "similar",
    "journey",
    "export",
    "mark",
    "favourite",
    "radio",
    "status",
    "failed",
    "models",
    "verify",
    "separators",
}
# They listen, or need another model or library than the one here, or a server.
COSTLY_OPTIONS = {"--at", "--voice-alone", "--model", "--library", "--catalogue"}
SONGS = (
    ("Ysolde Marrin", "Harbour of Moths"),
    ("Ysolde Marrin", "Half a Compass"),
    ("Jonathan Coulton", "Better"),
    ("Jonathan Coulton", "Northern Star"),
    ("Cellar Door", "Coal Bells"),
)


def ours(program: str) -> list[Command]:
    return [command for command in ALL if command.program == program]


def loaded(name: str) -> Any:
    """The real command behind one that is loaded only when it is called."""
    from pkgutil import resolve_name

    from app.record.command import app as recording_app

    registered = {"record": recording_app, "train": training_app}
    if name in GROUPS:
        return typer.main.get_command(resolve_name(GROUPS[name][0]))
    return typer.main.get_command(registered[name])


def resolve(words: tuple[str, ...]) -> tuple[Any, list[str]]:
    """The command that is meant, and its arguments. KeyError where there is none."""
    command = typer.main.get_command(app)
    rest = list(words)
    if rest and rest[0].startswith("-"):
        return command, rest
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        command = command.commands[name]
        if name in GROUPS or name in ("record", "train"):
            command = loaded(name)
    return command, rest


def understand(words: tuple[str, ...], is_whole: bool) -> None:
    """Let the real command line read the words, without doing anything."""
    command, rest = resolve(words)
    try:
        command.make_context(words[0] if words else "singalike", rest)
    except Exception as error:  # of click, or of the copy of it that typer brings
        kind = type(error).__name__
        shows_help = kind in ("Exit", "NoArgsIsHelpError")  # --version; a group by itself
        if not (shows_help or (kind == "MissingParameter" and not is_whole)):
            raise


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The user's own library: five songs with made-up voices."""
    home = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(3)
    with Library.open(home / "Singalike" / "library.db", create=True) as opened:
        tags = [Tags(title=title, artist=artist) for artist, title in SONGS]
        ids = add_tracks(opened, home / "music", tags)
        for view in ("vocals", "overall"):
            separator = "spleeter" if view == "vocals" else None
            key = SpaceKey(default_model_name(view), "0" * 64, view, separator, 16)
            space = opened.space_id(key)
            for track_id in ids:
                made = vector_embedding(rng.standard_normal(16))
                heard = {"audio_hash": f"sound {track_id}", "duration_s": 30.0}
                opened.put_embedding(track_id, space, made, **heard)
    return home


def test_there_is_something_to_test():
    kinds = Counter(command.program for command in ALL)
    assert kinds["singalike"] > 60
    assert kinds["make"] > 4
    assert {command.place for command in ALL} >= {"README.md", "guide.md", "training.md"}


def test_no_command_is_passed_over():
    known = {"singalike", "singalike-app", "singalike-catalogue", "Singalike", "make", "torchrun"}
    known |= SCRIPTS | OTHERS
    assert [str(command) for command in ALL if command.program not in known] == []


@pytest.mark.parametrize("command", list(dict.fromkeys(ours("singalike"))), ids=str)
def test_the_command_line_understands(command):
    understand(command.words[1:], command.is_whole)


@pytest.mark.parametrize("command", ours("singalike-catalogue"), ids=str)
def test_the_catalogue_understands(command):
    rest = list(command.words[1:])
    group = typer.main.get_command(catalogue_app)
    group.commands[rest.pop(0)].make_context("singalike-catalogue", rest)


def test_the_training_behind_torchrun_is_understood():
    [command] = ours("torchrun")
    words = command.words[command.words.index("training") + 1 :]
    understand(("train", *words), command.is_whole)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("listen ~/Music", "KeyError"),
        ("train dance", "KeyError"),
        ("similar better --colour", "NoSuchOption"),
        ("evaluate all --models ge2e --data x.csv --out r --colour", "NoSuchOption"),
        ("forget", "MissingParameter"),
        ("similar better --by colour", "BadParameter"),
    ],
)
def test_what_the_program_does_not_know_is_noticed(line, error):
    with pytest.raises(Exception) as raised:  # noqa: PT011 - its class depends on typer's version
        understand(tuple(line.split()), True)
    assert type(raised.value).__name__ == error


def is_cheap(command: Command) -> bool:
    words = command.words[1:]
    if not command.is_whole or not words or words[0] not in CHEAP:
        return False
    has_file = any(re.search(r"\.(mp3|wav)$", word) for word in words[1:])
    return not (has_file or COSTLY_OPTIONS & set(words) or "install" in words)


@pytest.mark.parametrize(
    "command", [c for c in dict.fromkeys(ours("singalike")) if is_cheap(c)], ids=str
)
def test_the_command_works(command, library, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(library))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, list(command.words[1:]))
    assert done.exit_code in (0, None), f"{done.output}\n{done.stderr}\n{done.exception!r}"
    assert done.output or list(tmp_path.iterdir())


def test_enough_of_them_are_really_run():
    run = {command.words[1] for command in ours("singalike") if is_cheap(command)}
    assert run >= {"similar", "journey", "radio", "export", "status", "failed"}


def test_targets_of_make_exist():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    for command in ours("make"):
        assert set(command.words[1:]) <= targets, command


@pytest.mark.parametrize("command", [c for name in SCRIPTS for c in ours(name)], ids=str)
def test_scripts_exist_and_know_their_options(command):
    words = list(command.words[1:])
    if words[0] == "-m":
        words[:2] = [words[1].replace(".", "/") + ".py"]
    path = ROOT / words[0]
    if words[0] == "install.sh":  # in the folder of the bundle
        path = ROOT / "packaging" / "linux" / words[0]
    assert path.is_file(), command
    source = path.read_text()
    for option in (word.split("=")[0] for word in words[1:] if word.startswith("--")):
        assert option in source, f"{path.name} knows no {option}"


def test_arguments_of_the_window():
    for command in ours("singalike-app"):
        assert set(command.words[1::2]) <= {"--library"}, command


def test_sentences_that_the_guide_explains_are_those_of_the_program():
    sentences = explained_sentences((ROOT / "docs" / "guide.md").read_text())
    assert len(sentences) > 30
    unknown = [
        sentence
        for sentence in sentences
        if not any(
            all(piece.strip() in text for piece in sentence.split("…")) for text in program_texts()
        )
    ]
    assert unknown == []


def test_how_blocks_are_read():
    text = (
        "Words.\n\n    singalike status | failed   # one of them\n"
        "    MUSIC=x make run\n\n```sh\nsingalike export a.m3u8 \\\n    better\n```\n"
        "```python\nnot a command\n```\nSee `singalike index ...`.\n"
    )
    found = [(command.words, command.is_whole) for command in commands_of("x", text)]
    assert found == [
        (("singalike", "export", "a.m3u8", "better"), True),
        (("singalike", "status"), True),
        (("singalike", "failed"), True),
        (("make", "run"), True),
        (("singalike", "index"), False),
    ]


def test_links_between_documents_lead_somewhere():
    from support.documents import documents

    for path in documents():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_the_examples_of_extending_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "extending.md").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "extending.md", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.startswith("my-model 256 ")

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.training_data import write_dataset, write_voice
from typer.testing import CliRunner

from engine.errors import SingalikeError
from training.cli import app
from training.data.plan import PrepareOptions
from training.data.tables import Summary

runner = CliRunner()


def test_prepare_prints_a_summary_and_says_what_was_left_out(tmp_path: Path) -> None:
    lines = ["path,singer,song,kind"]
    for number in range(3):
        write_voice(tmp_path / f"{number}.wav", 6, 150 + 50 * number)
        lines.append(f"{number}.wav,singer {number},song,vocals")
    write_voice(tmp_path / "b.wav", 6, 80)
    lines += ["b.wav,band,backing,accompaniment", "gone.wav,singer 9,song,vocals"]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["prepare", str(tmp_path / "t.csv"), "-o", str(tmp_path / "d"), "--parts", "2:1:0"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 3, result.output
    assert "gone.wav" in result.output
    again = runner.invoke(app, [*arguments, "--json"])
    summary = json.loads(again.stdout)
    assert sum(part["artists"] for part in summary["per_part"].values()) == 3
    assert [key for key, _ in summary["failures"]] == ["gone.wav"]


def test_run_and_export(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "d").path
    run_folder, out = tmp_path / "run", tmp_path / "voice"
    arguments = [
        "run",
        "-s",
        "mscol",
        "--data",
        str(data),
        "-o",
        str(run_folder),
        "--device",
        "cpu",
    ]
    arguments += ["--batches", "1", "--set", "optim.num_pairs=2"]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "1 of 512,000 batches done" in result.output
    result = runner.invoke(
        app,
        ["export", str(run_folder), "--data", str(data), "-o", str(out), "--title", "A voice"],
    )
    assert result.exit_code == 0, result.output
    assert "# A voice" in (out / "README.md").read_text("utf-8")


def test_systems_are_listed() -> None:
    names = [text.split()[0] for text in runner.invoke(app, ["systems"]).output.splitlines()]
    assert {"cola", "cvsm-ah", "singalike"} <= set(names)


@pytest.mark.parametrize("parts", ["8:1", "a:b:c", "0:1:1", "8:-1:1"])
def test_impossible_shares_are_a_usage_error(parts: str, tmp_path: Path) -> None:
    result = runner.invoke(app, ["prepare", str(tmp_path), "-o", "x", "--parts", parts])
    assert result.exit_code == 2


@pytest.mark.parametrize("option", ["--batches=0", "--stems=both", "--precision=float16"])
def test_what_no_run_can_do_is_a_usage_error(option: str, tmp_path: Path) -> None:
    arguments = ["run", "-s", "cola", "--data", str(tmp_path), "-o", "x", option]
    assert runner.invoke(app, arguments).exit_code == 2


def test_expected_errors_reach_the_command_line(tmp_path: Path) -> None:
    result = runner.invoke(app, ["run", "-s", "nothing", "--data", str(tmp_path), "-o", "x"])
    assert isinstance(result.exception, SingalikeError)
    assert "There is no system 'nothing'" in str(result.exception)


def test_words_for_people() -> None:
    summary = Summary(3, 12, 2, [(str(n), "gone") for n in range(25)], ["few artists"])
    assert "Note: few artists" in summary.text()
    assert "and 5 more" in summary.text()
    assert PrepareOptions().parts == (0.8, 0.1, 0.1)

"""The commands ``separators`` and ``checkpoint``, as a person types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from support.seeded import seeded_keras
from typer import Typer
from typer.testing import CliRunner, Result

from engine import models, paths, separation
from engine.cli import checkpoint, separators
from engine.errors import CheckpointError, SeparatorError
from engine.models.tensorflow_bundle import read_bundle
from engine.models.tensorflow_import import SUFFIX
from engine.separation import published

GOLDEN = Path(__file__).parents[2] / "golden"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for place in (published, models, paths):
        monkeypatch.setattr(place, "data_path", lambda: tmp_path / "data")
    return tmp_path / "data"


def run(app: Typer, *arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_the_list_says_what_is_installed_and_at_what_price() -> None:
    text = run(separators.app).stdout
    assert "spleeter  Spleeter, 2 stems (comes with Singalike)  installed" in text
    assert "not installed, 113 MB to download\n    licence of its weights: CC BY-NC-SA" in text
    facts = json.loads(run(separators.app, "--json").stdout)
    assert [fact["name"] for fact in facts] == [i.name for i in separation.available()]


def test_nothing_is_fetched_without_a_yes() -> None:
    result = run(separators.app, "install", "umxl")
    assert result.exit_code == 1
    assert "113 MB from https://zenodo.org" in result.stderr
    assert "not for commercial use" in result.stderr
    assert "say --yes" in result.stderr


def test_what_is_here_needs_no_installation() -> None:
    assert "nothing to install" in run(separators.app, "install", "spleeter").stderr


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocals.pth").write_bytes(b"?")
    with pytest.raises(SeparatorError, match="not the published file"):
        run(separators.app, "install", "umxhq", "--weights", tmp_path / "vocals.pth")


def test_a_checkpoint_of_the_authors_becomes_a_model(tmp_path: Path, data_folder: Path) -> None:
    shutil.copy(GOLDEN / "cvsm_tensorflow.index", tmp_path / "cvsm_art.index")
    bundle = read_bundle(tmp_path / "cvsm_art")
    with bundle.data_path.open("wb") as file:
        for name, entry in bundle.entries.items():
            if entry.dtype == 1:
                file.seek(entry.offset)
                file.write(seeded_keras(name.removesuffix(SUFFIX), entry.shape).tobytes())
    arguments = ("import-tf", tmp_path / "cvsm_art.index", "--system", "cvsm-art")
    result = run(checkpoint.app, *arguments)
    assert result.stdout == f"{data_folder / 'models' / 'cvsm_art'}\n"
    assert "Use it with --model cvsm_art" in result.stderr
    assert "cvsm_art" in [info.name for info in models.available()]
    with pytest.raises(CheckpointError, match="--overwrite"):
        run(checkpoint.app, *arguments)
    assert run(checkpoint.app, *arguments, "--overwrite").exit_code == 0

"""Separators from elsewhere: what they are, how they are installed, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.separators import MIXTURE, filled, streamed
from support.server import serve

from engine import separation
from engine.errors import SeparatorError
from engine.models.checkpoint import file_sha256
from engine.progress import Progress
from engine.separation import published
from engine.separation.openunmix import OpenUnmix, OpenUnmixNet
from engine.separation.published import PUBLISHED, Published
from engine.separation.remote_file import RemoteFile


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Published, Path]:
    """umxhq with a small network, and its published file, in a data folder of its own."""
    path = tmp_path / "vocals.pth"
    buffers = {"stft.window": torch.hann_window(4096), "sample_rate": torch.tensor(44100.0)}
    # The published files are of the older of PyTorch's two formats.
    torch.save(
        {**filled(OpenUnmixNet(16), "umx").state_dict(), **buffers},
        path,
        _use_new_zipfile_serialization=False,
    )
    data_path = tmp_path / "data"
    monkeypatch.setattr(published, "data_path", lambda: data_path)
    return register(monkeypatch, path), path


def register(
    monkeypatch: pytest.MonkeyPatch, path: Path, url: str = "http://127.0.0.1:9/"
) -> Published:
    """As if ``path`` was what the publisher offers."""
    remote = RemoteFile(url, file_sha256(path), PUBLISHED[0].remote.size_bytes)
    small = replace(PUBLISHED[0], remote=remote, config={"hidden_size": 16})
    monkeypatch.setattr(separation, "PUBLISHED", (small,))
    return small


def names_installed() -> list[str]:
    return [info.name for info in separation.available() if info.is_installed]


def test_it_is_installed_from_a_file_and_works(tiny: tuple[Published, Path]) -> None:
    assert names_installed() == ["spleeter"]
    separation.install("umxhq", tiny[1])
    assert names_installed() == ["spleeter", "umxhq"]
    loaded = separation.load("umxhq")
    assert loaded.name == "umxhq"
    expected = streamed(OpenUnmix("umx", filled(OpenUnmixNet(16), "umx")), MIXTURE, 10**6)
    np.testing.assert_array_equal(streamed(loaded, MIXTURE, 10**6), expected)
    assert tiny[1].exists()


def test_it_is_installed_from_the_network(
    tiny: tuple[Published, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Progress] = []
    with serve(tiny[1].read_bytes()) as server:
        register(monkeypatch, tiny[1], f"{server.url}/vocals.pth")
        separation.install("umxhq", progress=told.append)
    assert [told[0].stage, told[-1].stage] == ["download", "install"]
    assert separation.load("umxhq").name == "umxhq"
    assert [path.name for path in tiny[0].folder.parent.iterdir()] == ["umxhq"]


def test_what_is_not_installed_says_how_and_under_which_licence(
    tiny: tuple[Published, Path],
) -> None:
    with pytest.raises(SeparatorError, match=r"separators install umxhq` .*36 MB, licence: MIT"):
        separation.load("umxhq")


def test_another_file_is_refused(tiny: tuple[Published, Path], tmp_path: Path) -> None:
    (tmp_path / "other.pth").write_bytes(tiny[1].read_bytes() + b"\0")
    with pytest.raises(SeparatorError, match="not the published file of umxhq"):
        separation.install("umxhq", tmp_path / "other.pth")
    with pytest.raises(SeparatorError, match="There is no file"):
        separation.install("umxhq", tmp_path / "nothing.pth")
    assert names_installed() == ["spleeter"]


class Evil:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return exec, ("raise AssertionError('ran code of a pickle')",)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"fc1.weight": Evil()}, "holds more than weights"),
        ([torch.zeros(1)], "weights by name"),
        ({"fc1.weight": torch.zeros(2, 2)}, "does not hold the network of umxhq"),
    ],
)
def test_files_that_hold_something_else_are_refused(
    tiny: tuple[Published, Path], monkeypatch: pytest.MonkeyPatch, content: object, match: str
) -> None:
    torch.save(content, tiny[1])
    register(monkeypatch, tiny[1])
    with pytest.raises(SeparatorError, match=match):
        separation.install("umxhq", tiny[1])
    assert names_installed() == ["spleeter"]


def test_torn_files_are_refused(
    tiny: tuple[Published, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny[1].write_bytes(tiny[1].read_bytes()[:5000])
    register(monkeypatch, tiny[1])
    with pytest.raises(SeparatorError, match="cannot be read as weights"):
        separation.install("umxhq", tiny[1])


def test_damage_after_the_installation_is_found(tiny: tuple[Published, Path]) -> None:
    separation.install("umxhq", tiny[1])
    weights = tiny[0].folder / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(SeparatorError, match="Install it again"):
        separation.load("umxhq")


def test_the_catalogue_says_what_people_must_know() -> None:
    infos = {info.name: info for info in separation.available()}
    assert list(infos) == ["spleeter", "umxhq", "umxl", "hdemucs"]
    assert "not for commercial use" in infos["umxl"].licence
    assert "scientific purposes" in infos["hdemucs"].licence
    assert all(info.url.startswith("https://") for info in infos.values() if info.size_bytes)


def test_spleeter_needs_no_installation() -> None:
    separation.install("spleeter")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(SeparatorError, match="Choose one of: spleeter, umxhq, umxl, hdemucs"):
        separation.install("vocoder")

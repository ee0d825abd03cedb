from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray

from app import settings
from app.settings import Option, Settings

OPTIONS = [value for value in vars(settings).values() if isinstance(value, Option)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "conf" / "settings.ini"


def test_a_missing_file_gives_the_defaults(path):
    fresh = Settings(path)
    assert [fresh.get(option) for option in OPTIONS] == [option.default for option in OPTIONS]
    assert fresh.notice is None


def test_keys_are_declared_once():
    assert len({option.key for option in OPTIONS}) == len(OPTIONS) > 5


@pytest.mark.parametrize("value", [True, False, 0.25, "ünï, [x] = 1 %20 \\n", ""])
def test_values_come_back_as_they_were(path, value):
    option = Option("test/value", type(value)())
    first = Settings(path)
    first.set(option, value)
    first.save()
    assert Settings(path).get(option) == value
    assert type(Settings(path).get(option)) is type(value)


def test_layouts_come_back_as_they_were(path):
    first = Settings(path)
    assert first.layout(settings.SPLITTER).isEmpty()
    first.set_layout(settings.SPLITTER, QByteArray(b"\x00\xff binary"))
    first.save()
    assert Settings(path).layout(settings.SPLITTER) == b"\x00\xff binary"


def test_a_damaged_file_is_put_aside_and_told(path):
    path.parent.mkdir()
    junk = b"\x89PNG\r\n\x1a\n\x00\x00 no ini at all \xff\xfe\n[[[\n"
    path.write_bytes(junk)
    fresh = Settings(path)
    assert fresh.get(settings.VOLUME) == settings.VOLUME.default
    assert fresh.notice is not None
    (aside,) = path.parent.glob("*damaged*")
    assert aside.name in fresh.notice
    assert aside.read_bytes() == junk
    fresh.set(settings.VOLUME, 0.5)
    fresh.save()
    again = Settings(path)
    assert again.get(settings.VOLUME) == 0.5
    assert again.notice is None

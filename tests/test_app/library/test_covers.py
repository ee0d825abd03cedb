from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QBuffer, QByteArray
from PySide6.QtGui import QColor, QImage
from support.app_window import no_leaks
from support.patience import PATIENCE_MS

from app.jobs import JobRunner
from app.library.covers import Covers
from app.ui.theme import Theme
from engine.paths import resources_path


@pytest.fixture(autouse=True)
def _no_leaks(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


def picture(colour: str) -> bytes:
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(colour))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    return bytes(data.data())


@pytest.fixture
def asked() -> list[Path]:
    return []


@pytest.fixture
def covers(qapp, asked) -> Iterator[Covers]:
    pictures = {Path("/red.mp3"): picture("#ff0000"), Path("/junk.mp3"): b"\xff\xd8\xff junk"}

    def read(path: Path) -> bytes | None:
        asked.append(path)
        return pictures.get(path)

    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    yield Covers(Theme(resources_path() / "icons", qapp), runner, read)
    assert runner.close()


def middle(covers: Covers, path: str, seed: str = "Alma|Album", size: int = 40) -> QColor:
    pixmap = covers.pixmap(Path(path), seed, size, 2.0)
    assert pixmap.width() == 2 * size
    assert pixmap.deviceIndependentSize().width() == size
    return pixmap.toImage().pixelColor(size, 8)


def test_a_tile_stands_in_until_the_cover_has_been_read(qtbot, covers):
    tile = middle(covers, "/red.mp3")
    assert tile != QColor("#ff0000")
    with qtbot.waitSignal(covers.arrived):
        pass
    assert middle(covers, "/red.mp3") == QColor("#ff0000")
    assert covers.pixmap(Path("/red.mp3"), "", 40, 1.0).toImage().pixelColor(0, 0).alpha() < 255


@pytest.mark.parametrize("path", ["/none.mp3", "/junk.mp3"])
def test_without_a_cover_the_tile_stays_and_the_file_is_read_once(qtbot, covers, asked, path):
    tile = middle(covers, path)
    qtbot.waitUntil(lambda: asked == [Path(path)] and not covers._is_reading)
    assert middle(covers, path) == tile
    assert middle(covers, path, seed="Bo|Album") != tile
    assert asked == [Path(path)]


def test_what_is_wished_last_is_read_first_and_old_wishes_are_dropped(qtbot, covers, asked):
    for i in range(500):
        covers.pixmap(Path(f"/{i}.mp3"), "", 20, 1.0)
    qtbot.waitUntil(lambda: not covers._is_reading)
    assert asked[:2] == [Path("/0.mp3"), Path("/499.mp3")]
    assert len(asked) < 100

"""Album covers: read off the UI thread, newest wish first, and a calm tile until then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPixmap

from app.jobs import Job, JobRunner, Pool
from app.ui.palette import tile_colours, tile_number
from app.ui.theme import Theme
from engine.library import Track
from engine.progress import CancelToken, ProgressCallback

COVER_PX = 112  # kept size; the largest use is 56 pixels at a scale of 2
MAX_COVERS = 400  # in the sizes that are drawn; of those read four times as many, 80 MB
BATCH = 8
MAX_WISHES = 64

NO_PATH = Path()

ReadCover = Callable[[Path], bytes | None]


class Covers(QObject):
    """``arrived`` says that some covers can be drawn now that could not before."""

    arrived = Signal()

    def __init__(
        self, theme: Theme, runner: JobRunner, read: ReadCover, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runner = runner
        self._read = read
        self._images: OrderedDict[Path, QImage | None] = OrderedDict()
        self._pixmaps: OrderedDict[tuple[Path, str, int, float], QPixmap] = OrderedDict()
        self._wishes: OrderedDict[Path, None] = OrderedDict()
        self._is_reading = False

    def pixmap(self, path: Path, seed: str, size: int, ratio: float) -> QPixmap:
        """The cover in a file, or a tile in a colour of its own for ``seed`` (artist and album)."""
        image = self._images.get(path)
        is_known = path in self._images
        if not is_known:
            self._wish(path)
        tile = "" if image else f"{self._theme.palette.name}{tile_number(seed)}"
        key = (path if image else NO_PATH, tile, size, ratio)
        if key not in self._pixmaps:
            drawn = self._draw(image, seed, size, ratio)
            self._pixmaps[key] = drawn
            while len(self._pixmaps) > MAX_COVERS:
                self._pixmaps.popitem(last=False)
        self._pixmaps.move_to_end(key)
        return self._pixmaps[key]

    def of_track(self, track: Track, size: int, ratio: float) -> QPixmap:
        return self.pixmap(track.path, cover_seed(track), size, ratio)

    def _wish(self, path: Path) -> None:
        self._wishes[path] = None
        self._wishes.move_to_end(path)
        while len(self._wishes) > MAX_WISHES:
            self._wishes.popitem(last=False)  # scrolled past long ago
        if not self._is_reading:
            self._read_batch()

    def _read_batch(self) -> None:
        paths = [self._wishes.popitem(last=True)[0] for _ in range(min(BATCH, len(self._wishes)))]
        self._is_reading = bool(paths)
        if paths:
            job = Job(lambda progress, cancel: _read_all(paths, self._read, progress, cancel))
            job.succeeded.connect(self._keep)
            job.finished.connect(self._read_batch)
            self._runner.start(job, Pool.MEDIA)

    def _keep(self, images: dict[Path, QImage | None]) -> None:
        self._images.update(images)
        while len(self._images) > MAX_COVERS * 4:
            self._images.popitem(last=False)
        if any(image is not None for image in images.values()):
            self.arrived.emit()

    def _draw(self, image: QImage | None, seed: str, size: int, ratio: float) -> QPixmap:
        side = round(size * ratio)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        outline = QPainterPath()
        radius = max(3.0, side / 9)
        outline.addRoundedRect(QRectF(0, 0, side, side), radius, radius)
        painter.setClipPath(outline)
        if image is not None:
            painter.drawImage(QRect(0, 0, side, side), image)
        else:
            ground, mark = tile_colours(self._theme.palette, seed)
            painter.fillRect(0, 0, side, side, QColor(ground))
            bars_px = round(0.66 * side)  # of sound, as in the program's own sign
            place = (side - bars_px) // 2
            painter.drawPixmap(place, place, self._theme.pixmap("overall", mark, bars_px))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap


def _read_all(
    paths: list[Path], read: ReadCover, progress: ProgressCallback, cancel: CancelToken
) -> dict[Path, QImage | None]:
    images: dict[Path, QImage | None] = {}
    for path in paths:
        cancel.check()
        data = read(path)
        images[path] = _square(QImage.fromData(QByteArray(data))) if data else None
    return images


def _square(image: QImage) -> QImage | None:
    """Cut to its middle square and made small; None where the data is no image."""
    if image.isNull():
        return None
    side = min(image.width(), image.height())
    middle = image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
    return middle.scaled(
        COVER_PX,
        COVER_PX,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def cover_seed(track: Track) -> str:
    return seed_of(track.artist, track.album)


def seed_of(artist: str, album: str) -> str:
    """Songs of one album share a tile."""
    return f"{artist}|{album}"

"""The program's icon in the forms that systems want, from ``resources/icons/singalike.svg``.

    python packaging/make_icons.py FOLDER

makes ``hicolor/SIZExSIZE/apps/singalike.png`` (Linux), ``singalike.ico`` (Windows) and
``singalike.icns`` (macOS). Both containers hold PNGs as they are, so a few lines write them.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "resources" / "icons" / "singalike.svg"
LINUX_SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
WINDOWS_SIZES = (16, 20, 24, 32, 40, 48, 64, 256)
# Apple's name of each size; those with another size's twin are for screens of double density.
APPLE_TYPES = {
    "icp4": 16, "icp5": 32, "icp6": 64, "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024,
    "ic11": 32, "ic12": 64, "ic13": 256, "ic14": 512,
}  # fmt: skip


def render(size: int) -> bytes:
    """The icon as a PNG of size x size pixels, its ground transparent."""
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(data.data())


def ico(images: Mapping[int, bytes]) -> bytes:
    """PNGs by their size -> a Windows icon."""
    head = struct.pack("<HHH", 0, 1, len(images))
    start = len(head) + 16 * len(images)
    entries = b""
    for size, png in images.items():
        side = size % 256  # 0 stands for 256
        entries += struct.pack("<BBBBHHII", side, side, 0, 0, 1, 32, len(png), start)
        start += len(png)
    return head + entries + b"".join(images.values())


def icns(images: Mapping[str, bytes]) -> bytes:
    """PNGs by Apple's name of their size -> a macOS icon."""
    body = b"".join(
        name.encode() + struct.pack(">I", 8 + len(png)) + png for name, png in images.items()
    )
    return b"icns" + struct.pack(">I", 8 + len(body)) + body


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for size in LINUX_SIZES:
        path = folder / "hicolor" / f"{size}x{size}" / "apps" / "singalike.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(size))
    (folder / "singalike.ico").write_bytes(ico({size: render(size) for size in WINDOWS_SIZES}))
    apple = {name: render(size) for name, size in APPLE_TYPES.items()}
    (folder / "singalike.icns").write_bytes(icns(apple))


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    main(Path(sys.argv[1]))

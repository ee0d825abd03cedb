"""Songs that are dragged out of the window, into a file manager or a player, and files dropped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData

from app.desktop.reveal import file_url

MIME_TYPES = ["text/uri-list", "text/plain"]


def files_as_mime_data(paths: Sequence[Path]) -> QMimeData:
    """Files as file managers and players take them; names that are not text included."""
    data = QMimeData()
    addresses = "".join(f"{file_url(path)}\r\n" for path in paths)
    data.setData("text/uri-list", addresses.encode("ascii"))
    data.setText("\n".join(os.fsencode(path).decode("utf-8", "replace") for path in paths))
    return data


def dropped_files(data: QMimeData) -> list[Path]:
    """Files and folders of this computer."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]

"""Rows that can be dragged out of the window, into a file manager or a player."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData

from app.desktop.reveal import file_url


def dragged(paths: Sequence[Path]) -> QMimeData:
    """Files as file managers and players take them; names that are not text included."""
    data = QMimeData()
    addresses = "".join(f"{file_url(path)}\r\n" for path in paths)
    data.setData("text/uri-list", addresses.encode("ascii"))
    data.setText("\n".join(os.fsencode(path).decode("utf-8", "replace") for path in paths))
    return data

"""Songs dragged or copied out of the window, into a file manager or a player; files dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDrag, QDropEvent, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget

from app.desktop.reveal import file_url
from app.ui.text_format import num_songs, one_line, title_of
from engine.library import Track

_TRACKS = "application/x-singalike-tracks"
MAX_LETTERS = 60  # of a title beside the pointer
MIME_TYPES = [_TRACKS, "text/uri-list", "text/plain"]


def files_as_mime_data(paths: Sequence[Path], track_ids: Sequence[int] = ()) -> QMimeData:
    """Files as file managers and players take them; names that are not text included.

    ``track_ids``: of the library, as our own playlists take them.
    """
    data = QMimeData()
    data.setData(_TRACKS, json.dumps(list(track_ids)).encode())
    addresses = "".join(f"{file_url(path)}\r\n" for path in paths)
    data.setData("text/uri-list", addresses.encode("ascii"))
    data.setText("\n".join(os.fsencode(path).decode("utf-8", "replace") for path in paths))
    return data


def copy_files(paths: Sequence[Path]) -> None:
    """To the clipboard: pasted as files, or as their paths where text is wanted."""
    QGuiApplication.clipboard().setMimeData(files_as_mime_data(paths))


class Pull(QObject):
    """The pointer has set out with songs of an item view that are still being fetched.

    Until they are there, Qt would take its moves for a selection and its release for a click.
    """

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._has_begun = False
        view.viewport().installEventFilter(self)

    def begin(self) -> None:
        self._has_begun = True

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        is_hover = isinstance(event, QMouseEvent) and not event.buttons()
        if kind == QEvent.Type.MouseButtonPress or (kind == QEvent.Type.MouseMove and is_hover):
            self._has_begun = False
        return self._has_begun and kind in (QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease)


def drag(source: QWidget, tracks: Sequence[Track]) -> None:
    """Songs that were fetched while the pointer set out: if its button is still held."""
    if tracks and QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton:
        name = title_of(tracks[0]) if len(tracks) == 1 else num_songs(len(tracks))
        picture = QLabel(one_line(name)[:MAX_LETTERS])
        picture.setObjectName("dragged")
        one = QDrag(source)
        one.setMimeData(files_as_mime_data([t.path for t in tracks], [t.id for t in tracks]))
        one.setPixmap(picture.grab())
        one.exec(Qt.DropAction.CopyAction)


def dragged_tracks(data: QMimeData) -> list[int]:
    """Ids of the songs that are dragged within the window."""
    return json.loads(bytes(data.data(_TRACKS).data()) or b"[]")


def dropped_files(data: QMimeData) -> list[Path]:
    """Files and folders of this computer."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


def accept_copy(event: QDropEvent) -> None:
    """Whatever keys are held: one who hears that files were moved deletes their own."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()

"""One window for one library: a second start shows the first window, and hands its paths over."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from engine.library.filenames import resolved

log = logging.getLogger(__name__)

PATIENCE_MS = 1000
MAX_MESSAGE_BYTES = 1_000_000


def server_name(library_path: Path) -> str:
    """The same for the same library of the same user, and for nothing else."""
    place = str(resolved(library_path))
    key = hashlib.sha256(f"{Path.home()}|{place}".encode("utf-8", "surrogateescape")).hexdigest()
    return f"singalike-{key[:24]}"


def hand_over(library_path: Path, paths: list[Path]) -> bool:
    """Ask a window that shows this library to come to the front; False where there is none."""
    asking = QLocalSocket()
    asking.connectToServer(server_name(library_path))
    if not asking.waitForConnected(PATIENCE_MS):
        return False
    message = json.dumps([str(path) for path in paths]).encode() + b"\n"
    asking.write(message)
    is_sent = asking.waitForBytesWritten(PATIENCE_MS)
    asking.disconnectFromServer()
    return is_sent


class SingleInstance(QObject):
    """What the first start listens with."""

    asked = Signal(object)  # list[Path]: come to the front, and open these

    def __init__(self, library_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._connected)
        name = server_name(library_path)
        if not self._server.listen(name):
            QLocalServer.removeServer(name)  # left behind by a crash: nobody answered there
            if not self._server.listen(name):
                log.warning("A second start cannot be noticed: %s", self._server.errorString())

    def close(self) -> None:
        self._server.close()

    def _connected(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)
            self._read(socket)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.bytesAvailable() > MAX_MESSAGE_BYTES:
            socket.abort()
        if not socket.canReadLine():
            return
        try:
            paths = [Path(str(place)) for place in json.loads(bytes(socket.readLine().data()))]
        except (ValueError, TypeError):
            paths = []
        self.asked.emit(paths)

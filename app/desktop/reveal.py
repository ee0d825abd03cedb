"""Shows a file in the platform's file manager, selected where that is possible."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


def file_url(path: Path) -> str:
    """``file://`` URL of a path whose name need not be text."""
    return "file://" + quote(os.fsencode(path))


def reveal(path: Path) -> bool:
    """True when a file manager was asked; it is not waited for."""
    if sys.platform == "win32":
        subprocess.Popen(f'explorer /select,"{path}"')
        return True
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", str(path)])
        return True
    return _reveal_by_dbus(path) or QDesktopServices.openUrl(QUrl(file_url(path.parent)))


def _reveal_by_dbus(path: Path) -> bool:
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected() or not _has_file_manager(bus):
        return False
    message = QDBusMessage.createMethodCall(
        "org.freedesktop.FileManager1",
        "/org/freedesktop/FileManager1",
        "org.freedesktop.FileManager1",
        "ShowItems",
    )
    message.setArguments([[file_url(path)], ""])
    return bus.send(message)


def _has_file_manager(bus: object) -> bool:
    from PySide6.QtDBus import QDBusConnection

    assert isinstance(bus, QDBusConnection)
    names = bus.interface().activatableServiceNames().value() or []
    return "org.freedesktop.FileManager1" in names

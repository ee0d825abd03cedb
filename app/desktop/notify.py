"""Tells the desktop what goes on: a notification, and progress at the program's icon."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection

PORTAL = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop")
SHOWN_MS = 10_000


def notify(window: QWidget, title: str, text: str) -> None:
    """A notification, and a window that asks for attention in the task bar."""
    QApplication.alert(window)
    if sys.platform == "linux":
        from PySide6.QtDBus import QDBusConnection

        notify_by_portal(QDBusConnection.sessionBus(), title, text)
    elif QSystemTrayIcon.isSystemTrayAvailable():
        icon = QSystemTrayIcon(window.windowIcon(), window)
        icon.show()  # an icon that is not shown shows no message
        icon.messageClicked.connect(window.activateWindow)
        icon.showMessage(title, text, window.windowIcon(), SHOWN_MS)
        QTimer.singleShot(SHOWN_MS, icon, icon.deleteLater)


def notify_by_portal(bus: QDBusConnection, title: str, text: str) -> None:
    """For Linux. ``org.freedesktop.Notifications`` wants a uint32, which QtDBus cannot send."""
    from PySide6.QtDBus import QDBusMessage

    message = QDBusMessage.createMethodCall(
        *PORTAL, "org.freedesktop.portal.Notification", "AddNotification"
    )
    message.setArguments([title, {"title": title, "body": text}])
    bus.send(message)


def show_progress(bus: QDBusConnection, app_id: str, share: float | None) -> None:
    """For Linux: 0 to 1 at the icon in a dock that follows Ubuntu's protocol; None: no more."""
    from PySide6.QtDBus import QDBusMessage

    message = QDBusMessage.createSignal(
        "/org/singalike/progress", "com.canonical.Unity.LauncherEntry", "Update"
    )
    shown = {"progress": float(share or 0.0), "progress-visible": share is not None}
    message.setArguments([f"application://{app_id}.desktop", shown])
    bus.send(message)

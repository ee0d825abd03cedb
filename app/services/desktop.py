"""What the desktop is told and asked: what plays, how far work is, not to sleep meanwhile."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.desktop.awake import Awake
from app.desktop.notify import notify, show_progress
from app.jobs import Pool
from app.services.services import Services
from engine.progress import Progress

LONG_S = 60.0  # work that somebody who went away may want to hear of


class Desktop(QObject):
    """Lives beside the window, whose services it follows."""

    open_requested = Signal(str)  # the address of a file that something else wants to be played

    def __init__(self, window: QWidget, services: Services, app_id: str) -> None:
        super().__init__(window)
        self._window, self._indexing, self._app_id = window, services.indexing, app_id
        self._awake = Awake()
        self._percent: int | None = None
        self._indexing.changed.connect(self._follow)
        self._indexing.progressed.connect(self._show_progress)
        services.open_library.runner.done.connect(self._tell)
        self._texts = {
            Pool.BACKGROUND: self.tr("Your music has been listened to."),
            Pool.EVALUATION: self.tr("The evaluation is done."),
            Pool.MAP: self.tr("The map is made."),
            Pool.DOWNLOAD: self.tr("The download is done."),
        }
        self._bus, self._mpris = None, None
        if sys.platform == "linux":
            from PySide6.QtDBus import QDBusConnection

            from app.player.mpris import Mpris

            self._bus = QDBusConnection.sessionBus()
            self._mpris = mpris = Mpris(services.player, app_id, self._bus, self)
            mpris.open_requested.connect(self.open_requested)
            mpris.quit_requested.connect(window.close)
            mpris.raise_requested.connect(window.activateWindow)

    def close(self) -> None:
        self._awake.hold(False)
        if self._mpris is not None:
            self._mpris.close()

    def _follow(self) -> None:
        is_working = self._indexing.is_running and not self._indexing.is_paused
        self._awake.hold(is_working)
        if not is_working:
            self._set_progress(None)

    def _show_progress(self, progress: Progress) -> None:
        if progress.num_total:
            self._set_progress(100 * progress.num_done // progress.num_total)

    def _set_progress(self, percent: int | None) -> None:
        if percent != self._percent:
            self._percent = percent
            if self._bus is not None:
                show_progress(self._bus, self._app_id, None if percent is None else percent / 100)

    def _tell(self, pool: Pool, seconds: float) -> None:
        if seconds >= LONG_S and not self._window.isActiveWindow():
            notify(self._window, "Singalike", self._texts[pool])

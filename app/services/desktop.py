"""What the desktop is told and asked: what plays, how far work is, not to sleep meanwhile."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.desktop.awake import Awake
from app.desktop.notify import notify, show_progress
from app.desktop.reveal import file_url
from app.jobs import Job, LatestJob, Pool
from app.services.services import Services
from engine.library.scan.covers import cover_bytes
from engine.progress import Progress

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection

LONG_S = 60.0  # work that somebody who went away may want to hear of


class Desktop(QObject):
    """Lives beside the window, whose services it follows."""

    open_requested = Signal(str)  # the address of a file that something else wants to be played

    def __init__(
        self,
        window: QWidget,
        services: Services,
        app_id: str,
        bus: QDBusConnection | None = None,
    ) -> None:
        """``bus``: Linux's, where there is one."""
        super().__init__(window)
        self._window, self._indexing, self._app_id = window, services.indexing, app_id
        self._player, self._art_of = services.player, Path()
        self._art_folder = TemporaryDirectory(prefix="singalike-")
        self._reading = LatestJob(services.open_library.runner, Pool.MEDIA)
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
        self._bus, self._mpris = bus, None
        if bus is not None:
            from app.player.mpris import Mpris

            self._mpris = mpris = Mpris(services.player, app_id, bus, self)
            services.player.loaded.connect(self._fetch_art)
            services.player.state_changed.connect(self._fetch_art)
            mpris.open_requested.connect(self.open_requested)
            mpris.quit_requested.connect(window.close)
            mpris.raise_requested.connect(window.activateWindow)

    def close(self) -> None:
        self._awake.hold(False)
        self._art_folder.cleanup()
        if self._mpris is not None:
            self._mpris.close()

    def _fetch_art(self) -> None:
        """Panels and lock screens show covers that are files of their own."""
        sound = self._player.sound(self._player.side)
        if sound is None or sound.path == self._art_of:
            return
        self._art_of = path = sound.path
        target = Path(self._art_folder.name) / f"{hash(path) & 0xFFFFFFFF:x}"
        job = Job(lambda progress, cancel: _write_cover(path, target))
        job.succeeded.connect(lambda is_there: self._show_art(path, target) if is_there else None)
        self._reading.start(job)

    def _show_art(self, path: Path, target: Path) -> None:
        if self._mpris is not None:
            self._mpris.show_art(path, file_url(target))

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


def _write_cover(path: Path, target: Path) -> bool:
    """False where the song has none."""
    data = cover_bytes(path)
    if data and not target.exists():
        target.write_bytes(data)
    return bool(data)

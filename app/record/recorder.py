"""Records from the microphone. Opening it takes time, so a thread does that."""

from __future__ import annotations

import logging
import threading

from PySide6.QtCore import QObject, Signal

from app.player.devices import SoundDevices, reason_of
from app.record.microphone import Microphone

log = logging.getLogger(__name__)


class Recorder(QObject):
    """Opens microphones for the window. ``opened`` brings a Microphone, ``failed`` a sentence."""

    opened = Signal(object)
    failed = Signal(str)

    def __init__(self, devices: SoundDevices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._devices = devices
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Both signals come from another thread: connect them queued."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._open, name="microphone", daemon=True)
            self._thread.start()

    def _open(self) -> None:
        try:
            self._devices.refresh()  # the microphone may have been plugged in a moment ago
            microphone = Microphone(self._devices)
        except Exception as error:  # PortAudioError, OSError, ValueError: the driver's choice
            log.warning("No microphone: %s", error)
            reason = reason_of(error).replace("sound device", "microphone")
            self.failed.emit(
                self.tr(
                    "Nothing can be recorded: {reason}. Connect a microphone, let Singalike use it "
                    "in the system’s privacy settings, then try again."
                ).format(reason=reason)
            )
        else:
            self.opened.emit(microphone)

    def wait(self, timeout_s: float = 2.0) -> None:
        """For the end of the program: a hanging driver is left behind."""
        if self._thread is not None:
            self._thread.join(timeout_s)

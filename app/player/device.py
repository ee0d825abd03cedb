"""The sound device as the player needs it: opened to play, watched, and let go after a pause."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from app.player.output import AudioOutput

STALL_TICKS = 60  # two seconds without a callback: the device is gone
IDLE_CLOSE_MS = 3000
MAX_NAME_CHARS = 60


class Device(QObject):
    """In the UI thread; whatever takes time happens in the thread of ``AudioOutput``."""

    opened = Signal(int)  # sample rate
    failed = Signal(str)  # a sentence; nothing can be heard until ``begin`` is called again
    switched = Signal(str)  # a sentence: it goes on with another device
    solved = Signal(str)  # a sentence of ``failed`` that is no longer so
    listed = Signal(object)  # list[str]

    def __init__(self, output: AudioOutput, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = ""
        self.output = output
        self.is_open = False
        self._is_wanted = False
        self._problem = ""
        self._num_stalled = 0
        self._num_blocks = 0
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_CLOSE_MS)
        self._idle.timeout.connect(self._let_go)
        queued = Qt.ConnectionType.QueuedConnection
        output.opened.connect(self._opened, queued)
        output.failed.connect(self._failed, queued)
        output.switched.connect(self.switched, queued)
        output.listed.connect(self.listed, queued)

    def begin(self) -> None:
        """Something is to be heard from now on."""
        self._is_wanted = True
        self._num_stalled = 0
        self._idle.stop()
        self.output.open()

    def rest(self) -> None:
        """Nothing is heard for the time being; soon others may have the device."""
        self._is_wanted = False
        self._idle.start()

    def watch(self, num_blocks: int) -> None:
        """Call it thirty times a second while playing, with the blocks that were asked for."""
        is_alive = num_blocks != self._num_blocks
        self._num_blocks = num_blocks
        self._num_stalled = 0 if is_alive else self._num_stalled + 1
        if self._is_wanted and self.is_open and self._num_stalled >= STALL_TICKS:
            self.is_open, self._num_stalled = False, 0
            self.output.lost()

    def choose(self, name: str) -> None:
        """From now on on this device; "" is the system's."""
        if name != self.name:
            self.name = name
            self.output.choose(name)

    def look(self) -> None:
        """``listed`` brings the names of the devices that there are."""
        self.output.look()

    def shutdown(self) -> None:
        self._idle.stop()
        self.output.shutdown()

    def _let_go(self) -> None:
        self.is_open = False
        self.output.close()

    def _opened(self, rate_hz: int) -> None:
        self.is_open = True
        self._num_stalled = 0
        if self._problem:
            self.solved.emit(self._problem)
            self._problem = ""
        self.opened.emit(rate_hz)

    def _failed(self, reason: str) -> None:
        self.is_open = self._is_wanted = False
        self._problem = reason
        self.failed.emit(reason)
        self._idle.stop()  # there is nothing to let go


def device_choices(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """(name, what a person reads) to choose from: the system's, those there, and one that is not.

    ``chosen`` is in it whether it is connected or not.
    """
    choices = [("", QCoreApplication.translate("Device", "As the system says"))]
    choices += [(name, name[:MAX_NAME_CHARS]) for name in names]
    if chosen and chosen not in names:
        text = QCoreApplication.translate("Device", "{name} (not connected)")
        choices.append((chosen, text.format(name=chosen[:MAX_NAME_CHARS])))
    return choices

"""The sound device: opened to play, watched, replaced when it is lost, let go after a pause."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal

from app.player.decks import BLOCK_FRAMES
from app.player.devices import SoundDevices, extra_settings, rate_of, reason_of

log = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 2.0
LATENCY_S = 0.2  # the callback is Python: it may have to wait for other threads
HOPELESS_S = 10.0  # a device that is lost twice within it is not opened a third time
STALL_TICKS = 60  # two seconds without a callback: the device is gone
IDLE_CLOSE_MS = 3000
MAX_NAME_CHARS = 60

Fill = Callable[[np.ndarray], None]


class SoundOutput(QObject):
    """A stereo float32 stream that asks ``fill`` for every block.

    It plays on the device that was chosen, or on the system's while that one is not connected.
    Opening, closing and asking a device takes time: a thread does that, told by commands. Signals
    come from there: connect them queued.

    Attributes:
        name: of the chosen device; "" is the system's.
        is_open: blocks are asked for.
    """

    opened = Signal(int)  # sample rate
    failed = Signal(str)  # a sentence; nothing can be heard until ``begin`` is called again
    switched = Signal(str)  # a sentence: it goes on with another device
    solved = Signal(str)  # a sentence of ``failed`` that is no longer so
    listed = Signal(object)  # list[str], the names of the devices that there are

    def __init__(
        self, fill: Fill, devices: SoundDevices | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.name = ""
        self.is_open = False
        self._is_wanted = False
        self._problem = ""
        self._num_stalled = 0
        self._num_blocks = 0
        self._idle = QTimer(self, singleShot=True, interval=IDLE_CLOSE_MS)
        self._idle.timeout.connect(self._let_go)
        self.opened.connect(self._opened, Qt.ConnectionType.QueuedConnection)
        self.failed.connect(self._failed, Qt.ConnectionType.QueuedConnection)
        self._commands: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        # Of the thread and the driver:
        self._fill = fill
        self._devices = devices or SoundDevices()
        self._stream: Any = None
        self._chosen = ""
        self._is_elsewhere = False  # on the system's device, as the chosen one is not there
        self._must_refresh = False
        self._is_closing = False
        self._lost_s = -HOPELESS_S

    # In the UI thread

    def begin(self) -> None:
        """Something is to be heard from now on."""
        self._is_wanted = True
        self._num_stalled = 0
        self._idle.stop()
        self._send(self._open)

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
            self._send(self._replace)

    def choose(self, name: str) -> None:
        """From now on on this device; "" is the system's."""
        if name != self.name:
            self.name = name
            self._send(partial(self._choose, name))

    def look(self) -> None:
        """``listed`` brings the names of the devices that there are."""
        self._send(self._look)

    def shutdown(self) -> None:
        """Closes the device and ends the thread; a hanging driver is left behind after 2 s."""
        self._idle.stop()
        if self._thread is not None:
            self._send(None)
            self._thread.join(JOIN_TIMEOUT_S)

    def _let_go(self) -> None:
        self.is_open = False
        self._send(self._close)

    def _opened(self, rate_hz: int) -> None:
        self.is_open = True
        self._num_stalled = 0
        if self._problem:
            self.solved.emit(self._problem)
            self._problem = ""

    def _failed(self, reason: str) -> None:
        self.is_open = self._is_wanted = False
        self._problem = reason
        self._idle.stop()  # there is nothing to let go

    def _send(self, command: Callable[[], None] | None) -> None:
        """To the thread; None ends it."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="audio output", daemon=True)
            self._thread.start()
        self._commands.put(command)

    # In its own thread

    def _serve(self) -> None:
        while (command := self._commands.get()) is not None:
            command()
        self._close()

    def _open(self) -> None:
        if self._stream is not None:
            return
        try:
            if self._must_refresh or self._is_elsewhere:
                self._devices.refresh()
            index, told = self._place()
            self._is_closing = False
            rate_hz = 0

            def make(sd: Any) -> Any:
                nonlocal rate_hz
                rate_hz = rate_of(sd, index, "output", 2)
                return sd.OutputStream(
                    device=index,
                    samplerate=rate_hz,
                    blocksize=BLOCK_FRAMES,
                    channels=2,
                    dtype="float32",
                    latency=LATENCY_S,
                    callback=self._callback,
                    finished_callback=self._stream_ended,
                    extra_settings=extra_settings(sd, index, "output"),
                )

            self._stream = self._devices.open(make)
        except Exception as error:  # PortAudioError, OSError, ValueError: the driver's choice
            log.warning("No sound: %s", error)
            self._must_refresh = True
            self.failed.emit(
                self.tr(
                    "No sound can be played: {reason}. Connect a sound device, then press play."
                ).format(reason=reason_of(error))
            )
        else:
            self._must_refresh = False
            self.opened.emit(rate_hz)
            if told:
                self.switched.emit(told)

    def _place(self) -> tuple[int | None, str]:
        """Where to play, and a sentence when that is elsewhere than a moment ago."""
        was_elsewhere = self._is_elsewhere
        index = self._devices.output_index(self._chosen) if self._chosen else None
        self._is_elsewhere = bool(self._chosen) and index is None
        if self._is_elsewhere and not was_elsewhere:
            text = self.tr(
                "{name} is not connected. Until it is back, the system’s sound device plays."
            )
            return None, text.format(name=self._chosen)
        if was_elsewhere and index is not None:
            return index, self.tr("{name} is back and plays again.").format(name=self._chosen)
        return index, ""

    def _close(self) -> None:
        self._is_closing = True
        stream, self._stream = self._stream, None
        if stream is not None:
            self._devices.close(stream)

    def _replace(self) -> None:
        """After a device was lost: another one, unless that has just been tried."""
        self._close()
        self._must_refresh = True
        now_s = time.monotonic()
        is_hopeless, self._lost_s = now_s - self._lost_s < HOPELESS_S, now_s
        if is_hopeless:
            self.failed.emit(
                self.tr("The sound device no longer answers. Press play to try again.")
            )
            return
        was_elsewhere = self._is_elsewhere
        self._open()
        if self._stream is not None and self._is_elsewhere == was_elsewhere:
            self.switched.emit(
                self.tr("The sound device was disconnected; the system’s device plays on.")
            )

    def _choose(self, name: str) -> None:
        if name == self._chosen:
            return
        self._chosen, self._is_elsewhere = name, False
        if self._stream is not None:
            self._close()
            self._open()

    def _look(self) -> None:
        try:
            self._devices.refresh()
            names = self._devices.outputs()
        except Exception as error:
            log.warning("The sound devices cannot be listed: %s", error)
            names = []
        self.listed.emit(names)

    # In the driver's thread

    def _callback(self, outdata: np.ndarray, frames: int, time: object, status: object) -> None:
        self._fill(outdata)

    def _stream_ended(self) -> None:
        if not self._is_closing:
            self._send(self._replace)


def device_choices(names: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """(name, what a person reads) to choose from: the system's, those there, and one that is not.

    ``chosen`` is in it whether it is connected or not.
    """
    choices = [("", QCoreApplication.translate("SoundOutput", "As the system says"))]
    choices += [(name, name[:MAX_NAME_CHARS]) for name in names]
    if chosen and chosen not in names:
        text = QCoreApplication.translate("SoundOutput", "{name} (not connected)")
        choices.append((chosen, text.format(name=chosen[:MAX_NAME_CHARS])))
    return choices

"""Plays through a sound device. Opening, closing and asking it takes time: a thread does that."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.player.decks import BLOCK_FRAMES
from app.player.devices import SoundDevices, extra_settings, rate_of, reason_of

log = logging.getLogger(__name__)

JOIN_TIMEOUT_S = 2.0
LATENCY_S = 0.2  # the callback is Python: it may have to wait for other threads
HOPELESS_S = 10.0  # a device that is lost twice within it is not opened a third time

Fill = Callable[[np.ndarray], None]


class AudioOutput(QObject):
    """A stereo float32 stream that asks ``fill`` for every block.

    It plays on the device that was chosen, or on the system's while that one is not connected.
    Signals come from another thread: connect them queued. ``opened`` brings the sample rate,
    ``failed`` a sentence (then the stream is closed, and ``open`` may be tried again), ``switched``
    a sentence when it goes on with another device, ``listed`` the names of the devices.
    """

    opened = Signal(int)
    failed = Signal(str)
    switched = Signal(str)
    listed = Signal(object)  # list[str]

    def __init__(
        self, fill: Fill, devices: SoundDevices | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._fill = fill
        self._devices = devices or SoundDevices()
        self._stream: Any = None
        self._name = ""  # chosen; "" is the system's device
        self._is_elsewhere = False  # on the system's device, as the chosen one is not there
        self._must_refresh = False
        self._is_closing = False
        self._lost_s = -HOPELESS_S
        self._commands: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        self._send("open")

    def close(self) -> None:
        self._send("close")

    def lost(self) -> None:
        """The device no longer answers: goes on with another one, or fails."""
        self._send("lost")

    def choose(self, name: str) -> None:
        """From now on on this device; "" is the system's."""
        self._send("choose", name)

    def look(self) -> None:
        """Asks for the names of the devices; ``listed`` brings them."""
        self._send("look")

    def shutdown(self) -> None:
        """Closes the device and ends the thread; a hanging driver is left behind after 2 s."""
        if self._thread is not None:
            self._send("quit")
            self._thread.join(JOIN_TIMEOUT_S)

    def _send(self, command: str, value: str = "") -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="audio output", daemon=True)
            self._thread.start()
        self._commands.put((command, value))

    # In the thread

    def _serve(self) -> None:
        actions: dict[str, Callable[[], None]] = {
            "open": self._open,
            "close": self._close,
            "lost": self._replace,
            "look": self._look,
        }
        while (command := self._commands.get())[0] != "quit":
            if command[0] == "choose":
                self._choose(command[1])
            else:
                actions[command[0]]()
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
        index = self._devices.output_index(self._name) if self._name else None
        self._is_elsewhere = bool(self._name) and index is None
        if self._is_elsewhere and not was_elsewhere:
            text = self.tr(
                "{name} is not connected. Until it is back, the system’s sound device plays."
            )
            return None, text.format(name=self._name)
        if was_elsewhere and index is not None:
            return index, self.tr("{name} is back and plays again.").format(name=self._name)
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
        if name == self._name:
            return
        self._name, self._is_elsewhere = name, False
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
            self.lost()

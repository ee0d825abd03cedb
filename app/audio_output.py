"""The sound device. Opening, closing and asking it takes time, so a thread of its own does that."""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.mixer import BLOCK_FRAMES

log = logging.getLogger(__name__)

PREFERRED_RATE_HZ = 44_100
JOIN_TIMEOUT_S = 2.0
LATENCY_S = 0.2  # the callback is Python: it may have to wait for other threads

Fill = Callable[[np.ndarray], None]


class AudioOutput(QObject):
    """A stereo float32 stream that asks ``fill`` for every block.

    Signals come from another thread: connect them queued. ``opened`` brings the sample rate,
    ``failed`` a sentence; then the stream is closed, and ``open`` may be tried again.
    """

    opened = Signal(int)
    failed = Signal(str)

    def __init__(self, fill: Fill, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fill = fill
        self._stream: Any = None
        self._has_failed = False
        self._is_closing = False
        self._commands: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="audio output", daemon=True)
            self._thread.start()
        self._commands.put("open")

    def close(self) -> None:
        self._commands.put("close")

    def lost(self) -> None:
        """The device no longer answers: closes it, and looks for devices afresh next time."""
        self._has_failed = True
        self.close()

    def shutdown(self) -> None:
        """Closes the device and ends the thread; a hanging driver is left behind after 2 s."""
        if self._thread is not None:
            self._commands.put("quit")
            self._thread.join(JOIN_TIMEOUT_S)

    def _serve(self) -> None:
        while (command := self._commands.get()) != "quit":
            if command == "open":
                self._open()
            else:
                self._close()
        self._close()

    def _open(self) -> None:
        if self._stream is not None:
            return
        try:
            import sounddevice as sd  # raises OSError where the PortAudio library is missing

            if self._has_failed:  # PortAudio looks at the devices only when it starts
                sd._terminate()
                sd._initialize()
            rate_hz = _sample_rate_hz(sd)
            self._stream = sd.OutputStream(
                samplerate=rate_hz,
                blocksize=BLOCK_FRAMES,
                channels=2,
                dtype="float32",
                latency=LATENCY_S,
                callback=self._callback,
                finished_callback=self._stream_ended,
                extra_settings=_extra_settings(sd),
            )
            self._is_closing = False
            self._stream.start()
        except Exception as error:  # PortAudioError, OSError, ValueError: the driver's choice
            log.warning("No sound: %s", error)
            self._has_failed = True
            self._close()
            self.failed.emit(
                self.tr(
                    "No sound can be played: {reason}. Connect a sound device, then press play."
                ).format(reason=_reason(error))
            )
        else:
            self._has_failed = False
            self.opened.emit(rate_hz)

    def _close(self) -> None:
        self._is_closing = True
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
        except Exception as error:  # the device may be gone
            log.warning("The sound device could not be closed: %s", error)

    def _callback(self, outdata: np.ndarray, frames: int, time: object, status: object) -> None:
        self._fill(outdata)

    def _stream_ended(self) -> None:
        if not self._is_closing:
            self.lost()
            self.failed.emit(
                self.tr("The sound device was disconnected. Press play to go on with another one.")
            )


def _sample_rate_hz(sd: Any) -> int:
    try:
        sd.check_output_settings(channels=2, dtype="float32", samplerate=PREFERRED_RATE_HZ)
    except sd.PortAudioError:
        return int(sd.query_devices(kind="output")["default_samplerate"])
    return PREFERRED_RATE_HZ


def _extra_settings(sd: Any) -> Any:
    if sys.platform == "win32":
        host_api = sd.query_hostapis(sd.query_devices(kind="output")["hostapi"])["name"]
        if "WASAPI" in host_api:
            return sd.WasapiSettings(auto_convert=True)
    return None


def _reason(error: Exception) -> str:
    text = str(error.args[0]) if error.args else type(error).__name__
    if "querying device" in text:  # PortAudio's way to say that there is none
        return "no sound device was found"
    return text.rstrip(".").removeprefix("Error opening OutputStream: ") or type(error).__name__

"""Records from the microphone. Opening it takes time, so a thread does that."""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.sound_devices import SoundDevices, extra_settings, rate_of, reason_of
from engine.recording import MAX_S

log = logging.getLogger(__name__)

BLOCK_S = 0.02


class Microphone:
    """One recording: mono, of at most ``max_s``. No Qt; opening blocks, closing does not.

    Attributes:
        level: root mean square of the latest block, 0 to 1; written by the audio callback.
    """

    def __init__(self, devices: SoundDevices, max_s: float = MAX_S) -> None:
        """Opens the default microphone; raises what PortAudio raises."""
        self.level = 0.0
        self.rate_hz = 0
        self._devices = devices
        self._max_s = max_s
        self._blocks: list[np.ndarray] = []
        self._num_samples = 0
        self._stream: Any = devices.open(self._make_stream)

    def _make_stream(self, sd: Any) -> Any:
        self.rate_hz = rate_of(sd, None, "input", 1)
        return sd.InputStream(
            samplerate=self.rate_hz,
            blocksize=round(BLOCK_S * self.rate_hz),
            channels=1,
            dtype="float32",
            callback=self._callback,
            extra_settings=extra_settings(sd, None, "input"),
        )

    def _callback(self, indata: np.ndarray, frames: int, time: object, status: object) -> None:
        if self.is_full:
            return
        self._blocks.append(indata[:, 0].copy())
        self._num_samples += frames
        self.level = float(np.sqrt(np.mean(indata**2)))

    @property
    def seconds(self) -> float:
        """How much has been recorded."""
        return self._num_samples / self.rate_hz

    @property
    def is_full(self) -> bool:
        return self.seconds >= self._max_s

    def close(self) -> np.ndarray:
        """Ends the recording: (n,) float32, n at most ``max_s`` long. Again: the same."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self._devices.close(stream)
        whole = np.concatenate([np.zeros(0, np.float32), *self._blocks])
        return whole[: round(self._max_s * self.rate_hz)]


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

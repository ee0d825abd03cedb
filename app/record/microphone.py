"""One recording from the microphone. No Qt in here: the command line records, too."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np

from app.player.devices import SoundDevices, extra_settings, rate_of, reason_of
from engine.errors import SingalikeError
from engine.listening.recordings import MAX_S

log = logging.getLogger(__name__)

BLOCK_S = 0.02
STALL_S = 3.0  # without any sound from the driver, not even silence


def open_microphone(devices: SoundDevices, max_s: float = MAX_S) -> Microphone:
    """The system's microphone, which may have been plugged in a moment ago. Takes time.

    Raises SingalikeError with a sentence where nothing can be recorded.
    """
    try:
        devices.refresh()
        return Microphone(devices, max_s)
    except Exception as error:  # PortAudioError, OSError, ValueError: the driver's choice
        log.warning("No microphone: %s", error)
        reason = reason_of(error).replace("sound device", "microphone")
        raise SingalikeError(
            f"Nothing can be recorded: {reason}. Connect a microphone, let Singalike use it in the "
            "system’s privacy settings, then try again."
        ) from error


class Microphone:
    """Mono, of at most ``max_s``. Opening takes time, closing does not.

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
        self._opened_s = time.monotonic()
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

    @property
    def is_stalled(self) -> bool:
        """The driver brings nothing any more."""
        return time.monotonic() - self._opened_s > self.seconds + STALL_S

    def close(self) -> np.ndarray:
        """Ends the recording: (n,) float32, n at most ``max_s`` long. Again: the same."""
        stream, self._stream = self._stream, None
        if stream is not None:
            self._devices.close(stream)
        whole = np.concatenate([np.zeros(0, np.float32), *self._blocks])
        return whole[: round(self._max_s * self.rate_hz)]

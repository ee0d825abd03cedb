"""One recording from the microphone. No Qt in here: the command line records, too."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.player.devices import SoundDevices, extra_settings, rate_of
from engine.sound.recordings import MAX_S

BLOCK_S = 0.02


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

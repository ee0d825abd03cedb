"""The sound devices of this machine. No Qt in here.

PortAudio is one per process and learns of new devices only when it is started anew, which ends all
that plays or records: so everything that opens a device does it through one ``SoundDevices``.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

PREFERRED_RATE_HZ = 44_100


class SoundDevices:
    """Any thread may use it; opening and listing take time. PortAudio's errors pass through."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._num_open = 0

    def open(self, make: Callable[[Any], Any]) -> Any:
        """A stream, started. ``make`` gets the module sounddevice."""
        with self._lock:
            import sounddevice as sd  # raises OSError where the PortAudio library is missing

            stream = make(sd)
            try:
                stream.start()
            except BaseException:
                stream.close(ignore_errors=True)
                raise
            self._num_open += 1
            return stream

    def close(self, stream: Any) -> None:
        """Ends a stream of ``open``, at once."""
        with self._lock:
            self._num_open -= 1
            try:
                stream.abort(ignore_errors=True)
                stream.close(ignore_errors=True)
            except Exception as error:  # the device may be gone
                log.warning("A sound device could not be closed: %s", error)

    def refresh(self) -> bool:
        """Looks for devices anew, unless something plays or records just now."""
        with self._lock:
            if self._num_open:
                return False
            import sounddevice as sd

            sd._terminate()
            sd._initialize()
            return True

    def outputs(self) -> list[str]:
        """Names of the devices that can play, as PortAudio knew them when it was started."""
        with self._lock:
            import sounddevice as sd

            return [name for name, _ in _playing(sd)]

    def output_index(self, name: str) -> int | None:
        """PortAudio's number of a device that can play; None where it is not there."""
        with self._lock:
            import sounddevice as sd

            return dict(reversed(_playing(sd))).get(name)


def _playing(sd: Any) -> list[tuple[str, int]]:
    """(name, number) of the stereo outputs that belong to the system's usual interface."""
    try:
        host = sd.query_devices(kind="output")["hostapi"]
    except sd.PortAudioError:  # there is none
        return []
    found = [
        (str(device["name"]), int(device["index"]))
        for device in sd.query_devices()
        if device["hostapi"] == host and device["max_output_channels"] >= 2
    ]
    return list({name: (name, index) for name, index in reversed(found)}.values())[::-1]


def rate_of(sd: Any, device: int | None, kind: str, num_channels: int) -> int:
    """44.1 kHz where the device can, else what it prefers."""
    check = sd.check_output_settings if kind == "output" else sd.check_input_settings
    try:
        check(device, channels=num_channels, dtype="float32", samplerate=PREFERRED_RATE_HZ)
    except sd.PortAudioError:
        return int(sd.query_devices(device, kind)["default_samplerate"])
    return PREFERRED_RATE_HZ


def extra_settings(sd: Any, device: int | None, kind: str) -> Any:
    """Windows' shared mode takes no other rate than its own, unless it is told to convert."""
    if sys.platform == "win32":
        host_api = sd.query_hostapis(sd.query_devices(device, kind)["hostapi"])["name"]
        if "WASAPI" in host_api:
            return sd.WasapiSettings(auto_convert=True)
    return None


def reason_of(error: Exception) -> str:
    """Why a device could not be opened, in words that can stand in a sentence."""
    text = str(error.args[0]) if error.args else type(error).__name__
    if "querying device" in text:  # PortAudio's way to say that there is none
        return "no sound device was found"
    for stream in ("OutputStream", "InputStream"):
        text = text.removeprefix(f"Error opening {stream}: ")
    return text.rstrip(".") or type(error).__name__

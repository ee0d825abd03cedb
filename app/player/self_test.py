"""The window's part of ``singalike self-test``."""

from __future__ import annotations

from app.player.devices import SoundDevices, reason_of
from engine.errors import SingalikeError


def playback() -> str:
    """Which devices can play. That there is none is no fault of the program.

    Raises SingalikeError where the system's sound cannot be asked at all.
    """
    try:
        names = SoundDevices().outputs()
    except Exception as error:  # PortAudioError, OSError: the driver's choice
        raise SingalikeError(
            f"Nothing can be played: {reason_of(error)}. On Debian and Ubuntu, install "
            "libportaudio2 and libasound2; searching works without."
        ) from error
    if not names:
        return "no sound device is there now; connect one to hear songs"
    return f"{len(names)} devices: {', '.join(names)}" if len(names) > 1 else f"on {names[0]}"

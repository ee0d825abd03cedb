"""``singalike record``: sing into the microphone, and keep what can be compared."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from app.player.devices import SoundDevices
from app.record.microphone import open_microphone
from engine.cli.common import new_commands, note, stoppable
from engine.listening.recordings import MAX_S, prepare_voice, write_wav

app = new_commands()


@app.command()
def record(
    out: Annotated[Path, typer.Option("-o", "--out", help="A .wav file.")],
    seconds: Annotated[float, typer.Option(min=2, max=60, help="At most so long.")] = MAX_S,
) -> None:
    """Record a voice alone: sing or hum into the microphone. Ctrl-C ends it earlier.

    Next: singalike similar FILE --voice-alone
    """
    microphone = open_microphone(SoundDevices(), seconds)
    note(f"Recording for {seconds:g} s. Sing or hum; Ctrl-C ends it earlier.")
    with stoppable() as cancel:
        while not (microphone.is_full or microphone.is_stalled or cancel.is_cancelled):
            time.sleep(0.05)
    voice = prepare_voice(microphone.close(), microphone.rate_hz)
    write_wav(out, voice, microphone.rate_hz)
    note(f"{len(voice) / microphone.rate_hz:.1f} s of singing are in {out}.")

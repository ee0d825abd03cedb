"""Plays the query and a result: two songs to mix, to compare, to move to matching moments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance

from app.audio_output import PREFERRED_RATE_HZ, AudioOutput, Fill
from app.mixer import Decode, Mixer, Source
from engine import audio

TICK_MS = 33
STALL_TICKS = 60  # two seconds without a callback: the device is gone
IDLE_CLOSE_MS = 3000


class Side(IntEnum):
    """Which of the two songs."""

    QUERY = 0
    RESULT = 1


@dataclass(frozen=True)
class Sound:
    """Something that can be played. ``track_id`` is None for a file outside the library."""

    path: Path
    title: str
    artist: str
    duration_s: float | None
    track_id: int | None = None


class Output(Protocol):
    """What the player needs of a sound device; ``AudioOutput`` is the real one."""

    @property
    def opened(self) -> SignalInstance: ...
    @property
    def failed(self) -> SignalInstance: ...
    @property
    def switched(self) -> SignalInstance: ...
    @property
    def listed(self) -> SignalInstance: ...
    def choose(self, name: str) -> None: ...
    def look(self) -> None: ...
    def open(self) -> None: ...
    def close(self) -> None: ...
    def lost(self) -> None: ...
    def shutdown(self) -> None: ...


def decode_file(path: Path, rate_hz: int, start_s: float) -> Iterator[np.ndarray]:
    return audio.decode(path, sample_rate_hz=rate_hz, num_channels=2, start_s=start_s, chunk_s=0.5)


class Player(QObject):
    """State of the playback, in the UI thread.

    A side that cannot be heard rests, unless the two are linked by a jump to matching moments: then
    both run on together, so that switching sides compares the same moment.
    """

    loaded = Signal(object)  # Side: another song, or none
    state_changed = Signal()  # playing or not, which side is heard
    moved = Signal()  # positions, 30 times a second while playing
    levels_changed = Signal()  # volume, mix
    problem = Signal(str)  # a sentence
    devices_listed = Signal(object)  # list[str]

    def __init__(
        self,
        parent: QObject | None = None,
        make_output: Callable[[Fill], Output] = AudioOutput,
        decode: Decode = decode_file,
    ) -> None:
        super().__init__(parent)
        self._mixer = Mixer()
        self._decode = decode
        self._rate_hz = PREFERRED_RATE_HZ
        self._sounds: list[Sound | None] = [None, None]
        self._volume = 0.8
        self._mix = 0.0
        self._is_linked = False
        self._is_playing = False
        self._is_open = False
        self._stalled_ticks = 0
        self._seen_blocks = 0
        self._output = make_output(self._mixer.fill)
        self._output.opened.connect(self._output_opened, Qt.ConnectionType.QueuedConnection)
        self._output.failed.connect(self._output_failed, Qt.ConnectionType.QueuedConnection)
        self._output.switched.connect(self.problem, Qt.ConnectionType.QueuedConnection)
        self._output.listed.connect(self.devices_listed, Qt.ConnectionType.QueuedConnection)
        self._device = ""
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_CLOSE_MS)
        self._idle.timeout.connect(self._close_output)

    # What is so

    @property
    def is_playing(self) -> bool:
        return self._is_playing

    @property
    def side(self) -> Side:
        """The song that is heard more."""
        return Side.RESULT if self._mix >= 0.5 and self._sounds[Side.RESULT] else Side.QUERY

    @property
    def volume(self) -> float:
        return self._volume

    @property
    def mix(self) -> float:
        """0: only the query is heard, 1: only the result."""
        return self._mix

    def sound(self, side: Side) -> Sound | None:
        return self._sounds[side]

    def position_s(self, side: Side) -> float:
        source = self._mixer.decks[side].source
        return source.position_s if source is not None else 0.0

    def duration_s(self, side: Side) -> float:
        """Length as tagged, or as far as decoded where that is not known."""
        sound, source = self._sounds[side], self._mixer.decks[side].source
        if sound is not None and sound.duration_s:
            return sound.duration_s
        return source.start_s + source.num_written / source.rate_hz if source is not None else 0.0

    # What can be done

    def load(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        """Puts a song on one side, where it waits; the other side plays on."""
        self._sounds[side] = sound
        self._is_linked = False
        self._set_source(side, sound, start_s)
        if sound is None and not any(self._sounds):
            self.pause()
        self._apply()
        self.loaded.emit(side)
        self.moved.emit()

    def play(self, side: Side, sound: Sound | None = None) -> None:
        """One side alone: ``sound`` from its start, or what is loaded from where it is."""
        if sound is not None and sound != self._sounds[side]:
            self.load(side, sound)
        self._is_linked = False
        self.set_mix(float(side))
        self.resume()

    def jump(self, query_s: float, result_s: float) -> None:
        """Moves both songs to matching moments and plays on from there, linked."""
        for side, position_s in ((Side.QUERY, query_s), (Side.RESULT, result_s)):
            self._set_source(side, self._sounds[side], position_s)
        self._is_linked = True
        self.resume()

    def toggle(self) -> None:
        if self._is_playing:
            self.pause()
        else:
            self.resume()

    def resume(self) -> None:
        if not any(self._sounds):
            return
        for side in Side:
            if self._is_at_end(side):
                self._set_source(side, self._sounds[side], 0.0)
        self._is_playing = True
        self._stalled_ticks = 0
        self._idle.stop()
        self._timer.start()
        self._output.open()
        self._apply()
        self.state_changed.emit()

    def pause(self) -> None:
        if not self._is_playing:
            return
        self._is_playing = False
        self._timer.stop()
        self._idle.start()
        self._apply()
        self.state_changed.emit()

    def seek(self, side: Side, position_s: float) -> None:
        self._is_linked = False
        self._set_source(side, self._sounds[side], max(0.0, position_s))
        self._apply()
        self.moved.emit()

    def skip(self, seconds: float) -> None:
        """Moves the song that is heard; linked songs move together."""
        if self._is_linked:
            positions = [max(0.0, self.position_s(side) + seconds) for side in Side]
            for side in Side:
                self._set_source(side, self._sounds[side], positions[side])
            self._apply()
            self.moved.emit()
        else:
            self.seek(self.side, self.position_s(self.side) + seconds)

    def swap(self) -> None:
        """To the other song."""
        if all(self._sounds):
            self.set_mix(0.0 if self.side == Side.RESULT else 1.0)

    def set_volume(self, volume: float) -> None:
        self._volume = min(1.0, max(0.0, volume))
        self._apply()
        self.levels_changed.emit()

    def set_mix(self, mix: float) -> None:
        before = self.side
        self._mix = min(1.0, max(0.0, mix))
        self._apply()
        self.levels_changed.emit()
        if self.side != before:
            self.state_changed.emit()

    @property
    def device(self) -> str:
        """The sound device that was chosen; "" is the system's."""
        return self._device

    def choose_device(self, name: str) -> None:
        self._device = name
        self._output.choose(name)

    def look_for_devices(self) -> None:
        """``devices_listed`` brings their names."""
        self._output.look()

    def close(self) -> None:
        """Silence, and no thread left."""
        self._timer.stop()
        self._idle.stop()
        self._is_playing = False
        self._output.shutdown()
        for deck in self._mixer.decks:
            if deck.source is not None:
                deck.source.stop(timeout_s=2.0)

    # How it is done

    def _weight(self, side: Side) -> float:
        if not all(self._sounds):
            return 1.0 if self._sounds[side] else 0.0
        return self._mix if side == Side.RESULT else 1.0 - self._mix

    def _apply(self) -> None:
        """Tells the decks what to do; they follow within a block."""
        for side, deck in zip(Side, self._mixer.decks, strict=True):
            weight = self._weight(side)
            deck.gain = weight * self._volume**2  # squared: nearer to what loudness feels like
            deck.is_running = self._is_playing and (weight > 0.0 or self._is_linked)

    def _set_source(self, side: Side, sound: Sound | None, start_s: float) -> None:
        deck = self._mixer.decks[side]
        old = deck.source
        if sound is not None and sound.duration_s:
            start_s = min(start_s, sound.duration_s)
        deck.source = (
            Source(sound.path, start_s, self._rate_hz, self._decode) if sound is not None else None
        )
        if old is not None:
            old.stop()

    def _is_at_end(self, side: Side) -> bool:
        source = self._mixer.decks[side].source
        return source is not None and source.is_drained and source.error is None

    def _tick(self) -> None:
        for side in Side:
            source = self._mixer.decks[side].source
            if source is None:
                continue
            source.wake()
            if source.error is not None and source.is_drained:
                self._give_up(side, source.error)
                return
        if self._is_at_end(self.side):
            self.pause()
        self._watch_device()
        self.moved.emit()

    def _give_up(self, side: Side, reason: str) -> None:
        self.pause()
        self.load(side, None)
        self.problem.emit(reason)

    def _watch_device(self) -> None:
        is_alive = self._mixer.num_blocks != self._seen_blocks
        self._seen_blocks = self._mixer.num_blocks
        self._stalled_ticks = 0 if is_alive else self._stalled_ticks + 1
        if self._is_playing and self._is_open and self._stalled_ticks >= STALL_TICKS:
            self._is_open, self._stalled_ticks = False, 0
            self._output.lost()

    def _close_output(self) -> None:
        self._is_open = False
        self._output.close()

    def _output_opened(self, rate_hz: int) -> None:
        self._is_open = True
        self._stalled_ticks = 0
        if rate_hz == self._rate_hz:
            return
        self._rate_hz = rate_hz
        for side in Side:
            self._set_source(side, self._sounds[side], self.position_s(side))

    def _output_failed(self, reason: str) -> None:
        self._is_open = False
        if self._is_playing:
            self.pause()
        self._idle.stop()
        self.problem.emit(reason)

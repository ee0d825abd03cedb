"""Plays the query and a result: two songs to mix, to compare, to move to matching moments.

After a song comes the next one of a queue; both sides can be heard as mixtures or as vocals alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.player.decks import Decks, Decoding
from app.player.devices import PREFERRED_RATE_HZ
from app.player.loudness import Levels
from app.player.output import Fill, SoundOutput
from app.player.queue import PlayQueue, Side, Sound
from app.player.source import Decode, decode_file
from engine.sound.loudness import Loudness

__all__ = ["Player", "Side", "Sound"]

TICK_MS = 33
LOOP_S = 5.0  # a segment: what a matching moment is a match of
RESTART_S = 3.0  # before it, “previous” goes to the song before


class Player(QObject):
    """State of the playback, in the UI thread.

    A side that cannot be heard rests, unless the two are linked by a jump to matching moments: then
    both run on together, so that switching sides compares the same moment.

    Attributes (to be read):
        queue: what is played after one another; changing it is enough.
        is_playing, is_looping: of both sides.
        is_vocals_only: the separated vocals are heard, as soon as there are any.
    """

    loaded = Signal(object)  # Side: another song, or none
    state_changed = Signal()  # playing or not, which side is heard, looping, vocals only
    moved = Signal()  # positions, 30 times a second while playing
    levels_changed = Signal()  # volume, mix
    upcoming = Signal(object)  # Sound: comes next, and had better be measured by then
    vocals_wanted = Signal(object)  # Sound: ``put_vocals`` brings them
    problem = Signal(str)  # a sentence
    solved = Signal(str)  # a sentence of ``problem`` that is no longer so

    def __init__(
        self,
        parent: QObject | None = None,
        make_output: Callable[[Fill], SoundOutput] = SoundOutput,
        decode: Decode = decode_file,
        levels: Levels | None = None,
    ) -> None:
        super().__init__(parent)
        self._levels = levels or Levels()
        self._decks = Decks(decode, self._levels, PREFERRED_RATE_HZ)
        self._sounds: list[Sound | None] = [None, None]
        self.queue = PlayQueue(self)
        self._vocals: dict[Path, Path] = {}
        self.is_vocals_only = False
        self._moments: tuple[float, float] | None = None  # of a jump; the sides are linked
        self.is_looping = False
        self._volume = 0.8
        self._mix = 0.0
        self.is_playing = False
        self.device = make_output(self._decks.fill)
        self.device.setParent(self)
        queued = Qt.ConnectionType.QueuedConnection
        self.device.opened.connect(self._device_opened, queued)
        self.device.failed.connect(self._device_failed, queued)
        self.device.solved.connect(self.solved)
        self.device.switched.connect(self.problem, queued)
        self.queue.changed.connect(self._tell_upcoming)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    # What is so

    @property
    def is_linked(self) -> bool:
        """Both songs are at matching moments."""
        return self._moments is not None

    def loop_s(self, side: Side) -> tuple[float, float] | None:
        """Begin and end of what is repeated."""
        if not self.is_looping or self._moments is None:
            return None
        return self._moments[side], self._moments[side] + LOOP_S

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

    @property
    def is_levelled(self) -> bool:
        """Whether all songs are played equally loud."""
        return self._levels.is_on

    def sound(self, side: Side) -> Sound | None:
        return self._sounds[side]

    @property
    def playing(self) -> Sound | None:
        """The song that is heard now."""
        return self._sounds[self.side] if self.is_playing else None

    def position_s(self, side: Side) -> float:
        return self._decks[side].position_s

    def duration_s(self, side: Side) -> float:
        """Length as tagged, or as far as decoded where that is not known."""
        sound = self._sounds[side]
        return (sound.duration_s if sound is not None else None) or self._decks[side].decoded_s

    def decoding(self, side: Side) -> Decoding:
        """How far the song of a side has been decoded."""
        return self._decks[side].decoding

    # What can be done

    def load(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        """Puts a song on one side, where it waits; the other side plays on."""
        if side == self.queue.side:
            self.queue.begin(side, [sound] if sound is not None else [])
        self._put(side, sound, start_s)

    def _put(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        self._sounds[side] = sound
        self._unlink()
        self._set_source(side, start_s)
        if sound is None and not any(self._sounds):
            self.pause()
        self._apply()
        self._tell_loaded(side)

    def play(
        self,
        side: Side,
        sound: Sound | None = None,
        queue: Sequence[Sound] = (),
        past: Sequence[Sound] = (),
    ) -> None:
        """One side alone: ``sound`` from its start and ``queue`` after it, or what is loaded."""
        if sound is not None:
            self.queue.begin(side, [*past, sound, *queue], len(past))
            if sound != self._sounds[side]:
                self._put(side, sound)
        self._unlink()
        self.set_mix(float(side))
        self.resume()

    def play_next(self) -> None:
        """The next song of the queue, now."""
        if self.queue.has_next:
            self.queue.step(1)
            self._play_current()

    def play_previous(self) -> None:
        """From the beginning; at the beginning, the song before."""
        queue = self.queue
        is_late = self.side != queue.side or self.position_s(queue.side) > RESTART_S
        if is_late or not queue.has_previous:
            self.seek(self.side, 0.0)
        else:
            queue.step(-1)
            self._play_current()

    def play_at(self, place: int) -> None:
        """The song at a place of the queue, now."""
        self.queue.go_to(place)
        self._play_current()

    def _play_current(self) -> None:
        self._put(self.queue.side, self.queue.current)
        self.play(self.queue.side)

    def restore(self, position_s: float) -> None:
        """The queue has come back after a restart: its song waits where it was."""
        if self.queue.current is not None:
            self._put(self.queue.side, self.queue.current, position_s)
            self.set_mix(float(self.queue.side))

    def jump(self, query_s: float, result_s: float) -> None:
        """Moves both songs to matching moments and plays on from there, linked."""
        self._moments = (query_s, result_s)
        for side, start_s in zip(Side, self._moments, strict=True):
            self._set_source(side, start_s)
        self.resume()

    def set_looping(self, is_looping: bool) -> None:
        """Repeats the matching moments, or goes on after them. Only for linked songs."""
        if self._moments is None or is_looping == self.is_looping:
            return
        self.is_looping = is_looping
        for side, start_s in zip(Side, self._moments, strict=True):
            self._set_source(side, start_s if is_looping else self.position_s(side))
        self._apply()
        self.state_changed.emit()

    def set_vocals_only(self, is_vocals_only: bool) -> None:
        """The separated vocals instead of the whole songs, as soon as there are any."""
        self.is_vocals_only = is_vocals_only
        for side in Side:
            self._exchange(side)
            self._want_vocals(self._sounds[side])
        self.state_changed.emit()

    def put_vocals(self, path: Path, vocals_path: Path) -> None:
        """The vocals of the song at ``path``."""
        self._vocals[path] = vocals_path
        for side in Side:
            self._exchange(side)

    def put_loudness(self, path: Path, loudness: Loudness) -> None:
        """How loud a file is: of a song, or of its vocals."""
        self._levels.put(path, loudness)
        self._decks.level()

    def toggle(self) -> None:
        (self.pause if self.is_playing else self.resume)()

    def resume(self) -> None:
        """Goes on; from the next song of the queue, where there is none or it is over."""
        is_over = self._decks[self.side].is_at_end and self.side == self.queue.side
        if (is_over or not any(self._sounds)) and self.queue.has_next:
            self.play_next()
            return
        if not any(self._sounds):
            return
        for side in Side:
            if self._decks[side].is_at_end:
                self._set_source(side, 0.0)
        self.is_playing = self._decks.is_playing = True
        self._timer.start()
        self.device.begin()
        self._apply()
        self.state_changed.emit()

    def pause(self) -> None:
        if not self.is_playing:
            return
        self.is_playing = self._decks.is_playing = False
        self._timer.stop()
        self.device.rest()
        self._apply()
        self.state_changed.emit()

    def seek(self, side: Side, position_s: float) -> None:
        self._unlink()
        self._set_source(side, max(0.0, position_s))
        self._apply()
        self.moved.emit()

    def skip(self, seconds: float) -> None:
        """Moves the song that is heard; linked songs move together."""
        if not self.is_linked:
            self.seek(self.side, self.position_s(self.side) + seconds)
            return
        self.is_looping = False
        positions = [max(0.0, self.position_s(side) + seconds) for side in Side]
        for side in Side:
            self._set_source(side, positions[side])
        self._apply()
        self.moved.emit()
        self.state_changed.emit()

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

    def set_levelled(self, is_levelled: bool) -> None:
        """All songs equally loud, or each as it is."""
        self._levels.is_on = is_levelled
        self._decks.level()

    def close(self) -> None:
        """Silence, and no thread left."""
        self._timer.stop()
        self.is_playing = self._decks.is_playing = False
        self.device.shutdown()
        self._decks.close()

    # How it is done

    def _tell_loaded(self, side: Side) -> None:
        self._want_vocals(self._sounds[side])
        self.loaded.emit(side)
        self.moved.emit()

    def _tell_upcoming(self) -> None:
        if (following := self.queue.following) is not None:
            self.upcoming.emit(following)

    def _want_vocals(self, sound: Sound | None) -> None:
        if self.is_vocals_only and sound is not None and sound.path not in self._vocals:
            self.vocals_wanted.emit(sound)

    def _unlink(self) -> None:
        if self.is_looping:
            self.is_looping = False
            for side in Side:
                self._set_source(side, self.position_s(side))
            self.state_changed.emit()
        self._moments = None

    def _weight(self, side: Side) -> float:
        if not all(self._sounds):
            return 1.0 if self._sounds[side] else 0.0
        return self._mix if side == Side.RESULT else 1.0 - self._mix

    def _apply(self) -> None:
        """Tells the decks what to do; they follow within a block."""
        for side in Side:
            deck, weight = self._decks[side], self._weight(side)
            deck.gain = weight * self._volume**2  # squared: nearer to what loudness feels like
            deck.is_running = self.is_playing and (weight > 0.0 or self.is_linked)

    def _file(self, sound: Sound | None) -> Path | None:
        """What is to be heard of a song."""
        if sound is None:
            return None
        return self._vocals.get(sound.path, sound.path) if self.is_vocals_only else sound.path

    def _set_source(self, side: Side, start_s: float) -> None:
        sound = self._sounds[side]
        if sound is not None and sound.duration_s:
            start_s = min(start_s, sound.duration_s)
        loop_s = LOOP_S if self.is_looping else None
        self._decks[side].begin(self._file(sound), start_s, loop_s)
        self._decks.level()

    def _exchange(self, side: Side) -> None:
        """From the mixture to the vocals or back."""
        if (path := self._file(self._sounds[side])) is not None:
            self._decks[side].exchange(path, self.is_playing)
            self._decks.level()

    def tick(self) -> None:
        """Thirty times a second while playing: whatever a song needs in the meantime."""
        self._decks.tick()
        for side in Side:
            self._advance(side)
            if (reason := self._decks[side].error) is not None:
                self._give_up(side, reason)
                return
        if self._decks[self.side].is_at_end:
            self.pause()
        self.device.watch(self._decks.num_blocks)
        self.moved.emit()

    def _advance(self, side: Side) -> None:
        """Has the next song decoded ahead, and takes note when it has begun."""
        queue = self.queue
        if self._decks[side].has_advanced():
            queue.advance()
            self._sounds[side] = queue.current
            self._tell_loaded(side)
        elif side == queue.side and not self.is_linked and self.decoding(side).is_complete:
            self._decks[side].prepare(self._file(queue.following))

    def _give_up(self, side: Side, reason: str) -> None:
        """A song that cannot be read is left out of the queue, or ends the playing."""
        sound = self._sounds[side]
        if sound is not None:
            reason = self.tr("{title}: {reason}").format(title=sound.title[:80], reason=reason)
        if side == self.queue.side == self.side and self.queue.coming:
            self.play_next()
        else:
            self.pause()
            self.load(side, None)
        self.problem.emit(reason)

    def _device_opened(self, rate_hz: int) -> None:
        if rate_hz == self._decks.rate_hz:
            return
        self._decks.rate_hz = rate_hz
        for side in Side:
            self._set_source(side, self.position_s(side))

    def _device_failed(self, reason: str) -> None:
        self.pause()
        self.problem.emit(reason)

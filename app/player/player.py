"""Plays songs one after another, on the two sides of a comparison; whole, or their vocals alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.player.decks import Decks
from app.player.devices import PREFERRED_RATE_HZ
from app.player.loudness import Levels
from app.player.output import Fill, SoundOutput
from app.player.queue import PlayQueue, Side, Sound
from app.ui.language import spoken
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
        picked: a song chosen while nothing plays: the next ``toggle`` plays it.
        is_lent: somebody plays in between; the queue rests.
        is_playing, is_looping: of both sides.
        is_vocals_only: separated vocals are heard, as soon as there are any.
        moments: at which both songs are linked; None while they are not.
        volume, mix: 0 to 1; of the mix, 0 is only the query, 1 only the result.
    """

    loaded = Signal(object)  # Side: another song, or none
    state_changed = Signal()  # playing or not, which side is heard, looping, vocals only
    moved = Signal()  # positions, 30 times a second while playing
    levels_changed = Signal()  # volume, mix
    vocals_wanted = Signal(object)  # list[Sound], and of no others: ``put_vocals`` brings them
    problem = Signal(str)  # a sentence
    solved = Signal(str)  # a sentence of ``problem`` that is no longer so

    def __init__(self, make_output: Callable[[Fill], SoundOutput] = SoundOutput) -> None:
        super().__init__()
        self.levels = Levels()
        self.decks, self.queue = Decks(self.levels, PREFERRED_RATE_HZ), PlayQueue(self)
        self.picked: Sound | None = None
        self.moments: tuple[float, float] | None = None
        self.is_lent = self.is_playing = self.is_looping = self.is_vocals_only = False
        self.volume, self.mix = 0.8, 0.0
        self._sounds: list[Sound | None] = [None, None]
        self._asked: Sound | None = None  # this one, and not whatever comes after it
        self._vocals: dict[Path, Path] = {}  # of songs
        self._lengths_s: dict[Path, float] = {}
        self.device = make_output(self.decks.fill)
        self._timer = QTimer(self, interval=TICK_MS)
        self._connect()

    def _connect(self) -> None:
        queued = Qt.ConnectionType.QueuedConnection
        self.device.setParent(self)
        self.device.opened.connect(self._device_opened, queued)
        self.device.failed.connect(self.pause, queued)
        self.device.failed.connect(self.problem, queued)
        self.device.solved.connect(self.solved)
        self.device.switched.connect(self.problem, queued)
        self._timer.timeout.connect(self.tick)
        self.queue.changed.connect(self._want_vocals)

    # What is so

    @property
    def is_linked(self) -> bool:
        """Both songs are at matching moments."""
        return self.moments is not None

    @property
    def is_plain(self) -> bool:
        """Files are heard as they are, neither made equally loud nor as vocals."""
        return self.levels.is_plain

    def loop_s(self, side: Side) -> tuple[float, float] | None:
        """Begin and end of what is repeated."""
        if not self.is_looping or self.moments is None:
            return None
        return self.moments[side], self.moments[side] + LOOP_S

    @property
    def side(self) -> Side:
        """The song that is heard more."""
        return Side.RESULT if self.mix >= 0.5 and self._sounds[Side.RESULT] else Side.QUERY

    def sound(self, side: Side) -> Sound | None:
        return self._sounds[side]

    @property
    def playing(self) -> Sound | None:
        """The song that is heard now."""
        return self._sounds[self.side] if self.is_playing else None

    def position_s(self, side: Side) -> float:
        return self.decks[side].position_s

    def duration_s(self, side: Side) -> float:
        """0 while it is not known."""
        sound = self._sounds[side]
        return 0.0 if sound is None else sound.duration_s or self._lengths_s.get(sound.path, 0.0)

    @property
    def following(self) -> Sound | None:
        """What comes by itself when a song is over."""
        return None if self.is_lent else self.queue.following

    # Playing

    def load(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        """Puts a song on one side, where it waits; the other side plays on."""
        if side == self.queue.side and not self.is_lent:
            self.queue.begin(side, [sound] if sound is not None else [])
        self.put(side, sound, start_s)

    def put(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        """The same, and nothing is told to the queue."""
        self.picked = None
        self._sounds[side] = sound
        self._unlink()
        self._set_source(side, start_s)
        if sound is None and not any(self._sounds):
            self.pause()
        self._apply()
        self._tell_loaded(side)

    def play(self, side: Side, sound: Sound | None = None, queue: Sequence[Sound] = ()) -> None:
        """One side alone: ``sound`` from its start and ``queue`` after it, or what is loaded."""
        self._asked = sound
        if sound is not None:
            self.lend(False)
            self.queue.begin(side, [sound, *queue])
            if sound != self._sounds[side]:
                self.put(side, sound)
        self._unlink()
        self.set_mix(float(side))
        self.resume()

    def play_next(self) -> None:
        """The next song of the queue, now."""
        if (after := self.queue.place_after) is not None and not self.is_lent:
            self.play_at(after)

    def play_previous(self) -> None:
        """From the beginning; at the beginning, the song before."""
        queue = self.queue
        is_late = self.side != queue.side or self.position_s(queue.side) > RESTART_S
        if is_late or queue.place <= 0 or self.is_lent:
            self.seek(self.side, 0.0)
        else:
            self.play_at(queue.place - 1)

    def play_at(self, place: int) -> None:
        """The song at a place of the queue, now."""
        self.queue.go_to(place)
        self.lend(False)
        self.put(self.queue.side, self.queue.current)
        self.play(self.queue.side)

    def pick(self, sound: Sound | None) -> None:
        """A song was chosen, or None: what the queue holds; while something plays, that goes on."""
        if not self.is_playing and sound != self._sounds[self.side]:
            self.picked = sound
            self.state_changed.emit()

    def toggle(self) -> None:
        if self.picked is not None:
            self.play(Side.QUERY, self.picked)
        else:
            (self.pause if self.is_playing else self.resume)()

    def resume(self) -> None:
        """Goes on: with the next song of the queue where one is over, else from its beginning."""
        is_over = self.decks[self.side].is_at_end and self.side == self.queue.side
        if (is_over or not any(self._sounds)) and self.queue.has_next and not self.is_lent:
            self.play_next()
            return
        if not any(self._sounds):
            return
        self.picked = None
        for side in Side:
            if self.decks[side].is_at_end:
                self._set_source(side, 0.0)
        self.is_playing = True
        self._timer.start()
        self.device.begin()
        self._apply()
        self.state_changed.emit()

    def pause(self) -> None:
        if self.is_playing:
            self.is_playing = False
            self._timer.stop()
            self.device.rest()
            self._apply()
            self.state_changed.emit()

    def close(self) -> None:
        """Silence, and no thread left."""
        self._timer.stop()
        self.is_playing = False
        self.device.shutdown()
        self.decks.close()

    # Moving about

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
        self.set_looping(False)
        for side in Side:
            self._set_source(side, max(0.0, self.position_s(side) + seconds))
        self._apply()
        self.moved.emit()

    def jump(self, query_s: float, result_s: float) -> None:
        """Moves both songs to matching moments and plays on from there, linked."""
        self.moments = (query_s, result_s)
        for side, start_s in zip(Side, self.moments, strict=True):
            self._set_source(side, start_s)
        self.resume()

    def set_looping(self, is_looping: bool) -> None:
        """Repeats the matching moments, or goes on after them. Only for linked songs."""
        if self.moments is None or is_looping == self.is_looping:
            return
        self.is_looping = is_looping
        for side, start_s in zip(Side, self.moments, strict=True):
            self._set_source(side, start_s if is_looping else self.position_s(side))
        self._apply()
        self.state_changed.emit()

    def _unlink(self) -> None:
        if self.is_looping:
            self.set_looping(False)
        self.moments = None

    # How it sounds

    def set_volume(self, volume: float) -> None:
        self.volume = min(1.0, max(0.0, volume))
        self._apply()
        self.levels_changed.emit()

    def set_mix(self, mix: float) -> None:
        before = self.side
        self.mix = min(1.0, max(0.0, mix))
        self._apply()
        self.levels_changed.emit()
        if self.side != before:
            self.state_changed.emit()

    def swap(self) -> None:
        """To the other song."""
        if all(self._sounds):
            self.set_mix(1.0 - self.side)

    def set_levelled(self, is_levelled: bool) -> None:
        """All songs equally loud, or each as it is."""
        self.levels.is_on = is_levelled
        self.decks.level()

    def put_loudness(self, path: Path, loudness: Loudness, duration_s: float = 0.0) -> None:
        """How loud and how long a file is: of a song, or of its vocals."""
        self.levels.put(path, loudness)
        self._lengths_s[path] = duration_s
        self.decks.level()

    def set_vocals_only(self, is_vocals_only: bool) -> None:
        """The separated vocals instead of the whole songs, as soon as there are any."""
        self.is_vocals_only = is_vocals_only
        self._want_vocals()
        self._exchange(*Side)
        self.state_changed.emit()

    def put_vocals(self, path: Path, vocals_path: Path) -> None:
        """The vocals of the song at ``path``."""
        self._vocals[path] = vocals_path
        self._exchange(*Side)

    def _exchange(self, *sides: Side) -> None:
        """From the mixture to the vocals or back."""
        for side in sides:
            if (path := self._file_of(self._sounds[side])) is not None:
                self.decks[side].exchange(path, self.is_playing)
        self.decks.level()

    def _file_of(self, sound: Sound | None) -> Path | None:
        if sound is None or self.is_plain or not self.is_vocals_only:
            return None if sound is None else sound.path
        return self._vocals.get(sound.path, sound.path)

    def _want_vocals(self) -> None:
        """Of what can be heard now or next; no others are kept: they may be deleted meanwhile."""
        is_wanted = self.is_vocals_only and not self.is_plain
        sounds = (*self._sounds, self.following) if is_wanted else ()
        at_hand = {sound.path: sound for sound in sounds if sound is not None}
        self._vocals = {path: self._vocals[path] for path in at_hand if path in self._vocals}
        self.vocals_wanted.emit([one for path, one in at_hand.items() if path not in self._vocals])

    def lend(self, is_lent: bool, is_plain: bool = False) -> None:
        """To somebody who plays in between, or no longer."""
        self.is_lent, self.levels.is_plain = is_lent, is_plain

    # How it is done

    def _apply(self) -> None:
        """Tells the decks what to do; they follow within a block."""
        weights = [float(sound is not None) for sound in self._sounds]
        if all(self._sounds):
            weights = [1.0 - self.mix, self.mix]
        for side, weight in zip(Side, weights, strict=True):
            deck = self.decks[side]
            deck.gain = weight * self.volume**2  # squared: nearer to what loudness feels like
            deck.is_running = self.is_playing and (weight > 0.0 or self.is_linked)

    def _set_source(self, side: Side, start_s: float) -> None:
        sound = self._sounds[side]
        if sound is not None and sound.duration_s:
            start_s = min(start_s, sound.duration_s)
        loop_s = LOOP_S if self.is_looping else None
        self.decks[side].begin(self._file_of(sound), start_s, loop_s)
        self.decks.level()

    def _tell_loaded(self, side: Side) -> None:
        self._want_vocals()
        self.loaded.emit(side)
        self.moved.emit()

    def tick(self) -> None:
        """Thirty times a second while playing: whatever a song needs in the meantime."""
        self.decks.tick()
        for side in Side:
            self._advance(side)
            if (reason := self.decks[side].error) is not None:
                self._give_up(side, reason)
                return
        if self.decks[self.side].is_at_end:
            self.pause()
        self.device.watch(self.decks.num_blocks)
        self.moved.emit()

    def _advance(self, side: Side) -> None:
        """Has the next song decoded ahead, and takes note when it has begun."""
        queue, deck = self.queue, self.decks[side]
        if deck.has_advanced():
            queue.advance()
            self._sounds[side] = queue.current
            self._tell_loaded(side)
            self._exchange(side)  # it may have begun before vocals came, or as vocals before V
        elif side == queue.side and not self.is_linked and deck.is_complete:
            deck.prepare(self._file_of(self.following))

    def _give_up(self, side: Side, reason: str) -> None:
        """A song cannot be read, or its vocals no longer."""
        sound = self._sounds[side]
        if sound is not None and self._vocals.pop(sound.path, sound.path) != sound.path:
            self._set_source(side, self.position_s(side))  # deleted meanwhile: to be made again
            self._want_vocals()
            return
        reason = spoken(reason)
        if sound is not None:
            reason = self.tr("{title}: {reason}").format(title=sound.title[:80], reason=reason)
        is_asked_for = sound == self._asked and self.position_s(side) == 0.0
        is_queued = side == self.queue.side == self.side and bool(self.queue.coming)
        if is_queued and not is_asked_for and not self.is_lent:
            self.play_next()  # instead
        else:
            self.pause()
            self.load(side, None)
        self.problem.emit(reason)

    def _device_opened(self, rate_hz: int) -> None:
        if rate_hz != self.decks.rate_hz:
            self.decks.rate_hz = rate_hz
            for side in Side:
                self._set_source(side, self.position_s(side))

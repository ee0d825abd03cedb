"""Two songs to mix, to compare, to move to matching moments; as they are, or their vocals alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.player.decks import Decks, Decoding
from app.player.devices import PREFERRED_RATE_HZ
from app.player.loudness import Levels
from app.player.output import Fill, SoundOutput
from app.player.queue import Side, Sound
from app.player.source import Decode, decode_file
from app.player.stems import Stems
from engine.sound.loudness import Loudness

TICK_MS = 33
LOOP_S = 5.0  # a segment: what a matching moment is a match of


class TwoSongs(QObject):
    """The query and a result, in the UI thread. What comes after a song is for a subclass to say.

    A side that cannot be heard rests, unless the two are linked by a jump to matching moments: then
    both run on together, so that switching sides compares the same moment.

    Attributes (to be read):
        is_playing, is_looping: of both sides.
    """

    loaded = Signal(object)  # Side: another song, or none
    state_changed = Signal()  # playing or not, which side is heard, looping, vocals only
    moved = Signal()  # positions, 30 times a second while playing
    levels_changed = Signal()  # volume, mix
    vocals_wanted = Signal(object)  # list[Sound], and of no others: ``put_vocals`` brings them
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
        self._stems = Stems()
        self._lengths_s: dict[Path, float] = {}
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
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.tick)

    # What is so

    @property
    def is_linked(self) -> bool:
        """Both songs are at matching moments."""
        return self._moments is not None

    @property
    def is_vocals_only(self) -> bool:
        """The separated vocals are heard, as soon as there are any."""
        return self._stems.is_vocals_only

    @property
    def is_plain(self) -> bool:
        """Files are heard as they are, neither made equally loud nor as vocals."""
        return self._stems.is_plain

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
        """0 while it is not known."""
        sound = self._sounds[side]
        return 0.0 if sound is None else sound.duration_s or self._lengths_s.get(sound.path, 0.0)

    def decoding(self, side: Side) -> Decoding:
        """How far the song of a side has been decoded."""
        return self._decks[side].decoding

    # What can be done

    def _put(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        self._sounds[side] = sound
        self._unlink()
        self._set_source(side, start_s)
        if sound is None and not any(self._sounds):
            self.pause()
        self._apply()
        self._tell_loaded(side)

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
        self._stems.is_vocals_only = is_vocals_only
        self._want_vocals()
        for side in Side:
            self._exchange(side)
        self.state_changed.emit()

    def put_vocals(self, path: Path, vocals_path: Path) -> None:
        """The vocals of the song at ``path``."""
        self._stems.put(path, vocals_path)
        for side in Side:
            self._exchange(side)

    def put_loudness(self, path: Path, loudness: Loudness, duration_s: float = 0.0) -> None:
        """How loud and how long a file is: of a song, or of its vocals."""
        self._levels.put(path, loudness)
        self._lengths_s[path] = duration_s
        self._decks.level()

    def resume(self) -> None:
        """Goes on; from the beginning, where a song is over."""
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

    @property
    def _following(self) -> Sound | None:
        """What comes after the song of a side, without a gap."""
        return None

    def _set_plain(self, is_plain: bool) -> None:
        self._levels.is_plain = self._stems.is_plain = is_plain

    def _tell_loaded(self, side: Side) -> None:
        self._want_vocals()
        self.loaded.emit(side)
        self.moved.emit()

    def _want_vocals(self) -> None:
        """Of what can be heard now or next."""
        self.vocals_wanted.emit(self._stems.missing([*self._sounds, self._following]))

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

    def _set_source(self, side: Side, start_s: float) -> None:
        sound = self._sounds[side]
        if sound is not None and sound.duration_s:
            start_s = min(start_s, sound.duration_s)
        loop_s = LOOP_S if self.is_looping else None
        self._decks[side].begin(self._stems.file_of(sound), start_s, loop_s)
        self._decks.level()

    def _exchange(self, side: Side) -> None:
        """From the mixture to the vocals or back."""
        if (path := self._stems.file_of(self._sounds[side])) is not None:
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
        """Whatever a side needs to go on after its song."""

    def _give_up(self, side: Side, reason: str) -> None:
        """A song cannot be read, or its vocals no longer."""
        sound = self._sounds[side]
        if sound is not None and self._stems.drop(sound.path):
            self._set_source(side, self.position_s(side))  # deleted meanwhile: to be made again
            self._want_vocals()
            return
        if sound is not None:
            reason = self.tr("{title}: {reason}").format(title=sound.title[:80], reason=reason)
        self._leave_out(side)
        self.problem.emit(reason)

    def _leave_out(self, side: Side) -> None:
        """Goes on without a song that cannot be read."""
        self.pause()
        self._put(side, None)

    def _device_opened(self, rate_hz: int) -> None:
        if rate_hz == self._decks.rate_hz:
            return
        self._decks.rate_hz = rate_hz
        for side in Side:
            self._set_source(side, self.position_s(side))

    def _device_failed(self, reason: str) -> None:
        self.pause()
        self.problem.emit(reason)

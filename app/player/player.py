"""Plays songs one after another, on the two sides of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from app.player.loan import Held
from app.player.loudness import Levels
from app.player.output import Fill, SoundOutput
from app.player.queue import PlayQueue, Side, Sound
from app.player.source import Decode, decode_file
from app.player.two_songs import TwoSongs

__all__ = ["Player", "Side", "Sound"]

RESTART_S = 3.0  # before it, “previous” goes to the song before


class Player(TwoSongs):
    """State of the playback, in the UI thread.

    Attributes (to be read):
        queue: what is played after one another; changing it is enough.
        picked: a song chosen while nothing plays: the next ``toggle`` plays it.
        is_lent: somebody plays in between; the queue rests.
    """

    upcoming = Signal(object)  # Sound: comes next, and had better be measured by then

    def __init__(
        self,
        parent: QObject | None = None,
        make_output: Callable[[Fill], SoundOutput] = SoundOutput,
        decode: Decode = decode_file,
        levels: Levels | None = None,
    ) -> None:
        super().__init__(parent, make_output, decode, levels)
        self.queue = PlayQueue(self)
        self.picked: Sound | None = None
        self.is_lent = False
        self._asked: Sound | None = None  # this one, and not whatever comes after it
        self.queue.changed.connect(self._tell_upcoming)

    def load(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        """Puts a song on one side, where it waits; the other side plays on."""
        if side == self.queue.side and not self.is_lent:
            self.queue.begin(side, [sound] if sound is not None else [])
        self._put(side, sound, start_s)

    def _put(self, side: Side, sound: Sound | None, start_s: float = 0.0) -> None:
        self.picked = None
        super()._put(side, sound, start_s)

    def play(
        self,
        side: Side,
        sound: Sound | None = None,
        queue: Sequence[Sound] = (),
        past: Sequence[Sound] = (),
    ) -> None:
        """One side alone: ``sound`` from its start and ``queue`` after it, or what is loaded."""
        self._asked = sound
        if sound is not None:
            self._lend(False)
            self.queue.begin(side, [*past, sound, *queue], len(past))
            if sound != self._sounds[side]:
                self._put(side, sound)
        self._unlink()
        self.set_mix(float(side))
        self.resume()

    def play_next(self) -> None:
        """The next song of the queue, now."""
        if self.queue.has_next and not self.is_lent:
            self.queue.step(1)
            self._play_current()

    def play_previous(self) -> None:
        """From the beginning; at the beginning, the song before."""
        queue = self.queue
        is_late = self.side != queue.side or self.position_s(queue.side) > RESTART_S
        if is_late or not queue.has_previous or self.is_lent:
            self.seek(self.side, 0.0)
        else:
            queue.step(-1)
            self._play_current()

    def play_at(self, place: int) -> None:
        """The song at a place of the queue, now."""
        self.queue.go_to(place)
        self._play_current()

    def _play_current(self) -> None:
        self._lend(False)
        self._put(self.queue.side, self.queue.current)
        self.play(self.queue.side)

    def restore(self, position_s: float) -> None:
        """The queue has come back after a restart: its song waits where it was."""
        if self.queue.current is not None:
            self._put(self.queue.side, self.queue.current, position_s)
            self.set_mix(float(self.queue.side))

    def pick(self, sound: Sound) -> None:
        """A song was chosen; while something plays, that goes on."""
        if not self.is_playing and sound != self._sounds[self.side]:
            self.picked = sound
            self.state_changed.emit()

    def drop_pick(self) -> None:
        """What the queue holds is what plays next, after all."""
        if self.picked is not None and any(self._sounds):
            self.picked = None
            self.state_changed.emit()

    def toggle(self) -> None:
        if self.picked is not None:
            self.play(Side.QUERY, self.picked)
        else:
            (self.pause if self.is_playing else self.resume)()

    def resume(self) -> None:
        """Goes on; from the next song of the queue, where there is none or it is over."""
        is_over = self._decks[self.side].is_at_end and self.side == self.queue.side
        if (is_over or not any(self._sounds)) and self.queue.has_next and not self.is_lent:
            self.play_next()
            return
        if any(self._sounds):
            self.picked = None
            super().resume()

    def exchange(self, other: Held) -> Held:
        """Holds other songs from now on, paused; returns what it held, to be held again."""
        self.pause()
        places_s = (self.position_s(Side.QUERY), self.position_s(Side.RESULT))
        before = Held(
            tuple(self._sounds),
            places_s,
            self._moments,
            self._mix,
            self.picked,
            self.is_lent,
            self.is_plain,
        )
        self._lend(other.is_lent, other.is_plain)
        for side in Side:
            self._put(side, other.sounds[side], other.places_s[side])
        self._moments, self.picked = other.moments, other.picked
        self.set_mix(other.mix)
        self.state_changed.emit()
        return before

    # How it is done

    def _lend(self, is_lent: bool, is_plain: bool = False) -> None:
        self.is_lent = is_lent
        self._set_plain(is_plain)

    def _tell_upcoming(self) -> None:
        if (following := self._following) is not None:
            self.upcoming.emit(following)
        self._want_vocals()

    @property
    def _following(self) -> Sound | None:
        return None if self.is_lent else self.queue.following

    def _advance(self, side: Side) -> None:
        """Has the next song decoded ahead, and takes note when it has begun."""
        queue = self.queue
        if self._decks[side].has_advanced():
            queue.advance()
            self._sounds[side] = queue.current
            self._tell_loaded(side)
            self._exchange(side)  # it may have begun before vocals came, or as vocals before V
        elif side == queue.side and not self.is_linked and self.decoding(side).is_complete:
            self._decks[side].prepare(self._stems.file_of(self._following))

    def _leave_out(self, side: Side) -> None:
        """The next song of the queue comes instead, unless this one was asked for."""
        is_asked_for = self._sounds[side] == self._asked and self.position_s(side) == 0.0
        is_queued = side == self.queue.side == self.side and bool(self.queue.coming)
        if is_queued and not is_asked_for and not self.is_lent:
            self.play_next()
        else:
            self.pause()
            self.load(side, None)

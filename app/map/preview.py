"""Hears a song while the pointer rests on it, and leaves alone whatever else is loaded."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.player.loan import Loan
from app.player.player import Player
from app.player.queue import sound_of_track
from engine.library import Track, TrackStatus

REST_MS = 350
START_SHARE = 0.3  # of a song: the singing has begun there, most of the time


class Preview(QObject):
    def __init__(self, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._track: Track | None = None
        self._loan = Loan(player)
        self._is_refused = False  # there is no sound device, say: once told is enough
        player.problem.connect(self._refused)
        self.is_wanted = True  # by the person
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._start)

    def rest_on(self, track: Track | None) -> None:
        """The song below the pointer now; None for nowhere."""
        self._track = track
        can_sound = self.is_wanted and not self._is_refused
        if track is not None and track.status is not TrackStatus.MISSING and can_sound:
            self._rest.start()
        else:
            self.stop()

    def set_wanted(self, is_wanted: bool) -> None:
        self.is_wanted = is_wanted
        if not is_wanted:
            self.stop()

    def begin(self) -> None:
        """The page is shown: it is worth trying again."""
        self._is_refused = False

    @property
    def is_on(self) -> bool:
        """Something sounds, or fails to, that nobody has asked for."""
        return self._loan.is_on

    def stop(self) -> None:
        """Silence, if it is the preview that plays; whatever was paused is there again."""
        self._rest.stop()
        self._loan.end()

    def _refused(self, reason: str) -> None:
        self._is_refused = self.is_on

    def _start(self) -> None:
        if self._track is not None and (self.is_on or not self._player.is_playing):
            self._loan.begin()
            start_s = START_SHARE * (self._track.duration_s or 0.0)
            self._loan.play(sound_of_track(self._track), start_s)

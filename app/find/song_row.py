"""One song of the comparison: cover, names, waveform, play. Query and result have one each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFont, QPixmap
from PySide6.QtWidgets import QBoxLayout, QLabel, QSizePolicy, QWidget

from app.player.player import Player, Side, Sound
from app.player.waveform import Waveform
from app.ui.heard import heard_explained, heard_words
from app.ui.layouts import hbox, keep_room, vbox
from app.ui.text_format import clock
from app.ui.theme import Theme
from app.ui.widgets import (
    HEADING,
    SMALL,
    DrawCover,
    ElidedLabel,
    IconButton,
    button,
    label,
    plain_tool_tip,
)
from engine.sound.loudness import SoundShape

COVER_PX, COMPACT_COVER_PX = 56, 34
TEXT_PX = 176
MAX_TEXT_PX = 320


class SongRow(QWidget):
    """Shows a song, which need not be the one that the player holds on this side."""

    moment_chosen = Signal(int)
    stretch_requested = Signal(float, float)  # find voices like this part, from and to in seconds

    def __init__(
        self, theme: Theme, player: Player, cover: DrawCover, side: Side, names: tuple[str, str]
    ) -> None:
        """``names``: of the row, for screen readers, and the hint shown while it is empty."""
        super().__init__()
        self._player = player
        self._cover = cover
        self._side = side
        self._hint = names[1]
        self._sound: Sound | None = None
        self._cover_seed = ""
        self._cover_px = COVER_PX
        is_query = side == Side.QUERY
        weight = QFont.Weight.DemiBold
        self._picture = QLabel()
        self._title = ElidedLabel(font=theme.font(HEADING if is_query else 1.0, weight))
        self._artist = ElidedLabel(role="muted")
        self._time = label(role="muted", font=theme.font(SMALL))
        slanted = theme.font(SMALL)
        slanted.setItalic(True)
        self._heard = ElidedLabel(role="muted", font=slanted)
        self.waveform = Waveform(theme, "accent" if is_query else "overall")
        self._play = IconButton(theme, "play", self.tr("Play"), colour="text", size=22)
        self.ask = button(self.tr("Voices like this stretch"), "stretch")
        self.ask.setParent(self.waveform)
        keep_room(self._play)  # both waveforms begin at the same place
        self.setAccessibleName(names[0])
        self.waveform.setAccessibleName(self.tr("Waveform: {row}").format(row=names[0]))
        self._lay_out()
        self._connect()
        self.set_compact(False)
        self.set_sound(None)

    def _lay_out(self) -> None:
        block = self._block = QWidget()
        times = hbox(self._time, (self._heard, 1), spacing=10)
        self._texts: QBoxLayout = vbox(
            None, self._title, self._artist, times, None, spacing=1, of=block
        )
        block.setMinimumWidth(TEXT_PX)
        block.setMaximumWidth(MAX_TEXT_PX)
        block.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        parts = (self._picture, (block, 3), self._play, (self.waveform, 4))
        self._row = hbox(*parts, spacing=12, of=self)

    def set_compact(self, is_compact: bool) -> None:
        """Title and artist in one line, where the window is low."""
        self._cover_px = COMPACT_COVER_PX if is_compact else COVER_PX
        self._picture.setFixedSize(QSize(self._cover_px, self._cover_px))
        self.waveform.setFixedHeight(self._cover_px)
        direction = QBoxLayout.Direction
        self._texts.setDirection(direction.LeftToRight if is_compact else direction.TopToBottom)
        self._texts.setSpacing(8 if is_compact else 1)
        self._row.setStretchFactor(self._block, 6 if is_compact else 3)
        for widget, share in ((self._title, 3), (self._artist, 2)):
            self._texts.setStretchFactor(widget, share if is_compact else 0)
        self._time.setVisible(not is_compact)  # the player shows it, too
        self._heard.setVisible(not is_compact)  # as tooltips of results say
        self.refresh_cover()

    def _connect(self) -> None:
        self._play.clicked.connect(self._play_clicked)
        self.waveform.sought.connect(self._seek)
        self.waveform.moment_chosen.connect(self.moment_chosen)
        self.waveform.stretch_marked.connect(self._offer_stretch)
        self.ask.clicked.connect(self._ask_with_stretch)
        self._player.moved.connect(self._follow)
        self._player.loaded.connect(self._follow)
        self._player.state_changed.connect(self._follow)

    @property
    def sound(self) -> Sound | None:
        return self._sound

    def show_heard(self, tags: Sequence[str]) -> None:
        """What is heard in it, below its names."""
        self._heard.setText(heard_words(tags))
        self._heard.setAccessibleName(heard_explained(tags))
        self._heard.setToolTip(plain_tool_tip(heard_explained(tags)))

    def set_sound(
        self, sound: Sound | None, cover_seed: str = "", heard: Sequence[str] = ()
    ) -> None:
        """``heard``: tags of what is heard in it."""
        self._sound, self._cover_seed = sound, cover_seed
        self._title.setText(sound.title if sound else "")
        self._title.setVisible(sound is not None)  # a hint has all of the line
        self._artist.setText(sound.artist if sound else self._hint)
        self.show_heard(heard)
        self._play.setVisible(sound is not None)
        self.waveform.setEnabled(sound is not None)
        self.waveform.set_song(sound.duration_s or 0.0 if sound else 0.0)
        self.ask.hide()
        self.refresh_cover()
        self._follow()

    def set_hint(self, hint: str) -> None:
        """What is shown while there is no song."""
        self._hint = hint
        if self._sound is None:
            self._artist.setText(hint)

    def set_shape(self, shape: SoundShape) -> None:
        self.waveform.set_peaks(shape.peaks)

    # A stretch of the song

    def mark_stretch(self, is_start: bool) -> None:
        """From the position, or up to it; the other end stays, or is the song's."""
        position_s = self._player.position_s(self._side) if self._is_loaded else 0.0
        duration_s = (self._sound.duration_s or 0.0) if self._sound is not None else 0.0
        start_s, end_s = self.waveform.stretch_s or (0.0, duration_s)
        self.waveform.set_stretch((position_s, end_s) if is_start else (start_s, position_s))
        self._offer_stretch()

    def show_stretch(self, stretch_s: tuple[float, float] | None) -> None:
        """What was asked with; None: all of the song."""
        self.waveform.set_stretch(stretch_s)
        self.ask.hide()

    def _offer_stretch(self) -> None:
        if (stretch_s := self.waveform.stretch_s) is None:
            self.ask.hide()
            return
        text = self.tr("Voices like {start}–{end}")
        self.ask.setText(text.format(start=clock(stretch_s[0]), end=clock(stretch_s[1])))
        self.ask.setAccessibleName(self.ask.text())
        self.ask.adjustSize()
        middle = self.waveform.x_of(sum(stretch_s) / 2) - self.ask.width() / 2
        room = self.waveform.width() - self.ask.width()
        top = (self.waveform.height() - self.ask.height()) // 2 + 4
        self.ask.move(round(min(max(0.0, middle), max(0, room))), top)
        self.ask.show()

    def _ask_with_stretch(self) -> None:
        if (stretch_s := self.waveform.stretch_s) is not None:
            self.ask.hide()
            self.stretch_requested.emit(*stretch_s)

    def refresh_cover(self) -> None:
        if self._sound is None:
            self._picture.setPixmap(QPixmap())
            return
        ratio, side = self.devicePixelRatioF(), self._cover_px
        self._picture.setPixmap(self._cover(self._sound.path, self._cover_seed, side, ratio))

    @property
    def _is_loaded(self) -> bool:
        return self._sound is not None and self._player.sound(self._side) == self._sound

    @property
    def is_playing(self) -> bool:
        return self._is_loaded and self._player.is_playing and self._player.side == self._side

    def _follow(self) -> None:
        """Position and button, as the player says."""
        is_loaded = self._is_loaded
        position_s = self._player.position_s(self._side) if is_loaded else 0.0
        self.waveform.set_position(position_s)
        self.waveform.set_loop(self._player.loop_s(self._side) if is_loaded else None)
        if is_loaded and self._sound is not None and not self._sound.duration_s:
            self.waveform.set_duration(self._player.duration_s(self._side))
        self._play.set_icon("pause" if self.is_playing else "play")
        self._play.set_name(self.tr("Pause") if self.is_playing else self.tr("Play"))
        if self._sound is None:
            self._time.setText("")
            return
        duration_s = self._player.duration_s(self._side) if is_loaded else 0.0
        length = clock(self._sound.duration_s or duration_s or None)
        self._time.setText(f"{clock(position_s)} / {length}" if position_s > 0 else length)

    def _play_clicked(self) -> None:
        if self.is_playing:
            self._player.pause()
        elif self._sound is not None:
            self._player.play(self._side, self._sound)

    def _seek(self, position_s: float) -> None:
        if self._is_loaded:
            self._player.seek(self._side, position_s)
        elif self._sound is not None:
            self._player.load(self._side, self._sound, position_s)
            self._player.play(self._side)

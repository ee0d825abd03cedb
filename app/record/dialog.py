"""Sing or hum into the microphone: a calm sheet with a level, a countdown, and a second try."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFont, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.jobs import JobRunner, Pool
from app.player.devices import SoundDevices
from app.player.waveform import NUM_BINS, Waveform
from app.record.microphone import Microphone, open_microphone
from app.ui.dialogs import Dialog
from app.ui.layouts import hbox, keep_room
from app.ui.shortcuts import noop
from app.ui.theme import Theme
from app.ui.widgets import SMALL, label
from engine.listening.recordings import MAX_S, prepare_voice, write_wav
from engine.sound.loudness import shape_of

TICK_MS = 33
METER_PX = 190


class RecordState(Enum):
    """What is said meanwhile, and what the button does."""

    READY = (
        noop(
            "Sing or hum for up to ten seconds, alone and close to the microphone. "
            "Singalike then looks for the voices nearest to yours."
        ),
        noop("Record"),
    )
    OPENING = (noop("Opening the microphone…"), noop("Record"))
    RECORDING = (noop("Recording. Any tune will do."), noop("Stop"))
    CHECKING = (noop("One moment…"), noop("Record"))
    DONE = (noop("This is what was heard of your voice."), noop("Try again"))


class Meter(QWidget):
    """A circle that grows with the level, and a ring that closes with the time.

    A click on it is one on the button below it; the keyboard has that.
    """

    clicked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._level = 0.0
        self._share = 0.0
        self._is_live = False
        self.setFixedSize(QSize(METER_PX, METER_PX))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_state(self, is_live: bool, share: float = 0.0, level: float = 0.0) -> None:
        """``share`` of the time, 0 to 1; ``level`` is an RMS, shown from -60 to 0 dBFS."""
        loudness = 1 + float(np.log10(max(level, 1e-3))) / 3
        # Up at once, down slowly: what jumps is tiring to look at.
        self._level = max(loudness, self._level * 0.86) if is_live else 0.0
        self._is_live, self._share = is_live, share
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        halo = self._theme.colour("accent")
        halo.setAlphaF(0.16)
        painter.setBrush(halo)
        centre = QRectF(self.rect()).center()
        radius = 46 + 34 * self._level
        painter.drawEllipse(centre, radius, radius)
        painter.setBrush(self._theme.colour("accent" if self._is_live else "raised"))
        painter.drawEllipse(centre, 44, 44)
        colour, size = ("on_accent" if self._is_live else "accent"), 36
        icon = self._theme.pixmap("voice", colour, size, self.devicePixelRatioF())
        painter.drawPixmap(round(centre.x() - size / 2), round(centre.y() - size / 2), icon)
        ring = QRectF(self.rect()).adjusted(6, 6, -6, -6)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._theme.colour("raised"), 5))
        painter.drawEllipse(ring)
        pen = QPen(self._theme.colour("accent"), 5)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        if self._share > 0:
            painter.drawArc(ring, 90 * 16, round(-360 * 16 * self._share))


class RecordDialog(Dialog):
    """``found`` brings the recording's path and its length in seconds.

    Recordings are written into ``folder``, whose owner deletes them.
    """

    began = Signal()  # nothing had better sound from now on: it would be recorded as well
    found = Signal(object, float)
    play_requested = Signal(object, float)  # the same, to be heard

    def __init__(
        self, parent: QWidget, theme: Theme, devices: SoundDevices, runner: JobRunner, folder: Path
    ) -> None:
        super().__init__(parent, theme, self.tr("Sing or hum"), QSize(470, 480))
        self._devices = devices
        self._runner = runner
        self._folder = folder
        self._microphone: Microphone | None = None
        self._state = RecordState.READY
        self._recording: tuple[Path, float] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._build()
        self._show(RecordState.READY)

    def _build(self) -> None:
        self._text = label(role="muted", wrap=True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setMinimumHeight(3 * self._text.fontMetrics().height())
        self._meter = Meter(self.theme)
        self._count = label(font=self.theme.font(1.25, QFont.Weight.DemiBold))
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._waveform = Waveform(self.theme)
        self._waveform.setFixedHeight(52)
        self._waveform.setAccessibleName(self.tr("Your recording"))
        self._waveform.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        keep_room(self._waveform)
        privacy = label(
            self.tr("The recording stays on this computer and is deleted when Singalike closes."),
            "muted",
            self.theme.font(SMALL),
            wrap=True,
        )
        privacy.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(self._text)
        self.body.addLayout(hbox(None, self._meter, None))
        self.body.addWidget(self._count)
        self.body.addWidget(self._waveform)
        self.body.addWidget(privacy)
        self._play = self.add_button(self.tr("Play"), self._play_clicked)
        self.buttons.addStretch()
        self._again = self.add_button(self.tr("Record"), self._record_clicked)
        self._find = self.add_button(self.tr("Find voices like it"), self._find_clicked, "primary")
        self._meter.clicked.connect(self._again.click)
        self._meter.setCursor(Qt.CursorShape.PointingHandCursor)
        self._again.setAutoDefault(True)
        self._find.setAutoDefault(True)

    # What happens

    def _record_clicked(self) -> None:
        if self._state is RecordState.RECORDING:
            self._finish()
        else:
            self._show(RecordState.OPENING)
            self.began.emit()
            devices = self._devices
            self._runner.run(
                lambda *_: open_microphone(devices),
                # No bound method: that would no longer be called once the dialog is gone.
                lambda microphone: self._opened(microphone),
                self._failed,
                Pool.MICROPHONE,
            )

    def _opened(self, microphone: Microphone) -> None:
        if self._state is not RecordState.OPENING:  # closed meanwhile
            microphone.close()
            return
        self._microphone = microphone
        self._show(RecordState.RECORDING)
        self._timer.start()

    def _failed(self, reason: str) -> None:
        self._show(RecordState.READY, reason)

    def _tick(self) -> None:
        microphone = self._microphone
        if microphone is None:
            return
        seconds = microphone.seconds
        self._meter.show_state(True, seconds / MAX_S, microphone.level)
        left = max(0, round(MAX_S - seconds + 0.49))
        self._count.setText(self.tr("{num} s left").format(num=left))
        if microphone.is_full or microphone.is_stalled:
            self._finish()

    def _finish(self) -> None:
        """Ends the recording and looks whether anybody sang, off the UI thread."""
        microphone, self._microphone = self._microphone, None
        self._timer.stop()
        if microphone is None:
            return
        self._show(RecordState.CHECKING)
        path = self._folder / f"voice-{time.time_ns()}.wav"
        self._runner.run(
            lambda *_: _checked(microphone, path), self._checked, self._failed, Pool.INTERACTIVE
        )

    def _checked(self, outcome: tuple[Path, float, np.ndarray]) -> None:
        path, duration_s, peaks = outcome
        self._recording = (path, duration_s)
        self._waveform.set_song(duration_s)
        self._waveform.set_peaks(peaks)
        self._show(RecordState.DONE)

    def _play_clicked(self) -> None:
        if self._recording is not None:
            self.play_requested.emit(*self._recording)

    def _find_clicked(self) -> None:
        if self._recording is not None:
            self.found.emit(*self._recording)
            self.close()

    def done(self, result: int) -> None:
        """Closing in any way ends the recording."""
        self._timer.stop()
        self._state = RecordState.READY
        if self._microphone is not None:
            self._microphone.close()
            self._microphone = None
        super().done(result)

    # What is shown

    def _show(self, state: RecordState, problem: str = "") -> None:
        self._state = state
        text, action = map(self.tr, state.value)
        is_done = state is RecordState.DONE
        self._text.setText(problem or text)
        self._text.setProperty("role", "error" if problem else "muted")
        self._count.setText("" if state is not RecordState.READY else self.tr("Ready when you are"))
        self._meter.show_state(state is RecordState.RECORDING)
        for widget in (self._waveform, self._play, self._find):
            widget.setVisible(is_done)
        self._again.setText(self.tr("Try again") if problem else action)
        self._again.setAccessibleName(self._again.text())
        self._again.setEnabled(state not in (RecordState.OPENING, RecordState.CHECKING))
        self._again.setProperty("kind", "" if is_done else "primary")
        self._text.style().polish(self._text)
        self._again.style().polish(self._again)
        (self._find if is_done else self._again).setFocus(Qt.FocusReason.OtherFocusReason)


def _checked(microphone: Microphone, path: Path) -> tuple[Path, float, np.ndarray]:
    """Writes the sung part of a recording: path, seconds and the shape to draw."""
    voice = prepare_voice(microphone.close(), microphone.rate_hz)
    write_wav(path, voice, microphone.rate_hz)
    return path, len(voice) / microphone.rate_hz, shape_of(path, NUM_BINS).peaks

"""The first thing a newcomer sees: what this is, what will happen, and two ways to begin."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QWidget

from app.ui.layouts import hbox, keep_room, vbox
from app.ui.text_format import duration
from app.ui.theme import Theme
from app.ui.widgets import SMALL, TITLE, IconLabel, ProgressBar, button, label
from engine.progress import Progress

WIDTH_PX = 620


class StartPage(QScrollArea):
    folder_requested = Signal()
    demo_requested = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setWidgetResizable(True)  # for low screens
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._choose = button(self.tr("Choose a music folder…"), "primary")
        self._demo = button(self.tr("Try the demo library"), "large")
        self._bar = ProgressBar(self.tr("Making the demo library"))
        self._busy = label(role="muted", font=theme.font(SMALL))
        self._stop = button(self.tr("Stop"), "plain")
        keep_room(self._bar, self._busy, self._stop)  # or the page would jump
        self._lay_out(theme)
        self._choose.clicked.connect(self.folder_requested)
        self._demo.clicked.connect(lambda: self.show_progress())
        self._demo.clicked.connect(self.demo_requested)
        self._stop.clicked.connect(self.stop_requested)
        self.show_idle()

    def _lay_out(self, theme: Theme) -> None:
        sign = QLabel()
        sign.setPixmap(theme.sign(80, 2.0))
        heading = label(
            self.tr("Find singers who sound alike"),
            font=theme.font(TITLE * 1.15, QFont.Weight.Bold),
        )
        claim = label(
            self.tr(
                "Singalike listens to your own music and shows, for any song, "
                "whose voice comes nearest and which songs sound most alike."
            ),
            role="muted",
            font=theme.font(1.1),
            wrap=True,
        )
        for widget in (sign, heading, claim):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        begin = hbox(None, self._choose, self._demo, None, spacing=12)
        busy = hbox(None, self._busy, self._stop, None, spacing=12)
        items = (sign, heading, claim, 4, begin, self._bar, busy, 2, self._steps(theme))
        middle = QWidget()
        vbox(*items, spacing=12, margins=(9, 9, 9, 9), of=middle)
        middle.setMaximumWidth(WIDTH_PX)
        page = QWidget()
        page.setObjectName("page")
        outer = QGridLayout(page)
        outer.setContentsMargins(0, 0, 0, 0)  # at 860 x 560 all is seen
        outer.setRowStretch(0, 2)
        outer.setRowStretch(2, 3)
        outer.setColumnStretch(0, 1)
        outer.setColumnStretch(2, 1)
        outer.setColumnMinimumWidth(1, WIDTH_PX)
        outer.addWidget(middle, 1, 1)
        self.setWidget(page)

    def _steps(self, theme: Theme) -> QFrame:
        steps = (
            (
                "search",
                self.tr("Your songs are found"),
                self.tr("Seconds. Your files are only read, never changed."),
            ),
            (
                "overall",
                self.tr("Every song is listened to"),
                self.tr("A few seconds per song. Results appear while this goes on."),
            ),
            (
                "voice",
                self.tr("The voices are separated from the music"),
                self.tr("Longer; pause or quit at any time, and it goes on where it was."),
            ),
            (
                "lock",
                self.tr("Nothing leaves this computer"),
                self.tr("No account, no upload, no network needed."),
            ),
        )
        card = QFrame()
        card.setObjectName("card")
        grid = QGridLayout(card)
        grid.setContentsMargins(24, 20, 24, 20)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        for i, (icon, head, text) in enumerate(steps):
            colour = "good" if icon == "lock" else "accent"
            grid.addWidget(IconLabel(theme, icon, colour, 26), i, 0)
            name = label(head, font=theme.font(weight=QFont.Weight.DemiBold))
            grid.addLayout(vbox(name, label(text, "muted", wrap=True), spacing=2), i, 1)
        return card

    def show_progress(self, progress: Progress | None = None) -> None:
        """The demo library is being made; None: no song is there yet."""
        self._set_busy(True)
        self._bar.show_progress(progress)
        text = self.tr("Making the demo songs…")
        if progress is not None:
            text = self.tr("Making the demo songs: {done} of {total}").format(
                done=progress.num_done, total=progress.num_total or "…"
            )
            if progress.eta_s is not None:
                left = self.tr("{time} left").format(time=duration(progress.eta_s))
                text = f"{text} · {left}"
        self._busy.setText(text)

    def show_idle(self) -> None:
        self._set_busy(False)

    def _set_busy(self, is_busy: bool) -> None:
        for widget in (self._bar, self._busy, self._stop):
            widget.setVisible(is_busy)
        self._choose.setEnabled(not is_busy)
        self._demo.setEnabled(not is_busy)

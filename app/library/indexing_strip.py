"""The strip below the table: what indexing does, how long it takes, what could not be read."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.services.indexing import Indexing
from app.services.open_library import Overview
from app.ui.language import grouped
from app.ui.layouts import hbox, vbox
from app.ui.text_format import duration, one_line
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel, IconButton, ProgressBar, button, divider
from engine.progress import Progress


class IndexingStrip(QWidget):
    failed_requested = Signal()

    def __init__(self, indexing: Indexing, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._indexing = indexing
        self._num_failed = 0
        self._headline = ElidedLabel()
        self._detail = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._bar = ProgressBar(self.tr("Progress of indexing"))
        self._pause = IconButton(theme, "pause", self.tr("Pause indexing"), size=18)
        self._stop = IconButton(
            theme, "stop", self.tr("Stop indexing; what is done is kept"), size=18
        )
        self._failed = button("", "plain")
        self._lay_out()
        self._pause.clicked.connect(self._toggle_pause)
        self._stop.clicked.connect(indexing.cancel)
        self._failed.clicked.connect(self.failed_requested)
        indexing.changed.connect(self._refresh)
        indexing.progressed.connect(self._refresh)
        self._refresh()

    def _lay_out(self) -> None:
        texts = vbox(None, self._headline, self._detail, None, spacing=1)
        buttons = (self._failed, self._pause, self._stop)
        below = hbox((texts, 1), *buttons, spacing=2, margins=(14, 8, 8, 8))
        vbox(divider(), self._bar, below, of=self)

    def show_overview(self, overview: Overview) -> None:
        self._num_failed = overview.counts.failed
        self._refresh()

    def _toggle_pause(self) -> None:
        if self._indexing.is_paused:
            self._indexing.resume()
        else:
            self._indexing.pause()

    def _refresh(self) -> None:
        is_running, progress = self._indexing.is_running, self._indexing.last_progress
        failed = self.tr("1 failed…") if self._num_failed == 1 else self.tr("{num} failed…")
        self._failed.setText(failed.format(num=grouped(self._num_failed)))
        self._failed.setAccessibleName(self._failed.text())
        self._failed.setVisible(self._num_failed > 0)
        for widget in (self._bar, self._pause, self._stop, self._detail):
            widget.setVisible(is_running)
        self.setVisible(is_running or self._num_failed > 0)
        if not is_running:
            self._headline.setText(self.tr("Some songs could not be read"))
            return
        is_paused = self._indexing.is_paused
        self._pause.set_icon("play" if is_paused else "pause")
        self._pause.set_name(self.tr("Go on indexing") if is_paused else self.tr("Pause indexing"))
        self._headline.setText(self.tr("Paused") if is_paused else self._stage_text(progress))
        self._detail.setText(self._detail_text(progress))
        self._detail.setVisible(bool(self._detail.text()))
        self._bar.show_progress(progress)

    def _stage_text(self, progress: Progress | None) -> str:
        texts = {
            "scan": self.tr("Looking for songs"),
            "load": self.tr("Getting ready to listen"),
            "overall": self.tr("Listening to the songs"),
            "vocals": self.tr("Listening to the voices"),
            "index": self.tr("Sorting by similarity"),
        }
        stage = "scan" if progress is None else progress.stage
        return texts.get(stage, stage)

    def _detail_text(self, progress: Progress | None) -> str:
        if progress is None:
            return ""
        parts = []
        if progress.num_total:
            done, total = grouped(progress.num_done), grouped(progress.num_total)
            parts.append(self.tr("{done} of {total}").format(done=done, total=total))
        elif progress.num_done:
            parts.append(self.tr("{num} so far").format(num=grouped(progress.num_done)))
        if progress.eta_s is not None and not self._indexing.is_paused:
            parts.append(self.tr("{time} left").format(time=duration(progress.eta_s)))
        if not parts and progress.message:
            parts.append(one_line(progress.message))
        return " · ".join(parts)

"""Instead of the map: why there is none, and how far the making of one is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui.language import grouped
from app.ui.message_page import MessagePage
from app.ui.text_format import duration, num_songs
from app.ui.theme import Theme
from app.ui.widgets import ProgressBar, button
from engine.map import MIN_SONGS
from engine.progress import Progress
from engine.records import View


class MapMessage(MessagePage):
    make_requested = Signal()
    stop_requested = Signal()

    def __init__(self, theme: Theme) -> None:
        self._bar = ProgressBar("")
        self._make, self._stop = button("", "primary"), button("")
        super().__init__(theme, "map", "wave", self._bar, self._make, self._stop)
        self._bar.setFixedWidth(320)
        self._bar.setAccessibleName(self.tr("Progress of the map"))
        for one, text in ((self._make, self.tr("Make the map")), (self._stop, self.tr("Stop"))):
            one.setText(text)
            one.setAccessibleName(text)
        self._make.clicked.connect(self.make_requested)
        self._stop.clicked.connect(self.stop_requested)
        self.say("", "")

    def say(self, heading: str, text: str, *, can_make: bool = False) -> None:
        self.show_text(heading, text)
        self._make.setVisible(can_make)
        for widget in (self._bar, self._stop):
            widget.hide()

    def show_missing(self, view: View, num_songs_there: int) -> None:
        """There are too few songs for a map, or so many that nobody makes one unasked."""
        if num_songs_there < MIN_SONGS:
            things = self.tr("voices") if view == "vocals" else self.tr("songs")
            text = self.tr(
                "The map shows which {things} sound alike. It needs {num} songs that have been "
                "listened to, and appears here as soon as they are there."
            )
            self.say(self.tr("No map yet"), text.format(things=things, num=MIN_SONGS))
        else:
            text = self.tr(
                "Songs that sound alike will lie together. Making the map takes some minutes; "
                "you can go on with everything else meanwhile."
            )
            heading = self.tr("A map of {songs}").format(songs=num_songs(num_songs_there))
            self.say(heading, text, can_make=True)

    def show_progress(self, progress: Progress | None) -> None:
        """A map is being made; None: it has just begun."""
        self.show_text(self.tr("Making the map"), stage_text(self, progress))
        self._make.hide()
        for widget in (self._bar, self._stop):
            widget.show()
        self._bar.show_progress(progress)


def stage_text(widget: QWidget, progress: Progress | None) -> str:
    """What is done now, and how long it takes still."""
    texts = {
        "map-read": widget.tr("Reading what was heard"),
        "map-neighbours": widget.tr("Looking for the nearest of each song"),
        "map-layout": widget.tr("Finding a place for each song"),
    }
    text = texts.get(progress.stage if progress is not None else "", texts["map-read"])
    if progress is not None and progress.eta_s is not None:
        text += " · " + widget.tr("{time} left").format(time=duration(progress.eta_s))
    return text


def count_text(widget: QWidget, view: str, num: int, num_all: int) -> str:
    """How many songs the map shows, and why others of the library are not on it."""
    if num_all <= num:
        return num_songs(num)
    not_sung = widget.tr("{num} of {songs}: {missing} not listened to yet, or nobody sings")
    not_heard = widget.tr("{num} of {songs}: {missing} not listened to yet")
    return (not_sung if view == "vocals" else not_heard).format(
        num=grouped(num), songs=num_songs(num_all), missing=grouped(num_all - num)
    )

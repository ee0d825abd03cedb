"""Every keyboard shortcut, declared once: the window binds them and the help sheet lists them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QKeySequence

Texts = TypeVar("Texts", str, tuple[str, ...])


def noop(text: Texts) -> Texts:
    """Marks texts for translation where they are declared; they are translated where shown."""
    return text


@dataclass(frozen=True)
class Shortcut:
    """``is_plain``: without Ctrl; a text field or a button in focus keeps it for itself."""

    keys: str
    text: str
    group: str
    is_plain: bool = False

    @property
    def label(self) -> str:
        """The keys as this platform writes them."""
        return QKeySequence(self.keys).toString(QKeySequence.SequenceFormat.NativeText)

    @property
    def description(self) -> str:
        return QCoreApplication.translate("Shortcuts", self.text)


PAGES = noop("Pages")
FIND = noop("Find")
PLAYING = noop("Playing")
QUEUE = noop("Queue")
LIBRARY = noop("Library")
MAP = noop("Map")
TEST = noop("Listening test")


SING = "Ctrl+Shift+M" if sys.platform == "darwin" else "Ctrl+M"  # there, that minimises windows


class Keys(Enum):
    PAGE_LIBRARY = Shortcut("Ctrl+1", noop("Library"), PAGES)
    PAGE_MAP = Shortcut("Ctrl+2", noop("Map"), PAGES)
    PAGE_EVALUATE = Shortcut("Ctrl+3", noop("Evaluate"), PAGES)
    PREFERENCES = Shortcut("Ctrl+,", noop("Preferences"), PAGES)
    HELP = Shortcut("F1", noop("All keys"), PAGES)
    SEARCH = Shortcut("Ctrl+F", noop("Search the library"), FIND)
    FIND_SIMILAR = Shortcut("Return", noop("Find songs like the selected one"), FIND, True)
    FIND_FILE = Shortcut("Ctrl+L", noop("Find songs like any audio file"), FIND)
    RECORD = Shortcut(SING, noop("Sing or hum, and find voices like yours"), FIND)
    FILTERS = Shortcut("Ctrl+Shift+F", noop("Filter the results"), FIND)
    BLEND = Shortcut("Ctrl+B", noop("Results side by side, or in one list"), FIND)
    STRETCH_START = Shortcut("I", noop("A stretch to ask with begins here"), FIND, True)
    STRETCH_END = Shortcut("O", noop("It ends here (or drag with Shift)"), FIND, True)
    AS_ARTISTS = Shortcut("Ctrl+Shift+B", noop("Results as songs, or as artists"), FIND)
    BACK = Shortcut("Alt+Left", noop("Back to the song before"), FIND)
    FORWARD = Shortcut("Alt+Right", noop("Forward again"), FIND)
    TO_TABLE = Shortcut("Alt+1", noop("Go to the table of songs"), FIND)
    TO_VOICES = Shortcut("Alt+2", noop("Go to the results by voice"), FIND)
    TO_OVERALL = Shortcut("Alt+3", noop("Go to the results by overall sound"), FIND)
    PLAY_PAUSE = Shortcut("Space", noop("Play or pause"), PLAYING, True)
    PLAY_SELECTED = Shortcut("Ctrl+Return", noop("Play the selected song"), PLAYING, True)
    SKIP_BACK = Shortcut("Left", noop("5 seconds back"), PLAYING, True)
    SKIP_FORWARD = Shortcut("Right", noop("5 seconds on"), PLAYING, True)
    NEXT_MOMENT = Shortcut("M", noop("Hear the next matching moment"), PLAYING, True)
    COMPARE = Shortcut("X", noop("Switch between the two songs"), PLAYING, True)
    VOCALS = Shortcut("V", noop("Vocals alone, or the whole song"), PLAYING, True)
    LOOP = Shortcut("R", noop("Repeat the matching moment"), PLAYING, True)
    NEXT = Shortcut("N", noop("Next song"), PLAYING, True)
    PREVIOUS = Shortcut("P", noop("To the beginning, or the song before"), PLAYING, True)
    SHOW_QUEUE = Shortcut("Q", noop("Show or hide the queue"), QUEUE, True)
    PLAY_NEXT = Shortcut("Ctrl+Shift+D", noop("Play the selected songs next"), QUEUE)
    ENQUEUE = Shortcut("Ctrl+D", noop("Add the selected songs to the queue"), QUEUE)
    RADIO = Shortcut("Ctrl+Shift+R", noop("Radio: songs with voices like the selected one"), QUEUE)
    SHUFFLE = Shortcut("S", noop("What comes next in any order"), QUEUE, True)
    REPEAT = Shortcut("T", noop("Repeat the queue, one song, or nothing"), QUEUE, True)
    QUEUE_MOVE = Shortcut("Alt+Up", noop("Move a song within the queue (also down)"), QUEUE, True)
    QUEUE_REMOVE = Shortcut("Delete", noop("Take songs out of the queue"), QUEUE, True)
    LOUDER = Shortcut("Ctrl+Up", noop("Louder"), PLAYING)
    SOFTER = Shortcut("Ctrl+Down", noop("Softer"), PLAYING)
    WAYS = Shortcut("Ctrl+G", noop("The library as songs, artists or albums"), LIBRARY)
    REVEAL = Shortcut("Ctrl+R", noop("Show the selected file in its folder"), LIBRARY)
    SELECT_ALL = Shortcut("Ctrl+A", noop("Select all songs of the list"), LIBRARY, True)
    COPY = Shortcut("Ctrl+C", noop("Copy the selected files"), LIBRARY, True)
    FAVOURITE = Shortcut("H", noop("A heart for the selected songs, or none"), LIBRARY, True)
    NOT_THIS = Shortcut("D", noop("Not this one: the result has another voice"), FIND, True)
    SAVE = Shortcut("Ctrl+S", noop("Save the results, or the selected songs"), LIBRARY)
    ADD_FOLDER = Shortcut("Ctrl+O", noop("Add a folder"), LIBRARY)
    FOLDERS = Shortcut("Ctrl+Shift+O", noop("See or remove folders"), LIBRARY)
    CATALOGUE = Shortcut(
        "Ctrl+Shift+K", noop("Open a catalogue, or go back to the library"), LIBRARY
    )
    RESCAN = Shortcut("F5", noop("Look for new and changed songs"), LIBRARY)
    MAP_STEP = Shortcut("Up", noop("To the next song that way (all four arrows)"), MAP, True)
    MAP_MOVE = Shortcut("Shift+Up", noop("Move the map (all four arrows)"), MAP, True)
    MAP_NEARER = Shortcut("+", noop("Nearer"), MAP, True)
    MAP_FARTHER = Shortcut("-", noop("Farther"), MAP, True)
    MAP_ALL = Shortcut("0", noop("All of the map"), MAP, True)
    MAP_LASSO = Shortcut("L", noop("Draw a line around songs"), MAP, True)
    TEST_HEAR = Shortcut("1", noop("Hear the song (A with 2, B with 3)"), TEST, True)
    TEST_ANSWER = Shortcut("Down", noop("Both alike (A with left, B with right)"), TEST, True)
    TEST_UNDO = Shortcut("Backspace", noop("Take the last answer back"), TEST, True)
    TEST_PAUSE = Shortcut("Escape", noop("Pause the test"), TEST, True)
    QUIT = Shortcut("Ctrl+Q", noop("Quit"), LIBRARY)


# Keys of keyboards and headphones, where the desktop does not keep them for MPRIS.
MEDIA_KEYS = {
    Qt.Key.Key_MediaTogglePlayPause: Keys.PLAY_PAUSE,
    Qt.Key.Key_MediaPlay: Keys.PLAY_PAUSE,
    Qt.Key.Key_MediaPause: Keys.PLAY_PAUSE,
    Qt.Key.Key_MediaNext: Keys.NEXT,
    Qt.Key.Key_MediaPrevious: Keys.PREVIOUS,
}

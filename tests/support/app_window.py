"""What the tests of the window share: a small real library, a window around it, a leak check."""

from __future__ import annotations

import gc
import threading
import wave
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from support.patience import PATIENCE_MS, PATIENCE_S

from app.jobs import JobRunner
from app.player.decks import BLOCK_FRAMES
from app.player.output import Fill, SoundOutput
from app.player.player import Player
from app.services.indexing import Indexing
from app.services.open_library import OpenLibrary
from app.services.search_service import SearchService
from app.services.services import Services
from app.settings import WINDOW_GEOMETRY, Settings
from app.ui import language
from app.ui.theme import Theme
from app.window import MainWindow
from engine.library import Library
from engine.library.scan.scan import scan
from engine.paths import resources_path
from engine.progress import CancelToken, ProgressCallback
from engine.records import MomentCodes, SpaceKey, TrackEmbedding, View
from engine.search import Searcher
from engine.separation.vocals_cache import VocalsCache

RATE_HZ = 44_100
DIM = 16


def write_wav(path: Path, seconds: float = 1.0, frequency_hz: float = 440.0) -> Path:
    """A mono sine at half scale."""
    path.parent.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    samples = (0.5 * 32767 * np.sin(2 * np.pi * frequency_hz * time_s)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path


def write_songs(folder: Path, names: Sequence[tuple[str, str]]) -> list[Path]:
    """Short songs for (artist, title), told apart by their pitch."""
    return [
        write_wav(folder / artist / "Album" / f"{title}.wav", 0.5, 220.0 + 40 * i)
        for i, (artist, title) in enumerate(names)
    ]


SONGS = (
    ("Alma", "First light"),
    ("Alma", "Second wind"),
    ("Bo", "Third rail"),
    ("Bo", "Wallflower"),
    ("Cleo", "Fifth wheel"),
)


def listen(
    library: Library,
    *,
    without_voice: Sequence[int] = (),
    views: Sequence[View] = ("overall", "vocals"),
) -> None:
    """Made-up embeddings for all tracks: near for songs by one artist."""
    for view in views:
        separator = "spleeter" if view == "vocals" else None
        space = library.space_id(SpaceKey("test", "0" * 64, view, separator, DIM))
        for track in library.tracks(library.track_ids()):
            heard = {"audio_hash": str(track.id), "duration_s": 0.5}
            if view == "vocals" and track.id in without_voice:
                library.put_embedding(track.id, space, None, **heard)
                continue
            library.put_embedding(track.id, space, _embedding(track.artist, track.id), **heard)


def _embedding(artist: str, track_id: int) -> TrackEmbedding:
    near = np.random.default_rng(zlib.crc32(artist.encode("utf-8", "replace"))).normal(size=DIM)
    vector = near + 0.3 * np.random.default_rng(track_id).normal(size=DIM)
    codes = np.random.default_rng(track_id).integers(-127, 127, (3, DIM), dtype=np.int8)
    starts_s = np.array([0.0, 0.2, 0.4], np.float32)
    unit = (vector / np.linalg.norm(vector)).astype(np.float32)
    return TrackEmbedding(unit, MomentCodes(codes, starts_s, 0.1))


def make_library(path: Path, music: Path, songs: Sequence[tuple[str, str]] = SONGS) -> Path:
    """A library file at ``path`` with indexed songs below ``music``."""
    write_songs(music, songs)
    with Library.open(path) as library:
        library.add_folder(music)
        scan(library)
        listen(library)
    return path


class HandOutput(SoundOutput):
    """A sound device turned by hand: ``pull`` asks for blocks, as a driver would."""

    def __init__(self, fill: Fill) -> None:
        super().__init__(fill)
        self.names = ["Speakers", "Headphones"]
        self.chosen = ""
        self.reason: str | None = None  # why it cannot be opened
        self.rate_hz = RATE_HZ
        self._has_stream = False

    def _send(self, command: Callable[[], None] | None) -> None:
        """In place of the thread, which does what it is told."""
        if command is not None:
            command()

    def _open(self) -> None:
        if self.reason is not None:
            self.failed.emit(self.reason)
        elif not self._has_stream:
            self._has_stream = True
            self.opened.emit(self.rate_hz)

    def _close(self) -> None:
        self._has_stream = False

    def _replace(self) -> None:
        self._close()
        self._open()

    def _choose(self, name: str) -> None:
        self.chosen = name

    def _look(self) -> None:
        self.listed.emit(self.names)

    def pull(self, num_blocks: int = 1) -> np.ndarray:
        """(num_blocks * 1024, 2) samples as they would be heard."""
        out = np.empty((num_blocks * BLOCK_FRAMES, 2), np.float32)
        for block in range(num_blocks):
            self._fill(out[block * BLOCK_FRAMES : (block + 1) * BLOCK_FRAMES])
        return out


def nothing_to_index(library: Library, progress: ProgressCallback, cancel: CancelToken) -> None:
    """In place of the indexing of a window whose library is ready."""


def make_services(
    library_path: Path,
    settings_path: Path | None = None,
    index: object = nothing_to_index,
    look: object = nothing_to_index,
) -> Services:
    """Everything real but the sound device and the indexing."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    language.install(application, language.ENGLISH, resources_path() / "languages")
    theme = Theme(resources_path() / "icons", application)
    theme.install(application, "light")
    runner = JobRunner(close_timeout_ms=PATIENCE_MS)
    open_library = OpenLibrary(library_path, runner)
    runner.setParent(open_library)
    return Services(
        open_library,
        Settings(settings_path or library_path.with_name("settings.ini")),
        theme,
        Player(make_output=HandOutput),
        Indexing(open_library, index, look),  # type: ignore[arg-type]
        SearchService(runner, lambda: Searcher(open_library.source)),
        library_path.with_name("demo"),
        VocalsCache(library_path.with_name("vocals")),
    )


def make_window(
    qtbot: object,
    library_path: Path,
    *,
    settings_path: Path | None = None,
    index: object = nothing_to_index,
    look: object = nothing_to_index,
    folders: Sequence[Path] = (),
) -> MainWindow:
    """A shown window, made of ``make_services``.

    It does not watch its folders: that would begin two seconds later, in the middle of some test.
    """
    services = make_services(library_path, settings_path, index, look)
    window = MainWindow(services, list(folders))
    window.watch.set_on(False)
    qtbot.addWidget(window)  # type: ignore[attr-defined]
    if not services.settings.get(WINDOW_GEOMETRY):
        window.resize(1200, 780)  # the screen that there is without one is smaller
    window.show()
    return window


@contextmanager
def no_leaks() -> Iterator[None]:
    """Fails on threads, running timers and windows that outlive the block."""
    before = _threads(), _timers(), _windows()
    yield
    if isinstance(QCoreApplication.instance(), QApplication):
        QApplication.clipboard().clear()  # Qt would drop it after Python has ended, and crash
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QCoreApplication.processEvents()
    for thread in _threads() - before[0]:
        thread.join(PATIENCE_S)
    if _timers() - before[1] or _windows() - before[2]:
        gc.unfreeze()  # heavy imports in the middle of a test have frozen its window as well
        gc.collect()
    assert _threads() - before[0] == set()
    assert _timers() - before[1] == set()
    assert _windows() - before[2] == set()


def _threads() -> set[threading.Thread]:
    # Qt's own threads leave a stand-in behind when they have used Python's logging. Those of the
    # decoder processes stay as long as these, for whoever is next.
    return {
        t
        for t in threading.enumerate()
        if not isinstance(t, threading._DummyThread) and not t.name.startswith("decoder")
    }


def _timers() -> set[QTimer]:
    wrappers = shiboken6.getAllValidWrappers()
    return {timer for timer in wrappers if isinstance(timer, QTimer) and timer.isActive()}


def _windows() -> set[QWidget]:
    if not isinstance(QCoreApplication.instance(), QApplication):
        return set()
    return {widget for widget in QApplication.topLevelWidgets() if widget.isVisible()}

"""The pictures of the documentation: every page of the window, in both themes, with the demo songs.

    python tools/pictures.py [FOLDER]      # docs/pictures by default; some minutes

Pillow makes them small.

Nothing of the user's own is read or shown: libraries, settings and reports are made anew.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.player.output import Fill, SoundOutput
    from app.window import MainWindow

SIZE = (1200, 780)
THEMES = ("light", "dark")
SONG = "Two A.M. Botany"
MODELS = ("singalike-3", "ge2e", "mfcc")
PATIENCE_S = 600.0


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/pictures")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home_name:
        home = Path(home_name)
        os.environ |= {f"XDG_{kind}_HOME": str(home) for kind in ("DATA", "CONFIG", "STATE")}
        os.environ |= {"XDG_CACHE_HOME": str(home / "cache"), "OMP_NUM_THREADS": "1"}
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        prepare(home)
        for theme in THEMES:
            take_all(home, theme, target)


def prepare(home: Path) -> None:
    """A library of the demo songs that have been listened to, and a report about them."""
    from app.evaluate.run import Request, run
    from engine.demo import make_demo_library
    from engine.indexing.pipeline import index_folders
    from engine.library import Library
    from engine.paths import data_path
    from engine.progress import CancelToken, ignore_progress

    music = home / "Music"
    make_demo_library(music, ignore_progress, CancelToken())
    with Library.open(home / "library.db") as library:
        library.add_folder(music)
        index_folders(library)
    protocols = ("artist-similarity", "latent-space", "listening-test")
    request = Request(protocols, MODELS, home / "library.db", ("mixture",), num_triplets=10)
    run(request, data_path() / "evaluations", ignore_progress, CancelToken())


def take_all(home: Path, theme: str, target: Path) -> None:
    from PySide6.QtGui import QPainter
    from PySide6.QtWidgets import QApplication

    def keep(widget: QWidget, name: str) -> None:
        QApplication.processEvents()
        path = target / f"{name}-{theme}.png"
        picture = widget.grab()
        if (popup := QApplication.activePopupWidget()) is not None:
            place = widget.mapFromGlobal(popup.pos())
            painter = QPainter(picture)
            painter.drawPixmap(place, popup.grab())
            painter.end()
        if not picture.save(str(path), "PNG"):
            raise OSError(f"{path} cannot be written.")
        make_smaller(path)
        print(f"{path}  {path.stat().st_size / 1000:.0f} kB", flush=True)

    newcomer = open_window(home, theme, "empty.db")
    wait_until(lambda: newcomer.pages.currentWidget() is newcomer.start_page)
    keep(newcomer, "start")
    newcomer.close()
    window = open_window(home, theme, "library.db")
    for take in (take_library, take_map, take_evaluation, take_test, take_dialogs):
        take(window, keep)
    window.close()


def make_smaller(path: Path) -> None:
    """256 colours are enough for a picture of the window, and take half the room."""
    from PIL import Image

    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def open_window(home: Path, theme_name: str, library: str) -> MainWindow:
    from PySide6.QtWidgets import QApplication

    from app.player.player import Player
    from app.services.services import make_services
    from app.settings import THEME, WATCH_FOLDERS, Settings
    from app.ui.theme import Theme
    from app.window import MainWindow
    from engine.paths import resources_path

    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    settings = Settings(home / "settings.ini")
    settings.set(THEME, theme_name)
    settings.set(WATCH_FOLDERS, False)
    theme = Theme(resources_path() / "icons", application)
    theme.install(application, theme_name)
    services = make_services(home / library, settings, theme)
    services.player = Player(make_output=_silent_output)
    window = MainWindow(services)
    window.resize(*SIZE)
    window.show()
    return window


def _silent_output(fill: Fill) -> SoundOutput:
    """A sound device that nobody hears: what plays stands still."""
    from app.player.output import SoundOutput

    class Silence(SoundOutput):
        def _send(self, command: Callable[[], None] | None) -> None:
            if command == self._look:
                self.listed.emit(["Speakers", "Headphones"])

    return Silence(fill)


def wait_until(is_done: Callable[[], bool]) -> None:
    from PySide6.QtCore import QElapsedTimer, QEventLoop, QTimer

    loop, timer, clock = QEventLoop(), QTimer(), QElapsedTimer()
    clock.start()
    timer.timeout.connect(lambda: loop.quit() if is_done() else None)
    timer.timeout.connect(lambda: loop.quit() if clock.hasExpired(int(PATIENCE_S * 1000)) else None)
    timer.start(20)
    loop.exec()
    timer.stop()
    if not is_done():
        raise TimeoutError("The window did not get there.")


def rest(milliseconds: int = 400) -> None:
    """For covers and waveforms to come."""
    from PySide6.QtCore import QElapsedTimer

    clock = QElapsedTimer()
    clock.start()
    wait_until(lambda: clock.hasExpired(milliseconds))


# The pages

Keep = Callable[["QWidget", str], None]


def take_library(window: MainWindow, keep: Keep) -> None:
    """A song, its nearest voices, and the moments at which both are most alike."""
    library, results = window.library, window.results
    wait_until(lambda: bool(library.model.ids) and not window.services.indexing.is_running)
    rest()
    tracks = enumerate(library.model.track_at(row) for row in range(len(library.model.ids)))
    row, song = next((i, t) for i, t in tracks if t is not None and t.title == SONG)
    library.view.selectRow(row)
    window.services.search.find_track(song)
    wait_until(lambda: bool(results.voices.model.neighbours))
    results.voices.view.setCurrentIndex(results.voices.model.index(1))
    rest(1500)
    window.comparison.play_next_moment()
    rest()
    keep(window, "library")
    window.services.player.pause()
    results.filter_button.open_sheet()
    rest()
    keep(window, "filters")
    if (sheet := results.filter_button.sheet) is not None:
        sheet.hide()


def take_map(window: MainWindow, keep: Keep) -> None:
    from app.ui.top_bar import Page

    window.show_page(Page.MAP)
    page = window.map_page
    wait_until(lambda: len(page.view.positions) > 0 and not page.source.is_making)
    page.tools.preview.setChecked(False)
    page.view.point_to(3)
    rest(1000)
    keep(window, "map")


def take_evaluation(window: MainWindow, keep: Keep) -> None:
    from app.ui.top_bar import Page

    window.show_page(Page.EVALUATE)
    page: Any = window.sections[Page.EVALUATE]
    wait_until(lambda: bool(page.reports))
    rest()
    keep(window, "evaluate")
    page.panel.list.setCurrentRow(0)
    page.pages.currentWidget().show_protocol("latent-space")
    rest(3000)  # figures are drawn in the background
    keep(window, "report")


def take_test(window: MainWindow, keep: Keep) -> None:
    from PySide6.QtWidgets import QPushButton

    from app.ui.top_bar import Page

    page: Any = window.sections[Page.EVALUATE]
    page.show_test(page.reports[0])

    def begin() -> list[QPushButton]:
        buttons = page.findChildren(QPushButton)
        return [b for b in buttons if b.property("kind") == "primary" and b.isVisible()]

    wait_until(lambda: bool(begin()))
    begin()[0].click()
    rest(1000)
    keep(window, "listening-test")
    window.show_page(Page.LIBRARY)


def take_dialogs(window: MainWindow, keep: Keep) -> None:
    from app.preferences.dialog import PreferencesDialog

    window.show_preferences()
    (dialog,) = window.findChildren(PreferencesDialog)
    rest()
    keep(dialog, "preferences")
    dialog.close()


if __name__ == "__main__":
    main()

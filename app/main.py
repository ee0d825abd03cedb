"""Starts the window. Torch is not imported here: the window is there first."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from app.desktop.log import start_log
from engine.heap import limit_heaps
from engine.paths import log_path
from engine.sound.decoding import serve_if_asked

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection

# What desktops, app stores and macOS know the program by: a domain backwards. No domain is ours,
# and names below "alt" are nobody's: RFC 9476 keeps them out of the DNS for good.
APP_ID = "alt.singalike.Singalike"
# The variables of Linux that say where a window may appear.
DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
# How long a busy thread may keep the others from running Python. With two busy ones, the audio
# callback ran dry 3 to 6 times in 6 s at the default of 5 ms, and never at this.
SWITCH_INTERVAL_S = 0.0005


def main(arguments: list[str] | None = None) -> int:
    """Entry of ``singalike-app``. Returns the exit code."""
    multiprocessing.freeze_support()  # first: a frozen child process must not open a window
    serve_if_asked()  # nor must a decoder process
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    limit_heaps()
    _give_streams()
    options = _parse(arguments)
    if sys.platform == "linux" and not any(map(os.environ.get, DISPLAYS)):  # Qt would abort
        print(
            "There is no display here for a window. Start it on a desktop (over ssh: ssh -X), or "
            "use the command line (singalike --help).",
            file=sys.stderr,
        )
        return 1
    start_log(log_path())
    if sys.platform == "win32":
        # Qt brings an older Microsoft run-time library, with which torch's DLLs then fail to load.
        import torch  # noqa: F401
    return _run(options)


def _give_streams() -> None:
    """A windowed program on Windows has no streams; libraries that print would fail."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="singalike-app", description="Find singers who sound alike in your own music."
    )
    what = "folders of music to add, or songs to hear and to search with"
    parser.add_argument("paths", nargs="*", type=Path, help=what)
    parser.add_argument("--library", type=Path, help="library file (default: your own)")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> int:
    from PySide6.QtCore import QCoreApplication, Qt, QUrl

    from app.crash import CrashReporter
    from app.desktop.application import Application
    from app.desktop.single_instance import SingleInstance, hand_over
    from app.services.desktop import Desktop
    from app.services.services import make_services
    from app.settings import LANGUAGE, TEXT_SIZE, THEME, Settings
    from app.ui import language
    from app.ui.theme import Theme
    from app.window import MainWindow
    from engine import __version__
    from engine.paths import default_library_path, log_path, resources_path, settings_path

    reporter = CrashReporter(log_path())
    reporter.install()
    QCoreApplication.setApplicationName("Singalike")
    QCoreApplication.setApplicationVersion(__version__)
    app = Application(sys.argv[:1])
    app.setDesktopFileName(APP_ID)
    library_path = options.library or default_library_path()
    paths = [path.absolute() for path in options.paths]
    if hand_over(library_path, paths):
        return 0
    settings = Settings(settings_path())
    theme = Theme(resources_path() / "icons", app)
    language.install(app, settings.get(LANGUAGE), resources_path() / "languages")
    theme.install(app, settings.get(THEME), settings.get(TEXT_SIZE))
    window = MainWindow(make_services(library_path, settings, theme), paths)
    reporter.crashed.connect(window.notice.show_crash, Qt.ConnectionType.QueuedConnection)
    desktop = Desktop(window, window.services, APP_ID, _bus())
    desktop.open_requested.connect(lambda url: window.come_forward([Path(QUrl(url).toLocalFile())]))
    instance = SingleInstance(library_path, app)
    instance.asked.connect(window.come_forward)
    app.files_opened.connect(window.come_forward)
    app.commitDataRequest.connect(window.save)  # logging out, where desktops ask before they end it
    app.quit_on_signals()
    app.outlive_its_display()
    window.show()
    gc.freeze()  # what is there now stays: looking through it again would stop the window each time
    code = app.exec()
    is_display_gone = window.isVisible()  # Qt ended the loop, but closed nothing
    if is_display_gone:
        window.stop()
    instance.close()
    desktop.close()
    reporter.remove()
    if is_display_gone or not window.has_stopped:
        # Work that does not listen (loading a library of code, say) must not keep the program
        # alive, nor Qt say farewell to a server that is gone. All that matters is in the library
        # already: every track is one transaction.
        os._exit(code)
    return code


def _bus() -> QDBusConnection | None:
    if sys.platform != "linux":
        return None
    from PySide6.QtDBus import QDBusConnection

    return QDBusConnection.sessionBus()


if __name__ == "__main__":
    sys.exit(main())

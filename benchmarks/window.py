"""How fast the window is with 100,000 songs.

    python benchmarks/window.py make LIBRARY            # once: 100,000 made-up songs, minutes
    python benchmarks/window.py run LIBRARY [FOLDER]    # FOLDER: real songs to listen to meanwhile
    python benchmarks/window.py map LIBRARY             # lays the map out anew

``run`` tells the time to the first window (fresh processes), from a click to the results, of
drawing the map, and the longest stall of the UI thread: a timer of 10 ms that comes late by so
much, while songs are listened to and others are searched for. All of it depends on what else the
machine does: the load average is printed, and how late a process is that only sleeps.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import made_up
import numpy as np

if TYPE_CHECKING:
    from app.window import MainWindow

NUM_SONGS = 100_000
TIMER_MS = 10
POLL_MS = 2
NUM_STARTS, NUM_CLICKS, NUM_FRAMES = 5, 40, 30
STALL_S = 20.0

START = """
import sys, time
from pathlib import Path
started = float(sys.argv[2])
from PySide6.QtCore import QTimer
import app.main, app.window
class Window(app.window.MainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        if not hasattr(self, "painted"):
            self.painted = f"{time.time() - started} {time.process_time()}"
            QTimer.singleShot(0, self.tell)
    def tell(self):
        print(self.painted, flush=True)
        self.services.open_library.listed.connect(lambda _: QTimer.singleShot(0, self.close))
app.window.MainWindow = Window
sys.exit(app.main.main(["--library", sys.argv[1]]))
"""


SLEEPER = """
import json, sys, threading, time
late, is_over = [], threading.Event()
threading.Thread(target=lambda: (sys.stdin.readline(), is_over.set())).start()
print("ready", flush=True)
last = time.perf_counter()
while not is_over.is_set():
    time.sleep(0.01)
    now = time.perf_counter()
    late.append(now - last - 0.01)
    last = now
print(json.dumps(late))
"""


# The library


def make(path: Path) -> None:
    """Made-up songs in both default spaces, and the graphs of both."""
    from engine.library import Library
    from engine.search.index import graph

    made_up.make(path, NUM_SONGS)
    with Library.open(path) as library:
        for space_id, key in library.spaces():
            graph.refresh(library, space_id, num_threads=-1)
            print(f"{key.view}: search index made", flush=True)


def lay_out(path: Path) -> None:
    from engine.library import Library
    from engine.map.library_map import make_map
    from engine.progress import Progress

    last = ""

    def progress(report: Progress) -> None:
        nonlocal last
        if report.stage != last:
            last = report.stage
            print(f"  {last} at {time.process_time() - started:.1f} s", flush=True)

    with Library.open(path) as library:
        space_id = library.space_id(made_up.space_key("vocals", made_up.DIMS["vocals"]))
        started, begun = time.process_time(), time.monotonic()
        record = make_map(library, space_id, progress)
        tell(
            f"map of {len(record.track_ids):,} songs",
            f"{time.process_time() - started:.0f} s of one core, "
            f"{time.monotonic() - begun:.0f} s by the clock",
        )


# Measures


def tell(name: str, value: str) -> None:
    print(f"{name:<46} {value}   (load {os.getloadavg()[0]:.1f})", flush=True)


def spread(values: Sequence[float]) -> str:
    """Milliseconds of values in seconds."""
    ms = 1000 * np.asarray(values)
    return (
        f"median {np.median(ms):.0f} ms, p95 {np.percentile(ms, 95):.0f}, "
        f"p99 {np.percentile(ms, 99):.0f}, max {ms.max():.0f}"
    )


def time_starts(path: Path, home: Path) -> None:
    """From the start of a process to the first painting of the window."""
    seconds, busy = [], []
    for _ in range(NUM_STARTS + 1):
        started = time.time()
        done = subprocess.run(
            [sys.executable, "-c", START, str(path), str(started)],
            env=os.environ | homes(home),
            capture_output=True,
            text=True,
            check=True,
        )
        painted, spent = done.stdout.split()
        seconds.append(float(painted))
        busy.append(float(spent))
    tell("first window, cold", f"{seconds[0]:.2f} s")
    tell(
        "first window, warm",
        f"median of {NUM_STARTS}: {statistics.median(seconds[1:]):.2f} s; "
        f"processor {statistics.median(busy[1:]):.2f} s",
    )


def homes(home: Path) -> dict[str, str]:
    kinds = ("DATA", "CONFIG", "CACHE", "STATE")
    return {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in kinds}


def wait_until(is_done: Callable[[], bool], seconds: float = 120.0) -> None:
    """In an event loop that sleeps, as the program's own does: a busy one would take the
    processor, and Python's lock, from the threads that are waited for.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    loop, until = QEventLoop(), time.monotonic() + seconds
    timer = QTimer()
    timer.setInterval(POLL_MS)
    timer.timeout.connect(lambda: loop.quit() if is_done() or time.monotonic() > until else None)
    timer.start()
    if not is_done():
        loop.exec()
    timer.stop()
    if time.monotonic() > until:
        raise TimeoutError("the window did not get there")


def click_row(window: MainWindow, row: int) -> None:
    """Bring a row into sight and click it."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    view = window.library.view
    index = window.library.model.index(row, 1)
    view.scrollTo(index)
    place = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def time_clicks(window: MainWindow) -> None:
    """From a click on a song, whose row is in sight, to its painted results."""
    answers: list[object] = []
    window.services.search.answered.connect(answers.append)
    random = np.random.default_rng(0)
    seconds, busy = [], []

    def is_there(row: int) -> bool:
        return window.library.model.track_at(row) is not None

    for row in random.integers(0, NUM_SONGS, NUM_CLICKS + 2).tolist():
        window.library.view.scrollTo(window.library.model.index(row, 1))
        wait_until(partial(is_there, row))
        window.library.view.viewport().repaint()  # it is seen before it is clicked
        answers.clear()
        started, spent = time.perf_counter(), time.process_time()
        click_row(window, row)
        wait_until(lambda: bool(answers))
        window.results.repaint()
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - spent)
    name = "from a click to the results"  # less the first ones, which load the graph
    tell(name, f"{spread(seconds[2:])}; processor {1000 * statistics.median(busy[2:]):.0f} ms")


def frames(name: str, draw: Callable[[int], object]) -> None:
    """By the clock, and of the processor, which does not depend on what else runs."""
    seconds, busy = [], []
    for step in range(NUM_FRAMES):
        started, spent = time.perf_counter(), time.thread_time()
        draw(step)
        seconds.append(time.perf_counter() - started)
        busy.append(time.thread_time() - spent)
    tell(name, f"{spread(seconds)}; processor {1000 * statistics.median(busy):.1f} ms")


def time_frames(window: MainWindow) -> None:
    """Drawing all points anew, and moving what was drawn."""
    from PySide6.QtCore import QPointF

    from app.map.picking import nearest
    from app.ui.top_bar import Page

    window.show_page(Page.MAP)
    page, view = window.map_page, window.map_page.view
    wait_until(lambda: page._opened is not None)
    if page._opened is None or page._opened.record is None:
        print("  (no map to draw: make one with the command map)")
        window.show_page(Page.LIBRARY)
        return
    wait_until(lambda: len(view.positions) > 0)
    for name, factor in (("whole", 1.0), ("4 times nearer", 4.0), ("40 times nearer", 40.0)):
        view.show_all()
        view.zoom(factor)
        frames(f"map, drawn anew, {name}", lambda _: view._draw())
    view.show_all()
    view.repaint()

    def move(step: int) -> None:
        view.zoom(1.03 if step % 2 else 1 / 1.02, QPointF(300, 200))
        view.repaint()

    frames("map, a frame while moving", move)
    frames(
        "map, finding the song below the pointer",
        lambda step: nearest(view.camera.pixels(view.positions), 10 * step, 300, 14),
    )
    page.view.point_to(-1)
    window.show_page(Page.LIBRARY)


def is_over(until_s: float) -> bool:
    return time.monotonic() > until_s


class Lateness:
    """How late a timer is that should come every 10 ms; beside it, a process that only sleeps."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self._late: list[float] = []
        self._last_s = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TIMER_MS)
        self._timer.timeout.connect(self._tick)

    def _tick(self) -> None:
        now_s = time.perf_counter()
        self._late.append(max(0.0, now_s - self._last_s - TIMER_MS / 1000))
        self._last_s = now_s

    def measure(
        self,
        name: str,
        act: Callable[[int], object],
        until: Callable[[], bool] = lambda: False,
        start: Callable[[], object] = lambda: None,
    ) -> None:
        """For some seconds, or until something has happened."""
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-c", SLEEPER], stdin=pipe, stdout=pipe, text=True
        ) as sleeper:
            assert sleeper.stdout is not None
            sleeper.stdout.readline()
            self._late.clear()
            self._last_s = time.perf_counter()
            self._timer.start()
            start()
            end_s, number = time.monotonic() + STALL_S, 0
            while time.monotonic() < end_s and not until():
                act(number)
                number += 1
                wait_until(partial(is_over, time.monotonic() + 0.4))
            self._timer.stop()
            beside, _ = sleeper.communicate("stop\n")
        tell(f"UI thread late, {name}", spread(self._late))
        tell("  a process that only sleeps, beside it", spread(json.loads(beside)))


def time_stalls(window: MainWindow, folder: Path | None) -> None:
    lateness = Lateness()
    random = np.random.default_rng(1)
    searches = ["singer 12", "song 77", "", "album 4", "genre 3 song"]

    def use(number: int) -> None:
        window.top_bar.search.setText(searches[number % len(searches)])
        if number % 2 and window.library.model.ids:
            click_row(window, int(random.integers(0, len(window.library.model.ids))))

    lateness.measure("at rest", lambda _: None)
    lateness.measure("searching", use)
    if folder is None:
        return
    indexing = window.services.indexing

    def is_listening() -> bool:
        progress = indexing.last_progress
        return progress is not None and progress.stage in made_up.VIEWS

    lateness.measure(
        "searching while a run begins",
        use,
        is_listening,
        lambda: window.services.open_library.add_folders([folder]),
    )
    wait_until(is_listening)
    lateness.measure("searching while songs are listened to", use)
    if not indexing.is_running:
        print("  (the songs were all heard before the end: give more)")


def run(path: Path, folder: Path | None) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home_name:
        home = Path(home_name)
        os.environ.update(homes(home))
        time_starts(path, home)
        window = open_window(path, home)
        wait_until(lambda: len(window.library.model.ids) >= NUM_SONGS)  # FOLDER stays in
        time_clicks(window)
        time_frames(window)
        time_stalls(window, folder)
        window.close()


def open_window(path: Path, home: Path) -> MainWindow:
    from PySide6.QtWidgets import QApplication

    from app.services.services import make_services
    from app.settings import Settings
    from app.ui.theme import Theme
    from app.window import MainWindow
    from engine.paths import resources_path

    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    theme = Theme(resources_path() / "icons", application)
    theme.install(application, "light")
    window = MainWindow(make_services(path, Settings(home / "settings.ini"), theme))
    theme.setParent(window)  # one a window; the program has one of both
    window.services.indexing.look_work = lambda *_: None  # the songs' files do not exist
    window.resize(1440, 900)
    window.show()
    gc.freeze()  # as app.main does
    return window


def main(arguments: list[str]) -> int:
    if len(arguments) < 2 or arguments[0] not in ("make", "run", "map"):
        print(__doc__, file=sys.stderr)
        return 2
    sys.setswitchinterval(0.0005)  # as app.main does
    if not os.environ.get("DISPLAY") and sys.platform == "linux":
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    path = Path(arguments[1])
    if arguments[0] == "make":
        make(path)
    elif arguments[0] == "map":
        lay_out(path)
    else:
        run(path, Path(arguments[2]) if len(arguments) > 2 else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Somebody uses the window for an hour, at random, with 100,000 made-up songs and a few real ones.

    python -m tools.use --minutes 60 --seed 0                (make use MINUTES=60)

The made-up library is laid into build/use once (minutes). What must hold: nothing is logged as an
error, the window never works for 250 ms at a stretch, and memory is flat. What is loaded once and
stays (networks, indexes, figures) is no growth: a sitting begins with all that there is to do, and
from then on memory is measured while nothing works, less what is free in it. Whatever held the
window up is told with its place in the code, also where it only waited for a busy machine.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import shiboken6
import window as made_up  # of the benchmarks
from faults.soak import WARM_UP_SHARE, used_memory_bytes
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.crash import CrashReporter
from app.desktop.application import Application
from app.evaluate.page import EvaluatePage
from app.find.filters import NOTHING_FILTERED
from app.main import SWITCH_INTERVAL_S
from app.player.queue import Side, sound_of_file
from app.ui.shortcuts import Keys
from app.ui.top_bar import Page
from engine.demo import make_demo_library
from engine.heap import limit_heaps
from engine.library.scope import Scope

STALL_S, TICK_S = 0.25, 0.01
SITTING_S = 1800.0  # then the window is closed and opened again
REST_S, PATIENCE_S = 20.0, 120.0  # between two measures of memory; for work to come to its end
# What is free in small pieces comes and goes. A song that stays decoded is 80 MB, and what is lost
# ten times a minute is too much from 100 kB on.
MAX_GROWTH_BYTES, MAX_GROWTH_BYTES_AN_HOUR = 40_000_000, 60_000_000
MAX_GROWTH_OBJECTS = 300  # of Qt: a dialog has some dozens
LEFT = Qt.MouseButton.LeftButton
TEXTS = ("singer 12", "song 77", "album 4", "genre 3 song", "nobody", "a", "")
NOT_PRESSED = {"QUIT", "ADD_FOLDER", "FIND_FILE", "CATALOGUE", "SAVE", "REVEAL", "FOLDERS", "HELP"}


class Watch(threading.Thread):
    """How long the window was held up, and how long of that it worked: machines have other work."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stalls: list[tuple[float, float, str, str]] = []  # working, held, doing what, where
        self.doing = ""  # nothing counts while it is empty
        self._window_thread, self._place = threading.get_ident(), ""
        self._last_s, self._last_busy_s = time.perf_counter(), time.thread_time()
        self._timer = QTimer(interval=round(1000 * TICK_S), timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._come_back)
        self._timer.start()

    def _come_back(self) -> None:
        now_s, busy_s = time.perf_counter(), time.thread_time()
        if (held_s := now_s - self._last_s) > STALL_S and self.doing:
            worked_s = round(busy_s - self._last_busy_s, 3)
            self.stalls.append((worked_s, round(held_s, 3), self.doing, self._place))
        self._last_s, self._last_busy_s, self._place = now_s, busy_s, ""

    def run(self) -> None:
        while True:
            time.sleep(TICK_S)
            if time.perf_counter() - self._last_s > STALL_S and not self._place:
                self._place = place_of(self._window_thread)


def place_of(thread: int) -> str:
    """Where a thread is, the innermost frames. Its frames themselves are not held: a painter in
    them that lives on after its picture is done brings Qt down.
    """
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file)
        file.seek(0)
        stacks = file.read().split("\n\n")
    return next((s for s in stacks if f"0x{thread:016x} " in s), "").partition("\n")[2][:600]


class Person:
    def __init__(self, folder: Path, songs: list[Path], seed: int, watch: Watch) -> None:
        """``folder``: with the library and its music, where ``songs`` come and go."""
        self.folder, self.songs, self.watch = folder, songs, watch
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        often = (self.click, self.click, self.press, self.press, self.narrow)
        self.acts = (*often, self.map, self.index, self.evaluate, self.open_dialog)

    def sit_down(self, end_s: float) -> np.ndarray:
        """The window from its start to its end. Returns (n, 3): hours, bytes and Qt's objects."""
        self.window = made_up.open_window(self.folder / "library.db", self.folder)
        made_up.wait_until(lambda: bool(self.window.library.model.ids))
        for act in dict.fromkeys(self.acts):
            self.do(act)
        for keys in self.keys:
            self.press(keys)
        self.evaluate_something()
        self.ask_with_a_file()
        end_s, measures = min(end_s, time.monotonic() + SITTING_S), list[tuple[float, int, int]]()
        while time.monotonic() < end_s or len(measures) < 2:
            measures.append(self.at_rest())
            rest_s = time.monotonic() + REST_S
            while time.monotonic() < rest_s:
                self.do(self.random.choice(self.acts))
        self.window.close()
        self.window.deleteLater()
        del self.window
        gc.unfreeze()  # what open_window has frozen
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()  # before the next one freezes what is left
        return np.array(measures)

    def do(self, act: Callable[[], object]) -> None:
        """And wait for a moment."""
        self.watch.doing = name = getattr(act, "__name__", "")
        act()
        self.done[name] += 1
        QTest.qWait(self.random.choice((0, 20, 100, 300, 1000)))
        self.watch.doing = ""

    def at_rest(self) -> tuple[float, int, int]:
        """Once all work has come to its end."""
        services = self.window.services
        self.evaluate_page().cancel()
        self.window.show_page(Page.LIBRARY)
        services.player.pause()
        self.wait_for_work()
        services.player.queue.clear()  # what a lasso was around is put into it by Ctrl+D
        memory_bytes = used_memory_bytes()
        return time.monotonic() / 3600, memory_bytes, len(shiboken6.getAllValidWrappers())

    def wait_for_work(self) -> None:
        """To its end; one job watches the folders all the time."""
        runner = self.window.services.open_library.runner
        made_up.wait_until(lambda: runner.num_jobs <= self.window.watch.is_watching, PATIENCE_S)

    def evaluate_page(self) -> EvaluatePage:
        self.window.show_page(Page.EVALUATE)
        page = self.window.sections[Page.EVALUATE]
        assert isinstance(page, EvaluatePage)
        return page

    def evaluate_something(self) -> None:
        """To its end: a few of the songs that there are, which also loads what draws figures."""
        page = self.evaluate_page()
        made_up.wait_until(lambda: page.setup.start.isEnabled(), PATIENCE_S)
        page.setup.start.click()
        made_up.wait_until(lambda: not page.is_running, PATIENCE_S)

    def ask_with_a_file(self) -> None:
        """And hear its voice alone: both load networks, and made-up songs have no sound for it."""
        player = self.window.services.player
        player.set_vocals_only(True)
        player.play(Side.QUERY, sound_of_file(self.songs[0]))
        self.window.commands.open_paths(self.songs[:1])
        self.wait_for_work()

    def point_in(self, widget: QWidget) -> QPoint:
        return QPoint(*map(self.random.randrange, widget.size().toTuple()))

    def click_on(self, widget: QWidget) -> None:
        if widget.isVisible():
            QTest.mouseClick(widget, LEFT, pos=self.point_in(widget))

    def click(self) -> None:
        self.window.show_page(Page.LIBRARY)
        bar = self.window.library.view.verticalScrollBar()
        bar.setValue(self.random.randint(0, bar.maximum()))
        self.click_on(self.window.library.view.viewport())
        self.click_on(self.window.results.voices.view.viewport())
        self.click_on(self.window.player_bar._seek)

    @property
    def keys(self) -> list[Keys]:
        return [one for one in self.window._actions._by_keys() if one.name not in NOT_PRESSED]

    def press(self, keys: Keys | None = None) -> None:
        keys = keys or self.random.choice(self.keys)
        self.watch.doing = f"press {keys.name}"
        self.window._actions._by_keys()[keys]()
        self.close_dialogs()

    def map(self) -> None:
        self.window.show_page(Page.MAP)
        view = self.window.map_page.view
        view.zoom(self.random.choice((0.5, 1.5, 4.0)), self.point_in(view).toPointF())
        view.set_lasso(self.random.random() < 0.5)  # else it is moved
        QTest.mousePress(view, LEFT, pos=self.point_in(view))
        for _ in range(6):
            QTest.mouseMove(view, self.point_in(view))
        QTest.mouseRelease(view, LEFT, pos=self.point_in(view))

    def narrow(self) -> None:
        """By words, and by filters."""
        self.window.top_bar.search.setText(self.random.choice(TEXTS))
        year = self.random.choice((None, 1960, 1990))
        scope = Scope(first_year=year, last_year=year + 10) if year else Scope()
        filters = replace(
            NOTHING_FILTERED,
            other_artists=self.random.random() < 0.5,
            one_per_artist=self.random.random() < 0.5,
            scope=scope,
        )
        self.window.results.filter_button.set_filters(filters)

    def evaluate(self) -> None:
        page = self.evaluate_page()
        page.cancel() if page.is_running else page.setup.start.click()

    def index(self) -> None:
        """A few songs come, or go, while the window is used."""
        music = self.folder / "music"
        if self.random.random() < 0.5:
            shutil.rmtree(music, ignore_errors=True)
        for song in self.random.sample(self.songs, 3):
            (music / song.parent.name).mkdir(parents=True, exist_ok=True)
            shutil.copy(song, music / song.parent.name)
        self.window.services.open_library.add_folders([music])

    def open_dialog(self) -> None:
        shown = self.window.commands
        self.random.choice((self.window.show_preferences, shown.show_help, shown.show_folders))()
        QTest.qWait(300)
        self.close_dialogs()

    def close_dialogs(self) -> None:
        for shown in QApplication.topLevelWidgets():
            if shown is not self.window and shown.isVisible():
                shown.close()


def use(folder: Path, songs: list[Path], minutes: float, seed: int) -> bool:
    """Whether all went well. Tells what was done, on standard output."""
    told: list[str] = []
    errors = logging.Handler(logging.ERROR)
    errors.emit = lambda record: told.append(logging.Formatter().format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(errors)
    watch = Watch()
    watch.start()
    person, end_s = Person(folder, songs, seed, watch), time.monotonic() + 60 * minutes
    sittings: list[np.ndarray] = []
    while time.monotonic() < end_s:
        sittings.append(person.sit_down(end_s))
    stalls = sorted(watch.stalls, reverse=True)
    print("\n".join([*told, *("\n".join(map(str, stall)) for stall in stalls)]), file=sys.stderr)
    facts = {"errors": len(told), "stalls": [stall[:3] for stall in stalls]}
    memory = [sitting.round(4).tolist() for sitting in sittings]
    json.dump({**person.done, **facts, "hours, bytes, objects": memory}, sys.stdout)
    is_smooth = all(stall[0] < STALL_S for stall in stalls)
    return not told and is_smooth and all(map(is_flat, sittings))


def is_flat(measures: np.ndarray) -> bool:
    """(n, 3) as ``sit_down`` returns them: from the first third to the last, by their medians, once
    all is loaded: what indexing needs, say, comes with the first new songs.
    """
    settled = measures[int(WARM_UP_SHARE * len(measures)) :]
    third = max(1, len(settled) // 3)
    hours, num_bytes, num_objects = np.median(settled[-third:], 0) - np.median(settled[:third], 0)
    most = MAX_GROWTH_BYTES + hours * MAX_GROWTH_BYTES_AN_HOUR
    print(f"{num_bytes / 1e6:.0f} MB, {num_objects:.0f} objects in {hours:.2f} h", file=sys.stderr)
    return bool(num_bytes < most and num_objects < MAX_GROWTH_OBJECTS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    limit_heaps()
    built, folder = Path("build/use"), Path(tempfile.mkdtemp(prefix="singalike-use-"))
    songs = make_demo_library(built / "demo")
    if not (built / "library.db").exists():
        made_up.make(built / "library.db")
        made_up.lay_out(built / "library.db")
    shutil.copy(built / "library.db", folder)
    os.environ.update(made_up.homes(folder))
    app, reporter = Application([]), CrashReporter(folder / "log")
    reporter.install()
    is_well = use(folder, songs, given.minutes, given.seed)
    reporter.remove()
    shutil.rmtree(folder)
    app.quit()
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())

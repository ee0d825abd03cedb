"""The Evaluate page alone, on a library of voices that differ; and reports made by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from support.app_window import make_services
from support.evaluation import RATE_HZ, SINGERS, backing, voice
from support.sound import buzz, write_wav

from app.evaluate.page import EvaluatePage
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.report import write
from engine.evaluation.results import Bars, Column, Curves, HeatMaps, Points, Report, Result, Table
from engine.evaluation.triplets import ListeningTest, Secret, Triplet, save_test
from engine.library import Library
from engine.library.scan.scan import scan

NAN = math.nan


def voice_library(folder: Path, num_singers: int = 4, num_songs: int = 3) -> Path:
    """A library file with songs by singers who can be told apart; nothing of it is indexed.

    What takes long on a busy machine only because it is done for the first time is done now, where
    nobody waits for it: importing torch, and matplotlib's look at all fonts.
    """
    import matplotlib.font_manager  # noqa: F401
    import torch  # noqa: F401

    for singer, name in enumerate(SINGERS[:num_singers]):
        for song in range(num_songs):
            path = folder / "music" / name / f"Album {song}" / f"Song {song}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            sound = voice(singer, song, 5.5) + backing(100 * singer + song, 5.5)
            write_wav(path, np.clip(sound, -1, 1), RATE_HZ)
    (folder / "music").mkdir(exist_ok=True)
    with Library.open(folder / "library.db") as library:
        library.add_folder(folder / "music")
        scan(library)
    return folder / "library.db"


@contextmanager
def open_page(qtbot: object, library_path: Path, reports_path: Path) -> Iterator[EvaluatePage]:
    """A shown page, closed like the window closes it: hidden first, then all work is stopped."""
    services = make_services(library_path)
    page = EvaluatePage(services, reports_path)
    for part in (services.open_library, services.player, services.indexing, services.search):
        part.setParent(page)
    qtbot.addWidget(page)  # type: ignore[attr-defined]
    page.resize(1024, 600)
    page.show()
    page.activateWindow()
    yield page
    page.hide()
    services.player.close()
    assert services.open_library.close()
    page.close()


def wait_until_ready(qtbot: object, page: EvaluatePage) -> None:
    """Models are listed, and the music is counted."""
    qtbot.waitUntil(  # type: ignore[attr-defined]
        lambda: bool(page.setup.models) and "Counting" not in page.setup.facts_text.text(),
        timeout=20_000,
    )


def choose_models(page: EvaluatePage, *names: str) -> None:
    for name, choice in page.setup.models.items():
        choice.box.setChecked(name in names)


def choose_protocols(page: EvaluatePage, *names: str) -> None:
    for name, choice in page.setup.protocols.items():
        choice.box.setChecked(name in names)


def run_to_the_end(qtbot: object, page: EvaluatePage) -> None:
    page.setup.start.click()
    assert page.is_running
    qtbot.waitUntil(lambda: not page.is_running, timeout=120_000)  # type: ignore[attr-defined]


E = Estimate(0.25, 0.1, 0.4)
BARS = Bars("eer", "Error rate", "EER", ("mixture", "vocals"), {"m": (E, None), "n": (E, E)}, 0.5)
CURVES = Curves(
    "lengths", "By length", "length, s", "accuracy", (1.0, 5.0, 30.0),
    {"mixture": {"m": (E, E, Estimate(NAN, NAN, NAN)), "n": (E, E, Estimate(0.5, NAN, NAN))}}, 0.2,
)  # fmt: skip
HEAT = HeatMaps(
    "same", "Same song", ("m", "n"), {"mixture: overall": ((NAN, 0.5), (0.25, NAN))},
    {"mixture: overall": ("m (1–2)", "n (2–1)")},
)  # fmt: skip
POINTS = Points(
    "t-sne", "Map", "singer",
    {"mixture: m": (np.array([[0.0, 0], [1, 0], [1, 2]]), ("A", "A", "B"))},
    {"mixture: m": "silhouette 0.5"}, 1, {"mixture: m": ("A – <b>one</b>", "A – two", "B – three")},
)  # fmt: skip


def similarity_table(*values: float) -> Table:
    """Error rates of models m0, m1, ..."""
    columns = (
        Column("input", "input"),
        Column("model", "model"),
        Column("eer", "EER", "%", "lower"),
        Column("r_at_1", "R@1", "%", "higher"),
        Column("clips", "clips"),
    )
    rows = tuple(
        ("mixture", f"m{i}", Estimate(v, v / 2, v), Estimate(1 - v, NAN, NAN), 3)
        for i, v in enumerate(values)
    )
    return Table("distinct-songs", "Distinct songs", columns, rows, "A note.")


def write_report(
    folder: Path,
    *results: Result,
    created: str = "2026-01-02T03:04:05+00:00",
    content: str = "a",
) -> Path:
    """``content`` stands for the hash of the music."""
    report = Report(
        created, "singalike evaluate …", 7, {"numpy": "2"},
        {"name": "My <b>music</b>", "songs": 3, "singers": 2, "clips": 3,
         "content_sha256": content},
        ({"name": "m0", "sha256": "0"}, {"name": "m1", "sha256": "1"}), ("mixture",),
        {"seed": 7, "num_replicates": 20, "separator": "spleeter"}, ("A note of all.",), results,
    )  # fmt: skip
    write(report, folder)
    return folder


def write_listening_test(folder: Path, num_triplets: int = 2) -> ListeningTest:
    """A test of m0 against m1 with 1.5 seconds of sound each, in a report of its own."""
    test_folder = folder / "listening-test"
    (test_folder / "audio").mkdir(parents=True)
    triplets, secrets = [], []
    for number in range(num_triplets):
        names = [f"audio/{number}{part}.wav" for part in "qab"]
        for i, name in enumerate(names):
            write_wav(test_folder / name, buzz(1.5, pitch_hz=110.0 * (i + 1)))
        models = ("m0", "m1") if number % 2 == 0 else ("m1", "m0")
        triplets.append(Triplet(f"t{number}", *names, ("overall", "vocals")))
        secrets.append(Secret(f"t{number}", "mixture", *models, f"Singer {number}", False))
    test = ListeningTest("the-test", tuple(triplets), tuple(secrets))
    save_test(test_folder, test)
    (test_folder / "listen.html").write_text("<html></html>")
    write_report(folder, Result("listening-test", "Listening test", notes=("Ready.",)))
    return test

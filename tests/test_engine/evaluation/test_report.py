from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from support.contrast import MIN_CONTRAST, contrast
from support.evaluation import RATE_HZ, SINGERS, voice, write_table
from support.sound import write_wav
from typer.testing import CliRunner

from engine.cli.evaluate import app
from engine.errors import EvaluationError
from engine.evaluation import figure_layout, figures
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.colours import colour, text_on
from engine.evaluation.embedders.mfcc import Mfcc
from engine.evaluation.evaluation_data import read_table
from engine.evaluation.figure_layout import Style
from engine.evaluation.protocols import PROTOCOLS
from engine.evaluation.report import report_json, write
from engine.evaluation.results import (
    Bars,
    Column,
    Curves,
    HeatMaps,
    Options,
    Points,
    Report,
    Result,
    Table,
)
from engine.evaluation.run import evaluate, load_models
from engine.evaluation.tables import best_cells, table_csv, table_markdown
from engine.library import Library
from engine.library.scan.scan import scan

NAN = float("nan")
TABLE = Table(
    "t",
    "A | table",
    (
        Column("input", "input"),
        Column("model", "model"),
        Column("eer", "EER", "%", "lower"),
        Column("n", "clips"),
    ),
    (
        ("vocals", "a|b", Estimate(0.125, 0.1, 0.2), 3),
        ("vocals", "<c>", Estimate(0.25, NAN, NAN), 3),
        ("mixture", "a|b", Estimate(NAN, NAN, NAN), 4),
        ("mixture", "<c>", None, 4),
    ),
    "A note.",
)


def report_of(*results: Result) -> Report:
    facts = {"name": "x", "clips": 1, "songs": 1, "singers": 1}
    return Report("now", "cmd", 0, {}, facts, (), ("vocals",), {}, ("Left out: <b>",), results)


def test_tables_as_csv_and_markdown() -> None:
    rows = list(csv.DictReader(table_csv(TABLE).splitlines()))
    assert rows[0] == {
        "input": "vocals", "model": "a|b", "eer": "0.125", "eer_low": "0.1", "eer_high": "0.2",
        "n": "3",
    }  # fmt: skip
    assert (rows[1]["eer"], rows[1]["eer_low"], rows[2]["eer"], rows[3]["eer"]) == (
        "0.25", "", "", "",
    )  # fmt: skip
    lines = table_markdown(TABLE).splitlines()
    assert lines[2] == "| input | model | EER % ↓ | clips |"
    assert lines[4] == "| vocals | a\\|b | 12.5 [10.0, 20.0] | 3 |"
    assert lines[5] == "| vocals | <c> | 25.0 | 3 |"
    assert lines[6] == "| mixture | a\\|b | – | 4 |"


def test_the_best_of_each_input_is_marked() -> None:
    assert best_cells(TABLE) == {(0, 2)}


def test_a_report_is_a_folder_that_needs_nothing_else(tmp_path: Path) -> None:
    estimate = Estimate(0.3, 0.2, 0.4)
    plots = (
        Bars("bars", "Bars", "EER", ("vocals",), {"m": (estimate,), "n": (None,)}, 0.5),
        Curves("curves", "Curves", "s", "accuracy", (1.0, 2.0), {"vocals": {"m": (estimate,) * 2}}),
        HeatMaps("maps", "Maps", ("m", "n"), {"p": ((NAN, 0.5), (0.5, NAN))}, {}),
        Points("points", "Points", "singer", {"p": (np.eye(2), ("A", "B"))}, {"p": "c"}, 1),
    )
    done = Result("one", "One", (TABLE,), plots, ("A note <i>.",), ("Beware.",))
    failed = Result("two", "Two", reason="It needs & more.")
    index_path = write(report_of(done, failed), tmp_path / "out")
    names = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert names == {
        "report.json", "index.html", "tables/one.t.csv", "tables/one.t.md",
        *(f"figures/one.{n}.{s}" for n in ("bars", "curves", "maps", "points")
          for s in ("png", "svg")),
    }  # fmt: skip
    html = index_path.read_text()
    sources = re.findall(r'(?:src|href)="(.*?)"', html)
    assert len(sources) == len(plots)
    assert all((index_path.parent / source).exists() for source in sources)
    assert "<script" not in html
    assert html.count('class="best">12.5 [10.0, 20.0]<') == 1
    for text in ("Left out: &lt;b&gt;", "Beware.", "It needs &amp; more.", "&lt;c&gt;"):
        assert text in html
    body = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (body["schema"], body["schema_version"]) == ("singalike-evaluation", 1)
    row = body["results"][0]["tables"][0]["rows"][0]
    assert row["eer"] == {"value": 0.125, "low": 0.1, "high": 0.2}
    assert body["results"][0]["tables"][0]["rows"][2]["eer"]["value"] is None
    assert body["results"][1]["reason"] == "It needs & more."


def test_the_same_plot_gives_the_same_file(tmp_path: Path) -> None:
    result = Result("r", "R", plots=(HeatMaps("m", "M", ("a",), {"p": ((0.5,),)}, {}),))
    texts = []
    for name in ("x", "y"):
        write(report_of(result), tmp_path / name)
        texts.append((tmp_path / name / "figures" / "r.m.svg").read_text())
    assert texts[0] == texts[1]


def test_each_model_has_one_colour_in_all_figures(tmp_path: Path) -> None:
    estimate = Estimate(0.3, 0.2, 0.4)
    alone = Bars("b", "B", "EER", ("vocals",), {"second": (estimate,)})
    figures.save(alone, tmp_path / "b", ["first", "second"])
    svg = (tmp_path / "b.svg").read_text()
    assert colour(1) in svg
    assert colour(0) not in svg
    many = {f"m{i}": (estimate,) for i in range(12)}  # more than there are colours
    figures.save(Bars("b", "B", "EER", ("vocals",), many), tmp_path / "b")
    svg = (tmp_path / "b.svg").read_text()
    assert all(colour(number) in svg for number in range(12))


def test_a_figure_is_as_large_as_it_says_and_its_marks_lie_inside() -> None:
    estimate = Estimate(0.3, 0.2, 0.4)
    plot = Curves("c", "C", "s", "a", (1.0, 30.0), {i: {"m": (estimate,) * 2} for i in "xyz"}, 0.1)
    style = Style(font_pt=20)
    for width in (240.0, 1000.0):
        picture = figures.picture(plot, (), style, width, 2.0)
        height = figure_layout.height(plot, width, style)
        assert picture.pixels.shape == (int(2 * height), 2 * width, 4)
        assert len(picture.marks) == 6
        for mark in picture.marks:
            assert mark.left >= 0
            assert mark.left + mark.width <= width
            assert mark.top >= 0
            assert mark.top + mark.height <= height


def test_a_panel_s_title_is_only_cut_where_it_does_not_fit() -> None:
    name = "mixture: singalike-3-overall-x"
    plot = Points("p", "A", "s", {name: (np.eye(2), ("a", "b"))}, {}, 1)
    for width, is_whole in ((800.0, True), (150.0, False)):
        (axes,) = figures.Drawing(plot, width=width).figure.axes
        assert axes.get_title().endswith("-overall-x" if is_whole else "…")


def test_names_are_no_formulas() -> None:
    plot = Points("p", "A$AP $x^2$", "s", {"$m$": (np.eye(2), ("A$AP", "$B$"))}, {"$m$": "$"}, 1)
    assert [m.text for m in figures.Drawing(plot).marks()] == ["$B$", "A$AP", "A$AP", "$B$"]
    figures.picture(plot, (), Style(), 300, 1.0)


DARK = Style(raised="#2a2832", accent="#b9a1ff", against="#5fd0c5")


@pytest.mark.parametrize("style", [Style(), DARK], ids=["light", "dark"])
def test_cells_can_be_read(style: Style) -> None:
    for value in np.linspace(0, 1, 21):
        for chance in (None, 0.5):
            ((ground,),) = figures.heat_colours(style, np.array([[value]]), chance)
            assert contrast(text_on(ground), ground) >= MIN_CONTRAST
    values = np.array([[0.0, 0.5, 1.0, NAN]])
    worse, middle, better, empty = figures.heat_colours(style, values, 0.5)[0]
    assert (worse, better, empty) == (style.against, style.accent, style.empty)
    assert figures.heat_colours(style, values)[0][0] == middle


def test_things_that_are_no_plots() -> None:
    with pytest.raises(TypeError, match="no figure for str"):
        figures.Drawing("plot")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(EvaluationError, match="cannot be written"):
        write(report_of(), tmp_path / "out")


def test_everything_runs_on_a_small_data_set_and_comes_out_the_same(tmp_path: Path) -> None:
    data = read_table(write_table(tmp_path))
    options = Options(num_trials=5, num_repeats=1, num_replicates=20)
    protocols = [name for name in PROTOCOLS if name != "latent-space"]  # t-SNE takes its time
    bodies = []
    for name in ("x", "y"):
        report = evaluate(
            protocols, {"mfcc": Mfcc()}, data, ["vocals", "mixture"], options,
            folder=tmp_path / name, cache_folder=tmp_path / "cache", num_workers=1,
        )  # fmt: skip
        bodies.append({**report_json(report), "created": ""})
    assert bodies[0] == bodies[1]
    reasons = {r["name"]: r["reason"] for r in bodies[0]["results"]}
    assert [n for n, reason in reasons.items() if reason is None] == [
        "artist-similarity", "artist-id",
    ]  # fmt: skip
    assert "no labels in a column 'gender'" in reasons["gender-id"]
    assert "two models" in reasons["agreement"]
    rows = bodies[0]["results"][0]["tables"][0]["rows"]
    found = {row["input"]: row["eer"]["value"] for row in rows if row["centring"] == "data"}
    assert max(found.values()) < 0.25
    assert bodies[0]["data"]["singers"] == 4
    assert bodies[0]["inputs"] == ["vocals", "mixture", "accompaniment"]
    assert bodies[0]["models"][0]["sha256"] == Mfcc().sha256


def test_a_run_needs_a_model(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="at least one model"):
        evaluate(["agreement"], {}, read_table(write_table(tmp_path)), folder=tmp_path)


def test_models_of_one_name_are_told_apart() -> None:
    assert list(load_models(["mfcc", "mfcc"])) == ["mfcc", "mfcc (2)"]


def test_the_command(tmp_path: Path) -> None:
    table = write_table(tmp_path, num_songs=2)
    arguments = [
        "--models", "mfcc", "--data", str(table), "--out", str(tmp_path / "out"), "--cache",
        str(tmp_path / "cache"), "--where", "singer=Bea", "--input", "vocals", "--trials", "3",
        "--workers", "1",
    ]  # fmt: skip
    run = CliRunner().invoke(app, ["artist-similarity", *arguments])
    assert run.exit_code == 1  # one singer is left
    arguments[arguments.index("singer=Bea")] = "singer=*"
    run = CliRunner().invoke(app, ["artist-similarity", *arguments])
    assert run.exit_code == 0, run.output
    assert "Distinct songs, all pairs pooled" in run.stdout
    assert (tmp_path / "out" / "index.html").exists()
    run = CliRunner().invoke(app, ["artist-similarity,gender-id", "--json", *arguments])
    assert run.exit_code == 3  # partly done: there are no labels
    assert json.loads(run.stdout)["seed"] == 0
    for arguments[-1], protocol in (("1", "nothing"), ("-1", "all")):
        assert CliRunner().invoke(app, [protocol, *arguments]).exit_code == 2


def test_a_library_is_evaluated_by_its_tags(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for number, singer in enumerate(SINGERS[:2]):
        for song in range(2):
            (music / singer).mkdir(parents=True, exist_ok=True)
            write_wav(music / singer / f"Song {song}.wav", voice(number, song, 5.5), RATE_HZ)
    with Library.open(tmp_path / "music.db") as library:
        scan(library, [music])
    arguments = [
        "artist-similarity", "--models", "mfcc", "--data", str(tmp_path / "music.db"), "--out",
        str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--input", "mixture", "--trials",
        "2", "--workers", "1",
    ]  # fmt: skip
    run = CliRunner().invoke(app, arguments)
    assert run.exit_code == 0, run.output
    body = json.loads((tmp_path / "out" / "report.json").read_text())
    assert body["data"]["name"] == "music.db"
    assert (body["data"]["singers"], body["data"]["songs"]) == (2, 4)
    assert any(note.startswith("No leak check") for note in body["results"][0]["notes"])

from __future__ import annotations

import math

from app.evaluate.summary import summary
from engine.evaluation.bootstrap import Estimate
from engine.evaluation.results import Column, Result, Table

NAN = math.nan


def said(name: str, keys: str, *rows: tuple[object, ...], table: str = "t") -> str:
    """The sentence for a table whose columns are named; titles are the names in capitals."""
    columns = tuple(Column(key, key) for key in keys.split())
    cells = tuple(
        tuple(Estimate(c, NAN, NAN) if isinstance(c, float) else c for c in row) for row in rows
    )
    titles = {"m": "M", "n": "N"}
    found = Table(table, "T", columns, cells)  # type: ignore[arg-type]
    return summary(Result(name, name, (found,)), titles)


def test_the_best_of_each_input_is_named() -> None:
    text = said(
        "artist-similarity", "input model centring r_at_1",
        ("vocals", "m", "raw", 0.5), ("vocals", "n", "raw", 0.75), ("mixture", "m", "raw", NAN),
        ("mixture", "n", "raw", 0.25),
    )  # fmt: skip
    assert text == (
        "Given true vocals, N hears best: for 75 % of songs the nearest other song is by the same "
        "singer. Given whole songs, N hears best: for 25 % of songs the nearest other song is by "
        "the same singer."
    )


def test_a_picture_without_islands_is_called_that() -> None:
    assert "lie mixed" in said("latent-space", "input model silhouette", ("mixture", "m", -0.1))
    clear = said("latent-space", "input model silhouette", ("mixture", "m", 0.456))
    assert clear == "Given whole songs, the islands are clearest with M (silhouette 0.46)."


def test_overall_similarity_is_told_by_triplets_or_by_the_first_label() -> None:
    rows = (("m", 0.5), ("n", 0.75))
    assert said("overall-similarity", "model both", *rows, table="triplets") == (
        "N hears voice and band best: in 75 % of triplets a song with the same voice, and one with "
        "the same band, are nearer than one with neither."
    )
    labels = (("genre", "m", 0.5), ("genre", "n", 0.4), ("album", "n", 0.9))
    assert said("overall-similarity", "label model r_at_1", *labels, table="labels") == (
        "With M, the nearest song has the same genre most often: 50 % of songs."
    )
    assert said("overall-similarity", "one other common", ("m", "n", 0.4), table="in-common") == ""


def test_agreement_names_the_pair() -> None:
    rows = (("mixture", "m", "n", 0.1), ("separated", "m", "n", 0.4))
    assert said("agreement", "input one other same", *rows) == (
        "M and N agree most: given separated vocals, they name the same nearest song for 40 % of "
        "songs."
    )


def test_listeners_are_sure_divided_or_silent() -> None:
    keys = "input question model win_rate wins losses ties p"
    sure = said(
        "listening-test", keys,
        ("mixture", "vocals", "m", 0.9, 9, 1, 0, 0.02),
        ("mixture", "vocals", "n", 0.1, 1, 9, 0, 0.02),
    )  # fmt: skip
    assert sure == (
        "By the voice, given whole songs, listeners preferred M in 9 of 10 decisions: hardly "
        "chance."
    )
    open_ = said(
        "listening-test", keys,
        ("mixture", "overall", "m", 0.5, 2, 2, 0, 1.0),
        ("mixture", "overall", "n", 0.5, 2, 2, 0, 1.0),
    )  # fmt: skip
    assert open_.splitlines() == [
        "All in all, given whole songs, listeners are divided.",
        "All of this may well be chance: more answers would tell.",
    ]
    ties = said("listening-test", keys, ("mixture", "overall", "m", NAN, 0, 0, 3, 1.0))
    assert ties == ""


def test_nothing_is_said_of_nothing() -> None:
    assert summary(Result("artist-id", "x", reason="No."), {}) == ""
    assert said("artist-id", "input model accuracy", ("mixture", "m", NAN)) == ""

"""What a result means, in a sentence for people who never heard of error rates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from engine.evaluation.results import Result, Table

CLEAR_SILHOUETTE = 0.1
SURE_P = 0.05
INPUT_NAMES = ("mixture", "separated", "vocals", "accompaniment")

MODEL_KEYS = ("model", "one", "other")

Row = dict[str, Any]


def _tr(text: str) -> str:
    return QCoreApplication.translate("Summary", text)


def input_name(name: str) -> str:
    """What models are given to hear, in words."""
    names = {
        "mixture": _tr("whole songs"),
        "separated": _tr("separated vocals"),
        "vocals": _tr("true vocals"),
        "accompaniment": _tr("accompaniment alone"),
    }
    return names.get(name, name)


def summary(result: Result, titles: Mapping[str, str]) -> str:
    """A sentence or two; "" where there is nothing to say. ``titles``: of the models."""
    if not result.tables or not result.tables[0].rows:
        return ""
    rows = _rows(result.tables[0], titles)
    kinds = {
        "artist-similarity": lambda: _best_of_inputs(
            rows,
            "r_at_1",
            _tr("Given {input}, {model} hears best: for {value} % of songs the nearest other song "
                "is by the same singer."),
        ),
        "artist-id": lambda: _best_of_inputs(
            rows, "accuracy",
            _tr("Given {input}, {model} names the right singer for {value} % of songs."),
        ),
        "gender-id": lambda: _best_of_inputs(
            rows, "accuracy",
            _tr("Given {input}, {model} tells the right label for {value} % of songs."),
        ),
        "latent-space": lambda: _islands(rows),
        "overall-similarity": lambda: _overall(result.tables[0].name, rows),
        "agreement": lambda: _best(
            rows, "same",
            _tr("{one} and {other} agree most: given {input}, they name the same nearest song for "
                "{value} % of songs."),
        ),
        "listening-test": lambda: _preference(rows),
    }  # fmt: skip
    return kinds.get(result.name, str)()


def _rows(table: Table, titles: Mapping[str, str]) -> list[Row]:
    """Cells by the keys of their columns; models and inputs as people know them."""
    keys = [column.key for column in table.columns]
    rows: list[Row] = [dict(zip(keys, row, strict=True)) for row in table.rows]
    for row in rows:
        row |= {key: titles.get(row[key], row[key]) for key in MODEL_KEYS if key in row}
        if "input" in row:
            row["input"] = input_name(row["input"])
    return rows


def _value(row: Row, key: str) -> float:
    cell = row.get(key)
    value = getattr(cell, "value", cell)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return -math.inf
    return float(value)


def _best(rows: list[Row], key: str, text: str) -> str:
    """About the row with the largest figure; "" where none has one."""
    best = max(rows, key=lambda row: _value(row, key))
    value = _value(best, key)
    if not math.isfinite(value):
        return ""
    return text.format(**best, value=round(100 * value), raw=value)


def _best_of_inputs(rows: list[Row], key: str, text: str) -> str:
    inputs = dict.fromkeys(row["input"] for row in rows)
    said = (_best([row for row in rows if row["input"] == own], key, text) for own in inputs)
    return " ".join(filter(None, said))


def _islands(rows: list[Row]) -> str:
    if max(_value(row, "silhouette") for row in rows) < CLEAR_SILHOUETTE:
        return _tr("No picture shows clear islands: the colours lie mixed.")
    text = _tr("Given {input}, the islands are clearest with {model} (silhouette {raw:.2f}).")
    return _best_of_inputs(rows, "silhouette", text)


def _overall(table: str, rows: list[Row]) -> str:
    """Of triplets; without them, of the first label that songs share."""
    if table == "triplets":
        text = _tr(
            "{model} hears voice and band best: in {value} % of triplets a song with the same "
            "voice, and one with the same band, are nearer than one with neither."
        )
        return _best(rows, "both", text)
    if table == "labels":
        text = _tr(
            "With {model}, the nearest song has the same {label} most often: {value} % of songs."
        )
        return _best([row for row in rows if row["label"] == rows[0]["label"]], "r_at_1", text)
    return ""


def _preference(rows: list[Row]) -> str:
    """Whom listeners prefer, a line for each question, and whether that could be chance."""
    said, is_sure = [], False
    for asked in dict.fromkeys((row["input"], row["question"]) for row in rows):
        own = [row for row in rows if (row["input"], row["question"]) == asked]
        best = max(own, key=lambda row: _value(row, "win_rate"))
        if num := best["wins"] + best["losses"]:
            is_sure = is_sure or _is_sure(best)
            said.append(_preference_text(best).format(**best, num=num))
    if said and not is_sure:
        said.append(_tr("All of this may well be chance: more answers would tell."))
    return "\n".join(said)


def _preference_text(best: Row) -> str:
    what = _tr("By the voice") if best["question"] == "vocals" else _tr("All in all")
    if best["wins"] == best["losses"]:
        return what + _tr(", given {input}, listeners are divided.")
    text = _tr(", given {input}, listeners preferred {model} in {wins} of {num} decisions")
    return what + text + (_tr(": hardly chance.") if _is_sure(best) else ".")


def _is_sure(row: Row) -> bool:
    return 0 <= _value(row, "p") < SURE_P

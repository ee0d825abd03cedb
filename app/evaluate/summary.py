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

Row = Mapping[str, Any]


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
    """A sentence or two; "" where there is nothing to say."""
    if not result.tables or not result.tables[0].rows:
        return ""
    rows = _rows(result.tables[0])
    if result.name == "artist-similarity":
        return _best_of(
            rows,
            titles,
            "r_at_1",
            _tr("Given {input}, {model} hears best: for {value} % of songs the nearest other song "
                "is by the same singer."),
        )  # fmt: skip
    if result.name == "artist-id":
        text = _tr("Given {input}, {model} names the right singer for {value} % of songs.")
        return _best_of(rows, titles, "accuracy", text)
    if result.name == "gender-id":
        text = _tr("Given {input}, {model} tells the right label for {value} % of songs.")
        return _best_of(rows, titles, "accuracy", text)
    if result.name == "latent-space":
        return _islands(rows, titles)
    if result.name == "overall-similarity":
        return _overall(result.tables[0].name, rows, titles)
    if result.name == "agreement":
        return _agreement(rows, titles)
    if result.name == "listening-test":
        return _preference(rows, titles)
    return ""


def _rows(table: Table) -> list[Row]:
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def _value(row: Row, key: str) -> float:
    cell = row.get(key)
    value = getattr(cell, "value", cell)
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return -math.inf
    return float(value)


def _islands(rows: list[Row], titles: Mapping[str, str]) -> str:
    if max(_value(row, "silhouette") for row in rows) < CLEAR_SILHOUETTE:
        return _tr("No picture shows clear islands: the colours lie mixed.")
    text = _tr("Given {input}, the islands are clearest with {model} (silhouette {raw:.2f}).")
    return _best_of(rows, titles, "silhouette", text)


def _best_of(rows: list[Row], titles: Mapping[str, str], key: str, text: str) -> str:
    """One sentence for each input."""
    said = []
    for source in dict.fromkeys(row["input"] for row in rows):
        best = max((r for r in rows if r["input"] == source), key=lambda r: _value(r, key))
        value = _value(best, key)
        if math.isfinite(value):
            model = titles.get(best["model"], best["model"])
            said.append(
                text.format(
                    input=input_name(source), model=model, value=round(100 * value), raw=value
                )
            )
    return " ".join(said)


def _overall(table: str, rows: list[Row], titles: Mapping[str, str]) -> str:
    """Of triplets; without them, of the first label that songs share."""
    key, text = "both", _tr(
        "{model} hears voice and band best: in {value} % of triplets a song with the same voice, "
        "and one with the same band, are nearer than one with neither."
    )  # fmt: skip
    if table == "labels":
        rows = [row for row in rows if row["label"] == rows[0]["label"]]
        key, text = "r_at_1", _tr(
            "With {model}, the nearest song has the same {label} most often: {value} % of songs."
        )  # fmt: skip
    best = max(rows, key=lambda row: _value(row, key))
    value = _value(best, key)
    if table not in ("triplets", "labels") or not math.isfinite(value):
        return ""
    return text.format(
        model=titles.get(best["model"], best["model"]),
        value=round(100 * value),
        label=best.get("label", ""),
    )


def _agreement(rows: list[Row], titles: Mapping[str, str]) -> str:
    best = max(rows, key=lambda row: _value(row, "same"))
    if not math.isfinite(_value(best, "same")):
        return ""
    return _tr(
        "{one} and {other} agree most: given {input}, they name the same nearest song for "
        "{value} % of songs."
    ).format(
        one=titles.get(best["one"], best["one"]),
        other=titles.get(best["other"], best["other"]),
        input=input_name(best["input"]),
        value=round(100 * _value(best, "same")),
    )


def _preference(rows: list[Row], titles: Mapping[str, str]) -> str:
    """Whom listeners prefer, a line for each question, and whether that could be chance."""
    said, is_sure = [], False
    for source, question in dict.fromkeys((row["input"], row["question"]) for row in rows):
        own = [r for r in rows if (r["input"], r["question"]) == (source, question)]
        best = max(own, key=lambda row: _value(row, "win_rate"))
        num = best["wins"] + best["losses"]
        if not num:
            continue
        is_sure = is_sure or _is_sure(best)
        said.append(
            _preference_text(best, question).format(
                input=input_name(source),
                model=titles.get(best["model"], best["model"]),
                wins=best["wins"],
                num=num,
            )
        )
    if said and not is_sure:
        said.append(_tr("All of this may well be chance: more answers would tell."))
    return "\n".join(said)


def _preference_text(best: Row, question: str) -> str:
    what = _tr("By the voice") if question == "vocals" else _tr("All in all")
    if best["wins"] == best["losses"]:
        return what + _tr(", given {input}, listeners are divided.")
    text = _tr(", given {input}, listeners preferred {model} in {wins} of {num} decisions")
    return what + text + (_tr(": hardly chance.") if _is_sure(best) else ".")


def _is_sure(row: Row) -> bool:
    return 0 <= _value(row, "p") < SURE_P

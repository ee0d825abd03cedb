"""Folders of made material: sound files and the table that ``prepare`` reads."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import av
import numpy as np

from engine.models.segments import SAMPLE_RATE_HZ
from training.errors import DataError

TABLE_NAME = "tracks.csv"
_BIT_RATE = 48_000


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    path: str
    singer: str
    song: str
    kind: str
    duration_s: float
    licence: str
    source: str


def file_name(text: str) -> str:
    """``text`` with nothing that some file system does not like; different texts may collide."""
    return re.sub(r"[^A-Za-z0-9.~-]", "_", text)


def write_mono(path: Path, samples: np.ndarray) -> None:
    """Encode (n,) float32 at 16 kHz as Ogg Opus; the file appears when it is complete."""
    peak = float(np.abs(samples).max(initial=0.0))
    scaled = samples * min(1.0, 0.95 / max(peak, 1e-9))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}")
    with av.open(str(unfinished), "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libopus", rate=SAMPLE_RATE_HZ)
        stream.layout, stream.format, stream.bit_rate = "mono", "flt", _BIT_RATE
        stream.codec_context.options = {"compression_level": "4"}  # half the time, as good here
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(scaled[None], dtype=np.float32), format="flt", layout="mono"
        )
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    unfinished.replace(path)


def write_table(folder: Path, rows: Iterable[Row]) -> Path:
    """``tracks.csv`` with all rows, at once: a reader never sees half of it."""
    path = folder / TABLE_NAME
    unfinished = folder / f".{TABLE_NAME}"
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    unfinished.replace(path)
    return path


def begin(folder: Path, options: dict[str, Any]) -> None:
    """Note how a folder is made, or check that it was begun in the same way.

    Raises:
        DataError: begun with other options; their files would be taken for ours.
    """
    path = folder / "options.json"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(options))
    if not path.exists():
        path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    elif json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise DataError(
            f"{folder} was begun with other options (see {path}). Give the same ones to go on, "
            "or choose another folder."
        )

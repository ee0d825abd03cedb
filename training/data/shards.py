"""Writing a data set: one writer appends rows to shards and lines to the journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.paths import written_whole
from training.data.data_set import ROW_BYTES, ROWS_PER_SHARD, shard_path
from training.data.plan import Task
from training.data.rendering import Rendered
from training.data.tables import JOURNAL_NAME, read_journal


class Writer:
    """Appends rows to shards, then a line to the journal: a torn row is never referred to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finished: set[str] = set()
        self.num_rows = 0
        journal = folder / JOURNAL_NAME
        # Failed songs get another chance. A torn last line goes away, as the rows it would name.
        lines = [line for line in read_journal(journal) if not line["reason"]]
        for line in lines:
            self.finished.add(line["key"])
            self.num_rows += len(line["starts_s"])
        with written_whole(journal) as draft:
            draft.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        self._truncate()
        self._journal = journal.open("a", encoding="utf-8")

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._journal.close()

    def _truncate(self) -> None:
        for path in sorted(self.folder.glob("shard-*.i16")):
            first = int(path.stem.rpartition("-")[2]) * ROWS_PER_SHARD
            kept = min(max(self.num_rows - first, 0), ROWS_PER_SHARD)
            with path.open("r+b") as file:
                file.truncate(kept * ROW_BYTES)

    def add(self, task: Task, rendered: Rendered | str) -> None:
        """A song's segments, or the reason why there are none."""
        line: dict[str, Any] = {
            "key": task.key,
            "artist": task.song.artist,
            "title": task.song.title,
            "work": task.song.work,
            "kind": task.song.kind,
            "licence": task.song.licence,
            "corpus": task.song.corpus,
            "part": task.part,
            "reason": rendered if isinstance(rendered, str) else "",
            "first_row": self.num_rows,
            "starts_s": [],
        }
        if not isinstance(rendered, str):
            self._write_rows(rendered.stems)
            line["starts_s"] = [round(float(s), 4) for s in rendered.starts_s]
            line["vocal_levels"] = [round(float(v), 6) for v in rendered.vocal_levels]
            line["loudness_db"] = [round(float(v), 2) for v in rendered.loudness_db]
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()
        self.finished.add(task.key)

    def _write_rows(self, stems: np.ndarray) -> None:
        while len(stems):
            number, row = divmod(self.num_rows, ROWS_PER_SHARD)
            rows = stems[: ROWS_PER_SHARD - row]
            with shard_path(self.folder, number).open("ab") as file:
                file.write(rows.tobytes())
            self.num_rows += len(rows)
            stems = stems[len(rows) :]

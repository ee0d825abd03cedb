"""The journal of a data set in the making, and the table and summary made from it in the end."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.models.segments import SEGMENT_S
from training.data.data_set import FORMAT_VERSION, PARTS, ROWS_PER_SHARD, SEGMENT_DTYPE
from training.data.rendering import VOCAL_GATE
from training.errors import DataError

JOURNAL_NAME = "tracks.jsonl"
SEPARATED_SUFFIX = "#separated"


@dataclass
class Summary:
    """What was kept and why not, for people."""

    num_songs: int = 0
    num_segments: int = 0
    num_without_vocals: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    per_part: dict[str, dict[str, int]] = field(default_factory=dict)

    def text(self) -> str:
        """Several lines."""
        lines = [
            f"{self.num_songs} songs, {self.num_segments} segments of 5 s; "
            f"{self.num_without_vocals} of them without vocals.",
        ]
        lines += [
            f"  {part}: "
            + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
            for part, counts in self.per_part.items()
        ]
        lines += [f"Note: {note}" for note in self.notes]
        lines += [f"Left out: {key}: {reason}" for key, reason in self.failures[:20]]
        if len(self.failures) > 20:
            lines.append(f"... and {len(self.failures) - 20} more; all are in dataset.json.")
        return "\n".join(lines)


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """Lines up to the first torn one."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            try:
                yield json.loads(line)
            except ValueError:
                return


def finish(
    folder: Path, keys: AbstractSet[str], options: dict[str, Any], notes: Sequence[str] = ()
) -> Summary:
    """Journal -> segments.npy and dataset.json. Raises DataError when nothing can be trained on."""
    lines = [line for line in read_journal(folder / JOURNAL_NAME) if line["key"] in keys]
    give_each_part_a_voice(lines, options["parts"])
    artists = sorted({line["artist"] for line in lines if line["starts_s"]})
    segments = _table(lines, {name: number for number, name in enumerate(artists)})
    summary = summarise(lines, segments, options)
    summary.notes[:0] = notes
    if not segments["has_vocals"].any():
        raise DataError(
            "No vocals anywhere: no 5 s segment passes the vocal gate (mean amplitude "
            f"{VOCAL_GATE}). {_first_reasons(summary)}Give songs with singing in them."
        )
    info = {
        "format_version": FORMAT_VERSION,
        "options": options,
        "artists": artists,
        "summary": asdict(summary),
        "sources": describe_sources(lines),
    }
    np.save(folder / "segments.npy", segments)
    (folder / "dataset.json").write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")
    return summary


def give_each_part_a_voice(lines: Sequence[dict[str, Any]], shares: Sequence[float]) -> None:
    """Where nobody in a part passes the vocal gate, move somebody there who does.

    Artists are split before anybody has heard them, and a small set's few for validation may turn
    out not to sing. Whoever moves comes from the part with the most voices left, of which the
    first by name, with all of their songs. A part that could only rob another one stays empty.
    """
    artists: dict[int, set[str]] = {number: set() for number in range(len(PARTS))}
    for line in lines:
        if _has_vocals(line).any():
            artists[line["part"]].add(line["artist"])
    for part, share in enumerate(shares):
        richest = max(artists, key=lambda number: len(artists[number]))
        if share > 0 and not artists[part] and len(artists[richest]) > 1:
            moved = min(artists[richest])
            artists[richest].remove(moved)
            artists[part].add(moved)
            for line in lines:
                if line["kind"] != "accompaniment" and line["artist"] == moved:
                    line["part"] = part


def _song(line: dict[str, Any]) -> str:
    """One for all recordings of a song, and for a voice that was separated again."""
    return str(line.get("work") or line["key"].removesuffix(SEPARATED_SUFFIX))


def _has_vocals(line: dict[str, Any]) -> np.ndarray:
    """(num_segments,) bool: what passes the vocal gate."""
    levels = np.array(line.get("vocal_levels", []), np.float32)
    return (levels > VOCAL_GATE) & (line["kind"] != "accompaniment")


def _table(lines: Sequence[dict[str, Any]], artist_numbers: dict[str, int]) -> np.ndarray:
    tables = []
    firsts: dict[str, int] = {}
    songs: dict[str, int] = {}
    num_before = 0
    for line in lines:
        table = np.zeros(len(line["starts_s"]), SEGMENT_DTYPE)
        if not len(table):
            continue
        table["shard"], table["row"] = divmod(
            line["first_row"] + np.arange(len(table)), ROWS_PER_SHARD
        )
        table["track"] = songs.setdefault(_song(line), len(songs))
        table["part"] = line["part"]
        table["artist"] = artist_numbers[line["artist"]]
        table["start_s"] = line["starts_s"]
        table["vocal_level"] = line["vocal_levels"]
        table["loudness_db"] = line["loudness_db"]
        table["has_vocals"] = _has_vocals(line)
        firsts[line["key"]] = num_before
        clean_key = line["key"].removesuffix(SEPARATED_SUFFIX)
        table["clean"] = firsts.get(clean_key, num_before) + np.arange(len(table))
        num_before += len(table)
        tables.append(table)
    return np.concatenate(tables) if tables else np.zeros(0, SEGMENT_DTYPE)


def summarise(
    lines: Sequence[dict[str, Any]], segments: np.ndarray, options: dict[str, Any]
) -> Summary:
    """Counts per part, failures with their reasons, and notes on what limits the training."""
    summary = Summary(
        num_songs=len({_song(line) for line in lines}),
        num_segments=len(segments),
        num_without_vocals=int((~segments["has_vocals"]).sum()),
        failures=[(line["key"], line["reason"]) for line in lines if line["reason"]],
    )
    for number, name in enumerate(PARTS):
        voiced = segments[(segments["part"] == number) & segments["has_vocals"]]
        tracks_of = Counter(np.unique(voiced[["artist", "track"]])["artist"].tolist())
        num_single = sum(count == 1 for count in tracks_of.values())
        summary.per_part[name] = {
            "artists": len(tracks_of),
            "tracks": sum(tracks_of.values()),
            "segments": int((segments["part"] == number).sum()),
            "segments_with_vocals": len(voiced),
            "artists_with_one_song": num_single,
        }
        if not len(voiced) and options["parts"][number] > 0:
            summary.notes.append(
                f"{name}: nobody with vocals is left in it, so no run can use it. Prepare again "
                "into another folder with another --seed, or with more artists."
            )
        if num_single:
            summary.notes.append(
                f"{name}: {num_single} of {len(tracks_of)} artists have one song; their positives "
                "come from other segments of it."
            )
    return summary


def describe_sources(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Corpora with licence, artists and length, for the model card."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        if line["starts_s"] and not line["key"].endswith(SEPARATED_SUFFIX):
            groups[line.get("corpus", ""), line["kind"], line["licence"]].append(line)
    return [
        {
            "corpus": corpus,
            "kind": kind,
            "licence": licence,
            "num_songs": len(group),
            "minutes": round(sum(len(line["starts_s"]) for line in group) * SEGMENT_S / 60, 1),
            "artists": sorted({line["artist"] for line in group}),
        }
        for (corpus, kind, licence), group in sorted(groups.items())
    ]


def _first_reasons(summary: Summary) -> str:
    reasons = [f"{key}: {reason} " for key, reason in summary.failures[:3]]
    return "".join(reasons)

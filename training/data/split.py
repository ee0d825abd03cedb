"""Which artist is in which part: no artist in two, each part its share of singers and speakers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from training.data.data_set import PARTS
from training.data.sources import Song
from training.errors import DataError


def split_artists(
    songs: Sequence[Song], shares: tuple[float, float, float], seed: int
) -> dict[str, int]:
    """Part of each song's key; no artist is in two parts.

    Singers, speakers, and those who do both are split apart, so that each part has its share of
    all. Songs without a voice carry no singer's identity and are split by title, so that parts
    share no backing.

    Raises:
        DataError: a part that should have artists gets none.
    """
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    kinds: dict[str, set[str]] = defaultdict(set)
    for song in songs:
        if song.has_voice:
            kinds[song.artist].add("speech" if song.kind == "speech" else "singing")
    for song in songs:
        if song.has_voice:
            groups["+".join(sorted(kinds[song.artist]))][song.artist].append(song.key)
        else:
            groups["accompaniment"][song.title].append(song.key)
    rng = np.random.default_rng(seed)
    parts: dict[str, int] = {}
    for group in sorted(groups):
        labels = sorted(groups[group])
        rng.shuffle(labels)
        for label, part in zip(labels, _part_numbers(len(labels), shares), strict=True):
            parts |= dict.fromkeys(groups[group][label], part)
    _check_split(songs, parts, shares)
    return parts


def _part_numbers(num_labels: int, shares: tuple[float, float, float]) -> list[int]:
    """Each part with a share gets at least one label, as far as they go; training comes first."""
    wanted = [part for part in range(3) if shares[part] > 0]
    counts = [0, 0, 0]
    for part in wanted[:num_labels]:
        counts[part] = 1
    for _ in range(num_labels - sum(counts)):
        deficits = [
            share / sum(shares) * num_labels - n for share, n in zip(shares, counts, strict=True)
        ]
        counts[int(np.argmax(deficits))] += 1
    return [part for part in range(3) for _ in range(counts[part])]


def _check_split(
    songs: Sequence[Song], parts: dict[str, int], shares: tuple[float, float, float]
) -> None:
    present = {parts[song.key] for song in songs if song.has_voice}
    missing = [PARTS[p] for p in range(3) if shares[p] > 0 and p not in present]
    if missing:
        num_artists = len({song.artist for song in songs if song.has_voice})
        raise DataError(
            f"{num_artists} artist(s) with a voice are too few for the split: nobody is left for "
            f"{' and '.join(missing)}. Add artists, or give that part no share with --parts."
        )

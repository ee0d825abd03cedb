"""What a checkpoint knows beside its network: centres, axes, and what its cosines mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.library.records import View
from engine.models import (
    BATCH_EXCERPTS,
    NORM_EPS,
    SEGMENT_SAMPLES,
    VIEWS,
    Geometry,
    cut_excerpts,
)
from engine.models.calibration import Calibration
from engine.models.calibration import fit as fit_calibration
from engine.networks.processor import has_fast_bfloat16
from engine.progress import Progress, ProgressCallback, ignore_progress
from engine.search.index.centre import placed
from training.data.data_set import PARTS, STEMS, Dataset

STEM_OF_VIEW: dict[View, str] = {"vocals": "vocals", "overall": "mixture"}
SEGMENTS_PER_TRACK = 4
SEGMENTS_PER_ARTIST = 16
MIN_VOICES = 20  # with several songs, to know how the songs of a voice differ
SHRINKAGE = 0.5  # towards a covariance that is alike in all directions; see docs/results.md
VALID_SEGMENTS_PER_TRACK = 8
VALID_SEGMENTS_PER_ARTIST = 48
BLOCK_SEGMENTS = 16


@dataclass(frozen=True)
class Fitted:
    """By view. ``calibration`` lacks a view whose validation voices do not allow one."""

    geometry: dict[View, Geometry]
    calibration: dict[View, Calibration]


def fit_views(
    network: nn.Module,
    excerpt_samples: int,
    dataset: Dataset,
    progress: ProgressCallback = ignore_progress,
    percentages_on: Dataset | None = None,
) -> Fitted:
    """Centre, transform, axes from the training voices, calibration from the validation voices.

    ``percentages_on``: calibrate on all voices of this data set instead. They should sing, and
    neither their names nor their centre may have played a part in training.

    Voices count as a library has them: where the data set holds them as the separator left them,
    the vocals view is fitted on those.
    """
    geometry: dict[View, Geometry] = {}
    calibration: dict[View, Calibration] = {}
    for view in VIEWS:
        limits = (SEGMENTS_PER_TRACK, SEGMENTS_PER_ARTIST)
        chosen = chosen_segments(dataset, "train", view, limits)
        embedded = _embedded(network, excerpt_samples, dataset, chosen, view, progress)
        songs, artists = song_means(dataset, chosen, embedded)
        geometry[view] = Geometry.fit(embedded, within_voice_normalisation(songs, artists))
        limits = (VALID_SEGMENTS_PER_TRACK, VALID_SEGMENTS_PER_ARTIST)
        others, part = (dataset, "valid") if percentages_on is None else (percentages_on, None)
        chosen = chosen_segments(others, part, view, limits)
        embedded = _embedded(network, excerpt_samples, others, chosen, view, progress)
        pairs = pairs_of_songs(others, chosen, geometry[view].place(embedded))
        try:
            calibration[view] = fit_calibration(*pairs)
        except ValueError:
            continue  # too few voices: the program shows cosines then
    return Fitted(geometry, calibration)


def chosen_segments(
    dataset: Dataset, part: str | None, view: View, limits: tuple[int, int]
) -> np.ndarray:
    """Segments (n,) with vocals, at most ``limits`` of a track and of an artist, evenly spread.

    ``part``: None for all of them.
    """
    table = dataset.segments
    is_wanted = table["has_vocals"].copy()
    if part is not None:
        is_wanted &= table["part"] == PARTS.index(part)
    is_separated = table["clean"] != np.arange(len(table))
    if (is_wanted & is_separated).any() and view == "vocals":
        is_wanted &= is_separated
    else:
        is_wanted &= ~is_separated
    voiced = np.flatnonzero(is_wanted)
    voiced = _capped(voiced, table["track"][voiced], limits[0])
    return np.sort(_capped(voiced, table["artist"][voiced], limits[1]))


def _capped(indices: np.ndarray, labels: np.ndarray, num_most: int) -> np.ndarray:
    """At most num_most indices of each label, evenly spread."""
    kept = [np.zeros(0, np.int64)]
    for label in np.unique(labels):
        own = indices[labels == label]
        kept.append(own[np.linspace(0, len(own) - 1, min(len(own), num_most)).astype(int)])
    return np.concatenate(kept)


def _embedded(
    network: nn.Module,
    excerpt_samples: int,
    dataset: Dataset,
    chosen: np.ndarray,
    view: View,
    progress: ProgressCallback,
) -> np.ndarray:
    """(n, dim) float32, one row for each chosen segment."""
    blocks = []
    for first in range(0, len(chosen), BLOCK_SEGMENTS):
        stem = STEMS.index(STEM_OF_VIEW[view])
        samples = dataset.read(chosen[first : first + BLOCK_SEGMENTS])[:, stem]
        blocks.append(embed_segments(network, samples.astype(np.float32), excerpt_samples))
        progress(Progress(view, first + len(samples), len(chosen)))
    return np.concatenate(blocks)


def song_means(
    dataset: Dataset, chosen: np.ndarray, embedded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean embedding of each song, (num_songs, dim), and whose it is, (num_songs,)."""
    table = dataset.segments[chosen]
    tracks, firsts = np.unique(table["track"], return_index=True)
    means = np.stack([embedded[table["track"] == track].mean(0) for track in tracks])
    return means, table["artist"][firsts]


def within_voice_normalisation(songs: np.ndarray, artists: np.ndarray) -> np.ndarray:
    """The inverse root of the covariance of songs around their singers' means: (dim, dim).

    Where it has been applied, songs of one voice differ alike in all directions. Shrunk, since
    there are fewer songs than dimensions. Too few singers with several songs: the identity.
    """
    dim = songs.shape[1]
    scatter, num_free, num_voices = np.zeros((dim, dim)), 0, 0
    for artist in np.unique(artists):
        own = songs[artists == artist].astype(np.float64)
        if len(own) > 1:
            around = own - own.mean(0)
            scatter += around.T @ around
            num_free += len(own) - 1
            num_voices += 1
    if num_voices < MIN_VOICES:
        return np.eye(dim)
    covariance = scatter / num_free
    mean_variance = max(float(np.trace(covariance)) / dim, NORM_EPS)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * mean_variance * np.eye(dim)
    values, directions = np.linalg.eigh(covariance / mean_variance)  # near 1: float16 keeps them
    return np.asarray((directions / np.sqrt(values)) @ directions.T)


@torch.inference_mode()
def embed_segments(network: nn.Module, segments: np.ndarray, excerpt_samples: int) -> np.ndarray:
    """(n, 80000) float32 of any gain -> (n, dim), as engine.models.VoiceModel does it."""
    assert segments.shape[1] == SEGMENT_SAMPLES
    excerpts = torch.from_numpy(cut_excerpts(segments, excerpt_samples))
    with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
        parts = [network(part).float() for part in torch.split(excerpts, BATCH_EXCERPTS)]
    embedded = torch.cat(parts)
    return np.asarray(embedded.reshape(len(segments), -1, embedded.shape[1]).mean(1).numpy())


def pairs_of_songs(
    dataset: Dataset, chosen: np.ndarray, centred: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of all pairs of songs, and whether one voice sings both: (n,) each.

    As in a large library: what the other singers share is taken away first (their plain mean; two
    singers of thousands hardly change it). A singer's only song is taken as two halves.
    """
    table = dataset.segments[chosen]
    num_songs = {
        artist: len(np.unique(table["track"][table["artist"] == artist]))
        for artist in np.unique(table["artist"])
    }
    vectors, artists = [], []
    for track in np.unique(table["track"]):
        own = np.flatnonzero(table["track"] == track)
        artist = table["artist"][own[0]]
        halves = np.array_split(own, 2) if num_songs[artist] == 1 and len(own) > 1 else [own]
        for half in halves:
            mean = centred[half].mean(0)
            vectors.append(mean / max(float(np.linalg.norm(mean)), NORM_EPS))
            artists.append(artist)
    if not vectors:
        return np.zeros(0), np.zeros(0, bool)
    stacked, labels = np.stack(vectors), np.array(artists)
    first, second = np.triu_indices(len(labels), 1)
    shared = _shared_by_others(stacked, labels, labels[first], labels[second])
    cosines = (placed(stacked[first], shared) * placed(stacked[second], shared)).sum(1)
    return cosines, labels[first] == labels[second]


def _shared_by_others(
    vectors: np.ndarray, artists: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """(n, dim) for each pair of artists the mean of the means of all others; 0 without others."""
    names = np.unique(artists)
    means = np.stack([vectors[artists == name].mean(0) for name in names])
    is_other = (names != first[:, None]) & (names != second[:, None])
    return is_other @ means / np.maximum(is_other.sum(1, keepdims=True), 1)

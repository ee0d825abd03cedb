"""What a checkpoint knows beside its network: centres, axes, and what its cosines mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from engine.models import VIEWS
from engine.models.calibration import Calibration
from engine.models.calibration import fit as fit_calibration
from engine.models.geometry import Geometry
from engine.models.segments import NORM_EPS, SEGMENT_SAMPLES, cut_excerpts, unit_energy
from engine.models.voice_model import BATCH_EXCERPTS
from engine.networks.processor import has_fast_bfloat16
from engine.progress import Progress, ProgressCallback, ignore_progress
from engine.records import View
from engine.search.index.centre import placed
from training.config import SpaceKind
from training.data.data_set import PARTS, STEMS, Dataset, evenly_spread

STEM_OF_VIEW: dict[View, str] = {"vocals": "vocals", "overall": "mixture"}
SEGMENTS_PER_TRACK, SEGMENTS_PER_ARTIST = 1, 4
# How many accompaniments each segment is heard over, and their level relative to the voice.
NUM_BACKINGS, BACKING_DB = 3, (-8.0, 8.0)
# Of the directions in which one voice differs with what plays beside it, the main ones that are
# taken away (2 to 24 do alike on real songs; see docs/results.md).
NUM_NUISANCE_DIMS = 8
RIDGE = 0.01  # of the mean variance
WITHIN_SHRINKAGE = 0.02  # share of the scatter within voices that counts as even in all directions
VALID_SEGMENTS_PER_TRACK, VALID_SEGMENTS_PER_ARTIST = 8, 48
BLOCK_SEGMENTS = 16
MAX_BACKINGS = 1000


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
    space: SpaceKind = "band",
) -> Fitted:
    """Centre, transform, axes from the training voices, calibration from the validation voices.

    All of a space is one: both views have the same centre, transform and axes, so that a voice
    alone may ask for mixtures. They are fitted on segments that are heard alone, as the separator
    leaves them (where the data set holds them so), and over several accompaniments.

    ``percentages_on``: calibrate on all voices of this data set instead. They should sing, and
    their names should not have played a part in training. ``space``: see ``Heard.transform``.
    """
    heard = _heard_otherwise(network, excerpt_samples, dataset, progress)
    geometry = Geometry.fit(heard.embeddings, heard.transform(space))
    calibration: dict[View, Calibration] = {}
    for view in VIEWS:
        limits = (VALID_SEGMENTS_PER_TRACK, VALID_SEGMENTS_PER_ARTIST)
        others, part = (dataset, "valid") if percentages_on is None else (percentages_on, None)
        chosen = chosen_segments(others, part, view, limits)
        embedded = _embedded(network, excerpt_samples, others, chosen, view, progress)
        pairs = pairs_of_songs(others, chosen, geometry.place(embedded))
        try:
            calibration[view] = fit_calibration(*pairs)
        except ValueError:
            continue  # too few voices: the program shows cosines then
    return Fitted(dict.fromkeys(VIEWS, geometry), calibration)


@dataclass(frozen=True)
class Heard:
    """Segments, each heard in several ways.

    Attributes:
        embeddings: (n, dim) float32. segment, voice: (n,) int, which one and whose it is.
        is_alone: (n,) bool, where the voice is heard as it was recorded, with nothing beside it.
    """

    embeddings: np.ndarray
    segment: np.ndarray
    voice: np.ndarray
    is_alone: np.ndarray

    def transform(self, space: SpaceKind) -> np.ndarray:
        """(dim, dim), for centred embeddings.

        ``band``: towards the voice alone, then without the directions in which a segment differs
        with what plays beside it; needs no names. ``voice``: all directions in which one voice
        differs, with songs, keys and bands, are shortened; for networks that tell voices badly.
        """
        centred = self.embeddings.astype(np.float64) - self.embeddings.mean(0)
        if space == "voice":
            return shortened_within(centred, self.voice)
        kept = without_nuisance(centred, self.segment)
        return np.asarray(kept @ towards_alone(centred, self.segment, self.is_alone))


def _heard_otherwise(
    network: nn.Module, excerpt_samples: int, dataset: Dataset, progress: ProgressCallback
) -> Heard:
    """Training segments alone, over several accompaniments, and as the separator leaves them."""
    table = dataset.segments
    limits = (SEGMENTS_PER_TRACK, SEGMENTS_PER_ARTIST)
    alone = chosen_segments(dataset, "train", "overall", limits)
    is_separated = table["clean"] != np.arange(len(table))
    separated = np.flatnonzero(is_separated & table["has_vocals"] & np.isin(table["clean"], alone))
    rng = np.random.default_rng(0)
    backings = _backings(dataset, rng)
    num_backings = NUM_BACKINGS if len(backings) else 0
    parts: list[tuple[np.ndarray, ...]] = []
    blocks = np.split(alone, range(BLOCK_SEGMENTS, len(alone), BLOCK_SEGMENTS))
    blocks += np.split(separated, range(BLOCK_SEGMENTS, len(separated), BLOCK_SEGMENTS))
    for number, block in enumerate(block for block in blocks if len(block)):
        vocals = unit_energy(dataset.read(block)[:, STEMS.index("vocals")].astype(np.float32))
        is_alone = table["clean"][block] == block
        sounds = [vocals]
        if is_alone.all():
            sounds += [_mixed(vocals, backings, rng) for _ in range(num_backings)]
        for index, sound in enumerate(sounds):
            embedded = embed_segments(network, sound, excerpt_samples)
            whose = table["clean"][block], table["artist"][block]
            parts.append((embedded, *whose, is_alone & (index == 0)))
        progress(Progress("fit", number + 1, len(blocks)))
    return Heard(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _backings(dataset: Dataset, rng: np.random.Generator) -> np.ndarray:
    """Segments of accompaniments alone, (n, 80000) float32 of unit energy; n may be 0."""
    table = dataset.segments
    is_backing = (table["vocal_level"] == 0) & (table["part"] == PARTS.index("train"))
    chosen = rng.permutation(np.flatnonzero(is_backing))[:MAX_BACKINGS]
    mixtures = dataset.read(np.sort(chosen))[:, STEMS.index("mixture")].astype(np.float32)
    return unit_energy(mixtures[np.abs(mixtures).max(-1) > 0]) if len(chosen) else mixtures


def _mixed(vocals: np.ndarray, backings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each over another accompaniment, (n, 80000) both, of unit energy."""
    drawn = backings[rng.integers(len(backings), size=len(vocals))]
    gains = 10 ** (rng.uniform(*BACKING_DB, size=(len(vocals), 1)) / 20)
    return np.asarray(vocals + gains * drawn, np.float32)


def towards_alone(centred: np.ndarray, labels: np.ndarray, is_alone: np.ndarray) -> np.ndarray:
    """Half-way to where the same segment lies when its voice is heard alone: (dim, dim).

    The mean of the identity and of the linear map that predicts that place best (ridge regression).
    All of the way would make voices alike about which it knows little.
    """
    dim = centred.shape[1]
    _, number = np.unique(labels, return_inverse=True)
    places = np.full((number.max() + 1, dim), np.nan)
    places[number[is_alone]] = centred[is_alone]
    targets = places[number]
    is_known = np.isfinite(targets[:, 0])
    inputs, targets = centred[is_known], targets[is_known]
    covariance = inputs.T @ inputs
    ridge = max(RIDGE * float(np.trace(covariance)) / dim, NORM_EPS)
    prediction = np.linalg.solve(covariance + ridge * np.eye(dim), inputs.T @ targets).T
    return np.asarray((np.eye(dim) + prediction) / 2)


def without_nuisance(embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """A projection that takes away how embeddings of one label differ: (dim, dim).

    The main directions of their scatter around their means are dropped, the others stay as they
    are (nuisance attribute projection; Solomonoff et al., 2005). Where no label has several
    embeddings, nothing is.
    """
    dim = embeddings.shape[1]
    if np.bincount(labels).max() < 2:
        return np.eye(dim)
    _, directions = np.linalg.eigh(_scatter_within(embeddings, labels))  # the main ones come last
    nuisance = directions[:, -NUM_NUISANCE_DIMS:]
    return np.asarray(np.eye(dim) - nuisance @ nuisance.T)


def shortened_within(embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Makes embeddings of one label differ alike in all directions: (dim, dim), symmetric.

    The inverse root of their scatter around their means, shrunk towards its mean variance
    (within-class covariance normalisation; Hatch et al., 2006).
    """
    scatter = _scatter_within(embeddings, labels)
    dim = len(scatter)
    variance = max(float(np.trace(scatter)) / dim, NORM_EPS)
    shrunk = (1 - WITHIN_SHRINKAGE) * scatter / variance + WITHIN_SHRINKAGE * np.eye(dim)
    lengths, directions = np.linalg.eigh(shrunk)
    return np.asarray(directions / np.sqrt(lengths) @ directions.T)


def _scatter_within(embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean product of what is left of embeddings without the means of their labels: (dim, dim)."""
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), embeddings.shape[1]))
    np.add.at(sums, labels, embeddings)
    around = embeddings - (sums / np.maximum(counts, 1)[:, None])[labels]
    return np.asarray(around.T @ around / len(around))


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
    voiced = evenly_spread(voiced, table["track"][voiced], limits[0])
    return np.sort(evenly_spread(voiced, table["artist"][voiced], limits[1]))


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

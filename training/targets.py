"""What a teacher hears in every song at every speed: computed once, kept with the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engine.models import NORM_EPS, SEGMENT_SAMPLES, VoiceModel, load
from engine.progress import Progress, ProgressCallback, ignore_progress
from training.config import AugmentSettings
from training.sampling import VOCALS, Rows, resampled, speed_ratios

NUM_EXCERPTS = 2
SEGMENTS_PER_TRACK = 6
BLOCK_ROWS = 32


def teacher_targets(
    rows: Rows,
    teacher_name: str,
    augment: AugmentSettings,
    cache_folder: Path,
    progress: ProgressCallback = ignore_progress,
) -> torch.Tensor:
    """(num_rows, num_steps, dim) float32 on the rows' device; zeros where a row has no vocals.

    The target of a segment is what the teacher hears in its song as a whole: the mean over some
    of the song's segments, minus the mean of all targets, of unit length. A single segment would
    tell as much of its syllables as of the voice. Separated vocals have the target of the clean
    recording.
    """
    teacher = load(teacher_name)
    ratios = speed_ratios(augment)
    key = f"{teacher.sha256[:12]}-{len(ratios)}-{augment.voice_range:g}-{_fingerprint(rows)}"
    path = cache_folder / f"targets-{key}.npy"
    chosen = _chosen_rows(rows)
    if path.exists():
        raw = np.load(path)
    else:
        blocks = []
        for first in range(0, len(chosen), BLOCK_ROWS):
            blocks.append(_embed(rows, chosen[first : first + BLOCK_ROWS], ratios, teacher))
            progress(Progress("teacher", first + len(blocks[-1]), len(chosen)))
        raw = np.concatenate(blocks)
        np.save(path, raw)
    return _per_row(rows, chosen, raw)


def _fingerprint(rows: Rows) -> str:
    """Differs between data sets and parts."""
    return f"{len(rows)}-{int(rows.segments.sum())}"


def _chosen_rows(rows: Rows) -> np.ndarray:
    """Clean rows with vocals, at most SEGMENTS_PER_TRACK of each track, evenly spread."""
    clean = np.unique(rows.clean[rows.has_vocals].cpu().numpy())
    clean = clean[rows.has_vocals.cpu().numpy()[clean]]
    track = rows.track.cpu().numpy()[clean]
    kept = []
    for label in np.unique(track):
        positions = np.flatnonzero(track == label)
        spread = np.linspace(0, len(positions) - 1, min(len(positions), SEGMENTS_PER_TRACK))
        kept.append(clean[positions[spread.astype(int)]])
    return np.concatenate(kept)


def _embed(rows: Rows, block: np.ndarray, ratios: torch.Tensor, teacher: VoiceModel) -> np.ndarray:
    """(num_rows, num_steps, dim) float32: means over evenly spread excerpts of the clean vocals."""
    vocals = rows.stems[torch.from_numpy(block).to(rows.stems.device), VOCALS].float().cpu()
    vocals = vocals / (vocals.norm(dim=1, keepdim=True) + NORM_EPS)
    per_step = []
    for ratio in ratios.tolist():
        num_samples = int((SEGMENT_SAMPLES - 2) / ratio)
        faster = resampled(vocals, torch.full((len(block),), ratio), num_samples)
        starts = np.linspace(0, num_samples - teacher.excerpt_samples, NUM_EXCERPTS).astype(int)
        excerpts = torch.stack([faster[:, s : s + teacher.excerpt_samples] for s in starts], dim=1)
        embedded = teacher.embed_excerpts(excerpts.flatten(0, 1).contiguous().numpy())
        per_step.append(embedded.reshape(len(block), NUM_EXCERPTS, -1).mean(1))
    return np.stack(per_step, axis=1)


def _per_row(rows: Rows, chosen: np.ndarray, raw: np.ndarray) -> torch.Tensor:
    """Mean of each track, centred and normalised, given to every row whose clean version it is."""
    track = rows.track.cpu().numpy()
    labels, group = np.unique(track[chosen], return_inverse=True)
    sums = np.zeros((len(labels), *raw.shape[1:]))
    np.add.at(sums, group, raw)
    means = sums / np.bincount(group)[:, None, None]
    means -= means.reshape(-1, means.shape[-1]).mean(0)
    means /= np.maximum(np.linalg.norm(means, axis=-1, keepdims=True), NORM_EPS)
    clean_track = track[rows.clean.cpu().numpy()]
    position = np.searchsorted(labels, clean_track).clip(max=len(labels) - 1)
    spread = means[position].astype(np.float32)
    spread[labels[position] != clean_track] = 0.0
    return torch.from_numpy(spread).to(rows.artist.device)

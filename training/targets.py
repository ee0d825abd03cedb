"""What a teacher hears in every song at every speed: computed once, kept with the data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

from engine.models import load
from engine.models.segments import NORM_EPS, SEGMENT_SAMPLES
from engine.models.voice_model import BATCH_SEGMENTS
from engine.networks.campp import Campp
from engine.networks.processor import has_fast_bfloat16
from engine.paths import written_whole
from engine.progress import Progress, ProgressCallback, ignore_progress
from training.config import AugmentSettings, DistilSettings
from training.data.data_set import PARTS, STEMS, Dataset, evenly_spread
from training.errors import ConfigError, DataError
from training.networks import existing_network
from training.pairs.augmentation import resampled, speed_ratios

NUM_EXCERPTS = 2
SEGMENTS_PER_TRACK = 6
BLOCK_SEGMENTS = 96  # a recurrent teacher reads all its weights at every step, for however many


class Space(nn.Module):
    """(..., dim) embeddings as a model compares voices: centred and transformed. Learns nothing."""

    centre: torch.Tensor
    transform: torch.Tensor

    def __init__(self, model_name: str) -> None:
        super().__init__()
        geometry = load(model_name).geometry("vocals")
        for name in ("centre", "transform"):
            values = torch.from_numpy(np.array(getattr(geometry, name), np.float32))
            self.register_buffer(name, values, persistent=False)

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        return (embeddings - self.centre) @ self.transform.T


def make_space(settings: DistilSettings, dim: int) -> Space | None:
    """None where embeddings are compared as they are. Raises CheckpointError, ConfigError."""
    if not (settings.teacher and settings.space):
        return None
    space = Space(settings.space)
    if len(space.centre) != dim:
        raise ConfigError(
            f"distil.space: {settings.space} has embeddings of {len(space.centre)} numbers, but "
            f"the network that is trained has {dim}. Name another model, or none."
        )
    return space


def teacher_targets(
    dataset: Dataset,
    teacher_name: str,
    augment: AugmentSettings,
    device: torch.device,
    progress: ProgressCallback = ignore_progress,
    space: Space | None = None,
) -> torch.Tensor:
    """(num_tracks, num_steps, dim) float32 on the device; zeros where a track has no vocals.

    The target of a song is the mean over some of its segments, in ``space`` (without one: minus the
    mean of all targets), of unit length. A single segment would tell as much of its syllables as of
    the voice. A song whose vocals are separated has the target of the clean recording.
    """
    teacher = load(teacher_name)
    ratios = speed_ratios(augment)
    chosen = _chosen_segments(dataset)
    key = f"{teacher.sha256[:12]}-{len(ratios)}-{augment.voice_range:g}-{_digest(dataset, chosen)}"
    path = dataset.path / f"targets-{key}.npy"
    raw = load_targets(path)
    if raw is None:
        network, excerpt_samples = teacher_network(teacher_name, device)
        blocks = []
        for first in range(0, len(chosen), BLOCK_SEGMENTS):
            samples = dataset.read(chosen[first : first + BLOCK_SEGMENTS])[:, STEMS.index("vocals")]
            vocals = torch.from_numpy(samples).to(device).float()
            blocks.append(_embed(network, vocals, ratios, excerpt_samples))
            progress(Progress("teacher", first + len(samples), len(chosen)))
        raw = np.concatenate(blocks)
        save_targets(path, raw)
    means, tracks = _track_means(dataset, chosen, raw)
    if space is None:
        means -= means.reshape(-1, means.shape[-1]).mean(0)
    else:
        means = space(torch.from_numpy(means).float().to(space.centre.device)).cpu().numpy()
    means /= np.maximum(np.linalg.norm(means, axis=-1, keepdims=True), NORM_EPS)
    return torch.from_numpy(_spread(dataset, tracks, means)).to(device)


def load_targets(path: Path) -> np.ndarray | None:
    """What was written before; None where there is nothing, or only a torn file."""
    try:
        return np.asarray(np.load(path))
    except (OSError, ValueError, EOFError):
        return None


def save_targets(path: Path, raw: np.ndarray) -> None:
    """Whole or not at all. Raises DataError where it cannot be written."""
    try:
        with written_whole(path, path.suffix) as draft:
            np.save(draft, raw)
    except OSError as error:
        raise DataError(
            f"What the teacher hears cannot be kept in {path.parent}: {error.strerror or error}. "
            "Make room there, or make the folder writable."
        ) from error


def _digest(dataset: Dataset, chosen: np.ndarray) -> str:
    """Of which segments of which shards; targets of other data must not be taken for these."""
    table = dataset.segments[chosen]
    names = "\n".join(str(path) for path in dataset.shard_paths)
    digest = hashlib.blake2b(names.encode(), digest_size=8)
    digest.update(np.stack([table["shard"], table["row"]]).tobytes())
    return digest.hexdigest()


def teacher_network(name: str, device: torch.device) -> tuple[nn.Module, int]:
    """(network, excerpt_samples) of a model on the device, for inference only."""
    network, excerpt_samples = existing_network(name)
    if isinstance(network, Campp):
        network.speed_up()
    network = network.requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, excerpt_samples


def _chosen_segments(dataset: Dataset) -> np.ndarray:
    """Clean training segments with vocals, at most SEGMENTS_PER_TRACK of a track, evenly spread."""
    table = dataset.segments
    is_clean = table["clean"] == np.arange(len(table))
    wanted = is_clean & table["has_vocals"] & (table["part"] == PARTS.index("train"))
    indices = np.flatnonzero(wanted)
    return evenly_spread(indices, table["track"][indices], SEGMENTS_PER_TRACK)


@torch.inference_mode()
def _embed(
    network: nn.Module, vocals: torch.Tensor, ratios: torch.Tensor, excerpt_samples: int
) -> np.ndarray:
    """(n, 80000) -> (n, num_steps, dim) float32: means over evenly spread excerpts."""
    vocals = vocals / (vocals.norm(dim=1, keepdim=True) + NORM_EPS)
    per_step = []
    for ratio in ratios.tolist():
        num_samples = int((SEGMENT_SAMPLES - 2) / ratio)
        speeds = torch.full((len(vocals),), ratio, device=vocals.device)
        faster = resampled(vocals, speeds, num_samples)
        if excerpt_samples == SEGMENT_SAMPLES:  # the middle half does as well, in half the time
            length, num_at_once = num_samples // 2, 2 * BATCH_SEGMENTS
            starts = np.array([length // 2])
        else:
            length, num_at_once = excerpt_samples, NUM_EXCERPTS * len(vocals)
            starts = np.linspace(0, num_samples - length, NUM_EXCERPTS).astype(int)
        excerpts = torch.stack([faster[:, s : s + length] for s in starts], dim=1)
        parts = torch.split(excerpts.flatten(0, 1).contiguous(), num_at_once)
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bfloat16()):
            embedded = torch.cat([network(part).float() for part in parts])
        per_step.append(embedded.reshape(len(vocals), len(starts), -1).mean(1))
    return np.asarray(torch.stack(per_step, dim=1).cpu().numpy())


def _track_means(
    dataset: Dataset, chosen: np.ndarray, raw: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means of the chosen segments of each track, (n, num_steps, dim), and the tracks, (n,)."""
    tracks, group = np.unique(dataset.segments["track"][chosen], return_inverse=True)
    sums = np.zeros((len(tracks), *raw.shape[1:]))
    np.add.at(sums, group, raw)
    return sums / np.bincount(group)[:, None, None], tracks


def _spread(dataset: Dataset, tracks: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(num_tracks, num_steps, dim) float32; a separated track has the target of the clean one."""
    table = dataset.segments
    out = np.zeros((int(table["track"].max()) + 1, *targets.shape[1:]), np.float32)
    out[tracks] = targets
    out[table["track"]] = out[table["track"][table["clean"]]]
    return out

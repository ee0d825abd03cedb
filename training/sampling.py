"""Pairs of excerpts, drawn and mixed on the device: no Python per example."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.models import NORM_EPS, SEGMENT_SAMPLES
from training.config import AugmentSettings, PairSettings
from training.data import INT16_SCALE, Dataset
from training.errors import DataError

MIXTURE, VOCALS, ACCOMPANIMENT = 0, 1, 2
SILENT = 1e-3  # norm over a segment below which a stem counts as empty
LOAD_ROWS = 256


@dataclass(frozen=True)
class Rows:
    """Segments of one part, sorted by artist, then track.

    Attributes:
        stems: (n, 2, 80000) int16 on the device: mixture, vocals.
        norms: (n, 3) float32: L2 norm of mixture, vocals, accompaniment as float.
        artist, track: (n,) int64. has_vocals: (n,) bool.
        clean: (n,) int64, the row with the clean version of the same vocals; often itself.
        segments: (n,) int64 on the CPU: which rows of ``Dataset.segments`` these are.
    """

    stems: torch.Tensor
    norms: torch.Tensor
    artist: torch.Tensor
    track: torch.Tensor
    has_vocals: torch.Tensor
    clean: torch.Tensor
    segments: torch.Tensor

    @classmethod
    def load(cls, dataset: Dataset, part: str, device: torch.device) -> Rows:
        """Read a part into the device's memory. Raises DataError when it is empty."""
        indices = dataset.part(part)
        if not len(indices):
            raise DataError(
                f"The data set has no {part} part. Prepare it with a share for it (--parts)."
            )
        table = dataset.segments[indices]
        indices = indices[np.lexsort((table["start_s"], table["track"], table["artist"]))]
        table = dataset.segments[indices]
        stems = torch.empty((len(indices), 2, SEGMENT_SAMPLES), dtype=torch.int16, device=device)
        norms = torch.empty((len(indices), 3), device=device)
        for first in range(0, len(indices), LOAD_ROWS):
            block = torch.from_numpy(dataset.read(indices[first : first + LOAD_ROWS])).to(device)
            stems[first : first + LOAD_ROWS] = block
            norms[first : first + LOAD_ROWS] = stem_norms(block)
        position = np.full(len(dataset.segments), -1)
        position[indices] = np.arange(len(indices))
        return cls(
            stems,
            norms,
            torch.from_numpy(table["artist"].astype(np.int64)).to(device),
            torch.from_numpy(table["track"].astype(np.int64)).to(device),
            torch.from_numpy(table["has_vocals"].copy()).to(device),
            torch.from_numpy(position[table["clean"]]).to(device),
            torch.from_numpy(indices),
        )

    def __len__(self) -> int:
        return len(self.artist)


def stem_norms(stems: torch.Tensor) -> torch.Tensor:
    """(n, 2, 80000) int16 -> (n, 3) float32 norms of mixture, vocals, accompaniment."""
    floats = stems.float() / INT16_SCALE
    accompaniment = floats[:, 0] - floats[:, 1]
    parts = (floats[:, 0], floats[:, 1], accompaniment)
    return torch.stack([part.norm(dim=-1) for part in parts], dim=1)


@dataclass(frozen=True)
class Pairs:
    """A batch of pairs.

    Attributes:
        anchors, positives: (num_pairs, excerpt_samples) float32.
        anchor_rows, positive_rows: (num_pairs,) rows of the vocals heard in each.
        artist: (num_pairs,) int64. step: (num_pairs,) int64, the speed at which the voice is heard.
    """

    anchors: torch.Tensor
    positives: torch.Tensor
    anchor_rows: torch.Tensor
    positive_rows: torch.Tensor
    artist: torch.Tensor
    step: torch.Tensor


class PairSampler:
    """Draws pairs as the settings say. All randomness comes from one generator."""

    def __init__(
        self,
        rows: Rows,
        pairs: PairSettings,
        augment: AugmentSettings,
        excerpt_samples: int,
        generator: torch.Generator,
    ) -> None:
        self.rows, self.pairs, self.augment = rows, pairs, augment
        self.excerpt_samples = excerpt_samples
        self.generator = generator
        self.device = rows.artist.device
        self.voiced = rows.has_vocals.nonzero()[:, 0]
        if len(self.voiced) < 2:
            raise DataError("Fewer than two segments with vocals: there is nothing to learn from.")
        self.artists = _Groups(rows.artist[self.voiced])
        self.tracks = _Groups(rows.track[self.voiced])
        self.backings = (rows.norms[:, ACCOMPANIMENT] > SILENT).nonzero()[:, 0]
        if pairs.mix == "paper" and pairs.artificial > 0 and not len(self.backings):
            raise DataError(
                "Artificial mixtures need accompaniments, and this data set has none. Add songs "
                "or backings, or set pairs.artificial=0."
            )
        weights = self.artists.counts.double() ** pairs.balance
        self._artist_edges = (weights / weights.sum()).cumsum(0)
        self._ratios = speed_ratios(augment, self.device)

    def draw(self, num_pairs: int, artificial: float | None = None) -> Pairs:
        """``artificial`` replaces the settings' share for the anchors (later stages)."""
        pairs = self.pairs
        share = pairs.artificial if artificial is None else artificial
        anchor = self._anchors(num_pairs)
        positive = self._positives(anchor)
        step = self._integers(torch.full_like(anchor, len(self._ratios)))
        anchor_rows, positive_rows = self.voiced[anchor], self.voiced[positive]
        return Pairs(
            self._excerpts(anchor_rows, step, pairs.anchor, share),
            self._excerpts(positive_rows, step, pairs.positive, pairs.positive_artificial),
            anchor_rows,
            positive_rows,
            self.rows.artist[anchor_rows],
            step,
        )

    def _uniform(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)

    def _integers(self, ends: torch.Tensor) -> torch.Tensor:
        """Uniform in [0, end) for each end, int64."""
        draws = torch.rand(
            ends.shape, generator=self.generator, device=self.device, dtype=torch.float64
        )
        return torch.minimum((draws * ends).long(), ends - 1)

    def _anchors(self, num_pairs: int) -> torch.Tensor:
        """Positions within ``voiced``."""
        if self.pairs.balance == 1.0:
            ends = torch.full((num_pairs,), len(self.voiced), device=self.device)
            return self._integers(ends)
        draws = torch.rand(
            num_pairs, generator=self.generator, device=self.device, dtype=torch.float64
        )
        group = torch.searchsorted(self._artist_edges, draws).clamp_(
            max=len(self.artists.counts) - 1
        )
        return self.artists.firsts[group] + self._integers(self.artists.counts[group])

    def _positives(self, anchor: torch.Tensor) -> torch.Tensor:
        """Positions within ``voiced``, by the rule of ``pairs.same``.

        ``other-song`` falls back to another segment where the artist has one song, and to the
        anchor's own segment where there is one segment only.
        """
        if self.pairs.same == "segment":
            return anchor
        artist = self.artists.group_of[anchor]
        first, count = self.artists.firsts[artist], self.artists.counts[artist]
        if self.pairs.same == "artist":
            return first + self._integers(count)
        track = self.tracks.group_of[anchor]
        skip_first, skip_count = self.tracks.firsts[track], self.tracks.counts[track]
        is_single = skip_count == count
        skip_first = torch.where(is_single, anchor, skip_first)
        skip_count = torch.where(is_single, torch.ones_like(skip_count), skip_count)
        left = count - skip_count
        drawn = first + self._integers(left.clamp(min=1))
        drawn = torch.where(drawn >= skip_first, drawn + skip_count, drawn)
        return torch.where(left == 0, anchor, drawn)

    def _excerpts(
        self, rows: torch.Tensor, step: torch.Tensor, stem: str, artificial: float
    ) -> torch.Tensor:
        """(n, excerpt_samples): the stem, or with probability ``artificial`` a fresh mixture."""
        ratio = self._ratios[step]
        last = (SEGMENT_SAMPLES - 2 - ratio * self.excerpt_samples).clamp(min=0)
        if len(self._ratios) == 1:
            last = torch.full_like(ratio, SEGMENT_SAMPLES - self.excerpt_samples)
        offsets = (self._uniform(len(rows)) * last).long()
        plain = MIXTURE if stem == "mixture" else VOCALS
        out = self._unit(rows, offsets, ratio, plain)
        if artificial > 0 and len(self.backings):
            vocals = self._unit(rows, offsets, ratio, VOCALS) if plain == MIXTURE else out
            is_artificial = (self._uniform(len(rows)) < artificial)[:, None]
            out = torch.where(is_artificial, self._mixed(rows, vocals), out)
        return self._augmented(out)

    def _unit(
        self, rows: torch.Tensor, offsets: torch.Tensor, ratio: torch.Tensor, stem: int
    ) -> torch.Tensor:
        """Excerpts of a stem whose whole segment has unit energy."""
        if len(self._ratios) == 1:
            samples = self._slice(rows, offsets, stem, self.excerpt_samples)
        else:
            length = int(self.excerpt_samples * float(self._ratios.max())) + 2
            length = min(length, SEGMENT_SAMPLES)
            offsets = offsets.clamp(max=SEGMENT_SAMPLES - length)
            source = self._slice(rows, offsets, stem, length)
            samples = resampled(source, ratio, self.excerpt_samples)
        return samples / (self.rows.norms[rows, stem, None] + NORM_EPS)

    def _slice(
        self, rows: torch.Tensor, offsets: torch.Tensor, stem: int, length: int
    ) -> torch.Tensor:
        windows = self.rows.stems.unfold(-1, length, 1)
        if stem != ACCOMPANIMENT:
            return windows[rows, stem, offsets].float() / INT16_SCALE
        mixture, vocals = windows[rows, MIXTURE, offsets], windows[rows, VOCALS, offsets]
        return (mixture.float() - vocals.float()) / INT16_SCALE

    def _mixed(self, rows: torch.Tensor, vocals: torch.Tensor) -> torch.Tensor:
        """Vocals over another song's accompaniment, both of unit energy per segment."""
        num = len(rows)
        chosen = self._other_backings(rows)
        last = torch.full((num,), SEGMENT_SAMPLES - self.excerpt_samples + 1, device=self.device)
        backing = self._slice(chosen, self._integers(last), ACCOMPANIMENT, self.excerpt_samples)
        backing = backing / (self.rows.norms[chosen, ACCOMPANIMENT, None] + NORM_EPS)
        low, high = self.pairs.mix_weight if self.pairs.mix == "paper" else self.pairs.backing_db
        amount = (low + (high - low) * self._uniform(num))[:, None]
        if self.pairs.mix == "paper":
            mixed = amount * backing + (1 - amount**2) * vocals
        else:
            gain = 10 ** (amount / 20)
            mixed = (vocals + gain * backing) / (1 + gain**2).sqrt()
        if self.pairs.clean == 0:
            return mixed
        is_clean = (self._uniform(num) < self.pairs.clean)[:, None]
        return torch.where(is_clean, vocals, mixed)

    def _other_backings(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows with another song's accompaniment; a few draws make a clash next to impossible."""
        ends = torch.full((len(rows),), len(self.backings), device=self.device)
        chosen = self.backings[self._integers(ends)]
        for _ in range(3):
            clash = self.rows.track[chosen] == self.rows.track[rows]
            chosen = torch.where(clash, self.backings[self._integers(ends)], chosen)
        return chosen

    def _augmented(self, excerpts: torch.Tensor) -> torch.Tensor:
        if self.augment.eq_db > 0:
            excerpts = random_equaliser(excerpts, self.augment.eq_db, self.generator)
        if self.augment.level_db > 0:
            db = self.augment.level_db * torch.randn(
                len(excerpts), 1, generator=self.generator, device=self.device
            )
            excerpts = excerpts * 10 ** (db / 20)
        return excerpts


class _Groups:
    """Runs of equal labels in a sorted sequence: group of each element, first and count of each."""

    def __init__(self, labels: torch.Tensor) -> None:
        _, self.group_of, self.counts = torch.unique_consecutive(
            labels, return_inverse=True, return_counts=True
        )
        self.firsts = self.counts.cumsum(0) - self.counts


def speed_ratios(augment: AugmentSettings, device: torch.device | str = "cpu") -> torch.Tensor:
    """Speeds of the voices, (2 · voice_steps + 1,) float32, 1.0 in the middle."""
    steps = augment.voice_steps
    exponents = torch.linspace(-augment.voice_range, augment.voice_range, 2 * steps + 1)
    return torch.exp(exponents if steps else torch.zeros(1)).to(device)


def resampled(source: torch.Tensor, ratio: torch.Tensor, num_samples: int) -> torch.Tensor:
    """Read at ``ratio`` times the speed, with linear interpolation.

    Args:
        source: (n, length) with length > ratio · num_samples.
        ratio: (n,).

    Returns:
        (n, num_samples).
    """
    position = torch.arange(num_samples, device=source.device) * ratio[:, None]
    left = position.floor().clamp_(max=source.shape[1] - 2)
    weight = position - left
    index = left.long()
    return torch.lerp(source.gather(1, index), source.gather(1, index + 1), weight)


def random_equaliser(
    excerpts: torch.Tensor, eq_db: float, generator: torch.Generator, num_points: int = 8
) -> torch.Tensor:
    """A smooth random frequency response for each excerpt: rooms, microphones, codecs."""
    spectrum = torch.fft.rfft(excerpts)
    points = eq_db * torch.randn(
        len(excerpts), 1, num_points, generator=generator, device=excerpts.device
    )
    curve = torch.nn.functional.interpolate(
        points, spectrum.shape[1], mode="linear", align_corners=True
    )
    return torch.fft.irfft(spectrum * 10 ** (curve[:, 0] / 20), n=excerpts.shape[1])

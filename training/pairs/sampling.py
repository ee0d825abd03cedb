"""Pairs of excerpts, drawn and mixed on the device: no Python per example.

With several processes, each draws the numbers of the whole joint batch from the same generator,
and mixes only its own share. Joint batches are thus the same whatever the number of processes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.models.segments import NORM_EPS, SEGMENT_SAMPLES
from training.config import AugmentSettings, PairSettings
from training.data.data_set import INT16_SCALE
from training.data.rows import ACCOMPANIMENT, MIXTURE, VOCALS, Rows
from training.distributed import World
from training.errors import DataError
from training.pairs.augmentation import NUM_EQ_POINTS, equalised, in_rooms, resampled, speed_ratios

ROOM_SAMPLES = 12_000  # 0.75 s
SILENT = 1e-3  # norm over a segment below which a stem counts as empty


@dataclass(frozen=True)
class Pairs:
    """A batch of pairs.

    Attributes:
        anchors, positives: (num_own, excerpt_samples) float32, this process's share.
        clean: (2 · num_own, excerpt_samples), the voices alone at the same places, or None.
        anchor_tracks, positive_tracks: (num_pairs,) int64 of the voices heard, of the joint batch.
        artist, step: the same; ``step`` is the speed at which the voice is heard.
    """

    anchors: torch.Tensor
    positives: torch.Tensor
    clean: torch.Tensor | None
    anchor_tracks: torch.Tensor
    positive_tracks: torch.Tensor
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
        world: World | None = None,
    ) -> None:
        self.rows, self.pairs, self.augment = rows, pairs, augment
        self.excerpt_samples = excerpt_samples
        self.generator = generator
        self.world = world or World()
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
        fastest = float(speed_ratios(augment).max())  # asked of the processor: no device waits
        self._num_needed = min(int(excerpt_samples * fastest) + 2, SEGMENT_SAMPLES)

    def draw(
        self, num_pairs: int, artificial: float | None = None, with_clean: bool = False
    ) -> Pairs:
        """``artificial`` replaces the settings' share for the anchors (later stages)."""
        pairs = self.pairs
        anchor = self._anchors(num_pairs)
        positive = self._positives(anchor)
        step = self._integers(torch.full_like(anchor, len(self._ratios)))
        anchor_rows, positive_rows = self.voiced[anchor], self.voiced[positive]
        own = self.world.share(num_pairs)
        anchors = self._side(num_pairs, pairs.artificial if artificial is None else artificial)
        positives = self._side(num_pairs, pairs.positive_artificial)
        clean = None
        if with_clean:
            sides = ((anchor_rows, anchors), (positive_rows, positives))
            clean = torch.cat([self._clean(rows[own], step[own], side) for rows, side in sides])
        return Pairs(
            self._excerpts(anchor_rows[own], step[own], pairs.anchor, anchors),
            self._excerpts(positive_rows[own], step[own], pairs.positive, positives),
            clean,
            self.rows.track[anchor_rows],
            self.rows.track[positive_rows],
            self.rows.artist[anchor_rows],
            step,
        )

    def _side(self, num_pairs: int, artificial: float) -> _Side:
        """Random numbers of one side of the joint batch, of which the own share is kept."""
        own = self.world.share(num_pairs)
        uniform = self._uniform(8, num_pairs)[:, own]
        backings = torch.full((4, num_pairs), max(1, len(self.backings)), device=self.device)
        curve, level = self._normal(num_pairs, NUM_EQ_POINTS), self._normal(num_pairs, 1)
        noise = self._normal(num_pairs, ROOM_SAMPLES if self.augment.rooms > 0 else 0)
        return _Side(
            artificial,
            uniform,
            self._integers(backings)[:, own],
            curve[own],
            level[own],
            noise[own],
        )

    def _normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.generator, device=self.device)

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
        self, rows: torch.Tensor, step: torch.Tensor, stem: str, side: _Side
    ) -> torch.Tensor:
        """(n, excerpt_samples): the stem, or with side.artificial's probability a fresh mixture.

        Mixtures are made of voices as they were recorded, not as a separator leaves them.
        """
        ratio, offsets = self._place(step, side)
        plain = MIXTURE if stem == "mixture" else VOCALS
        out = self._unit(rows, offsets, ratio, plain)
        if side.artificial > 0 and len(self.backings):
            vocals = self._unit(self.rows.clean[rows], offsets, ratio, VOCALS)
            if self.augment.rooms > 0:
                is_in_room = (side.uniform[5] < self.augment.rooms)[:, None]
                heard = in_rooms(vocals, side.uniform[6:], side.noise)
                vocals = torch.where(is_in_room, heard, vocals)
            is_artificial = (side.uniform[1] < side.artificial)[:, None]
            out = torch.where(is_artificial, self._mixed(rows, vocals, side), out)
        if self.augment.eq_db > 0:
            out = equalised(out, self.augment.eq_db * side.curve)
        if self.augment.level_db > 0:
            out = out * 10 ** (self.augment.level_db * side.level / 20)
        return out

    def _place(self, step: torch.Tensor, side: _Side) -> tuple[torch.Tensor, torch.Tensor]:
        """Speed and first sample of each excerpt."""
        ratio = self._ratios[step]
        # A faster voice needs a longer stretch; offsets never reach beyond the segment.
        num_needed = ratio * self.excerpt_samples + (1 if len(self._ratios) > 1 else 0)
        return ratio, (side.uniform[0] * (SEGMENT_SAMPLES - num_needed).clamp(min=0)).long()

    def _clean(self, rows: torch.Tensor, step: torch.Tensor, side: _Side) -> torch.Tensor:
        """The voices of these excerpts alone, as recorded: (n, excerpt_samples)."""
        ratio, offsets = self._place(step, side)
        return self._unit(self.rows.clean[rows], offsets, ratio, VOCALS)

    def _unit(
        self, rows: torch.Tensor, offsets: torch.Tensor, ratio: torch.Tensor, stem: int
    ) -> torch.Tensor:
        """Excerpts of a stem whose whole segment has unit energy."""
        if len(self._ratios) == 1:
            samples = self._slice(rows, offsets, stem, self.excerpt_samples)
        else:
            offsets = offsets.clamp(max=SEGMENT_SAMPLES - self._num_needed)
            source = self._slice(rows, offsets, stem, self._num_needed)
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

    def _mixed(self, rows: torch.Tensor, vocals: torch.Tensor, side: _Side) -> torch.Tensor:
        """Vocals over another song's accompaniment, both of unit energy per segment."""
        chosen = self._other_backings(rows, side)
        num_starts = SEGMENT_SAMPLES - self.excerpt_samples + 1
        offsets = (side.uniform[2] * num_starts).long().clamp(max=num_starts - 1)
        backing = self._slice(chosen, offsets, ACCOMPANIMENT, self.excerpt_samples)
        backing = backing / (self.rows.norms[chosen, ACCOMPANIMENT, None] + NORM_EPS)
        low, high = self.pairs.mix_weight if self.pairs.mix == "paper" else self.pairs.backing_db
        amount = (low + (high - low) * side.uniform[3])[:, None]
        if self.pairs.mix == "paper":
            mixed = amount * backing + (1 - amount**2) * vocals
        else:
            gain = 10 ** (amount / 20)
            mixed = (vocals + gain * backing) / (1 + gain**2).sqrt()
        is_clean = (side.uniform[4] < self.pairs.clean)[:, None]
        return torch.where(is_clean, vocals, mixed)

    def _other_backings(self, rows: torch.Tensor, side: _Side) -> torch.Tensor:
        """Rows with another song's accompaniment; four draws make a clash next to impossible."""
        chosen = self.backings[side.backings[0]]
        for again in side.backings[1:]:
            clash = self.rows.track[chosen] == self.rows.track[rows]
            chosen = torch.where(clash, self.backings[again], chosen)
        return chosen


@dataclass(frozen=True)
class _Side:
    """Random numbers for anchors or positives.

    Attributes:
        artificial: probability of an artificial mixture.
        uniform: (8, n): offset, is artificial, offset of the backing, its amount, is clean, is in a
            room, and the room's two numbers.
        backings: (4, n) int64, candidates.
        curve: (n, NUM_EQ_POINTS), level: (n, 1), noise: (n, ROOM_SAMPLES) or empty, all normal.
    """

    artificial: float
    uniform: torch.Tensor
    backings: torch.Tensor
    curve: torch.Tensor
    level: torch.Tensor
    noise: torch.Tensor


class _Groups:
    """Runs of equal labels in a sorted sequence: group of each element, first and count of each."""

    def __init__(self, labels: torch.Tensor) -> None:
        _, self.group_of, self.counts = torch.unique_consecutive(
            labels, return_inverse=True, return_counts=True
        )
        self.firsts = self.counts.cumsum(0) - self.counts

"""How good a run is: the pretext task and artist similarity, on artists it never trains on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from engine.evaluation.metrics import equal_error_rate, normalised_rank
from training.config import SystemConfig
from training.data.data_set import INT16_SCALE, evenly_spread
from training.data.rows import MIXTURE, VOCALS, Rows
from training.losses import accuracy, contrastive, same_voice
from training.pairs.sampling import PairSampler

NUM_BATCHES = 4
SEGMENTS_PER_ARTIST = 8
Embed = Callable[[torch.Tensor], torch.Tensor]  # (n, excerpt_samples) -> (n, dim)


def pretext(
    embed: Embed,
    head: torch.nn.Module,
    rows: Rows,
    config: SystemConfig,
    excerpt_samples: int,
    artificial: float,
) -> dict[str, float]:
    """Loss and accuracy of finding the positive, over the same batches every time.

    ``artificial``: share of artificial mixtures, that of the stage at hand.
    """
    generator = torch.Generator(device=rows.artist.device).manual_seed(config.seed)
    sampler = PairSampler(rows, config.pairs, config.augment, excerpt_samples, generator)
    losses, hits = [], []
    for _ in range(NUM_BATCHES):
        pairs = sampler.draw(config.optim.num_pairs, artificial)
        anchors, positives = embed(torch.cat([pairs.anchors, pairs.positives])).chunk(2)
        logits = head(anchors, positives)
        excluded = same_voice(pairs.artist, pairs.step) if config.loss.mask_same_artist else None
        loss = contrastive(logits, is_excluded=excluded, symmetric=config.loss.symmetric)
        losses.append(float(loss))
        hits.append(float(accuracy(logits)))
    return {"loss": float(np.mean(losses)), "accuracy": float(np.mean(hits))}


def artist_similarity(embed: Embed, rows: Rows, excerpt_samples: int) -> dict[str, float]:
    """EER and MNR in percent, for vocals and mixtures; all pairs of segments pooled.

    Two segments of one song are compared only where the artist has no other song: otherwise the
    song, not the voice, could be what is recognised. NaN where no two segments can be compared.
    """
    chosen = _few_per_artist(rows)
    artist, track = rows.artist[chosen].cpu().numpy(), rows.track[chosen].cpu().numpy()
    same_artist = artist[:, None] == artist[None, :]
    same_track = track[:, None] == track[None, :]
    has_other_track = (same_artist & ~same_track).any(1)
    is_compared = ~(same_track & has_other_track[:, None])
    np.fill_diagonal(is_compared, False)
    results: dict[str, float] = {}
    for name, stem in (("vocals", VOCALS), ("mixture", MIXTURE)):
        vectors = _segment_embeddings(embed, rows, chosen, stem, excerpt_samples)
        centred = F.normalize(vectors - vectors.mean(0))
        similarity = (centred @ centred.T).cpu().numpy()
        positive, negative = similarity[same_artist & is_compared], similarity[~same_artist]
        results[f"eer_{name}"] = 100 * equal_error_rate(positive, negative)
        ranks = [
            normalised_rank(row[same & compared], row[~same])
            for row, same, compared in zip(similarity, same_artist, is_compared, strict=True)
            if (same & compared).any()
        ]
        results[f"mnr_{name}"] = 100 * float(np.mean(ranks)) if ranks else float("nan")
    return results


def _few_per_artist(rows: Rows) -> torch.Tensor:
    """Rows with vocals, at most SEGMENTS_PER_ARTIST of each artist, evenly spread."""
    voiced = rows.has_vocals.nonzero()[:, 0].cpu().numpy()
    kept = evenly_spread(voiced, rows.artist.cpu().numpy()[voiced], SEGMENTS_PER_ARTIST)
    return torch.from_numpy(kept).to(rows.artist.device)


def _segment_embeddings(
    embed: Embed, rows: Rows, chosen: torch.Tensor, stem: int, excerpt_samples: int
) -> torch.Tensor:
    """(n, dim): mean over excerpts side by side, as a library's tracks are embedded."""
    segments = rows.stems[chosen, stem].float() / INT16_SCALE
    segments = segments / (rows.norms[chosen, stem, None] + 1e-9)
    excerpts = segments.unfold(-1, excerpt_samples, excerpt_samples)
    num = excerpts.shape[1]
    flat = excerpts.reshape(-1, excerpt_samples)
    embedded = torch.cat([embed(part) for part in torch.split(flat, 160)])
    return embedded.reshape(len(chosen), num, -1).mean(1)

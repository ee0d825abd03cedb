"""One way to use all voice models, whatever their network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from engine.models.checkpoint import Manifest
from engine.models.geometry import Geometry
from engine.models.model import Model
from engine.models.segments import cut_excerpts
from engine.models.singing import SingingDetector
from engine.networks.processor import has_fast_bfloat16
from engine.records import View

if TYPE_CHECKING:
    import torch
    from torch import nn

# Bounds the memory of one forward pass (EfficientNet-B0 takes some megabytes an excerpt).
BATCH_EXCERPTS = 40
# Of whole segments few: what is worked on stays near the processor.
BATCH_SEGMENTS = 8
# A recurrent network takes little, and reads all its weights at every step, for however many.
RECURRENT_BATCH_EXCERPTS = 192


class VoiceModel(Model):
    """A network that hears voices, with its geometry."""

    def __init__(
        self,
        manifest: Manifest,
        network: nn.Module,
        excerpt_samples: int,
        dim: int,
        geometry: Mapping[View, Geometry],
        device: torch.device | None = None,
        singing: SingingDetector | None = None,
    ) -> None:
        """``device``: None stands for the processor."""
        import torch

        from engine.networks.campp import Campp
        from engine.networks.dvector import DVector

        self.manifest, self.singing = manifest, singing
        self.name = manifest.name
        self.sha256 = manifest.identity
        self.dim = dim
        self.excerpt_samples = excerpt_samples
        self._device = device or torch.device("cpu")
        is_cpu = self._device.type == "cpu"
        if is_campp := isinstance(network, Campp):
            network.speed_up()
        self._network = network.eval().to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._is_bfloat16 = is_cpu and has_fast_bfloat16()
        self._batch_excerpts = BATCH_SEGMENTS if is_campp else BATCH_EXCERPTS
        if isinstance(network, DVector):
            self._batch_excerpts = RECURRENT_BATCH_EXCERPTS
        self._geometry = dict(geometry)

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        import torch

        # Parts of one size: a small last one would take as many steps as a whole one.
        parts = np.array_split(excerpts, max(1, -(-len(excerpts) // self._batch_excerpts)))
        with (
            torch.inference_mode(),
            torch.autocast("cpu", torch.bfloat16, enabled=self._is_bfloat16),
        ):
            batches = [
                self._network(torch.from_numpy(part).to(self._device)).float().cpu().numpy()
                for part in parts
                if len(part)
            ]
        return np.concatenate(batches) if batches else np.zeros((0, self.dim), np.float32)

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz -> (n, dim): the mean over each segment's excerpts.

        Neither centred nor normalised. ``every``: as ``cut_excerpts`` has it.
        """
        excerpts = cut_excerpts(segments, self.excerpt_samples, every)
        return np.asarray(
            self.embed_excerpts(excerpts).reshape(len(segments), -1, self.dim).mean(1)
        )

    @property
    def hears_voices_in_mixtures(self) -> bool:
        """Both views are placed alike."""
        one, other = self._geometry["vocals"], self._geometry["overall"]
        return bool(
            one.centre.any()
            and np.array_equal(one.centre, other.centre)
            and np.array_equal(one.transform, other.transform)
        )

    def geometry(self, view: View) -> Geometry:
        return self._geometry[view]

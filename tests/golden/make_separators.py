"""Makes separators.npz and separator_shapes.json: what the published networks' own code gives.

    pip install --no-deps openunmix==1.3.0
    python tests/golden/make_separators.py

Weights are not kept: both sides rebuild them from their names (tests/support/seeded.py).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torchaudio

GOLDEN = Path(__file__).parent
sys.path.insert(0, str(GOLDEN.parent))
from openunmix.model import OpenUnmix, Separator  # noqa: E402
from support.seeded import seeded, seeded_audio  # noqa: E402

SOURCES = ["drums", "bass", "other", "vocals"]


def fill(net, prefix):
    state = net.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            state[name] = torch.from_numpy(seeded(f"{prefix}.{name}", tensor.shape))
    net.load_state_dict(state)
    return net.eval()


def shapes(net):
    return {name: list(tensor.shape) for name, tensor in net.state_dict().items()}


def unmix(hidden_size):
    return OpenUnmix(nb_bins=2049, nb_channels=2, hidden_size=hidden_size, max_bin=1487)


def hdemucs(channels):
    return torchaudio.models.HDemucs(SOURCES, channels=channels, nfft=4096, depth=6)


values = {}
with torch.inference_mode():
    mixture = torch.from_numpy(seeded_audio("mixture", (1, 2, 40_001))) * 0.1
    values["hdemucs"] = fill(hdemucs(4), "hdemucs")(mixture)[0, 3].mean(0)[::8]
    separator = Separator({"vocals": fill(unmix(16), "umx")}, niter=0, nb_channels=2).eval()
    values["openunmix"] = separator(mixture)[0, 0].mean(0)[::8]
np.savez_compressed(GOLDEN / "separators.npz", **{n: v.numpy() for n, v in values.items()})
listing = {"hdemucs": shapes(hdemucs(48)), "umxhq": shapes(unmix(512)), "umxl": shapes(unmix(1024))}
text = ",\n".join(f" {json.dumps(name)}: {json.dumps(net)}" for name, net in listing.items())
(GOLDEN / "separator_shapes.json").write_text("{\n" + text + "\n}\n")

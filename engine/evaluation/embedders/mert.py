"""MERT, a general music encoder: the paper's baseline that knows nothing of voices in particular.

Source: Li et al., "MERT: Acoustic Music Understanding Model with Large-Scale Self-supervised
Training" (2023); the paper takes ``m-a-p/MERT-v0-public`` on excerpts of 1 s. Needs the extra
``mert`` (transformers). With the settings of that checkpoint the network is HuBERT's, so it is
loaded as such: none of the code that its repository carries is run.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.errors import EvaluationError

REPOSITORY = "m-a-p/MERT-v0-public"
EXCERPT_SAMPLES = 16_000
BATCH_EXCERPTS = 16
# What of a MERT configuration must hold for HuBERT's network to be the same.
AS_HUBERT = {"feature_extractor_cqt": False, "deepnorm": False, "attention_relax": -1.0,
             "feat_proj_layer_norm": True}  # fmt: skip
DOWNLOAD_HINT = (
    f"The weights of MERT ({REPOSITORY}, about 380 MB, not for commercial use) are not on this "
    "machine. Run the evaluation once with --download to fetch them from huggingface.co."
)


class Mert:
    """Mean over time of the last layer's features."""

    def __init__(self, network: Any, normalise: bool = True) -> None:
        """``network``: a ``transformers.HubertModel``."""
        self.name = "mert"
        self.dim = int(network.config.hidden_size)
        self.excerpt_samples = EXCERPT_SAMPLES
        self._network = network.eval()
        self._normalise = normalise
        digest = hashlib.sha256(f"last layer, mean, normalise={normalise}".encode())
        for name, tensor in sorted(network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.float().contiguous().numpy().tobytes())
        self.sha256 = digest.hexdigest()

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, 16,000) float32 -> (n, dim) float32; excerpts get mean 0 and variance 1 first."""
        if self._normalise:
            centred = excerpts - excerpts.mean(1, keepdims=True)
            excerpts = centred / np.sqrt(centred.var(1, keepdims=True) + 1e-7)
        with torch.inference_mode():
            batches = [
                self._network(torch.from_numpy(excerpts[i : i + BATCH_EXCERPTS]))
                .last_hidden_state.mean(1)
                .float()
                for i in range(0, len(excerpts), BATCH_EXCERPTS)
            ]
        return np.asarray(torch.cat(batches).numpy())


def load_mert(source: str | Path = REPOSITORY, *, allow_download: bool = False) -> Mert:
    """From the local cache of downloads, or a folder with ``config.json`` and weights.

    Args:
        allow_download: fetch what is missing. Never done unless asked for.

    Raises:
        EvaluationError: without transformers or weights, or with a configuration of another kind.
    """
    try:
        transformers: Any = import_module("transformers")
    except ModuleNotFoundError as error:
        raise EvaluationError(
            "MERT needs the package transformers. Install it: pip install 'singalike[mert]'"
        ) from error
    local = {"local_files_only": not allow_download}
    try:
        config, _ = transformers.HubertConfig.get_config_dict(str(source), **local)
        _check_config(config)
        settings = transformers.HubertConfig.from_dict({**config, "model_type": "hubert"})
        network, report = transformers.HubertModel.from_pretrained(
            str(source), config=settings, output_loading_info=True, **local
        )
    except OSError as error:
        raise EvaluationError(DOWNLOAD_HINT) from error
    # Training masks frames with an embedding that plays no part here.
    if missing := {*report["missing_keys"]} - {"masked_spec_embed"}:
        raise EvaluationError(f"The weights of MERT lack {', '.join(sorted(missing))}.")
    return Mert(network)


def _check_config(config: dict[str, Any]) -> None:
    for name, expected in AS_HUBERT.items():
        if config.get(name, expected) != expected:
            raise EvaluationError(
                f"This MERT has {name} = {config[name]!r}; only checkpoints with {expected!r} can "
                f"be used, such as {REPOSITORY}."
            )
    if config.get("sample_rate", 16_000) != 16_000:
        raise EvaluationError(
            f"This MERT hears {config['sample_rate']} Hz; only those of 16 kHz, such as "
            f"{REPOSITORY}, can be used."
        )

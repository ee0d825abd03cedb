"""The CVSM authors' TensorFlow checkpoints as checkpoints of ours.

Their Keras model numbers the EfficientNet's layers that have weights: 0 the input normalisation
(left at identity), then stem, blocks and top in the order of the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from engine.errors import CheckpointError
from engine.models.checkpoint import Manifest, save_checkpoint
from engine.models.tensorflow_bundle import Bundle, read_bundle
from engine.networks.cvsm.encoder import STAGES, Encoder, EncoderConfig

ENCODER = "embedding_model/layer_with_weights-0/layer_with_weights-"
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
SOURCE = "https://github.com/cgaroufis/CVSM"
# What Keras calls a tensor, what PyTorch calls it, and where Keras's axes go.
NORM = (
    ("gamma", "weight", None),
    ("beta", "bias", None),
    ("moving_mean", "running_mean", None),
    ("moving_variance", "running_var", None),
)
CONV = (("kernel", "weight", (3, 2, 0, 1)),)
CONV_BIAS = (*CONV, ("bias", "bias", None))
DEPTHWISE = (("depthwise_kernel", "weight", (2, 3, 0, 1)),)
HEAD = (
    ("embedding_model/layer_with_weights-1/kernel", "head.linear.weight", (1, 0)),
    ("embedding_model/layer_with_weights-1/bias", "head.linear.bias", None),
    ("embedding_model/layer_with_weights-2/gamma", "head.norm.weight", None),
    ("embedding_model/layer_with_weights-2/beta", "head.norm.bias", None),
    ("_similarity_layer/bilinear_product_weight", "head.bilinear", None),
)
Tensors = tuple[tuple[str, str, tuple[int, ...] | None], ...]


def import_tensorflow(prefix: Path, folder: Path, *, name: str, system: str = "") -> Manifest:
    """Convert the checkpoint of a prefix to a checkpoint folder of ours.

    Args:
        prefix: the common beginning of the ``.index`` and ``.data-00000-of-00001`` files.
        folder: is created; a checkpoint in it is replaced.
        name: the model's name on the command line.
        system: training system, e.g. ``cvsm-art``, where it is known.

    Raises:
        CheckpointError: missing or damaged files, not a CVSM checkpoint, ``folder`` not writable.
    """
    bundle = read_bundle(prefix)
    _check_is_cvsm(bundle)
    tensors = {**_encoder(bundle), **_head(bundle)}
    manifest = Manifest(
        name=name,
        architecture="cvsm",
        title=f"{name} (CVSM, published weights)",
        description="Converted from the TensorFlow checkpoint that the authors of CVSM published.",
        licence="Not stated by its authors. For your own use; do not pass it on.",
        source=SOURCE,
        config=asdict(EncoderConfig(pooling="max")),
        system=system,
        data=[{"name": "Music4All", "licence": "on request from its authors"}],
    )
    try:
        return save_checkpoint(folder, manifest, tensors)
    except OSError as error:
        raise CheckpointError(f"The checkpoint cannot be written to {folder}: {error}.") from error


def _check_is_cvsm(bundle: Bundle) -> None:
    mean, variance = (ENCODER + f"0/{part}{SUFFIX}" for part in ("mean", "variance"))
    if mean not in bundle.entries or variance not in bundle.entries:
        raise CheckpointError(
            f"{bundle.prefix} is a TensorFlow checkpoint, but not one of CVSM: its tensors have "
            "other names."
        )
    if np.any(bundle.tensor(mean) != 0) or np.any(bundle.tensor(variance) != 1):
        raise CheckpointError(
            f"{bundle.prefix} normalises its input by statistics of its own, which no published "
            "CVSM checkpoint does. It cannot be converted."
        )


def _encoder(bundle: Bundle) -> dict[str, torch.Tensor]:
    """All of an Encoder's state dict, as ``network.*``."""
    expected = Encoder().state_dict()
    tensors = {
        f"network.{name}": torch.zeros_like(tensor)
        for name, tensor in expected.items()
        if name.endswith("num_batches_tracked")
    }
    for number, (module, parts) in enumerate(_layers(), start=1):
        for theirs, ours, axes in parts:
            name = f"net.{module}.{ours}"
            tensor = _tensor(bundle, f"{ENCODER}{number}/{theirs}", axes)
            if tensor.shape != expected[name].shape:
                raise CheckpointError(
                    f"{bundle.prefix} is not an EfficientNet-B0 for one input channel: "
                    f"{ENCODER}{number}/{theirs} has the shape {tuple(tensor.shape)}, "
                    f"not {tuple(expected[name].shape)}."
                )
            tensors[f"network.{name}"] = tensor
    return tensors


def _layers() -> Iterator[tuple[str, Tensors]]:
    """Keras's layers 1 to 130: the module of ours, and its tensors."""
    yield from (("stem.0", CONV), ("stem.1", NORM))
    expansions = [expansion for _, _, expansion, repeats, _ in STAGES for _ in range(repeats)]
    for number, expansion in enumerate(expansions):
        block = f"blocks.{number}"
        if expansion != 1:
            yield from ((f"{block}.expand.0", CONV), (f"{block}.expand.1", NORM))
        yield from ((f"{block}.depthwise.0", DEPTHWISE), (f"{block}.depthwise.1", NORM))
        yield f"{block}.squeeze_excite.reduce", CONV_BIAS
        yield f"{block}.squeeze_excite.expand", CONV_BIAS
        yield from ((f"{block}.project.0", CONV), (f"{block}.project.1", NORM))
    yield from (("top.0", CONV), ("top.1", NORM))


def _head(bundle: Bundle) -> dict[str, torch.Tensor]:
    """Head and similarity of the pretext task, where the checkpoint has them."""
    return {
        ours: _tensor(bundle, theirs, axes)
        for theirs, ours, axes in HEAD
        if theirs + SUFFIX in bundle.entries
    }


def _tensor(bundle: Bundle, name: str, axes: tuple[int, ...] | None) -> torch.Tensor:
    values = bundle.tensor(name + SUFFIX)
    if axes is not None:
        if values.ndim != len(axes):
            raise CheckpointError(f"{bundle.prefix} is not a CVSM checkpoint: see {name}.")
        values = values.transpose(axes)
    if not np.isfinite(values).all():
        raise CheckpointError(f"{bundle.prefix} has values that are no numbers, in {name}.")
    return torch.from_numpy(np.array(values, dtype=np.float32, order="C"))

"""Random weights that any framework can rebuild from a name and a shape.

Golden files then need only what a reference computed with them, not the weights themselves.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

POSITIVE = ("var", "variance")
SCALES = ("gamma", "norm1.weight", "norm2.weight", "bn1.weight", "bn2.weight", "bn3.weight")


def seeded(name: str, shape: Sequence[int], num_inputs: int | None = None) -> np.ndarray:
    """float32 values that depend on nothing but the arguments.

    Args:
        name: variances (``..._var``, ``..._variance``) are in [0.5, 1.5], scales near 1.
        shape: of the tensor.
        num_inputs: weights per output, to keep activations near 1; default from ``shape`` as
            PyTorch lays it out (output first).
    """
    # RandomState and not default_rng: only its streams are promised never to change.
    random = np.random.RandomState(zlib.crc32(name.encode()))
    shape = tuple(shape)
    if name.endswith(POSITIVE):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    values = random.standard_normal(shape)
    if name.endswith(SCALES):
        return (1 + 0.1 * values).astype(np.float32)
    if len(shape) < 2:
        return (0.1 * values).astype(np.float32)
    num_inputs = num_inputs or int(np.prod(shape[1:]))
    return (values / np.sqrt(num_inputs)).astype(np.float32)


def seeded_keras(name: str, shape: Sequence[int]) -> np.ndarray:
    """The same for tensors of a CVSM checkpoint, as Keras lays them out (output last).

    Kernels are large enough for the embedding to depend on the input: 0.06 between two excerpts,
    against 1e-7 with the plain ones.
    """
    if "layer_with_weights-0/layer_with_weights-0/" in name:  # no published recipe adapts it
        return np.full(shape, name.endswith("variance"), np.float32)
    num_inputs = int(np.prod(shape[: 2 if "depthwise" in name else -1]))
    is_stem = name.endswith("layer_with_weights-0/layer_with_weights-1/kernel")
    gain = 25 if is_stem else 1.5 if name.endswith("kernel") else 1
    return seeded(name, shape, max(1, num_inputs)) * np.float32(gain)


def seeded_excerpts() -> np.ndarray:
    """(2, 16000) float32 as the CVSM encoder gets them, one steady and one in bursts."""
    excerpts = seeded_audio("cvsm", (2, 16_000)) / np.float32(np.sqrt(80_000))
    bursts = np.sin(8 * np.pi * np.arange(16_000) / 16_000) ** 4
    return np.stack([excerpts[0], excerpts[1] * bursts.astype(np.float32)])


def seeded_audio(name: str, shape: Sequence[int]) -> np.ndarray:
    """Coloured noise of about unit level, float32: louder at low frequencies, as music is."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    noise = random.standard_normal(tuple(shape))
    spectrum = np.fft.rfft(noise, axis=-1)
    spectrum /= np.sqrt(1 + np.arange(spectrum.shape[-1]) / 50)
    audio = np.fft.irfft(spectrum, n=noise.shape[-1], axis=-1)
    return (audio / audio.std()).astype(np.float32)

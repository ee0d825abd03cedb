"""Where networks run: on a graphics processor that has proved itself, else on the processor."""

from __future__ import annotations

import logging
import os
from functools import cache

import torch
import torch.nn.functional as F
from torch import nn

log = logging.getLogger(__name__)

# "cpu", "cuda", "cuda:1", "mps"; where it is not set, the first that is there and fit.
VARIABLE = "SINGALIKE_DEVICE"
TOLERANCE = 1e-2  # relative; graphics processors round products to 10 or more bits
CPU = torch.device("cpu")


@cache
def compute_device() -> torch.device:
    """The device for this process; what does not compute what the processor does is not used."""
    wanted = os.environ.get(VARIABLE, "")
    for name in [wanted] if wanted else _found():
        try:
            device = torch.device(name)
        except RuntimeError:
            log.warning("%s=%s is no device that torch knows; using the processor", VARIABLE, name)
            return CPU
        if device == CPU or computes_as_expected(device):
            return device
        log.warning("%s does not compute what the processor does, so it is not used", name)
    return CPU


def _found() -> list[str]:
    is_there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, there in is_there.items() if there]


def computes_as_expected(device: torch.device) -> bool:
    """Whether a spectrum, a convolution and a recurrence give there what they give here.

    Drivers, memory and chips fail in more ways than can be listed; every way but the right one is
    a reason to stay on the processor.
    """
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(2, 4096, generator=generator)
    kernel = torch.randn(8, 1, 5, 5, generator=generator) / 5
    lstm = nn.LSTM(32, 16, num_layers=2, batch_first=True)
    for parameter in lstm.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 4

    def compute(on: torch.device) -> torch.Tensor:
        spectrum = torch.fft.rfft(sound.to(on).unfold(1, 512, 128)).abs()[..., :256].log1p()
        features = F.conv2d(spectrum[:, None], kernel.to(on), stride=2, padding=2)
        return lstm.to(on)(features.mean(1)[..., :32])[0].cpu()

    try:
        with torch.inference_mode():
            expected = compute(CPU)
            found = compute(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        log.warning("%s cannot be used: %s", device, error)
        return False
    return bool((found - expected).norm() <= TOLERANCE * expected.norm())

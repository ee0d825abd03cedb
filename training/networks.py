"""The network that a system trains, fresh or from an existing model's weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.models import available
from engine.models.checkpoint import load_tensors, read_manifest, with_prefix
from engine.networks import campp, dvector, ge2e
from engine.networks.campp import Campp
from engine.networks.cvsm.encoder import Encoder, EncoderConfig
from engine.networks.dvector import DVector
from engine.networks.ge2e import Ge2e
from training.config import EncoderSettings
from training.errors import ConfigError


def make_network(settings: EncoderSettings) -> tuple[nn.Module, int, int]:
    """(network, excerpt_samples, dim). Raises ConfigError, CheckpointError."""
    network: nn.Module
    if settings.architecture == "campp":
        network, excerpt_samples, dim = Campp(), settings.excerpt_samples, campp.EMBEDDING_DIM
    elif settings.architecture == "ge2e":
        network, excerpt_samples, dim = Ge2e(), ge2e.EXCERPT_SAMPLES, ge2e.EMBEDDING_DIM
    elif settings.architecture == "dvector":
        network, excerpt_samples, dim = DVector(), dvector.EXCERPT_SAMPLES, dvector.EMBEDDING_DIM
    else:
        encoder = Encoder(encoder_config_of(settings))
        network, excerpt_samples, dim = encoder, settings.excerpt_samples, encoder.dim
    if settings.init:
        _load(network, settings)
    return network, excerpt_samples, dim


def in_use(settings: EncoderSettings) -> EncoderSettings:
    """As the program uses it: ``campp`` hears whole segments, whatever it was taught on."""
    if settings.architecture == "campp":
        return replace(settings, excerpt_samples=campp.EXCERPT_SAMPLES)
    return settings


def encoder_config_of(settings: EncoderSettings) -> EncoderConfig:
    return EncoderConfig(settings.excerpt_samples, settings.pooling, settings.drop_connect)


def _load(network: nn.Module, settings: EncoderSettings) -> None:
    installed = {info.name: info.folder for info in available()}
    folder = installed.get(settings.init, Path(settings.init))
    manifest = read_manifest(folder)
    if manifest.architecture != settings.architecture:
        raise ConfigError(
            f"encoder.init: {manifest.name} is a {manifest.architecture} network, but "
            f"encoder.architecture is {settings.architecture}."
        )
    network.load_state_dict(with_prefix(load_tensors(folder, manifest), "network."))


class WeightAverage:
    """Plain mean of a network's tensors over the batches that are added (Izmailov et al., 2018)."""

    def __init__(self, network: nn.Module) -> None:
        self.num = 0
        self._means = {name: t.detach().clone() for name, t in network.state_dict().items()}

    @torch.no_grad()
    def add(self, network: nn.Module) -> None:
        """Counters and other integers are taken as they are."""
        self.num += 1
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                self._means[name].lerp_(tensor, 1 / self.num)
            else:
                self._means[name].copy_(tensor)

    def state(self) -> dict[str, Any]:
        return {"num": self.num, "means": self._means}

    def restore(self, state: dict[str, Any]) -> None:
        self.num = state["num"]
        for name, tensor in state["means"].items():
            self._means[name].copy_(tensor)

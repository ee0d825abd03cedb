"""The network that a system trains, fresh or from an existing model's weights."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from engine.models import build_network, folder_of, manifest_of
from engine.models.checkpoint import load_tensors, read_manifest, with_prefix
from engine.networks.cvsm.encoder import EncoderConfig
from training.config import EncoderSettings
from training.errors import ConfigError


def make_network(settings: EncoderSettings) -> tuple[nn.Module, int, int]:
    """(network, excerpt_samples, dim). Raises ConfigError, CheckpointError."""
    network, excerpt_samples, dim = build_network(settings.architecture, network_config(settings))
    if settings.architecture == "campp":
        excerpt_samples = settings.excerpt_samples  # in use it hears whole segments
    if settings.init:
        found = manifest_of(settings.init)
        if found.architecture != settings.architecture:
            raise ConfigError(
                f"encoder.init: {found.name} is a {found.architecture} network, but "
                f"encoder.architecture is {settings.architecture}."
            )
        _load(network, settings.init)
    return network, excerpt_samples, dim


def network_config(settings: EncoderSettings) -> dict[str, Any]:
    """What ``build_network`` needs beside the architecture."""
    if settings.architecture != "cvsm":
        return {}
    return asdict(EncoderConfig(settings.excerpt_samples, settings.pooling, settings.drop_connect))


def existing_network(name: str) -> tuple[nn.Module, int]:
    """(network, excerpt_samples) of a voice model as the program uses it. Raises CheckpointError.

    ``name``: or folder of a checkpoint.
    """
    manifest = manifest_of(name)
    network, excerpt_samples, _ = build_network(manifest.architecture, manifest.config)
    _load(network, name)
    return network.eval(), excerpt_samples


def _load(network: nn.Module, name: str) -> None:
    folder = folder_of(name)
    tensors = load_tensors(folder, read_manifest(folder))
    network.load_state_dict(with_prefix(tensors, "network."))


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

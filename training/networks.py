"""The network that a system trains, fresh or from an existing model's weights."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from engine.baselines import dvector, ge2e
from engine.baselines.dvector import DVector
from engine.baselines.ge2e import Ge2e
from engine.checkpoint import load_tensors, read_manifest, with_prefix
from engine.cvsm.encoder import Encoder, EncoderConfig
from engine.models import available
from training.config import EncoderSettings
from training.errors import ConfigError


def make_network(settings: EncoderSettings) -> tuple[nn.Module, int, int]:
    """(network, excerpt_samples, dim). Raises ConfigError, CheckpointError."""
    network: nn.Module
    if settings.architecture == "ge2e":
        network, excerpt_samples, dim = Ge2e(), ge2e.EXCERPT_SAMPLES, ge2e.EMBEDDING_DIM
    elif settings.architecture == "dvector":
        network, excerpt_samples, dim = DVector(), dvector.EXCERPT_SAMPLES, dvector.EMBEDDING_DIM
    else:
        encoder = Encoder(encoder_config_of(settings))
        network, excerpt_samples, dim = encoder, settings.excerpt_samples, encoder.dim
    if settings.init:
        _load(network, settings)
    return network, excerpt_samples, dim


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

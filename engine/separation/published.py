"""Separators whose weights are published elsewhere: installed on request, from the network or a
file that is there already.

Weights are converted once to safetensors. Published files are pickles; they are read without
running any code of theirs (``weights_only``).
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError, SeparatorError
from engine.models.checkpoint import (
    MANIFEST_NAME,
    Manifest,
    load_tensors,
    read_manifest,
    save_checkpoint,
)
from engine.paths import data_path
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.separation.remote_file import RemoteFile

if TYPE_CHECKING:
    import torch
    from torch import nn

    from engine.separation import Separator


@dataclass(frozen=True)
class Published:
    """A separator's network and where its weights lie.

    Attributes:
        architecture: ``open-unmix`` or ``hdemucs``; config: arguments of its network.
        licence: of the weights, with what it means for the user.
        remote: the published file.
        source: where the publisher describes it.
    """

    name: str
    title: str
    licence: str
    architecture: str
    remote: RemoteFile
    source: str
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return data_path() / "models" / self.name

    @property
    def is_installed(self) -> bool:
        return (self.folder / MANIFEST_NAME).is_file()


PUBLISHED = (
    Published(
        name="umxhq",
        title="open-unmix, MUSDB18-HQ (the CVSM paper's)",
        licence="MIT",
        architecture="open-unmix",
        remote=RemoteFile(
            "https://zenodo.org/records/3370489/files/vocals-b62c91ce.pth",
            "b62c91cedbc7a066f1778ead5b5cecb377aa3a46a31af1cce7c5c8769339d083",
            35_637_796,
        ),
        source="https://zenodo.org/records/3370489",
        config={"hidden_size": 512},
    ),
    Published(
        name="umxl",
        title="open-unmix, extra data (better than umxhq, 3 times as slow)",
        licence="CC BY-NC-SA 4.0: not for commercial use",
        architecture="open-unmix",
        remote=RemoteFile(
            "https://zenodo.org/records/5069601/files/vocals-bccbd9aa.pth",
            "bccbd9aa",  # no more of it is published: it is what the file's name says
            113_101_000,  # about: the size of its tensors, and of the frame that umxhq's has
        ),
        source="https://zenodo.org/records/5069601",
        config={"hidden_size": 1024},
    ),
    Published(
        name="hdemucs",
        title="Hybrid Demucs (the best and the slowest)",
        licence="for scientific purposes only, say its authors",
        architecture="hdemucs",
        remote=RemoteFile(
            "https://download.pytorch.org/torchaudio/models/hdemucs_high_trained.pt",
            "a004b2790d73ffeaa535db458a1a79b539dfdbafbccc31f275d07e632ebd7816",
            334_697_255,
        ),
        source="https://github.com/facebookresearch/demucs/issues/327",
    ),
)


def install(
    published: Published,
    weights_path: Path | None,
    progress: ProgressCallback,
    cancel: CancelToken | None,
) -> None:
    """Fetch the weights, or take the file named, and convert them.

    Raises:
        SeparatorError: another file than the published one, or one that cannot be read or written.
        DownloadError, CancelledError.
    """
    # Not before: HTTP and TLS take a twentieth of the window's start.
    from engine.separation.downloads import download

    downloads_path = published.folder.parent / ".downloads"
    if weights_path is None:
        source_path = downloads_path / published.remote.name
        download(published.remote, source_path, progress, cancel)
    else:
        source_path = weights_path
        _check_file(published, source_path)
    progress(Progress("install", message=published.title))
    _convert(published, source_path)
    if weights_path is None:
        shutil.rmtree(downloads_path, ignore_errors=True)


def _check_file(published: Published, path: Path) -> None:
    """Another file under this name would mix embeddings that cannot be compared."""
    if not path.is_file():
        raise SeparatorError(f"There is no file {path}.")
    try:
        is_right = published.remote.is_at(path)
    except OSError as error:
        raise SeparatorError(f"{path} cannot be read: {error}.") from error
    if not is_right:
        raise SeparatorError(
            f"{path} is not the published file of {published.name}: its sha256 does not begin with "
            f"{published.remote.sha256[:8]}. Fetch it from {published.remote.url}."
        )


def _convert(published: Published, path: Path) -> None:
    expected = _build(published.architecture, published.config).state_dict()
    state = _read_pickle(path)
    wrong = [n for n, t in expected.items() if n not in state or state[n].shape != t.shape]
    if wrong:
        raise SeparatorError(
            f"{path} does not hold the network of {published.name}: {wrong[0]} is missing or has "
            "another shape."
        )
    manifest = Manifest(
        name=published.name,
        architecture=published.architecture,
        title=published.title,
        description=f"Converted from {published.remote.url}.",
        licence=published.licence,
        source=published.source,
        config=dict(published.config),
    )
    try:
        save_checkpoint(published.folder, manifest, {name: state[name] for name in expected})
    except OSError as error:
        raise SeparatorError(f"{published.folder} cannot be written: {error}.") from error


def _read_pickle(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name. What the network does not need (old buffers) may be among them."""
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise SeparatorError(
            f"{path} cannot be read as weights, or holds more than weights: {type(error).__name__}."
        ) from error
    if not isinstance(state, dict):
        raise SeparatorError(f"{path} does not hold weights by name.")
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def load(published: Published) -> Separator:
    """Raises SeparatorError when it is not installed, or damaged."""
    if not published.is_installed:
        size_mb = published.remote.size_bytes / 1e6
        raise SeparatorError(
            f"{published.name} is not installed. `singalike separators install {published.name}` "
            f"fetches its weights ({size_mb:.0f} MB, licence: {published.licence}); or choose "
            "spleeter, which comes with Singalike."
        )
    try:
        manifest = read_manifest(published.folder)
        net = _build(manifest.architecture, manifest.config)
        net.load_state_dict(load_tensors(published.folder, manifest))
    except (CheckpointError, RuntimeError, TypeError) as error:
        raise SeparatorError(
            f"{published.name} cannot be loaded: {error} Install it again."
        ) from error
    return _separator(published.name, net)


def _build(architecture: str, config: Mapping[str, Any]) -> nn.Module:
    if architecture == "open-unmix":
        from engine.separation.openunmix import OpenUnmixNet

        return OpenUnmixNet(**config)
    if architecture == "hdemucs":
        from engine.separation import hdemucs

        return hdemucs.network(**config)
    raise CheckpointError(f"{architecture!r} is no separator of this version.")


def _separator(name: str, net: nn.Module) -> Separator:
    from engine.networks.device import compute_device
    from engine.separation.hdemucs import HDemucs
    from engine.separation.openunmix import OpenUnmix, OpenUnmixNet

    if isinstance(net, OpenUnmixNet):
        return OpenUnmix(name, net, compute_device())
    return HDemucs(name, net, compute_device())

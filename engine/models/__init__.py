"""Models: which there are, and one way to use them all.

A model turns 5 s segments into embeddings. The networks differ; what is around them does not:
segments of unit energy, excerpts cut from them, means, a centre to subtract, and compact codes from
which best-matching moments are found. Most hear voices, ``musicnn`` hears bands, and ``overall`` is
one of each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError
from engine.models.calibration import Calibration
from engine.models.checkpoint import (
    MANIFEST_NAME,
    WEIGHTS_NAME,
    Manifest,
    load_tensors,
    missing_weights,
    read_manifest,
    unfit_weights,
    with_prefix,
)
from engine.models.geometry import read_geometry
from engine.models.model import Model
from engine.models.singing import read_singing
from engine.models.voice_model import VoiceModel
from engine.paths import data_path, resources_path
from engine.preferences import read_choices
from engine.records import View

if TYPE_CHECKING:
    from torch import nn

VIEWS: tuple[View, View] = ("vocals", "overall")
OVERALL = "overall"
VOICE_ARCHITECTURES = ("campp", "cvsm", "ge2e", "dvector")
ARCHITECTURES = (*VOICE_ARCHITECTURES, "musicnn", OVERALL)


@dataclass(frozen=True)
class ModelInfo:
    """A model that can be loaded by its name."""

    name: str
    title: str
    description: str
    licence: str
    size_bytes: int
    folder: Path
    views: tuple[View, ...]  # served by default
    can_serve: tuple[View, ...]


def _folders() -> dict[str, Path]:
    roots = (resources_path() / "checkpoints", resources_path() / "models", data_path() / "models")
    manifests = [path for root in roots for path in sorted(root.glob(f"*/{MANIFEST_NAME}"))]
    return {path.parent.name: path.parent for path in manifests}


def default_model_name(view: View) -> str:
    """The model that serves a view: the user's choice, else the best as measured (model cards)."""
    chosen = read_choices().models.get(view)
    return chosen if chosen and chosen in _folders() else _best_models()[view]


@cache
def _best_models() -> dict[View, str]:
    """The best for each view, as measured. Read once: every search asks."""
    path = resources_path() / "checkpoints" / "defaults.json"
    found: dict[View, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def available() -> list[ModelInfo]:
    """All models installed here, ours first. Opens no weights; leaves out damaged ones."""
    infos = []
    for folder, manifest in _installed():
        if isinstance(manifest, CheckpointError) or manifest.architecture not in ARCHITECTURES:
            continue
        size_bytes = sum(path.stat().st_size for path in folder.iterdir())
        views = tuple(view for view in VIEWS if default_model_name(view) == manifest.name)
        infos.append(
            ModelInfo(
                manifest.name,
                manifest.title,
                manifest.description,
                manifest.licence,
                size_bytes,
                folder,
                views,
                VIEWS if manifest.architecture in VOICE_ARCHITECTURES else ("overall",),
            )
        )
    return infos


def problems() -> list[str]:
    """What is wrong with installed checkpoints, a sentence each. Opens no weights."""
    return [str(found) for _, found in _installed() if isinstance(found, CheckpointError)]


def _installed() -> Iterator[tuple[Path, Manifest | CheckpointError]]:
    """Each folder of a checkpoint: what is in it, or what is wrong with it."""
    for folder in _folders().values():
        try:
            manifest = read_manifest(folder)
        except CheckpointError as error:
            yield folder, error
            continue
        has_weights = (folder / WEIGHTS_NAME).is_file()
        yield folder, manifest if has_weights else missing_weights(manifest, folder)


def calibration_of(name: str, sha256: str, view: View) -> Calibration | None:
    """What a model's cosines mean in a view. Opens no weights.

    None where the model is not installed, not in the version of this sha256, or not calibrated.
    """
    try:
        manifest = manifest_of(name)
    except CheckpointError:
        return None
    values = manifest.calibration.get(view)
    return Calibration(**values) if values and manifest.identity == sha256 else None


def manifest_of(name: str) -> Manifest:
    """Of a model by its name, or by the folder of its checkpoint. Raises CheckpointError."""
    return read_manifest(folder_of(name))


def folder_of(name: str) -> Path:
    """Of a model by its name; what is no name of a model here is a folder."""
    return _folders().get(name) or Path(name)


def load(name: str) -> Model:
    """A model by its name, or by the folder of its checkpoint, on the device for this process.

    Raises CheckpointError.
    """
    folder = folder_of(name)
    manifest = read_manifest(folder)
    if manifest.architecture == OVERALL:
        from engine.models import overall

        return overall.load(folder, manifest)
    if manifest.architecture == "musicnn":
        from engine.models import band

        return band.load(folder, manifest)
    return _voice_model(folder, manifest)


def _voice_model(folder: Path, manifest: Manifest) -> VoiceModel:
    from engine.networks.device import compute_device

    tensors = load_tensors(folder, manifest)
    network, excerpt_samples, dim = build_network(manifest.architecture, manifest.config)
    try:
        network.load_state_dict(with_prefix(tensors, "network."))
        geometry = {view: read_geometry(tensors, view, dim) for view in VIEWS}
        singing = read_singing(tensors, dim)
    except (RuntimeError, KeyError) as error:
        raise unfit_weights(manifest) from error
    device = compute_device()
    return VoiceModel(manifest, network, excerpt_samples, dim, geometry, device, singing)


def build_network(architecture: str, config: Mapping[str, Any]) -> tuple[nn.Module, int, int]:
    """(network, excerpt_samples, dim) of voices, with fresh weights. Raises CheckpointError."""
    if architecture == "campp":
        from engine.networks import campp

        return campp.Campp(), campp.EXCERPT_SAMPLES, campp.EMBEDDING_DIM
    if architecture == "cvsm":
        from engine.networks.cvsm.encoder import Encoder, encoder_config

        encoder = Encoder(encoder_config(config))
        return encoder, encoder.config.excerpt_samples, encoder.dim
    if architecture == "ge2e":
        from engine.networks.ge2e import EMBEDDING_DIM, EXCERPT_SAMPLES, Ge2e

        return Ge2e(), EXCERPT_SAMPLES, EMBEDDING_DIM
    if architecture == "dvector":
        from engine.networks import dvector

        return dvector.DVector(), dvector.EXCERPT_SAMPLES, dvector.EMBEDDING_DIM
    raise CheckpointError(
        f"There is no network for voices of the architecture {architecture!r} in this version "
        f"(known: {', '.join(VOICE_ARCHITECTURES)})."
    )

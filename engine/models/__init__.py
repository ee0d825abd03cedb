"""Voice models: which there are, and one way to use them all.

A voice model turns 5 s segments into embeddings. The networks differ (``campp``, ``cvsm``,
``ge2e``, ``dvector``); what is around them does not: segments of unit energy, excerpts cut from
them, means, a centre to subtract, and compact codes from which best-matching moments are found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

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
from engine.networks.processor import has_fast_bfloat16
from engine.paths import data_path, resources_path
from engine.preferences import read_choices
from engine.records import MAX_MOMENTS_BYTES, MomentCodes, View

if TYPE_CHECKING:
    import torch
    from torch import nn

SAMPLE_RATE_HZ = 16_000
SEGMENT_SAMPLES = 80_000
SEGMENT_S = SEGMENT_SAMPLES / SAMPLE_RATE_HZ
NUM_MOMENT_DIMS = 64
MAX_MOMENTS = MAX_MOMENTS_BYTES // (NUM_MOMENT_DIMS + 4)  # int8 codes and a float32 start
NORM_EPS = 1e-9
VIEWS: tuple[View, View] = ("vocals", "overall")
ARCHITECTURES = ("campp", "cvsm", "ge2e", "dvector")
# Bounds the memory of one forward pass (EfficientNet-B0 takes some megabytes an excerpt).
BATCH_EXCERPTS = 40
# Of whole segments few: what is worked on stays near the processor.
BATCH_SEGMENTS = 8
# A recurrent network takes little, and reads all its weights at every step, for however many.
RECURRENT_BATCH_EXCERPTS = 192


def unit_energy(segments: np.ndarray) -> np.ndarray:
    """Each segment over its L2 norm (CVSM: eps 1e-9). (n, num_samples) float32 -> the same."""
    norms = np.linalg.norm(segments, axis=-1, keepdims=True)
    return np.asarray(segments / (norms + NORM_EPS), dtype=np.float32)


def cut_excerpts(segments: np.ndarray, excerpt_samples: int, every: int = 1) -> np.ndarray:
    """(n, 80,000) float32 -> (n * excerpts per segment, length), of unit-energy segments.

    Excerpts cover their segment: side by side when they fit, else evenly overlapping; ``every``: 2
    for every other one of them, and so on. Where one excerpt is all of a segment, its middle half,
    third, and so on is cut then: all else are ``excerpt_samples`` long.
    """
    unit = unit_energy(segments)
    if excerpt_samples == SEGMENT_SAMPLES:
        length = SEGMENT_SAMPLES // every
        start = (SEGMENT_SAMPLES - length) // 2
        return np.ascontiguousarray(unit[:, start : start + length])
    num_excerpts = max(1, round(SEGMENT_SAMPLES / excerpt_samples))
    if excerpt_samples > SAMPLE_RATE_HZ:
        num_excerpts = max(num_excerpts, 5)
    starts = np.linspace(0, SEGMENT_SAMPLES - excerpt_samples, num_excerpts).astype(int)[::every]
    cut = np.stack([unit[:, start : start + excerpt_samples] for start in starts], axis=1)
    return np.ascontiguousarray(cut.reshape(-1, excerpt_samples))


def segment_weights(segments: np.ndarray, view: View) -> np.ndarray:
    """How much each segment counts in the embedding of its track: (n, num_samples) -> (n,) float64.

    For voices its level (mean magnitude): where little is sung, a separator leaves little but
    artefacts. On MIR-1K this takes 0.5 to 1.5 points off the EER of every model that was tried. For
    the whole sound all segments count alike, as in the paper.
    """
    if view == "vocals":
        return np.asarray(np.abs(segments).mean(-1, dtype=np.float64))
    return np.ones(len(segments))


@dataclass(frozen=True)
class Geometry:
    """What is done with embeddings after the network, for one view.

    Attributes:
        centre: (dim,) mean embedding of many other voices. Subtracted before the cosine, it
            takes away what all voices share and leaves what tells them apart.
        transform: (dim, dim) applied next: directions in which the songs of one voice differ are
            shortened (within-class covariance normalisation; Hatch et al., 2006).
        projection: (NUM_MOMENT_DIMS, dim) rows, applied instead of the transform to compare
            moments: where segments differ most after it.
    """

    centre: np.ndarray
    transform: np.ndarray
    projection: np.ndarray

    @classmethod
    def neutral(cls, dim: int) -> Geometry:
        """No centre, and random orthonormal directions: for networks that bring none."""
        basis, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((dim, NUM_MOMENT_DIMS)))
        identity = np.eye(dim, dtype=np.float32)
        return cls(np.zeros(dim, np.float32), identity, basis.T.astype(np.float32))

    @classmethod
    def fit(cls, embeddings: np.ndarray, transform: np.ndarray | None = None) -> Geometry:
        """From segment embeddings of many voices, (n, dim): their mean and principal axes."""
        centre = embeddings.mean(0)
        transform = np.eye(embeddings.shape[1]) if transform is None else transform
        _, _, axes = np.linalg.svd((embeddings - centre) @ transform.T, full_matrices=False)
        projection = axes[:NUM_MOMENT_DIMS] @ transform
        parts = (centre, transform, projection)
        return cls(*(part.astype(np.float32) for part in parts))

    def place(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., dim) -> the same, as they are compared: centred and transformed, of any length."""
        return np.asarray((embeddings - self.centre) @ self.transform.T)

    def project(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., dim) -> (..., NUM_MOMENT_DIMS), for moments."""
        return np.asarray((embeddings - self.centre) @ self.projection.T)


class Placing(Protocol):
    """What is done with embeddings after the network: ``Geometry``, or that of two models."""

    @property
    def centre(self) -> np.ndarray: ...
    def place(self, embeddings: np.ndarray) -> np.ndarray: ...
    def project(self, embeddings: np.ndarray) -> np.ndarray: ...


def moment_codes(
    segment_embeddings: np.ndarray, starts_s: np.ndarray, geometry: Placing
) -> MomentCodes:
    """Compact codes of a track's segments; long tracks share a code between neighbours."""
    group = -(-len(segment_embeddings) // MAX_MOMENTS)
    firsts = np.arange(0, len(segment_embeddings), group)
    counts = np.diff([*firsts, len(segment_embeddings)])[:, None]
    projected = geometry.project(np.add.reduceat(segment_embeddings, firsts, axis=0) / counts)
    largest = np.abs(projected).max(1, keepdims=True) + NORM_EPS
    codes = np.rint(projected / largest * 127).astype(np.int8)
    return MomentCodes(codes, starts_s[firsts].astype(np.float32), SEGMENT_S * group)


class VoiceModel:
    """A network with its geometry. Holds no state between calls; may be used from any thread."""

    def __init__(
        self,
        manifest: Manifest,
        network: nn.Module,
        excerpt_samples: int,
        dim: int,
        geometry: Mapping[View, Geometry],
        device: torch.device | None = None,
    ) -> None:
        """``device``: None stands for the processor."""
        import torch

        from engine.networks.campp import Campp
        from engine.networks.dvector import DVector

        self.manifest = manifest
        self.name = manifest.name
        self.sha256 = manifest.identity
        self.dim = dim
        self.excerpt_samples = excerpt_samples
        self._device = device or torch.device("cpu")
        is_cpu = self._device.type == "cpu"
        if is_campp := isinstance(network, Campp):
            network.speed_up()
        self._network = network.eval().to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._is_bfloat16 = is_cpu and has_fast_bfloat16()
        self._batch_excerpts = BATCH_SEGMENTS if is_campp else BATCH_EXCERPTS
        if isinstance(network, DVector):
            self._batch_excerpts = RECURRENT_BATCH_EXCERPTS
        self._geometry = dict(geometry)

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        """(n, excerpt_samples) float32 at 16 kHz, cut from unit-energy segments -> (n, dim)."""
        import torch

        # Parts of one size: a small last one would take as many steps as a whole one.
        parts = np.array_split(excerpts, max(1, -(-len(excerpts) // self._batch_excerpts)))
        with (
            torch.inference_mode(),
            torch.autocast("cpu", torch.bfloat16, enabled=self._is_bfloat16),
        ):
            batches = [
                self._network(torch.from_numpy(part).to(self._device)).float().cpu().numpy()
                for part in parts
                if len(part)
            ]
        return np.concatenate(batches) if batches else np.zeros((0, self.dim), np.float32)

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        """(n, 80,000) float32 at 16 kHz -> (n, dim) float32.

        Segments are brought to unit energy here; the result is the mean over each segment's
        excerpts (of ``every`` 2, over half of what it holds), neither centred nor normalised.
        """
        excerpts = cut_excerpts(segments, self.excerpt_samples, every)
        return np.asarray(
            self.embed_excerpts(excerpts).reshape(len(segments), -1, self.dim).mean(1)
        )

    @property
    def hears_voices_in_mixtures(self) -> bool:
        """Whether one space holds voices alone and voices in songs: both views are placed alike."""
        one, other = self._geometry["vocals"], self._geometry["overall"]
        return bool(
            one.centre.any()
            and np.array_equal(one.centre, other.centre)
            and np.array_equal(one.transform, other.transform)
        )

    def geometry(self, view: View) -> Geometry:
        """What ``track_vector`` does with means; a neutral one for a network that brings none."""
        return self._geometry[view]

    def track_vector(
        self, segment_embeddings: np.ndarray, weights: np.ndarray, view: View
    ) -> np.ndarray:
        """(n, dim), (n,) -> (dim,) float32: weighted mean of segments, placed, of unit length.

        ``weights``: what ``segment_weights`` gives.
        """
        mean = np.average(segment_embeddings.astype(np.float64), axis=0, weights=weights)
        vector = self._geometry[view].place(mean)
        return np.asarray(vector / max(float(np.linalg.norm(vector)), NORM_EPS), dtype=np.float32)

    def moment_codes(
        self, segment_embeddings: np.ndarray, starts_s: np.ndarray, view: View
    ) -> MomentCodes:
        """Compact codes of a track's segments, for finding its best-matching moments."""
        return moment_codes(segment_embeddings, starts_s, self._geometry[view])


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


def _folders() -> dict[str, Path]:
    roots = (resources_path() / "checkpoints", resources_path() / "models", data_path() / "models")
    manifests = [path for root in roots for path in sorted(root.glob(f"*/{MANIFEST_NAME}"))]
    return {path.parent.name: path.parent for path in manifests}


def default_model_name(view: View) -> str:
    """The model that serves a view: the user's choice, else the best as measured (model cards)."""
    chosen = read_choices().models.get(view)
    if chosen in _folders():
        return str(chosen)
    path = resources_path() / "checkpoints" / "defaults.json"
    return str(json.loads(path.read_text(encoding="utf-8"))[view])


def available() -> list[ModelInfo]:
    """All voice models installed here, ours first. Opens no weights; leaves out damaged ones."""
    infos = []
    for folder in _folders().values():
        try:
            manifest = read_manifest(folder)
        except CheckpointError:
            continue
        if manifest.architecture not in ARCHITECTURES or not (folder / WEIGHTS_NAME).is_file():
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
            )
        )
    return infos


def problems() -> list[str]:
    """What is wrong with installed checkpoints, a sentence each. Opens no weights."""
    found = []
    for folder in _folders().values():
        try:
            manifest = read_manifest(folder)
        except CheckpointError as error:
            found.append(str(error))
            continue
        if not (folder / WEIGHTS_NAME).is_file():
            found.append(str(missing_weights(manifest, folder)))
    return found


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
    return read_manifest(_folders().get(name) or Path(name))


def load(name: str) -> VoiceModel:
    """A model by its name, or by the folder of its checkpoint, on the device for this process.

    Raises CheckpointError.
    """
    from engine.networks.device import compute_device

    folder = _folders().get(name) or Path(name)
    manifest = read_manifest(folder)
    tensors = load_tensors(folder, manifest)
    network, excerpt_samples, dim = _build(manifest)
    try:
        network.load_state_dict(with_prefix(tensors, "network."))
        geometry = {view: _geometry(tensors, view, dim) for view in VIEWS}
    except (RuntimeError, KeyError) as error:
        raise unfit_weights(manifest) from error
    return VoiceModel(manifest, network, excerpt_samples, dim, geometry, compute_device())


def _build(manifest: Manifest) -> tuple[nn.Module, int, int]:
    """(network, excerpt_samples, dim) with fresh weights."""
    if manifest.architecture == "campp":
        from engine.networks import campp

        return campp.Campp(), campp.EXCERPT_SAMPLES, campp.EMBEDDING_DIM
    if manifest.architecture == "cvsm":
        from engine.networks.cvsm.encoder import Encoder, encoder_config

        encoder = Encoder(encoder_config(manifest.config))
        return encoder, encoder.config.excerpt_samples, encoder.dim
    if manifest.architecture == "ge2e":
        from engine.networks.ge2e import EMBEDDING_DIM, EXCERPT_SAMPLES, Ge2e

        return Ge2e(), EXCERPT_SAMPLES, EMBEDDING_DIM
    if manifest.architecture == "dvector":
        from engine.networks import dvector

        return dvector.DVector(), dvector.EXCERPT_SAMPLES, dvector.EMBEDDING_DIM
    raise CheckpointError(
        f"{manifest.name} has the architecture {manifest.architecture!r}, which is no voice model "
        f"of this version (known: {', '.join(ARCHITECTURES)})."
    )


def _geometry(tensors: Mapping[str, torch.Tensor], view: View, dim: int) -> Geometry:
    import torch

    stored = with_prefix(tensors, f"geometry.{view}.")
    if not stored:
        return Geometry.neutral(dim)
    stored.setdefault("transform", torch.eye(dim))  # first checkpoints had none
    num_axes = min(len(stored["projection"]), NUM_MOMENT_DIMS)  # fewer from few segments
    shapes = {"centre": (dim,), "transform": (dim, dim), "projection": (num_axes, dim)}
    if any(tuple(stored[name].shape) != shape for name, shape in shapes.items()):
        raise KeyError(view)
    return Geometry(**{f.name: stored[f.name].numpy() for f in fields(Geometry)})


def geometry_tensors(geometry: Mapping[View, Geometry]) -> dict[str, Any]:
    """The tensors of a checkpoint that hold its geometry, as ``load`` expects them."""
    import torch

    return {
        f"geometry.{view}.{name}": torch.from_numpy(values)
        for view, parts in geometry.items()
        for name, values in asdict(parts).items()
    }

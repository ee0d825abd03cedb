"""Checkpoints from elsewhere can be wrong, and made to do harm; no code of theirs ever runs."""

from __future__ import annotations

import ast
import contextlib
import json
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine import models
from engine.errors import CheckpointError
from engine.models import tensorflow_bundle
from engine.models.checkpoint import MANIFEST_NAME, WEIGHTS_NAME, read_manifest
from engine.paths import resources_path

ROOT = Path(__file__).parents[3]
UNPICKLERS = ("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "pandas")
# Published separators are pickles. Once, when one is installed, after its sha256 was compared,
# PyTorch's reader of nothing but tensors takes them out.
ALLOWED = {("engine/separation/published.py", "import pickle")}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for folder in ("engine", "app"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            yield name, ast.parse(path.read_text("utf-8"), name)


def suspicious(name: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(file, what) of everything that may run what a file holds."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = [one.name for one in names if one.name.split(".")[0] in UNPICKLERS]
                yield from ((name, f"import {one}") for one in found)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in UNPICKLERS:
                yield name, f"from {module}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr="load")):
                if not has_option(node, "weights_only", True):
                    yield name, "torch.load"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=("torch")), attr="package" | "hub")):
                yield name, "torch.hub"
            case ast.Call(func=ast.Attribute(attr="load", value=ast.Name(id="np" | "numpy"))):
                if not has_option(node, "allow_pickle", False):
                    yield name, "np.load"
            case ast.Call(func=ast.Name(id="eval" | "exec" | "compile" | "__import__" as called)):
                yield name, called
            case ast.Call() if has_option(node, "allow_pickle", True):
                yield name, "allow_pickle"


def has_option(call: ast.Call, name: str, value: bool) -> bool:
    options = [one.value for one in call.keywords if one.arg == name]
    return any(isinstance(one, ast.Constant) and one.value is value for one in options)


def test_nothing_that_is_loaded_can_run_code() -> None:
    found = {one for name, tree in sources() for one in suspicious(name, tree)}
    assert found == ALLOWED


def test_the_search_finds_what_it_looks_for() -> None:
    code = (
        "import pickle, os\nfrom joblib import load\ntorch.load(a)\ntorch.load(a, weights_only=b)\n"
        "torch.load(a, weights_only=True)\nnp.load(a)\nnp.load(a, allow_pickle=False)\n"
        "x.read(a, allow_pickle=True)\neval(a)"
    )
    found = [what for _, what in suspicious("a.py", ast.parse(code))]
    assert sorted(found) == [
        "allow_pickle", "eval", "from joblib", "import pickle", "np.load", "torch.load",
        "torch.load",
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a model that works."""
    target = tmp_path / "copy"
    shutil.copytree(resources_path() / "models" / "ge2e", target)
    return target


def rewrite(folder: Path, weights: bytes, **entries: Any) -> None:
    """Weights and a manifest that names their sha256, as one who wants it to be loaded would."""
    (folder / WEIGHTS_NAME).write_bytes(weights)
    raw = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
    raw |= {"sha256": sha256(weights).hexdigest(), **entries}
    (folder / MANIFEST_NAME).write_text(json.dumps(raw), encoding="utf-8")


def split(weights: bytes) -> tuple[dict[str, Any], bytes]:
    (size,) = struct.unpack_from("<Q", weights)
    return json.loads(weights[8 : 8 + size]), weights[8 + size :]


def joined(head: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def first(head: dict[str, Any]) -> dict[str, Any]:
    return next(value for name, value in head.items() if name != "__metadata__")


def put(name: str, value: Any) -> Callable[[bytes], bytes]:
    def change(weights: bytes) -> bytes:
        head, data = split(weights)
        first(head)[name] = value
        return joined(head, data)

    return change


def drop_first(weights: bytes) -> bytes:
    head, data = split(weights)
    del head[next(name for name in head if name != "__metadata__")]
    return joined(head, data)


def add_scale(weights: bytes) -> bytes:
    """A scale of a tensor that is not there."""
    head, data = split(weights)
    end = len(data)
    head["nothing.scale"] = {"dtype": "F32", "shape": [1], "data_offsets": [end, end + 4]}
    return joined(head, data + bytes(4))


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('ran code')",)


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda weights: b"",
    "a pickle": lambda weights: pickle.dumps(Evil()),
    "a pickle behind": lambda weights: weights + pickle.dumps(Evil()),
    "cut off": lambda weights: weights[: len(weights) // 2],
    "a head of exabytes": lambda weights: struct.pack("<Q", 1 << 62) + weights[8:],
    "a head longer than the file": lambda weights: struct.pack("<Q", len(weights)) + weights[8:],
    "a head that is no JSON": lambda weights: struct.pack("<Q", 4) + b"{{{{" + weights,
    "a head without end": lambda weights: struct.pack("<Q", 200_000) + b"[" * 200_000,
    "an absurd shape": put("shape", [1 << 40, 1 << 40]),
    "a negative shape": put("shape", [-1, 4]),
    "a shape of floats": put("shape", [1.5]),
    "another shape": put("shape", [1]),
    "an unknown type": put("dtype", "PICKLE"),
    "offsets beyond the end": put("data_offsets", [0, 1 << 50]),
    "offsets backwards": put("data_offsets", [400, 0]),
    "a tensor less": drop_first,
    "a scale of nothing": add_scale,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_weights_that_lie_are_refused(folder: Path, what: str) -> None:
    rewrite(folder, HOSTILE[what]((folder / WEIGHTS_NAME).read_bytes()))
    with pytest.raises(CheckpointError):
        models.load(str(folder))


@pytest.mark.parametrize(
    "entries",
    [
        {"architecture": "os.system"},
        {"architecture": ["ge2e"]},
        {"architecture": "cvsm", "config": {"hidden": 1 << 40}},
        {"architecture": "cvsm", "config": []},
        {"config": 5},
        {"name": {"a": 1}},
        {"name": "../../../tmp/evil"},
        {"name": "evil\x1b[31m"},
        {"calibration": {"vocals": {"evil": 1}}},
        {"calibration": {"vocals": [1, 2]}},
        {"data": 1},
        {"format_version": 99},
        {"sha256": None},
        {"__class__": "evil"},
    ],
)
def test_manifests_that_lie_are_refused(folder: Path, entries: dict[str, Any]) -> None:
    rewrite(folder, (folder / WEIGHTS_NAME).read_bytes(), **entries)
    with pytest.raises(CheckpointError):
        models.load(str(folder))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        b"[" * 200_000,
        b"[]",
        b"null",
        b'{"format_version": 1}',
        b" " * (1 << 25),
    ],
    ids=["empty", "no text", "deep", "a list", "nothing", "incomplete", "huge"],
)
def test_manifests_that_are_none_are_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(CheckpointError):
        read_manifest(folder)


def test_other_weights_than_the_manifest_names_are_refused(folder: Path) -> None:
    weights = bytearray((folder / WEIGHTS_NAME).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS_NAME).write_bytes(weights)
    with pytest.raises(CheckpointError, match="sha256"):
        models.load(str(folder))


def test_all_that_is_shipped_is_what_its_manifest_names() -> None:
    """And nothing else lies there: no pickle under another name."""
    kinds = {path.suffix for path in resources_path().rglob("*") if path.is_file()}
    assert not kinds & {".pt", ".pth", ".pkl", ".ckpt", ".bin", ".npy", ".npz", ".joblib"}
    for path in resources_path().rglob(MANIFEST_NAME):
        manifest = read_manifest(path.parent)
        if manifest.architecture != models.OVERALL:  # made of others, as loading it checks
            weights = (path.parent / WEIGHTS_NAME).read_bytes()
            assert sha256(weights).hexdigest() == manifest.sha256


TENSORFLOW = Path(__file__).parents[2] / "golden" / "small_tensorflow"


def varint(value: int) -> bytes:
    groups = []
    while True:
        value, group = value >> 7, value & 0x7F
        groups.append(group | 0x80 if value else group)
        if not value:
            return bytes(groups)


def entry(*sizes: int, offset: int = 0, num_bytes: int = 4, dtype: int = 1) -> bytes:
    """What the index of a TensorFlow checkpoint says of a tensor."""
    dims = [b"\x12" + varint(len(d)) + d for d in (b"\x08" + varint(size) for size in sizes)]
    shape = b"".join(dims)
    rest = b"\x20" + varint(offset) + b"\x28" + varint(num_bytes)
    return b"\x08" + varint(dtype) + b"\x12" + varint(len(shape)) + shape + rest


def tensorflow(folder: Path, tensor: bytes) -> Path:
    """A checkpoint of one tensor of 4 bytes, told of in these words."""

    def block(key: bytes, value: bytes) -> bytes:
        return b"\0" + varint(len(key)) + varint(len(value)) + key + value

    def table(entries: bytes) -> bytes:
        return entries + struct.pack("<II", 0, 1)

    data = table(block(b"", b"\x08\x01") + block(b"x", tensor))
    index = table(block(b"y", varint(0) + varint(len(data))))
    footer = varint(0) + varint(0) + varint(len(data) + 5) + varint(len(index))
    magic = struct.pack("<Q", tensorflow_bundle.MAGIC)
    content = data + bytes(5) + index + bytes(5) + footer.ljust(40, b"\0") + magic
    (folder / "a.index").write_bytes(content)
    (folder / "a.data-00000-of-00001").write_bytes(struct.pack("<f", 7))
    return folder / "a"


def test_a_tensor_of_tensorflow_is_what_its_index_says(tmp_path: Path) -> None:
    assert tensorflow_bundle.read_bundle(tensorflow(tmp_path, entry(1))).tensor("x").tolist() == [
        7.0
    ]


@pytest.mark.parametrize(
    "tensor",
    [
        entry(1 << 58, num_bytes=1 << 60),  # more than any memory
        entry(1 << 32, 1 << 32, num_bytes=0),  # which 64 bits take for nought
        entry(0, 1 << 62, num_bytes=0),
        entry(*[1] * 99),
        entry(1, offset=1 << 63),
        entry(1, offset=1),
    ],
)
def test_a_tensor_that_cannot_be_is_not_made_room_for(tmp_path: Path, tensor: bytes) -> None:
    bundle = tensorflow_bundle.read_bundle(tensorflow(tmp_path, tensor))
    with pytest.raises(CheckpointError):
        bundle.tensor("x")


def test_an_integer_without_an_end_is_given_up(tmp_path: Path) -> None:
    """To read it would take the square of its length."""
    prefix = tensorflow(tmp_path, b"\x08" + b"\xff" * 1_000_000)
    with pytest.raises(CheckpointError, match="damaged"):
        tensorflow_bundle.read_bundle(prefix)


def test_damaged_indexes_of_tensorflow_are_refused_with_a_sentence(tmp_path: Path) -> None:
    whole = TENSORFLOW.with_suffix(".index").read_bytes()
    for seed in range(100):
        content, random = bytearray(whole), Random(seed)
        for _ in range(random.randint(1, 5)):
            place = random.randrange(len(whole) // 2)
            content[place : place + random.randint(0, 9)] = random.randbytes(random.randint(0, 9))
        (tmp_path / "a.index").write_bytes(content)
        (tmp_path / "a.data-00000-of-00001").write_bytes(bytes(100))
        with contextlib.suppress(CheckpointError):
            bundle = tensorflow_bundle.read_bundle(tmp_path / "a")
            for name in bundle.entries:
                with contextlib.suppress(CheckpointError):
                    bundle.tensor(name)

"""The authors' checkpoints, without TensorFlow: against what TensorFlow wrote and computed.

``cvsm_tensorflow.index`` was written by TensorFlow; the values that go beside it are rebuilt from
the tensors' names, as its generator (golden/make_cvsm_tensorflow.py) made them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from support.seeded import seeded_excerpts, seeded_keras

from engine import models
from engine.errors import CheckpointError
from engine.models import voice_model
from engine.models.checkpoint import load_tensors, read_manifest
from engine.models.tensorflow_bundle import read_bundle
from engine.models.tensorflow_import import SUFFIX, import_tensorflow
from engine.networks.cvsm.encoder import Encoder
from engine.networks.cvsm.log_mel import LogMel

GOLDEN = Path(__file__).parents[2] / "golden"
INPUT_NORM = "layer_with_weights-0/layer_with_weights-0/"


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """TensorFlow's index, and the data file it describes."""
    prefix = tmp_path_factory.mktemp("tensorflow") / "cvsm_tensorflow"
    shutil.copy(GOLDEN / f"{prefix.name}.index", prefix.parent)
    bundle = read_bundle(prefix)
    with bundle.data_path.open("wb") as file:
        for name, entry in bundle.entries.items():
            if entry.dtype == 1:
                file.seek(entry.offset)
                file.write(seeded_keras(name.removesuffix(SUFFIX), entry.shape).tobytes())
    return prefix


@pytest.fixture(scope="module")
def folder(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported") / "published"
    import_tensorflow(prefix, folder, name="published", system="cvsm-art")
    return folder


@pytest.fixture(scope="module")
def excerpts() -> np.ndarray:
    return seeded_excerpts()


def test_log_mels_are_tensorflows(excerpts: np.ndarray) -> None:
    ours = LogMel()(torch.from_numpy(excerpts))[:, 0].numpy()
    np.testing.assert_allclose(ours, np.load(GOLDEN / "cvsm_tensorflow.npz")["log_mel"], atol=1e-4)


def test_embeddings_are_tensorflows(
    folder: Path, excerpts: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = np.load(GOLDEN / "cvsm_tensorflow.npz")["embedding"]
    monkeypatch.setattr(voice_model, "has_fast_bfloat16", lambda: False)
    ours = models.load(str(folder)).embed_excerpts(excerpts)
    assert np.abs(golden[0] - golden[1]).max() > 0.05  # it does depend on what is heard
    np.testing.assert_allclose(ours, golden, atol=1e-4)


def test_the_checkpoint_is_complete_and_says_what_it_is(folder: Path) -> None:
    manifest = read_manifest(folder)
    assert (manifest.architecture, manifest.system) == ("cvsm", "cvsm-art")
    assert "Not stated" in manifest.licence
    tensors = load_tensors(folder, manifest)
    assert {f"network.{name}" for name in Encoder().state_dict()} <= set(tensors)
    assert tensors["head.linear.weight"].shape == (512, 1280)
    assert tensors["head.bilinear"].shape == (512, 512)


def test_a_small_checkpoint_that_tensorflow_wrote_is_read() -> None:
    bundle = read_bundle(GOLDEN / "small_tensorflow")
    ramp = bundle.tensor("ramp" + SUFFIX)
    np.testing.assert_array_equal(ramp, np.arange(6, dtype=np.float32)[None] / 4)
    assert bundle.tensor("count" + SUFFIX) == 7
    with pytest.raises(CheckpointError, match="plain numbers"):
        bundle.tensor("_CHECKPOINTABLE_OBJECT_GRAPH")


@pytest.mark.parametrize("ending", [".index", ".data-00000-of-00001", ""])
def test_any_of_its_files_names_a_checkpoint(ending: str) -> None:
    assert "ramp" + SUFFIX in read_bundle(GOLDEN / f"small_tensorflow{ending}").entries


def refused(prefix: Path, tmp_path: Path, match: str) -> None:
    with pytest.raises(CheckpointError, match=match):
        import_tensorflow(prefix, tmp_path / "out", name="x")
    assert not (tmp_path / "out").exists()


def test_a_wrong_prefix_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nothing", tmp_path, "nothing.index cannot be read")


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    refused(GOLDEN / "small_tensorflow", tmp_path, "not one of CVSM")


def test_a_missing_or_short_data_file_is_refused(prefix: Path, tmp_path: Path) -> None:
    shutil.copy(f"{prefix}.index", tmp_path)
    refused(tmp_path / prefix.name, tmp_path, "data-00000-of-00001 cannot be read")
    data = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    (tmp_path / f"{prefix.name}.data-00000-of-00001").write_bytes(data[: len(data) // 2])
    refused(tmp_path / prefix.name, tmp_path, "shorter than its index")


@pytest.mark.parametrize("position", [60, 200, -40])
def test_a_damaged_index_is_refused(position: int, tmp_path: Path) -> None:
    data = bytearray((GOLDEN / "small_tensorflow.index").read_bytes())
    data[position] ^= 0xFF
    (tmp_path / "damaged.index").write_bytes(data)
    refused(tmp_path / "damaged", tmp_path, "damaged|no index|not one of CVSM")


def test_another_file_called_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.index").write_text("<html>" * 20)
    refused(tmp_path / "page", tmp_path, "no index of a TensorFlow checkpoint")


def test_an_adapted_input_normalisation_is_refused(prefix: Path, tmp_path: Path) -> None:
    for path in prefix.parent.iterdir():
        shutil.copy(path, tmp_path)
    bundle = read_bundle(tmp_path / prefix.name)
    with bundle.data_path.open("r+b") as file:
        file.seek(bundle.entries[f"embedding_model/{INPUT_NORM}mean{SUFFIX}"].offset)
        file.write(np.float32(3).tobytes())
    refused(tmp_path / prefix.name, tmp_path, "normalises its input")

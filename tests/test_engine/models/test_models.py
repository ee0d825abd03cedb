"""Voice models: the baseline is the published one, and what stands around networks is sound."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import models
from engine.errors import CheckpointError
from engine.models import voice_model
from engine.models.checkpoint import (
    Manifest,
    load_tensors,
    quantised,
    read_manifest,
    save_checkpoint,
)
from engine.models.geometry import MAX_MOMENTS, Geometry, geometry_tensors, read_geometry
from engine.models.segments import SEGMENT_SAMPLES, segment_weights, unit_energy
from engine.networks.cvsm.encoder import Encoder
from engine.networks.ge2e import INPUT_GAIN

GOLDEN_PATH = Path(__file__).parents[2] / "golden" / "ge2e.npz"


def manifest(**changes):
    facts = {"title": "t", "description": "d", "licence": "MIT", "source": "test"}
    return Manifest(**{"name": "tiny", "architecture": "cvsm", **facts, **changes})


@pytest.fixture(scope="module")
def ge2e():
    """In float32, whatever the processor."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voice_model, "has_fast_bfloat16", lambda: False)
        return models.load("ge2e")


@pytest.fixture(scope="module")
def cvsm_folder(tmp_path_factory):
    """A checkpoint of an encoder that never learned anything."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    tensors = {f"network.{n}": t for n, t in Encoder().state_dict().items()}
    save_checkpoint(folder, manifest(), tensors)
    return folder


def segments(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, SEGMENT_SAMPLES)).astype(np.float32)


def test_the_papers_network_ships_with_one_space_for_all_inputs():
    model = models.load("cvsm-1")
    assert (model.dim, model.excerpt_samples) == (1280, 16_000)
    assert model.hears_voices_in_mixtures
    assert set(model.manifest.calibration) == {"vocals", "overall"}
    licences = " ".join(source["licence"] for source in model.manifest.data).lower()
    assert not any(word in licences for word in ("gpl", "approval", "-nc", "not stated"))
    vectors = model.geometry("overall").place(model.embed_segments(segments(3)))
    assert vectors.shape == (3, 1280)
    assert np.isfinite(vectors).all()


def test_ge2e_agrees_with_the_package_that_published_it(ge2e):
    """The sound of tests/golden/make_ge2e.py; what differs is our float16 weights."""
    time_s = np.arange(25_600) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 30))
    wave = wave / np.sqrt(np.mean(wave**2)) * 10 ** (-30 / 20)
    ours = ge2e.embed_excerpts((wave / INPUT_GAIN).astype(np.float32)[None])[0]
    golden = np.load(GOLDEN_PATH)["embedding"]
    assert ours @ golden > 0.99999


def test_segments_are_embedded_one_by_one(ge2e):
    sound = segments(3)
    together = ge2e.embed_segments(sound)
    apart = np.concatenate([ge2e.embed_segments(sound[i : i + 1]) for i in range(3)])
    assert together.shape == (3, ge2e.dim)
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_loudness_does_not_matter(ge2e):
    sound = segments(1)
    np.testing.assert_allclose(
        ge2e.embed_segments(sound), ge2e.embed_segments(sound * 0.01), atol=1e-4
    )


def test_a_checkpoint_of_ours_loads_from_its_folder(cvsm_folder):
    model = models.load(str(cvsm_folder))
    assert (model.name, model.dim, model.excerpt_samples) == ("tiny", 1280, 16_000)
    excerpts = unit_energy(segments(1)).reshape(5, 16_000)
    np.testing.assert_allclose(
        model.embed_segments(segments(1))[0], model.embed_excerpts(excerpts).mean(0), atol=1e-4
    )


def test_track_vectors_are_centred_and_of_unit_length(ge2e):
    embeddings = np.random.default_rng(1).random((7, ge2e.dim)).astype(np.float32)
    vector = ge2e.track_vector(embeddings, np.ones(7), "vocals")
    assert vector.shape == (ge2e.dim,)
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_segments_of_voices_count_by_their_level_and_all_others_alike(ge2e):
    loud_and_soft = np.stack([np.full(100, 0.3), np.full(100, -0.1)]).astype(np.float32)
    weights = segment_weights(loud_and_soft, "vocals")
    np.testing.assert_allclose(weights, [0.3, 0.1], rtol=1e-6)
    assert segment_weights(loud_and_soft, "overall").tolist() == [1.0, 1.0]
    embeddings = np.eye(2, ge2e.dim, dtype=np.float32)
    vector = ge2e.track_vector(embeddings, weights, "vocals")
    np.testing.assert_allclose(vector[:2], np.array([3, 1]) / 10**0.5, rtol=1e-5)


def test_what_is_one_for_both_views_is_stored_once_and_read_for_both():
    one, other = Geometry.neutral(80), Geometry.fit(np.random.default_rng(0).normal(5, 1, (90, 80)))
    once = geometry_tensors({"vocals": other, "overall": other})
    assert set(once) == {f"geometry.both.{n}" for n in ("centre", "transform", "projection")}
    twice = geometry_tensors({"vocals": one, "overall": other})
    assert len(twice) == 6
    for view, expected in (("vocals", one), ("overall", other)):
        np.testing.assert_array_equal(read_geometry(once, view, 80).centre, other.centre)
        np.testing.assert_array_equal(read_geometry(twice, view, 80).centre, expected.centre)


def test_geometry_takes_away_what_all_voices_share():
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((200, 96)).astype(np.float32) + 5
    geometry = Geometry.fit(embeddings)
    np.testing.assert_allclose(geometry.centre, 5, atol=0.5)
    np.testing.assert_allclose(geometry.projection @ geometry.projection.T, np.eye(64), atol=1e-4)


def test_a_transform_comes_after_the_centre_and_before_the_axes():
    rng = np.random.default_rng(0)
    embeddings = rng.standard_normal((300, 96)) * np.linspace(1, 3, 96) + 5
    transform = np.diag(1 / np.linspace(1, 3, 96))
    geometry = Geometry.fit(embeddings, transform)
    placed = geometry.place(embeddings)
    np.testing.assert_allclose(placed.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(placed.std(0), 1, atol=0.2)
    # cosines between moments are about those between places, in fewer dimensions
    codes = (embeddings - geometry.centre) @ geometry.projection.T
    shares = (codes**2).sum(1) / (placed**2).sum(1)
    assert 0.7 < shares.mean() <= 1


@pytest.mark.parametrize("num_segments", [1, MAX_MOMENTS, MAX_MOMENTS + 1, 2160])
def test_moments_stay_small_and_cover_the_track(ge2e, num_segments):
    embeddings = np.random.default_rng(2).random((num_segments, ge2e.dim)).astype(np.float32)
    moments = ge2e.moment_codes(embeddings, np.arange(num_segments) * 5.0, "vocals")
    assert moments.codes.nbytes + 4 * moments.starts_s.size <= 8192
    assert moments.codes.dtype == np.int8
    assert moments.starts_s[0] == 0
    assert moments.starts_s[-1] + moments.length_s >= num_segments * 5.0


def test_moments_find_the_segment_that_is_the_same(ge2e):
    rng = np.random.default_rng(3)
    one, other = rng.standard_normal((2, 20, ge2e.dim)).astype(np.float32)
    other[13] = one[4]
    starts_s = np.arange(20) * 5.0
    a, b = (ge2e.moment_codes(e, starts_s, "vocals").codes.astype(float) for e in (one, other))
    a, b = (c / np.linalg.norm(c, axis=1, keepdims=True) for c in (a, b))
    assert np.unravel_index((a @ b.T).argmax(), (20, 20)) == (4, 13)


def test_every_installed_model_loads_and_serves_a_view():
    infos = models.available()
    assert "ge2e" in {info.name for info in infos}
    for view in models.VIEWS:
        assert models.default_model_name(view) in {info.name for info in infos}
    for info in infos:
        model = models.load(info.name)
        assert model.embed_segments(segments(1)).shape == (1, model.dim)
        assert info.licence
        assert info.size_bytes < 15e6


def test_a_missing_model_is_told_with_what_to_do():
    with pytest.raises(CheckpointError, match="singalike models"):
        models.load("nonsense")


def test_a_changed_byte_is_found(cvsm_folder, tmp_path):
    for path in cvsm_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = bytearray((tmp_path / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "weights.safetensors").write_bytes(weights)
    with pytest.raises(CheckpointError, match="damaged"):
        models.load(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format_version": 2}, "Update"),
        ({"surprise": 1}, "unknown"),
        ({"architecture": "other"}, "no network for voices"),
        ({"config": {"surprise": 1}}, "config"),
        ({"config": {"pooling": "best"}}, "pooling"),
    ],
)
def test_a_manifest_that_cannot_be_honoured_is_refused(cvsm_folder, tmp_path, change, sentence):
    for path in cvsm_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    raw = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps({**raw, **change}))
    with pytest.raises(CheckpointError, match=sentence):
        models.load(str(tmp_path))


def test_weights_of_another_architecture_are_refused(tmp_path):
    save_checkpoint(tmp_path, manifest(architecture="ge2e"), {"network.x": torch.zeros(1)})
    with pytest.raises(CheckpointError, match="do not fit"):
        models.load(str(tmp_path))


def test_float16_weights_come_back_as_float32(tmp_path):
    written = save_checkpoint(tmp_path, manifest(), {"a": torch.ones(2).half()})
    assert read_manifest(tmp_path) == written
    assert load_tensors(tmp_path, written)["a"].dtype is torch.float32


def test_matrices_and_filters_are_kept_as_integers_with_scales(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(8, 50, generator=generator) * torch.logspace(-3, 2, 8)[:, None]
    tensors = {"weight": weight, "bias": torch.linspace(-1, 1, 5), "zero": torch.zeros(2, 3)}
    tensors["filter"] = weight[:4].reshape(4, 2, 5, 5)
    written = save_checkpoint(tmp_path, manifest(), quantised(tensors))
    loaded = load_tensors(tmp_path, written)
    assert set(loaded) == set(tensors)
    assert {t.dtype for t in loaded.values()} == {torch.float32}
    step = weight.abs().amax(1, keepdim=True) / 127
    assert ((loaded["weight"] - weight).abs() <= step * 0.501).all()
    step = tensors["filter"].abs().amax((2, 3), keepdim=True) / 127
    assert ((loaded["filter"] - tensors["filter"]).abs() <= step * 0.501).all()
    assert not loaded["zero"].any()
    torch.testing.assert_close(loaded["bias"], tensors["bias"], atol=1e-3, rtol=0)


def test_a_file_written_anew_is_the_same_model_to_libraries(tmp_path: Path) -> None:
    first = save_checkpoint(tmp_path, manifest(), {"weight": torch.ones(2, 3)})
    assert first.identity == first.sha256
    again = replace(first, known_as=first.identity)
    again = save_checkpoint(tmp_path, again, {"weight": torch.ones(2, 3).half()})
    assert again.sha256 != first.sha256
    assert read_manifest(tmp_path).identity == first.identity


def test_the_first_default_model_is_known_as_before() -> None:
    """Libraries were made with its weights as Huffman codes, which stood for the same numbers."""
    assert models.load("singalike-2").sha256.startswith("89e70f4e52a0bb33")


def test_a_scale_without_its_matrix_is_refused(tmp_path: Path) -> None:
    written = save_checkpoint(tmp_path, manifest(), {"weight.scale": torch.ones(2, 1)})
    with pytest.raises(CheckpointError, match="do not fit"):
        load_tensors(tmp_path, written)


def test_damaged_models_do_not_hide_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "data_path", lambda: tmp_path)
    (tmp_path / "models" / "torn").mkdir(parents=True)
    (tmp_path / "models" / "torn" / "checkpoint.json").write_text("{")
    save_checkpoint(tmp_path / "models" / "bare", manifest(name="bare"), {"a": torch.zeros(1)})
    (tmp_path / "models" / "bare" / "weights.safetensors").unlink()
    names = {info.name for info in models.available()}
    assert "ge2e" in names
    assert not names & {"torn", "bare"}
    torn, bare = sorted(models.problems(), key=lambda text: "torn" not in text)
    assert "Install or export it again" in torn
    assert "weights of bare are missing" in bare
    assert "delete" in bare


def test_bfloat16_changes_next_to_nothing(ge2e, monkeypatch):
    monkeypatch.setattr(voice_model, "has_fast_bfloat16", lambda: False)
    exact = models.load("ge2e")
    monkeypatch.setattr(voice_model, "has_fast_bfloat16", lambda: True)
    quick = models.load("ge2e")
    expected, found = (model.embed_segments(segments(3)) for model in (exact, quick))
    assert found.dtype == np.float32
    cosines = (expected * found).sum(1) / np.linalg.norm(expected, axis=1)
    np.testing.assert_allclose(cosines / np.linalg.norm(found, axis=1), 1.0, atol=2e-3)

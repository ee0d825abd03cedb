from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from support.sound import buzz

from engine.errors import CheckpointError, EvaluationError
from engine.evaluation import embedders
from engine.evaluation.embedders.mert import AS_HUBERT, load_mert
from engine.evaluation.embedders.mfcc import Mfcc, mel_filterbank
from engine.models.segments import cut_excerpts
from engine.networks import dvector

GOLDEN_PATH = Path(__file__).parents[2] / "golden" / "dvector.npz"


def test_mfcc_are_those_of_a_slow_reference() -> None:
    excerpt = buzz(1.0) / 100
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    cepstra = []
    for start in range(0, 16_000 - 399, 160):
        spectrum = np.fft.rfft(excerpt[start : start + 400] * window, 512)
        logs = np.log(np.abs(spectrum) ** 2 @ mel_filterbank().astype(float) + 1e-10)
        basis = np.cos(np.pi * np.outer(np.arange(20), np.arange(40) + 0.5) / 40)
        scale = np.sqrt(np.where(np.arange(20) == 0, 1, 2) / 40)
        cepstra.append(scale * (basis @ logs))
    found = Mfcc().embed_excerpts(excerpt[None])[0]
    np.testing.assert_allclose(found[:20], np.mean(cepstra, axis=0), atol=1e-3)
    np.testing.assert_allclose(found[20:], np.std(cepstra, axis=0), atol=1e-3)


def test_the_d_vector_agrees_with_the_package_that_published_it() -> None:
    """The sound of tests/golden/make_dvector.py; both round, each in its own way."""
    time_s = np.arange(dvector.EXCERPT_SAMPLES) / 16_000
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    wave = sum(np.sin(k * phase) / k for k in range(1, 30))
    wave = wave / np.sqrt(np.mean(wave**2)) * 10 ** (-25 / 20)
    model = embedders.load("dvector")
    ours = model.embed_excerpts((wave / dvector.INPUT_GAIN).astype(np.float32)[None])[0]
    assert ours @ np.load(GOLDEN_PATH)["embedding"] > 0.995


@pytest.mark.parametrize("name", ["mfcc", "musicnn", "dvector", "ge2e"])
def test_built_in_models_keep_the_protocol(name: str) -> None:
    model = embedders.load(name)
    segments = np.stack([buzz(5.0, pitch_hz=p) for p in (110.0, 170.0)])
    excerpts = cut_excerpts(segments, model.excerpt_samples)
    vectors = model.embed_excerpts(excerpts)
    assert vectors.shape == (len(excerpts), model.dim)
    assert vectors.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert len(model.sha256) == 64
    np.testing.assert_allclose(model.embed_excerpts(excerpts[3:4])[0], vectors[3], atol=2e-3)


def test_names_that_are_not_known() -> None:
    assert {"mfcc", "musicnn", "dvector", "mert", "ge2e"} <= set(embedders.available())
    with pytest.raises(EvaluationError, match="There is no model 'nothing'"):
        embedders.load("nothing")
    with pytest.raises(CheckpointError):
        embedders.load("some/folder")


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that registers embedders, as docs/evaluation.md shows it."""
    (tmp_path / "loudness.py").write_text(
        "import numpy as np\n"
        "class Loudness:\n"
        "    name, sha256, dim, excerpt_samples = 'loudness', '1' * 64, 2, 16000\n"
        "    def embed_excerpts(self, excerpts):\n"
        "        return np.stack([excerpts.max(1), excerpts.std(1)], axis=1)\n"
        "class Half:\n"
        "    name = 'half'\n"
        "def fails():\n"
        "    raise ValueError('no weights')\n"
    )
    info = tmp_path / "loudness-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loudness\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[singalike.embedders]\nloudness = loudness:Loudness\nhalf = loudness:Half\n"
        "fails = loudness:fails\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("loudness", None)


@pytest.mark.usefixtures("plug_in")
def test_plug_ins_are_found_by_their_entry_points() -> None:
    assert "loudness" in embedders.available()
    model = embedders.load("loudness")
    assert model.embed_excerpts(np.ones((3, 16_000), np.float32)).shape == (3, 2)
    with pytest.raises(EvaluationError, match="it lacks sha256, dim, excerpt_samples"):
        embedders.load("half")
    with pytest.raises(EvaluationError, match=r"The plug-in fails .* failed: no weights"):
        embedders.load("fails")


@pytest.fixture(scope="module")
def small_mert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the published one, with a small random network."""
    settings = transformers.HubertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("mert")
    transformers.HubertModel(settings).save_pretrained(folder)
    change_config(folder, model_type="mert_model", sample_rate=16_000, **AS_HUBERT,
                  auto_map={"AutoModel": "modeling_MERT.MERTModel"})  # fmt: skip
    return folder


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_mert_is_the_mean_of_its_last_layer(small_mert: Path) -> None:
    model = load_mert(small_mert)
    assert (model.name, model.dim, model.excerpt_samples) == ("mert", 32, 16_000)
    excerpts = np.random.default_rng(0).normal(size=(18, 16_000)).astype(np.float32)
    found = model.embed_excerpts(excerpts)
    assert found.shape == (18, 32)
    one = (excerpts[17] - excerpts[17].mean()) / excerpts[17].std()
    with torch.inference_mode():
        states = model._network(torch.from_numpy(one)[None]).last_hidden_state
    np.testing.assert_allclose(found[17], states[0].mean(0), atol=1e-4)
    # Excerpts are standardised, so their level does not matter.
    np.testing.assert_allclose(model.embed_excerpts(excerpts[:2] / 50), found[:2], atol=1e-3)
    assert load_mert(small_mert).sha256 == model.sha256


def test_other_merts_are_refused(small_mert: Path) -> None:
    try:
        change_config(small_mert, sample_rate=24_000)
        with pytest.raises(EvaluationError, match="hears 24000 Hz"):
            load_mert(small_mert)
        change_config(small_mert, sample_rate=16_000, deepnorm=True)
        with pytest.raises(EvaluationError, match="has deepnorm = True"):
            load_mert(small_mert)
    finally:
        change_config(small_mert, sample_rate=16_000, deepnorm=False)


def test_mert_is_never_fetched_unasked(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="--download"):
        load_mert(tmp_path)


def test_mert_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EvaluationError, match=r"singalike\[mert\]"):
        load_mert()

"""The vector of the whole sound: one cosine for band and voice."""

import json

import numpy as np
import pytest

from engine.errors import CheckpointError
from engine.models import band, load, manifest_of
from engine.models.checkpoint import Manifest, save_checkpoint
from engine.models.geometry import Geometry
from engine.models.overall import OverallGeometry, overall_tensors
from engine.models.segments import SEGMENT_SAMPLES, unit_energy
from engine.models.tags import shown_names

NUM_BAND, NUM_VOICE = 12, 8


def geometry(band_share=0.6):
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(6, NUM_BAND))
    bands = Geometry(rng.normal(size=NUM_BAND), axes, axes[:4])
    return OverallGeometry(bands, Geometry.neutral(NUM_VOICE), band_share)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_cosine_is_a_weighted_mean_of_both(share):
    space = geometry(share)
    rng = np.random.default_rng(1)
    bands, voices = rng.normal(size=(2, NUM_BAND)), rng.normal(size=(2, NUM_VOICE))
    vectors = space.place(np.hstack([bands, voices]))
    assert vectors.shape == (2, space.dim) == (2, 6 + NUM_VOICE)
    placed = unit((bands - space.band.centre) @ space.band.transform.T)
    expected = share * placed[0] @ placed[1] + (1 - share) * unit(voices)[0] @ unit(voices)[1]
    assert vectors[0] @ vectors[1] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # loudness of either part says nothing
    louder = space.place(np.hstack([bands, 7 * voices]))
    np.testing.assert_allclose(louder, vectors, atol=1e-5)


def test_instrumentals_are_compared_by_the_band_alone():
    space = geometry()
    rng = np.random.default_rng(2)
    bands, voices = rng.normal(size=(3, NUM_BAND)), rng.normal(size=(3, NUM_VOICE))
    songs = space.place(np.hstack([bands, voices]))
    first, second = space.without_voice(songs[:2])
    placed = unit((bands - space.band.centre) @ space.band.transform.T)
    assert first @ second == pytest.approx(placed[0] @ placed[1], abs=1e-5)
    assert first @ songs[2] == pytest.approx(
        space.band_share**0.5 * placed[0] @ placed[2], abs=1e-5
    )
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)


def saved(folder, share=0.6, identities=None):
    """MusiCNN and GE2E as one, whose voices are compared by half of what GE2E hears."""
    parts = identities or [manifest_of(name).identity for name in ("musicnn", "ge2e")]
    transform = np.diag(np.arange(256) < 128).astype(np.float32)
    about = Manifest("two", "overall", "", "", "", "", {"band": "musicnn", "voice": "ge2e"})
    return save_checkpoint(folder, about, overall_tensors(share, transform, parts))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    saved(folder)
    return load(str(folder))


def test_two_models_serve_as_one(model):
    rng = np.random.default_rng(0)
    segments = rng.standard_normal((3, SEGMENT_SAMPLES)).astype(np.float32)
    heard = model.embed_segments(segments)
    assert heard.shape == (3, model.dim) == (3, model.band.dim + model.voice.dim)
    vector = model.track_vector(heard, np.ones(3), "overall")
    assert vector.shape == (model.vector_dim,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    parts = [part.embed_segments(segments).mean(0) for part in (model.band, model.voice)]
    expected = model.geometry("overall").place(np.concatenate(parts))
    np.testing.assert_allclose(vector, expected, atol=1e-4)
    codes = model.moment_codes(heard, np.array([0.0, 5.0, 10.0]), "overall")
    assert codes.codes.shape == (3, 64)
    assert {tag.name for tag in model.tags(heard)} == set(shown_names())


def test_voices_are_compared_by_the_checkpoints_own_transform(model):
    voice = model.geometry("overall").voice
    np.testing.assert_array_equal(
        voice.transform[:128], model.voice.geometry("overall").transform[:128]
    )
    assert not voice.transform[128:].any()
    assert model.vector_dim == band.NUM_AXES + 256


def test_other_shares_and_other_parts_are_spaces_of_their_own(tmp_path):
    one, other = (saved(tmp_path / str(share), share) for share in (0.6, 0.3))
    parts = saved(tmp_path / "parts", identities=["0" * 64, "1" * 64])
    assert len({one.identity, other.identity, parts.identity}) == 3
    with pytest.raises(CheckpointError, match="other versions of musicnn and ge2e"):
        load(str(tmp_path / "parts"))


def test_of_few_segments_more_is_heard(model):
    rng = np.random.default_rng(3)
    segments = rng.standard_normal((4, SEGMENT_SAMPLES)).astype(np.float32)
    unit, length = unit_energy(segments), model.band.excerpt_samples
    both = [model.band.embed_excerpts(part) for part in (unit[:, :length], unit[:, -length:])]
    np.testing.assert_allclose(model.band.embed_segments(segments), np.mean(both, 0), atol=1e-3)
    assert [band.spread(num, 9).tolist() for num in (0, 3)] == [[], [0, 3, 6]]
    assert band.spread(40, 9).tolist() == list(range(9))


def test_songs_lie_along_the_axes_in_which_they_differ_most(model):
    axes = model.band.geometry("overall").transform
    assert axes.shape == (band.NUM_AXES, model.band.dim)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"config": {"band": "musicnn"}}, "does not say of which models"),
        ({"config": {"band": "ge2e", "voice": "ge2e"}}, "is not made of a band"),
        ({"config": {"band": "musicnn", "voice": "cvsm-1"}}, "do not fit"),
        ({"sha256": "0" * 64}, "are damaged"),
    ],
)
def test_what_is_not_made_of_the_models_that_are_here_is_refused(tmp_path, change, sentence):
    saved(tmp_path)
    path = tmp_path / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=sentence):
        load(str(tmp_path))

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.evaluation import write_table
from support.sound import write_wav

from engine.errors import CancelledError, EvaluationError
from engine.evaluation.clip_sound import Listening, summed
from engine.evaluation.embedders.mfcc import Mfcc
from engine.evaluation.embeddings import embed_data
from engine.evaluation.evaluation_data import EvaluationData, read_table
from engine.progress import CancelToken, Progress


class Level:
    """A small plug-in: the loudest sample and the energy of each excerpt. Counts its work."""

    def __init__(self, dim: int = 2, value: float | None = None, name: str = "level") -> None:
        self.name, self.sha256, self.dim, self.excerpt_samples = (
            name,
            name.encode().hex(),
            dim,
            16_000,
        )
        self.num_excerpts, self._value = 0, value

    def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
        self.num_excerpts += len(excerpts)
        found = np.stack([np.abs(excerpts).max(1), np.square(excerpts).sum(1)], axis=1)
        return found if self._value is None else np.full_like(found, self._value)


class Half:
    """A separator whose vocals are the mixture at half level."""

    name = "half"

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        for chunk in chunks:
            yield chunk.mean(0) / 2


@pytest.fixture
def data(tmp_path: Path) -> EvaluationData:
    return read_table(write_table(tmp_path, num_songs=2))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_sums_are_as_long_as_the_longest() -> None:
    one, other = np.ones((2, 5)), np.ones((2, 3))
    np.testing.assert_array_equal(summed([one, other]), [[2, 2, 2, 1, 1]] * 2)


def test_all_inputs_are_heard(data: EvaluationData, cache: Path) -> None:
    sources = ["vocals", "separated", "mixture", "accompaniment"]
    embedded = embed_data(data, {"mfcc": Mfcc()}, sources, Listening(Half()), cache, num_workers=1)
    assert [(h.model, h.source, h.means.shape) for h in embedded.all_embeddings] == [
        ("mfcc", source, (8, 40)) for source in sources
    ]
    vocals, separated, mixture, _ = embedded.all_embeddings
    # Unit energy per segment: half the mixture sounds like the mixture, but for resampling.
    assert np.abs(separated.means - mixture.means).max() < 0.2 * np.abs(mixture.means).max()
    assert not np.allclose(vocals.means, mixture.means)
    np.testing.assert_allclose(np.linalg.norm(vocals.vectors("data"), axis=1), 1, atol=1e-5)
    assert vocals.num_artists == 4
    assert vocals.excerpts(0).shape == (1, 5, 40)
    np.testing.assert_allclose(vocals.excerpts(0).mean((0, 1)), vocals.means[0], rtol=2e-3)
    assert embedded.notes == ()


def test_the_papers_means_are_plain_and_over_what_is_sung(cache: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    levels = {"vocals": (0.5, 0.001, 0.05), "accompaniment": (0.02, 0.3, 0.02)}
    lines = ["path,singer,song,kind"]
    for kind, loud in levels.items():
        sound = np.concatenate([level * rng.standard_normal(80_000) for level in loud])
        path = write_wav(
            tmp_path / f"{kind}.wav", sound.clip(-0.99, 0.99).astype(np.float32), 16_000
        )
        lines.append(f"{path.name},Ann,Song,{kind}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    data = read_table(tmp_path / "t.csv")
    embedded = embed_data(
        data, {"a": Level()}, ["mixture", "vocals"], Listening(), cache, num_workers=1
    )
    mixture, vocals = embedded.all_embeddings
    assert mixture.num_segments.tolist() == [3]  # none is silent,
    assert mixture.num_voiced.tolist() == vocals.num_voiced.tolist() == [2]  # but one is not sung
    sung = mixture.excerpts(0)[[0, 2]].mean((0, 1))
    np.testing.assert_allclose(mixture.voiced_means[0], sung, rtol=1e-6)
    np.testing.assert_allclose(vocals.voiced_means[0], vocals.excerpts(0).mean((0, 1)), rtol=1e-6)
    unit = sung / np.linalg.norm(sung)
    np.testing.assert_allclose(mixture.vectors("raw", as_in_paper=True)[0], unit, rtol=1e-5)
    alone = embed_data(data, {"a": Level()}, ["mixture"], Listening(), tmp_path / "other")
    assert alone.all_embeddings[0].is_voiced is None


def test_embeddings_are_computed_once(data: EvaluationData, cache: Path, tmp_path: Path) -> None:
    level = Level()
    first = embed_data(data, {"a": level}, ["vocals"], Listening(), cache, num_workers=1)
    assert level.num_excerpts == 8 * 5
    again = embed_data(data, {"b": level}, ["vocals"], Listening(), cache, num_workers=2)
    assert level.num_excerpts == 8 * 5
    np.testing.assert_array_equal(first.all_embeddings[0].means, again.all_embeddings[0].means)
    assert first.content_sha256 == again.content_sha256
    # The same sound under another name is known; other sound under the same name is not.
    (tmp_path / "Ann-0.vocals.wav").rename(tmp_path / "x.wav")
    (tmp_path / "Ann-1.vocals.wav").rename(tmp_path / "Ann-0.vocals.wav")
    (tmp_path / "x.wav").rename(tmp_path / "Ann-1.vocals.wav")
    embed_data(data, {"a": level}, ["vocals"], Listening(), cache)
    assert level.num_excerpts == 8 * 5
    # A damaged file is made again.
    next(cache.rglob("*.npz")).write_bytes(b"PK\x03\x04 torn")
    embed_data(data, {"a": level}, ["vocals"], Listening(), cache)
    assert level.num_excerpts == 9 * 5
    # Another part of the clip is another sound.
    embed_data(data, {"a": level}, ["vocals"], Listening(clip_s=2.0), cache)
    assert level.num_excerpts == 17 * 5


def test_a_model_that_fails_is_left_out(data: EvaluationData, cache: Path) -> None:
    class Broken(Level):
        def embed_excerpts(self, excerpts: np.ndarray) -> np.ndarray:
            raise RuntimeError("no luck")

    models = {
        "good": Level(),
        "nan": Level(value=np.nan, name="n"),
        "wide": Level(dim=3, name="w"),
        "broken": Broken(name="b"),
    }
    embedded = embed_data(data, models, ["vocals"], Listening(), cache, num_workers=1)
    assert [h.model for h in embedded.all_embeddings] == ["good"]
    assert embedded.notes == (
        "The model nan was left out: its vectors hold NaN or infinity.",
        "The model wide was left out: it says that its vectors have 3 dimensions, but they came in "
        "the shape (5, 2).",
        "The model broken was left out: it failed: no luck",
    )
    with pytest.raises(EvaluationError, match="The model broken was left out"):
        embed_data(data, {"broken": models["broken"]}, ["vocals"], Listening(), cache)


def test_clips_that_cannot_be_heard_are_left_out(
    data: EvaluationData, cache: Path, tmp_path: Path
) -> None:
    (tmp_path / "Ann-0.vocals.wav").write_bytes(b"not sound")
    silent = (tmp_path / "Bea-0.vocals.wav").read_bytes()
    (tmp_path / "Bea-0.vocals.wav").write_bytes(silent[:44] + bytes(len(silent) - 44))
    embedded = embed_data(data, {"a": Level()}, ["vocals"], Listening(), cache, num_workers=1)
    assert len(embedded.all_embeddings[0].clips) == 6
    assert embedded.notes[0].startswith("vocals: Ann - Song 0 was left out. No audio could be read")
    assert embedded.notes[1] == "vocals: in 1 of 7 clips nobody is heard."


def test_a_cache_that_cannot_be_written_is_named(data: EvaluationData, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / "file"
    with pytest.raises(EvaluationError, match="cannot be kept in"):
        embed_data(data, {"level": Level()}, ["vocals"], Listening(), cache, num_workers=1)


def test_inputs_that_the_data_lacks(tmp_path: Path, cache: Path) -> None:
    write_table(tmp_path, num_songs=1)
    data = read_table(tmp_path / "songs.csv", ["kind=vocals"])
    embedded = embed_data(data, {"a": Level()}, ["vocals", "mixture"], Listening(), cache)
    assert [h.source for h in embedded.all_embeddings] == ["vocals"]
    assert embedded.notes == ("mixture: no clip of the data has this input.",)
    with pytest.raises(EvaluationError, match="no clip of the data has this input"):
        embed_data(data, {"a": Level()}, ["mixture"], Listening(), cache)


def test_work_is_reported_and_can_be_stopped(data: EvaluationData, cache: Path) -> None:
    reports: list[Progress] = []
    cancel = CancelToken()

    def watch(progress: Progress) -> None:
        reports.append(progress)
        if progress.stage == "listen" and progress.num_done == 2:
            cancel.cancel()

    level = Level()
    with pytest.raises(CancelledError):
        embed_data(data, {"a": level}, ["vocals"], Listening(), cache, num_workers=1,
             progress=watch, cancel=cancel)  # fmt: skip
    assert {r.stage for r in reports} == {"read", "listen"}
    num_before = level.num_excerpts
    assert num_before < 8 * 5
    embed_data(data, {"a": level}, ["vocals"], Listening(), cache)
    assert level.num_excerpts == 8 * 5


def test_centrings() -> None:
    from support.evaluation import make_embeddings

    means = np.array([[3.0, 4.0], [1.0, 0.0]])
    plain = make_embeddings(means, ["A", "B"])
    assert plain.centrings == ("raw", "data", "library")
    np.testing.assert_allclose(plain.vectors("raw"), [[0.6, 0.8], [1, 0]], atol=1e-6)
    # of two artists, a third of the mean of their means is taken away
    rest = np.array([[0.6, 0.8], [1, 0]]) - np.array([0.8, 0.4]) / 3
    expected = rest / np.linalg.norm(rest, axis=1, keepdims=True)
    np.testing.assert_allclose(plain.best_vectors, expected, atol=1e-6)
    centred = make_embeddings(means, ["A", "B"], centre=np.array([3.0, 0.0]))
    assert centred.centrings == ("raw", "model", "data", "library")
    np.testing.assert_allclose(centred.vectors("model"), [[0, 1], [-1, 0]], atol=1e-6)
    alone = make_embeddings(means, ["A", "A"], centre=np.array([3.0, 0.0]))  # one singer: nothing
    np.testing.assert_allclose(alone.best_vectors, alone.vectors("model"), atol=1e-6)

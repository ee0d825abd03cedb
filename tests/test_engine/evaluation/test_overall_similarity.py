from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings, weights_of, write_table

from engine.errors import EvaluationError
from engine.evaluation.crossed import crossed_clips, plan_triplets, stems
from engine.evaluation.embedders.mfcc import Mfcc
from engine.evaluation.embeddings import ModelEmbeddings
from engine.evaluation.evaluation_data import Clip, read_table
from engine.evaluation.protocols.overall_similarity import (
    measure_triplets,
    retrieve_label,
    run,
    shares_in_common,
)
from engine.evaluation.results import Options
from engine.evaluation.run import evaluate
from engine.progress import CancelToken

NUM_SINGERS, NUM_SONGS, NUM_SEGMENTS = 6, 3, 4


def clip(singer: int, song: int) -> Clip:
    name = f"{singer}-{song}"
    files = {"vocals": Path(f"{name}.v.wav"), "accompaniment": Path(f"{name}.a.wav")}
    return Clip(f"s{singer}", name, files=files)  # type: ignore[arg-type]


CLIPS = tuple(clip(singer, song) for singer in range(NUM_SINGERS) for song in range(NUM_SONGS))


def test_triplets_are_what_they_say() -> None:
    triplets = plan_triplets(CLIPS, 0)
    assert len(triplets) == len(CLIPS)
    assert triplets == plan_triplets(CLIPS, 0) != plan_triplets(CLIPS, 1)
    for t in triplets:
        singer = t.query.singer
        assert t.same_voice.vocals.singer == singer
        assert t.same_voice.vocals.song != t.query.song
        assert t.same_band.band is t.query
        strangers = (t.same_voice.band, t.same_band.vocals, t.neither.vocals, t.neither.band)
        assert singer not in {clip.singer for clip in strangers}
        assert t.neither.band not in (t.same_voice.band, t.neither.vocals)
    assert {stems(made) for made in crossed_clips(triplets)} == {
        one.stems for t in triplets for one in t.crossed
    }


def test_without_stems_or_with_few_singers_there_are_none() -> None:
    assert plan_triplets(CLIPS[:NUM_SONGS], 0) == ()
    assert plan_triplets([replace(c, files={"mixture": Path("m.wav")}) for c in CLIPS], 0) == ()


def heard(cache: Path, model: str, clips: tuple[Clip, ...], ears: str) -> ModelEmbeddings:
    """What a model hears that knows voices, bands or both: each is a direction of its own."""
    rng = np.random.default_rng(0)
    voices = dict(zip(sorted({c.singer for c in CLIPS}), rng.normal(size=(9, 40)), strict=False))
    bands = {
        c.files["accompaniment"]: v for c, v in zip(CLIPS, rng.normal(size=(18, 40)), strict=True)
    }
    parts = [
        np.concatenate(
            [
                voices[c.singer] * ("v" in ears),
                bands[c.files["accompaniment"]] * ("b" in ears),
                rng.normal(size=40) * 0.01,
            ]
        )
        for c in clips
    ]
    excerpts = [np.tile(p, (NUM_SEGMENTS, 1, 1)).astype(np.float32) for p in parts]
    embeddings = make_embeddings(
        np.stack(parts), [c.singer for c in clips], [c.song for c in clips],
        model=model, source="mixture", cache=cache, excerpts=excerpts,
    )  # fmt: skip
    counts = np.full(len(clips), NUM_SEGMENTS)
    return replace(embeddings, clips=clips, num_segments=counts)


@pytest.mark.parametrize(("ears", "is_voice", "is_band"), [("vb", 1, 1), ("v", 1, 0), ("b", 0, 1)])
def test_triplets_tell_what_a_model_listens_to(
    tmp_path: Path, ears: str, is_voice: bool, is_band: bool
) -> None:
    triplets = plan_triplets(CLIPS, 0)
    embeddings = heard(tmp_path, "whole", CLIPS, ears)
    crossed = heard(tmp_path, "crossed", crossed_clips(triplets), ears)
    found = measure_triplets(embeddings, crossed, triplets, weights_of(embeddings))
    assert found is not None
    both, voice, band, num_triplets = found
    assert num_triplets == len(CLIPS)
    assert (voice.value > 0.95) is bool(is_voice)
    assert (band.value > 0.95) is bool(is_band)
    assert (both.value > 0.9) is (ears == "vb")
    # what was not heard is left out, and so is what has no second half
    less = replace(crossed, clips=crossed.clips[:10])
    fewer = measure_triplets(embeddings, less, triplets, weights_of(embeddings))
    assert fewer is not None
    assert fewer[-1] < 10
    short = replace(embeddings, num_segments=np.ones(len(CLIPS), int))
    assert measure_triplets(short, crossed, triplets, weights_of(embeddings)) is None


def test_labels_by_hand() -> None:
    """Genres by other artists only, albums by the artist only."""
    angles = np.radians([0, 5, 10, 80, 90, 100])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    genres = [{"genre": g} for g in ("rock", "rock", "jazz", "jazz", "rock", "")]
    singers = ["A", "A", "B", "C", "D", "E"]
    albums = ["x", "x", "x", "", "", ""]
    embeddings = make_embeddings(vectors, singers, albums=albums, labels=genres, source="mixture")
    genre = retrieve_label(embeddings, "genre", weights_of(embeddings))
    assert genre is not None
    at_1, at_10, _, num_queries = genre
    assert num_queries == 5
    assert at_10.value == 1.0
    scores = embeddings.best_vectors @ embeddings.best_vectors.T
    hits = []
    for i in range(5):
        others = [j for j in range(5) if singers[j] != singers[i]]
        hits.append(genres[max(others, key=lambda j: scores[i, j])] == genres[i])
    assert at_1.value == pytest.approx(np.mean(hits))
    album = retrieve_label(embeddings, "album", weights_of(embeddings))
    assert album is not None
    assert album[-1] == 2


def test_lists_in_common() -> None:
    rng = np.random.default_rng(0)
    singers = [f"s{i}" for i in range(30)]
    one = make_embeddings(rng.normal(size=(30, 8)), singers)
    other = make_embeddings(rng.normal(size=(30, 8)), singers)
    np.testing.assert_array_equal(shares_in_common(one, one, CancelToken()), 1.0)
    assert 0.2 < shares_in_common(one, other, CancelToken()).mean() < 0.5  # 10 of 29 by chance


def test_nothing_to_measure_is_said() -> None:
    embeddings = make_embeddings(np.eye(3), ["A", "B", "C"], source="mixture")
    with pytest.raises(EvaluationError, match="genre or album"):
        run(context_of(embeddings))


def test_a_table_with_stems_is_measured_from_sound(tmp_path: Path) -> None:
    data = read_table(write_table(tmp_path, seconds=10.5))
    report = evaluate(
        ["overall-similarity"], {"mfcc": Mfcc()}, data, ["mixture"], Options(num_replicates=20),
        folder=tmp_path, cache_folder=tmp_path / "cache", num_workers=1,
    )  # fmt: skip
    (result,) = report.results
    assert result.reason is None
    ((model, both, voice, band, num),) = result.tables[0].rows
    assert (model, num) == ("mfcc", 12)
    assert voice.value > 0.8  # type: ignore[union-attr]
    assert 0.0 <= both.value <= min(voice.value, band.value)  # type: ignore[union-attr]
    assert result.plots[0].series["mfcc"] == (both, voice, band)  # type: ignore[union-attr]

from __future__ import annotations

import numpy as np
import pytest
from support.evaluation import context_of, make_embeddings, weights_of

from engine.errors import CancelledError, EvaluationError
from engine.evaluation import metrics, similarity
from engine.evaluation.protocols.artist_similarity import run
from engine.evaluation.results import Options
from engine.evaluation.similarity import distinct_songs, paper_trials
from engine.progress import CancelToken


def random_hearing(num_singers: int, num_songs: int, spread: float, **other: object):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    voices = np.repeat(rng.normal(size=(num_singers, 8)), num_songs, axis=0)
    vectors = voices + spread * rng.normal(size=voices.shape)
    singers = [f"s{i}" for i in range(num_singers) for _ in range(num_songs)]
    return make_embeddings(vectors, singers, **other)  # type: ignore[arg-type]


def test_distinct_songs_are_those_of_a_slow_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "ROWS_AT_ONCE", 7)
    songs = [str(i) for i in range(20)]
    songs[1] = songs[0]  # two clips of one song
    albums = [""] * 20
    albums[5] = albums[6] = "LP"
    embeddings = random_hearing(5, 4, 0.8, songs=songs, albums=albums)
    vectors = embeddings.vectors()
    singers = [clip.singer for clip in embeddings.clips]
    positive, negative, ranks, hits, precisions = [], [], [], [], []
    for i in range(20):
        left_out = {i} | ({0, 1} if i in (0, 1) else {5, 6} if i in (5, 6) else set())
        scores = vectors @ vectors[i]
        own = [scores[j] for j in range(20) if singers[j] == singers[i] and j not in left_out]
        others = [scores[j] for j in range(20) if singers[j] != singers[i]]
        ranks.append(np.mean([sum(o > s for o in others) / (len(others) + 1) for s in own]))
        hits.append(max(own) > max(others))
        precisions.append(metrics.average_precision(np.array(own), np.array(others)))
        positive += own
        negative += others
    found = distinct_songs(embeddings, "raw", weights_of(embeddings), 0)
    # Each pair was counted from both of its ends, which changes no share.
    assert found.eer.value == pytest.approx(
        metrics.equal_error_rate(np.array(positive), np.array(negative))
    )
    assert found.mnr.value == pytest.approx(np.mean(ranks), abs=1e-6)
    assert found.r_at_1.value == pytest.approx(np.mean(hits))
    assert found.mean_ap.value == pytest.approx(np.mean(precisions), abs=1e-6)
    assert found.eer.low <= found.eer.value <= found.eer.high


@pytest.mark.parametrize(("num_singers", "num_songs"), [(20, 5), (5, 30)])
def test_intervals_may_be_taken_from_a_part_of_the_pairs(
    monkeypatch: pytest.MonkeyPatch, num_singers: int, num_songs: int
) -> None:
    embeddings = random_hearing(num_singers, num_songs, 1.0)
    whole = distinct_songs(embeddings, "raw", weights_of(embeddings), 0).eer
    monkeypatch.setattr(similarity, "MAX_INTERVAL_PAIRS", 1500)
    part = distinct_songs(embeddings, "raw", weights_of(embeddings), 0).eer
    assert part.value == whole.value
    assert (part.low, part.high) == pytest.approx((whole.low, whole.high), abs=0.04)


def test_random_vectors_are_at_chance() -> None:
    vectors = np.random.default_rng(1).normal(size=(240, 16))
    embeddings = make_embeddings(vectors, [f"s{i // 4}" for i in range(240)])
    weights = weights_of(embeddings, 200)
    found = distinct_songs(embeddings, "raw", weights, 0)
    assert found.eer.low < 0.5 < found.eer.high
    assert found.mnr.low < 0.5 < found.mnr.high
    # Two draws may be one song: matches of similarity 1 in a quarter of the pairs.
    trials = paper_trials(embeddings, "raw", weights, Options())
    assert trials.num_artists == 50
    assert trials.same_song == pytest.approx(0.25, abs=0.02)
    assert trials.mnr.value == pytest.approx(0.75 * 0.49, abs=0.03)
    assert trials.eer.value < 0.5


def test_trials_of_perfect_voices() -> None:
    embeddings = random_hearing(60, 3, 0.0)
    trials = paper_trials(embeddings, "raw", weights_of(embeddings), Options(num_trials=5))
    # All clips of a singer are the same here, and no clip of another comes before them.
    assert (trials.eer.value, trials.mnr.value) == (0.0, 0.0)


def test_artists_are_drawn_in_proportion_to_their_segments() -> None:
    embeddings = random_hearing(4, 2, 1.0)
    embeddings.num_segments[:2] = 1000  # the first singer is in every trial
    assert embeddings.num_voiced is embeddings.num_segments
    trials = paper_trials(embeddings, "raw", weights_of(embeddings), Options(num_artists=2))
    assert trials.num_artists == 2
    again = paper_trials(embeddings, "raw", weights_of(embeddings), Options(num_artists=2))
    other = paper_trials(embeddings, "raw", weights_of(embeddings), Options(num_artists=2, seed=1))
    assert trials == again
    assert trials != other


def test_two_singers_allow_no_interval() -> None:
    embeddings = random_hearing(2, 6, 1.0)
    found = distinct_songs(embeddings, "raw", weights_of(embeddings), 0)
    trials = paper_trials(embeddings, "raw", weights_of(embeddings), Options(num_trials=3))
    for figure in (found.eer, found.mnr, found.r_at_1, trials.eer, trials.mnr):
        assert np.isfinite(figure.value)
        assert np.isnan([figure.low, figure.high]).all()


def test_what_is_needed() -> None:
    one = make_embeddings(np.eye(3), ["A", "A", "A"])
    with pytest.raises(EvaluationError, match="at least two singers"):
        distinct_songs(one, "raw", weights_of(one), 0)
    with pytest.raises(EvaluationError, match="two singers with two clips"):
        paper_trials(one, "raw", weights_of(one), Options())
    album = make_embeddings(np.eye(3), ["A", "A", "B"], albums=["LP", "LP", ""])
    with pytest.raises(EvaluationError, match="of different albums"):
        distinct_songs(album, "raw", weights_of(album), 0)


def test_accompaniment_that_tells_singers_apart_is_warned_of() -> None:
    clean, leaky = random_hearing(6, 4, 5.0), random_hearing(6, 4, 0.1, source="accompaniment")
    result = run(context_of(clean, leaky, num_trials=3))
    assert result.warnings[0].startswith("Accompaniment alone tells singers apart: m has an EER")
    assert [t.name for t in result.tables] == ["distinct-songs", "paper", "leak-check"]
    noise = make_embeddings(
        np.random.default_rng(3).normal(size=(40, 8)),
        [f"s{i // 4}" for i in range(40)],
        source="accompaniment",
    )
    result = run(context_of(clean, noise, num_trials=3))
    assert result.warnings == ()
    assert "Leak check passed: accompaniment alone is near chance." in result.notes
    result = run(context_of(clean, num_trials=3))
    assert any(note.startswith("No leak check") for note in result.notes)
    assert any("Trials hold 6 artists instead of 50" in note for note in result.notes)


def test_a_model_with_a_centre_is_measured_with_and_without() -> None:
    embeddings = random_hearing(6, 4, 0.5, centre=np.full(8, 0.1))
    result = run(context_of(embeddings, num_trials=3))
    assert [row[2] for row in result.tables[0].rows] == ["raw", "model", "data", "library"]
    assert result.plots[0].series["m"][0] == result.tables[0].rows[3][3]  # type: ignore[union-attr]


def test_random_similarities_hit_as_often_as_chance_says() -> None:
    singers = [f"s{i // 5}" for i in range(400)]
    embeddings = make_embeddings(np.random.default_rng(4).normal(size=(400, 8)), singers)
    found = distinct_songs(embeddings, "raw", weights_of(embeddings), 0)
    assert found.chance_at_1 == pytest.approx(4 / 399)
    assert found.r_at_1.low <= found.chance_at_1 <= found.r_at_1.high


def test_what_cannot_be_measured_is_noted_and_the_rest_goes_on() -> None:
    # Two albums of one song each, by two singers: trials run, distinct songs do not.
    clips = {"singers": ["A", "A", "B", "B"], "albums": ["LP", "LP", "EP", "EP"]}
    result = run(context_of(make_embeddings(np.eye(4), **clips), num_trials=3))
    assert [table.name for table in result.tables] == ["paper"]
    assert [plot.name for plot in result.plots] == ["paper-eer"]
    assert any(note.startswith("vocals: Artist similarity needs") for note in result.notes)
    # One input with a single singer does not spoil the other.
    alone = make_embeddings(np.eye(8)[:2], ["A", "A"], source="mixture")
    result = run(context_of(random_hearing(4, 3, 0.5), alone, num_trials=3))
    assert {row[0] for row in result.tables[0].rows} == {"vocals"}
    assert any(note.startswith("mixture: Artist similarity needs") for note in result.notes)
    with pytest.raises(EvaluationError, match="needs at least two singers"):
        run(context_of(alone))


def test_long_work_stops_on_request() -> None:
    cancel = CancelToken()
    cancel.cancel()
    embeddings = random_hearing(4, 3, 0.5)
    with pytest.raises(CancelledError):
        distinct_songs(embeddings, "raw", weights_of(embeddings), 0, cancel)
    with pytest.raises(CancelledError):
        paper_trials(embeddings, "raw", weights_of(embeddings), Options(), cancel)


def test_figures_about_very_few_singers_are_warned_of() -> None:
    rng = np.random.default_rng(4)
    names = ["A", "A", "A", "B", "B", *(f"once {i}" for i in range(15))]
    result = run(context_of(make_embeddings(rng.normal(size=(20, 8)), names), num_trials=3))
    assert result.warnings[0].startswith("Only 2 singers have two songs or more here")
    assert run(context_of(random_hearing(5, 2, 1.0), num_trials=3)).warnings == ()

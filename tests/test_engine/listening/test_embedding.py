"""From a stream to an embedding: segments, gate, and sentences for what cannot be embedded."""

import numpy as np
import pytest
from support.sound import buzz, write_wav

from engine import models, separation
from engine.errors import CancelledError, SilentError, TooShortError
from engine.listening.embedding import embed_file, embed_song, embed_vocals, segment_batches
from engine.models.segments import SEGMENT_SAMPLES, cut_excerpts
from engine.progress import CancelToken
from engine.sound.audio import decode_all
from engine.sound.resampling import resample, resampled


@pytest.fixture(scope="module")
def model():
    return models.load("ge2e")


def in_chunks(sound, size):
    return [sound[start : start + size] for start in range(0, len(sound), size)]


@pytest.mark.parametrize("size", [1_000, 80_000, 333_333])
def test_segments_do_not_depend_on_chunks(size):
    sound = np.arange(80_000 * 40 + 500, dtype=np.float32)
    batches = list(segment_batches(in_chunks(sound, size)))
    segments = np.concatenate([segments for _, segments in batches])
    np.testing.assert_array_equal(segments.reshape(-1), sound[: 80_000 * 40])
    firsts = [first for first, _ in batches]
    assert firsts == [sum(len(s) for _, s in batches[:i]) for i in range(len(batches))]


def test_what_is_shorter_than_a_segment_is_repeated():
    [(first, segments)] = segment_batches([np.arange(20_000, dtype=np.float32)])
    assert first == 0
    np.testing.assert_array_equal(segments, np.tile(np.arange(20_000), 4)[None])


def whole(folder, sound, model):
    path = write_wav(folder / "whole.wav", sound)
    return embed_song(path, {"overall": model})["overall"]


def test_a_blink_of_sound_is_too_short(model):
    with pytest.raises(TooShortError, match=r"0\.3 s"):
        embed_vocals([buzz(0.3)], model)


def test_silence_is_told(model, tmp_path):
    silence = np.zeros(100_000, np.float32)
    with pytest.raises(SilentError, match="silent"):
        embed_vocals([silence], model)
    with pytest.raises(SilentError, match="silent"):
        whole(tmp_path, silence, model)


def test_below_the_gate_nobody_sings(model, tmp_path):
    quiet = buzz(6.0) * 0.01
    assert embed_vocals([quiet], model) is None
    assert whole(tmp_path, quiet, model) is not None


def test_only_voiced_segments_count(model):
    voice = buzz(5.0)
    silence = np.full(SEGMENT_SAMPLES, 1e-3, np.float32)
    alone = embed_vocals([voice], model)
    among = embed_vocals([silence, voice, silence], model)
    np.testing.assert_allclose(among.vector, alone.vector, atol=1e-5)
    np.testing.assert_array_equal(among.moments.starts_s, [5.0])


def test_stops_when_asked(model):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        embed_vocals([buzz(6.0)], model, cancel)


@pytest.mark.parametrize(("count", "size"), [(1_000, 300), (200_000, 30_011), (441 * 200, 441)])
def test_resampling_a_stream_is_resampling_the_whole(count, size):
    sound = np.random.default_rng(0).standard_normal(count).astype(np.float32)
    ours = np.concatenate(list(resampled(in_chunks(sound, size))))
    np.testing.assert_array_equal(ours, resample(sound, 44_100, 16_000))
    assert len(ours) == -(-count * 160 // 441)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44_100, 16_000), (16_000, 44_100), (33_075, 32_000)]
)
def test_a_resampled_tone_is_where_it_was(from_hz, to_hz):
    def tone(rate_hz):
        return np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz).astype(np.float32)

    inside = slice(to_hz // 50, -to_hz // 50)
    stereo = resample(np.stack([tone(from_hz), -tone(from_hz)]), from_hz, to_hz)
    np.testing.assert_allclose(stereo[0, inside], tone(to_hz)[inside], atol=1e-3)
    np.testing.assert_array_equal(stereo[1], -stereo[0])


def test_of_nothing_nothing_is_resampled():
    assert len(resample(np.zeros(0, np.float32), 44_100, 16_000)) == 0


def test_a_file_in_both_views(model, tmp_path):
    path = write_wav(tmp_path / "a.wav", np.stack([buzz(6.0, 44_100)] * 2), 44_100)
    decoded = []
    overall = embed_file(path, model, "overall", on_decoded=decoded.append)
    assert sum(decoded) == pytest.approx(6.0)
    isolated = embed_file(path, model, "vocals")
    np.testing.assert_allclose(overall.vector @ isolated.vector, 1.0, atol=1e-4)
    separated = embed_file(path, model, "vocals", separator=separation.load())
    assert separated is None or separated.vector.shape == (model.dim,)


def test_a_part_of_a_file(model, tmp_path):
    low, high = buzz(5.0), buzz(5.0, pitch_hz=320)
    path = write_wav(tmp_path / "a.wav", np.concatenate([low, high]))
    part = embed_file(path, model, "overall", start_s=5.0, end_s=10.0)
    np.testing.assert_allclose(part.vector, whole(tmp_path, high, model).vector, atol=0.01)


@pytest.mark.parametrize(("seconds", "every"), [(79.0, 1), (90.0, 2), (160.0, 3)])
def test_long_sound_is_heard_through_a_part_of_its_excerpts(model, tmp_path, seconds, every):
    sound = buzz(seconds) * np.linspace(0.1, 1.0, round(seconds * 16_000), dtype=np.float32)
    path = write_wav(tmp_path / "sound.wav", sound)
    (decoded,) = decode_all(path, sample_rate_hz=16_000, num_channels=1)
    segments = decoded[: len(sound) // 80_000 * 80_000].reshape(-1, 80_000)
    expected = model.track_vector(
        model.embed_segments(segments, every), np.ones(len(segments)), "overall"
    )
    found = embed_song(path, {"overall": model})["overall"].vector
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_every_other_excerpt(model):
    segments = buzz(10.0).reshape(2, -1)
    whole = cut_excerpts(segments, 25_600).reshape(2, 5, -1)
    some = cut_excerpts(segments, 25_600, every=2).reshape(2, 3, -1)
    np.testing.assert_array_equal(some, whole[:, ::2])

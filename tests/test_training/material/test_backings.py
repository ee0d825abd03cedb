from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.data.rendering import decode_mono
from training.data.sources import read_source
from training.errors import DataError
from training.material.arranging import DRUM_CHANNEL, Arrangement, Event, arrange
from training.material.backings import BackingJob, BackingOptions, make_backings
from training.material.making import make_all
from training.material.playing import find_soundfonts, master, play
from training.material.styles import STYLES

CHOIRS_AND_VOICES = {52, 53, 54, 85, 91, 94}
RATE_HZ = 32_000


class SineSynth:
    """A synthesiser without a soundfont: one sine for each key that is down."""

    def __init__(self) -> None:
        self.down: dict[tuple[int, int], int] = {}
        self.programs: dict[int, tuple[int, int]] = {}
        self.levels: dict[int, int] = {}
        self.position = 0

    def noteon(self, chan: int, key: int, velocity: int) -> bool:
        self.down[chan, key] = velocity
        return True

    def noteoff(self, chan: int, key: int) -> None:
        self.down.pop((chan, key), None)

    def control_change(self, chan: int, controller: int, control_value: int) -> None:
        assert controller == 7
        self.levels[chan] = control_value

    def program_select(
        self, chan: int, sfid: int, bank: int, preset: int, is_drums: bool = False
    ) -> None:
        assert is_drums == (chan == DRUM_CHANNEL)
        self.programs[chan] = (bank, preset)

    def generate(self, samples: int) -> memoryview:
        time_s = (self.position + np.arange(samples)) / RATE_HZ
        self.position += samples
        sound = np.zeros(samples)
        for (_, key), velocity in self.down.items():
            sound += velocity / 1270 * np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time_s)
        return memoryview(np.repeat(sound, 2).astype(np.float32).tobytes())


def loudest_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * 16_000 / len(samples))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_from_start_to_end_without_voices(style: str) -> None:
    for seed in range(3):
        arrangement = arrange(style, 30.0, np.random.default_rng(seed))
        starts = np.array([event.start_s for event in arrangement.events])
        assert starts.min() < 1.0
        assert 25.0 < starts.max() < 30.0
        assert np.diff(np.unique(starts)).max() < 4.5  # no hole longer than a bar
        assert not CHOIRS_AND_VOICES & set(arrangement.programs.values())
        assert all(0 <= program < 128 for program in arrangement.programs.values())
        for event in arrangement.events:
            assert 1 <= event.velocity <= 127
            assert event.end_s > event.start_s
            assert event.channel in {*arrangement.programs, DRUM_CHANNEL}


def test_styles_and_songs_differ_and_a_seed_repeats() -> None:
    def song(style: str, seed: int) -> Arrangement:
        return arrange(style, 20.0, np.random.default_rng(seed))

    assert song("rock", 1) == song("rock", 1)
    assert song("rock", 1).events != song("rock", 2).events
    tempi = {style: len(song(style, 0).events) for style in STYLES}
    assert len(set(tempi.values())) > 15
    for style in STYLES.values():
        steps = 12 if style.num_beats == 3 else 16
        for kit in style.drums:
            assert all(len(pattern) in (12, steps) for pattern in kit.values())


def test_notes_sound_when_and_where_they_are_written() -> None:
    events = (Event(0.5, 1.0, 0, 69, 100), Event(1.5, 2.0, 1, 81, 50))
    synth = SineSynth()
    samples = play(Arrangement("x", {0: 33, 1: 4}, {0: 90, 1: 70}, events, 3.0), synth, 0)
    assert samples.shape == (48_000,)
    assert synth.programs == {0: (0, 33), 1: (0, 4), DRUM_CHANNEL: (128, 0)}
    assert synth.levels == {0: 90, 1: 70}
    assert abs(loudest_hz(samples[8800:15000]) - 440) < 4
    assert abs(loudest_hz(samples[24800:31000]) - 880) < 4
    assert np.abs(samples[:7600]).max() < 1e-3
    assert np.abs(samples[16500:23500]).max() < 1e-3


def test_mastering_varies_loudness_and_keeps_below_full_scale() -> None:
    noise = np.random.default_rng(0).standard_normal(48_000) * np.linspace(0.05, 1, 48_000)
    levels = []
    for seed in range(8):
        mastered = master(noise, np.random.default_rng(seed))
        assert mastered.shape == noise.shape
        assert np.abs(mastered).max() < 0.98
        levels.append(20 * np.log10(np.sqrt(np.mean(np.square(mastered)))))
    assert max(levels) - min(levels) > 5.0
    quieter = master(0.1 * noise, np.random.default_rng(0))
    assert np.allclose(quieter, master(noise, np.random.default_rng(0)), atol=1e-4)


def write_with_sines(job: BackingJob, folder: Path) -> None:
    from training.material.files import write_mono

    samples = play(arrange(job.style, job.length_s, job.rng(1)), SineSynth(), 0)
    write_mono(folder / job.rows(folder)[0].path, master(samples, job.rng(2)))


def test_the_table_is_one_of_accompaniments(tmp_path: Path) -> None:
    options = BackingOptions(length_s=(6.0, 7.0))
    jobs = [BackingJob(number, Path("Sines.sf2"), options) for number in range(2)]
    made = make_all(jobs, write_with_sines, tmp_path, stage="backings")
    songs = read_source(made.table_path)
    assert [song.kind for song in songs] == ["accompaniment"] * 2
    assert [song.artist for song in songs] == ["band: rock", "band: metal"]
    assert len({song.title for song in songs}) == 2
    for song, row in zip(songs, made.rows, strict=True):
        samples = decode_mono(song.paths[0])
        assert abs(len(samples) / 16_000 - row.duration_s) < 0.05
        assert np.sqrt(np.mean(np.square(samples))) > 0.03


def test_a_missing_soundfont_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.sf2 is missing"):
        find_soundfonts([tmp_path / "gone.sf2"])
    with pytest.raises(DataError, match="missing"):
        make_backings(1, tmp_path, BackingOptions(), soundfonts=[tmp_path / "gone.sf2"])
    assert not (tmp_path / "tracks.csv").exists()

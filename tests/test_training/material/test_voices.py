from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from training.data.sources import read_source
from training.errors import DataError
from training.material.files import write_mono
from training.material.kokoro import read_sentences, read_styles
from training.material.making import make_all
from training.material.voices import VoiceJob, VoiceOptions, make_voices, read_aloud

NAMES = ("af_ada", "bm_ben", "jf_chie", "zm_dao")
STYLES = {name: np.full((510, 256), number, np.float32) for number, name in enumerate(NAMES)}
OPTIONS = VoiceOptions()


class HumSpeaker:
    """Hums each sentence, 20 ms a phoneme, on a pitch that the style gives."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def speak(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        assert style.shape == (510, 256)
        self.heard.append(phonemes)
        time_s = np.arange(int(len(phonemes) * 320 / speed)) / 16_000
        hz = 200 + 100 * float(style[0, 0])
        return np.asarray(0.3 * np.sin(2 * np.pi * hz * time_s), dtype=np.float32)


def job(number: int) -> VoiceJob:
    return VoiceJob(number, Path("styles.tgz"), NAMES, OPTIONS)


def test_the_styles_come_first_then_blends_that_differ() -> None:
    assert [job(number).weights() for number in range(4)] == [{name: 1.0} for name in NAMES]
    assert [job(0).name, job(4).name] == ["kokoro af_ada", "kokoro blend 1"]
    blends = [job(number).weights() for number in range(4, 60)]
    assert len({str(blend) for blend in blends}) == 56
    for blend in blends:
        assert len(blend) in (2, 3)
        assert abs(sum(blend.values()) - 1) < 1e-9
        assert all(-0.2 <= share <= 1.3 for share in blend.values())
    assert any(min(blend.values()) < 0 for blend in blends)
    assert job(7).weights() == job(7).weights()


def test_each_voice_reads_its_sentences_in_its_blend() -> None:
    speaker = HumSpeaker()
    samples = read_aloud(job(1), STYLES, speaker)
    assert len(speaker.heard) == 2
    assert len(set(speaker.heard)) == 2
    assert set(speaker.heard) <= set(read_sentences())
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(spectrum.argmax() * 16_000 / len(samples) - 300) < 5
    assert abs(float(np.sqrt(np.mean(np.square(samples)))) - 0.05) < 1e-3
    assert np.array_equal(samples, read_aloud(job(1), STYLES, HumSpeaker()))


def test_sentences_are_phonemes() -> None:
    sentences = read_sentences()
    assert len(set(sentences)) > 20
    assert all(40 < len(sentence) < 120 and "ˈ" in sentence for sentence in sentences)


def test_styles_are_read_from_a_package_or_a_folder(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "kokoro.tgz", "w:gz") as archive:
        for name, style in reversed(STYLES.items()):
            entry = tarfile.TarInfo(f"package/voices/{name}.bin")
            entry.size = style.nbytes
            archive.addfile(entry, io.BytesIO(style.tobytes()))
            (tmp_path / f"{name}.bin").write_bytes(style.tobytes())
    for path in (tmp_path, tmp_path / "kokoro.tgz"):
        found = read_styles(path)
        assert tuple(found) == NAMES
        assert all(np.array_equal(found[name], STYLES[name]) for name in NAMES)


def test_wrong_styles_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="npm pack kokoro-js"):
        make_voices(3, tmp_path / "gone.tgz", tmp_path / "out", OPTIONS)
    (tmp_path / "text.tgz").write_text("no archive", encoding="utf-8")
    with pytest.raises(DataError, match="npm pack kokoro-js"):
        read_styles(tmp_path / "text.tgz")
    (tmp_path / "short.bin").write_bytes(b"\0" * 1024)
    with pytest.raises(DataError, match=r"short\.bin is not a style"):
        read_styles(tmp_path)


def hum(voice: VoiceJob, folder: Path) -> None:
    write_mono(folder / voice.file, read_aloud(voice, STYLES, HumSpeaker()))


def test_the_table_is_one_of_speakers_and_grows(tmp_path: Path) -> None:
    make_all([job(0)], hum, tmp_path, stage="voices")
    made = make_all([job(number) for number in range(6)], hum, tmp_path, stage="voices")
    songs = read_source(made.table_path)
    assert [song.kind for song in songs] == ["speech"] * 6
    assert len({song.artist for song in songs}) == 6
    assert {song.licence for song in songs} == {"Apache 2.0"}
    assert all(row.duration_s > 1.5 for row in made.rows)
    assert made.rows[4].origin.count("+") in (1, 2)

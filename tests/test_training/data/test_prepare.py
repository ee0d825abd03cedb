from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.training_data import write_voice

from engine import separation
from engine.errors import EvaluationError
from engine.evaluation.clip_sound import Listening
from engine.evaluation.evaluation_data import Clip
from engine.listening.embedding import embed_file
from engine.models import VIEWS
from engine.models.checkpoint import Manifest
from engine.models.geometry import Geometry
from engine.models.segments import SEGMENT_SAMPLES
from engine.models.voice_model import VoiceModel
from engine.networks.campp import EMBEDDING_DIM, Campp
from engine.progress import CancelToken
from engine.records import LISTENING_VERSION
from training.data.data_set import PARTS, Dataset, cut, shard_path
from training.data.plan import PrepareOptions, plan
from training.data.prepare import prepare
from training.data.rendering import render, separate_file
from training.data.sources import Song, left_out, read_source
from training.data.split import split_artists
from training.data.tables import JOURNAL_NAME
from training.errors import DataError

OPTIONS = PrepareOptions(parts=(2.0, 1.0, 0.0))


class HalfSeparator:
    """Stands in for a network: what it calls vocals is half of the left channel."""

    name = "half"

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        for chunk in chunks:
            yield 0.5 * chunk[0]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three singers: two songs of stems, a voice alone, a mixture; two backings; bad files."""
    audio = tmp_path / "audio"
    rows = [
        ("a1v.wav", "Ada", "one", "vocals", 11.0, 200),
        ("a1b.wav", "Ada", "one", "accompaniment", 11.0, 90),
        ("a2.wav", "Ada", "two", "mixture", 5.0, 230),
        ("b.wav", "Bo", "three", "vocals", 13.0, 300),
        ("c.wav", "Cy", "four", "mixture", 5.0, 400),
        ("d.wav", "Di", "five", "speech", 5.5, 120),
        ("e.wav", "Ed", "six", "speech", 5.0, 110),
        ("p.wav", "Band", "seven", "accompaniment", 6.0, 70),
        ("q.wav", "Band", "eight", "accompaniment", 6.0, 75),
        ("short.wav", "Flo", "nine", "vocals", 2.0, 220),
    ]
    for name, _, _, _, seconds, pitch_hz in rows:
        write_voice(audio / name, seconds, pitch_hz)
    path = tmp_path / "tracks.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "singer", "song", "kind", "licence", "source", "use"])
        for name, singer, song, kind, *_ in rows:
            writer.writerow([f"audio/{name}", singer, song, kind, "CC0", "tests", "train"])
        writer.writerow(["audio/gone.wav", "Gil", "ten", "vocals", "CC0", "tests", "train"])
        writer.writerow(["audio/other.wav", "Hal", "x", "vocals", "", "tests", "elsewhere"])
    return path


def prepared(table: Path, out: Path, options: PrepareOptions = OPTIONS) -> Dataset:
    songs = read_source(table, ["use=train"])
    prepare(songs, out, options, separators=lambda name: HalfSeparator())
    return Dataset.open(out)


def journal(out: Path) -> dict[str, dict[str, object]]:
    lines = (out / JOURNAL_NAME).read_text("utf-8").splitlines()
    return {line["key"]: line for line in map(json.loads, lines)}


def test_a_table_becomes_stems(table: Path, tmp_path: Path) -> None:
    data = prepared(table, tmp_path / "out")
    lines = journal(tmp_path / "out")
    assert len(lines["audio/a1v.wav"]["starts_s"]) == 2  # type: ignore[arg-type]
    # 13 s: two whole segments, and one from the end for the rest of 3 s.
    assert lines["audio/b.wav"]["starts_s"] == [0.0, 5.0, 8.0]
    info = data.info["summary"]
    reasons = dict(info["failures"])
    assert "shorter than 5 seconds" in reasons["audio/short.wav"]
    assert "missing" in reasons["audio/gone.wav"]
    assert not any("other" in key for key in lines)
    table_rows = data.segments
    samples = data.read(np.arange(len(table_rows))).astype(np.float64)
    voiced = table_rows["has_vocals"]
    assert (np.abs(samples[~voiced, 1]) == 0).all()
    assert (np.abs(samples[voiced, 1]).mean(1) > 0.01 * 32767).all()
    kinds = [line["kind"] for line in lines.values() for _ in line["starts_s"]]  # type: ignore[attr-defined]
    for row, kind in enumerate(kinds):
        mixture, vocals = samples[row]
        if kind == "accompaniment":
            assert not voiced[row]
        elif kind == "mixture":  # the stand-in separator hears half
            np.testing.assert_allclose(np.std(vocals), np.std(mixture) / 2, rtol=0.05)
        else:  # composed of equal parts, or given stems of equal level
            rest = np.std(mixture - vocals)
            assert 0.5 < rest / np.std(vocals) < 2.0


def test_no_artist_is_in_two_parts_and_backings_are_not_shared(table: Path, tmp_path: Path) -> None:
    data = prepared(table, tmp_path / "out")
    voiced = data.segments[data.segments["has_vocals"]]
    parts_of: dict[int, set[int]] = {}
    for artist, part in zip(voiced["artist"], voiced["part"], strict=True):
        parts_of.setdefault(int(artist), set()).add(int(part))
    assert all(len(parts) == 1 for parts in parts_of.values())
    assert {part for parts in parts_of.values() for part in parts} == {0, 1}
    songs = read_source(table, ["use=train"])
    parts = split_artists(songs, OPTIONS.parts, 0)
    backing_part = {s.accompaniment: parts[s.key] for s in songs if s.kind == "accompaniment"}
    for task in plan(songs, OPTIONS):
        if task.backing is not None:
            assert backing_part[task.backing.path] == task.part


def test_an_interrupted_preparation_ends_as_an_undisturbed_one(table: Path, tmp_path: Path) -> None:
    whole = prepared(table, tmp_path / "whole")
    out = tmp_path / "torn"
    prepared(table, out)
    lines = (out / JOURNAL_NAME).read_text("utf-8").splitlines(keepends=True)
    (out / JOURNAL_NAME).write_text("".join(lines[:4]) + lines[4][:20], "utf-8")
    for name in ("dataset.json", "segments.npy"):
        (out / name).unlink()
    with pytest.raises(DataError, match="No finished data set"):
        Dataset.open(out)
    again = prepared(table, out)
    assert np.array_equal(again.segments, whole.segments)
    assert shard_path(out, 0).read_bytes() == shard_path(whole.path, 0).read_bytes()


def test_other_options_are_refused(table: Path, tmp_path: Path) -> None:
    prepared(table, tmp_path / "out")
    with pytest.raises(DataError, match="other options"):
        prepared(table, tmp_path / "out", PrepareOptions(parts=(2.0, 1.0, 0.0), seed=1))


def test_a_set_keeps_the_version_of_listening_and_does_not_mix_two(
    table: Path, tmp_path: Path
) -> None:
    assert prepared(table, tmp_path / "out").info["options"]["listening"] == LISTENING_VERSION
    older = replace(OPTIONS, listening=LISTENING_VERSION - 1)
    with pytest.raises(DataError, match="other options"):
        prepared(table, tmp_path / "out", older)


def test_separated_copies_know_their_clean_version(table: Path, tmp_path: Path) -> None:
    options = PrepareOptions(parts=(2.0, 1.0, 0.0), separate_again=True)
    data = prepared(table, tmp_path / "out", options)
    lines = list(journal(tmp_path / "out").values())
    keys = [str(line["key"]) for line in lines for _ in line["starts_s"]]  # type: ignore[attr-defined]
    separated = [row for row, key in enumerate(keys) if key.endswith("#separated")]
    assert separated
    for row in separated:
        clean = int(data.segments["clean"][row])
        assert keys[clean] + "#separated" == keys[row]
        assert data.segments["start_s"][clean] == data.segments["start_s"][row]
        assert data.segments["track"][clean] == data.segments["track"][row]  # one song, one number
    once = prepared(table, tmp_path / "once").info["summary"]
    for name, counts in data.info["summary"]["per_part"].items():
        for count in ("artists", "tracks", "artists_with_one_song"):
            assert counts[count] == once["per_part"][name][count]
    assert data.info["summary"]["num_songs"] == once["num_songs"]


def test_twins_of_sets_prepared_before_are_one_song(table: Path, tmp_path: Path) -> None:
    options = PrepareOptions(parts=(2.0, 1.0, 0.0), separate_again=True)
    data = prepared(table, tmp_path / "out", options)
    old = data.segments.copy()
    is_separated = old["clean"] != np.arange(len(old))
    old["track"][is_separated] += 1000  # as they were numbered once
    np.save(data.path / "segments.npy", old)
    assert np.array_equal(Dataset.open(data.path).segments, data.segments)


def test_recordings_of_one_song_have_one_number(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path,singer,song,kind\na.wav,Ada,x,vocals\nb.wav,Ada,y,vocals\n"
                    "c.wav,Ada,x,vocals\nd.wav,Bo,x,vocals\n")  # fmt: skip
    for name in "abcd":
        write_voice(tmp_path / f"{name}.wav", 5.0, 200)
    prepare(read_source(path), tmp_path / "out", PrepareOptions(parts=(1.0, 0.0, 0.0)))
    data = Dataset.open(tmp_path / "out")
    assert data.segments["track"].tolist() == [0, 0, 1, 2]  # both takes of Ada's x come together


def test_every_part_has_a_voice_even_if_its_artists_do_not_sing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    lines = [f"{number}.wav,s{number},song,vocals" for number in range(4)]
    path.write_text("\n".join(["path,singer,song,kind", *lines]))
    songs = read_source(path)
    options = PrepareOptions(parts=(2.0, 1.0, 1.0))
    parts = split_artists(songs, options.parts, 0)
    for song in songs:  # whoever validates or tests is too soft to pass the gate
        write_voice(tmp_path / song.key, 5.0, 200, level=0.2 if parts[song.key] == 0 else 0.002)
    summary = prepare(songs, tmp_path / "out", options)
    data = Dataset.open(tmp_path / "out")
    voiced = data.segments[data.segments["has_vocals"]]
    assert sorted(voiced["part"].tolist()) == [0, 1]  # two sing: the test part stays empty
    assert [note.partition(":")[0] for note in summary.notes if "nobody" in note] == ["test"]


def test_songs_in_no_artists_folder_are_named(tmp_path: Path) -> None:
    music = tmp_path / "music"
    write_voice(music / "stray.wav", 5, 100)
    with pytest.raises(DataError, match=r"No songs found .* lie in no artist's folder"):
        read_source(music)
    write_voice(music / "Ada" / "song.wav", 5, 100)
    (note,) = left_out(music)
    assert "1 song(s) lie in no artist's folder and were left out (stray.wav)" in note
    assert left_out(music / "Ada" / "song.wav") == []


def test_music4all_and_folders_are_read(tmp_path: Path) -> None:
    root = tmp_path / "m4a"
    write_voice(root / "audios" / "x1.wav", 1, 100)
    (root / "id_information.csv").write_text(
        "id\tartist\tsong\talbum_name\nx1\tAda\tOne\tFirst\nx2\tBo\tTwo\tSecond\n", "utf-8"
    )
    songs = read_source(root)
    assert [(s.artist, s.title, s.kind) for s in songs] == [
        ("Ada", "One", "mixture"),
        ("Bo", "Two", "mixture"),
    ]
    assert songs[1].mixture == root / "audios" / "x2.mp3"
    music = tmp_path / "music"
    for name in ("Ada/First/1 One.mp3", "Ada/2.flac", "stray.mp3", "Bo/.hidden/x.mp3", "Bo/a.txt"):
        (music / name).parent.mkdir(parents=True, exist_ok=True)
        (music / name).touch()
    assert [(s.artist, s.title) for s in read_source(music)] == [("Ada", "2"), ("Ada", "1 One")]


def test_sources_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a table nor a folder"):
        read_source(tmp_path / "nothing")
    with pytest.raises(DataError, match="No songs found"):
        read_source(tmp_path)
    path = tmp_path / "t.csv"
    path.write_text("path,singer\na,b\n")
    with pytest.raises(EvaluationError, match="lacks the columns song, kind"):
        read_source(path)
    path.write_text("path,singer,song,kind\na,b,c,drums\n")
    with pytest.raises(DataError, match="kind 'drums' of"):
        read_source(path)
    path.write_text("path,singer,song,kind\na,b,c,vocals\n")
    with pytest.raises(EvaluationError, match="no column 'use'"):
        read_source(path, ["use=train"])
    with pytest.raises(EvaluationError, match="write it as COLUMN=TEXT"):
        read_source(path, ["use"])
    path.write_bytes(b"path,singer,song,kind\na,J\xe9r\xf4me,c,vocals\n")
    with pytest.raises(EvaluationError, match="cannot be read as a table"):
        read_source(path)


def test_tables_of_spreadsheets_and_short_rows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path,singer,song,kind,licence\na,b,c,vocals\n", "utf-8-sig")
    (song,) = read_source(path)
    assert (song.artist, song.licence) == ("b", "")


def test_a_split_that_cannot_be_made(tmp_path: Path) -> None:
    songs = [Song(str(n), "Ada", str(n), "vocals", vocals=tmp_path) for n in range(5)]
    with pytest.raises(DataError, match="nobody is left for valid and test"):
        split_artists(songs, (0.8, 0.1, 0.1), 0)
    assert set(split_artists(songs, (1.0, 0.0, 0.0), 0).values()) == {0}


def test_shares_are_kept(tmp_path: Path) -> None:
    songs = [
        Song(f"{n}", f"singer {n}", "x", "speech" if n % 2 else "vocals", vocals=tmp_path)
        for n in range(200)
    ]
    parts = split_artists(songs, (0.8, 0.1, 0.1), 0)
    for kind in ("speech", "vocals"):
        counts = np.bincount([parts[s.key] for s in songs if s.kind == kind], minlength=len(PARTS))
        assert counts.tolist() == [80, 10, 10]
    assert split_artists(songs, (0.8, 0.1, 0.1), 1) != parts


def test_no_vocals_anywhere(tmp_path: Path) -> None:
    songs = [
        Song(name, name, "x", "vocals", vocals=write_voice(tmp_path / name, 5, 100, level=0.001))
        for name in ("a.wav", "b.wav")
    ]
    with pytest.raises(DataError, match="No vocals anywhere"):
        prepare(songs, tmp_path / "out", PrepareOptions(parts=(1.0, 1.0, 0.0)))


def test_a_full_disk_in_words(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.data.shards.Writer._write_rows", full)
    with pytest.raises(DataError, match=r"No space left on device.*finished songs are kept"):
        prepared(table, tmp_path / "out")


def test_loud_songs_are_scaled_as_a_whole() -> None:
    vocals = np.full(160_000, 0.5, np.float32)
    mixture = np.full(160_000, 2.0, np.float32)
    rendered = render(mixture, vocals)
    assert rendered.stems.max() == 32767
    assert rendered.stems[0, 1, 0] == pytest.approx(32767 / 4, abs=1)
    np.testing.assert_allclose(rendered.vocal_levels, 0.5)
    np.testing.assert_allclose(rendered.loudness_db, 20 * np.log10(2.0), atol=1e-4)


def test_cut() -> None:
    segments, starts_s = cut(np.arange(79_999))
    assert segments.shape == (0, 80_000)
    segments, starts_s = cut(np.arange(2 * 80_000 + 39_999))
    assert starts_s.tolist() == [0.0, 5.0]
    segments, starts_s = cut(np.stack([np.arange(120_000)] * 2))
    assert starts_s.tolist() == [0.0, 2.5]
    assert segments.shape == (2, 2, 80_000)
    assert segments[1, 0, -1] == 119_999


class Remembering(VoiceModel):
    """A model that keeps what reaches it."""

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        self.heard = getattr(self, "heard", [])
        self.heard.append(segments.copy())
        return super().embed_segments(segments, every)


def test_training_and_evaluation_hear_the_voice_that_a_library_hears(tmp_path: Path) -> None:
    """To the sample: what is left of the mixture under the voice, the rate, where it is cut."""
    path = write_voice(tmp_path / "song.wav", 15.4, 200, level=0.4)
    separator = separation.load()
    network = Campp()
    model = Remembering(
        Manifest("m", "campp", "t", "d", "MIT", "tests"),
        network,
        SEGMENT_SAMPLES,
        EMBEDDING_DIM,
        {view: Geometry.neutral(EMBEDDING_DIM) for view in VIEWS},
    )
    embed_file(path, model, "vocals", separator=separator)  # whether this is sung is decided after
    library = np.concatenate(model.heard)
    training, _ = cut(separate_file(path, separator))
    clip = Clip("singer", "song", files={"mixture": path})
    heard = Listening(separator).segments(clip, "separated", CancelToken())
    evaluation = np.concatenate([segments for _, segments in heard])
    assert len(library) == 3
    np.testing.assert_array_equal(training[: len(library)], library)
    np.testing.assert_array_equal(evaluation, library)

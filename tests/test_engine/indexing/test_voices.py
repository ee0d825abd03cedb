"""Voices at once: heard through whole songs first, replaced by separated ones, in one space."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import DIM, ToyModel, WholeMixture, write_song

from engine.errors import CheckpointError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
from engine.listening.embedding import MixtureLevels, embed_file
from engine.models.singing import SingingDetector
from engine.search import Searcher, SearchOptions

FAST = IndexOptions(voices="fast", num_workers=1)
FINE = IndexOptions(voices="fine", num_workers=1)


class Separator(WholeMixture):
    """Takes nothing away but counts, so that it can be seen who was separated."""

    def __init__(self) -> None:
        self.num_songs = 0

    def vocals(self, chunks, cancel=None):
        self.num_songs += 1
        yield from super().vocals(chunks, cancel)


class Nothing(Separator):
    """Finds next to no voice."""

    def vocals(self, chunks, cancel=None):
        for voice in super().vocals(chunks, cancel):
            yield 1e-6 * voice


class ThroughMixtures(ToyModel):
    hears_voices_in_mixtures = True

    def __init__(self) -> None:
        self.num_segments = 0

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        self.num_segments += len(segments)
        return super().embed_segments(segments, every)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> ThroughMixtures:
    model = ThroughMixtures()
    monkeypatch.setattr("engine.models.load", lambda name: model)
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")
    return model


@pytest.fixture
def separator(monkeypatch: pytest.MonkeyPatch) -> Separator:
    separator = Separator()
    monkeypatch.setattr("engine.separation.load", lambda name: separator)
    return separator


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number, pitch_hz in enumerate((300, 330, 900), start=1):
        write_song(tmp_path / "music" / f"Artist {number}" / "Song.wav", pitch_hz, duration_s=10)
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def voices(library: Library) -> tuple[int, set[int]]:
    """(how many voices there are, those from whole songs)."""
    ((space_id, _),) = [space for space in library.spaces() if space[1].view == "vocals"]
    ids, _ = library.embeddings(space_id)
    return len(ids), library.from_mixture(space_id, ids.tolist())


def test_fast_voices_need_no_separation_and_hear_each_song_once(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    summary = index_folders(library, [music], FAST)
    assert (summary.indexed, separator.num_songs, model.num_segments) == (3, 0, 6)
    num, rough = voices(library)
    assert (num, len(rough)) == (3, 3)
    result = Searcher(library).by_track(library.track_ids()[0])
    assert all(neighbour.is_from_mixture for neighbour in result.neighbours)
    assert "2 voices were heard through the whole song" in (result.note or "")
    assert index_folders(library, [music], FAST).indexed == 0


def test_separated_voices_take_the_place_of_those_from_whole_songs(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    index_folders(library, [music], FAST)
    summary = index_folders(library, [music], FINE)
    assert (summary.indexed, separator.num_songs) == (3, 3)
    assert voices(library) == (3, set())
    assert Searcher(library).by_track(library.track_ids()[0]).note is None
    assert index_folders(library, [music], FINE).indexed == 0


def test_a_copy_has_the_best_that_was_heard(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    index_folders(library, [music], FINE)
    song = music / "Artist 1" / "Song.wav"
    (music / "copy.wav").write_bytes(song.read_bytes())
    index_folders(library, [music], FINE)
    assert separator.num_songs == 3
    assert voices(library) == (4, set())


def test_a_model_that_hears_no_voices_in_songs_is_named(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    model.hears_voices_in_mixtures = False
    with pytest.raises(CheckpointError, match="toy cannot hear voices through accompaniments"):
        index_folders(library, [music], FAST)
    index_folders(library, [music], FINE)
    assert voices(library) == (3, set())


def only_low_voices(model: ThroughMixtures) -> None:
    """What it takes for sung from now on: sound with more of it below 500 Hz than above."""
    model.singing = SingingDetector(np.where(np.arange(DIM) < DIM * 500 // 1600, 1.0, -1.0), 0.0)


def test_where_nobody_sings_nothing_is_separated(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    only_low_voices(model)
    assert index_folders(library, [music], FAST).no_vocals == 1  # that of 900 Hz
    assert index_folders(library, [music], FINE).no_vocals == 1
    assert (separator.num_songs, voices(library)) == (2, (2, set()))


def test_what_cannot_be_separated_stays_as_the_whole_song_has_it(
    library: Library, music: Path, model: ThroughMixtures, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_low_voices(model)
    separator = Nothing()
    monkeypatch.setattr("engine.separation.load", lambda name: separator)
    assert index_folders(library, [music], FINE).no_vocals == 1
    num, rough = voices(library)
    assert (num, len(rough), separator.num_songs) == (2, 2, 2)
    ((space_id, _),) = [space for space in library.spaces() if space[1].view == "vocals"]
    assert library.num_to_separate(space_id) == 0
    (music / "copy.wav").write_bytes((music / "Artist 1" / "Song.wav").read_bytes())
    assert index_folders(library, [music], FINE).indexed == 1
    assert (separator.num_songs, len(voices(library)[1])) == (2, 3)


def test_a_file_asks_as_the_library_hears_it(
    library: Library, music: Path, model: ThroughMixtures, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_low_voices(model)
    low, high = music / "Artist 1" / "Song.wav", music / "Artist 3" / "Song.wav"
    decoded, hashes = list[float](), list[str]()
    told = {"on_decoded": decoded.append, "on_hash": hashes.append}
    assert embed_file(high, model, "vocals", separator=Separator(), **told) is None
    found = embed_file(low, model, "vocals", separator=Separator(), **told)
    assert found is not None
    assert not found.from_mixture
    rough = embed_file(low, model, "vocals", separator=Nothing(), **told)
    assert rough is not None
    assert rough.from_mixture
    assert rough.is_inseparable
    assert (round(sum(decoded)), len(hashes)) == (30, 3)  # each song once
    model.singing = None
    assert embed_file(low, model, "vocals", separator=Nothing()) is None


def test_a_file_can_ask_through_its_whole_song(
    library: Library, music: Path, tmp_path: Path, model: ThroughMixtures, separator: Separator
) -> None:
    index_folders(library, [music], FAST)
    searcher = Searcher(library)
    path = write_song(tmp_path / "outside.wav", 905, duration_s=6)
    result = searcher.by_file(path, SearchOptions(k=1), voices="fast")
    assert result.neighbours[0].track.artist == "Artist 3"
    assert separator.num_songs == 0


@pytest.mark.parametrize(
    ("sung", "is_sung"), [((0.2, 0.2, 0.0, 0.0), True), ((0.2, 0.0, 0.0, 0.0), False)]
)
def test_who_sings_is_decided_by_the_share_of_the_mixture(
    sung: tuple[float, ...], is_sung: bool
) -> None:
    levels = MixtureLevels()
    song = np.full((2, 20 * 44_100), 0.4, np.float32)
    assert sum(c.shape[1] for c in levels.noted(np.array_split(song, 7, axis=1))) == 20 * 44_100
    assert levels.is_sung(np.array(sung)) is is_sung


def test_only_what_is_asked_for_is_heard(
    library: Library, music: Path, model: ThroughMixtures, separator: Separator
) -> None:
    index_folders(library, [music], FAST)
    first = library.track_ids()[0]
    only = IndexOptions(voices="fine", num_workers=1, only=frozenset([first]))
    assert index_folders(library, [], only).indexed == 1
    _, rough = voices(library)
    assert (separator.num_songs, len(rough)) == (1, 2)
    assert first not in rough

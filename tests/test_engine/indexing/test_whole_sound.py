"""The whole sound, of band and voice: heard once with the voice, and without where nobody sings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.libraries import DIM, ToyModel, WholeMixture, write_song

from engine.errors import CheckpointError
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
from engine.library.heard import tags_of
from engine.models.geometry import Geometry
from engine.records import HeardTag, View

FAST = IndexOptions(voices="fast", num_workers=1)
FINE = IndexOptions(voices="fine", num_workers=1)


class Part(ToyModel):
    hears_voices_in_mixtures = True

    def __init__(self, name: str) -> None:
        self.name, self.sha256, self.num_segments = name, 64 * name[0], 0

    def embed_segments(self, segments: np.ndarray, every: int = 1) -> np.ndarray:
        self.num_segments += len(segments)
        return super().embed_segments(segments, every)


class Whole(ToyModel):
    """A band and a voice, half of the vector each."""

    name, sha256, dim, serves = "whole", "f" * 64, 2 * DIM, ("overall",)

    def __init__(self, band: Part, voice: Part) -> None:
        self.band_and_voice = (band, voice)

    @property
    def parts(self) -> tuple[Part, Part]:
        return self.band_and_voice

    def geometry(self, view: View) -> Geometry:
        return Geometry(np.zeros(2 * DIM), np.eye(2 * DIM), np.eye(2 * DIM))

    def tags(self, segment_embeddings: np.ndarray) -> tuple[HeardTag, ...]:
        return (HeardTag("jazz", "genre", 0.9, 0.3),)

    def without_voice(self, vector: np.ndarray) -> np.ndarray:
        kept = np.where(np.arange(2 * DIM) < DIM, vector, 0)
        return kept / np.linalg.norm(kept)


class Nobody(WholeMixture):
    """A separator to which nothing is vocals."""

    name = "none"

    def vocals(self, chunks, cancel=None):
        for chunk in chunks:
            yield 1e-3 * chunk.mean(0)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Part, Part]:
    band, voice = Part("band"), Part("voice")
    known = {"band": band, "voice": voice, "whole": Whole(band, voice)}
    monkeypatch.setattr("engine.models.load", known.__getitem__)
    monkeypatch.setattr(
        "engine.models.default_model_name", {"vocals": "voice", "overall": "whole"}.__getitem__
    )
    monkeypatch.setattr("engine.separation.load", lambda name: Nobody())
    return band, voice


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for number, pitch_hz in enumerate((300, 900), start=1):
        write_song(tmp_path / "music" / f"Artist {number}" / "Song.wav", pitch_hz, duration_s=10)
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def overall(library: Library) -> np.ndarray:
    """(num_songs, 2 x DIM), as they were found in the library."""
    ((space_id, key),) = [space for space in library.spaces() if space[1].view == "overall"]
    assert key.dim == 2 * DIM
    return library.embeddings(space_id)[1]


def test_one_hearing_of_the_voice_serves_both_views(
    library: Library, music: Path, parts: tuple[Part, Part]
) -> None:
    index_folders(library, [music], FAST)
    assert [part.num_segments for part in parts] == [4, 4]
    assert (np.linalg.norm(overall(library)[:, DIM:], axis=1) > 0.1).all()
    assert {tags[0].name for tags in tags_of(library.database, library.track_ids()).values()} == {
        "jazz"
    }


def test_songs_in_which_nobody_sings_are_compared_by_the_band_alone(
    library: Library, music: Path, parts: tuple[Part, Part]
) -> None:
    index_folders(library, [music], FINE)
    vectors = overall(library)
    assert not vectors[:, DIM:].any()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    # a copy of such a song, and one that is heard anew when that is known, likewise
    (music / "copy.wav").write_bytes((music / "Artist 1" / "Song.wav").read_bytes())
    index_folders(library, [music], FINE)
    assert not overall(library)[:, DIM:].any()
    assert len(overall(library)) == 3
    with library.database.write() as db:
        db.execute("DELETE FROM space WHERE view = 'overall'")
    index_folders(library, [music], FAST)
    assert len(overall(library)) == 3
    assert not overall(library)[:, DIM:].any()


def test_a_model_of_the_whole_sound_is_no_use_for_voices(
    library: Library, music: Path, parts: tuple[Part, Part]
) -> None:
    options = IndexOptions(models={"vocals": "whole"}, voices="fast", num_workers=1)
    with pytest.raises(CheckpointError, match="cannot compare voices alone"):
        index_folders(library, [music], options)

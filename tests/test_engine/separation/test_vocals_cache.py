from __future__ import annotations

import os
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.sound import buzz, write_wav

from engine import separation
from engine.errors import CancelledError, SeparatorError
from engine.preferences import Choices, write_choices
from engine.progress import CancelToken, Progress
from engine.separation.vocals_cache import VocalsCache
from engine.sound import audio


class Half:
    """A separator that takes the mixture at half its level, and counts its songs."""

    name = "half"

    def __init__(self) -> None:
        self.num_songs = 0

    def vocals(
        self, chunks: Iterable[np.ndarray], cancel: CancelToken | None = None
    ) -> Iterator[np.ndarray]:
        self.num_songs += 1
        for chunk in chunks:
            yield 0.5 * chunk.mean(0)


@pytest.fixture
def half(monkeypatch: pytest.MonkeyPatch) -> Half:
    """The separator that is loaded, whatever it is called."""
    found = Half()
    monkeypatch.setattr("engine.separation.load", lambda name: found)
    return found


@pytest.fixture
def cache(tmp_path: Path, half: Half) -> VocalsCache:
    return VocalsCache(tmp_path / "cache")


def song(path: Path, pitch_hz: float = 220.0, seconds: float = 3.0) -> Path:
    path.parent.mkdir(exist_ok=True)
    return write_wav(path, buzz(seconds, 44_100, pitch_hz), 44_100)


def test_vocals_are_separated_once_and_are_as_long_as_the_song(
    cache: VocalsCache, half: Half, tmp_path: Path
) -> None:
    path = song(tmp_path / "song.wav")
    reports: list[Progress] = []
    vocals = cache.vocals_of(path, reports.append)
    heard = audio.decode_all(vocals, sample_rate_hz=44_100, num_channels=1)[0]
    whole = audio.decode_all(path, sample_rate_hz=44_100, num_channels=1)[0]
    np.testing.assert_allclose(heard, 0.5 * whole, atol=1e-4)
    assert reports[-1].audio_done_s == pytest.approx(3.0)
    assert reports[-1].audio_total_s == pytest.approx(3.0)
    part = audio.decode_all(vocals, sample_rate_hz=44_100, num_channels=1, start_s=1.5)[0]
    np.testing.assert_allclose(part, heard[-len(part) :], atol=1e-4)
    copy = song(tmp_path / "elsewhere" / "copy.wav")
    assert cache.vocals_of(copy) == vocals
    assert half.num_songs == 1


def test_another_sound_under_the_same_name_is_separated_anew(
    cache: VocalsCache, half: Half, tmp_path: Path
) -> None:
    first = cache.vocals_of(song(tmp_path / "song.wav", 220.0))
    assert cache.vocals_of(song(tmp_path / "song.wav", 330.0)) != first
    assert half.num_songs == 2


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, half: Half) -> None:
    one_song = VocalsCache(tmp_path / "a")
    one_song.vocals_of(song(tmp_path / "probe.wav"))
    size = one_song.used_bytes()
    cache = VocalsCache(tmp_path / "b", int(2.5 * size))
    paths = [song(tmp_path / f"{i}.wav", 220.0 + 10 * i) for i in range(3)]
    first, second = cache.vocals_of(paths[0]), cache.vocals_of(paths[1])
    for age, vocals in enumerate((first, second)):
        os.utime(vocals, (1000 + age, 1000 + age))
    cache.vocals_of(paths[0])  # used again
    third = cache.vocals_of(paths[2])
    assert (first.exists(), second.exists(), third.exists()) == (True, False, True)
    assert cache.used_bytes() <= 2.5 * size
    cache.clear()
    assert cache.used_bytes() == 0


def test_a_song_beyond_the_limit_is_still_heard(tmp_path: Path, half: Half) -> None:
    cache = VocalsCache(tmp_path / "cache", 10)
    assert cache.vocals_of(song(tmp_path / "song.wav")).exists()


def test_a_stop_or_a_failure_leaves_nothing_behind(
    cache: VocalsCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = CancelToken()
    path = song(tmp_path / "song.wav", seconds=25.0)
    with pytest.raises(CancelledError):
        cache.vocals_of(path, lambda progress: cancel.cancel(), cancel)
    assert list((tmp_path / "cache").iterdir()) == []
    blocked = VocalsCache(path)
    with pytest.raises(SeparatorError, match="Make room"):
        blocked.vocals_of(path)


def test_the_separator_is_the_one_in_use(
    tmp_path: Path, half: Half, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str) -> Half:
        loaded.append(name)
        return half

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("engine.separation.load", load)
    cache = VocalsCache(tmp_path / "cache")
    path = song(tmp_path / "song.wav")
    first = cache.vocals_of(path)
    write_choices(Choices(separator="umxhq"))
    assert cache.vocals_of(path) == first  # it is not installed
    monkeypatch.setattr("engine.separation.published.Published.is_installed", True)
    assert cache.vocals_of(path) != first
    assert loaded == ["spleeter", "umxhq"]


def test_all_who_separate_at_the_same_time_share_one_separator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its weights are 100 MB and more."""
    monkeypatch.setattr("engine.separation.published.load", lambda published: Half())
    for_the_player = separation.load("umxhq")
    for_a_search = separation.load("umxhq")
    assert for_a_search is for_the_player
    gone = weakref.ref(for_the_player)
    del for_the_player, for_a_search
    assert gone() is None

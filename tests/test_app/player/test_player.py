from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.app_window import RATE_HZ, HandOutput, no_leaks, write_wav
from support.patience import PATIENCE_S

from app.player.decks import BLOCK_FRAMES, Decks
from app.player.loudness import Levels
from app.player.output import STALL_TICKS
from app.player.player import Player, Side, Sound
from app.player.source import Source
from engine.sound import audio


@pytest.fixture(autouse=True)
def _no_leaks(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture
def player(qapp: object) -> Iterator[Player]:
    player = Player(make_output=HandOutput)
    player.set_levelled(False)
    player.set_volume(1.0)
    yield player
    player.close()


@pytest.fixture
def low(tmp_path: Path) -> Sound:
    return Sound(write_wav(tmp_path / "low.wav", 2.0, 220.0), "Low", "Alma", 2.0, 1)


@pytest.fixture
def high(tmp_path: Path) -> Sound:
    return Sound(write_wav(tmp_path / "high.wav", 2.0, 1760.0), "High", "Bo", 2.0, 2)


def buffered(qtbot, player: Player, *sides: Side) -> None:
    """Waits until enough of these sides has been decoded."""
    qtbot.waitUntil(lambda: all(player.decks[side].is_complete for side in sides))


def pitch_hz(samples: np.ndarray) -> float:
    """The strongest frequency of the left channel."""
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE_HZ / len(samples))


def loudness(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def test_what_is_heard_is_the_file(qtbot, player, low):
    player.play(Side.QUERY, low)
    buffered(qtbot, player, Side.QUERY)
    heard = player.device.pull(20)
    expected = audio.decode_all(low.path, sample_rate_hz=RATE_HZ, num_channels=2).T[: len(heard)]
    np.testing.assert_allclose(heard[BLOCK_FRAMES:], expected[BLOCK_FRAMES:], atol=1e-6)
    steps = np.abs(np.diff(heard[:BLOCK_FRAMES, 0])).max()
    assert steps < 0.05  # begins with a ramp, not with a click


def test_position_follows_what_was_heard(qtbot, player, low):
    player.play(Side.QUERY, low)
    buffered(qtbot, player, Side.QUERY)
    player.device.pull(10)
    assert player.position_s(Side.QUERY) == pytest.approx(10 * BLOCK_FRAMES / RATE_HZ)


def test_pause_is_silent_after_a_ramp_and_keeps_the_place(qtbot, player, low):
    player.play(Side.QUERY, low)
    buffered(qtbot, player, Side.QUERY)
    player.device.pull(4)
    player.toggle()
    fading = player.device.pull(1)
    assert loudness(fading) > 0
    assert abs(fading[-1, 0]) < 1e-3
    place = player.position_s(Side.QUERY)
    assert loudness(player.device.pull(4)) == 0
    assert player.position_s(Side.QUERY) == place
    assert not player.is_playing
    player.toggle()
    assert player.is_playing
    assert loudness(player.device.pull(4)) > 0.1


def test_seeking_goes_to_the_place(qtbot, player, low):
    player.play(Side.QUERY, low)
    player.seek(Side.QUERY, 1.5)
    buffered(qtbot, player, Side.QUERY)
    heard = player.device.pull(8)
    whole = audio.decode_all(low.path, sample_rate_hz=RATE_HZ, num_channels=2).T
    first = round(1.5 * RATE_HZ) + BLOCK_FRAMES
    np.testing.assert_allclose(
        heard[BLOCK_FRAMES:], whole[first : first + 7 * BLOCK_FRAMES], atol=1e-4
    )
    assert player.position_s(Side.QUERY) == pytest.approx(1.5 + 8 * BLOCK_FRAMES / RATE_HZ)


def test_one_side_is_heard_and_the_other_rests(qtbot, player, low, high):
    player.play(Side.QUERY, low)
    player.play(Side.RESULT, high)
    buffered(qtbot, player, Side.QUERY, Side.RESULT)
    player.device.pull(2)
    place = player.position_s(Side.QUERY)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(1760, abs=10)
    assert player.position_s(Side.QUERY) == place
    player.swap()
    player.device.pull(1)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(220, abs=10)


def test_matching_moments_run_on_together(qtbot, player, low, high):
    player.load(Side.QUERY, low)
    player.load(Side.RESULT, high)
    player.set_mix(1.0)
    player.jump(1.0, 0.25)
    buffered(qtbot, player, Side.QUERY, Side.RESULT)
    player.device.pull(10)
    moved = 10 * BLOCK_FRAMES / RATE_HZ
    assert player.position_s(Side.QUERY) == pytest.approx(1.0 + moved)
    assert player.position_s(Side.RESULT) == pytest.approx(0.25 + moved)


def test_the_mixture_holds_both_songs(qtbot, player, low, high):
    player.load(Side.QUERY, low)
    player.load(Side.RESULT, high)
    player.set_mix(0.5)
    player.resume()
    buffered(qtbot, player, Side.QUERY, Side.RESULT)
    player.device.pull(1)
    heard = player.device.pull(16)[:, 0]
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    at = lambda hz: spectrum[round(hz * len(heard) / RATE_HZ)]  # noqa: E731
    assert at(220) == pytest.approx(at(1760), rel=0.1)
    assert np.abs(heard).max() <= 1.0


def test_volume_changes_without_a_jump(qtbot, player, low):
    player.play(Side.QUERY, low)
    buffered(qtbot, player, Side.QUERY)
    full = player.device.pull(4)[BLOCK_FRAMES:]
    player.set_volume(0.5)
    change = player.device.pull(1)
    assert np.abs(np.diff(change[:, 0])).max() < 1.2 * np.abs(np.diff(full[:, 0])).max()
    assert loudness(player.device.pull(4)) == pytest.approx(0.25 * loudness(full), rel=0.05)
    player.set_volume(7.0)
    assert player.volume == 1.0


def test_the_end_of_the_song_pauses_and_play_begins_anew(qtbot, player, tmp_path):
    short = Sound(write_wav(tmp_path / "short.wav", 0.2), "Short", "", 0.2)
    player.play(Side.QUERY, short)
    buffered(qtbot, player, Side.QUERY)
    player.device.pull(12)
    qtbot.waitUntil(lambda: not player.is_playing)
    player.toggle()
    buffered(qtbot, player, Side.QUERY)
    assert player.position_s(Side.QUERY) == 0.0
    assert loudness(player.device.pull(4)) > 0.1


def test_without_a_device_the_reason_is_told_and_nothing_plays(qtbot, player, low):
    player.device.reason = "No sound can be played: no device."
    with qtbot.waitSignal(player.problem) as told:
        player.play(Side.QUERY, low)
    assert told.args == ["No sound can be played: no device."]
    assert not player.is_playing
    player.device.reason = None
    player.toggle()
    assert player.is_playing


def test_a_device_that_goes_silent_is_replaced(qtbot, player, low):
    player.play(Side.QUERY, low)
    qtbot.waitUntil(lambda: player.device.is_open)
    player.device.pull(2)
    with qtbot.waitSignal(player.device.opened):
        for _ in range(STALL_TICKS + 2):
            player.tick()
    assert player.is_playing
    qtbot.waitUntil(lambda: player.device.is_open)
    player.device.reason = "The sound device no longer answers."
    with qtbot.waitSignal(player.problem) as told:
        for _ in range(STALL_TICKS + 2):
            player.tick()
    assert "no longer answers" in told.args[0]
    assert not player.is_playing
    assert player.sound(Side.QUERY) == low


def test_a_device_at_another_rate_gets_sound_at_that_rate(qtbot, player, low):
    player.device.rate_hz = 48_000
    player.play(Side.QUERY, low)
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].source.rate_hz == 48_000)
    buffered(qtbot, player, Side.QUERY)
    heard = player.device.pull(16)[BLOCK_FRAMES:]
    assert pitch_hz(heard) * 48_000 / RATE_HZ == pytest.approx(220, abs=10)


def test_a_place_at_the_very_end_is_the_end_and_no_failure(qtbot, player, low):
    problems: list[str] = []
    player.problem.connect(problems.append)
    player.play(Side.QUERY, low)
    player.seek(Side.QUERY, 2.0)
    qtbot.waitUntil(lambda: not player.is_playing)
    assert problems == []
    assert player.sound(Side.QUERY) == low
    assert player.position_s(Side.QUERY) == 2.0


@pytest.mark.parametrize("content", [None, b"", b"no audio at all" * 100])
def test_a_file_that_cannot_be_played_is_told(qtbot, player, tmp_path, content):
    path = tmp_path / "gone.mp3"
    if content is not None:
        path.write_bytes(content)
    with qtbot.waitSignal(player.problem) as told:
        player.play(Side.QUERY, Sound(path, "Gone", "", None))
    assert len(told.args[0]) > 20
    assert not player.is_playing
    assert player.sound(Side.QUERY) is None


def test_a_long_song_is_held_in_a_small_ring(qtbot, tmp_path):
    path = write_wav(tmp_path / "long.wav", 40.0)
    source = Source(path, 0.0, RATE_HZ)
    qtbot.waitUntil(lambda: source.num_buffered == len(source._ring))
    assert not source.is_complete
    whole = audio.decode_all(path, sample_rate_hz=RATE_HZ, num_channels=2).T
    block, done = np.empty((4096, 2), np.float32), 0
    deadline_s = time.monotonic() + PATIENCE_S
    while not source.is_drained and time.monotonic() < deadline_s:
        num = source.read_into(block)
        np.testing.assert_array_equal(block[:num], whole[done : done + num])
        done += num
        source.wake()
    assert done == len(whole)
    source.stop(PATIENCE_S)


def test_a_source_ends_its_thread_when_it_is_stopped_in_the_middle(tmp_path):
    source = Source(write_wav(tmp_path / "long.wav", 40.0), 0.0, RATE_HZ)
    source.stop(PATIENCE_S)
    assert not source._thread.is_alive()


def test_an_empty_deck_is_silent():
    out = np.ones((BLOCK_FRAMES, 2), np.float32)
    Decks(Levels(), RATE_HZ).fill(out)
    assert not out.any()

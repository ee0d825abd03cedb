"""Queue, vocals, loops and loudness: what the player does beside playing one song."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.app_window import RATE_HZ, HandOutput, no_leaks, write_wav
from support.patience import PATIENCE_S

from app.player.decks import BLOCK_FRAMES
from app.player.loudness import TARGET_LUFS, Levels, stepped
from app.player.player import LOOP_S, Player, Side, Sound
from app.player.queue import Repeat
from app.player.source import Source
from engine.sound import audio
from engine.sound.loudness import Loudness, measure


@pytest.fixture(autouse=True)
def _no_leaks(qapp: object) -> Iterator[None]:
    with no_leaks():
        yield


@pytest.fixture
def make_player(qapp: object) -> Iterator[Callable[[bool], Player]]:
    players: list[Player] = []

    def make(is_normalised: bool) -> Player:
        player = Player(make_output=HandOutput)
        player.set_levelled(is_normalised)
        player.set_volume(1.0)
        players.append(player)
        return player

    yield make
    for player in players:
        player.close()


@pytest.fixture
def player(make_player) -> Player:
    return make_player(False)


def sound(path: Path, pitch_hz: float, seconds: float = 0.5, track_id: int = 1) -> Sound:
    write_wav(path, seconds, pitch_hz)
    return Sound(path, path.stem, "", seconds, track_id)


@pytest.fixture
def songs(tmp_path: Path) -> list[Sound]:
    return [sound(tmp_path / f"{i}.wav", 300.0 * (i + 1), 0.5, i) for i in range(3)]


def decoded(qtbot, player: Player, side: Side = Side.QUERY) -> None:
    qtbot.waitUntil(lambda: player.decks[side].is_complete)


def whole(one: Sound) -> np.ndarray:
    return audio.decode_all(one.path, sample_rate_hz=RATE_HZ, num_channels=2).T


def pitch_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE_HZ / len(samples))


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


# The queue


def test_songs_follow_each_other_without_a_gap(qtbot, player, songs):
    player.play(Side.QUERY, songs[0], songs[1:])
    decoded(qtbot, player)
    player.tick()  # prepares the next one
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    num_blocks = -(-len(whole(songs[0])) // BLOCK_FRAMES) + 4
    heard = player.device.pull(num_blocks)
    expected = np.concatenate([whole(songs[0]), whole(songs[1])])[: len(heard)]
    np.testing.assert_allclose(heard[BLOCK_FRAMES:], expected[BLOCK_FRAMES:], atol=1e-6)
    with qtbot.waitSignal(player.loaded):
        player.tick()
    assert player.sound(Side.QUERY) == songs[1]
    assert player.position_s(Side.QUERY) == pytest.approx(
        (len(heard) - len(whole(songs[0]))) / RATE_HZ
    )
    assert player.is_playing
    assert player.queue.has_next


def test_after_the_last_song_it_is_quiet(qtbot, player, songs):
    player.play(Side.RESULT, songs[0], songs[1:2])
    decoded(qtbot, player, Side.RESULT)
    player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.RESULT].following, "is_complete", False))
    player.device.pull(60)
    player.tick()
    player.tick()
    assert player.sound(Side.RESULT) == songs[1]
    assert not player.is_playing
    assert not player.queue.has_next


def test_next_and_previous(qtbot, player, songs):
    player.play(Side.QUERY, songs[0], songs[1:])
    player.play_next()
    assert player.sound(Side.QUERY) == songs[1]
    player.play_next()
    player.play_next()  # there is none
    assert player.sound(Side.QUERY) == songs[2]
    player.play_previous()
    assert player.sound(Side.QUERY) == songs[1]
    player.play_previous()
    assert player.sound(Side.QUERY) == songs[0]
    player.play_previous()  # nothing before it
    assert player.sound(Side.QUERY) == songs[0]
    player.play_next()
    assert player.sound(Side.QUERY) == songs[1]


def test_a_song_that_is_gone_is_passed_over_with_a_sentence(qtbot, player, songs):
    songs[1].path.unlink()
    player.play(Side.QUERY, songs[0], songs[1:])
    decoded(qtbot, player)
    with qtbot.waitSignal(player.problem) as told:
        while player.sound(Side.QUERY) != songs[2]:
            player.device.pull(10)
            player.tick()
            qtbot.wait(30)
    assert told.args[0].startswith("1: The file is gone")
    assert player.sound(Side.QUERY) == songs[2]
    assert player.is_playing


def test_another_song_ends_the_queue(qtbot, player, songs):
    player.play(Side.QUERY, songs[0], songs[1:])
    player.play(Side.QUERY, songs[2])
    assert not player.queue.has_next


def test_what_was_decoded_ahead_gives_way_to_a_song_that_is_put_before_it(
    qtbot, player, songs, tmp_path
):
    other = sound(tmp_path / "other.wav", 2000.0)
    player.play(Side.QUERY, songs[0], songs[1:])
    decoded(qtbot, player)
    player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    player.queue.add([other], is_next=True)
    player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    num_blocks = len(whole(songs[0])) // BLOCK_FRAMES
    player.device.pull(num_blocks + 1)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(2000, abs=15)
    player.tick()
    assert player.sound(Side.QUERY) == player.queue.current == other


def test_one_song_is_repeated_without_a_gap(qtbot, player, songs):
    player.play(Side.QUERY, songs[0], songs[1:])
    player.queue.set_repeat(Repeat.ONE)
    decoded(qtbot, player)
    player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    player.device.pull(len(whole(songs[0])) // BLOCK_FRAMES + 1)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(300, abs=15)
    player.tick()
    assert player.sound(Side.QUERY) == songs[0]
    assert player.position_s(Side.QUERY) < 0.4


def test_play_begins_with_the_queue_where_nothing_has_been_played(player, songs):
    player.queue.add(songs[:2])
    player.toggle()
    assert player.playing == songs[0]


def test_a_song_added_after_the_end_is_what_play_plays(qtbot, player, songs):
    player.play(Side.QUERY, songs[0])
    decoded(qtbot, player)
    player.device.pull(60)
    player.tick()
    assert not player.is_playing
    player.queue.add(songs[1:2])
    player.toggle()
    assert player.playing == songs[1]


# Vocals


def test_vocals_take_over_at_the_same_place_without_a_gap(qtbot, player, tmp_path):
    mixture = sound(tmp_path / "mixture.wav", 400.0, 3.0)
    vocals = sound(tmp_path / "vocals.wav", 1600.0, 3.0)
    player.play(Side.QUERY, mixture)
    decoded(qtbot, player)
    player.device.pull(20)
    with qtbot.waitSignal(player.vocals_wanted) as wanted:
        player.set_vocals_only(True)
    assert wanted.args == [[mixture]]
    assert pitch_hz(player.device.pull(8)) == pytest.approx(400, abs=15)
    player.put_vocals(mixture.path, vocals.path)
    place_s = player.position_s(Side.QUERY)
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].coming is None)
    before = player.device.pull(1)
    assert rms(before) > 0.1  # fades over, never silent
    assert pitch_hz(player.device.pull(8)) == pytest.approx(1600, abs=15)
    assert player.position_s(Side.QUERY) == pytest.approx(
        place_s + 9 * BLOCK_FRAMES / RATE_HZ, abs=2 * BLOCK_FRAMES / RATE_HZ
    )
    player.set_vocals_only(False)
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].coming is None)
    player.device.pull(1)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(400, abs=15)


def test_vocals_of_a_song_that_rests_are_there_at_once(qtbot, player, tmp_path):
    mixture, vocals = sound(tmp_path / "m.wav", 400.0, 2.0), sound(tmp_path / "v.wav", 900.0, 2.0)
    player.load(Side.QUERY, mixture)
    player.set_vocals_only(True)
    player.put_vocals(mixture.path, vocals.path)
    player.play(Side.QUERY)
    decoded(qtbot, player)
    player.device.pull(1)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(900, abs=15)
    assert player.sound(Side.QUERY) == mixture
    player.pause()
    place_s = player.position_s(Side.QUERY)
    player.set_vocals_only(False)
    assert player.position_s(Side.QUERY) == pytest.approx(place_s)


def test_a_song_that_has_ended_does_not_end_the_other_when_its_vocals_are_shorter(
    qtbot, player, tmp_path
):
    over, long = sound(tmp_path / "over.wav", 400.0, 0.5), sound(tmp_path / "long.wav", 800.0, 9.0)
    vocals = sound(tmp_path / "vocals.wav", 1600.0, 0.4)
    player.load(Side.QUERY, over)
    player.load(Side.RESULT, long)
    player.set_mix(1.0)
    player.jump(0.3, 0.0)
    decoded(qtbot, player)
    qtbot.waitUntil(lambda: player.decks[Side.RESULT].source.num_buffered > RATE_HZ)
    player.device.pull(15)
    assert player.decks[Side.QUERY].source.num_buffered == 0
    problems: list[str] = []
    player.problem.connect(problems.append)
    player.set_vocals_only(True)
    player.put_vocals(over.path, vocals.path)
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].coming is None)  # they have taken over
    player.tick()
    assert problems == []
    assert player.is_playing
    assert player.sound(Side.QUERY) == over


def test_the_next_song_begins_as_it_is_wanted_by_then(qtbot, player, songs, tmp_path):
    vocals = sound(tmp_path / "vocals.wav", 1600.0)
    wanted: list[list[Sound]] = []
    player.vocals_wanted.connect(wanted.append)
    player.set_vocals_only(True)
    player.play(Side.QUERY, songs[0], songs[1:])
    assert wanted[-1] == songs[:2]  # ahead of its turn
    for one in songs[:2]:
        player.put_vocals(one.path, vocals.path)
    decoded(qtbot, player)
    player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    player.set_vocals_only(False)  # what was prepared are its vocals
    assert wanted[-1] == []
    for _ in range(2):
        qtbot.waitUntil(lambda: player.decks[Side.QUERY].coming is None)
        decoded(qtbot, player)
        player.tick()
    qtbot.waitUntil(lambda: getattr(player.decks[Side.QUERY].following, "is_complete", False))
    player.device.pull(-(-len(whole(songs[0])) // BLOCK_FRAMES) + 2)
    assert pitch_hz(player.device.pull(8)) == pytest.approx(600, abs=15)


def test_vocals_that_were_deleted_are_asked_for_again(qtbot, player, tmp_path):
    mixture, vocals = sound(tmp_path / "m.wav", 400.0, 3.0), sound(tmp_path / "v.wav", 900.0, 3.0)
    player.set_vocals_only(True)
    player.play(Side.QUERY, mixture)
    player.put_vocals(mixture.path, vocals.path)
    qtbot.waitUntil(lambda: player.decks[Side.QUERY].coming is None)
    vocals.path.unlink()
    problems: list[str] = []
    player.problem.connect(problems.append)
    wanted: list[list[Sound]] = []
    player.vocals_wanted.connect(wanted.append)
    player.seek(Side.QUERY, 1.0)
    qtbot.waitUntil(lambda: wanted == [[mixture]])
    assert player.sound(Side.QUERY) == mixture
    assert player.position_s(Side.QUERY) == pytest.approx(1.0)
    assert problems == []
    assert player.is_playing


def test_vocals_are_asked_for_anew_whenever_they_are_wanted(player, songs, tmp_path):
    """They may have been deleted, or another separator may be chosen meanwhile."""
    vocals = sound(tmp_path / "vocals.wav", 1600.0)
    wanted: list[list[Sound]] = []
    player.load(Side.QUERY, songs[0])
    player.set_vocals_only(True)
    player.put_vocals(songs[0].path, vocals.path)
    player.set_vocals_only(False)
    player.vocals_wanted.connect(wanted.append)
    player.set_vocals_only(True)
    assert wanted == [[songs[0]]]


# Loops


def test_a_matching_moment_is_repeated_on_both_sides(qtbot, player, tmp_path):
    query, result = (sound(tmp_path / f"{p}.wav", p, 9.0) for p in (300.0, 700.0))
    player.load(Side.QUERY, query)
    player.load(Side.RESULT, result)
    player.set_mix(1.0)
    player.jump(1.0, 3.0)
    player.set_looping(True)
    assert player.is_looping
    qtbot.waitUntil(lambda: all(player.decks[side].source.num_buffered > RATE_HZ for side in Side))
    num_blocks = round(1.5 * LOOP_S * RATE_HZ / BLOCK_FRAMES)
    heard = np.concatenate([_pull(qtbot, player) for _ in range(num_blocks)])
    assert rms(heard[-8 * BLOCK_FRAMES :]) > 0.1
    gone_s = num_blocks * BLOCK_FRAMES / RATE_HZ - LOOP_S
    assert player.position_s(Side.QUERY) == pytest.approx(1.0 + gone_s, abs=0.05)
    assert player.position_s(Side.RESULT) == pytest.approx(3.0 + gone_s, abs=0.05)
    player.set_looping(False)
    assert player.position_s(Side.QUERY) == pytest.approx(1.0 + gone_s, abs=0.05)
    assert not player.is_looping


def _pull(qtbot, player: Player) -> np.ndarray:
    def is_ready() -> bool:
        return all(player.decks[side].source.num_buffered >= BLOCK_FRAMES for side in Side)

    if not is_ready():
        qtbot.waitUntil(is_ready)
    player.tick()
    return player.device.pull(1)


def test_a_loop_has_no_click_at_its_seam(qtbot, tmp_path):
    one = sound(tmp_path / "one.wav", 333.3, 1.0)
    source = Source(one.path, 0.2, RATE_HZ, loop_s=0.5)
    qtbot.waitUntil(lambda: source.num_buffered > RATE_HZ)
    heard = np.empty((RATE_HZ, 2), np.float32)
    assert source.read_into(heard) == RATE_HZ
    steps = np.abs(np.diff(heard[:, 0]))
    assert steps.max() < 1.1 * np.abs(np.diff(whole(one)[:, 0])).max()
    assert source.position_s == pytest.approx(0.2, abs=1e-3)
    source.stop(PATIENCE_S)


def test_seeking_ends_the_loop(qtbot, player, tmp_path):
    for side in Side:
        player.load(side, sound(tmp_path / f"{side}.wav", 300.0, 8.0))
    player.set_looping(True)
    assert not player.is_looping  # nothing is linked yet
    player.jump(0.0, 0.0)
    player.set_looping(True)
    player.seek(Side.QUERY, 7.0)
    assert not player.is_looping
    assert not player.is_linked
    assert player.position_s(Side.QUERY) == 7.0


# Loudness


def test_both_sides_are_heard_equally_loud(qtbot, make_player, tmp_path):
    player = make_player(True)
    levels = {Side.QUERY: 0.9, Side.RESULT: 0.09}
    for side, level in levels.items():
        one = sound(tmp_path / f"{side}.wav", 997.0, 3.0)
        samples = whole(one).T * level / 0.5
        player.put_loudness(one.path, measure(samples, RATE_HZ))
        _rewrite(one.path, samples[0])
        player.load(side, one)
    heard = {}
    for side in Side:
        player.play(side)
        decoded(qtbot, player, side)
        player.device.pull(2)
        heard[side] = measure(player.device.pull(60).T, RATE_HZ).lufs
    assert heard[Side.QUERY] == pytest.approx(heard[Side.RESULT], abs=0.1)
    assert heard[Side.QUERY] == pytest.approx(TARGET_LUFS, abs=0.2)


def _rewrite(path: Path, samples: np.ndarray) -> None:
    from support.sound import write_wav as write

    write(path, samples, RATE_HZ)


def test_a_late_measurement_changes_the_volume_in_small_steps(qtbot, make_player, tmp_path):
    player = make_player(True)
    one = sound(tmp_path / "one.wav", 997.0, 3.0)
    player.play(Side.QUERY, one)
    decoded(qtbot, player)
    player.device.pull(4)
    before = player.decks[Side.QUERY].source.gain
    player.put_loudness(one.path, Loudness(-24.0, 0.3))
    assert player.decks[Side.QUERY].source.gain == before
    player.tick()
    assert before < player.decks[Side.QUERY].source.gain < 1.1 * before
    for _ in range(60):
        player.tick()
    assert player.decks[Side.QUERY].source.gain == pytest.approx(10 ** (6 / 20), rel=1e-3)


def test_levels_agree_where_one_song_has_no_headroom():
    levels = Levels()
    quiet, loud, wild = Path("quiet"), Path("loud"), Path("wild")
    levels.put(quiet, Loudness(-22.0, 0.9))  # can rise by less than 1 dB
    levels.put(loud, Loudness(-8.0, 1.0))
    levels.put(wild, Loudness(-50.0, 1.0))
    gains = levels.gains([quiet, loud])
    told = [-22.0 + 20 * np.log10(gains[0]), -8.0 + 20 * np.log10(gains[1])]
    assert told[0] == pytest.approx(told[1])
    assert 0.9 * gains[0] <= 1.0
    assert levels.gains([loud])[0] == pytest.approx(10 ** (-10 / 20))
    assert levels.gains([loud, wild])[0] >= 10 ** (-18.1 / 20)  # no whisper for its sake
    assert Levels(is_on=False).gains([quiet, None]) == [1.0, 1.0]


def test_a_step_never_goes_past_its_aim():
    assert stepped(1.0, 1.01) == 1.01
    assert stepped(1.0, 0.99) == 0.99
    assert 1.0 < stepped(1.0, 4.0) < 1.1

"""The player as media keys and panels find it on the bus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtDBus import QDBusConnection
from support import bus as buses
from support.app_window import HandOutput, write_wav
from support.bus import Bus

from app.player.mpris import PLACE, PLAYER, ROOT, SERVICE, Mpris
from app.player.player import Player, Side, Sound
from app.player.queue import Repeat

pytestmark = pytest.mark.linux
bus = buses.bus


@pytest.fixture
def player(qapp: object) -> Iterator[Player]:
    player = Player(make_output=HandOutput)
    yield player
    player.close()


@pytest.fixture
def mpris(player: Player, bus: Bus) -> Iterator[Mpris]:
    mpris = Mpris(player, "org.example.Singalike", bus.ours)
    yield mpris
    mpris.close()


@pytest.fixture
def songs(tmp_path: Path) -> list[Sound]:
    return [
        Sound(write_wav(tmp_path / f"{name}.wav", 3.0), name, "Alma", 3.0, 1, "Album")
        for name in ("first", "second")
    ]


def press(bus: Bus, method: str, *arguments: str) -> None:
    bus.call(SERVICE, PLACE, f"{PLAYER}.{method}", *arguments)


def properties(bus: Bus, interface: str = PLAYER) -> str:
    return bus.call(SERVICE, PLACE, "org.freedesktop.DBus.Properties.GetAll", f"string:{interface}")


def test_the_desktop_can_ask_what_plays(bus, mpris, player, songs):
    assert 'string "PlaybackStatus" variant string "Stopped"' in properties(bus)
    player.play(Side.QUERY, songs[0], songs[1:])
    now = properties(bus)
    assert 'string "PlaybackStatus" variant string "Playing"' in now
    assert 'string "CanGoNext" variant boolean true' in now
    assert 'string "Position" variant int64 0' in now
    assert 'string "xesam:title" variant string "first"' in now
    assert 'string "xesam:artist" variant array [ string "Alma" ]' in now
    assert 'string "xesam:album" variant string "Album"' in now
    assert f'string "xesam:url" variant string "{songs[0].path.as_uri()}"' in now
    assert "3000000" in now


def test_the_desktop_is_told_what_has_changed_and_nothing_else(qtbot, bus, mpris, player, songs):
    bus.listen("type='signal',member='PropertiesChanged'")
    player.play(Side.QUERY, songs[0], songs[1:])
    qtbot.waitUntil(lambda: 'variant string "Playing"' in bus.heard)
    player.play_next()
    qtbot.waitUntil(lambda: 'variant string "second"' in bus.heard)
    last = bus.heard.rpartition("PropertiesChanged")[2]
    assert "Volume" not in last
    player.set_volume(0.25)
    qtbot.waitUntil(lambda: 'string "Volume" variant double 0.25' in bus.heard)
    assert bus.heard.endswith("array [ ]")


def test_a_song_that_was_picked_can_be_played_by_a_media_key(bus, mpris, player, songs):
    assert 'string "CanPlay" variant boolean false' in properties(bus)
    player.pick(songs[0])
    assert 'string "CanPlay" variant boolean true' in properties(bus)
    press(bus, "PlayPause")
    assert player.playing == songs[0]


def test_the_cover_of_the_song_that_plays_is_shown_and_no_other(bus, mpris, player, songs):
    player.play(Side.QUERY, songs[0], songs[1:])
    mpris.show_art(songs[0].path, "file:///covers/first")
    assert 'string "mpris:artUrl" variant string "file:///covers/first"' in properties(bus)
    player.play_next()
    assert "mpris:artUrl" not in properties(bus)


def test_media_keys_play_pause_and_go_on(bus, mpris, player, songs):
    player.queue.add(songs)
    press(bus, "PlayPause")
    assert player.playing == songs[0]
    press(bus, "Pause")
    press(bus, "Pause")
    assert not player.is_playing
    press(bus, "Play")
    press(bus, "Next")
    assert player.playing == songs[1]
    press(bus, "Previous")
    assert player.playing == songs[0]
    press(bus, "Stop")
    assert not player.is_playing


def test_a_place_in_the_song_is_sought(qtbot, bus, mpris, player, songs):
    player.play(Side.QUERY, songs[0])
    player.pause()
    bus.listen("type='signal',member='Seeked'")
    press(bus, "SetPosition", f"objpath:{mpris.track_path()}", "int64:2000000")
    assert player.position_s(Side.QUERY) == pytest.approx(2.0)
    qtbot.waitUntil(lambda: bus.heard.endswith("int64 2000000"))
    press(bus, "SetPosition", "objpath:/another/song", "int64:1000000")
    press(bus, "Seek", "int64:-500000")
    assert player.position_s(Side.QUERY) == pytest.approx(1.5)


def test_shuffle_repeat_and_volume_can_be_set(bus, mpris, player):
    for name, value in (("LoopStatus", "string:Track"), ("Shuffle", "boolean:true")):
        bus.call(
            SERVICE,
            PLACE,
            "org.freedesktop.DBus.Properties.Set",
            *(f"string:{PLAYER}", f"string:{name}", f"variant:{value}"),
        )
    assert (player.queue.repeat, player.queue.is_shuffled) == (Repeat.ONE, True)


def test_the_program_can_be_called_to_the_front(qtbot, bus, mpris):
    assert 'string "DesktopEntry" variant string "org.example.Singalike"' in properties(bus, ROOT)
    with qtbot.waitSignal(mpris.raise_requested):
        bus.call(SERVICE, PLACE, f"{ROOT}.Raise")


def test_two_windows_have_names_of_their_own(bus, mpris):
    other = QDBusConnection.connectToBus(bus.address, f"other of {bus.address}")
    player = Player(make_output=HandOutput)
    second = Mpris(player, "org.example.Singalike", other)
    names = bus.call(
        "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"
    )
    assert f'"{SERVICE}"' in names
    assert f'"{SERVICE}.instance' in names
    second.close()
    player.close()


def test_without_a_bus_the_player_is_as_ever(player, songs):
    mpris = Mpris(player, "org.example.Singalike", QDBusConnection("nowhere"))
    player.play(Side.QUERY, songs[0])
    assert player.is_playing
    mpris.close()

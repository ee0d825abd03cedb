"""The sound device: opened, chosen, lost and found again, on a PortAudio turned by hand."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from support.app_window import no_leaks

from app.player.output import SoundOutput


class Stream:
    def __init__(self, *, device, callback, finished_callback, **settings: object) -> None:
        self.device = device
        self.end = finished_callback
        self.is_open = False

    def start(self) -> None:
        self.is_open = True

    def abort(self, ignore_errors: bool) -> None:
        self.is_open = False

    def close(self, ignore_errors: bool) -> None:
        self.is_open = False


class PortAudio:
    """In place of the module sounddevice. ``names``: what is plugged in."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.names = ["Speakers", "Headphones"]
        self.streams: list[Stream] = []

    def query_devices(self, device=None, kind=None):
        if kind is not None and not self.names:
            raise self.PortAudioError("Error querying device -1")
        listed = [
            {"name": name, "index": i, "hostapi": 0, "max_output_channels": 2}
            for i, name in enumerate(self.names)
        ]
        return listed if kind is None else listed[device or 0]

    def check_output_settings(self, device, **settings: object) -> None:
        self.query_devices(device, "output")

    def OutputStream(self, **settings) -> Stream:
        self.query_devices(settings["device"], "output")
        self.streams.append(Stream(**settings))
        return self.streams[-1]

    def _initialize(self) -> None: ...
    def _terminate(self) -> None: ...


@pytest.fixture
def port_audio(monkeypatch) -> PortAudio:
    module = PortAudio()
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


@pytest.fixture
def output(qapp, port_audio, monkeypatch) -> Iterator[SoundOutput]:
    monkeypatch.setattr("app.player.output.IDLE_CLOSE_MS", 10)
    with no_leaks():
        output = SoundOutput(lambda out: out.fill(0))
        yield output
        output.shutdown()
        assert not any(stream.is_open for stream in port_audio.streams)


def opened(qtbot, output: SoundOutput) -> None:
    with qtbot.waitSignal(output.opened) as told:
        output.begin()
    assert told.args == [44_100]


def test_it_opens_and_is_let_go_after_a_pause(qtbot, output, port_audio):
    opened(qtbot, output)
    (stream,) = port_audio.streams
    assert stream.is_open
    output.rest()
    qtbot.waitUntil(lambda: not stream.is_open)


def test_without_a_device_it_says_so_and_plays_once_there_is_one(qtbot, output, port_audio):
    names, port_audio.names = port_audio.names, []
    with qtbot.waitSignal(output.failed) as told:
        output.begin()
    assert "no sound device was found" in told.args[0]
    assert "press play" in told.args[0]
    port_audio.names = names
    opened(qtbot, output)


def test_the_names_of_what_can_play_are_listed(qtbot, output):
    with qtbot.waitSignal(output.listed) as told:
        output.look()
    assert told.args == [["Speakers", "Headphones"]]


def test_a_chosen_device_that_is_away_is_replaced_until_it_is_back(qtbot, output, port_audio):
    port_audio.names = ["Speakers"]
    output.choose("Headphones")
    with qtbot.waitSignal(output.switched) as told:
        output.begin()
    assert "Headphones is not connected" in told.args[0]
    assert port_audio.streams[-1].device is None  # the system's
    output.rest()
    qtbot.waitUntil(lambda: not port_audio.streams[-1].is_open)
    port_audio.names = ["Speakers", "Headphones"]
    with qtbot.waitSignal(output.switched) as told:
        output.begin()
    assert "Headphones is back" in told.args[0]
    assert port_audio.streams[-1].device == 1


def test_a_device_that_is_lost_is_replaced_once_and_given_up_the_second_time(
    qtbot, output, port_audio
):
    opened(qtbot, output)
    with qtbot.waitSignal(output.switched) as told:
        port_audio.streams[-1].end()  # as the driver says it, from its own thread
    assert "plays on" in told.args[0]
    assert len(port_audio.streams) == 2
    with qtbot.waitSignal(output.failed) as told:
        port_audio.streams[-1].end()
    assert "no longer answers" in told.args[0]

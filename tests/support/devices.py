"""A sound server and an X server of their own for a test: real ones, which nobody hears or sees."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

SINK = "module-null-sink sink_name=nobody rate=44100"


@dataclass
class Device:
    """``environment``: of programs that are to use it."""

    server: subprocess.Popen[str]
    environment: dict[str, str]


@pytest.fixture
def sound_server() -> Iterator[Device]:
    """PulseAudio with a sink; what is played into it is what its microphone hears."""
    # Not in pytest's folder: the path of a socket has at most 108 characters.
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"HOME": home, "XDG_RUNTIME_DIR": home, "XDG_CONFIG_HOME": home}
        command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1"]
        command += ["-L", SINK, "-L", "module-native-protocol-unix"]
        with subprocess.Popen(
            command, env=environment, text=True, stderr=subprocess.DEVNULL
        ) as server:
            yield Device(server, environment)
            server.terminate()


@pytest.fixture
def x_server() -> Iterator[Device]:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        yield Device(server, os.environ | {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"})
        server.terminate()

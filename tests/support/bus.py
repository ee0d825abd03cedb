"""A message bus of its own for a test, and D-Bus's own programs as those who talk to us."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtDBus import QDBusConnection


@dataclass
class Bus:
    """Attributes:
    ours: the connection that is tested.
    """

    address: str
    ours: QDBusConnection
    qtbot: Any
    log_path: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, *command: str, **streams: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}
        process = subprocess.Popen(command, env=environment, text=True, **streams)
        self.processes.append(process)
        return process

    def call(self, service: str, place: str, method: str, *arguments: str) -> str:
        """The answer as ``dbus-send`` prints it; meanwhile our own side can answer."""
        what = ["--session", "--print-reply", f"--dest={service}", place, method]
        process = self.run("dbus-send", *what, *arguments, stdout=subprocess.PIPE)
        self.qtbot.waitUntil(lambda: process.poll() is not None)
        assert process.stdout is not None
        with process.stdout as stream:
            answer = stream.read()
        assert process.returncode == 0, answer
        return " ".join(answer.split())

    def listen(self, rule: str) -> None:
        """From now on ``heard`` has what is said."""
        with self.log_path.open("w") as log:
            self.run("dbus-monitor", "--session", rule, stdout=log)
        self.qtbot.waitUntil(lambda: "NameLost" in self.log_path.read_text())

    @property
    def heard(self) -> str:
        return " ".join(self.log_path.read_text().split())


@pytest.fixture
def bus(qtbot: Any, tmp_path: Path) -> Iterator[Bus]:
    command = ["dbus-daemon", "--session", "--print-address=1", "--nofork", "--nopidfile"]
    daemon = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    # The connection stays, as a program's does. Taken away, it would end in a thread of D-Bus,
    # which waits for Python with a lock of Qt in its hands that the window may wait for: for ever.
    bus = Bus(address, QDBusConnection.connectToBus(address, address), qtbot, tmp_path / "heard")
    yield bus
    daemon.terminate()
    for process in (daemon, *bus.processes):
        process.wait()
    daemon.stdout.close()

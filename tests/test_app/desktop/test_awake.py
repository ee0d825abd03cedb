"""Not sleeping while there is work, with a program of the system in its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.desktop.awake import Awake

pytestmark = pytest.mark.linux


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for ``systemd-inhibit`` writes: what it was asked, and that it has ended."""
    told = tmp_path / "told"
    script = tmp_path / "bin" / "systemd-inhibit"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\necho "$1 $2" >> {told}\nwhile [ $# -gt 1 ]; do shift; done\n"$@"\n'
        f"echo ended >> {told}\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    return told


def test_sleep_is_kept_off_once_and_only_while_it_is_held(qtbot, told):
    awake = Awake()
    awake.hold(True)
    awake.hold(True)
    qtbot.waitUntil(told.exists)
    qtbot.waitUntil(lambda: told.read_text() == "--what=sleep --mode=block\n")
    awake.hold(False)
    assert told.read_text().endswith("\nended\n")
    awake.hold(False)
    awake.hold(True)
    qtbot.waitUntil(lambda: told.read_text().count("--what=sleep") == 2)
    awake.hold(False)


def test_a_system_without_such_a_program_is_no_fault(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    awake = Awake()
    awake.hold(True)
    awake.hold(False)

"""Waiting in tests: for what must happen, as long as a busy machine may take.

A limit only says when a test gives up. A short one turns a slow machine into a red test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytestqt.qtbot import QtBot

PATIENCE_S = 60.0
PATIENCE_MS = round(1000 * PATIENCE_S)


class PatientBot(QtBot):
    """pytest-qt's own, which gives up after five seconds."""

    def waitUntil(self, callback: Callable[[], bool | None], *, timeout: int = 0) -> None:
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_MS))

    def waitSignal(self, signal: Any, *, timeout: int = 0, **how: Any) -> Any:
        if how.get("raising", True) is False:  # asks whether it comes: then the time is meant
            return super().waitSignal(signal, timeout=timeout, **how)
        return super().waitSignal(signal, timeout=max(timeout, PATIENCE_MS), **how)

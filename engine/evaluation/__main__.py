"""``python -m engine.evaluation``: the command ``evaluate`` on its own."""

from __future__ import annotations

from engine.evaluation.cli import app

app()

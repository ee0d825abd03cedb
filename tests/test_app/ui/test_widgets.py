from __future__ import annotations

import pytest
from PySide6.QtGui import QFont

from app.ui.widgets import ElidedLabel, elided


@pytest.mark.parametrize("size", [8, 9, 10, 11, 12])
@pytest.mark.parametrize("text", ["conjunto", "voz", "whole sound", "overall", "Klang"])
def test_a_label_has_all_the_room_that_its_text_needs(qtbot, text, size):
    label = ElidedLabel(font=QFont("DejaVu Sans", size))
    qtbot.addWidget(label)
    label.setText(text)
    label.resize(label.sizeHint())
    assert elided(label, text, label.width()) == text

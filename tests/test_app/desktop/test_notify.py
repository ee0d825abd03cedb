"""What the desktop is told over its bus."""

from __future__ import annotations

import pytest
from support import bus as buses

from app.desktop.notify import PORTAL, notify_by_portal, show_progress

pytestmark = pytest.mark.linux
bus = buses.bus


def test_a_notification_goes_through_the_portal(qtbot, bus):
    bus.ours.registerService(PORTAL[0])  # nobody is told what nobody waits for
    bus.listen("interface='org.freedesktop.portal.Notification'")
    notify_by_portal(bus.ours, "Singalike", "The map is made.")
    qtbot.waitUntil(lambda: 'variant string "The map is made."' in bus.heard)
    assert "member=AddNotification" in bus.heard
    assert 'string "title" variant string "Singalike"' in bus.heard


def test_progress_is_shown_at_the_icon_of_the_program(qtbot, bus):
    bus.listen("interface='com.canonical.Unity.LauncherEntry'")
    show_progress(bus.ours, "org.example.Singalike", 0.5)
    show_progress(bus.ours, "org.example.Singalike", None)
    qtbot.waitUntil(lambda: bus.heard.count("application://org.example.Singalike.desktop") == 2)
    qtbot.waitUntil(lambda: bus.heard.count('"progress-visible"') == 2)
    first, second = bus.heard.split("member=Update")[1:]
    assert "variant double 0.5" in first
    assert 'string "progress-visible" variant boolean true' in first
    assert 'string "progress-visible" variant boolean false' in second

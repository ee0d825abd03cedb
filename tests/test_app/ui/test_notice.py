"""What is told over the page, in the whole window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication, QWidget
from support import app_fixtures

from app.preferences.dialog import PreferencesDialog
from app.ui.notice import Notice
from app.ui.top_bar import Page
from app.window import MainWindow

no_leaks_left = app_fixtures.no_leaks_left
library_path = app_fixtures.library_path
music = app_fixtures.music
open_window = app_fixtures.open_window
window = app_fixtures.window

LONG = "The file cannot be read. Look whether its drive is there, then try it once more. " * 4


def place(widget: QWidget) -> QRect:
    return QRect(widget.mapTo(widget.window(), QPoint()), widget.size())


def places(window: QWidget, notice: Notice) -> dict[QWidget, QRect]:
    shown = (widget for widget in window.findChildren(QWidget) if widget.isVisible())
    own = {notice, *notice.findChildren(QWidget)}
    return {one: place(one) for one in shown if one.window() is window and one not in own}


def settled(qtbot, main: MainWindow, shown: QWidget, notice: Notice) -> dict[QWidget, QRect]:
    """The places of all else, once no work brings more and they stay what they are."""
    seen: list[dict[QWidget, QRect]] = [{}]

    def has_settled() -> bool:
        seen.append(places(shown, notice))
        is_at_rest = main.services.open_library.runner.num_jobs <= main.watch.is_watching
        return is_at_rest and len(seen) > 4 and all(one == seen[-1] for one in seen[-4:])

    qtbot.waitUntil(has_settled)
    return seen[-1]


@pytest.mark.parametrize("page", list(Page))
@pytest.mark.parametrize("text", ["Short.", LONG])
def test_a_message_moves_nothing_and_leaves_the_bars_free(qtbot, window, page, text):
    window.resize(860, 560)
    window.show_page(page)
    before = settled(qtbot, window, window, window.notice)
    window.notice.show_text(text, undo=lambda: None)
    assert settled(qtbot, window, window, window.notice) == before
    lies = place(window.notice)
    assert place(window.pages).contains(lies)
    for bar in (window.top_bar, window.player_bar, window.map_page.tools):
        assert not bar.isVisible() or not place(bar).intersects(lies)
    assert window.notice._text.heightForWidth(window.notice._text.width()) <= (
        window.notice._text.height()
    )
    window.resize(QSize(1100, 700))
    QApplication.processEvents()
    assert place(window.pages).bottom() - place(window.notice).bottom() < 60


def test_a_message_is_reached_with_the_tab_key(qtbot, window):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.notice.show_text("Taken out.", undo=lambda: None)
    for _ in range(200):
        if window.notice._undo.hasFocus():
            break
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    qtbot.keyClick(window.notice._undo, Qt.Key.Key_Return)
    assert window.notice.isHidden()


def test_a_message_moves_nothing_in_the_preferences_either(qtbot, window):
    window.show_preferences()
    (dialog,) = window.findChildren(PreferencesDialog)
    qtbot.waitUntil(dialog.sections.hasFocus)
    before = settled(qtbot, window, dialog, dialog.notice)
    dialog.notice.show_text(LONG)
    assert settled(qtbot, window, dialog, dialog.notice) == before
    assert dialog.notice.isVisible()
    dialog.close()

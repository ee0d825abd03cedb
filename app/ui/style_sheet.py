"""The one style sheet, filled in from a palette. Sizes in pixels are device-independent."""

from __future__ import annotations

from string import Template

from app.ui.palette import Palette
from engine.paths import resources_path

_SHEET = Template("""
* { outline: none; }
QMainWindow, QDialog, QWidget#page { background: $window; }
QWidget#bar { background: $panel; }
QWidget#topBar { background: $panel; border-bottom: 1px solid $line; }
QWidget#playerBar { background: $panel; border-top: 1px solid $line; }
QWidget#side { background: $surface; }
QFrame#queue { background: $surface; border-left: 1px solid $line; }
QWidget#radio { background: $panel; border-top: 1px solid $line; border-bottom: 1px solid $line; }
QFrame#card { background: $surface; border: 1px solid $line; border-radius: 12px; }
QFrame#sheet { background: $surface; border: 1px solid $wave; }
QLabel#dragged { background: $accent; color: $on_accent; padding: 4px 12px; }
QFrame#card[active="true"] { border: 1px solid $accent; }
QFrame#notice { background: $raised; border: 1px solid $accent; border-radius: 12px; }
QFrame#divider { background: $line; border: none; }
QLabel { background: transparent; color: $text; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="accent"] { color: $accent; }
QLabel[role="overall"] { color: $overall; }
QLabel[role="error"] { color: $error; }

QPushButton { background: $raised; color: $text; border: 1px solid $line; border-radius: 8px;
  padding: 7px 14px; }
QPushButton:hover { background: $selected; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent;
  padding: 9px 20px; font-weight: 600; }
QPushButton[kind="primary"]:hover { background: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; padding: 8px 19px; }
QPushButton[kind="primary"]:disabled { background: $raised; color: $wave; border-color: $line; }
QPushButton[kind="large"] { padding: 9px 20px; }
QPushButton[kind="plain"], QPushButton[kind="list"] { background: transparent; padding: 4px 8px;
  border: 1px solid transparent; }
QPushButton[kind="plain"] { color: $accent; }
QPushButton[kind="list"] { text-align: left; font-weight: 600; }
QPushButton[kind="toggle"] { background: transparent; color: $muted; border-radius: 13px;
  padding: 4px 12px; }
QPushButton[kind="chip"] { background: $selected; color: $accent; border: 1px solid transparent;
  border-radius: 10px; padding: 2px 9px; }
QPushButton[kind="stretch"] { background: $surface; color: $accent; border: 1px solid $accent;
  border-radius: 12px; padding: 3px 10px; font-weight: 600; }
QPushButton[kind="stretch"]:focus { border: 2px solid $accent; padding: 2px 9px; }
QPushButton[kind="legend"] { background: transparent; border: 1px solid transparent;
  padding: 3px 6px; text-align: left; border-radius: 6px; }
QWidget#segments { background: $raised; border-radius: 10px; }
QPushButton[kind="segment"] { background: transparent; border: 1px solid transparent; color: $muted;
  padding: 5px 16px; }
QPushButton[kind="segment"]:hover { color: $text; }
QPushButton[kind="segment"]:checked { background: $surface; color: $text; border-color: $line; }
QPushButton[tight="true"] { padding-left: 6px; padding-right: 6px; }
QPushButton[kind="plain"]:hover, QPushButton[kind="list"]:hover, QPushButton[kind="toggle"]:hover,
QPushButton[kind="chip"]:hover, QPushButton[kind="stretch"]:hover,
QPushButton[kind="legend"]:hover { background: $raised; }
QPushButton[kind="legend"]:checked { background: $selected; }
QPushButton[kind="toggle"]:checked { background: $selected; color: $accent;
  border-color: $selected; }
QPushButton:disabled { color: $wave; }
QPushButton[kind="toggle"]:checked:disabled { color: $accent; }
QPushButton:focus, QPushButton[kind="toggle"]:focus,
QPushButton[kind="segment"]:focus { border-color: $accent; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 8px;
  padding: 5px; }
QToolButton:hover { background: $raised; }
QToolButton:pressed, QToolButton:checked { background: $selected; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[kind="round"] { background: $accent; border-radius: 20px; padding: 9px; }
QToolButton[kind="round"]:hover { background: $accent_hover; }
QToolButton[kind="round"]:disabled { background: $raised; }
QToolButton[kind="round"]:focus { border: 2px solid $text; }

QLineEdit { background: $surface; color: $text; border: 1px solid $line; border-radius: 9px;
  padding: 7px 10px; selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus { border-color: $accent; }

QCheckBox { color: $text; spacing: 8px; padding: 3px 0; }
QCheckBox::indicator, QTreeWidget::indicator { width: 14px; height: 14px; border-radius: 4px;
  border: 1px solid $muted; background: $surface; }
QCheckBox::indicator:checked, QTreeWidget::indicator:checked { background: $accent;
  border-color: $accent; image: url("$check"); }
QCheckBox::indicator:focus { border: 2px solid $accent; width: 12px; height: 12px; }
QCheckBox:focus { color: $accent; }
QRadioButton { color: $text; spacing: 8px; padding: 3px 0; }
QRadioButton::indicator { width: 14px; height: 14px; border-radius: 8px; border: 1px solid $muted;
  background: $surface; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; }
QRadioButton:focus { color: $accent; }
QSpinBox, QComboBox { background: $surface; color: $text; border: 1px solid $line;
  border-radius: 9px; padding: 4px 10px; min-height: 20px;
  selection-background-color: $accent; selection-color: $on_accent; }
QSpinBox:focus, QComboBox:focus { border-color: $accent; }
QSpinBox::up-button, QSpinBox::down-button { border: none; background: transparent; width: 24px; }
QSpinBox::up-arrow { image: url("$up"); width: 11px; height: 11px; }
QSpinBox::down-arrow, QComboBox::down-arrow { image: url("$down"); width: 11px; height: 11px; }
QComboBox::drop-down { border: none; width: 28px; }
QComboBox QAbstractItemView { border: 1px solid $line; padding: 4px; }

QAbstractItemView { background: $surface; color: $text; border: none;
  selection-background-color: $selected; selection-color: $text; }
QListWidget#sections { background: transparent; }
QListWidget#sections::item { padding: 8px 10px; border-radius: 8px; }
QListWidget#sections::item:hover { background: $raised; }
QListWidget#sections::item:selected { background: $selected; color: $text; }
QPlainTextEdit { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
  padding: 6px; }
QPlainTextEdit:focus { border-color: $accent; }
QTreeWidget::item { padding: 3px 4px; }
QListWidget#framed, QTreeWidget#framed {
  border: 1px solid $line; border-radius: 10px; padding: 4px; }
QTableView { gridline-color: transparent; }
QTableView::item { border: none; padding: 0 8px; }
QTableView::item:hover { background: $panel; }
QTableView::item:selected { background: $selected; }
QHeaderView { background: $surface; border: none; }
QHeaderView::section { background: $surface; color: $muted; border: none;
  border-bottom: 1px solid $line;
  padding: 6px 8px 6px 11px; }
QHeaderView::section:hover { color: $text; }
QHeaderView#results::section { padding: 6px 11px; }
QTableCornerButton::section { background: $surface; border: none; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $wave; border-radius: 4px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 36px; }
QScrollBar::handle:horizontal { min-width: 36px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }

QSlider:horizontal { min-height: 22px; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $wave; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
  background: $accent; }
QSlider::handle:horizontal:hover { background: $accent_hover; }
QSlider::handle:horizontal:focus { border: 2px solid $text; width: 12px; height: 12px;
  margin: -6px 0;  border-radius: 8px; }
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled { background: $wave; }
QSlider[kind="fader"]::sub-page:horizontal { background: $wave; }

QProgressBar { background: $raised; border: none; border-radius: 2px; max-height: 4px;
  min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QMenu { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
  padding: 6px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 6px; }
QMenu::item:selected { background: $selected; }
QMenu::item:disabled { color: $wave; }
QMenu::separator { height: 1px; background: $line; margin: 6px 8px; }
QMenu::icon { padding-left: 8px; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 5px 7px; }
""")


def stylesheet(palette: Palette) -> str:
    """Qt style sheet in the colours of ``palette``."""
    mark = {"light": "check-light", "dark": "check-dark"}[palette.name]
    icons = {"check": mark, "up": "arrow-up", "down": "arrow-down"}
    folder = resources_path() / "icons"
    paths = {use: (folder / f"{name}.svg").as_posix() for use, name in icons.items()}
    return _SHEET.substitute(palette.colours(), **paths)

"""The platform's own dialogs for files and folders: opened, never executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.library.scan.walk import AUDIO_EXTENSIONS

Mode = QFileDialog.FileMode


def open_file_dialog(
    parent: QWidget,
    title: str,
    mode: Mode,
    *,
    start: str = "",
    filters: Sequence[str] = (),
    name: str = "",
) -> QFileDialog:
    """``fileSelected`` or ``filesSelected`` of what is returned bring what was chosen.

    Args:
        mode: ``Directory``, ``ExistingFile``, ``ExistingFiles``, or, to save one, ``AnyFile``.
        start: the folder that it begins with; "" is where this system keeps music.
        filters: as ``Audio (*.mp3 *.flac)``.
        name: offered for a file to be saved.
    """
    music = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MusicLocation)
    dialog = QFileDialog(parent, title, start or music)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(mode)
    if mode == Mode.Directory:
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    if mode == Mode.AnyFile:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(name)
    if filters:
        dialog.setNameFilters(list(filters))
    dialog.open()
    return dialog


def choose_folder(parent: QWidget, start: str, use: Callable[[Path], object]) -> None:
    """``use`` gets a folder of music."""
    title = parent.tr("Choose a music folder")
    dialog = open_file_dialog(parent, title, Mode.Directory, start=start)
    dialog.fileSelected.connect(lambda path: use(Path(path)))


def choose_sound(parent: QWidget, start: str, use: Callable[[Path], object]) -> None:
    """``use`` gets an audio file."""
    patterns = " ".join(f"*{extension}" for extension in sorted(AUDIO_EXTENSIONS))
    filters = (parent.tr("Audio") + f" ({patterns})", parent.tr("All files") + " (*)")
    title = parent.tr("Find songs like this audio file")
    dialog = open_file_dialog(parent, title, Mode.ExistingFile, start=start, filters=filters)
    dialog.fileSelected.connect(lambda path: use(Path(path)))

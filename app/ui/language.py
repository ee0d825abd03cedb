"""The language of the window: a table of sentences, and numbers as its people write them."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "es": "Español"}
CHOICES = ("system", *LANGUAGES)


class Translation(QTranslator):
    """Sentences of ``resources/languages``: a JSON object, English sentence to translated one."""

    def __init__(self, path: Path, parent: QCoreApplication) -> None:
        super().__init__(parent)
        self._sentences: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))

    def isEmpty(self) -> bool:
        return not self._sentences

    def translate(  # None: Qt shows the English sentence
        self, context: str, sentence: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        return self._sentences.get(sentence)


def install(app: QCoreApplication, choice: str, folder: Path) -> str:
    """Speak a language from now on; before any window is made. Returns its code.

    Args:
        choice: of CHOICES; ``system``, and whatever is no language of ours, follows the system.
        folder: of the tables.
    """
    code = choice if choice in LANGUAGES else _of_system()
    # numbers and dates follow the system where it speaks the same language: 1.234 or 1'234
    system = QLocale.system()
    is_same = system.name().startswith(code)
    QLocale.setDefault(system if is_same else QLocale(code))
    if code != ENGLISH:
        app.installTranslator(Translation(folder / f"{code}.json", app))
        qt = QTranslator(app)  # the buttons of Qt's own dialogs
        if qt.load(f"qtbase_{code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(qt)
    return code


def _of_system() -> str:
    wanted = (language.split("-")[0] for language in QLocale.system().uiLanguages())
    return next((code for code in wanted if code in LANGUAGES), ENGLISH)


def grouped(value: int) -> str:
    """1234 -> ``1,234``, ``1.234`` or ``1 234``."""
    return QLocale().toString(value)

"""The language of the window: a table of sentences, and numbers as its people write them."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "de": "Deutsch", "es": "Español"}
CHOICES = ("system", *LANGUAGES)


ENGINE = "Engine"  # context of what was said in English, and filled in, already


class Translation(QTranslator):
    """Sentences of ``resources/languages``: a JSON object, English sentence to translated one.

    The engine speaks English and knows of no other language. What people meet of it is in a table
    of its own and is found by the words around what was filled in. The rest stays English: faults
    of installed models and archives, and what others wrote, as the cards of models.
    """

    def __init__(self, folder: Path, code: str, parent: QCoreApplication) -> None:
        super().__init__(parent)
        self._sentences = _table(folder / f"{code}.json")
        engine = _table(folder / f"engine.{code}.json")
        self._engine = [(_pattern(text), told) for text, told in engine.items()]

    def isEmpty(self) -> bool:
        return not self._sentences

    def translate(  # None: Qt shows the English sentence
        self, context: str, sentence: str, disambiguation: str | None = None, n: int = -1
    ) -> str | None:
        if context != ENGINE:
            return self._sentences.get(sentence)
        for pattern, told in self._engine:
            sentence = pattern.sub(partial(_filled, told), sentence)
        return sentence


def _table(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _pattern(sentence: str) -> re.Pattern[str]:
    """A number is digits; all else that is filled in ends where the sentence goes on."""
    literal = re.escape(sentence).replace(r"\{num\}", r"(?P<num>\d+)")
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", literal))


def _filled(told: str, found: re.Match[str]) -> str:
    return told.format(**found.groupdict())


def spoken(text: str) -> str:
    """What the engine tells, several sentences perhaps, in the window's language."""
    return QCoreApplication.translate(ENGINE, text)


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
        app.installTranslator(Translation(folder, code, app))
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

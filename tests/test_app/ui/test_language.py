"""Every sentence of the window is there in every language, with all that is filled in."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.ui.heard import WORDS
from app.ui.language import ENGLISH, LANGUAGES, Translation, spoken
from engine.models.tags import shown_names
from engine.paths import resources_path
from tools.sentences import ROOT, places, sentences

TRANSLATED = [code for code in LANGUAGES if code != ENGLISH]
SPEAK = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from app.ui import language, text_format
app = QCoreApplication([])
print(language.install(app, sys.argv[1], Path(sys.argv[2])))
print(text_format.num_songs(12345), text_format.file_size(1_200_000_000))
"""


def table(code: str) -> dict[str, str]:
    path = resources_path() / "languages" / f"{code}.json"
    found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return found


def told_by(choice: str, locale: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """(the language, numbers in it), of a program that starts with this choice."""
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.setenv("LANGUAGE", "")
    command = [sys.executable, "-c", SPEAK, choice, str(resources_path() / "languages")]
    root = Path(__file__).parents[3]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=root
    ).stdout.splitlines()


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_sentence_is_left_out(code: str) -> None:
    """Those that are missing go into ``resources/languages``."""
    wanted = sentences()
    assert len(wanted) > 500
    missing = [f"{wanted[text]}: {text}" for text in wanted.keys() - table(code).keys()]
    assert sorted(missing) == []
    assert sorted(table(code).keys() - wanted.keys()) == []


def test_all_that_can_be_heard_has_a_word() -> None:
    assert set(WORDS) == set(shown_names())


@pytest.mark.parametrize("code", [*TRANSLATED, *(f"engine.{code}" for code in TRANSLATED)])
def test_what_is_filled_in_is_filled_in_everywhere(code: str) -> None:
    other = [text for text, spoken in table(code).items() if places(spoken) != places(text)]
    assert other == []
    assert [text for text, spoken in table(code).items() if not spoken.strip()] == []


def filled(sentence: str) -> str:
    """With all that is filled in under one name: {num} and {len(songs)} are {}."""
    return re.sub(r"\{[^}]*\}", "{}", sentence)


def said_by(*rooms: str) -> set[str]:
    """Every text of the program's code, joined where it is written in several lines."""
    found = set[str]()
    for path in (path for room in rooms for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(filled(node.value))
            elif isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
                found.add("".join(map(str, parts)))
    return found


def test_sentences_of_the_engine_are_those_that_it_says() -> None:
    """Reworded there, or gone: then ``engine.*.json`` has to follow."""
    tables = [table(f"engine.{code}") for code in TRANSLATED]
    assert all(one.keys() == tables[0].keys() for one in tables)
    said = said_by("app", "engine")
    unsaid = [text for text in tables[0] if not any(filled(text) in one for one in said)]
    assert unsaid == []


def test_what_the_engine_tells_is_told_in_the_windows_language(qapp) -> None:
    translation = Translation(resources_path() / "languages", "de", qapp)
    qapp.installTranslator(translation)
    try:
        told = spoken("Nobody sings in A {b}, as far as can be heard. Search by overall sound.")
        assert told == "In A {b} singt niemand, soweit zu hören ist. Suche nach dem Gesamtklang."
        told = spoken("Older things. 12 voices were heard through the whole song.")
        assert told == "Older things. 12 Stimmen wurden durch den ganzen Song hindurch gehört."
    finally:
        qapp.removeTranslator(translation)
    assert spoken("The folder does not exist.") == "The folder does not exist."


def test_an_unknown_sentence_stays_english(qapp, tmp_path: Path) -> None:
    (tmp_path / "de.json").write_text('{"Library": "Bibliothek"}', encoding="utf-8")
    (tmp_path / "engine.de.json").write_text("{}", encoding="utf-8")
    translation = Translation(tmp_path, "de", qapp)
    qapp.installTranslator(translation)
    try:
        assert qapp.translate("Anywhere", "Library") == "Bibliothek"
        assert qapp.translate("Anywhere", "Map") == "Map"
    finally:
        qapp.removeTranslator(translation)


@pytest.mark.linux
@pytest.mark.parametrize(
    ("choice", "locale", "code", "numbers"),
    [
        ("system", "de_DE.UTF-8", "de", "12.345 Songs 1,2 GB"),
        ("system", "es_ES.UTF-8", "es", "12.345 canciones 1,2 GB"),
        ("system", "fr_FR.UTF-8", "en", "12,345 songs 1.2 GB"),
        ("en", "de_DE.UTF-8", "en", "12,345 songs 1.2 GB"),
        ("de", "C", "de", "12.345 Songs 1,2 GB"),
        ("klingon", "C", "en", "12,345 songs 1.2 GB"),
    ],
)
def test_language_and_numbers_follow_the_choice_else_the_system(
    choice: str, locale: str, code: str, numbers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told_by(choice, locale, monkeypatch) == [code, numbers]

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.library.text import MAX_TEXT_CHARS, normalise, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Björk", "bjork"),
        ("BEYONCÉ", "beyonce"),
        ("Sigur Rós – Ágætis byrjun", "sigur ros agaetis byrjun"),
        ("Don’t Stop", "dont stop"),
        ("don't stop!", "dont stop"),
        ("AC/DC", "ac dc"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("Straße", "strasse"),
        ("Motörhead (live)", "motorhead live"),
        ("snake_case-name", "snake case name"),
        ("!!!", "!!!"),
        ("???", "???"),
        ("Łódź", "lodz"),
        ("हिन्दी", "हिन्दी"),
        ("東京", "東京"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_what_counts_of_a_name(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_hindi_words_stay_whole() -> None:
    assert len(normalise("हिन्दी गीत").split()) == 2


def test_every_character_is_normalised_for_good() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert [c for c in every if normalise(normalise(c)) != normalise(c)] == []


@given(st.text(max_size=500))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(st.characters(), max_size=2000))
def test_plain_text_is_one_readable_line(text: str) -> None:
    line = plain(text)
    assert len(line) <= MAX_TEXT_CHARS
    assert line == line.strip()
    assert not any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in line)
    assert plain(line) == line


def test_long_text_ends_in_an_ellipsis() -> None:
    assert plain("word " * 200).endswith("…")
    assert plain("x" * MAX_TEXT_CHARS) == "x" * MAX_TEXT_CHARS


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_the_short_way_for_ascii_gives_what_the_long_way_gives(text: str) -> None:
    assert normalise(f"x {text} é") == f"{normalise(f'x {text} ')} e"
    assert plain(f"{text} é") == f"{plain(text)} é".strip()

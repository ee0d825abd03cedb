"""Text from tags and file names: made plain, and made comparable."""

from __future__ import annotations

import os
import unicodedata

MAX_TEXT_CHARS = 300
_MAX_RAW_CHARS = 4 * MAX_TEXT_CHARS  # nothing behind it is looked at: a tag may hold megabytes
# combining classes up to this one make other letters (viramas, voiced kana); above are accents
_LAST_LETTER_CLASS = 9
_APOSTROPHES = str.maketrans("", "", "'’‘`´ʼ")
# what the functions below do, for ASCII: most names are, and this takes a tenth of the time
_ASCII_PLAIN = dict.fromkeys((*range(32), 127), " ")
_ASCII_WORDS = {
    code: None if chr(code) in "'`" else chr(code).lower() if chr(code).isalnum() else " "
    for code in range(128)
}
_SPECIAL = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"})


def plain(text: str) -> str:
    """One line of readable text: no control or bidirectional characters, of a sane length.

    Markup stays as the characters that it is; whoever shows it must show plain text.
    """
    text = text[:_MAX_RAW_CHARS]
    if text.isascii():
        shown = text.translate(_ASCII_PLAIN)
    else:
        shown = "".join(map(_shown, text.encode("utf-8", "replace").decode("utf-8")))
    line = " ".join(shown.split())
    return line if len(line) <= MAX_TEXT_CHARS else line[: MAX_TEXT_CHARS - 1].rstrip() + "…"


def display(name: str) -> str:
    """A file name as readable text, also where its bytes are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def normalise(text: str) -> str:
    """The comparable core of a name: no case, accents, apostrophes or punctuation.

    "" only for text without any letter or digit that is also without any other sign: a band called
    "!!!" is still told from "???".
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII_WORDS).split()) or " ".join(text.lower().split())
    # In this order: what compatibility decomposition gives (bold capitals, say) may have a case.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(c for c in folded if unicodedata.combining(c) <= _LAST_LETTER_CLASS)
    words = map(_in_word, bare.translate(_APOSTROPHES).translate(_SPECIAL))
    return " ".join("".join(words).split()) or " ".join(bare.split())


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    return " " if category == "Cc" else "" if category in ("Cf", "Cs", "Co") else char


def _in_word(char: str) -> str:
    # marks that are left by now are vowel signs: part of the word
    return char if char.isalnum() or unicodedata.category(char)[0] == "M" else " "

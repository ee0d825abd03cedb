"""What can be asked of a model, in plain words, and what the data must have for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.evaluate.run import DataFacts
from app.ui.shortcuts import noop


@dataclass(frozen=True)
class Protocol:
    """One of ``singalike evaluate``. ``find_obstacle`` says why it cannot run, or nothing."""

    name: str
    title: str
    question: str
    find_obstacle: Callable[[DataFacts, int, str], str]

    @property
    def shown_title(self) -> str:
        return _tr(self.title)

    @property
    def shown_question(self) -> str:
        return _tr(self.question)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Protocols", text)


def _similarity(facts: DataFacts, num_models: int, gender: str) -> str:
    if facts.num_singers() < 2 or facts.num_singers(2) < 1:
        return _tr(
            "Needs two artists, one of them with two songs. Artists here: {artists}; with two "
            "songs or more: {several}."
        ).format(artists=facts.num_singers(), several=facts.num_singers(2))
    return ""


def _identification(facts: DataFacts, num_models: int, gender: str) -> str:
    if facts.num_singers(3) < 2:
        return _tr("Needs two artists with three songs each. Here: {num}.").format(
            num=facts.num_singers(3)
        )
    return ""


def _gender(facts: DataFacts, num_models: int, gender: str) -> str:
    if facts.columns.get(gender, 0) < 2:
        return _tr(
            "Needs a table with a column “{column}”; labels are never guessed from names or voices."
        ).format(column=gender)
    return ""


def _latent(facts: DataFacts, num_models: int, gender: str) -> str:
    if facts.num_clips < 8 or facts.num_singers() < 2:
        return _tr("Needs eight songs by two artists. Here: {songs} songs by {artists}.").format(
            songs=facts.num_clips, artists=facts.num_singers()
        )
    return ""


def _overall(facts: DataFacts, num_models: int, gender: str) -> str:
    if "mixture" not in facts.inputs or facts.num_songs < 3:
        return _tr("Needs three songs at least, as mixtures. Here: {num}.").format(
            num=facts.num_songs
        )
    return ""


def _two_models(facts: DataFacts, num_models: int, gender: str) -> str:
    if num_models < 2:
        return _tr("Needs two models at least. Choose another one below.")
    if facts.num_songs < 3:
        return _tr("Needs three songs at least. Here: {num}.").format(num=facts.num_songs)
    return ""


PROTOCOLS = (
    Protocol(
        "artist-similarity",
        noop("Artist similarity"),
        noop("Do two songs by one singer lie nearer to each other than songs by two singers?"),
        _similarity,
    ),
    Protocol(
        "artist-id",
        noop("Artist identification"),
        noop("Can the singer be told from how the model hears a song it was never shown?"),
        _identification,
    ),
    Protocol(
        "gender-id",
        noop("Gender identification"),
        noop("Can labels that you give be told for singers that were never heard?"),
        _gender,
    ),
    Protocol(
        "latent-space",
        noop("Latent space"),
        noop("A picture of all songs as the model hears them: do artists form islands?"),
        _latent,
    ),
    Protocol(
        "overall-similarity",
        noop("Overall similarity"),
        noop("Does the model hear the band as well as the voice, and which kind of music it is?"),
        _overall,
    ),
    Protocol(
        "agreement",
        noop("Agreement"),
        noop("How often do two models name the same nearest song?"),
        _two_models,
    ),
    Protocol(
        "listening-test",
        noop("Listening test"),
        noop("You listen, blind: which of two recommendations is nearer to a song?"),
        _two_models,
    ),
)
BY_NAME = {protocol.name: protocol for protocol in PROTOCOLS}

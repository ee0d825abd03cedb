"""The test itself: three sounds, one or two questions, and keys for all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QHideEvent, QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from app.evaluate.blind_test.answer_sheet import AnswerSheet, Step
from app.evaluate.blind_test.playback import PARTS, Part, Playback
from app.evaluate.blind_test.sound_card import SoundCard
from app.evaluate.columns import ScrollColumn
from app.player.player import Player
from app.ui.layouts import hbox, vbox
from app.ui.shortcuts import Keys
from app.ui.theme import Theme
from app.ui.widgets import HEADING, SMALL, ProgressBar, button, label, set_look

if TYPE_CHECKING:
    from engine.evaluation.triplets import Choice, Question

CHOICES: tuple[Choice, ...] = ("a", "tie", "b")


class QuestionCard(QFrame):
    """One question with its three answers."""

    answered = Signal(str)  # Choice

    def __init__(self, theme: Theme, text: str) -> None:
        super().__init__()
        self.setObjectName("card")
        texts = {
            "a": self.tr("A is nearer") + "  ←",
            "tie": self.tr("Both alike") + "  ↓",
            "b": self.tr("B is nearer") + "  →",
        }
        self.buttons: dict[Choice, QPushButton] = {}
        for choice in CHOICES:
            widget = button(texts[choice], "toggle")
            widget.setCheckable(True)
            widget.setAccessibleName(f"{texts[choice][:-3]}: {text}")
            widget.setMinimumHeight(34)
            widget.clicked.connect(lambda _=False, choice=choice: self.answered.emit(choice))
            self.buttons[choice] = widget
        asked = label(text, font=theme.font(1.1, QFont.Weight.DemiBold), wrap=True)
        row = hbox(*((widget, 1) for widget in self.buttons.values()), spacing=10)
        vbox(asked, row, spacing=8, margins=(18, 10, 18, 12), of=self)

    def show_state(self, choice: Choice | None, *, is_open: bool) -> None:
        """``is_open``: it is this one's turn, and everything has been heard."""
        for own, widget in self.buttons.items():
            widget.setChecked(own == choice)
            widget.setEnabled(is_open)
        set_look(self, "active", is_open)


class BlindTestView(QWidget):
    """Emits ``paused`` when it is left before the end, ``done`` after the last answer."""

    paused = Signal()
    done = Signal()
    problem = Signal(str)

    def __init__(self, theme: Theme, player: Player, sheet: AnswerSheet) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAccessibleName(self.tr("Listening test"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self.sheet = sheet
        titles: dict[Part, str] = {
            "query": self.tr("The song"),
            "a": self.tr("A"),
            "b": self.tr("B"),
        }
        self.playback = Playback(player, titles, self)
        self.playback.changed.connect(self._show_playing)
        self.cards = self._make_cards(titles)
        self.questions: dict[Question, QuestionCard] = {}
        self._triplet_id = ""
        self._place = label(font=theme.font(HEADING, QFont.Weight.DemiBold))
        self._bar = ProgressBar(self.tr("Questions answered"))
        self.undo_button = button(self.tr("Take back"), "plain")
        self.undo_button.clicked.connect(self.undo)
        self.pause_button = button(self.tr("Pause the test"), "plain")
        self.pause_button.clicked.connect(self.paused)
        self._hint = label(role="muted", font=theme.font(SMALL), wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._lay_out()
        self._bind_keys()

    # Building

    def _make_cards(self, titles: dict[Part, str]) -> dict[Part, SoundCard]:
        hints: dict[Part, tuple[str, str]] = {
            "query": (self.tr("the song that was asked for"), self.tr("Key 1 or Q")),
            "a": (self.tr("one recommendation"), self.tr("Key 2 or A")),
            "b": (self.tr("another recommendation"), self.tr("Key 3 or B")),
        }
        made = {}
        for part in PARTS:
            hint, keys = hints[part]
            made[part] = SoundCard(self._theme, titles[part], hint, keys)
            made[part].clicked.connect(lambda part=part: self._card_clicked(part))
        return made

    def _lay_out(self) -> None:
        texts: dict[Question, str] = {
            "overall": self.tr("Which one is more like the song, all in all?"),
            "vocals": self.tr("Whose voice is more like the voice in the song?"),
        }
        for question, text in texts.items():
            card = QuestionCard(self._theme, text)
            card.answered.connect(lambda choice, q=question: self._clicked(q, choice))
            self.questions[question] = card
        top = hbox((self._place, 1), self.undo_button, self.pause_button, spacing=6)
        sounds = hbox(*((card, 1) for card in self.cards.values()), spacing=14)
        items = (top, self._bar, sounds, *self.questions.values(), self._hint, None)
        scroll = ScrollColumn(self.tr("Listening test"))  # for low windows and large letters
        scroll.column.setContentsMargins(24, 14, 24, 8)
        scroll.column.addLayout(vbox(*items, spacing=10))
        vbox(scroll, of=self)

    def _bind_keys(self) -> None:
        keys: dict[str, Callable[[], object]] = {
            Keys.TEST_HEAR.value.keys: lambda: self.play("query"),
            "Q": lambda: self.play("query"),
            "2": lambda: self.play("a"),
            "A": lambda: self.play("a"),
            "3": lambda: self.play("b"),
            "B": lambda: self.play("b"),
            "Left": lambda: self.answer("a"),
            Keys.TEST_ANSWER.value.keys: lambda: self.answer("tie"),
            "Right": lambda: self.answer("b"),
            Keys.TEST_UNDO.value.keys: self.undo,
            "Ctrl+Z": self.undo,
            Keys.TEST_PAUSE.value.keys: self.paused.emit,
        }
        for text, action in keys.items():
            shortcut = QShortcut(QKeySequence(text), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda action=action: action())

    # Coming and going

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if event.spontaneous():
            return  # the window was minimised, and nothing has changed
        self.playback.begin()
        self._triplet_id = ""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_step()

    def hideEvent(self, event: QHideEvent) -> None:
        """Another page, or the end of the program: the player is given back."""
        if not event.spontaneous():
            self.playback.end()
        super().hideEvent(event)

    # Playing

    def play(self, part: Part) -> None:
        if self.sheet.current is not None:
            self.playback.play(part)

    def _card_clicked(self, part: Part) -> None:
        if self.playback.part == part:
            self.playback.toggle()
        else:
            self.play(part)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space; a button in focus keeps it for itself.

        No other plain key goes on to the window: there, V would take the music out of the sounds.
        """
        if event.key() == Qt.Key.Key_Space:
            self.playback.toggle()
        elif event.modifiers() != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)

    def _show_playing(self) -> None:
        playback = self.playback
        for part, card in self.cards.items():
            is_on = playback.part == part
            card.show_state(
                share=playback.share if is_on else None,
                is_playing=is_on and playback.is_playing,
                is_heard=part in playback.heard,
            )
        self._show_questions()

    # Answering

    @property
    def has_heard_all(self) -> bool:
        return self.playback.heard == set(PARTS)

    def answer(self, choice: Choice) -> None:
        """To the question whose turn it is; not before everything has been heard."""
        if self.sheet.current is None or not self.has_heard_all:
            return
        self._save(lambda: self.sheet.answer(choice))

    def undo(self) -> None:
        if self.sheet.num_answered:
            self._save(self.sheet.undo)

    def _clicked(self, question: Question, choice: Choice) -> None:
        step = self.sheet.current
        if step is not None and step.question == question:
            self.answer(choice)
        self._show_questions()
        self.setFocus(Qt.FocusReason.OtherFocusReason)  # or Space would answer the next one

    def _save(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            self.problem.emit(
                self.tr("The answers cannot be saved: {reason}. Free some space; they are kept "
                        "until the test is left.").format(reason=error.strerror or error)
            )  # fmt: skip
        self._show_step()

    def _show_step(self) -> None:
        step = self.sheet.current
        self._bar.setRange(0, len(self.sheet.steps))
        self._bar.setValue(self.sheet.num_answered)
        self.undo_button.setEnabled(self.sheet.num_answered > 0)
        if step is None:
            self.playback.end()
            self.done.emit()
            return
        self._place.setText(
            self.tr("Song {number} of {total}").format(
                number=self.sheet.number(step), total=len(self.sheet.triplets)
            )
        )
        for question, card in self.questions.items():
            card.setVisible(question in step.triplet.questions)
        if step.triplet.id != self._triplet_id:
            self._begin_triplet(step)
        self._show_questions()

    def _begin_triplet(self, step: Step) -> None:
        triplet, folder = step.triplet, self.sheet.folder
        self._triplet_id = triplet.id
        self.playback.set_sounds(
            {"query": folder / triplet.query, "a": folder / triplet.a, "b": folder / triplet.b}
        )
        self.playback.play("query")

    def _show_questions(self) -> None:
        step = self.sheet.current
        if step is None:
            return
        for question in step.triplet.questions:
            own = Step(step.triplet, question)
            is_open = own == step and self.has_heard_all
            self.questions[question].show_state(self.sheet.choice(own), is_open=is_open)
        if self.has_heard_all:
            text = self.tr("Answer with ←, ↓ and →. Backspace takes an answer back, Esc pauses.")
        else:
            text = self.tr(
                "Listen to all three first, with the keys 1, 2 and 3; Space stops and goes on."
            )
        self._hint.setText(text)

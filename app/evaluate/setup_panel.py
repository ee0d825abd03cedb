"""What to ask, of which models, on which music: everything before a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.choice_card import ChoiceCard
from app.evaluate.columns import ScrollColumn, heading, title
from app.evaluate.protocols import PROTOCOLS
from app.evaluate.run import DataFacts, ModelChoice, Request
from app.evaluate.settings_form import SettingsForm
from app.ui.dialogs import open_file_dialog
from app.ui.flow import wrapping_row
from app.ui.language import grouped
from app.ui.layouts import hbox, vbox
from app.ui.text_format import file_size
from app.ui.theme import Theme
from app.ui.widgets import SMALL, button, divider, label

LISTENING_TEST = "listening-test"


class SetupPanel(QWidget):
    """``data_requested`` asks for the facts of a library (None) or table; ``set_facts`` answers."""

    start_requested = Signal(object)  # Request
    data_requested = Signal(object)  # Path of a table, None: the library

    def __init__(self, theme: Theme, library_path: Path) -> None:
        super().__init__()
        self._theme = theme
        self._library_path = library_path
        self._facts: DataFacts | None = None
        self._data_problem = ""
        self._is_busy = False
        self.protocols = self._make_protocols()
        self.models: dict[str, ChoiceCard] = {}
        self._choices: dict[str, ModelChoice] = {}
        self._models_grid = _grid()
        self.inputs = self._make_inputs()
        self.form = SettingsForm(theme)
        self.form.changed.connect(self._update)
        self.from_library = self._radio(self.tr("This library"), lambda: self._ask(None))
        self.from_table = self._radio(self.tr("A table of files (CSV)…"), self._choose_table)
        self.from_library.setChecked(True)
        self.facts_text = label(role="muted", wrap=True)
        self.facts_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = button(self.tr("More settings…"), "plain")
        self.more.setCheckable(True)
        self.more.toggled.connect(self.form.setVisible)
        self._say = label(role="muted", font=theme.font(SMALL), wrap=True)
        self.start = button(self.tr("Start"), "primary")
        self.start.clicked.connect(self._start)
        self._lay_out()
        self.form.hide()
        self._update()

    # Building

    def _make_protocols(self) -> dict[str, ChoiceCard]:
        made = {}
        for protocol in PROTOCOLS:
            choice = ChoiceCard(self._theme, protocol.shown_title, protocol.shown_question)
            choice.changed.connect(self._update)
            made[protocol.name] = choice
        made["artist-similarity"].box.setChecked(True)
        return made

    def _make_inputs(self) -> dict[str, QPushButton]:
        texts = {
            "mixture": (self.tr("Whole songs"), self.tr("voice and band together")),
            "separated": (
                self.tr("Separated vocals"),
                self.tr("the voice taken out of the song first; some seconds more per song"),
            ),
            "vocals": (self.tr("True vocals"), self.tr("where the table names vocal tracks")),
        }
        made = {}
        for name, (text, hint) in texts.items():
            widget = button(text, "toggle")
            widget.setCheckable(True)
            widget.setToolTip(hint)
            widget.setAccessibleDescription(hint)
            widget.toggled.connect(self._update)
            made[name] = widget
        made["mixture"].setChecked(True)
        return made

    def _radio(self, text: str, act: Callable[[], object]) -> QRadioButton:
        made = QRadioButton(text)
        made.setAccessibleName(text)
        made.clicked.connect(lambda: act())
        return made

    def _lay_out(self) -> None:
        self._scroll = ScrollColumn(self.tr("New evaluation"))
        column = self._scroll.column
        column.addWidget(title(self._theme, self.tr("How well does a model know voices?")))
        text = self.tr(
            "Models are asked about music of which the singers are known, with the protocols of "
            "the research they come from. The better the answers, the more you can trust what "
            "they find in your library."
        )
        column.addWidget(label(text, "muted", wrap=True))
        everything = button(self.tr("Everything"), "plain")
        everything.clicked.connect(self._choose_all)
        self._section(column, self.tr("What do you want to know?"), everything)
        protocols = _grid()
        _fill(protocols, self.protocols.values())
        column.addLayout(protocols)
        self._section(column, self.tr("On which music?"))
        column.addWidget(wrapping_row((self.from_library, self.from_table), 18))
        column.addWidget(self.facts_text)
        self._section(column, self.tr("Which models?"))
        column.addLayout(self._models_grid)
        self._section(column, self.tr("What are they given to hear?"))
        column.addWidget(wrapping_row(self.inputs.values()))
        column.addSpacing(10)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.form)
        column.addStretch()
        footer = QWidget()
        footer.setObjectName("bar")
        hbox((self._say, 1), self.start, spacing=8, margins=(28, 10, 20, 10), of=footer)
        vbox((self._scroll, 1), divider(), footer, of=self)

    def _section(self, column: QVBoxLayout, text: str, *extra: QWidget) -> None:
        column.addSpacing(14)
        column.addLayout(hbox((heading(self._theme, text), 1), *extra))

    # What others tell

    def set_models(self, choices: Sequence[ModelChoice]) -> None:
        self._choices = {choice.name: choice for choice in choices}
        for choice in choices:
            size = file_size(choice.size_bytes) if choice.size_bytes else ""
            small = " · ".join(filter(None, (choice.licence, size)))
            widget = ChoiceCard(self._theme, choice.title, choice.description, small)
            widget.box.setChecked(choice.is_default and not choice.obstacle)
            widget.box.setEnabled(not choice.obstacle)
            widget.set_note(choice.obstacle)
            widget.changed.connect(self._update)
            self.models[choice.name] = widget
        _fill(self._models_grid, self.models.values())
        self._update()

    def set_facts(self, facts: DataFacts) -> None:
        self._facts, self._data_problem = facts, ""
        self.form.set_columns(facts.columns)
        for name, widget in self.inputs.items():
            widget.setEnabled(name in facts.inputs)
            if name not in facts.inputs:
                widget.setChecked(False)
        if not any(widget.isChecked() for widget in self.inputs.values()) and facts.inputs:
            first = "mixture" if "mixture" in facts.inputs else facts.inputs[0]
            self.inputs[first].setChecked(True)
        self._update()

    def set_data_problem(self, reason: str) -> None:
        self._facts, self._data_problem = None, reason
        self._update()

    def look_again(self) -> None:
        """The library may have changed since."""
        if self.from_library.isChecked():
            self.data_requested.emit(None)

    def set_busy(self, is_busy: bool) -> None:
        """One evaluation at a time."""
        self._is_busy = is_busy
        self._update()

    def choose_listening_test(self) -> None:
        """For those who came for it: nothing else is asked."""
        for name, choice in self.protocols.items():
            choice.box.setChecked(name == LISTENING_TEST)
        self._scroll.ensureWidgetVisible(self.protocols[LISTENING_TEST])

    # What is chosen

    @property
    def chosen_protocols(self) -> tuple[str, ...]:
        return tuple(name for name, choice in self.protocols.items() if choice.is_chosen)

    @property
    def chosen_models(self) -> tuple[str, ...]:
        return tuple(name for name, choice in self.models.items() if choice.is_chosen)

    @property
    def chosen_inputs(self) -> tuple[str, ...]:
        return tuple(name for name, widget in self.inputs.items() if widget.isChecked())

    def request(self) -> Request:
        """Only while nothing is missing."""
        assert self._facts is not None
        return self.form.apply(
            Request(
                self.chosen_protocols,
                self.chosen_models,
                self._facts.path,
                self.chosen_inputs,
                has_consent="mert" in self.chosen_models,
            )
        )

    def missing(self) -> str:
        """What is still to be done before it can start; "" when nothing is."""
        if self._data_problem:
            return self._data_problem
        checks: tuple[tuple[object, Callable[[], str]], ...] = (
            (self._facts, lambda: self.tr("The music is being counted…")),
            (self._choices, lambda: self.tr("The models are being looked up…")),
            (self.chosen_protocols, lambda: self.tr("Choose what you want to know.")),
            (self.chosen_models, lambda: self.tr("Choose a model.")),
            (self.chosen_inputs, lambda: self.tr("Choose what models are given to hear.")),
        )
        for is_there, text in checks:
            if not is_there:
                return text()
        notes = [self.protocols[name].note for name in self.chosen_protocols]
        if all(notes):
            return notes[0]
        if self._is_busy:
            return self.tr("An evaluation is running: it can be followed on the left.")
        return ""

    # How it is done

    def _update(self) -> None:
        if not hasattr(self, "start"):
            return  # signals of widgets that are being made
        facts, num_models = self._facts, len(self.chosen_models)
        gender = self.form.choices["gender_column"].currentText()
        for protocol in PROTOCOLS:
            note = protocol.find_obstacle(facts, num_models, gender) if facts is not None else ""
            self.protocols[protocol.name].set_note(note)
        self.facts_text.setText(self._data_text())
        missing = self.missing()
        self.start.setEnabled(not missing)
        self._say.setText(missing or self._plan())

    def _data_text(self) -> str:
        if self._data_problem:
            return self._data_problem
        if self._facts is None:
            return self.tr("Counting…")
        facts = self._facts
        text = self.tr(
            "{name}: {songs} songs by {artists} artists, {several} of them with two songs or more."
        ).format(
            name=self.tr("Your library") if facts.path == self._library_path else facts.name,
            songs=grouped(facts.num_songs),
            artists=grouped(facts.num_singers()),
            several=grouped(facts.num_singers(2)),
        )
        return " ".join([text, *facts.notes])

    def _plan(self) -> str:
        """How much will be listened to, the first time."""
        assert self._facts is not None
        request = self.request()
        counts = sorted(self._facts.songs_by.values(), reverse=True)[: request.max_singers]
        num_songs = sum(min(num, request.max_songs) for num in counts)
        text = self.tr(
            "Songs: {songs}, models: {models}. What was heard once is kept: a second run is quick."
        )
        if num_songs < self._facts.num_songs:
            text = self.tr(
                "Songs: {songs} of {all}, as of each artist {most} at most are asked about; "
                "models: {models}. What was heard once is kept: a second run is quick."
            )
        return text.format(
            songs=grouped(num_songs),
            models=len(request.models),
            all=grouped(self._facts.num_songs),
            most=grouped(request.max_songs),
        )

    def _choose_all(self) -> None:
        is_all = all(choice.is_chosen for choice in self.protocols.values())
        for choice in self.protocols.values():
            choice.box.setChecked(not is_all)

    def _choose_table(self) -> None:
        filters = (self.tr("Tables") + " (*.csv)", self.tr("All files") + " (*)")
        text, mode = self.tr("Choose a table of files"), QFileDialog.FileMode.ExistingFile
        dialog = open_file_dialog(self, text, mode, filters=filters)
        dialog.fileSelected.connect(lambda path: self.use_table(Path(path)))
        dialog.rejected.connect(self._table_refused)

    def _table_refused(self) -> None:
        if self._facts is None or self._facts.path == self._library_path:
            self.from_library.setChecked(True)
            if self._facts is None:
                self._ask(None)

    def use_table(self, path: Path) -> None:
        """Evaluate on a table from now on."""
        self.from_table.setChecked(True)
        self._ask(path)

    def _ask(self, path: Path | None) -> None:
        self._facts, self._data_problem = None, ""
        self._update()
        self.data_requested.emit(path)

    def _start(self) -> None:
        if not self.missing():
            self.start_requested.emit(self.request())


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(10)
    for column in (0, 1):
        grid.setColumnStretch(column, 1)
    return grid


def _fill(grid: QGridLayout, widgets: Iterable[QWidget]) -> None:
    """Two columns of equal width."""
    for number, widget in enumerate(widgets):
        grid.addWidget(widget, number // 2, number % 2)

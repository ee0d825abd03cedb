"""The filters in force, each with an × that takes it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from app.find.filters import FilterButton, Filters
from app.ui.cards import clear_layout
from app.ui.flow import FlowLayout
from app.ui.heard import heard_words
from app.ui.text_format import clock, one_line
from app.ui.widgets import button
from engine.library.scope import EVERYTHING, Scope
from engine.listening.notes import note_name

MAX_LETTERS = 24


class FilterChips(QWidget):
    """Hidden while nothing is filtered."""

    def __init__(self, filter_button: FilterButton) -> None:
        super().__init__()
        self._button = filter_button
        self._row = FlowLayout(6, self)
        filter_button.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        clear_layout(self._row)
        for text, without in self._in_force(self._button.filters):
            chip = button(f"{one_line(text)[:MAX_LETTERS]}  ×".replace("&", "&&"), "chip")
            chip.setAccessibleName(self.tr("Take away: {filter}").format(filter=text))
            chip.setToolTip(chip.accessibleName())
            chip.clicked.connect(lambda _=False, left=without: self._button.set_filters(left))
            self._row.addWidget(chip)
            chip.show()  # at once: what is shown later has no room in the layout now
        self.setVisible(self._button.filters.num_active > 0)

    def _in_force(self, filters: Filters) -> Iterator[tuple[str, Filters]]:
        """(what it says, the filters without it)."""
        if filters.other_artists:
            yield self.tr("Other artists only"), replace(filters, other_artists=False)
        if filters.one_per_artist:
            yield self.tr("One song of each artist"), replace(filters, one_per_artist=False)
        for text, fields in self._conditions(filters.scope):
            without = {field: getattr(EVERYTHING, field) for field in fields}
            yield text, replace(filters, scope=replace(filters.scope, **without))

    def _conditions(self, scope: Scope) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(what it says, its fields), as ``Scope.num_conditions`` counts them."""
        if scope.genres:
            yield ", ".join(sorted(scope.genres)), ("genres",)
        if scope.sounds_like:
            tags = heard_words(sorted(scope.sounds_like))
            yield self.tr("sounds like {tags}").format(tags=tags), ("sounds_like",)
        for fields, told in (
            (("first_year", "last_year"), str),
            (("min_duration_s", "max_duration_s"), clock),
            (("lowest_note", "highest_note"), note_name),
        ):
            low, high = (getattr(scope, field) for field in fields)
            if low is not None and high is not None:
                yield f"{told(low)}–{told(high)}", fields
            elif low is not None:
                yield self.tr("from {start}").format(start=told(low)), fields
            elif high is not None:
                yield self.tr("up to {end}").format(end=told(high)), fields
        if scope.folders:
            yield ", ".join(sorted(path.name or str(path) for path in scope.folders)), ("folders",)

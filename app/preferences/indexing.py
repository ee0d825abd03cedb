"""How fast songs are listened to, and what the library holds of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox

from app.jobs import Job, Pool
from app.preferences.section import Section
from app.services.indexing import SPEEDS
from app.services.services import Services
from app.settings import INDEX_SPEED, WATCH_FOLDERS
from app.ui.cards import Card, clear_layout
from app.ui.confirm import confirm
from app.ui.text_format import file_size, num_songs
from app.ui.widgets import button, label
from engine.errors import SingalikeError
from engine.library import Library
from engine.library.indexes import drop_index
from engine.library.spaces import SpaceFacts, forget_space, space_facts
from engine.preferences import read_choices, write_choices
from engine.progress import CancelToken, ProgressCallback
from engine.search.index import graph


class IndexingSection(Section):
    watch_changed = Signal(bool)

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._is_rebuilding: set[int] = set()
        self.add_heading(self.tr("Listening to songs"))
        self.speed = self._build_speed()
        self.add_row(label(self.tr("Use")), self.speed)
        self.watch = QCheckBox(self.tr("Notice new and changed songs by itself"))
        self.watch.setChecked(services.settings.get(WATCH_FOLDERS))
        self.watch.toggled.connect(self._watch_toggled)
        self.column.addWidget(self.watch)
        self.fast = QCheckBox(self.tr("Voices from whole songs only"))
        self.fast.setToolTip(
            self.tr(
                "Nothing is separated: several times as fast, a little less sure. Voices that were "
                "separated before stay."
            )
        )
        self.fast.setChecked(read_choices().voices == "fast")
        self.fast.toggled.connect(self._fast_toggled)
        self.column.addWidget(self.fast)
        self.add_heading(self.tr("What has been heard"))
        self.add_note(
            self.tr(
                "One entry for each model that has listened. The search index can always be made "
                "again; what was heard only by listening again."
            )
        )
        self._cards = self.add_cards()
        self.column.addStretch()
        self._read()

    def _build_speed(self) -> QComboBox:
        picker = QComboBox()
        picker.setAccessibleName(self.tr("How many cores indexing uses"))
        for speed, text in SPEEDS.items():
            picker.addItem(self.tr(text), speed)
        picker.setCurrentIndex(max(0, picker.findData(self.services.settings.get(INDEX_SPEED))))
        picker.activated.connect(lambda _: self._speed_chosen())
        return picker

    def _speed_chosen(self) -> None:
        self.services.settings.set(INDEX_SPEED, str(self.speed.currentData()))
        self.services.indexing.again()

    def _fast_toggled(self, is_on: bool) -> None:
        try:
            write_choices(replace(read_choices(), voices="fast" if is_on else "fine"))
        except SingalikeError as error:
            self.problem.emit(str(error))
            return
        self.services.indexing.start_anew()

    def _watch_toggled(self, is_on: bool) -> None:
        self.services.settings.set(WATCH_FOLDERS, is_on)
        self.watch_changed.emit(is_on)

    # What is there

    def _read(self) -> None:
        if not self.services.open_library.is_open:
            return
        library = self.services.open_library.library
        self.run(lambda: space_facts(library.database), self._show)

    def _show(self, spaces: list[SpaceFacts]) -> None:
        clear_layout(self._cards)
        for facts in spaces:
            self._cards.addWidget(self._card(facts))
        if not spaces:
            self._cards.addWidget(label(self.tr("Nothing yet."), "muted"))

    def _card(self, facts: SpaceFacts) -> Card:
        views = {"vocals": self.tr("Voice"), "overall": self.tr("Overall")}
        title = f"{views[facts.key.view]} · {facts.key.model}"
        if facts.key.separator:
            title += f" · {facts.key.separator}"
        text = self.tr("{songs} · {size} on disk · search index {index} · {map}").format(
            songs=num_songs(facts.num_tracks),
            size=file_size(facts.num_bytes),
            index=file_size(facts.index_bytes) if facts.index_bytes else self.tr("none"),
            map=self.tr("with a map") if facts.has_map else self.tr("no map yet"),
        )
        card = Card(self.theme, title, [text])
        rebuild = button(self.tr("Make the search index anew"))
        rebuild.clicked.connect(lambda: self._rebuild(facts.space_id))
        if facts.space_id in self._is_rebuilding:
            rebuild.setEnabled(False)
            card.mark.setText(self.tr("being made…"))
        forget = button(self.tr("Forget…"))
        forget.clicked.connect(lambda: self._ask_forget(facts, title))
        card.add(rebuild, forget)
        card.end()
        return card

    def _rebuild(self, space_id: int) -> None:
        library = self.services.open_library.library
        job = Job(partial(_rebuild, library, space_id))
        job.failed.connect(self.problem)
        job.finished.connect(lambda: self._rebuilt(space_id))
        self._is_rebuilding.add(space_id)
        self.services.open_library.runner.start(job, Pool.MAP)
        self._read()

    def _rebuilt(self, space_id: int) -> None:
        self._is_rebuilding.discard(space_id)
        self._read()

    def _ask_forget(self, facts: SpaceFacts, title: str) -> None:
        confirm(
            self,
            self.tr("Forget what was heard in {songs}?").format(songs=num_songs(facts.num_tracks)),
            self.tr(
                "{title}: frees {size}. Songs can be compared by it again only after they have "
                "been listened to again."
            ).format(title=title, size=file_size(facts.num_bytes)),
            self.tr("Forget"),
            lambda: self._forget(facts.space_id),
        )

    def _forget(self, space_id: int) -> None:
        library = self.services.open_library.library
        self.run(
            lambda: forget_space(library.database, space_id), then=self._read, pool=Pool.DATABASE
        )


def _rebuild(
    library: Library, space_id: int, progress: ProgressCallback, cancel: CancelToken
) -> None:
    with library.lease():  # an indexer clears away what looks half-made
        drop_index(library.database, space_id)
        graph.refresh(library, space_id, progress, cancel, num_threads=1)

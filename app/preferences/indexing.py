"""How fast songs are listened to, and what the library holds of them."""

from __future__ import annotations

from app.jobs import Pool
from app.preferences.section import Card, Section
from app.services.indexing import SPEEDS
from app.services.services import Services
from app.settings import INDEX_SPEED
from app.ui.dialogs import confirm
from app.ui.layouts import clear_layout
from app.ui.text_format import file_size, num_songs
from app.ui.widgets import button, label
from engine.library.spaces import SpaceFacts, forget_space, space_facts
from engine.preferences import read_choices


class IndexingSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.add_heading(self.tr("Listening to songs"))
        settings = services.settings
        speeds = {speed: self.tr(text) for speed, text in SPEEDS.items()}
        name, now = self.tr("How many cores indexing uses"), settings.get(INDEX_SPEED)
        self.speed = self.picker(name, speeds, now, self._speed_chosen)
        self.add_row(label(self.tr("Use")), self.speed)
        text = self.tr("Voices from whole songs only")
        self.fast = self.add_check(text, read_choices().voices == "fast", self._fast_toggled)
        self.fast.setToolTip(
            self.tr(
                "Nothing is separated: several times as fast, a little less sure. Voices that were "
                "separated before stay."
            )
        )
        self.add_heading(self.tr("What has been heard"))
        self.add_note(
            self.tr(
                "One entry for each model that has listened. What is forgotten has to be listened "
                "to again."
            )
        )
        self._cards = self.add_cards()
        self.column.addStretch()
        self._read()

    def _speed_chosen(self, speed: str) -> None:
        self.services.settings.set(INDEX_SPEED, speed)
        self.services.indexing.again()

    def _fast_toggled(self, is_on: bool) -> None:
        self.listen_otherwise(voices="fast" if is_on else "fine")

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
        forget = button(self.tr("Forget…"))
        forget.clicked.connect(lambda: self._ask_forget(facts, title))
        card.add(forget)
        return card

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

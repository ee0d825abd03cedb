"""The right side: the songs of the comparison, and below them one list of results, or two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QSizePolicy,
    QSlider,
    QStackedLayout,
    QWidget,
)

from app.find.filters import AskFacets, FilterButton, FilterChips
from app.find.portrait import PortraitView
from app.find.result_delegate import ResultDelegate
from app.find.result_model import ResultModel
from app.find.result_view import ResultView
from app.find.song_row import SongRow
from app.player.player import Player, Side
from app.services.search_service import Answer
from app.ui.language import spoken
from app.ui.layouts import hbox, keep_room, vbox
from app.ui.message_page import MessagePage
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.shortcuts import Keys, noop
from app.ui.text_format import narrow
from app.ui.theme import Theme
from app.ui.widgets import (
    SMALL,
    DrawCover,
    ElidedLabel,
    IconButton,
    IconLabel,
    button,
    divider,
    label,
    set_look,
)
from engine.search import By, Neighbour, SearchResult

BOTH, ONE = "both", "one"
STEPS = 20
DELAY_MS = 60  # between two searches while the slider is dragged


class BlendBar(QWidget):
    """Two lists or one; ``weighing``, for the head of the one, is its slider."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.segments = SegmentedSwitch(
            self.tr("Results"),
            (
                Segment(BOTH, self.tr("Side by side"), self.tr("Voice and overall sound")),
                Segment(ONE, self.tr("Blend"), self.tr("One list from both")),
            ),
        )
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(0, STEPS)
        self._slider.setPageStep(STEPS // 4)
        self._slider.setProperty("kind", "fader")
        self._slider.setMinimumWidth(60)
        self._slider.setMaximumWidth(180)
        self._slider.setAccessibleName(self.tr("Blend of voice and overall sound"))
        self.weighing = QWidget()
        voice = self._end(theme, self.tr("voice"), self.tr("The voice alone"))
        whole = self._end(theme, self.tr("whole sound"), self.tr("The whole sound alone"))
        hbox(None, voice, (self._slider, 1), whole, spacing=6, of=self.weighing)
        self._soon = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._soon.timeout.connect(self.changed)
        hbox(self.segments, of=self)
        keep_room(self)  # or what is below it would jump
        self.show_blend(False, 0.5)
        self.segments.chosen.connect(self.changed)
        self._slider.valueChanged.connect(self._moved)

    def _end(self, theme: Theme, text: str, tip: str) -> ElidedLabel:
        end = ElidedLabel("muted", theme.font(SMALL))
        end.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        end.setText(text)
        end.setAccessibleDescription(tip)
        return end

    @property
    def is_blended(self) -> bool:
        """One list, and not two side by side."""
        return self.segments.key == ONE

    @property
    def weight(self) -> float:
        """Of the voice, 1 on the left; whether the slider counts now or not."""
        return 1.0 - self._slider.value() / STEPS

    def show_blend(self, is_blended: bool, weight: float) -> None:
        self._slider.setValue(round((1.0 - weight) * STEPS))
        self.segments.show_key(ONE if is_blended else BOTH)

    def toggle(self) -> None:
        self.segments.show_key(BOTH if self.is_blended else ONE)
        self.changed.emit()

    def _moved(self, value: int) -> None:
        voice = round(100 * (1 - value / STEPS))
        self._slider.setToolTip(
            self.tr("{voice} % voice, {overall} % overall").format(voice=voice, overall=100 - voice)
        )
        if self.is_blended and not self._soon.isActive():
            self._soon.start()


# So high, in lines of text and pixels, that four results fit below the usual comparison, or below
# the one with portraits.
ROOMY, ROOMY_PX = 16, 300
ROOMY_WITH_PORTRAITS, ROOMY_WITH_PORTRAITS_PX = 20, 340
NARROW = 26  # lines of text as wide


@dataclass(frozen=True)
class Look:
    """Of a list: what its percentages mean, the view's icon and colour."""

    heading: str
    explanation: str
    icon: str
    colour: str


LOOKS: dict[By, Look] = {
    "vocals": Look(noop("By voice"), noop("how sure that it is one voice"), "voice", "accent"),
    "overall": Look(noop("Overall"), noop("how alike the whole sound is"), "overall", "overall"),
    "blend": Look(noop("Voice and overall"), "", "find", "accent"),
}


class ResultList(QWidget):
    """A heading, and below it results, or a sentence why there are none."""

    def __init__(self, theme: Theme, cover: DrawCover, look: Look, has_singers: bool) -> None:
        """``has_singers``: its percentages say how sure it is that it is one."""
        super().__init__()
        self.heading = self.tr(look.heading)
        self._is_compact = False
        self._has_singers = has_singers
        self.model = ResultModel()
        delegate = ResultDelegate(theme, look.colour, cover)
        self.view = ResultView(self.model, delegate, self.heading)
        self._message = label(role="muted", wrap=True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setMargin(28)
        self._note = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._note.setText(self.tr(look.explanation) if look.explanation else "")
        self._note.setVisible(bool(look.explanation))
        self._told = ElidedLabel(role="muted", font=theme.font(SMALL))
        self._lay_out(theme, look)
        theme.changed.connect(self.view.viewport().update)

    def _lay_out(self, theme: Theme, look: Look) -> None:
        icon = IconLabel(theme, look.icon, look.colour, 18)
        title = label(self.heading, font=theme.font(weight=QFont.Weight.DemiBold))
        self.head = hbox(icon, title, (self._note, 1), spacing=8, margins=(14, 10, 14, 8))
        body = QWidget()
        self._stack = QStackedLayout(body)
        self._stack.addWidget(self.view)
        self._stack.addWidget(self._message)
        self._grey = ElidedLabel("muted", theme.font(SMALL))
        self._grey.setText(self.tr("Grey: two singers are likelier than one."))
        self._grey.hide()
        below = vbox(self._told, self._grey, margins=(14, 4, 14, 0))
        vbox(self.head, (body, 1), below, of=self)
        self.tell("")

    def set_compact(self, is_compact: bool) -> None:
        self.head.setContentsMargins(14, 4 if is_compact else 10, 14, 3 if is_compact else 8)
        self._is_compact = is_compact
        self.view.set_compact(is_compact)
        self._explain_grey()

    def _explain_grey(self) -> None:
        """Where there is some, and room; each result's tool tip says it, too."""
        has_room = self._has_singers and not self._is_compact
        self._grey.setVisible(has_room and self.model.has_grey)

    def show_result(self, result: SearchResult | str) -> None:
        if isinstance(result, str):
            self.show_message(spoken(result))
            return
        note = spoken(result.note or "")
        self.model.is_calibrated = result.is_calibrated
        self.view.show_items(result.neighbours)
        self._explain_grey()
        self.tell(note)
        if result.neighbours:
            self._stack.setCurrentWidget(self.view)
        else:
            nothing = self.tr(
                "No other song to compare with yet. Index more songs, or relax the filters."
            )
            self.show_message(" ".join(filter(None, (nothing, note))))

    def tell(self, note: str) -> None:
        """What is not as asked, below the results; the tooltip holds all of it where it is cut."""
        self._told.setText(note)
        self._told.setVisible(bool(note))

    @property
    def told(self) -> str:
        return self._told.text()

    def show_message(self, text: str) -> None:
        self.tell("")
        self.model.set_items(())
        self._explain_grey()
        self._message.setText(narrow(text))
        self._stack.setCurrentWidget(self._message)


class ResultsPanel(QWidget):
    """Two lists side by side, or the one list that an answer has."""

    def __init__(
        self,
        theme: Theme,
        player: Player,
        cover: DrawCover,
        ask_facets: AskFacets,
        legend: QWidget,
    ) -> None:
        """``legend``: of dots, shown until a song is picked."""
        super().__init__()
        query = (self.tr("The song asked for"), "")
        result = (self.tr("The result"), self.tr("Choose a result below"))
        self.query_row = SongRow(theme, player, cover, Side.QUERY, query)
        self.result_row = SongRow(theme, player, cover, Side.RESULT, result)
        self.lists = {
            by: ResultList(theme, cover, look, by != "overall") for by, look in LOOKS.items()
        }
        self.voices, self.overall, self.blended = self.lists.values()
        self.filter_button = FilterButton(theme, ask_facets)
        self.filter_chips = FilterChips(self.filter_button)
        self.artists_button = button(self.tr("Artists"), "toggle")
        self.artists_button.setCheckable(True)
        keys = Keys.AS_ARTISTS.value
        self.artists_button.setToolTip(f"{keys.description}  ({keys.label})")
        self.artists_button.setAccessibleName(keys.description)
        self.portraits = PortraitView(theme)
        self.blend_bar = BlendBar(theme)
        self.blended.head.addWidget(self.blend_bar.weighing, 1)
        save = Keys.SAVE.value  # saves at once; the button asks what
        self.save_button = IconButton(theme, "share", save.description, shortcut=save.label)
        self._between = divider(is_vertical=True)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._welcome(theme, legend))
        self._stack.addWidget(self._main())
        self.arrange(("vocals", "overall"))

    def _welcome(self, theme: Theme, legend: QWidget) -> QWidget:
        file = button(self.tr("Any audio file…"), "plain", Keys.FIND_FILE)
        voice = button(self.tr("Sing or hum…"), "plain", Keys.RECORD)
        ways = vbox(file, voice, spacing=4)  # so that none is cut in narrow windows
        page = MessagePage(theme, "overall", "wave", ways, legend)
        page.show_text(
            self.tr("Pick a song"),
            self.tr("Singalike shows whose voice comes nearest, and which songs sound most alike."),
        )
        return page

    def _main(self) -> QWidget:
        card = QFrame()
        card.setObjectName("card")
        rows = (self.query_row, divider(), self.result_row, self.portraits)
        self._card = vbox(*rows, of=card)
        lists = QFrame()
        lists.setObjectName("card")
        views = ((self.voices, 1), self._between, (self.overall, 1), (self.blended, 1))
        self._views = hbox(*views, of=lists)
        others = (self.artists_button, self.save_button, self.filter_button)
        controls = hbox(self.blend_bar, None, *others, spacing=8)
        page = QWidget()
        self._page = vbox(card, controls, self.filter_chips, (lists, 1), of=page)
        self._set_compact(False)
        return page

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        line, height = self.fontMetrics().height(), event.size().height()
        for toggle in (self.artists_button, self.filter_button):
            set_look(toggle, "tight", event.size().width() < NARROW * line)
        self._set_compact(height < ROOMY_PX + ROOMY * line)
        portraits_px = ROOMY_WITH_PORTRAITS_PX + ROOMY_WITH_PORTRAITS * line
        self.portraits.set_has_room(height >= portraits_px)

    def _set_compact(self, is_compact: bool) -> None:
        """At least four results are seen, also in low windows and with large letters."""
        edge, between = (8, 5) if is_compact else (14, 10)
        self._page.setContentsMargins(edge, edge, edge, edge)
        self._page.setSpacing(between)
        self._card.setContentsMargins(edge, edge - 3, edge, edge - 3)
        self._card.setSpacing(between)
        self._views.setContentsMargins(1, 1, 1, between)  # the rounded corners stay free
        for row in (self.query_row, self.result_row):
            row.set_compact(is_compact)
        for one in self.lists.values():
            one.set_compact(is_compact)

    def show_main(self) -> None:
        """From now on a song is picked."""
        self._stack.setCurrentIndex(1)

    def show_welcome(self) -> None:
        """Nothing has been asked yet."""
        self._stack.setCurrentIndex(0)

    def arrange(self, shown: Collection[By]) -> None:
        """Which lists there are from now on; those that come are empty at first."""
        had_focus = any(one.view.hasFocus() for one in self.lists.values())
        for by, one in self.lists.items():
            if one.isHidden() and by in shown:
                one.show_message("")
            one.setVisible(by in shown)
        self.blend_bar.setVisible(set(shown) != {"vocals"})  # else there is nothing to blend
        self._between.setVisible(len(shown) == 2)
        if had_focus and not any(one.view.hasFocus() for one in self.shown_lists()):
            self.shown_lists()[0].view.setFocus()

    def shown_lists(self) -> list[ResultList]:
        return [one for one in self.lists.values() if not one.isHidden()]

    def show_answer(self, answer: Answer) -> None:
        self.arrange(answer.lists.keys())
        for by, found in answer.lists.items():
            self.lists[by].show_result(found)

    def show_message(self, text: str) -> None:
        for one in self.shown_lists():
            one.show_message(text)

    def chosen(self) -> Neighbour | None:
        """The selected result of the list that has the focus, or of the first with one."""
        lists = sorted(self.shown_lists(), key=lambda r: not r.view.hasFocus())
        return next((found for r in lists if (found := r.view.current()) is not None), None)

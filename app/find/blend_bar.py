"""Two lists side by side, or one: then a slider says how much the voice counts."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from app.ui.layouts import hbox, keep_room
from app.ui.segmented_switch import Segment, SegmentedSwitch
from app.ui.theme import Theme
from app.ui.widgets import SMALL, ElidedLabel

BOTH, ONE = "both", "one"
STEPS = 20
DELAY_MS = 60  # between two searches while the slider is dragged


class BlendBar(QWidget):
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
        self._ends = QWidget()
        voice = self._end(theme, self.tr("voice"), self.tr("The voice alone"))
        whole = self._end(theme, self.tr("whole sound"), self.tr("The whole sound alone"))
        hbox(voice, (self._slider, 1), whole, spacing=6, margins=(4, 0, 4, 0), of=self._ends)
        self._soon = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._soon.timeout.connect(self.changed)
        left = Qt.AlignmentFlag.AlignLeft
        hbox((self.segments, left), (self._ends, 1), spacing=8, of=self)
        keep_room(self)  # or what is below it would jump
        self.set_blend(None, 0.5)
        self.segments.chosen.connect(self._switched)
        self._slider.valueChanged.connect(self._moved)

    def _end(self, theme: Theme, text: str, tip: str) -> ElidedLabel:
        end = ElidedLabel("muted", theme.font(SMALL))
        end.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        end.setText(text)
        end.setAccessibleDescription(tip)
        return end

    @property
    def blend(self) -> float | None:
        """Weight of the voice, 1 on the left; None while the lists stand side by side."""
        return self.weight if self.segments.key == ONE else None

    @property
    def weight(self) -> float:
        """Where the slider stands, whether it counts now or not."""
        return 1.0 - self._slider.value() / STEPS

    def set_blend(self, blend: float | None, weight: float) -> None:
        """``weight`` is where the slider stands while ``blend`` is None."""
        value = weight if blend is None else blend
        self._slider.setValue(round((1.0 - min(1.0, max(0.0, value))) * STEPS))
        self.segments.show_key(BOTH if blend is None else ONE)
        self._ends.setVisible(blend is not None)

    def toggle(self) -> None:
        self.segments.show_key(BOTH if self.segments.key == ONE else ONE)
        self._switched()

    def _switched(self) -> None:
        self._ends.setVisible(self.blend is not None)
        self.changed.emit()

    def _moved(self, value: int) -> None:
        voice = round(100 * (1 - value / STEPS))
        self._slider.setToolTip(
            self.tr("{voice} % voice, {overall} % overall").format(voice=voice, overall=100 - voice)
        )
        if self.blend is not None and not self._soon.isActive():
            self._soon.start()

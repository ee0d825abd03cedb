"""What cuts the voice out of a song: which there are, and getting more of them."""

from __future__ import annotations

import shutil

from app.jobs import Job, Pool
from app.preferences.section import Card, Section
from app.services.services import Services
from app.ui.dialogs import confirm
from app.ui.layouts import clear_layout
from app.ui.widgets import ProgressBar, button
from engine import separation
from engine.paths import data_path
from engine.progress import Progress
from engine.separation import SeparatorInfo


class SeparatorsSection(Section):
    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._job: Job | None = None
        self._bar: ProgressBar | None = None
        self._installing = ""
        self.add_heading(self.tr("Which separator cuts out the voice"))
        self.add_note(
            self.tr(
                "The voice is compared without the instruments around it. Spleeter is quick and "
                "comes with Singalike; the others separate more cleanly and take longer."
            )
        )
        self._cards = self.add_cards()
        self.column.addStretch()
        self._read()

    def _purposes(self) -> dict[str, str]:
        return {
            "spleeter": self.tr("The quickest. Good for most music."),
            "umxhq": self.tr("The paper's separator. Slower, a little cleaner."),
            "umxl": self.tr("Cleaner than umxhq. Its licence allows private use only."),
            "hdemucs": self.tr("The cleanest, and by far the slowest."),
        }

    def stop(self) -> None:
        """Ends a download; what has come is kept for the next time."""
        if self._job is not None:
            self._job.cancel()

    def _read(self) -> None:
        self.run(separation.available, self._show)

    def _show(self, infos: list[SeparatorInfo]) -> None:
        in_use = separation.default_name()
        self._bar = None
        clear_layout(self._cards)
        for info in infos:
            self._cards.addWidget(self._card(info, is_used=info.name == in_use))

    def _card(self, info: SeparatorInfo, *, is_used: bool) -> Card:
        licence = self.tr("Licence of its weights: {licence}").format(licence=info.licence)
        card = Card(self.theme, info.title, [self._purposes().get(info.name, ""), licence])
        if info.name == self._installing:
            self._add_progress(card)
        elif not info.is_installed:
            size = f"{info.size_bytes / 1e6:.0f}"
            get = button(self.tr("Download {size} MB").format(size=size))
            get.setEnabled(self._job is None)
            get.clicked.connect(lambda: self._install(info.name))
            card.add(get)
        elif is_used:
            card.mark.setText(self.tr("in use"))
        else:
            use = button(self.tr("Use this one…"))
            use.clicked.connect(lambda: self._ask_use(info))
            card.add(use)
            if info.size_bytes:
                delete = button(self.tr("Delete…"))
                delete.clicked.connect(lambda: self._ask_delete(info))
                card.add(delete)
        return card

    # Getting one

    def _add_progress(self, card: Card) -> None:
        self._bar = ProgressBar(self.tr("Progress of the download"))
        self._bar.setFixedWidth(240)
        self._bar.show_progress(None)
        stop = button(self.tr("Stop"))
        stop.clicked.connect(self.stop)
        card.add(self._bar, stop)

    def _install(self, name: str) -> None:
        job = Job(
            lambda progress, cancel: separation.install(name, progress=progress, cancel=cancel)
        )
        job.progressed.connect(self._show_progress)
        job.failed.connect(self.problem)
        job.finished.connect(self._installed)
        self._job, self._installing = job, name
        self.services.open_library.runner.start(job, Pool.DOWNLOAD)
        self._read()

    def _show_progress(self, progress: Progress) -> None:
        if self._bar is not None:
            self._bar.show_progress(progress)

    def _installed(self) -> None:
        self._job, self._installing = None, ""
        self._read()

    # Using and deleting

    def _ask_use(self, info: SeparatorInfo) -> None:
        self.ask_to_listen_again(
            self.tr("Cut out voices with “{name}” from now on?").format(name=info.title),
            lambda: self._use(info.name),
            is_vocals=True,
        )

    def _use(self, name: str) -> None:
        self.listen_otherwise(separator=name)
        self._read()

    def _ask_delete(self, info: SeparatorInfo) -> None:
        confirm(
            self,
            self.tr("Delete “{name}” from this computer?").format(name=info.title),
            self.tr("It can be downloaded again: {size} MB.").format(
                size=f"{info.size_bytes / 1e6:.0f}"
            ),
            self.tr("Delete"),
            lambda: self.run(
                lambda: shutil.rmtree(data_path() / "models" / info.name), then=self._read
            ),
        )

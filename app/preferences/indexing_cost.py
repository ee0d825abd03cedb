"""What a choice costs, said before it is made."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.services.indexing import num_workers
from app.services.services import Services
from app.settings import INDEX_SPEED
from app.ui.language import grouped
from app.ui.text_format import duration

# Seconds of one core for one song of four minutes, rounded up: separated voices are heard 34 times
# as fast as songs play, whole songs 167 times (docs/results.md).
VOCALS_S, OVERALL_S = 8.0, 2.0


def relisten_text(widget: QWidget, services: Services, *, is_vocals: bool) -> str:
    """How long it takes to listen to all songs again, as a sentence or two."""
    overview = services.open_library.overview
    num_songs = overview.counts.tracks - overview.counts.missing if overview is not None else 0
    if not num_songs:
        return widget.tr("There are no songs yet, so nothing has to be listened to again.")
    seconds = num_songs * (VOCALS_S if is_vocals else OVERALL_S)
    seconds /= num_workers(services.settings.get(INDEX_SPEED))
    return widget.tr(
        "All {num} songs have to be listened to again, which takes about {time}. You can go on "
        "meanwhile; what was heard before serves until nearly all songs are heard anew, and is "
        "kept, so that you can change back at once."
    ).format(num=grouped(num_songs), time=duration(seconds))

"""One list of results: the neighbours that a search found, nearest first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QModelIndex

from app.desktop.drag_and_drop import MIME_TYPES, files_as_mime_data
from app.ui.heard import heard_explained
from app.ui.rows import RowModel
from app.ui.text_format import one_line, title_of
from app.ui.widgets import plain_tool_tip
from engine.models.calibration import Likeness, likeness
from engine.search import Neighbour

NO_PERCENT = -1  # in place of ``Neighbour.percent`` where there is nothing to compare with


class ResultModel(RowModel):
    """Drawn by its delegate."""

    def __init__(self) -> None:
        super().__init__()
        self.is_calibrated = False  # percentages are the chance of one voice, and have names
        self._whole_song = self.tr("voice from the whole song")
        self._verdicts: dict[Likeness, str] = {
            "very similar": self.tr(
                "Very similar: hardly one of a hundred pairs of different singers comes so near."
            ),
            "similar": self.tr("Similar: one singer is likelier than two."),
            "": self.tr("Not so near: two singers are likelier than one."),
        }

    @property
    def neighbours(self) -> tuple[Neighbour, ...]:
        return tuple(self.items)

    def key(self, item: Neighbour) -> int:
        return item.track.id

    def spoken(self, row: int) -> str:
        neighbour: Neighbour = self.items[row]
        name = self._name(neighbour)
        if neighbour.percent == NO_PERCENT:
            return name
        said = self.tr("{name}, {similarity} % alike").format(
            name=name, similarity=neighbour.percent
        )
        rough = self._whole_song if neighbour.is_from_mixture else ""
        return ", ".join(filter(None, (said, self._parts(neighbour), rough)))

    def tip(self, row: int) -> str:
        return "<br>".join(plain_tool_tip(line) for line in self._explanation(self.items[row]))

    def _name(self, neighbour: Neighbour) -> str:
        if neighbour.more is not None:
            return ": ".join(lines_of(neighbour))
        title, artist = title_of(neighbour.track), one_line(neighbour.track.artist)
        by = self.tr("{title} by {artist}").format(title=title, artist=artist)
        return by if artist else title

    def _explanation(self, neighbour: Neighbour) -> list[str]:
        """What has no room in the row, or may have been cut there."""
        track, verdict = neighbour.track, self.likeness(neighbour)
        if neighbour.more is not None:
            songs = (neighbour, *neighbour.more)
            songs_told = (f"{title_of(song.track)}  {song.percent} %" for song in songs)
            return [lines_of(neighbour)[0], *songs_told]
        names = filter(None, (one_line(track.artist), one_line(track.album)))
        told = "" if verdict is None else self._verdicts[verdict]
        heard = self._whole_song.capitalize() + "." if neighbour.is_from_mixture else ""
        parts, words = self._parts(neighbour), heard_explained(track.heard)
        lines = (title_of(track), " · ".join(names), told, parts, heard, words)
        return [line for line in lines if line]

    def _parts(self, neighbour: Neighbour) -> str:
        """Of a blend, what each view says alone."""
        texts = {"vocals": self.tr("voice {num} %"), "overall": self.tr("whole sound {num} %")}
        return ", ".join(texts[view].format(num=percent) for view, percent in neighbour.parts)

    @property
    def has_grey(self) -> bool:
        """Whether some percentage steps back, which the list explains."""
        return any(self.likeness(neighbour) == "" for neighbour in self.items)

    def likeness(self, neighbour: Neighbour) -> Likeness | None:
        """None where percentages are no chances."""
        has_name = self.is_calibrated and neighbour.percent != NO_PERCENT
        return likeness(neighbour.percent) if has_name else None

    # Dragging

    def mimeTypes(self) -> list[str]:
        return MIME_TYPES

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        tracks = [self.items[row].track for row in sorted({i.row() for i in indexes})]
        return files_as_mime_data([t.path for t in tracks], [t.id for t in tracks])


def lines_of(neighbour: Neighbour) -> tuple[str, str]:
    """What a row says: a title and its artist, or an artist and the nearest of their songs."""
    track = neighbour.track
    artist = one_line(track.artist or track.tags.album_artist) or one_line(track.path.parent.name)
    if neighbour.more is None:
        return title_of(track), artist
    return artist, " · ".join(title_of(one.track) for one in (neighbour, *neighbour.more))

"""Questions, and asking them; searches with a name: what was asked, and how, to be asked again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import QueryError
from engine.library import Library
from engine.library.kept.searches import put_search, searches
from engine.library.kept.songs import keep, songs
from engine.library.scope import Scope
from engine.preferences import Voices
from engine.progress import CancelToken, ProgressCallback, ignore_progress
from engine.search.records import SearchOptions, SearchResult
from engine.search.searcher import Searcher


@dataclass(frozen=True)
class SavedQuestion:
    """One of these is asked with: tracks of the library, an artist, or any file.

    Attributes:
        part_s: of the track or the file, from and to.
        options: without ``model``, which is the library's best at any time.
    """

    options: SearchOptions
    track_ids: tuple[int, ...] = ()
    artist: str | None = None
    path: Path | None = None
    part_s: tuple[float, float] | None = None


def ask(
    searcher: Searcher,
    question: SavedQuestion,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    *,
    is_vocals: bool = False,
    voices: Voices = "fine",
) -> SearchResult:
    """``is_vocals``, ``voices``: as in ``Searcher.by_file``. Raises what the searcher does."""
    if question.artist is not None:
        return searcher.by_artist(question.artist, question.options)
    if question.track_ids and question.part_s is None and not is_vocals:
        return searcher.by_tracks(question.track_ids, question.options)
    path = question.path
    if path is None:
        (track,) = searcher.source.tracks(question.track_ids[:1])
        if track.is_elsewhere:
            raise QueryError(f"{track.title} is not on this machine. Search by the whole of it.")
        path = track.path
    start_s, end_s = question.part_s or (0.0, None)
    return searcher.by_file(
        path,
        question.options,
        start_s=start_s,
        end_s=end_s,
        is_vocals=is_vocals,
        voices=voices,
        progress=progress,
        cancel=cancel,
    )


def save_question(library: Library, name: str, question: SavedQuestion) -> None:
    """In the place of an earlier one of this name. Its songs may move, as those of playlists."""
    options = asdict(question.options)
    scope = options.pop("scope")
    for several in ("genres", "sounds_like"):
        scope[several] = sorted(scope[several])
    scope["folders"] = sorted(map(str, scope["folders"]))
    del options["model"]
    told: dict[str, Any] = {
        "songs": keep(library.database, question.track_ids),
        "artist": question.artist,
        "path": None if question.path is None else str(question.path),
        "part_s": question.part_s,
        "options": options,
        "scope": scope,
    }
    put_search(library.database, name, told)


def saved_question(library: Library, name: str) -> SavedQuestion:
    """QueryError where there is none of this name, or its songs are not in the library now."""
    found = searches(library.database)
    told = next((found[one] for one in found if one.casefold() == name.casefold()), None)
    if told is None:
        known = ", ".join(f"“{one}”" for one in found) or "none yet"
        raise QueryError(f"There is no saved search “{name}”. Saved searches: {known}.")
    track_ids = [song.track_id for song in songs(library.database, told["songs"])]
    if None in track_ids:
        raise QueryError(
            f"A song of the search “{name}” is not in the library. Add its folder, then try again."
        )
    scope = told["scope"] | {
        "genres": frozenset(told["scope"]["genres"]),
        "sounds_like": frozenset(told["scope"].get("sounds_like", ())),  # not in the first ones
        "folders": frozenset(map(Path, told["scope"]["folders"])),
    }
    return SavedQuestion(
        SearchOptions(**told["options"], scope=Scope(**scope)),
        tuple(one for one in track_ids if one is not None),
        told["artist"],
        None if told["path"] is None else Path(told["path"]),
        None if told["part_s"] is None else tuple(told["part_s"]),
    )

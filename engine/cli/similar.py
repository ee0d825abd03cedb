"""The command that the others are for: similar."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from inspect import Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import (
    By,
    CatalogueOption,
    JsonOption,
    LibraryOption,
    ModelOption,
    Voices,
    VoicesOption,
    clock,
    note,
    open_source,
    printable,
    stoppable,
    voices_or_chosen,
    write_json,
)
from engine.cli.progress import shown_progress
from engine.errors import AmbiguousQueryError, QueryError

if TYPE_CHECKING:
    from engine.library import Library, Track
    from engine.library.scope import Scope
    from engine.search import SearchOptions, SearchResult
    from engine.search.saved import SavedQuestion
    from engine.search.source import Source

MAX_CANDIDATES = 20
NUM_EXAMPLES = 100

ByOption = Annotated[By, typer.Option(help="Compare voices, the whole sound, or both.")]
ArtistOption = Annotated[
    str | None,
    typer.Option("--artist", metavar="NAME", help="Songs like all of an artist's, not like one."),
]


def search_options(
    by: ByOption = "vocals",
    blend: Annotated[
        float, typer.Option(min=0, max=1, help="Weight of the vocals with --by blend.")
    ] = 0.5,
    k: Annotated[int, typer.Option("-k", min=1, help="How many songs to show.")] = 10,
    other_artists: Annotated[
        bool, typer.Option("--other-artists", help="Leave out the query's own artist.")
    ] = False,
    other_albums: Annotated[
        bool, typer.Option("--other-albums", help="Leave out the query's own album.")
    ] = False,
    no_duplicates: Annotated[
        bool, typer.Option("--no-duplicates", help="Show one of several copies of a song.")
    ] = False,
    one_each: Annotated[
        bool, typer.Option("--one-each", help="Show one song of each artist, the nearest.")
    ] = False,
    genre: Annotated[
        list[str] | None,
        typer.Option("--genre", help="Only this genre; may be given several times."),
    ] = None,
    years: Annotated[
        str | None,
        typer.Option("--years", metavar="FROM-TO", help="Only these years, as 1970-1979."),
    ] = None,
    folder: Annotated[
        list[Path] | None, typer.Option("--folder", help="Only what lies in this folder.")
    ] = None,
    length: Annotated[
        str | None,
        typer.Option("--length", metavar="FROM-TO", help="Only so long songs, as 2:00-5:00."),
    ] = None,
    notes: Annotated[
        str | None,
        typer.Option(
            "--range", metavar="LOW-HIGH", help="Only voices within these notes, as A2-E4."
        ),
    ] = None,
    sounds_like: Annotated[
        list[str] | None,
        typer.Option(
            "--sounds-like",
            metavar="TAG",
            help="Only songs in which this is heard, as jazz; of several, all.",
        ),
    ] = None,
    model: ModelOption = None,
) -> SearchOptions:
    """How to search, as options of a command."""
    from engine.search import SearchOptions

    scope = parse_scope(genre, years, folder, length, notes, sounds_like)
    return SearchOptions(
        by, blend, k, other_artists, other_albums, no_duplicates, model, one_each, scope
    )


def takes_search_options(k: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """For commands: their parameter ``options`` is given by the options of ``search_options``.

    ``k``: how many songs they show by default.
    """
    names = {"SearchOptions": None}  # whose module is not loaded here
    shared = [
        one.replace(default=k) if one.name == "k" else one
        for one in signature(search_options, eval_str=True, locals=names).parameters.values()
    ]

    def taking(command: Callable[..., None]) -> Callable[..., None]:
        own = signature(command, eval_str=True, locals=names).parameters.values()

        def call(**values: Any) -> None:
            options = search_options(**{one.name: values.pop(one.name) for one in shared})
            command(options=options, **values)

        call.__name__, call.__doc__, call.__annotations__ = command.__name__, command.__doc__, {}
        parameters = [*(one for one in own if one.name != "options"), *shared]
        call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return call

    return taking


@takes_search_options(k=10)
def similar(
    options: SearchOptions,
    songs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SONG]...",
            help="A file, a track id, or words in quotes from artist and title. Several songs are"
            " one question. Default: an example.",
        ),
    ] = None,
    library: LibraryOption = None,
    at: Annotated[
        str | None, typer.Option(metavar="FROM-TO", help="Only this part of it, as 1:05-1:20.")
    ] = None,
    artists: Annotated[
        bool,
        typer.Option("--artists", help="Show -k other artists, each with their nearest songs."),
    ] = False,
    artist: ArtistOption = None,
    voice_alone: Annotated[
        bool, typer.Option("--voice-alone", help="The file holds nothing but a voice.")
    ] = False,
    voices: VoicesOption = None,
    catalogue: CatalogueOption = None,
    save: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep this search; see `singalike saved`.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the songs whose singer, or whose whole sound, is most like a song's, or like several."""
    from engine.search.export import result_as_dict
    from engine.search.library_source import LibrarySource
    from engine.search.saved import save_question

    if save is not None and catalogue is not None:
        raise typer.BadParameter("--save needs a library, not a catalogue.")
    if voice_alone and len(songs or ()) > 1:
        raise typer.BadParameter("Several songs are compared whole, and are of the library.")
    options = replace(options, as_artists=artists)
    with open_source(library, catalogue) as source:
        question = question_meant(source, songs or [], artist, at, options)
        result = answer(source, question, voice_alone, voices)
        if save is not None and isinstance(source, LibrarySource):
            save_question(source.library, save, question)
    if as_json:
        write_json(result_as_dict(result))
    else:
        show(result)


def question_meant(
    source: Source, songs: list[str], artist: str | None, at: str | None, options: SearchOptions
) -> SavedQuestion:
    """What is asked with. A song with several meanings: a list, and exit 2."""
    from engine.search import resolve_artist
    from engine.search.saved import SavedQuestion

    if artist is not None:
        if songs or at:
            raise typer.BadParameter("--artist stands for a song: give one or the other.")
        return SavedQuestion(options, artist=resolve_artist(source, artist))
    if len(songs) > 1 and at:
        raise typer.BadParameter("Several songs are compared whole, and are of the library.")
    part_s = parse_part(at) if at else None
    if len(songs) == 1:
        is_file = os.path.isfile(songs[0])  # noqa: PTH113, words may be too long for a path
        if is_file and source.track_by_path(Path(songs[0])) is None:
            return SavedQuestion(options, path=Path(songs[0]), part_s=part_s)
    ids = [meant(source, song).id for song in songs] or [_example(source)]
    return SavedQuestion(options, tuple(ids), part_s=part_s)


def answer(
    source: Source,
    question: SavedQuestion,
    is_voice: bool = False,
    voices: Voices | None = None,
) -> SearchResult:
    from engine.search import Searcher
    from engine.search.saved import ask

    searcher = Searcher(source)
    if question.path is None and question.part_s is None and not is_voice:
        return ask(searcher, question)
    with stoppable() as cancel, shown_progress() as progress:
        how = voices_or_chosen(voices)
        return ask(searcher, question, progress, cancel, is_vocals=is_voice, voices=how)


def meant(songs: Library | Source, song: str) -> Track:
    """The track that a path, an id or words mean. Several: a list, and exit 2."""
    from engine.search import resolve

    try:
        (track,) = songs.tracks([resolve(songs, song)])
    except AmbiguousQueryError as error:
        note(str(error))
        for candidate in songs.tracks(error.candidates[:MAX_CANDIDATES]):
            note(f"  {candidate.id:>6}  {name_of(candidate)}")
        raise typer.Exit(2) from error
    return track


def parse_scope(
    genres: list[str] | None,
    years: str | None,
    folders: list[Path] | None,
    length: str | None,
    notes: str | None = None,
    sounds_like: list[str] | None = None,
) -> Scope:
    """The part of the library that the options name."""
    from engine.library.scope import Scope, genre_key
    from engine.listening.notes import parse_notes

    first_year, last_year = (None, None)
    if years is not None:
        match = re.fullmatch(r"\s*(\d{4})\s*(?:-\s*(\d{4})\s*)?", years)
        if match is None:
            raise typer.BadParameter(f"{years!r} are no years. Write them as 1970-1979.")
        first_year, last_year = int(match[1]), int(match[2] or match[1])
    shortest_s, longest_s = (
        (None, None) if length is None else parse_part(length, "is no length", "2:00-5:00")
    )
    try:
        low, high = (None, None) if notes is None else parse_notes(notes)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return Scope(
        frozenset(map(genre_key, genres or ())),
        first_year,
        last_year,
        frozenset(folders or ()),
        shortest_s,
        longest_s,
        low,
        high,
        frozenset(map(_heard_tag, sounds_like or ())),
    )


def _heard_tag(words: str) -> str:
    from engine.library.text import normalise
    from engine.models.tags import shown_names

    by_key = {normalise(name): name for name in shown_names()}
    if (key := normalise(words)) not in by_key:
        known = ", ".join(by_key.values())
        raise typer.BadParameter(f"{words!r} is nothing that can be heard. Known are {known}.")
    return by_key[key]


def parse_part(
    text: str, fault: str = "is no part of a song", example: str = "1:05-1:20"
) -> tuple[float, float]:
    """``1:05-1:20`` -> (65.0, 80.0). Also ``65-80`` and ``1:02:03.5-1:03:00``."""
    time = r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)"
    match = re.fullmatch(rf"\s*{time}\s*-\s*{time}\s*", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} {fault}. Write it as {example}.")
    numbers = [float(part or 0) for part in match.groups()]
    start_s, end_s = (h * 3600 + m * 60 + s for h, m, s in (numbers[:3], numbers[3:]))
    if end_s <= start_s:
        raise typer.BadParameter(f"{text!r} ends before it begins.")
    return start_s, end_s


def _example(source: Source) -> int:
    """A song to show what can be found: one with vocals, if possible."""
    from engine.library import TrackStatus
    from engine.search.library_source import LibrarySource

    if not isinstance(source, LibrarySource):
        raise QueryError("Name a song: a file, an address, an id, or words from artist and title.")
    library = source.library
    ids = library.track_ids(status=TrackStatus.INDEXED)
    if not ids:
        raise QueryError("Nothing in this library has been heard yet. Index a folder first.")
    return max(library.tracks(ids[:NUM_EXAMPLES]), key=lambda track: track.has_vocals is True).id


def name_of(track: Track) -> str:
    title = track.title or track.path.name
    return printable(f"{track.artist} – {title}" if track.artist else title)


def show(result: SearchResult) -> None:
    from engine.models.calibration import likeness

    query = result.query
    name = name_of(query.track) if query.track else printable(query.path.name)
    if query.artist is not None:
        name = printable(query.artist)
    elif len(query.tracks) > 1:
        name = f"{len(query.tracks)} songs, above all {name}"
    part = f", {clock(query.start_s)}–{clock(query.end_s)}" if query.end_s is not None else ""
    listener = ", ".join(dict.fromkeys(result.models.values()))
    kind = {"vocals": "voices", "overall": "songs overall", "blend": "voices and songs"}[result.by]
    if result.note:
        note(printable(result.note))
    typer.echo(f"Nearest {kind} to {name}{part}  ({listener})")
    if query.heard:
        typer.echo(f"It sounds like {', '.join(query.heard)}.")
    for neighbour in result.neighbours:
        line = f"{neighbour.rank:>3}  {neighbour.percent:>4} %  {name_of(neighbour.track)}"
        line += "".join(f", {printable(one.track.title)}" for one in neighbour.more or ())
        if neighbour.moments:
            best = neighbour.moments[0]
            line += f"  [{clock(best.query_start_s)} ~ {clock(best.start_s)}]"
        if result.is_calibrated and likeness(neighbour.percent) == "very similar":
            line += "  (very similar)"
        typer.echo(line)
    if not result.neighbours:
        typer.echo("  No other song in the library passes.")

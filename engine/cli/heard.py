"""What is heard in a song, in words (tags), and its voice, in named measures (portrait)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import (
    JsonOption,
    LibraryOption,
    open_library,
    stoppable,
    write_json,
    write_list,
)
from engine.cli.similar import meant
from engine.errors import QueryError, SilentError

if TYPE_CHECKING:
    from engine.records import HeardTag, VoicePortrait

SongArgument = Annotated[
    str, typer.Argument(help="A file, a track id, or words from artist and title.")
]


def tags(
    song: SongArgument,
    library: LibraryOption = None,
    show_all: Annotated[bool, typer.Option("--all", help="Unlikely tags too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is heard in a song: genre, mood, instruments, era. Files' own tags play no part.

    A song of the library was heard when it was indexed; a file is heard now.
    """
    from engine.library.heard import tags_of

    if _is_file(song):
        heard = _heard_in(Path(song), show_all)
    else:
        with open_library(library) as opened:
            track = meant(opened, song)
            kept = tags_of(opened.database, [track.id]).get(track.id, ())
        heard = kept if kept and not show_all else _heard_in(track.path, show_all)
    strongest = sorted(heard, key=lambda tag: -tag.strength)
    lines = [f"{tag.strength:4.0%}  {tag.name}  ({tag.kind})" for tag in strongest]
    write_list([asdict(tag) for tag in heard], lines or ["Nothing stands out."], as_json)


def _heard_in(path: Path, show_all: bool) -> tuple[HeardTag, ...]:
    from engine import models
    from engine.listening.embedding import embed_song

    with stoppable() as cancel:
        try:
            heard = embed_song(path, {"overall": models.load("musicnn")}, cancel=cancel)
        except SilentError:
            return ()
    found = heard["overall"]
    tags = (found.tags if found else None) or ()
    return tuple(tag for tag in tags if show_all or tag.is_kept)


def portrait(
    song: SongArgument,
    library: LibraryOption = None,
    voice_alone: Annotated[
        bool, typer.Option("--voice-alone", help="The file holds nothing but a voice.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a voice sounds like: notes, vibrato, breath, roughness, brightness."""
    found = _of_file(Path(song), voice_alone) if _is_file(song) else _of_track(library, song)
    if as_json:
        write_json(asdict(found))
    else:
        for line in _lines(found):
            typer.echo(line)


def _of_track(library: Path | None, song: str) -> VoicePortrait:
    from engine.library.heard import portraits

    with open_library(library) as opened:
        track = meant(opened, song)
        found = portraits(opened.database, [track.id]).get(track.id)
    if found is not None:
        return found
    if track.has_vocals is False:
        raise QueryError(f"Nobody sings in {track.title}: there is no voice to describe.")
    raise QueryError(
        f"The voice of {track.title} was not measured yet: that is done when it is separated. "
        "Run `singalike index --voices fine`, or give the file itself."
    )


def _of_file(path: Path, is_vocals: bool) -> VoicePortrait:
    from engine.listening.embedding import portrait_of_file

    with stoppable() as cancel:
        found = portrait_of_file(path, is_vocals=is_vocals, cancel=cancel)
    if found is None:
        raise QueryError(f"Too little is sung in {path.name} to describe its voice.")
    return found


def _lines(portrait: VoicePortrait) -> Iterator[str]:
    from engine.listening.notes import note_name

    lowest, usual, highest = (
        note_name(note)
        for note in (portrait.lowest_note, portrait.usual_note, portrait.highest_note)
    )
    yield f"notes       {lowest} to {highest}, mostly around {usual}"
    if portrait.vibrato_hz is None or portrait.vibrato_cents is None:
        yield "vibrato     none"
    else:
        yield (
            f"vibrato     {portrait.vibrato_hz:.1f} Hz, ± {portrait.vibrato_cents:.0f} cents, in "
            f"{portrait.vibrato_share:.0%} of the long notes"
        )
    if portrait.clearness_db is not None and portrait.roughness_db is not None:
        yield f"clearness   {portrait.clearness_db:.0f} dB (low: breathy)"
        yield f"roughness   {portrait.roughness_db:+.0f} dB (above 0: rough)"
    if portrait.brightness_hz is not None:
        yield f"brightness  {portrait.brightness_hz:.0f} Hz"
    yield f"sung        {portrait.sung_share:.0%} of the time"


def _is_file(song: str) -> bool:
    return os.path.isfile(song)  # noqa: PTH113, words may be too long for a path

"""``singalike playlist | favourite | mark | saved``: what a person keeps of the library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.common import (
    JsonOption,
    LibraryOption,
    new_commands,
    note,
    open_library,
    printable,
    some,
    stoppable,
    write_json,
    write_list,
)
from engine.cli.progress import shown_progress
from engine.cli.similar import meant, name_of, show
from engine.library import Library
from engine.library.kept import playlists
from engine.library.kept.marks import favourites, marks, put_mark, set_favourite
from engine.library.kept.searches import delete_search, searches
from engine.library.kept.songs import KeptSong, keep
from engine.search import Searcher
from engine.search.export import as_dict, export, export_marks, mark_as_dict, result_as_dict
from engine.search.saved import ask, saved_question

playlist = new_commands(needs_arguments=False)
favourite = new_commands(needs_arguments=False)
mark = new_commands(needs_arguments=False)
saved = new_commands(needs_arguments=False)

AWAY = "(not in the library)"
NameArgument = Annotated[str, typer.Argument(help="The playlist's name.")]
SearchArgument = Annotated[str, typer.Argument(help="As it was called with `similar --save`.")]
SongsArgument = Annotated[
    list[str], typer.Argument(help="Files of the library, track ids, or words in quotes.")
]
SongArgument = Annotated[str, typer.Argument(help="A file of the library, a track id, or words.")]


@playlist.callback(invoke_without_command=True)
def list_playlists(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the playlists, or do something with one of them."""
    if context.invoked_subcommand is not None:
        return
    with open_library(library) as opened:
        found = playlists.playlists(opened.database)
    write_list(
        [{"name": one.name, "num_songs": one.num_songs} for one in found],
        (f"{printable(one.name)}  ({some(one.num_songs)})" for one in found),
        as_json,
        "No playlists yet. `singalike playlist create` makes one.",
    )


@playlist.command("show")
def show_playlist(
    name: NameArgument, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the songs of a playlist."""
    with open_library(library) as opened:
        _show(opened, _songs(opened, name)[1], as_json)


@playlist.command()
def create(
    name: NameArgument,
    songs: Annotated[
        list[str] | None, typer.Argument(help="Files of the library, track ids, or quoted words.")
    ] = None,
    library: LibraryOption = None,
) -> None:
    """Make a playlist of songs, or an empty one."""
    with open_library(library) as opened:
        playlists.create(opened.database, name, _kept(opened, songs or ()))
        _note_size(opened, name)


@playlist.command()
def add(name: NameArgument, songs: SongsArgument, library: LibraryOption = None) -> None:
    """Put songs at the end of a playlist."""
    with open_library(library) as opened:
        playlists.add_songs(opened.database, _songs(opened, name)[0], _kept(opened, songs))
        _note_size(opened, name)


@playlist.command()
def remove(
    name: NameArgument,
    numbers: Annotated[list[int], typer.Argument(help="As `playlist show` counts them.")],
    library: LibraryOption = None,
) -> None:
    """Take songs out of a playlist."""
    with open_library(library) as opened:
        playlist_id, songs = _songs(opened, name)
        if wrong := [one for one in numbers if not 0 < one <= len(songs)]:
            raise typer.BadParameter(f"There is no song {wrong[0]} among {len(songs)}.")
        rest = [song.id for number, song in enumerate(songs, start=1) if number not in numbers]
        playlists.set_songs(opened.database, playlist_id, rest)
        _note_size(opened, name)


@playlist.command()
def rename(
    name: NameArgument,
    new_name: Annotated[str, typer.Argument(help="Its new name.")],
    library: LibraryOption = None,
) -> None:
    """Give a playlist another name."""
    with open_library(library) as opened:
        playlists.rename(opened.database, _songs(opened, name)[0], new_name)
        _note_size(opened, new_name)


@playlist.command()
def delete(name: NameArgument, library: LibraryOption = None) -> None:
    """Delete a playlist; its songs stay in the library."""
    with open_library(library) as opened:
        playlists.delete(opened.database, _songs(opened, name)[0])
    note(f"“{printable(name)}” is deleted. Its songs stay in the library.")


@playlist.command("import")
def import_playlist(
    file: Annotated[Path, typer.Argument(help="A playlist of another program: .m3u8 or .m3u.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it.", show_default="the file's name")
    ] = None,
    library: LibraryOption = None,
) -> None:
    """Take in a playlist; songs that the library does not hold wait in it until it does."""
    with open_library(library) as opened:
        songs = playlists.songs_of(
            opened.database, playlists.import_m3u(opened.database, file, name)
        )
    num_here = sum(song.track_id is not None for song in songs)
    note(f"{some(len(songs))}, of which the library holds {num_here}.")


@playlist.command("export")
def export_playlist(
    name: NameArgument,
    target: Annotated[Path, typer.Argument(help="A file ending in .m3u8, .json or .csv.")],
    absolute: Annotated[
        bool, typer.Option("--absolute", help="Full paths in a playlist, not relative ones.")
    ] = False,
    library: LibraryOption = None,
) -> None:
    """Write those songs of a playlist that the library holds, for other programs."""
    with open_library(library) as opened:
        songs = _songs(opened, name)[1]
        tracks = opened.tracks([song.track_id for song in songs if song.track_id is not None])
        export(tracks, target, has_relative_paths=not absolute)
    note(f"{some(len(tracks))} of {len(songs)} written to {target}.")


@favourite.callback(invoke_without_command=True)
def list_favourites(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the favourites, or give songs a heart (`add`) or take it from them (`remove`)."""
    if context.invoked_subcommand is None:
        with open_library(library) as opened:
            _show(opened, favourites(opened.database), as_json)


@favourite.command("add")
def add_favourites(songs: SongsArgument, library: LibraryOption = None) -> None:
    """Give songs a heart."""
    with open_library(library) as opened:
        set_favourite(opened.database, _meant(opened, songs), True)
    note(f"{some(len(songs))} with a heart.")


@favourite.command("remove")
def remove_favourites(songs: SongsArgument, library: LibraryOption = None) -> None:
    """Take the heart from songs."""
    with open_library(library) as opened:
        set_favourite(opened.database, _meant(opened, songs), False)
    note(f"{some(len(songs))} without a heart.")


@mark.callback(invoke_without_command=True)
def list_marks(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List which songs you marked as the same voice (`same`) or not (`different`).

    A song marked as different is no longer found by the other one's voice.
    """
    if context.invoked_subcommand is not None:
        return
    with open_library(library) as opened:
        found = marks(opened.database)
    write_list(
        [mark_as_dict(one) for one in found],
        (
            f"{'same voice' if one.is_same else 'other voice':<12} "
            f"{_name(one.song)}  |  {_name(one.other)}"
            for one in found
        ),
        as_json,
        "No marks yet. `singalike mark same` and `mark different` make some.",
    )


def _add_marking(name: str, is_same: bool | None, said: str, text: str) -> None:
    @mark.command(name, help=text)
    def put(song: SongArgument, other: SongArgument, library: LibraryOption = None) -> None:
        with open_library(library) as opened:
            pair = meant(opened, song), meant(opened, other)
            put_mark(opened.database, pair[0].id, pair[1].id, is_same)
        note(f"{said}: {name_of(pair[0])} | {name_of(pair[1])}")


_add_marking("same", True, "The same voice", "Say that two songs have the same voice.")
_add_marking("different", False, "Different voices", "Say that two songs have different voices.")
_add_marking("remove", None, "No mark any more", "Say nothing about two songs any more.")


@mark.command("export")
def export_mark_table(
    target: Annotated[Path, typer.Argument(help="A file ending in .csv.")],
    library: LibraryOption = None,
) -> None:
    """Write all marks as a table: pairs of songs, and whether they have the same voice."""
    with open_library(library) as opened:
        found = marks(opened.database)
        export_marks(found, target)
    note(f"{some(len(found), 'pair')} written to {target}.")


@saved.callback(invoke_without_command=True)
def list_searches(
    context: typer.Context, library: LibraryOption = None, as_json: JsonOption = False
) -> None:
    """List the saved searches, or do one again (`run`)."""
    if context.invoked_subcommand is not None:
        return
    with open_library(library) as opened:
        found = searches(opened.database)
    write_list(
        [{"name": name, **question} for name, question in found.items()],
        map(printable, found),
        as_json,
        "No saved searches yet. `singalike similar --save NAME` keeps one.",
    )


@saved.command()
def run(name: SearchArgument, library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Search as it was saved, among the songs that there are now."""
    with open_library(library) as opened, stoppable() as cancel, shown_progress() as progress:
        result = ask(Searcher(opened), saved_question(opened, name), progress, cancel)
    if as_json:
        write_json(result_as_dict(result))
    else:
        show(result)


@saved.command("delete")
def delete_saved(name: SearchArgument, library: LibraryOption = None) -> None:
    """Delete a saved search."""
    with open_library(library) as opened:
        delete_search(opened.database, name)
    note(f"The search “{printable(name)}” is deleted.")


def _songs(library: Library, name: str) -> tuple[int, list[KeptSong]]:
    """(id, songs) of the playlist of this name."""
    playlist_id = playlists.playlist_named(library.database, name).id
    return playlist_id, playlists.songs_of(library.database, playlist_id)


def _note_size(library: Library, name: str) -> None:
    note(f"“{printable(name)}” has {some(len(_songs(library, name)[1]))}.")


def _meant(library: Library, songs: Sequence[str]) -> list[int]:
    return [meant(library, song).id for song in songs]


def _kept(library: Library, songs: Sequence[str]) -> list[int]:
    return keep(library.database, _meant(library, songs))


def _show(library: Library, songs: Sequence[KeptSong], as_json: bool) -> None:
    ids = [song.track_id for song in songs if song.track_id is not None]
    tracks = {track.id: track for track in library.tracks(ids)}
    rows: list[dict[str, Any]] = [
        {"in_library": song.track_id is not None} | as_dict(tracks.get(song.track_id or 0, song))
        for song in songs
    ]
    names = (
        name_of(tracks[song.track_id]) if song.track_id in tracks else f"{_name(song)}  {AWAY}"
        for song in songs
    )
    lines = (f"{number:>3}  {name}" for number, name in enumerate(names, start=1))
    write_list(rows, lines, as_json, "No songs in it yet.")


def _name(song: KeptSong) -> str:
    return printable(" – ".join(filter(None, (song.artist, song.title))) or song.path.name)

"""Commands that only tell: status, failed, models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from engine.cli.common import (
    JsonOption,
    LibraryOption,
    note,
    open_library,
    printable,
    some,
    write_json,
    write_list,
)

if TYPE_CHECKING:
    from engine.library import Library

NUM_TAGS = 8
STATES = ("tracks", "indexed", "new", "failed", "missing", "no_vocals")


def status(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """Show what the library holds."""
    with open_library(library) as opened:
        facts = _facts(opened)
    if as_json:
        write_json(facts)
        return
    typer.echo(f"{facts['library']}  {facts['size_bytes'] / 1e6:.1f} MB")
    for folder in facts["folders"]:
        where = "elsewhere" if "://" in folder["path"] else "not there now"
        away = "" if folder["is_available"] else f"  ({where})"
        typer.echo(f"  {printable(folder['path'])}  {some(folder['tracks'])}{away}")
    typer.echo(", ".join(f"{facts[state]} {state.replace('_', ' ')}" for state in STATES))
    if facts["heard"]:
        most = [f"{tag['name']} {tag['tracks']}" for tag in facts["heard"][:NUM_TAGS]]
        typer.echo(f"heard most: {', '.join(most)}")
    for space in facts["spaces"]:
        heard = f"{space['embeddings']} heard, {space['in_index']} in the index"
        if space["from_whole_songs"]:
            heard += f", {space['from_whole_songs']} through whole songs, to be separated yet"
        typer.echo(f"  {space['view']} by {space['model']}: {heard}")


def _facts(library: Library) -> dict[str, Any]:
    from engine.library.filenames import shown
    from engine.library.heard import tag_counts
    from engine.library.indexes import index_of

    counts = library.counts()
    spaces = []
    for space_id, key in library.spaces():
        index = index_of(library.database, space_id)
        spaces.append(
            {
                "model": key.model,
                "view": key.view,
                "separator": key.separator,
                "embeddings": counts.embeddings.get(space_id, 0),
                "from_whole_songs": library.num_to_separate(space_id),
                "in_index": index[1].num_elements if index else 0,
            }
        )
    folders = [
        {"path": shown(f.path), "tracks": f.num_tracks, "is_available": f.is_available}
        for f in library.folders()
    ]
    return {
        "library": str(library.path),
        "size_bytes": library.path.stat().st_size,
        "folders": folders,
        **{state: getattr(counts, state) for state in STATES},
        "spaces": spaces,
        "heard": [
            {"name": name, "kind": kind, "tracks": num}
            for name, kind, num in tag_counts(library.database)
        ],
    }


def failed(library: LibraryOption = None, as_json: JsonOption = False) -> None:
    """List the files that could not be heard, and why."""
    from engine.library import TrackStatus
    from engine.library.filenames import shown

    with open_library(library) as opened:
        tracks = opened.tracks(opened.track_ids(status=TrackStatus.FAILED, sort="path"))
    lines = [f"{printable(shown(t.path))}\n    {printable(t.error or '')}" for t in tracks]
    rows = [{"track_id": t.id, "path": shown(t.path), "reason": t.error} for t in tracks]
    write_list(rows, lines or ["No file failed."], as_json)


def models(as_json: JsonOption = False) -> None:
    """List the voice models that are installed, and which view each serves by default."""
    from engine import models

    infos = models.available()
    if as_json:
        shown = ("name", "title", "description", "licence", "size_bytes")
        write_json(
            [{key: getattr(i, key) for key in shown} | {"serves": list(i.views)} for i in infos]
        )
        return
    for info in infos:
        serves = f"serves {' and '.join(info.views)}" if info.views else "on request"
        size = f"{info.size_bytes / 1e6:.1f} MB"
        typer.echo(f"{info.name}  {info.title}  {size}, {info.licence}, {serves}")
        typer.echo(f"    {info.description}")
    for problem in models.problems():
        note(problem)

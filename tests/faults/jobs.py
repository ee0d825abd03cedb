"""What the processes of the fork server do: the program's own code, from end to end.

Only the ears are replaced: ``ToyModel`` hears in microseconds, so that hundreds of runs fit. Files,
decoding, the pipeline, the store and the index are the real ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from support.libraries import ToyModel, WholeMixture

# everything that a child would import, so that it does not have to
import engine.cli.commands
import engine.demo
import engine.export
import engine.health
import engine.map.making
import engine.search
from engine import models, separation
from engine.choices import Choices, write_choices
from engine.index import hnsw
from engine.indexer import IndexOptions, index_folders
from engine.library import Library
from engine.library.map_store import drop_map
from engine.library.spaces import forget_space

_ = torch, engine.cli.commands, engine.demo, engine.health
NUM_STEPS = 8  # of ``save``


def with_toy_ears() -> None:
    models.load = lambda name: ToyModel()
    separation.load = lambda name: WholeMixture()


def index(library: str, music: str) -> None:
    with_toy_ears()
    with Library.open(Path(library)) as opened:
        index_folders(opened, [Path(music)], IndexOptions(num_workers=2))


def migrate(library: str) -> None:
    Library.open(Path(library)).close()


def build(library: str) -> None:
    """The search index anew, in many small pieces: each piece is a transaction."""
    hnsw.CHUNK_BYTES = 64 * 1024
    with Library.open(Path(library)) as opened:
        hnsw.refresh(opened, 1, num_threads=1)


def save(library: str, music: str, first: str, last: str) -> None:
    """What a person does and has kept, step by step: from ``first`` up to, not with, ``last``."""
    with Library.open(Path(library)) as opened:
        for step in range(int(first), int(last)):
            _save_one(opened, Path(music), step)


def _save_one(library: Library, music: Path, step: int) -> None:
    folder = library.path.parent
    if step == 0:
        engine.map.making.make_map(library, 1)
    elif step == 1:
        library.add_folder(music.parent)  # above the library's folder: its tracks are taken over
    elif step == 2:
        library.clear_failure()
    elif step == 3:
        tracks = library.tracks(library.track_ids())
        engine.export.export(tracks, folder / "list.m3u8", has_relative_paths=True)
    elif step == 4:
        write_choices(Choices(models={"overall": "toy"}), folder / "choices.json")
    elif step == 5:
        forget_space(library.database, 2)
    elif step == 6:
        drop_map(library.database, 1)
    else:
        library.forget_folder(music.parent)


def cli(*arguments: str) -> None:
    """The command line, as it is run; with toy ears."""
    from engine.cli import main

    with_toy_ears()
    sys.argv = ["singalike", *arguments]
    main()

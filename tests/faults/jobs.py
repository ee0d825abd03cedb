"""What the processes of the fork server do: the program's own code, from end to end.

Only the ears are replaced: ``ToyModel`` hears in microseconds, so that hundreds of runs fit. Files,
decoding, the pipeline, the store and the index are the real ones.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
import time
from pathlib import Path

import torch
from support.libraries import ToyModel, WholeMixture

# everything that a child would import, so that it does not have to
import engine.cli.commands
import engine.demo
import engine.library.upkeep
import engine.map.library_map
import engine.search
import engine.search.export
from engine import models, separation
from engine.indexing.pipeline import IndexOptions, index_folders
from engine.library import Library
from engine.library.spaces import forget_space
from engine.preferences import Choices, write_choices
from engine.search.index import graph

_ = torch, engine.cli.commands, engine.demo, engine.library.upkeep
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
    graph.CHUNK_BYTES = 64 * 1024
    with Library.open(Path(library)) as opened:
        graph.refresh(opened, 1, num_threads=1)


def save(library: str, music: str, first: str, last: str) -> None:
    """What a person does and has kept, step by step: from ``first`` up to, not with, ``last``."""
    with Library.open(Path(library)) as opened:
        for step in range(int(first), int(last)):
            _save_one(opened, Path(music), step)


def _save_one(library: Library, music: Path, step: int) -> None:
    folder = library.path.parent
    if step == 0:
        engine.map.library_map.make_map(library, 1)
    elif step == 1:
        library.add_folder(music.parent)  # above the library's folder: its tracks are taken over
    elif step == 2:
        library.clear_failure()
    elif step == 3:
        tracks = library.tracks(library.track_ids())
        engine.search.export.export(tracks, folder / "list.m3u8", has_relative_paths=True)
    elif step == 4:
        write_choices(Choices(models={"overall": "toy"}), folder / "choices.json")
    elif step == 5:
        forget_space(library.database, 2)
    elif step == 6:
        with library.database.write() as db:
            db.execute("DELETE FROM map")
    else:
        library.forget_folder(music.parent)


def cli(*arguments: str) -> None:
    """The command line, as it is run; with toy ears."""
    from engine.cli import main

    with_toy_ears()
    sys.argv = ["singalike", *arguments]
    main()


def cli_without_privileges(*arguments: str) -> None:
    """The same for somebody whom permissions concern: root reads and writes everything."""
    if os.geteuid() == 0:
        _drop_capabilities(1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    cli(*arguments)


def cli_with_room(max_bytes: str, *arguments: str) -> None:
    """The same where no file can get larger than that: writes fail as on a drive that fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(max_bytes), int(max_bytes)))
    cli(*arguments)


def cli_at(offset_s: str, *arguments: str) -> None:
    """The same with a clock that is wrong by so many seconds."""
    right = time.time
    time.time = lambda: right() + float(offset_s)
    cli(*arguments)


def index_at_once(library: str, music: str) -> None:
    """Two processes index into one library at the same time; prints how they ended."""
    statuses = []
    for _ in range(2):
        if (pid := os.fork()) == 0:
            code = 0
            try:
                cli("index", music, "--library", library, "--workers", "1")
            except SystemExit as left:
                code = int(left.code or 0)
            sys.stderr.flush()
            os._exit(code)
        statuses.append(pid)
    print(*sorted(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in statuses))


def _drop_capabilities(*capabilities: int) -> None:
    """From this process and from those that it starts (capabilities(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the high halves
    libc.capget(header, sets)
    for capability in capabilities:
        libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP
        for place in range(3):
            sets[place] &= ~(1 << capability)
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")

"""Making a library sound again. What can be heard or made again is not worth a doubt: it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.library.database import Database
from engine.library.store import Library
from engine.library.upkeep.check import HEARD, WRONG_STATE, Problem, damages, verify
from engine.library.upkeep.salvage import salvage, unused_path
from engine.progress import CancelToken, ProgressCallback, ignore_progress


@dataclass(frozen=True)
class RepairReport:
    """What a repair did.

    Attributes:
        found: what was wrong before.
        done: sentences, in the order in which things were done.
        kept_path: the library as it was before; None where nothing was wrong.
        left: what is wrong still.
    """

    found: tuple[Problem, ...]
    done: tuple[str, ...]
    kept_path: Path | None
    left: tuple[Problem, ...]


def repair(
    path: Path,
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> RepairReport:
    """Check; keep the library as it was beside it; save what can be read; forget what is wrong.

    Index after a repair: whatever was forgotten is heard again. Raises LibraryLockedError while
    another program indexes, or, for a damaged file, has it open; LibraryCorruptError where nothing
    can be read; LibraryError; CancelledError.
    """
    found = verify(path, progress, cancel).problems
    if not found:
        return RepairReport((), (), None, ())
    done: list[str] = []
    kept_path = None
    if any(problem.kind == "file" for problem in found):
        kept_path, num_rows = salvage(path)
        done.append(
            f"Saved {num_rows['track']} songs, and what was heard in them "
            f"({num_rows['embedding']} vectors), into a new file."
        )
    with Library.open(path, create=False) as library, library.lease():
        if kept_path is None:
            kept_path = unused_path(path, "before-repair")
            library.database.back_up(kept_path)
        _forget(library.database)
        library.database.shrink()
    done += [f"Mended. {problem.sentence}" for problem in found if problem.kind != "file"]
    return RepairReport(found, tuple(done), kept_path, verify(path, progress, cancel).problems)


def _forget(database: Database) -> None:
    """Delete what is wrong, and say of each song how far it is then. One transaction."""
    with database.write() as db:
        for damage in damages(database):
            db.execute(f"DELETE FROM {damage.table} WHERE {damage.condition}", damage.values)
        db.execute(
            f"UPDATE track SET error = NULL, state = CASE WHEN id IN ({HEARD}) THEN 'indexed'"
            f" ELSE 'new' END WHERE {WRONG_STATE}"
        )

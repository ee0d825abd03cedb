"""Comparing folders with the library: what is new, changed, moved, missing, or the same."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from engine.library import filenames, files
from engine.library.files import KnownFile
from engine.library.kept.songs import relink
from engine.library.records import Folder
from engine.library.scan.reconcile import Findings, Reconciliation, ScanSummary
from engine.library.scan.walk import FoundFile, Skipped, Walk, why_unavailable
from engine.library.store import Library
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress

_REPORT_EVERY = 100  # files of a walk per progress report


def scan(
    library: Library,
    folders: Sequence[Path] = (),
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
) -> ScanSummary:
    """Bring the library's list of tracks up to date with the files below some folders.

    Args:
        folders: added to the library where they are not in it; none means all of the library's.

    A file that did not change is only looked up, never opened; sound is read of changed files, and
    of new ones only while some track is missing: one may be the other. A folder that is not there,
    or that has turned up empty (an unplugged drive), marks nothing as missing, nor does one that
    goes away in the middle. Raises CancelledError, with what was done so far kept.
    """
    cancel = cancel or CancelToken()
    own = [f.path for f in library.folders() if not filenames.is_address(f.path)]
    summary = ScanSummary()
    scopes = _scopes(library, folders or own, summary.skipped)
    findings = Findings()
    roots = [os.fspath(folder.path) for folder in library.folders()]
    walk = Walk(lambda target: any(_is_inside(target, root) for root in roots), summary.skipped)
    for folder, top in scopes:
        for file in _walk_scope(library, folder, top, walk, findings):
            cancel.check()
            summary.found += 1
            if summary.found % _REPORT_EVERY == 0:
                progress(Progress("scan", summary.found, message=file.path))
    Reconciliation(library.database, findings, summary).run(progress, cancel)
    relink(library.database)
    return summary


def _scopes(
    library: Library, wanted: Iterable[Path], skipped: list[Skipped]
) -> list[tuple[Folder, Path]]:
    """(folder of the library, where in it to begin) for each part to scan, without overlaps."""
    tops = list[Path]()
    for given in wanted:
        path = filenames.resolved(given)
        is_known = any(path.is_relative_to(folder.path) for folder in library.folders())
        if os.path.isdir(path):  # noqa: PTH112, which raises nothing
            library.add_folder(path)
        elif not is_known:
            skipped.append(Skipped(given, _why_no_folder(path)))
            continue
        tops.append(path)
    outermost = [top for top in dict.fromkeys(tops) if not any(o in top.parents for o in tops)]
    covering = library.folders()
    return [
        (folder, top) for top in outermost for folder in covering if top.is_relative_to(folder.path)
    ]


def _why_no_folder(path: Path) -> str:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "The folder does not exist."
    except OSError as error:
        return f"The folder cannot be reached: {error.strerror or error}."
    return "The folder is a file; name the folder it is in."


def _walk_scope(
    library: Library, folder: Folder, top: Path, walk: Walk, findings: Findings
) -> Iterator[FoundFile]:
    """Each file, once it is compared with what is known of it."""
    reason = why_unavailable(folder)
    with library.database.write() as db:
        files.set_available(db, folder.id, reason is None)
    if reason is not None:
        walk.skipped.append(Skipped(folder.path, reason))
        return
    findings.folders.append(folder)
    prefix = b"" if top == folder.path else filenames.relative_bytes(top, folder.path) + b"/"
    known = files.files_of(library.database, folder.id, prefix)
    num_skipped = len(walk.skipped)
    try:
        for file in walk.files(top):
            _compare(folder, file, known, findings)
            yield file
    except FileNotFoundError:
        pass  # a part of the folder was deleted: all of its files are missing
    except OSError as error:
        walk.skipped.append(Skipped(top, f"It cannot be read: {error.strerror or error}."))
    unread = [os.fsencode(skipped.path) for skipped in walk.skipped[num_skipped:]]
    for left in known.values():
        path = os.fsencode(folder.path / os.fsdecode(left.rel_path))
        if not left.is_missing and not any(
            path == place or path.startswith(place + os.sep.encode()) for place in unread
        ):
            findings.vanished.append(left)


def _compare(
    folder: Folder, file: FoundFile, known: dict[bytes, KnownFile], findings: Findings
) -> None:
    before = known.pop(filenames.below(file.path, os.fspath(folder.path)), None)
    if before is None:
        findings.unknown.append((folder, file))
    elif _is_altered(before, file):
        findings.altered.append((folder, file, before))
    elif before.is_missing:
        findings.returned.append(before.id)
    else:
        findings.num_same += 1
        if before.ctime_ns is None and file.ctime_ns is not None:  # known to no older schema
            findings.ctimes_ns[before.id] = file.ctime_ns


def _is_altered(before: KnownFile, file: FoundFile) -> bool:
    """Programs that copy set the time of modification as it was; that of a change none can set."""
    is_touched = before.ctime_ns is not None and before.ctime_ns != file.ctime_ns
    return is_touched or (before.size_bytes, before.mtime_ns) != (file.size_bytes, file.mtime_ns)


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)

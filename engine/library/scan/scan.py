"""Comparing folders with the library: what is new, changed, moved, missing, or the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.library import filenames, files
from engine.library.files import KnownFile
from engine.library.kept.songs import relink
from engine.library.records import Folder
from engine.library.scan.reconcile import Findings, Reconciliation
from engine.library.scan.walk import FoundFile, Skipped, Walk, why_unavailable
from engine.library.store import Library
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.sound import audio

_REPORT_EVERY = 100  # files of a walk per progress report


@dataclass(frozen=True)
class ScanSummary:
    """What a scan saw.

    Attributes:
        found: audio files that are there now = new + changed + retagged + moved + returned +
            unchanged (+ those that could be listed but not read).
        changed: other sound under the same name. retagged: another size or time, same sound.
        returned: was missing, is back. missing: was there, is not any more.
        skipped: folders and files that could not be looked at.
    """

    found: int = 0
    new: int = 0
    changed: int = 0
    retagged: int = 0
    moved: int = 0
    returned: int = 0
    missing: int = 0
    unchanged: int = 0
    skipped: tuple[Skipped, ...] = ()


def scan(
    library: Library,
    folders: Sequence[Path] = (),
    progress: ProgressCallback = ignore_progress,
    cancel: CancelToken | None = None,
    *,
    audio_hash: Callable[[Path], str] | None = None,
) -> ScanSummary:
    """Bring the library's list of tracks up to date with the files below some folders.

    Args:
        folders: added to the library where they are not in it; none means all of the library's.
        audio_hash: identity of a file's sound; by default ``engine.sound.audio.audio_hash``.
            Called for changed files, and for new ones only while some track is missing: one may be
            the other.

    A file that did not change is only looked up, never opened. A folder that is not there, or that
    has turned up empty (an unplugged drive), marks nothing as missing, nor does one that goes away
    in the middle. Raises CancelledError, with what was done so far kept.
    """
    cancel = cancel or CancelToken()
    own = [f.path for f in library.folders() if not filenames.is_address(f.path)]
    scopes, skipped = _scopes(library, folders or own)
    findings = Findings()
    roots = [os.fspath(folder.path) for folder in library.folders()]
    walk = Walk(lambda target: any(_is_inside(target, root) for root in roots), skipped)
    for folder, top in scopes:
        _walk_scope(library, folder, top, walk, findings, progress, cancel)
    result = Reconciliation(library.database, findings, audio_hash or audio.audio_hash)
    result.run(progress, cancel)
    relink(library.database)
    return ScanSummary(
        found=findings.num_found,
        new=result.num_new,
        changed=result.num_changed,
        retagged=result.num_retagged,
        moved=result.num_moved,
        returned=len(findings.returned),
        missing=result.num_missing,
        unchanged=findings.num_same,
        skipped=(*walk.skipped, *result.skipped),
    )


def _scopes(
    library: Library, wanted: Iterable[Path]
) -> tuple[list[tuple[Folder, Path]], list[Skipped]]:
    """(folder of the library, where in it to begin) for each part to scan, without overlaps."""
    tops, skipped = list[Path](), list[Skipped]()
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
    ], skipped


def _why_no_folder(path: Path) -> str:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "The folder does not exist."
    except OSError as error:
        return f"The folder cannot be reached: {error.strerror or error}."
    return "The folder is a file; name the folder it is in."


def _walk_scope(
    library: Library,
    folder: Folder,
    top: Path,
    walk: Walk,
    findings: Findings,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> None:
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
            cancel.check()
            _compare(folder, file, known, findings)
            if findings.num_found % _REPORT_EVERY == 0:
                progress(Progress("scan", findings.num_found, message=file.path))
    except FileNotFoundError:
        pass  # a part of the folder was deleted: all of its files are missing
    except OSError as error:
        walk.skipped.append(Skipped(top, f"It cannot be read: {error.strerror or error}."))
    unread = [os.fsencode(skipped.path) for skipped in walk.skipped[num_skipped:]]
    for left in known.values():
        path = os.fsencode(filenames.join(filenames.to_bytes(folder.path), left.rel_path))
        if not left.is_missing and not any(
            path == place or path.startswith(place + os.sep.encode()) for place in unread
        ):
            findings.vanished.append(left)


def _compare(
    folder: Folder, file: FoundFile, known: dict[bytes, KnownFile], findings: Findings
) -> None:
    findings.num_found += 1
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

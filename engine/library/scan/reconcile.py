"""The second half of a scan: opens what is new or altered, and tells moved sounds from new ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import DecodeError
from engine.library import filenames, files
from engine.library.database import Database
from engine.library.files import KnownFile, Sighting
from engine.library.records import Folder
from engine.library.scan.tags import read_tags
from engine.library.scan.walk import FoundFile, Skipped, why_unavailable
from engine.progress import CancelToken, Progress, ProgressCallback
from engine.sound import audio

_BATCH_FILES = 256  # new tracks per transaction


@dataclass
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
    skipped: list[Skipped] = field(default_factory=list)


@dataclass
class Findings:
    """What the walk turned up, before any file was opened. ``folders``: those it went through."""

    unknown: list[tuple[Folder, FoundFile]] = field(default_factory=list)
    altered: list[tuple[Folder, FoundFile, KnownFile]] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    ctimes_ns: dict[int, int] = field(default_factory=dict)  # by track id, to be noted
    vanished: list[KnownFile] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)
    num_same: int = 0


@dataclass(frozen=True)
class _Slot:
    """A known path that now holds another sound than before."""

    before: KnownFile
    now: Sighting
    audio_hash: str | None


class Reconciliation:
    """Matches files with tracks by their sound, then writes the outcome.

    A track whose sound is found at another place moves there and keeps its id and its embeddings,
    also where files swapped their names. Files are hashed only where the answer matters: altered
    ones, and new ones while some sound is missed.
    """

    def __init__(self, database: Database, findings: Findings, summary: ScanSummary) -> None:
        self._database, self._findings, self._summary = database, findings, summary
        self._missed = defaultdict[str, list[KnownFile]](list)  # by hash
        self._missed_unheard = dict[tuple[int, int], KnownFile]()  # never heard: by size and time
        self._moves: list[tuple[KnownFile, Sighting]] = []
        self._slots: list[_Slot] = []
        self._news: list[tuple[Sighting, str | None]] = []

    def run(self, progress: ProgressCallback, cancel: CancelToken) -> None:
        """Raises CancelledError; what was written until then is kept, the rest comes next time."""
        num_total = len(self._findings.altered) + len(self._findings.unknown)
        num_done = 0
        for folder, file, before in self._findings.altered:
            cancel.check()
            progress(Progress("scan", num_done, num_total, message=file.path))
            self._read_altered(folder, file, before)
            num_done += 1
        self._list_missed()
        self._slots = [
            slot for slot in self._slots if not self._moves_in(slot.now, slot.audio_hash)
        ]
        for folder, file in self._findings.unknown:
            cancel.check()
            progress(Progress("scan", num_done, num_total, message=file.path))
            self._read_unknown(folder, file)
            num_done += 1
        self._write_news()
        self._write_rest()
        progress(Progress("scan", num_done, num_total))

    def _read_altered(self, folder: Folder, file: FoundFile, before: KnownFile) -> None:
        try:
            audio_hash = self._hash(file) if before.audio_hash is not None else None
            now = _sighting(folder, file)
        except FileNotFoundError:
            self._findings.vanished.append(before)
            return
        except OSError as error:
            reason = f"It cannot be read: {error.strerror or error}."
            self._summary.skipped.append(Skipped(Path(file.path), reason))
            return
        if before.audio_hash is not None and audio_hash == before.audio_hash:
            with self._database.write() as db:
                files.update(db, before.id, now.columns())
            if (before.size_bytes, before.mtime_ns) != (now.size_bytes, now.mtime_ns):
                self._summary.retagged += 1
            elif before.is_missing:
                self._findings.returned.append(before.id)
            else:
                self._findings.num_same += 1  # its name was another meanwhile, or its owner
        else:
            self._slots.append(_Slot(before, now, audio_hash))

    def _list_missed(self) -> None:
        known_elsewhere = {*self._findings.returned}
        known_elsewhere |= {before.id for _, _, before in self._findings.altered}
        vanished = {file.id: file for file in self._findings.vanished}
        for file in files.missing_files(self._database):
            if file.id not in known_elsewhere:
                vanished.setdefault(file.id, file)
        for file in (*vanished.values(), *(slot.before for slot in self._slots)):
            if file.audio_hash is not None:
                self._missed[file.audio_hash].append(file)
            elif file.id in vanished:
                self._missed_unheard[file.size_bytes, file.mtime_ns] = file

    def _read_unknown(self, folder: Folder, file: FoundFile) -> None:
        audio_hash = None
        try:
            if self._missed:
                audio_hash = self._hash(file)
        except FileNotFoundError:
            return
        except OSError:
            pass  # it becomes a track all the same, and the indexer says what is wrong with it
        try:
            now = _sighting(folder, file)
        except FileNotFoundError:
            return
        if not self._moves_in(now, audio_hash):
            self._news.append((now, audio_hash))
            if len(self._news) == _BATCH_FILES:
                self._write_news()

    def _moves_in(self, now: Sighting, audio_hash: str | None) -> bool:
        """Find the track whose sound this is, if it is missed somewhere."""
        candidates = self._missed.get(audio_hash or "", [])
        if candidates:
            name = now.rel_path.rpartition(b"/")[2]
            same_name = [c for c in candidates if c.rel_path.rpartition(b"/")[2] == name]
            found = (same_name or candidates)[0]
            candidates.remove(found)
            if not candidates:
                del self._missed[found.audio_hash or ""]
        else:
            unheard = self._missed_unheard.pop((now.size_bytes, now.mtime_ns), None)
            if unheard is None:
                return False
            found = unheard
        self._moves.append((found, now))
        return True

    def _write_news(self) -> None:
        with self._database.write() as db:
            for now, audio_hash in self._news:
                files.add(db, now.columns() | {"audio_hash": audio_hash})
        self._summary.new += len(self._news)
        self._news.clear()

    def _write_rest(self) -> None:
        """Moves, changes and losses in one transaction: they may depend on each other."""
        moved = {before.id for before, _ in self._moves}
        away = self._away()
        lost = [
            file.id
            for file in self._findings.vanished
            if file.id not in moved and file.folder_id not in away
        ]
        with self._database.write() as db:
            for folder_id in away:
                files.set_available(db, folder_id, False)
            files.vacate(db, moved)
            for before, now in self._moves:
                files.update(db, before.id, now.columns())
            for slot in self._slots:
                if slot.before.id in moved:
                    files.add(db, slot.now.columns() | {"audio_hash": slot.audio_hash})
                else:
                    files.replace(db, slot.before.id, slot.now, slot.audio_hash)
            files.set_missing(db, lost, True)
            files.set_missing(db, self._findings.returned, False)
            files.set_ctimes(db, self._findings.ctimes_ns)
        num_replaced = sum(slot.before.id in moved for slot in self._slots)
        summary, findings = self._summary, self._findings
        summary.moved, summary.missing = len(moved), len(lost)
        summary.new += num_replaced
        summary.changed = len(self._slots) - num_replaced
        summary.returned, summary.unchanged = len(findings.returned), findings.num_same

    def _away(self) -> set[int]:
        """Ids of the folders that went away since the scan began, as a drive does."""
        away = set[int]()
        for folder in self._findings.folders:
            if (reason := why_unavailable(folder)) is not None:
                self._summary.skipped.append(Skipped(folder.path, reason))
                away.add(folder.id)
        return away

    def _hash(self, file: FoundFile) -> str | None:
        """None where the file holds no readable audio. OSError where it cannot be opened."""
        path = Path(file.path)
        with path.open("rb"):
            pass
        try:
            return audio.audio_hash(path)
        except DecodeError:
            path.stat()  # FileNotFoundError where it went away meanwhile
            return None


def _sighting(folder: Folder, file: FoundFile) -> Sighting:
    """FileNotFoundError where the file went away meanwhile: its tags would be guesses."""
    path = Path(file.path)
    tags = read_tags(path, folder.path)
    path.stat()
    return Sighting(
        folder.id,
        filenames.relative_bytes(path, folder.path),
        file.size_bytes,
        file.mtime_ns,
        tags,
        file.ctime_ns,
    )

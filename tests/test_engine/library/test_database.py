from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.libraries import OVERALL, add_tracks, embedding

from engine.errors import (
    LibraryCorruptError,
    LibraryError,
    LibraryLockedError,
    LibraryNewerError,
)
from engine.library import Library, Tags, database, network_drives


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.db"


def test_a_library_is_made_with_its_folder_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "library.db"
    with Library.open(path) as library:
        add_tracks(library, tmp_path, [Tags("Title", "Artist")])
    with Library.open(path, create=False) as library:
        assert len(library.track_ids()) == 1


def test_a_library_that_is_not_there_is_not_made_for_readers(path: Path) -> None:
    with pytest.raises(LibraryError, match="Index a folder of music first"):
        Library.open(path, create=False)
    assert not path.exists()


def test_an_empty_file_is_a_library_to_be(path: Path) -> None:
    path.touch()
    with Library.open(path) as library:
        assert library.counts().tracks == 0


def test_a_file_that_is_not_sqlite_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("my shopping list")
    with pytest.raises(LibraryCorruptError, match="not a library"):
        Library.open(path)
    assert path.read_text() == "my shopping list"


def test_a_database_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
        other.commit()
    before = path.read_bytes()
    with pytest.raises(LibraryCorruptError, match="another program"):
        Library.open(path)
    assert path.read_bytes() == before


def test_a_newer_library_is_refused_and_left_alone(path: Path) -> None:
    Library.open(path).close()
    with contextlib.closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version = 999")
    with pytest.raises(LibraryNewerError, match="Update Singalike"):
        Library.open(path)


def test_a_folder_is_no_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="is a folder"):
        Library.open(tmp_path)


@pytest.mark.linux
def test_a_pipe_is_no_library_and_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(LibraryError, match="is no file"):
        Library.open(path)


def test_a_place_that_cannot_be_written(path: Path) -> None:
    path.touch()
    with pytest.raises(LibraryError, match=r"cannot be opened|cannot be written"):
        Library.open(path / "library.db")


@pytest.mark.parametrize("num_kept", [100, 5000, 20_000])
def test_a_truncated_library_is_damaged_not_a_crash(path: Path, num_kept: int) -> None:
    with Library.open(path) as library:
        add_tracks(library, path.parent, [Tags(f"Title {i}", "Artist") for i in range(200)])
    path.write_bytes(path.read_bytes()[:num_kept])
    with pytest.raises(LibraryCorruptError, match="damaged"), Library.open(path) as library:
        library.tracks(library.track_ids())


def test_overwritten_pages_are_damage_not_a_crash(path: Path) -> None:
    with Library.open(path) as library:
        add_tracks(library, path.parent, [Tags(f"Title {i}", "Artist") for i in range(200)])
    content = bytearray(path.read_bytes())
    content[8192:] = b"\x55" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(LibraryCorruptError, match="damaged"), Library.open(path) as library:
        library.tracks(library.track_ids())


def test_a_full_disk_is_a_sentence_and_loses_nothing(path: Path) -> None:
    with Library.open(path) as library:
        ids = add_tracks(library, path.parent, [Tags("Title", "Artist")])
        space_id = library.space_id(OVERALL)
        library.database.rows("VACUUM")  # no empty page is left
        with library.database.write() as db:
            (num_pages,) = db.execute("PRAGMA page_count").fetchone()
            db.execute(f"PRAGMA max_page_count = {num_pages}")
        big = embedding(num_moments=600)
        with pytest.raises(LibraryError, match=r"full.*Make room"):
            library.put_embedding(ids[0], space_id, big, audio_hash="a", duration_s=1)
        assert library.pending(space_id) == ids
        with library.database.write() as db:
            db.execute("PRAGMA max_page_count = 100000")
        library.put_embedding(ids[0], space_id, big, audio_hash="a", duration_s=1)
        assert library.pending(space_id) == []


def test_a_read_only_library_is_a_sentence(path: Path) -> None:
    with Library.open(path) as library:
        ids = add_tracks(library, path.parent, [Tags("Title", "Artist")])
        library.database.rows("PRAGMA query_only = 1")
        with pytest.raises(LibraryError, match="cannot be written"):
            library.put_failure(ids[0], "It is broken.")


def test_a_library_that_another_program_writes_is_waited_for_then_reported(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.05)
    with Library.open(path) as library:
        ids = add_tracks(library, path.parent, [Tags("Title", "Artist")])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(LibraryLockedError, match="another program"):
                library.put_failure(ids[0], "It is broken.")
            assert library.track(ids[0]).error is None  # readers do not wait for writers
            other.execute("COMMIT")
        library.put_failure(ids[0], "It is broken.")


def test_a_closed_library_says_so(path: Path) -> None:
    library = Library.open(path)
    library.close()
    library.close()
    with pytest.raises(LibraryError, match="is closed"):
        library.track_ids()


def test_closing_while_other_threads_work_is_an_error_in_them_not_a_crash(path: Path) -> None:
    library = Library.open(path)
    add_tracks(library, path.parent, [Tags(f"Title {i}", "Artist") for i in range(200)])
    reasons: list[str] = []
    started = threading.Barrier(4)

    def work() -> None:
        library.counts()
        started.wait()
        try:
            while True:
                library.track_ids("title")
                library.put_failure(1, "It is broken.")
        except LibraryError as error:
            reasons.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    library.close()
    for thread in threads:
        thread.join(10)
    assert len(reasons) == 3
    assert all("is closed" in reason for reason in reasons)


def test_nothing_is_left_beside_a_closed_library(path: Path) -> None:
    with Library.open(path) as library:
        add_tracks(library, path.parent, [Tags("Title", "Artist")])
    assert [file.name for file in path.parent.iterdir()] == ["library.db"]


def test_the_library_runs_in_wal_mode_with_foreign_keys(path: Path) -> None:
    with Library.open(path) as library:
        assert library.database.row("PRAGMA journal_mode") == ("wal",)
        assert library.database.row("PRAGMA foreign_keys") == (1,)
        assert library.database.row("PRAGMA synchronous") == (1,)


MOUNTS = b"""\
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
//nas/music /mnt/nas cifs rw 0 0
server:/home /home/ann/my\\040share nfs4 rw 0 0
/dev/sdb1 /mnt/nas/local ext4 rw 0 0
short line
"""


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/library.db", "ext4"),
        ("/mnt/nas/library.db", "cifs"),
        ("/mnt/nas2/library.db", "ext4"),
        ("/mnt/nas/local/library.db", "ext4"),
        ("/home/ann/my share/x/library.db", "nfs4"),
        ("/home/ann/library.db", "ext4"),
    ],
)
def test_the_file_system_of_a_path(place: str, kind: str) -> None:
    assert network_drives.file_system_of(Path(place), MOUNTS) == kind


def test_on_a_network_drive_the_library_keeps_no_shared_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = path.with_name("mounts")
    mounts.write_bytes(b"server:/home / nfs4 rw 0 0\n")
    Library.open(path).close()
    monkeypatch.setattr(network_drives, "_MOUNTS", mounts)
    with Library.open(path) as library:
        assert library.database.row("PRAGMA journal_mode") == ("delete",)
        assert add_tracks(library, path.parent, [Tags("Title", "Artist")]) == [1]
        assert not path.with_name("library.db-wal").exists()


def test_reading_a_library_and_listening_into_it_load_no_sqlite_utils(path: Path) -> None:
    """It takes longer to import than a library takes to open."""
    with Library.open(path) as library:
        add_tracks(library, path.parent, [Tags("Title", "Artist")])
    work = (
        "import sys; from pathlib import Path; from engine.library import Library\n"
        "with Library.open(Path(sys.argv[1])) as library:\n"
        "    library.tracks(library.track_ids()), library.counts(), library.put_failure(1, 'No.')\n"
        "print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", work, path], capture_output=True, check=True)
    assert done.stdout.strip() == b"False"

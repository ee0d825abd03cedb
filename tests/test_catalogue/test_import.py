"""Shards into a library: what comes in, what is refused, and what a rescan makes of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.catalogue import failed_row, heard_row, write_shards
from support.libraries import OVERALL, VOCALS, at, vector_embedding, write_song

from catalogue.errors import CatalogueError
from catalogue.import_cli import app as import_app
from catalogue.importing import import_shards
from catalogue.shards import ShardRow
from engine.cli import commands, run_app
from engine.errors import LibraryError, LibraryLockedError
from engine.library import Library, Tags, TrackStatus
from engine.library.imports import ImportCounts, common_roots, split_address
from engine.library.scan.scan import scan
from engine.records import TrackEmbedding, View
from engine.search import Searcher, SearchOptions
from engine.search.index import graph
from engine.sound.audio import audio_hash

SPACES = (VOCALS, OVERALL)


@pytest.fixture(autouse=True)
def toy_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.default_model_name", lambda view: "toy")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library.db") as library:
        yield library


def both(degrees: float) -> dict[View, TrackEmbedding | None]:
    heard = vector_embedding(at(degrees))
    return {"vocals": heard, "overall": heard}


def archive() -> list[ShardRow]:
    """Songs of a store of objects, one of them without vocals, one that failed."""
    return [
        heard_row(0, "s3://bucket/Ann/One.mp3", Tags("One", "Ann", year=1999), both(0)),
        heard_row(1, "s3://bucket/Bob/Two.mp3", Tags("Two", "Bob"), both(20)),
        heard_row(2, "s3://bucket/Cid/Three.mp3", Tags("Three", "Cid"), both(10)),
        heard_row(3, "s3://other/Four.mp3", Tags("Four", "Dan"), {**both(5), "vocals": None}),
        failed_row(4, "s3://bucket/Ann/Five.mp3", "The file is empty."),
        failed_row(5, "", "The manifest names no path in this row."),
    ]


def test_songs_that_are_elsewhere_can_be_searched(library: Library, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", archive(), SPACES)
    summary = import_shards(library, [shards])
    assert summary.counts == ImportCounts(new=5, failed=1)
    assert "not installed here" in summary.notes[0]
    first, *_ = library.tracks(library.track_ids(sort="added"))
    assert (first.title, first.artist, first.tags.year) == ("One", "Ann", 1999)
    assert (first.status, first.duration_s, first.is_elsewhere) == ("indexed", 200.0, True)
    result = Searcher(library).by_track(first.id)
    assert [n.track.title for n in result.neighbours] == ["Three", "Two"]
    assert result.neighbours[0].similarity > result.neighbours[1].similarity + 0.03
    assert result.neighbours[0].moments
    overall = Searcher(library).by_track(first.id, SearchOptions("overall"))
    assert [n.track.title for n in overall.neighbours] == ["Four", "Three", "Two"]
    counts = library.counts()
    assert (counts.indexed, counts.failed, counts.no_vocals, counts.missing) == (4, 1, 1, 0)


def test_a_second_import_changes_nothing(library: Library, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", archive(), SPACES)
    import_shards(library, [shards])
    before = list(library.database.rows("SELECT id, sha256 FROM hnsw_index"))
    embeddings = library.database.rows("SELECT id, track_id, vector FROM embedding")
    assert import_shards(library, [shards]).counts == ImportCounts(known=5, failed=1)
    assert library.database.rows("SELECT id, sha256 FROM hnsw_index") == before
    assert library.database.rows("SELECT id, track_id, vector FROM embedding") == embeddings


def test_a_rescan_leaves_songs_alone_that_are_elsewhere(library: Library, tmp_path: Path) -> None:
    import_shards(library, [write_shards(tmp_path / "shards", archive(), SPACES)])
    write_song(tmp_path / "music" / "Here.wav")
    scan(library, [tmp_path / "music"])
    summary = scan(library)
    assert (summary.found, summary.missing, summary.skipped) == (1, 0, ())
    assert library.counts().indexed == 4
    assert [library.track(i).title for i in library.pending(1)] == ["Here"]
    assert library.clear_failure() == 0
    assert library.forget_folder(Path("s3://bucket")) == 4


def test_songs_of_this_machine_are_as_if_they_had_been_indexed_here(
    library: Library, tmp_path: Path
) -> None:
    music = tmp_path / "music"
    songs = [write_song(music / "Ann" / f"Song {i}.wav", 220 + 20 * i) for i in range(3)]
    rows = []
    for i, song in enumerate(songs):
        stat = song.stat()
        row = heard_row(
            i, str(song), Tags(f"Song {i}", "Ann"), both(10 * i), sound=audio_hash(song)
        )
        rows.append(replace(row, size_bytes=stat.st_size, mtime_ns=stat.st_mtime_ns))
    import_shards(library, [write_shards(tmp_path / "shards", rows[:2], SPACES)])
    scanned = scan(library, [music])
    assert (scanned.unchanged, scanned.new, scanned.missing) == (2, 1, 0)
    assert [folder.path for folder in library.folders()] == [music.resolve()]
    assert [library.track(i).path for i in library.pending(1)] == [songs[2]]
    more = write_shards(tmp_path / "more", rows, SPACES)
    assert import_shards(library, [more]).counts == ImportCounts(updated=1, known=2)
    assert library.pending(1) == []
    assert not library.tracks(library.track_ids())[0].is_elsewhere


def test_a_drive_that_is_not_here_keeps_its_songs(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "away" / "Song.wav"
    rows = [heard_row(0, str(path), Tags("Song", "Ann"), both(0))]
    import_shards(library, [write_shards(tmp_path / "shards", rows, SPACES)])
    assert len(scan(library).skipped) == 1
    (track,) = library.tracks(library.track_ids())
    assert track.status is TrackStatus.INDEXED


def test_the_newer_file_counts(library: Library, tmp_path: Path) -> None:
    place, tags = "s3://bucket/Song.mp3", Tags("Song", "Ann")

    def put(name: str, degrees: float, sound: str, mtime_ns: int) -> ImportCounts:
        row = heard_row(0, place, tags, both(degrees), sound=sound, mtime_ns=mtime_ns)
        return import_shards(library, [write_shards(tmp_path / name, [row], SPACES)]).counts

    put("first", 0, "a", 10)
    assert put("older", 90, "b", 9) == ImportCounts(outdated=1)
    assert put("newer", 60, "c", 11) == ImportCounts(updated=1)
    (track,) = library.tracks(library.track_ids())
    _, (vector,) = library.embeddings(1)
    assert track.audio_hash == "c"
    np.testing.assert_allclose(vector, at(60), atol=1e-3)
    assert graph.load(library, 1).max_embedding_id == 3  # two per import that counted


def test_what_cannot_be_compared_is_refused(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(name: str, rows: list[ShardRow], *kinds: object) -> None:
        spaces = tuple(kinds) or SPACES
        import_shards(library, [write_shards(tmp_path / name, rows, spaces)])  # type: ignore[arg-type]

    some = archive()[:1]
    with pytest.raises(CatalogueError, match="another version of ge2e"):
        put("version", some, replace(OVERALL, model="ge2e"))
    assert not library.spaces()
    library.space_id(replace(VOCALS, dim=8))
    with pytest.raises(CatalogueError, match="another number of dimensions than 16"):
        put("dim", some)
    with pytest.raises(CatalogueError, match="no shards in"):
        import_shards(library, [str(tmp_path)])
    put("vocals", some, OVERALL)
    with pytest.raises(CatalogueError, match="one kind at a time"):
        import_shards(library, [str(tmp_path / "vocals"), str(tmp_path / "version")])
    (tmp_path / "shard-1.parquet").write_bytes(b"PAR1")
    with pytest.raises(CatalogueError, match="no shard that can be used"):
        import_shards(library, [str(tmp_path / "shard-1.parquet")])
    assert library.counts().tracks == 1


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (9.0, "length 9")])
def test_damaged_vectors_are_refused_with_all_of_their_shard(
    library: Library, tmp_path: Path, value: float, said: str
) -> None:
    good, bad = heard_row(0, "s3://b/a.mp3", Tags(), both(0)), vector_embedding(at(10))
    bad.vector[1] = value
    rows = [good, good, good, heard_row(3, "s3://b/b.mp3", Tags(), {**both(0), "vocals": bad})]
    with pytest.raises(CatalogueError, match=f"row 3 holds a vector .*{said}"):
        import_shards(library, [write_shards(tmp_path / "shards", rows, SPACES)])
    assert library.counts().tracks == 1  # of the first shard, which was whole


def test_one_at_a_time(library: Library, tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", archive(), SPACES)
    with (
        library.lease(),
        Library.open(tmp_path / "library.db") as other,
        pytest.raises(LibraryLockedError),
    ):
        import_shards(other, [shards])


def test_addresses_are_shown_and_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shards, library = write_shards(tmp_path / "shards", archive(), SPACES), tmp_path / "library.db"

    def run(app: object, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["singalike", *words, "--library", str(library)])
        with pytest.raises(SystemExit) as end:
            run_app(lambda: app)  # type: ignore[arg-type, return-value]
        assert end.value.code == 0
        return capsys.readouterr().out

    assert json.loads(run(import_app, shards, "--json"))["new"] == 5
    found = json.loads(run(commands.app, "similar", "s3://bucket/Ann/One.mp3", "--json"))
    assert [n["path"] for n in found["neighbours"]] == [
        "s3://bucket/Cid/Three.mp3",
        "s3://bucket/Bob/Two.mp3",
    ]
    inside = run(
        commands.app, "similar", "One", "--by", "overall", "--folder", "s3://other", "--json"
    )
    assert [n["title"] for n in json.loads(inside)["neighbours"]] == ["Four"]
    assert "s3://bucket  4 songs  (elsewhere)" in run(commands.app, "status")
    assert "s3://bucket/Ann/Five.mp3\n    The file is empty." in run(commands.app, "failed")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://bucket/a/b.mp3", ("s3://bucket", "a/b.mp3")),
        ("https://host:80/a.mp3?sig=x/y", ("https://host:80", "a.mp3?sig=x/y")),
        ("memory://a.mp3", ("memory://", "a.mp3")),
        ("zip://a.mp3::s3://bucket/z.zip", ("zip://", "a.mp3::s3://bucket/z.zip")),
    ],
)
def test_an_address_has_a_store_and_a_place_in_it(address: str, expected: tuple[str, str]) -> None:
    assert split_address(address) == expected


def test_folders_are_few_and_never_all_and_sundry() -> None:
    def roots(*folders: str) -> list[str]:
        return sorted(map(str, common_roots([Path(folder) for folder in folders])))

    assert roots() == []
    assert roots("/mnt/archive/a/b", "/mnt/archive/c") == ["/mnt/archive"]
    assert roots("/mnt/a/x", "/mnt/b/y", "/data") == ["/data", "/mnt/a/x", "/mnt/b/y"]
    assert roots("/music", "/music/a/b") == ["/music"]
    home = str(Path.home())
    assert roots(f"{home}/one", f"{home}/two") == [f"{home}/one", f"{home}/two"]
    with pytest.raises(LibraryError, match="directly in /"):
        roots("/", "/a/b")


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("catalogue.")]:
        if name != "catalogue.errors":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CatalogueError, match=r"pyarrow: pip install 'singalike\[catalogue\]'"):
        import_app(["shards", "--library", str(tmp_path / "l.db")], standalone_mode=False)

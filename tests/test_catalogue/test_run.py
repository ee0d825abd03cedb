"""What a catalogue run makes of a manifest, row by row, with listeners in this process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from support.catalogue import (
    EARS,
    MODEL,
    QUIET,
    local_listen,
    no_cluster,
    skipped_of,
    songs_of,
    write_manifest,
    write_songs,
)

from catalogue.manifest import entries
from catalogue.run import MAX_FAILED_AT_FIRST, run_catalogue
from catalogue.workers import Ears
from engine import models
from engine.errors import CancelledError, CatalogueError
from engine.listening.embedding import embed_file
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress
from engine.search.remote.table import SongTable
from engine.sound.audio import audio_hash


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogue.run.listen", local_listen)
    monkeypatch.setattr("catalogue.run.join_cluster", no_cluster)


@pytest.fixture
def songs(tmp_path: Path) -> list[str]:
    return write_songs(tmp_path, 5)


@pytest.fixture
def manifest(tmp_path: Path, songs: list[str]) -> str:
    return write_manifest(tmp_path / "manifest.csv", songs)


def test_every_row_becomes_what_the_engine_hears(tmp_path: Path, songs: list[str]) -> None:
    """What fails is skipped with its reason; what the manifest says counts."""
    (tmp_path / "broken.mp3").write_bytes(b"no music at all")
    lines = ["path,id,artist,year,shelf", f"{songs[0]},first,Ann,1999-05-01,A1", f"{songs[1]},,,,"]
    lines += ["broken.mp3,,,,", "not there.ogg,,,,"]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n", "utf-8")
    summary = run_catalogue(str(tmp_path / "manifest.csv"), str(tmp_path / "table"), EARS, *QUIET)
    assert (summary.rows, summary.heard, summary.failed, summary.done_before) == (4, 2, 2, 0)
    first, second = songs_of(tmp_path / "table")

    path = tmp_path / songs[0]
    with single_threaded_torch():
        alone = embed_file(path, models.load(MODEL), "overall")
    assert alone is not None
    heard = first.heard["overall"]
    assert heard is not None
    np.testing.assert_allclose(heard.vector, alone.vector, atol=1e-3)
    np.testing.assert_array_equal(heard.moments.codes, alone.moments.codes)
    np.testing.assert_array_equal(heard.moments.starts_s, alone.moments.starts_s)
    stat = path.stat()
    assert (first.size_bytes, first.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert (first.audio_hash, first.duration_s) == (audio_hash(path), pytest.approx(2, abs=0.01))
    assert (first.archive_id, first.tags.artist, first.tags.year) == ("first", "Ann", 1999)
    assert (first.tags.title, first.path) == ("Song 0", str(path))
    assert (second.archive_id, second.tags.artist) == (None, "Artist 1")

    skipped = skipped_of(tmp_path / "table")
    assert "damaged" in skipped[str(tmp_path / "broken.mp3")]
    assert "no such file" in skipped[str(tmp_path / "not there.ogg")]


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, manifest: str) -> None:
    cancel, table = CancelToken(), tmp_path / "table"

    def stop(progress: Progress) -> None:
        if progress.stage == "embed" and progress.num_done == 2:
            cancel.cancel()

    with pytest.raises(CancelledError):
        run_catalogue(manifest, str(table), EARS, stop, cancel)
    before = songs_of(table)
    assert len(before) == 2  # what was heard when it was stopped is kept
    assert run_catalogue(manifest, str(table), EARS, *QUIET).heard == 3
    assert len(songs_of(table)) == 5
    assert run_catalogue(manifest, str(table), EARS, *QUIET).done_before == 5


def test_no_sound_is_there_twice(tmp_path: Path, songs: list[str], manifest: str) -> None:
    """A copy is not heard of again, and a run that goes on does not listen to it again."""
    table = tmp_path / "table"
    (tmp_path / "copy.wav").write_bytes((tmp_path / songs[2]).read_bytes())
    more = write_manifest(tmp_path / "more.csv", [*songs, "copy.wav"])
    summary = run_catalogue(more, str(table), EARS, *QUIET)
    assert (summary.heard, summary.copies) == (5, 1)
    copies = skipped_of(table)
    assert len(songs_of(table)) == 5
    assert next(iter(copies.values())).startswith("The same sound as ")
    assert run_catalogue(more, str(table), EARS, *QUIET).done_before == 6
    assert run_catalogue(manifest, str(table), EARS, *QUIET).done_before in (4, 5)


def test_what_failed_is_tried_again_on_request(tmp_path: Path, songs: list[str]) -> None:
    manifest = write_manifest(tmp_path / "manifest.csv", [songs[0], "late.wav"])
    table = str(tmp_path / "table")
    assert run_catalogue(manifest, table, EARS, *QUIET).failed == 1
    (tmp_path / "late.wav").write_bytes((tmp_path / songs[1]).read_bytes())
    assert run_catalogue(manifest, table, EARS, *QUIET).done_before == 2
    summary = run_catalogue(manifest, table, EARS, *QUIET, is_retry=True)
    assert (summary.heard, summary.failed, summary.done_before) == (1, 0, 1)
    assert skipped_of(table) == {}


def test_one_table_knows_one_way_of_hearing(
    tmp_path: Path, songs: list[str], manifest: str
) -> None:
    table = str(tmp_path / "table")
    run_catalogue(write_manifest(tmp_path / "one.csv", songs[:1]), table, EARS, *QUIET)
    others = Ears(("overall",), "dvector")
    with pytest.raises(CatalogueError, match=rf"was made by {MODEL}.*dvector"):
        run_catalogue(manifest, table, others, *QUIET)
    assert SongTable.open(table).count() == 1


def test_only_what_a_table_of_recordings_can_be_is_read(tmp_path: Path) -> None:
    def run(name: str, text: str) -> None:
        (tmp_path / name).write_text(text, "utf-8")
        run_catalogue(str(tmp_path / name), str(tmp_path / "table"), EARS, *QUIET)

    with pytest.raises(CatalogueError, match="in a column `path`"):
        run("a.csv", "file,artist\na,b\n")
    with pytest.raises(CatalogueError, match="no rows"):
        run("b.csv", "path\n")
    with pytest.raises(CatalogueError, match="Row 2 of"):
        run("c.csv", "path,title\na.mp3,A\n,B\n")
    with pytest.raises(CatalogueError, match="Row 1 of"):
        run("d.txt", "a.mp3\nb.mp3\n")
    with pytest.raises(CatalogueError, match=r"cannot be read \(ArrowInvalid"):
        run("e.parquet", "path\n")
    with pytest.raises(CatalogueError, match=r"There is no .*none\.csv\. Check"):
        run_catalogue(str(tmp_path / "none.csv"), str(tmp_path / "table"), EARS, *QUIET)
    with pytest.raises(CatalogueError, match=r"nowhere://.* cannot be read"):
        run_catalogue("nowhere://a/b.csv", str(tmp_path / "table"), EARS, *QUIET)
    assert not (tmp_path / "table").exists()


def test_a_run_in_which_nothing_can_be_heard_ends(
    tmp_path: Path, songs: list[str], manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drive that is not there, workers without memory: not millions of rows to retry."""
    monkeypatch.setattr("catalogue.run.MAX_HELD", MAX_FAILED_AT_FIRST)
    gone = [f"gone/{number}.wav" for number in range(MAX_FAILED_AT_FIRST)]
    lost, table = write_manifest(tmp_path / "lost.csv", [*gone, *songs]), str(tmp_path / "table")
    with pytest.raises(CatalogueError, match=r"None of the first 100 .*no such file"):
        run_catalogue(lost, table, EARS, *QUIET)
    assert run_catalogue(manifest, table, EARS, *QUIET).heard == len(songs)


def test_a_manifest_may_be_any_table(tmp_path: Path, songs: list[str]) -> None:
    """Ids keep their zeros, titles their line breaks, and what is no text in Parquet is read so."""
    (tmp_path / "a.tsv").write_text(f'\ufeffshelf\tpath\tid\ttitle\n7\t{songs[0]}\t007\t"a\nb"\n')
    one = next(entries(str(tmp_path / "a.tsv")))
    assert (one.id, one.tags.title) == ("007", "a\nb")
    assert (one.address, one.place) == (str(tmp_path / songs[0]), Path(songs[0]))
    columns = {"path": ["s3://b/Ann/One.mp3"], "id": [7], "year": [1999.0], "title": [None]}
    parquet.write_table(pa.table(columns), tmp_path / "b.parquet")
    other = next(entries(str(tmp_path / "b.parquet")))
    assert (other.address, other.place) == ("s3://b/Ann/One.mp3", Path("One.mp3"))
    assert (other.id, other.tags.year, other.tags.title) == ("7", 1999, "")

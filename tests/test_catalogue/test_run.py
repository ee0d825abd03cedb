"""What a catalogue run makes of a manifest, row by row, with listeners in this process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.catalogue import (
    MODEL,
    OPTIONS,
    LocalCrew,
    contents,
    no_cluster,
    rows_of,
    undisturbed,
    write_manifest,
    write_songs,
)

from catalogue.errors import CatalogueError
from catalogue.run import RunOptions, run_catalogue
from engine import models
from engine.errors import CancelledError
from engine.listening.embedding import embed_file
from engine.networks.processor import single_threaded_torch
from engine.progress import CancelToken, Progress
from engine.sound.audio import audio_hash


@pytest.fixture(autouse=True)
def local_crew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogue.run.Crew", LocalCrew)
    monkeypatch.setattr("catalogue.run.joined_cluster", no_cluster)


@pytest.fixture
def songs(tmp_path: Path) -> list[str]:
    return write_songs(tmp_path, 5)


@pytest.fixture
def manifest(tmp_path: Path, songs: list[str]) -> str:
    return write_manifest(tmp_path / "manifest.jsonl", songs)


def test_every_row_becomes_what_the_engine_hears(tmp_path: Path, songs: list[str]) -> None:
    """Files that fail are rows with their reason; what the manifest says counts."""
    (tmp_path / "broken.mp3").write_bytes(b"no music at all")
    lines = ["path,id,artist,year,shelf", f"{songs[0]},first,Ann,1999-05-01,A1", f"{songs[1]},,,,"]
    lines += ["broken.mp3,,,,", "not there.ogg,,,,", ",nowhere,,,"]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n", "utf-8")
    summary = run_catalogue(str(tmp_path / "manifest.csv"), str(tmp_path / "shards"), OPTIONS)
    assert (summary.rows, summary.heard, summary.failed, summary.done_before) == (5, 2, 3, 0)
    first, second, broken, missing, pathless = rows_of(tmp_path / "shards")

    path = tmp_path / songs[0]
    with single_threaded_torch():
        alone = embed_file(path, models.load(MODEL), "overall")
    assert alone is not None
    assert first.heard is not None
    heard = first.heard["overall"]
    assert heard is not None
    np.testing.assert_allclose(heard.vector, alone.vector, atol=1e-3)
    np.testing.assert_array_equal(heard.moments.codes, alone.moments.codes)
    np.testing.assert_array_equal(heard.moments.starts_s, alone.moments.starts_s)
    stat = path.stat()
    assert (first.size_bytes, first.mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert (first.audio_hash, first.duration_s) == (audio_hash(path), pytest.approx(2, abs=0.01))

    assert (first.entry.id, first.entry.tags.artist, first.entry.tags.year) == (
        "first",
        "Ann",
        1999,
    )
    assert (first.entry.tags.title, first.entry.address) == ("Song 0", str(path))
    assert (second.entry.id, second.entry.tags.artist) == (None, "Artist 1")

    assert "damaged" in (broken.error or "")
    assert "No such file" in (missing.error or "")
    assert "names no path" in (pathless.error or "")
    assert not any(row.heard for row in (broken, missing, pathless))


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, manifest: str) -> None:
    cancel, out = CancelToken(), tmp_path / "shards"

    def stop(progress: Progress) -> None:
        if out.exists() and list(out.glob("*.parquet")):
            cancel.cancel()

    with pytest.raises(CancelledError):
        run_catalogue(manifest, str(out), OPTIONS, stop, cancel)
    expected = undisturbed(manifest, tmp_path / "alone")
    assert 0 < len(contents(out)) < len(expected)
    assert run_catalogue(manifest, str(out), OPTIONS).heard == 1
    assert contents(out) == expected
    assert run_catalogue(manifest, str(out), OPTIONS).done_before == 5
    assert contents(out) == expected


def test_a_file_that_ends_workers_becomes_a_row_with_a_reason(
    tmp_path: Path, manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalCrew, "is_fatal", staticmethod(lambda place: "Song 2" in place))
    summary = run_catalogue(manifest, str(tmp_path / "shards"), OPTIONS)
    assert (summary.heard, summary.failed, summary.workers_lost) == (4, 1, 3)
    errors = [row.error for row in rows_of(tmp_path / "shards")]
    assert [error is not None for error in errors] == [False, False, True, False, False]
    assert "ended 3 workers" in (errors[2] or "")


def test_workers_that_never_get_ready_end_the_run(
    tmp_path: Path, manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalCrew, "can_load", False)
    with pytest.raises(CatalogueError, match="memory"):
        run_catalogue(manifest, str(tmp_path / "shards"), OPTIONS)


def test_shards_of_different_kinds_are_not_mixed(tmp_path: Path, manifest: str) -> None:
    out = str(tmp_path / "shards")
    run_catalogue(manifest, out, OPTIONS)
    with pytest.raises(CatalogueError, match=f"made otherwise .overall by {MODEL}"):
        run_catalogue(manifest, out, RunOptions({"overall": "dvector"}, views=("overall",)))
    longer = write_manifest(tmp_path / "longer.jsonl", ["/a.mp3"])
    with pytest.raises(CatalogueError, match="another manifest"):
        run_catalogue(longer, out, OPTIONS)
    (tmp_path / "shards" / "run.json").unlink()
    with pytest.raises(CatalogueError, match="unknown origin"):
        run_catalogue(manifest, out, OPTIONS)


def test_only_what_a_table_of_recordings_can_be_is_read(tmp_path: Path) -> None:
    def run(name: str, text: str) -> None:
        (tmp_path / name).write_text(text, "utf-8")
        run_catalogue(str(tmp_path / name), str(tmp_path / "shards"), OPTIONS)

    with pytest.raises(CatalogueError, match="no column `path`"):
        run("a.csv", "file,artist\na,b\n")
    with pytest.raises(CatalogueError, match="no rows"):
        run("b.csv", "path\n")
    with pytest.raises(CatalogueError, match=r"Line 2 of .* no JSON"):
        run("c.jsonl", '{"path": "a"}\n{"path"\n')
    with pytest.raises(CatalogueError, match="no manifest"):
        run("d.txt", "a.mp3\n")
    with pytest.raises(CatalogueError, match="not the parquet"):
        run("e.parquet", "path\n")
    with pytest.raises(CatalogueError, match="cannot be read"):
        run_catalogue(str(tmp_path / "none.csv"), str(tmp_path / "shards"), OPTIONS)
    with pytest.raises(CatalogueError, match=r"nowhere://.* cannot be read"):
        run_catalogue("nowhere://a/b.csv", str(tmp_path / "shards"), OPTIONS)
    assert not (tmp_path / "shards").exists()

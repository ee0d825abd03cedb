"""docs/formats.md says how things lie in files: its numbers, names and reader hold for the code."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from support.libraries import OVERALL, VOCALS, add_tracks, embedding

from engine.evaluation import report, triplets
from engine.library import Library, Tags, migrations
from engine.models import checkpoint
from engine.records import LISTENING_VERSION, HeardTag, VoicePortrait
from engine.search import Searcher, SearchOptions, export
from engine.search.index import centre
from engine.search.remote import rows

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
READER = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
PORTRAIT = VoicePortrait(45.0, 57.5, 69.0, 5.5, None, 0.25, 12.0, None, 1800.0, 0.5)


def tables_of(chapter: str) -> dict[str, list[str]]:
    """Table -> its columns, as the rows of a chapter name them."""
    body = TEXT.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.*?) \|", body, re.MULTILINE)
    return {name: re.findall(r"\w+", told.replace("`", " ")) for name, told in found}


@pytest.fixture
def library(tmp_path):
    with Library.open(tmp_path / "library.db") as opened:
        yield opened


def test_numbers_are_those_of_the_code():
    told = re.findall(r"^\| ([^|]+?) \| (\d+) \| ", TEXT, re.MULTILINE)
    assert {name: int(number) for name, number in told} == {
        "library": len(migrations.STEPS),
        "listening (how sound reaches the networks)": LISTENING_VERSION,
        "checkpoint": checkpoint.FORMAT_VERSION,
        "report of an evaluation": report.SCHEMA_VERSION,
        "listening test and its answers": triplets.SCHEMA_VERSION,
        "result of a search": export.RESULT_VERSION,
        "catalogue": rows.VERSION,
    }
    assert hex(migrations.APPLICATION_ID).upper().replace("0X", "0x") in TEXT


def test_tables_and_columns_are_those_of_a_library(library):
    found = library.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = [name for (name,) in found if not name.startswith("sqlite_")]
    assert tables_of("Library") == {
        name: [row[1] for row in library.database.rows(f"PRAGMA table_info({name})")]
        for name in names
    }


def test_columns_are_those_of_a_catalogue():
    pytest.importorskip("pyarrow")
    told = {name: set(columns) for name, columns in tables_of("Catalogue").items()}
    for space in (VOCALS, OVERALL):
        for name in rows.schema([space]).names:
            assert re.sub(rf"^{space.view}_", "V_", name) in told["songs"]
    assert told["skipped"] == set(rows.skipped_schema().names)


def test_entries_are_those_of_a_checkpoint():
    body = TEXT.partition("\n## Checkpoint\n")[2].partition("\n**`weights")[0]
    told = [name for line in re.findall(r"^\| (`.*?) \|", body, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", line)]  # fmt: skip
    assert sorted(told) == sorted(field.name for field in dataclasses.fields(checkpoint.Manifest))


def test_the_reader_finds_what_we_find(library, tmp_path):
    tree = ast.parse(READER)
    imported = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import)]
    assert imported == ["import sqlite3", "import numpy as np"]
    tags = [Tags(title=f"Song {n}", artist=f"Singer {n % 7}") for n in range(40)]
    ids = add_tracks(library, tmp_path / "music", tags)
    space = library.space_id(VOCALS)
    for number, track_id in enumerate(ids):
        words = (HeardTag("soul", "genre", 0.9, 0.5),) if number == 3 else ()
        heard = dataclasses.replace(
            embedding(number), tags=words, portrait=PORTRAIT if number == 3 else None
        )
        library.put_embedding(
            track_id, space, heard, audio_hash=f"hash {number}", duration_s=100.0 + 9 * number
        )
    centre.refresh(library, space)

    known = dict[str, object]()
    exec(READER, known)
    songs, vectors, middle = known["read"](library.path, "vocals")
    assert [songs[one]["title"] for one in ids] == [one.title for one in tags]
    assert [one for one in ids if songs[one]["heard"]] == [ids[3]]
    assert songs[ids[3]]["heard"] == {"soul": 0.9}
    told = songs[ids[3]]["portrait"]
    assert {name: told[name] for name in rows.PORTRAIT} == dataclasses.asdict(PORTRAIT)
    np.testing.assert_allclose(vectors[ids[0]], embedding(0).vector, atol=1e-3)
    assert np.any(middle)
    for one in ids[:5]:
        ours = Searcher(library).by_track(one, SearchOptions(k=10)).neighbours
        theirs = known["nearest"](vectors, middle, one)[:10]
        assert [neighbour.track.id for neighbour in ours] == [other for other, _ in theirs]
        np.testing.assert_allclose(
            [neighbour.similarity for neighbour in ours], [value for _, value in theirs], atol=1e-5
        )

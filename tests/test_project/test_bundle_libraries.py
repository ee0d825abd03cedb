"""What a bundle on Linux leaves out of other people's libraries."""

from __future__ import annotations

import runpy
import struct
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from support.documents import ROOT

pytestmark = pytest.mark.linux


PACKAGING = ROOT / "packaging"


@pytest.fixture
def icu() -> dict[str, Any]:
    return runpy.run_path(str(PACKAGING / "icu_data.py"))


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(PACKAGING))
    monkeypatch.delitem(sys.modules, "icu_data", raising=False)
    return runpy.run_path(str(PACKAGING / "linux_libraries.py"))


HEADER = struct.pack("<HH", 32, 0x27DA) + struct.pack("<HHBBBB", 20, 0, 0, 0, 2, 0) + b"CmnD"
HEADER = HEADER.ljust(32, b"\0")
ITEMS = {
    "icudt73l/brkitr/thaidict.dict": b"long lists of words" * 9,
    "icudt73l/coll/de.res": b"sorts German",
    "icudt73l/coll/root.res": b"sorts the rest",
    "icudt73l/curr/de.res": b"Euro",
    "icudt73l/de.res": b"Januar",
    "icudt73l/gb18030.cnv": b"an old encoding",
    "icudt73l/nfkc.nrm": b"",
    "icudt73l/root.res": b"what all languages share",
    "icudt73l/zh_Hant.res": b"months",
}


def test_what_is_written_is_read(icu: dict[str, Any]) -> None:
    written = icu["write"](HEADER, ITEMS)
    header, items = icu["read"](written)
    assert header == HEADER
    assert [*items] == [*ITEMS]  # in alphabetical order, by which ICU looks for them
    table = written[len(HEADER) :]
    for place, (name, content) in enumerate(ITEMS.items()):
        assert items[name].startswith(content)
        assert len(items[name]) - len(content) < 16
        (start,) = struct.unpack_from("<I", table, 8 + 8 * place)
        assert start % 16 == 0


def test_sorting_stays_and_dictionaries_go(icu: dict[str, Any]) -> None:
    _, items = icu["read"](icu["only_needed"](icu["write"](HEADER, ITEMS)))
    assert [name.removeprefix("icudt73l/") for name in items] == [
        "coll/de.res", "coll/root.res", "nfkc.nrm", "root.res",
    ]  # fmt: skip


def test_the_data_of_this_qt_is_understood(icu: dict[str, Any]) -> None:
    """All of ours is in there, unchanged, and a sixth is left."""
    files = metadata.distribution("PySide6_Essentials").files or []
    [path] = [Path(str(file.locate())) for file in files if "libicudata.so" in file.name]
    library = path.read_bytes()
    data = icu["inside_library"](library, len(library))
    small = icu["only_needed"](data)
    assert len(small) < len(data) / 5
    _, before = icu["read"](data)
    _, after = icu["read"](small)
    for name in after:  # the last of them may be followed by padding
        assert before[name].startswith(after[name]) or after[name].startswith(before[name])
    assert {"coll/ucadata.icu", "coll/ja.res", "zoneinfo64.res", "uts46.nrm"} <= {
        name.split("/", 1)[1] for name in after
    }


@pytest.mark.parametrize("data", [b"", b"\x7fELF" * 20, HEADER[:12] + b"DtPg" + HEADER[16:]])
def test_what_is_no_data_of_icu_is_refused(icu: dict[str, Any], data: bytes) -> None:
    with pytest.raises(icu["NotIcuDataError"]):
        icu["only_needed"](data)
    with pytest.raises(icu["NotIcuDataError"]):
        icu["inside_library"](data, 100)


def test_data_that_cannot_sort_is_refused(icu: dict[str, Any]) -> None:
    without = {name: item for name, item in ITEMS.items() if "coll" not in name}
    with pytest.raises(icu["NotIcuDataError"], match="sort"):
        icu["only_needed"](icu["write"](HEADER, without))


def test_a_library_that_two_wheels_carry_is_there_once(
    libraries: dict[str, Any], tmp_path: Path
) -> None:
    def written(name: str, content: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return str(path)

    one, two = written("numpy/libf.so", "Fortran"), written("scipy/libf.so", "Fortran")
    other = written("other/libf.so", "another Fortran")
    linked_once: Callable[..., list[tuple[str, str, str]]] = libraries["linked_once"]
    table = [
        ("numpy.libs/libf.so", one, "BINARY"),
        ("scipy.libs/libf.so", two, "BINARY"),
        ("av.libs/libf.so", other, "BINARY"),
        ("libf.so", "numpy.libs/libf.so", "SYMLINK"),
        ("scipy.libs/libg.so", one, "BINARY"),
        ("torch/lib/libf.so", two, "BINARY"),  # loaded by its place, not by its name
    ]
    linked = linked_once(table)
    assert linked[1] == ("scipy.libs/libf.so", "../numpy.libs/libf.so", "SYMLINK")
    assert [entry for entry in table if entry not in linked] == [table[1]]


def test_links_go_with_what_they_lead_to(libraries: dict[str, Any]) -> None:
    table = [
        ("libf.so", "numpy.libs/libf.so", "SYMLINK"),
        ("scipy.libs/libf.so", "../numpy.libs/libf.so", "SYMLINK"),
        ("libg.so", "av.libs/libg.so", "SYMLINK"),
        ("notes.txt", "/somewhere/notes.txt", "DATA"),
    ]
    kept = libraries["without_dead_links"](table, {"numpy.libs/libf.so"})
    assert kept == [table[0], table[1], table[3]]

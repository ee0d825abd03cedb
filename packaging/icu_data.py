"""The part of ICU's data that Qt asks for, out of the 32 MB that come with it.

ICU brings converters of old encodings, dictionaries to break Thai lines, names of currencies and
languages: Qt has its own of each, or does without. What stays is how letters sort, compare and are
normalised, and which time zones and countries there are. The format is that of ICU's ``.dat`` files
(``ucmndata.h``): a header, a table of names in alphabetical order, and the items.
"""

from __future__ import annotations

import re
import struct

# Sorting; tables of characters; what concerns no single language. Not `de.res`, `zh_Hant.res`, ...
NEEDED = re.compile(r"coll/.*|[^/]+\.(icu|nrm|cfu|spp)|(?![a-z]{2,3}(_\w+)?\.res$)[^/]+\.res")
_MAGIC = b"\xda\x27"
_FORMAT = b"CmnD"
_ALIGNMENT = 16


class NotIcuDataError(ValueError):
    """These bytes are no data of ICU, as far as can be seen."""


def only_needed(data: bytes) -> bytes:
    """ICU's data without the items that NEEDED does not name. Raises NotIcuDataError."""
    header, items = read(data)
    kept = {name: item for name, item in items.items() if NEEDED.fullmatch(name.split("/", 1)[1])}
    if "coll/root.res" not in {name.split("/", 1)[1] for name in kept}:
        raise NotIcuDataError("ICU's data does not say how letters sort.")
    return write(header, kept)


def inside_library(library: bytes, size_bytes: int) -> bytes:
    """The data that a library holds (``libicudata``). Raises NotIcuDataError."""
    found = re.search(rb"(?s)..\xda\x27.{8}CmnD", library)
    if found is None:
        raise NotIcuDataError("There is no data of ICU in this library.")
    return library[found.start() : found.start() + size_bytes]


def read(data: bytes) -> tuple[bytes, dict[str, bytes]]:
    """(header, items by name). The last one goes to the end of ``data``. Raises NotIcuDataError."""
    if data[2:4] != _MAGIC or data[12:16] != _FORMAT:
        raise NotIcuDataError("These bytes do not begin as ICU's data does.")
    (header_size,) = struct.unpack_from("<H", data)
    table = data[header_size:]
    (num_items,) = struct.unpack_from("<I", table)
    places = [struct.unpack_from("<II", table, 4 + 8 * i) for i in range(num_items)]
    ends = [*(start for _, start in places[1:]), len(table)]
    items = {}
    for (name_start, start), end in zip(places, ends, strict=True):
        name = table[name_start : table.index(b"\0", name_start)].decode("ascii")
        items[name] = table[start:end]
    return data[:header_size], items


def write(header: bytes, items: dict[str, bytes]) -> bytes:
    """The inverse of ``read``: each item begins at a multiple of 16 bytes."""
    names, places = b"", []
    name_start = 4 + 8 * len(items)
    for name in items:
        places.append(name_start + len(names))
        names += name.encode("ascii") + b"\0"
    body, starts = bytearray(), []
    first = -(-(name_start + len(names)) // _ALIGNMENT) * _ALIGNMENT
    for item in items.values():
        starts.append(first + len(body))
        body += item + b"\xaa" * (-len(item) % _ALIGNMENT)
    table = struct.pack("<I", len(items))
    table += b"".join(struct.pack("<II", *place) for place in zip(places, starts, strict=True))
    return header + (table + names).ljust(first, b"\xaa") + bytes(body)

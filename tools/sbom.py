"""A list of all that a bundle holds, for programs: CycloneDX 1.5, JSON."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tools.bundled_parts import DISTRIBUTION, INSIDE, MODEL, PYTHON, SYSTEM, Part, own_licence

_NAMESPACE = uuid.UUID("6f3f0f2e-6c0e-5b0a-9a40-2f1d1f7b9c11")
# One SPDX name, or several joined: the others are sentences of their authors.
_SPDX = re.compile(r"[A-Za-z0-9.+-]*(\d|MIT|ISC|X11|Zlib)[A-Za-z0-9.+-]*")


def sbom(parts: Sequence[Part], version: str, time_s: int) -> str:
    """The document, the same for the same parts. ``time_s``: of the commit, in Unix seconds."""
    about = {"type": "application", "name": "singalike", "version": version,
             "bom-ref": "singalike", "licenses": [{"expression": own_licence()}]}  # fmt: skip
    components = [_component(part) for part in parts]
    told = json.dumps([about, components], sort_keys=True)
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, told)}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(time_s, UTC).isoformat(),
            "component": about,
        },
        "components": components,
        "dependencies": [{"ref": "singalike", "dependsOn": [c["bom-ref"] for c in components]}],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _component(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "machine-learning-model" if part.kind == MODEL else "library",
        "bom-ref": f"{part.kind}/{part.name}@{part.version}",
        "name": part.name,
        "version": part.version,
        "licenses": [_licence(part)],
    }
    if address := _purl(part):
        found["purl"] = address
    if part.homepage:
        found["externalReferences"] = [{"type": "website", "url": part.homepage}]
    return found


def _licence(part: Part) -> dict[str, Any]:
    """As CycloneDX wants it: the name of one licence, an expression of several, or plain words."""
    text = part.licence
    words = [word for word in re.split(r"[\s()]+", text) if word]
    names = [word for word in words if word not in ("AND", "OR", "WITH")]
    if part.kind == SYSTEM or not all(
        _SPDX.fullmatch(name) or name.endswith("-exception") for name in names
    ):
        return {"license": {"name": text}}
    return {"license": {"id": text}} if len(words) == 1 else {"expression": text}


def _purl(part: Part) -> str:
    version = quote(part.version, safe="")
    if part.kind == DISTRIBUTION:
        return f"pkg:pypi/{re.sub('[-_.]+', '-', part.name).lower()}@{version}"
    if part.kind == SYSTEM:
        return f"pkg:deb/debian/{part.name}@{version}"
    if part.kind == PYTHON:
        return f"pkg:generic/python@{version}"
    return "" if part.kind in (INSIDE, MODEL) else f"pkg:generic/{quote(part.name)}@{version}"

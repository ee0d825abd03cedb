"""What a person has chosen instead of the defaults: which model serves a view, which separator."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import SingalikeError
from engine.library.records import View
from engine.paths import data_path

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choices:
    """Names. What is not in it, or "", is left to Singalike."""

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = ""


def choices_path() -> Path:
    return data_path() / "choices.json"


def read_choices(path: Path | None = None) -> Choices:
    """Of this user. A file that makes no sense counts as none: the defaults always work."""
    path = path or choices_path()
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        models: dict[View, str] = {}
        for view in ("vocals", "overall"):
            if name := str(stored.get("models", {}).get(view, "")):
                models[view] = name
        return Choices(models, str(stored.get("separator", "")))
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, AttributeError) as error:
        log.warning("%s cannot be used, so the defaults are: %s", path, error)
        return Choices()


def write_choices(choices: Choices, path: Path | None = None) -> None:
    """Keep them for this user. SingalikeError where the file cannot be written."""
    path = path or choices_path()
    content = json.dumps({"models": dict(choices.models), "separator": choices.separator}, indent=2)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(content + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise SingalikeError(
            f"The choice cannot be kept: {path} cannot be written ({error.strerror}). Check that "
            "you may write to its folder."
        ) from error

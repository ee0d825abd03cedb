"""What a person has chosen instead of the defaults: models, separator, how voices are heard."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.errors import SingalikeError
from engine.paths import data_path, written_whole
from engine.records import View

log = logging.getLogger(__name__)
# Voices as they are heard through whole songs, or separated first.
Voices = Literal["fast", "fine"]


@dataclass(frozen=True)
class Choices:
    """Names. What is not in it, or "", is left to Singalike."""

    models: Mapping[View, str] = field(default_factory=dict)
    separator: str = ""
    voices: Voices = "fine"


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
        voices: Voices = "fast" if stored.get("voices") == "fast" else "fine"
        return Choices(models, str(stored.get("separator", "")), voices)
    except FileNotFoundError:
        return Choices()
    except (OSError, ValueError, AttributeError) as error:
        log.warning("%s cannot be used, so the defaults are: %s", path, error)
        return Choices()


def write_choices(choices: Choices, path: Path | None = None) -> None:
    """Keep them for this user. SingalikeError where the file cannot be written."""
    path = path or choices_path()
    stored = {
        "models": dict(choices.models),
        "separator": choices.separator,
        "voices": choices.voices,
    }
    content = json.dumps(stored, indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as draft:
            draft.write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        raise SingalikeError(
            f"The choice cannot be kept: {path} cannot be written ({error.strerror}). Check that "
            "you may write to its folder."
        ) from error

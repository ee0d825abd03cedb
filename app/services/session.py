"""What was going on when the window was closed goes on when it is opened again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.paths import written_whole

log = logging.getLogger(__name__)

Save = Callable[[], Any]
Restore = Callable[[Any], object]


class Session:
    """Parts of the window, in one small JSON file that belongs to one library.

    A part gives what JSON can write, and takes it back. What makes no sense any more (KeyError,
    IndexError, TypeError, ValueError, OverflowError) begins afresh, each part for itself.
    """

    def __init__(self, path: Path, library_path: Path) -> None:
        self._path = path
        self._library = str(library_path)
        self._parts: dict[str, tuple[Save, Restore]] = {}

    def keep(self, name: str, save: Save, restore: Restore) -> None:
        self._parts[name] = (save, restore)

    def save(self) -> None:
        state = {name: save() for name, (save, _) in self._parts.items()}
        with suppress(OSError):  # then nothing goes on, which is no reason not to close
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(self._path) as draft:
                draft.write_text(json.dumps({"library": self._library, **state}), encoding="utf-8")

    def restore(self) -> None:
        state = self._read()
        for name, (_, restore) in self._parts.items():
            if state.get(name) is not None:
                try:
                    restore(state[name])
                except (LookupError, TypeError, ValueError, OverflowError) as error:
                    log.warning("The %s of the last session makes no sense: %r", name, error)

    def _read(self) -> dict[str, Any]:
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        is_ours = isinstance(state, dict) and state.get("library") == self._library
        return state if is_ours else {}

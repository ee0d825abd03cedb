"""Notices when music comes, goes or changes in the folders of a library."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import SingalikeError
from engine.library.scan.walk import AUDIO_EXTENSIONS
from engine.progress import CancelToken

CALM_S = 3.0  # without a change, and then it is told: an album that is copied comes once
MAX_CALM_S = 60.0  # but no later than this, however long the copying goes on
STEP_MS = 250  # how soon a cancel is noticed


class WatchError(SingalikeError):
    """Folders cannot be watched here: there are too many in them, or the file system tells nothing.

    Nothing is lost by it: a scan finds every change.
    """


def watch_folders(
    folders: Sequence[Path], changed: Callable[[], object], cancel: CancelToken
) -> None:
    """Call ``changed``, in this thread, after each burst of changes that may concern songs.

    Returns when it is cancelled, or at once where none of the folders is there. Subfolders count.
    Raises WatchError.
    """
    from watchfiles import watch

    there = [folder for folder in folders if folder.is_dir()]
    if not there:
        return
    first_s = last_s = 0.0
    try:
        for changes in watch(
            *there,
            watch_filter=lambda _, path: may_be_music(Path(path)),
            debounce=4 * STEP_MS,
            step=STEP_MS,
            stop_event=_Stop(cancel),
            rust_timeout=STEP_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=True,
        ):
            now_s = time.monotonic()
            if changes:
                last_s = now_s
                first_s = first_s or now_s
            if first_s and (now_s - last_s >= CALM_S or now_s - first_s >= MAX_CALM_S):
                first_s = 0.0
                changed()
    except (OSError, RuntimeError) as error:  # the system's limit of watches, for one
        raise WatchError(f"The folders cannot be watched for changes: {error}.") from error


class _Stop:
    """What watchfiles asks whether to stop."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel

    def is_set(self) -> bool:
        return self._cancel.is_cancelled


def may_be_music(path: Path) -> bool:
    """A song, or something without a suffix, which may be a folder that was moved or deleted."""
    return path.suffix.lower() in AUDIO_EXTENSIONS or not path.suffix

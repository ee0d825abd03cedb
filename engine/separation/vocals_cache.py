"""Separated vocals to listen to: made on demand, kept on disk within a limit."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine import separation
from engine.errors import SeparatorError
from engine.networks.preload import import_heavy_libraries
from engine.paths import written_whole
from engine.progress import CancelToken, Progress, ProgressCallback, ignore_progress
from engine.separation import SAMPLE_RATE_HZ
from engine.sound import audio
from engine.sound.channels import in_phase

if TYPE_CHECKING:
    from engine.separation import Separator

MAX_BYTES = 2_000_000_000  # some 300 songs
_SUFFIX = ".flac"


class VocalsCache:
    """A folder of FLAC files, mono at 44.1 kHz, named after the sound and the separator.

    Several threads and programs may use one folder: a file appears whole or not at all. What was
    used longest ago goes first when there is too much. The separator that is chosen at the moment
    cuts out the vocals.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self.max_bytes = max_bytes
        self._loaded: dict[str, Separator] = {}  # the one used last

    def vocals_of(
        self,
        path: Path,
        progress: ProgressCallback = ignore_progress,
        cancel: CancelToken | None = None,
    ) -> Path:
        """The file with the vocals of a song; separated now where they are not there yet.

        ``progress`` counts seconds of audio (stage ``vocals``). Raises DecodeError,
        SeparatorError (which covers a disk without room), CancelledError.
        """
        from soundfile import SoundFile, SoundFileError  # type: ignore[import-untyped]

        name = separation.default_name()
        target = self._folder / f"{audio.audio_hash(path)}-{name}{_SUFFIX}"
        if target.is_file():
            with contextlib.suppress(OSError):
                os.utime(target)  # used just now
            return target
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (
                written_whole(target) as draft,
                SoundFile(draft, "w", SAMPLE_RATE_HZ, 1, "PCM_16", format="FLAC") as flac,
            ):
                for vocals in self._separated(path, name, progress, cancel):
                    flac.write(vocals)
        except (OSError, SoundFileError) as error:
            raise SeparatorError(
                f"The vocals cannot be kept in {self._folder}: {error}. Make room, then try again."
            ) from error
        self._trim(target)
        return target

    def used_bytes(self) -> int:
        return sum(size for _, size, _ in self._files())

    def clear(self) -> None:
        """Deletes all vocals; they can be made again."""
        for _, _, path in self._files():
            with contextlib.suppress(OSError):
                path.unlink()

    def _separated(
        self, path: Path, name: str, progress: ProgressCallback, cancel: CancelToken | None
    ) -> Iterator[np.ndarray]:
        cancel = cancel or CancelToken()
        total_s, done_s = audio.probe(path).duration_s, 0.0
        progress(Progress("vocals", audio_total_s=total_s))
        if name not in self._loaded:
            import_heavy_libraries()
            self._loaded = {name: separation.load(name)}
        mixture = audio.decode(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=2)
        for vocals in self._loaded[name].vocals(map(in_phase, mixture), cancel):
            cancel.check()
            done_s += len(vocals) / SAMPLE_RATE_HZ
            progress(Progress("vocals", audio_done_s=done_s, audio_total_s=total_s))
            yield vocals

    def _trim(self, newest: Path) -> None:
        """Down to the limit, oldest first; what was just made stays in any case."""
        files = self._files()
        excess = sum(size for _, size, _ in files) - self.max_bytes
        for _, size, path in files:
            if excess <= 0:
                return
            if path != newest:
                with contextlib.suppress(OSError):
                    path.unlink()
                    excess -= size

    def _files(self) -> list[tuple[int, int, Path]]:
        """(time of last use in ns, size in bytes, path), oldest first."""
        found = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # another program deleted it meanwhile
                about = path.stat()
                found.append((about.st_mtime_ns, about.st_size, path))
        return sorted(found)

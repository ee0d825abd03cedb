"""The portrait of the voice in a file that need not be in any library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine import separation
from engine.listening.embedding import is_voiced, segment_batches
from engine.listening.portrait import SAMPLE_RATE_HZ, PortraitSampler
from engine.progress import CancelToken
from engine.records import VoicePortrait
from engine.sound.audio import decode


def portrait_of_file(
    path: Path, *, is_vocals: bool = False, cancel: CancelToken | None = None
) -> VoicePortrait | None:
    """None where too little is sung. ``is_vocals``: nothing needs to be separated.

    Raises DecodeError, TooShortError, SeparatorError, CancelledError.
    """
    vocals: Iterator[np.ndarray]
    if is_vocals:
        mono = decode(path, sample_rate_hz=SAMPLE_RATE_HZ, num_channels=1, cancel=cancel)
        vocals = (chunk[0] for chunk in mono)
    else:
        separator = separation.load(separation.default_name())
        rate_hz = separation.SAMPLE_RATE_HZ
        stereo = decode(path, sample_rate_hz=rate_hz, num_channels=2, cancel=cancel)
        vocals = separation.voice(separator, stereo, cancel)
    sampler = PortraitSampler()
    for _, segments in segment_batches(vocals):
        sampler.add(segments, is_voiced(segments))
    return sampler.portrait()

"""Write a waveform as FLAC, MP3, Opus or AAC, and put tags and a cover into the file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np
from mutagen import flac, id3, mp4
from numpy.typing import NDArray

from engine.sound.resampling import resample

# mutagen carries no types for its classes
_flac: Any = flac
_id3: Any = id3
_mp4: Any = mp4

_CODECS = {
    ".flac": ("flac", "s16", None),
    ".mp3": ("libmp3lame", "fltp", 128_000),
    ".opus": ("libopus", "flt", 112_000),
    ".m4a": ("aac", "fltp", 128_000),
}
_CHUNK = 1 << 16


@dataclass(frozen=True)
class SongTags:
    title: str
    artist: str
    album: str
    genre: str
    year: int
    track_number: int
    cover_png: bytes


def write_audio(path: Path, samples: NDArray[np.float32], sample_rate_hz: int) -> None:
    """Encode (2, n) float32 at 44.1 kHz; the format follows the suffix (flac, mp3, opus, m4a)."""
    codec, sample_format, bit_rate = _CODECS[path.suffix]
    if codec == "libopus":  # knows 48 kHz only
        samples, sample_rate_hz = resample(samples, sample_rate_hz, 48_000), 48_000
    data: NDArray[Any] = samples
    if sample_format == "s16":
        data = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
    # bit-exact: no random serial numbers and no encoder dates, so the same song is the same file
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(codec, rate=sample_rate_hz)
        stream.layout = "stereo"
        stream.format = sample_format
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        if codec == "libmp3lame":
            stream.codec_context.options = {"compression_level": "7"}  # half the time, as good here
        for start in range(0, data.shape[1], _CHUNK):
            part = data[:, start : start + _CHUNK]
            if not sample_format.endswith("p"):  # not planar: interleaved
                part = part.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(part), format=sample_format, layout="stereo"
            )
            frame.sample_rate = sample_rate_hz
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_tags(path: Path, tags: SongTags) -> None:
    """Tags and cover, in the way that is native to each format."""
    file: Any = mutagen.File(path, easy=True)
    if file.tags is None:
        file.add_tags()
    file["title"], file["artist"], file["album"] = tags.title, tags.artist, tags.album
    file["genre"], file["date"] = tags.genre, str(tags.year)
    file["tracknumber"] = str(tags.track_number)
    file.save()
    _put_cover(path, tags.cover_png)


def _put_cover(path: Path, png: bytes) -> None:
    file: Any = mutagen.File(path)
    picture = _flac.Picture()
    picture.type, picture.mime, picture.data = 3, "image/png", png
    if path.suffix == ".mp3":
        file.tags.add(_id3.APIC(encoding=3, mime="image/png", type=3, data=png))
    elif path.suffix == ".m4a":
        file["covr"] = [_mp4.MP4Cover(png, _mp4.MP4Cover.FORMAT_PNG)]
    elif path.suffix == ".flac":
        file.add_picture(picture)
    else:
        file["metadata_block_picture"] = base64.b64encode(picture.write()).decode("ascii")
    file.save()

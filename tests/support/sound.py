"""Sounds and WAV files for tests, made in a few lines."""

import wave
from pathlib import Path

import av
import numpy as np


def buzz(seconds: float, rate_hz: int = 16_000, pitch_hz: float = 150.0) -> np.ndarray:
    """(n,) float32: a harmonic tone with vibrato, loud enough for the vocal gate."""
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    phase = 2 * np.pi * (pitch_hz * time_s - 0.2 * np.cos(2 * np.pi * 5 * time_s))
    harmonics = range(1, int(min(20, rate_hz / 2 / (pitch_hz * 1.1))))
    return (0.2 * sum(np.sin(k * phase) / k for k in harmonics)).astype(np.float32)


def write_wav(path: Path, samples: np.ndarray, rate_hz: int = 16_000) -> Path:
    """(n,) or (num_channels, n) in [-1, 1] -> 16-bit WAV."""
    channels = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.rint(channels.T * 32767).astype("<i2").tobytes())
    return path


def encode(path: Path, samples: np.ndarray, rate_hz: int, codec: str, layout: str) -> Path:
    """(num_channels, n) in [-1, 1] -> a file of its suffix, by one of FFmpeg's codecs."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz)
        stream.layout = layout
        stream.options = {"strict": "experimental"}  # for FFmpeg's own Vorbis encoder
        resampler = av.AudioResampler(stream.format.name, layout, rate_hz)
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, np.float32), format="fltp", layout=layout
        )
        frame.sample_rate = rate_hz
        fifo = av.AudioFifo()
        for piece in resampler.resample(frame):
            fifo.write(piece)
        stream.codec_context.open()
        frame_size = stream.codec_context.frame_size or 1024
        while (piece := fifo.read(frame_size, partial=True)) is not None:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path

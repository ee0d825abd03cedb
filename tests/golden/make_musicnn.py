"""Golden values for test_musicnn.py: what the published graph makes of two sounds.

pip download --no-deps musicnn==0.1.0
pip install tensorflow-cpu==2.19.0 librosa==0.11.0
python tests/golden/make_musicnn.py musicnn-0.1.0-py3-none-any.whl

The graph is run as it was published; what only trained it is left out, since TensorFlow can no
longer read that. Its features are librosa's, rounded to 16 bits as the package does.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import librosa
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

NUM_SAMPLES = 48_128
OUTPUTS = ("model/concat_2", "model/Sigmoid")
FOLDER = "musicnn/MSD_musicnn/"


def sounds() -> np.ndarray:
    """(2, 48,128) float32 at 16 kHz: chords with a beat, and a buzzing voice over noise."""
    time_s = np.arange(NUM_SAMPLES) / 16_000
    rng = np.random.default_rng(0)
    beat = rng.standard_normal(NUM_SAMPLES) * np.exp(-30 * (time_s % 0.5))
    chord = sum(
        np.sin(2 * np.pi * k * f * time_s) / k
        for f in (110.0, 220.0, 277.2, 329.6)
        for k in range(1, 9)
    ) * np.exp(-2 * (time_s % 1.0))
    phase = 2 * np.pi * (140 * time_s + 15 * time_s**2)
    voice = sum(np.sin(k * phase) / k for k in range(1, 30)) * (np.sin(9 * time_s) > -0.5)
    both = np.stack([chord + 0.5 * beat, voice + 0.3 * rng.standard_normal(NUM_SAMPLES)])
    return (0.2 * both / np.abs(both).max(1, keepdims=True)).astype(np.float32)


def log_mels(sound: np.ndarray) -> np.ndarray:
    """(187, 96): the frames that are not padded."""
    power = librosa.feature.melspectrogram(y=sound, sr=16_000, hop_length=256, n_fft=512, n_mels=96)
    return np.log10(10_000 * power.T.astype(np.float16).astype(np.float32) + 1)[1:-1]


def run_graph(folder: Path, pieces: np.ndarray) -> list[np.ndarray]:
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    graph = tf.compat.v1.graph_util.extract_sub_graph(
        meta.graph_def, [*OUTPUTS, "save/restore_all"]
    )
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(graph, name="")
        session.run("save/restore_all", {"save/Const:0": str(folder) + "/"})
        fed = {"model/Placeholder:0": pieces, "model/Placeholder_2:0": False}
        return session.run([f"{name}:0" for name in OUTPUTS], fed)


if __name__ == "__main__":
    tf.compat.v1.disable_eager_execution()
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(sys.argv[1]) as wheel:
        wheel.extractall(temporary, [n for n in wheel.namelist() if n.startswith(FOLDER)])
        mels = np.stack([log_mels(sound) for sound in sounds()])
        pooled, tags = run_graph(Path(temporary) / FOLDER, mels)
    np.savez_compressed(
        Path(__file__).parent / "musicnn.npz",
        mels=mels[:, ::10].astype(np.float32),
        pooled=pooled.reshape(len(mels), -1, 2).astype(np.float32),
        tags=tags.astype(np.float32),
    )

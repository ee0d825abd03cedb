"""Makes cvsm_tensorflow.index, cvsm_tensorflow.npz and small_tensorflow.{index,data-...}.

What TensorFlow itself writes and computes for a model with the objects of the published CVSM
checkpoints and random weights, to test the import without TensorFlow. Run from the repository's
root, in an environment of its own:

    python -m venv SOMEWHERE && SOMEWHERE/bin/pip install tensorflow-cpu tf-keras
    SOMEWHERE/bin/python tests/golden/make_cvsm_tensorflow.py

Made with TensorFlow 2.21.0 and tf-keras 2.21.0. The weights are not kept: both sides rebuild
them from their names (tests/support/seeded.py).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

GOLDEN = Path(__file__).parent
sys.path.insert(0, str(GOLDEN.parent))
from support.seeded import seeded_excerpts, seeded_keras  # noqa: E402


class Bilinear(keras.layers.Layer):
    def build(self, _):
        self.bilinear_product_weight = self.add_weight("bilinear_product_weight", (512, 512))

    def call(self, embeddings):
        return embeddings @ self.bilinear_product_weight @ tf.transpose(embeddings)


class Contrastive(keras.Model):
    def __init__(self):
        super().__init__()
        efficientnet = keras.applications.EfficientNetB0(
            include_top=False, weights=None, input_shape=(98, 64, 1), pooling="max"
        )
        head = [
            keras.layers.Dense(512),
            keras.layers.LayerNormalization(epsilon=1e-3),
            keras.layers.Activation("tanh"),
        ]
        self.embedding_model = keras.Sequential([efficientnet, *head])
        self._similarity_layer = Bilinear()

    def call(self, log_mels):
        return self._similarity_layer(self.embedding_model(log_mels))


def fill(layer, prefix):
    for variable in layer.weights:
        name = f"{prefix}/{variable.name.split('/')[-1].removesuffix(':0')}"
        variable.assign(seeded_keras(name, variable.shape))


def fill_model(model):
    efficientnet, dense, norm, _ = model.embedding_model.layers
    root = "embedding_model/layer_with_weights"
    with_weights = [layer for layer in efficientnet.layers if layer.weights]
    for number, layer in enumerate(with_weights[1:], 1):  # 0, the input normalisation, stays
        fill(layer, f"{root}-0/layer_with_weights-{number}")
    fill(dense, f"{root}-1")
    fill(norm, f"{root}-2")
    fill(model._similarity_layer, "_similarity_layer")


def log_mel(waveform):
    """(n, 16000) -> (n, 98, 64), by TensorFlow's own signal functions."""
    spectrum = tf.signal.stft(waveform, 400, 160, 1024, pad_end=False)
    weights = tf.signal.linear_to_mel_weight_matrix(64, 513, 16000, 60.0, 7800.0)
    mel = tf.tensordot(tf.abs(spectrum), weights, 1)
    return tf.math.log(tf.clip_by_value(mel, 1e-5, 1e8))


def main():
    model = Contrastive()
    log_mels = log_mel(seeded_excerpts())
    model(log_mels[..., None])
    fill_model(model)
    embeddings = model.embedding_model.layers[0](log_mels[..., None], training=False)
    np.savez_compressed(
        GOLDEN / "cvsm_tensorflow.npz", log_mel=log_mels.numpy(), embedding=embeddings.numpy()
    )
    with tempfile.TemporaryDirectory() as folder:
        prefix = f"{folder}/cvsm_tensorflow"
        model.save_weights(prefix, save_format="tf")
        shutil.copy(f"{prefix}.index", GOLDEN)
    small = tf.train.Checkpoint(
        ramp=tf.Variable(tf.range(6, dtype=tf.float32)[None] / 4), count=tf.Variable(7)
    )
    small.write(str(GOLDEN / "small_tensorflow"))


main()

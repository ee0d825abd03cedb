"""The encoder's shapes, size and padding; golden values are in test_cvsm_import_tf.py."""

from __future__ import annotations

import pytest
import torch

from engine.errors import CheckpointError
from engine.networks.cvsm.encoder import (
    NUM_BLOCKS,
    EfficientNetB0,
    Encoder,
    EncoderConfig,
    MBConv,
    SameConv2d,
    encoder_config,
)


def test_it_has_the_parameters_of_keras() -> None:
    """Keras's EfficientNet-B0 has 4,049,571; for one channel 576 less, and without the 42,016
    running statistics and the 7 numbers of its normalisations."""
    assert sum(p.numel() for p in Encoder().parameters()) == 4_006_972
    assert len(Encoder().net.blocks) == NUM_BLOCKS == 16


@pytest.mark.parametrize(
    ("excerpt_samples", "height", "width"), [(16_000, 4, 2), (48_000, 10, 2), (25_600, 5, 2)]
)
def test_shapes(excerpt_samples: int, height: int, width: int) -> None:
    encoder = Encoder(EncoderConfig(excerpt_samples=excerpt_samples)).eval()
    features = encoder.net(encoder.log_mel(torch.randn(1, excerpt_samples)))
    assert features.shape == (1, 1280, height, width)
    assert encoder.pool(features).shape == (1, encoder.dim)


def test_same_padding_by_hand() -> None:
    """Size 4, kernel 3, stride 2: TensorFlow pads nothing before and one zero after."""
    conv = SameConv2d(1, 1, 3, stride=2)
    torch.nn.init.ones_(conv.weight)
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    # Windows start at rows and columns 0 and 2; what lies beyond the fourth is zero.
    top_left = 0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10
    top_right = 2 + 3 + 6 + 7 + 10 + 11
    bottom_left = 8 + 9 + 10 + 12 + 13 + 14
    bottom_right = 10 + 11 + 14 + 15
    expected = [[top_left, top_right], [bottom_left, bottom_right]]
    assert conv(image)[0, 0].tolist() == expected


def test_same_padding_of_odd_sizes_is_symmetric() -> None:
    conv = SameConv2d(1, 1, 3, stride=2)
    image = torch.randn(1, 1, 5, 7)
    symmetric = torch.nn.functional.conv2d(image, conv.weight, stride=2, padding=1)
    torch.testing.assert_close(conv(image), symmetric)


@pytest.mark.parametrize("size", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("kernel", [3, 5])
def test_strided_outputs_are_half_the_size_rounded_up(kernel: int, size: int) -> None:
    assert SameConv2d(1, 1, kernel, stride=2)(torch.zeros(1, 1, size, 9)).shape[2] == -(-size // 2)


def test_pooling() -> None:
    features = torch.tensor([[[[1.0, 3.0], [5.0, -1.0]]]])
    assert Encoder(EncoderConfig(pooling="max")).pool(features).item() == 5.0
    assert Encoder(EncoderConfig(pooling="mean")).pool(features).item() == 2.0


def test_drop_connect_rises_with_depth_and_is_off_in_use() -> None:
    net = EfficientNetB0(drop_connect=0.2)
    rates = [block.drop for block in net.blocks if isinstance(block, MBConv)]
    assert rates == pytest.approx([0.2 * i / 16 for i in range(16)])
    block = MBConv(4, 4, 3, 1, 1, drop=0.5).eval()
    x = torch.randn(8, 4, 6, 6)
    torch.testing.assert_close(block(x), block(x))


def test_drop_connect_keeps_the_mean_in_training() -> None:
    torch.manual_seed(0)
    block = MBConv(4, 4, 3, 1, 1, drop=0.5)
    block.project[1].weight.data.zero_()
    block.project[1].bias.data.fill_(1.0)  # the branch gives 1 wherever it is kept
    added = block(torch.zeros(2000, 4, 2, 2)).mean((1, 2, 3))
    assert set(added.tolist()) == {0.0, 2.0}
    assert added.mean().item() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(
    "values", [{"poling": "max"}, {"pooling": "median"}, {"log_mel": {"x": 1}}]
)
def test_unknown_configs_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="cannot run"):
        encoder_config(values)

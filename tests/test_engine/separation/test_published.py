"""open-unmix and Hybrid Demucs: the published networks, and streaming that leaves no trace.

Golden values come from the networks' own code (golden/make_separators.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.seeded import seeded_audio
from support.separators import MIXTURE, chunks_of, filled, streamed

from engine import separation
from engine.errors import CancelledError
from engine.progress import CancelToken
from engine.separation import hdemucs, mixture_floor, published
from engine.separation.blocks import separate_blocks
from engine.separation.hdemucs import HDemucs
from engine.separation.openunmix import PLAN, OpenUnmix, OpenUnmixNet
from engine.separation.published import PUBLISHED, Published
from engine.separation.stft import StreamingIstft, StreamingStft
from engine.sound.resampling import resampled

GOLDEN = Path(__file__).parents[2] / "golden"


def golden(name: str) -> np.ndarray:
    return np.asarray(np.load(GOLDEN / "separators.npz")[name])


@pytest.fixture(scope="module")
def small_unmix() -> OpenUnmixNet:
    return filled(OpenUnmixNet(16), "umx")


@pytest.fixture(scope="module")
def small_hdemucs() -> torch.nn.Module:
    return filled(hdemucs.network(4), "hdemucs")


@pytest.mark.parametrize("candidate", PUBLISHED, ids=lambda candidate: str(candidate.name))
def test_published_files_fit_our_networks(candidate: Published) -> None:
    """All tensors that we need are in the published networks, under these names and shapes."""
    theirs = json.loads((GOLDEN / "separator_shapes.json").read_text())[candidate.name]
    ours = published._build(candidate.architecture, candidate.config)
    shapes = {name: list(tensor.shape) for name, tensor in ours.state_dict().items()}
    assert shapes == {name: theirs.get(name) for name in shapes}
    # The reference gives its last time encoder a norm that it never uses.
    assert {name.rsplit(".", 1)[0] for name in set(theirs) - set(shapes)} <= {
        "time_encoder.4.norm1"
    }


def test_open_unmix_gives_what_the_reference_gives(small_unmix: OpenUnmixNet) -> None:
    window = torch.hann_window(4096)
    mixture = torch.from_numpy(MIXTURE)
    spectrum = torch.stft(mixture, 4096, 1024, window=window, return_complex=True)
    with torch.inference_mode():
        gain = small_unmix(spectrum.abs().transpose(1, 2)[None])[0].transpose(1, 2)
    vocals = torch.istft(
        (spectrum * gain).mean(0), 4096, 1024, window=window, length=MIXTURE.shape[1]
    )
    np.testing.assert_allclose(vocals.numpy()[::8], golden("openunmix"), atol=1e-6)


def test_hdemucs_gives_what_the_reference_gives(small_hdemucs: torch.nn.Module) -> None:
    vocals = streamed(HDemucs("hdemucs", small_hdemucs), MIXTURE, MIXTURE.shape[1])
    assert np.abs(golden("hdemucs")).max() > 0.01
    np.testing.assert_allclose(vocals[::8], golden("hdemucs"), atol=1e-6)


SEPARATORS: dict[str, Callable[[], separation.Separator]] = {
    "open-unmix": lambda: OpenUnmix("umx", filled(OpenUnmixNet(16), "umx")),
    "hdemucs": lambda: HDemucs("hdemucs", filled(hdemucs.network(4), "hdemucs")),
}


@pytest.fixture(params=SEPARATORS, scope="module")
def separator(request: pytest.FixtureRequest) -> separation.Separator:
    return SEPARATORS[request.param]()


@pytest.mark.parametrize("num_samples", [1, 3000, 44_101])
def test_vocals_are_as_long_as_the_mixture(
    separator: separation.Separator, num_samples: int
) -> None:
    vocals = streamed(separator, MIXTURE[:, :num_samples], 1000)
    assert vocals.shape == (min(num_samples, MIXTURE.shape[1]),)
    assert vocals.dtype == np.float32
    assert np.isfinite(vocals).all()


def test_the_voice_is_the_vocals_at_16_khz(
    separator: separation.Separator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the floor, and for what filters do near 8 kHz, where two ways must differ."""
    monkeypatch.setattr(mixture_floor, "FLOOR", 0.0)
    chunks = chunks_of(MIXTURE, 9_000)
    voice = np.concatenate(list(separation.voice(separator, chunks)))
    expected = np.concatenate(list(resampled(separator.vocals(chunks))))
    assert 0 <= len(voice) - len(expected) <= 1
    below_7_khz = slice(0, len(expected) * 7 // 16)
    ours, theirs = (np.fft.rfft(one[: len(expected)])[below_7_khz] for one in (voice, expected))
    assert np.linalg.norm(ours - theirs) < 0.01 * np.linalg.norm(theirs)  # -40 dB


def test_chunks_do_not_matter(separator: separation.Separator) -> None:
    small, large = (streamed(separator, MIXTURE, size) for size in (7_001, 10**6))
    assert np.abs(large).max() > 0.001
    np.testing.assert_allclose(small, large, atol=1e-6)


def test_nothing_in_nothing_out(separator: separation.Separator) -> None:
    assert sum(map(len, separator.vocals([]))) == 0


def test_stops_when_asked(separator: separation.Separator) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        list(separator.vocals([MIXTURE], cancel))


class StopsAtThirdCheck(CancelToken):
    num_checks = 0

    def check(self) -> None:
        self.num_checks += 1
        if self.num_checks == 3:
            self.cancel()
        super().check()


def test_hdemucs_stops_between_two_levels(small_hdemucs: torch.nn.Module) -> None:
    cancel = StopsAtThirdCheck()
    with pytest.raises(CancelledError):
        list(HDemucs("hdemucs", small_hdemucs).vocals([MIXTURE], cancel))
    assert cancel.num_checks == 3


def test_blocks_of_open_unmix_leave_no_seam(small_unmix: OpenUnmixNet) -> None:
    """Against one pass over the whole: equal, but for the ends, where it starts without context."""
    plan = replace(PLAN, block_frames=192, blocks_per_batch=2)
    sound = seeded_audio("song", (2, 300 * plan.hop_samples)) * np.float32(0.1)
    pieces = separate_blocks(chunks_of(sound, 50_000), plan, small_unmix, CancelToken())
    ours = np.concatenate(list(pieces))

    stft, istft = StreamingStft(4096, 1024, num_channels=2), StreamingIstft(4096, 1024)
    spectrum = torch.cat([stft.push(torch.from_numpy(sound)), stft.flush()], dim=1)
    with torch.inference_mode():
        gain = small_unmix(spectrum.abs()[None])[0]
    whole = istft.push((spectrum * gain).mean(0))[: sound.shape[1]].numpy()
    inside = slice(60 * plan.hop_samples, 240 * plan.hop_samples)
    np.testing.assert_allclose(ours[inside], whole[inside], atol=1e-5 * float(whole.std()))


@pytest.fixture
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SEGMENT": 400, "OVERLAP": 100, "STRIDE": 300}.items():
        monkeypatch.setattr(hdemucs, f"{name}_SAMPLES", value)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("num_samples", [0, 1, 99, 399, 400, 401, 700, 701, 1000, 3210])
@pytest.mark.parametrize("chunk_samples", [57, 5000])
def test_segments_fade_into_each_other(num_samples: int, chunk_samples: int) -> None:
    """With an estimate that is right wherever it looks, the pieces are the whole."""
    sound = torch.from_numpy(seeded_audio("fade", (2, max(2, num_samples))))[:, :num_samples]
    seen = []

    def estimate(mixture: torch.Tensor) -> torch.Tensor:
        seen.append(mixture.shape[1])
        return mixture.mean(0)

    pieces = list(hdemucs.crossfaded(iter(sound.split(chunk_samples, dim=1)), estimate))
    joined = torch.cat(pieces) if pieces else torch.zeros(0)
    torch.testing.assert_close(joined, sound.mean(0), rtol=0, atol=1e-6)
    assert set(seen) <= {min(num_samples, 400)}  # no segment is a short rest


@pytest.mark.usefixtures("short_segments")
def test_segments_that_disagree_are_joined_without_a_step() -> None:
    levels = iter(range(100))
    pieces = hdemucs.crossfaded(
        [torch.zeros(2, 2000)], lambda x: torch.full((x.shape[1],), next(levels))
    )
    assert torch.cat(list(pieces)).diff().max() < 0.011

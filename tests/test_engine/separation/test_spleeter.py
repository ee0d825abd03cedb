"""The default separator: the same nets as the package's, and streaming that leaves no trace."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine import separation
from engine.errors import CancelledError, SeparatorError
from engine.progress import CancelToken
from engine.separation import mixture_floor, spleeter
from engine.separation.stft import StreamingIstft, StreamingStft
from engine.sound.resampling import resampled

GOLDEN = Path(__file__).parents[2] / "golden" / "spleeter.npz"


@pytest.fixture(scope="module")
def separator():
    return separation.load()


class Smoother(torch.nn.Module):
    """A "net" that looks as far to both sides as blocks have context, and no further."""

    def forward(self, magnitude):
        width = 2 * spleeter.PLAN.context_frames + 1
        flat = magnitude.transpose(2, 3).reshape(-1, 1, magnitude.shape[2])
        mean = F.avg_pool1d(flat, width, stride=1, padding=spleeter.PLAN.context_frames)
        return mean.reshape(1 * len(magnitude), 2, magnitude.shape[3], -1).transpose(2, 3)


class Identity(torch.nn.Module):
    def forward(self, magnitude):
        return magnitude


class Halved(torch.nn.Module):
    """Two of them: gains of a half."""

    def forward(self, magnitude):
        return torch.ones_like(magnitude)


def chunks_of(sound, size):
    return [sound[:, start : start + size] for start in range(0, sound.shape[1], size)]


def noise(seconds, seed=0):
    count = round(seconds * separation.SAMPLE_RATE_HZ)
    return (np.random.default_rng(seed).standard_normal((2, count)) * 0.1).astype(np.float32)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-3), (torch.bfloat16, 2e-2)])
def test_both_nets_agree_with_the_package(dtype, tolerance):
    """In float32 they agree to 2e-6; what is left here is how weights are rounded."""
    magnitude = np.random.default_rng(0).gamma(0.5, 4.0, (1, 2, 64, 64)).astype(np.float32)
    golden = np.load(GOLDEN)["outputs"]
    for net, expected in zip(spleeter.load_nets(dtype=dtype), golden, strict=True):
        with torch.inference_mode():
            ours = net(torch.from_numpy(magnitude)).numpy()[0] * magnitude[0]
        assert np.linalg.norm(ours - expected) / np.linalg.norm(expected) < tolerance


def test_doubling_is_the_published_transposed_convolution():
    torch.manual_seed(0)
    published = torch.nn.ConvTranspose2d(6, 4, 5, stride=2, padding=1)
    ours = spleeter.Doubling(6, 4)
    ours.load_state_dict(published.state_dict())
    ours.arrange(torch.float32)
    x = torch.randn(2, 6, 5, 7)
    with torch.inference_mode():
        even, odd = ours(x)
        whole = torch.stack([even, odd], dim=2).reshape(2, 10, 14, 4).permute(0, 3, 1, 2)
        expected = F.relu(published(x)[..., :-1, :-1])
    torch.testing.assert_close(whole, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.1, 3.0, 25.0])
def test_the_voice_is_the_vocals_at_16_khz(seconds, monkeypatch):
    """But for the floor, and for what filters do near 8 kHz, where the two ways must differ."""
    monkeypatch.setattr(mixture_floor, "FLOOR", 0.0)
    sound = np.concatenate(list(resampled([noise(seconds)[0]], 16_000, 44_100)))
    sound = sound[: round(seconds * 44_100)]
    separator = spleeter.Spleeter(Halved(), Halved())
    chunks = chunks_of(np.stack([sound, sound]), 100_000)
    voice = np.concatenate(list(separator.voice(chunks)))
    expected = np.concatenate(list(resampled(separator.vocals(chunks))))
    assert len(expected) <= len(voice) <= len(expected) + 1
    voice = voice[: len(expected)]
    below_7_khz = slice(0, len(expected) * 7 // 16)
    ours, theirs = (np.fft.rfft(one)[below_7_khz] for one in (voice, expected))
    assert np.linalg.norm(ours - theirs) < 0.01 * np.linalg.norm(theirs)  # -40 dB


def test_a_little_of_the_mixture_stays_where_somebody_sings():
    magnitude = torch.rand(1, 2, 3, 64) + 0.1
    sung, hardly, never = 0.5, 0.05, 0.0
    gain = torch.tensor([sung, hardly, never])[:, None].expand_as(magnitude)
    found = mixture_floor.floored(lambda _: gain.clone())(magnitude)
    floors = (
        mixture_floor.FLOOR
        * torch.tensor([1.0, hardly / mixture_floor.FULL_FLOOR_SHARE, 0.0])[:, None]
    )
    torch.testing.assert_close(found, gain + floors * (1 - gain))
    assert mixture_floor.floored(torch.zeros_like)(torch.zeros(1, 2, 3, 64)).eq(0).all()


def test_streaming_stft_is_the_stft():
    sound = torch.from_numpy(noise(1.0))
    stft = StreamingStft(4096, 1024, num_channels=2)
    frames = [stft.push(torch.from_numpy(c)) for c in chunks_of(sound.numpy(), 3001)]
    ours = torch.cat([*frames, stft.flush()], dim=1)
    window = torch.hann_window(4096)
    expected = torch.stft(
        sound, 4096, 1024, window=window, center=True, pad_mode="constant", return_complex=True
    )
    torch.testing.assert_close(ours, expected.transpose(1, 2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 1023, 2048, 44_100, 44_101])
def test_streaming_istft_gives_the_sound_back(count):
    sound = torch.from_numpy(noise(2.0)[:, :count])
    stft, istft = StreamingStft(4096, 1024, num_channels=2), StreamingIstft(4096, 1024)
    spectra = [*(stft.push(c) for c in sound.split(777, dim=1)), stft.flush()]
    pieces = [istft.push(spectrum[0])[:count] for spectrum in spectra]
    pieces.append(istft.flush(count - sum(map(len, pieces))))
    torch.testing.assert_close(torch.cat(pieces), sound[0], rtol=0, atol=1e-5)


def test_blocks_leave_no_seam():
    """With nets that need no more context than blocks have, blocks give what the whole gives."""
    sound = noise(25.0)
    streamed = spleeter.Spleeter(Smoother(), Identity())
    ours = np.concatenate(list(streamed.vocals(chunks_of(sound, 100_000))))

    stft = StreamingStft(4096, 1024, num_channels=2)
    spectrum = torch.cat([stft.push(torch.from_numpy(sound)), stft.flush()], dim=1)
    spectrum = spectrum[..., : spleeter.NUM_BINS]
    mask = spleeter.vocals_mask((Smoother(), Identity()), spectrum.abs()[None])[0]
    istft = StreamingIstft(4096, 1024)
    whole = istft.push((spectrum * mask).mean(0))[: sound.shape[1]]
    whole = torch.cat([whole, istft.flush(sound.shape[1] - len(whole))]).numpy()
    assert np.abs(whole).max() > 0.01
    np.testing.assert_allclose(ours, whole, atol=1e-5)


@pytest.mark.parametrize("seconds", [0.001, 11.0])
def test_vocals_are_as_long_as_the_mixture(separator, seconds):
    sound = noise(seconds)
    vocals = np.concatenate(list(separator.vocals(chunks_of(sound, 50_000))))
    assert vocals.shape == (sound.shape[1],)
    assert np.isfinite(vocals).all()


def test_chunks_do_not_matter(separator):
    sound = noise(1.0)
    small = np.concatenate(list(separator.vocals(chunks_of(sound, 9_999))))
    large = np.concatenate(list(separator.vocals([sound])))
    np.testing.assert_allclose(small, large, atol=1e-5)


def test_nothing_in_nothing_out(separator):
    assert sum(map(len, separator.vocals([]))) == 0


def test_stops_when_asked(separator):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(CancelledError):
        list(separator.vocals([noise(1.0)], cancel))


def test_damaged_weights_are_refused(tmp_path):
    source = spleeter.resources_path() / "models" / "spleeter-2stems"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(SeparatorError, match="damaged"):
        spleeter.load_spleeter(tmp_path)


def test_unknown_separator_names_the_known_ones():
    with pytest.raises(SeparatorError, match="spleeter"):
        separation.load("nonsense")

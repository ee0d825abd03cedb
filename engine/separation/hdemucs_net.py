"""The network of Hybrid Demucs: two U-Nets, on waveform and spectrogram, that meet in the middle.

Source: Défossez, "Hybrid spectrogram and waveform source separation" (2021), in the form in which
torchaudio publishes it: six levels, of which the waveform's branch has five; the innermost two
have LSTMs and attention. A module of ours, since torchaudio cannot be installed beside every
torch; tensors have the published names.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

FFT_SIZE = 4096
HOP_SAMPLES = FFT_SIZE // 4
NUM_CHANNELS = 2
SOURCES = ("drums", "bass", "other", "vocals")
NUM_LEVELS = 6
MERGE_LEVEL = 4  # here the spectrogram's branch has one bin left, and takes the waveform in
KERNEL, STRIDE = 8, 4
NUM_GROUPS = 4
NUM_HEADS = NUM_DECAYS = 4
LSTM_FRAMES = 200
EMBEDDING_SCALE = 2.0
NORM_EPS = 1e-5
MIN_SAMPLES = FFT_SIZE  # less cannot be padded by reflection
Check = Callable[[], None]


def group_norm(num_channels: int, level: int) -> nn.Module:
    return nn.GroupNorm(NUM_GROUPS, num_channels) if level >= MERGE_LEVEL else nn.Identity()


class LayerScale(nn.Module):
    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((num_channels,), 1e-4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale[:, None] * x


class ResidualLstm(nn.Module):
    """Two bidirectional layers; long inputs in half-overlapping frames of 200 steps."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(num_channels, num_channels, num_layers=2, bidirectional=True)
        self.linear = nn.Linear(2 * num_channels, num_channels)

    def _run(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.linear(self.lstm(x.permute(2, 0, 1))[0])
        return out.permute(1, 2, 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, num_channels, num_steps = x.shape
        if num_steps <= LSTM_FRAMES:
            return x + self._run(x)
        half, quarter = LSTM_FRAMES // 2, LSTM_FRAMES // 4
        num_frames = -(-num_steps // half)
        padded = F.pad(x, (0, (num_frames + 1) * half - num_steps))
        frames = padded.unfold(-1, LSTM_FRAMES, half).transpose(1, 2)
        out = self._run(frames.reshape(-1, num_channels, LSTM_FRAMES))
        out = out.reshape(batch, num_frames, num_channels, LSTM_FRAMES)
        # Of each frame its middle half, and at both ends of the input also the outer quarter.
        middle = out[..., quarter:-quarter].transpose(1, 2).flatten(2)
        ends = out[:, 0, :, :quarter], out[:, -1, :, -quarter:]
        return x + torch.cat([ends[0], middle, ends[1]], dim=-1)[..., :num_steps]


class ResidualAttention(nn.Module):
    """Attention without positions, whose weights fall with distance by a slope it learns."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.content = nn.Conv1d(num_channels, num_channels, 1)
        self.query = nn.Conv1d(num_channels, num_channels, 1)
        self.key = nn.Conv1d(num_channels, num_channels, 1)
        self.query_decay = nn.Conv1d(num_channels, NUM_HEADS * NUM_DECAYS, 1)
        self.proj = nn.Conv1d(num_channels, num_channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, num_channels, num_steps = x.shape
        query, key, content, decay = (
            conv(x).view(batch, NUM_HEADS, -1, num_steps)
            for conv in (self.query, self.key, self.content, self.query_decay)
        )
        rates = torch.arange(1, NUM_DECAYS + 1, device=x.device) / math.sqrt(NUM_DECAYS)
        slope = torch.einsum("f,bhfq->bhq", rates, torch.sigmoid(decay) / 2)
        steps = torch.arange(num_steps, device=x.device)
        distance = (steps[:, None] - steps).abs()
        logits = key.transpose(2, 3) @ query / math.sqrt(key.shape[2])  # (..., keys, queries)
        logits = logits - distance * slope[:, :, None]
        logits = logits.masked_fill(distance == 0, -100.0)
        out = content @ torch.softmax(logits, dim=2)
        return x + self.proj(out.reshape(batch, num_channels, num_steps))


class ResidualBranches(nn.Module):
    """(batch, channels, steps) -> the same: two dilated bottlenecks, one after the other."""

    def __init__(self, num_channels: int, level: int) -> None:
        super().__init__()
        num_hidden = num_channels // 4
        self.layers = nn.ModuleList()
        for dilation in (1, 2):
            deep: list[nn.Module] = (
                [ResidualLstm(num_hidden), ResidualAttention(num_hidden)]
                if level >= MERGE_LEVEL
                else []
            )
            self.layers.append(
                nn.Sequential(
                    nn.Conv1d(num_channels, num_hidden, 3, dilation=dilation, padding=dilation),
                    nn.GroupNorm(1, num_hidden),
                    nn.GELU(),
                    *deep,
                    nn.Conv1d(num_hidden, 2 * num_channels, 1),
                    nn.GroupNorm(1, 2 * num_channels),
                    nn.GLU(dim=1),
                    LayerScale(num_channels),
                )
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = x + layer(x)
        return x


class FreqEncoder(nn.Module):
    """(batch, num_in, bins, frames) -> (batch, num_out, bins / 4, frames)."""

    def __init__(self, num_in: int, num_out: int, level: int) -> None:
        super().__init__()
        padding = 0 if level == MERGE_LEVEL else KERNEL // 4
        self.conv = nn.Conv2d(num_in, num_out, (KERNEL, 1), (STRIDE, 1), (padding, 0))
        self.norm1 = group_norm(num_out, level)
        self.dconv = ResidualBranches(num_out, level)
        self.rewrite = nn.Conv2d(num_out, 2 * num_out, 1)
        self.norm2 = group_norm(2 * num_out, level)

    def forward(self, x: torch.Tensor, inject: torch.Tensor | None = None) -> torch.Tensor:
        x = self.conv(x)
        if inject is not None:
            x = x + inject[:, :, None]
        x = F.gelu(self.norm1(x))
        batch, num_channels, num_bins, num_frames = x.shape
        rows = x.transpose(1, 2).reshape(-1, num_channels, num_frames)
        x = self.dconv(rows).view(batch, num_bins, num_channels, num_frames).transpose(1, 2)
        return F.glu(self.norm2(self.rewrite(x)), dim=1)


class TimeEncoder(nn.Module):
    """(batch, num_in, n) -> (batch, num_out, n / stride, rounded up)."""

    def __init__(
        self, num_in: int, num_out: int, level: int, kernel: int = KERNEL, stride: int = STRIDE
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(num_in, num_out, kernel, stride, kernel // 4)
        self.norm1 = group_norm(num_out, level)
        self.dconv = ResidualBranches(num_out, level)
        self.rewrite = nn.Conv1d(num_out, 2 * num_out, 1)
        self.norm2 = group_norm(2 * num_out, level)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dconv(F.gelu(self.norm1(_strided(self.conv, x))))
        return F.glu(self.norm2(self.rewrite(x)), dim=1)


class MergeEncoder(nn.Module):
    """The waveform's last level: what it gives is added to the spectrogram's branch."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(num_in, num_out, KERNEL, STRIDE, KERNEL // 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return _strided(self.conv, x)


def _strided(conv: nn.Conv1d, x: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = conv(F.pad(x, (0, -x.shape[-1] % conv.stride[0])))
    return out


class FreqDecoder(nn.Module):
    """x and skip (batch, num_in, bins, frames) -> (batch, num_out, 4 * bins, frames).

    Also returns what it had before its last convolution, where the waveform's branch starts.
    """

    def __init__(self, num_in: int, num_out: int, level: int) -> None:
        super().__init__()
        self.crop = 0 if level == MERGE_LEVEL else (KERNEL - STRIDE) // 2
        self.is_last = level == 0
        self.rewrite = nn.Conv2d(num_in, 2 * num_in, 3, padding=1)
        self.norm1 = group_norm(2 * num_in, level)
        self.conv_tr = nn.ConvTranspose2d(num_in, num_out, (KERNEL, 1), (STRIDE, 1))
        self.norm2 = group_norm(num_out, level)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        inner = F.glu(self.norm1(self.rewrite(x + skip)), dim=1)
        out = self.norm2(self.conv_tr(inner))
        out = out[:, :, self.crop : out.shape[2] - self.crop]
        return out if self.is_last else F.gelu(out), inner


class TimeDecoder(nn.Module):
    """x and skip (batch, num_in, n) -> (batch, num_out, length)."""

    def __init__(
        self, num_in: int, num_out: int, level: int, kernel: int = KERNEL, stride: int = STRIDE
    ) -> None:
        super().__init__()
        self.is_last = level == 0
        self.crop = (kernel - stride) // 2
        self.rewrite = nn.Conv1d(num_in, 2 * num_in, 3, padding=1)
        self.norm1 = group_norm(2 * num_in, level)
        self.conv_tr = nn.ConvTranspose1d(num_in, num_out, kernel, stride)
        self.norm2 = group_norm(num_out, level)

    def forward(self, x: torch.Tensor, skip: torch.Tensor, length: int) -> torch.Tensor:
        x = F.glu(self.norm1(self.rewrite(x + skip)), dim=1)
        out = self.norm2(self.conv_tr(x))[..., self.crop : self.crop + length]
        return out if self.is_last else F.gelu(out)


class SplitDecoder(nn.Module):
    """The waveform's first level on the way out, the counterpart of MergeEncoder."""

    def __init__(self, num_in: int, num_out: int) -> None:
        super().__init__()
        self.crop = (KERNEL - STRIDE) // 2
        self.conv_tr = nn.ConvTranspose1d(num_in, num_out, KERNEL, STRIDE)
        self.norm2 = group_norm(num_out, MERGE_LEVEL)

    def forward(self, x: torch.Tensor, length: int) -> torch.Tensor:
        return F.gelu(self.norm2(self.conv_tr(x))[..., self.crop : self.crop + length])


class BinEmbedding(nn.Module):
    """(num_hidden, num_bins, 1): what distinguishes the bins, which convolutions treat alike."""

    def __init__(self, num_bins: int, num_hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_bins, num_hidden)

    def forward(self) -> torch.Tensor:
        return EMBEDDING_SCALE * self.embedding.weight.t()[..., None]


class HDemucsNet(nn.Module):
    """Mixture (batch, 2, n) at 44.1 kHz, n >= 4096 -> vocals (batch, n), mean of channels.

    Args:
        num_hidden: channels of the first level, doubled at each next; 48 as published.
    """

    def __init__(self, num_hidden: int = 48) -> None:
        super().__init__()
        widths = [num_hidden * 2**level for level in range(NUM_LEVELS)]
        num_freq = [2 * NUM_CHANNELS, *widths]
        num_time = [NUM_CHANNELS, *widths]
        shared = range(MERGE_LEVEL)
        inner = {"kernel": 4, "stride": 2}
        self.freq_emb = BinEmbedding(FFT_SIZE // 2 // STRIDE, num_hidden)
        self.freq_encoder = nn.ModuleList(
            FreqEncoder(num_freq[i], widths[i], i) for i in range(NUM_LEVELS - 1)
        )
        self.freq_encoder.append(TimeEncoder(widths[-2], widths[-1], NUM_LEVELS - 1, **inner))
        self.time_encoder = nn.ModuleList(TimeEncoder(num_time[i], widths[i], i) for i in shared)
        self.time_encoder.append(MergeEncoder(widths[-3], widths[-2]))
        num_freq[0] *= len(SOURCES)
        num_time[0] *= len(SOURCES)
        self.freq_decoder = nn.ModuleList(
            [TimeDecoder(widths[-1], widths[-2], NUM_LEVELS - 1, **inner)]
        )
        self.freq_decoder.extend(
            FreqDecoder(widths[i], num_freq[i], i) for i in reversed(range(NUM_LEVELS - 1))
        )
        self.time_decoder = nn.ModuleList([SplitDecoder(widths[-2], widths[-3])])
        self.time_decoder.extend(TimeDecoder(widths[i], num_time[i], i) for i in reversed(shared))

    def forward(self, mixture: torch.Tensor, check: Check = lambda: None) -> torch.Tensor:
        """``check`` is called between levels, and may raise to stop the work."""
        num_samples = mixture.shape[-1]
        spectrum, freq_mean, freq_std = _normalised(_spectrogram(mixture))
        waveform, time_mean, time_std = _normalised(mixture)
        freq, time = self._decode(*self._encode(spectrum, waveform, check), num_samples, check)
        freq = _vocals(freq) * freq_std + freq_mean
        time = _vocals(time) * time_std + time_mean
        return _waveform(freq, num_samples) + time.mean(1)

    def _encode(
        self, x: torch.Tensor, waveform: torch.Tensor, check: Check
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """What each level gives: the spectrogram's branch, and the waveform's."""
        time_skips: list[torch.Tensor] = []
        for encode in self.time_encoder:
            check()
            waveform = encode(waveform)
            time_skips.append(waveform)
        freq_skips: list[torch.Tensor] = []
        for level, encode in enumerate(self.freq_encoder):
            check()
            x = encode(x, time_skips.pop()).squeeze(2) if level == MERGE_LEVEL else encode(x)
            if level == 0:
                x = x + self.freq_emb()
            freq_skips.append(x)
        return freq_skips, time_skips

    def _decode(
        self,
        freq_skips: list[torch.Tensor],
        time_skips: list[torch.Tensor],
        num_samples: int,
        check: Check,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Both branches' estimates of all sources."""
        lengths = [num_samples, *(skip.shape[-1] for skip in time_skips)]
        merged, split = freq_skips.pop(), self.time_decoder[0]
        check()
        x = self.freq_decoder[0](torch.zeros_like(merged), merged, freq_skips[-1].shape[-1])
        x, skip = x[:, :, None], freq_skips.pop()[:, :, None]
        x, inner = self.freq_decoder[1](x, skip)
        waveform = split(inner[:, :, 0], lengths.pop())
        for decode, decode_time in zip(
            list(self.freq_decoder)[2:], list(self.time_decoder)[1:], strict=True
        ):
            check()
            x, _ = decode(x, freq_skips.pop())
            check()
            waveform = decode_time(waveform, time_skips.pop(), lengths.pop())
        return x, waveform


def _vocals(x: torch.Tensor) -> torch.Tensor:
    """(batch, sources * channels, ...) -> (batch, channels, ...)."""
    return x.chunk(len(SOURCES), dim=1)[SOURCES.index("vocals")]


def _normalised(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Each example at mean 0 and deviation 1; also the mean and the deviation."""
    dims = tuple(range(1, x.ndim))
    mean, std = x.mean(dims, keepdim=True), x.std(dims, keepdim=True)
    return (x - mean) / (NORM_EPS + std), mean, std


def _spectrogram(mixture: torch.Tensor) -> torch.Tensor:
    """(batch, 2, n) -> (batch, 4, 2048, n / hop, rounded up): parts of each channel in turn."""
    batch, _, num_samples = mixture.shape
    num_frames = -(-num_samples // HOP_SAMPLES)
    padding = 3 * HOP_SAMPLES // 2
    padded = F.pad(
        mixture, (padding, padding + num_frames * HOP_SAMPLES - num_samples), mode="reflect"
    )
    window = torch.hann_window(FFT_SIZE, device=mixture.device)
    spectrum = torch.stft(
        padded.flatten(0, 1),
        FFT_SIZE,
        HOP_SAMPLES,
        window=window,
        normalized=True,
        return_complex=True,
    )
    spectrum = spectrum[:, :-1, 2 : 2 + num_frames]
    parts = torch.view_as_real(spectrum).permute(0, 3, 1, 2)
    return parts.reshape(batch, -1, *spectrum.shape[1:])


def _waveform(parts: torch.Tensor, num_samples: int) -> torch.Tensor:
    """(batch, 4, 2048, frames) -> (batch, num_samples), mean of channels."""
    # Both channels' real parts, both imaginary parts.
    mean = torch.stack([parts[:, 0::2].mean(1), parts[:, 1::2].mean(1)], dim=-1)
    spectrum = F.pad(torch.view_as_complex(mean), (2, 2, 0, 1))
    padding = 3 * HOP_SAMPLES // 2
    num_padded = parts.shape[-1] * HOP_SAMPLES + 2 * padding
    window = torch.hann_window(FFT_SIZE, device=parts.device)
    samples = torch.istft(
        spectrum, FFT_SIZE, HOP_SAMPLES, window=window, normalized=True, length=num_padded
    )
    return samples[:, padding : padding + num_samples]

"""Short-time Fourier transform and its inverse for streams that do not fit in memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F


class StreamingStft:
    """Centred frames of a stream, the same as ``torch.stft(center=True, pad_mode="constant")``.

    Push chunks (num_channels, n); each push returns the frames that became complete,
    (num_channels, num_frames, fft_size // 2 + 1) complex64. ``flush`` returns the last ones.
    """

    def __init__(self, frame_samples: int, hop_samples: int, num_channels: int) -> None:
        self.frame_samples, self.hop_samples = frame_samples, hop_samples
        self._window = torch.hann_window(frame_samples)
        self._held = torch.zeros(num_channels, frame_samples // 2)

    def push(self, chunk: torch.Tensor) -> torch.Tensor:
        held = torch.cat([self._held, chunk], dim=1)
        num_frames = max(0, 1 + (held.shape[1] - self.frame_samples) // self.hop_samples)
        self._held = held[:, num_frames * self.hop_samples :].clone()
        if not num_frames:
            return torch.zeros(len(held), 0, self.frame_samples // 2 + 1, dtype=torch.complex64)
        frames = held.unfold(1, self.frame_samples, self.hop_samples)
        return torch.fft.rfft(frames * self._window)

    def flush(self) -> torch.Tensor:
        return self.push(torch.zeros(len(self._held), self.frame_samples // 2))


class StreamingIstft:
    """The inverse of StreamingStft for one channel: overlap-add, divided by the summed windows.

    Push frames (num_frames, num_bins), missing upper bins being zero; each push returns the
    samples that are final.
    """

    def __init__(self, frame_samples: int, hop_samples: int) -> None:
        self.frame_samples, self.hop_samples = frame_samples, hop_samples
        self._window = torch.hann_window(frame_samples)
        self._tail = torch.zeros(frame_samples - hop_samples)
        self._tail_weight = torch.zeros(frame_samples - hop_samples)
        self._position = -(frame_samples // 2)  # negative: in the padding before the first sample

    def push(self, frames: torch.Tensor) -> torch.Tensor:
        num_frames = len(frames)
        if not num_frames:
            return torch.zeros(0)
        pieces = torch.fft.irfft(frames, n=self.frame_samples) * self._window
        total = self._overlap_add(pieces)
        weight = self._overlap_add((self._window**2).expand(num_frames, -1))
        overlap = len(self._tail)
        total[:overlap] += self._tail
        weight[:overlap] += self._tail_weight
        num_final = num_frames * self.hop_samples
        self._tail, self._tail_weight = total[num_final:].clone(), weight[num_final:].clone()
        return self._beyond_padding(total[:num_final] / weight[:num_final].clamp_min(1e-8))

    def flush(self, num_samples: int) -> torch.Tensor:
        """The last ``num_samples`` of the stream: what no further frame will overlap."""
        rest = self._beyond_padding(self._tail / self._tail_weight.clamp_min(1e-8))[:num_samples]
        return F.pad(rest, (0, num_samples - len(rest)))

    def _overlap_add(self, pieces: torch.Tensor) -> torch.Tensor:
        """(num_frames, frame_samples) -> ((num_frames - 1) * hop + frame,)."""
        num_frames, hop = len(pieces), self.hop_samples
        per_frame = self.frame_samples // hop
        out = torch.zeros(num_frames + per_frame - 1, hop)
        for part, rows in enumerate(pieces.reshape(num_frames, per_frame, hop).unbind(1)):
            out[part : part + num_frames] += rows
        return out.reshape(-1)

    def _beyond_padding(self, samples: torch.Tensor) -> torch.Tensor:
        kept = samples[max(0, -self._position) :]
        self._position += len(samples)
        return kept

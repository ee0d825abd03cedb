"""How loud a song is heard, and its waveform to draw: both from one pass over the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.progress import CancelToken
from engine.sound import audio

RATE_HZ = 44_100
FLOOR_LUFS = -70.0  # nothing quieter counts (ITU-R BS.1770-4)
_RELATIVE_GATE_LU = -10.0
_STEP_S = 0.1  # blocks of 0.4 s overlap by three quarters: four steps each
_STEPS_PER_BLOCK = 4
_CELL = 441  # 10 ms, a few hundred kilobytes for hours of sound
# (centre in Hz, gain in dB, Q) of the two filters of BS.1770 that stand for head and ear
_SHELF = (1681.974450955533, 3.999843853973347, 0.7071752369554196)
_HIGH_PASS = (38.13547087602444, 0.5003270373238773)


@dataclass(frozen=True)
class Loudness:
    """``lufs``: integrated loudness (ITU-R BS.1770-4), -70 for silence; ``peak``: of all samples,
    1 is full scale.
    """

    lufs: float
    peak: float

    def gain_to(self, target_lufs: float) -> float:
        """The factor that brings it to a loudness, but never a sample beyond full scale."""
        if self.lufs <= FLOOR_LUFS:
            return 1.0
        wanted = float(10 ** ((target_lufs - self.lufs) / 20))
        return min(wanted, 1.0 / max(self.peak, 1e-9))


@dataclass(frozen=True, eq=False)
class SoundShape:
    """``peaks``: (num_bins, 2) float32, lowest and highest sample of each bin."""

    peaks: np.ndarray
    loudness: Loudness


def shape_of(path: Path, num_bins: int, cancel: CancelToken | None = None) -> SoundShape:
    """Loudness and waveform of a file. Raises DecodeError, CancelledError."""
    cancel = cancel or CancelToken()
    meter, cells = LoudnessMeter(RATE_HZ), list[np.ndarray]()
    held = np.zeros(0, np.float32)
    for chunk in audio.decode(path, sample_rate_hz=RATE_HZ, num_channels=2):
        cancel.check()
        meter.add(chunk)
        held = np.concatenate([held, chunk.mean(0)])
        num_cells = len(held) // _CELL
        whole = held[: num_cells * _CELL].reshape(-1, _CELL)
        cells.append(np.stack([whole.min(1), whole.max(1)], axis=1))
        held = held[num_cells * _CELL :]
    lows_highs = np.concatenate(cells)
    peaks = np.zeros((num_bins, 2), np.float32)
    if len(lows_highs):
        firsts = np.linspace(0, len(lows_highs), num_bins, endpoint=False).astype(int)
        peaks[:, 0] = np.minimum.reduceat(lows_highs[:, 0], firsts)
        peaks[:, 1] = np.maximum.reduceat(lows_highs[:, 1], firsts)
    return SoundShape(peaks, meter.loudness())


def measure(chunks: Iterable[np.ndarray], rate_hz: int) -> Loudness:
    """Of a stream of (num_channels, n) float32."""
    meter = LoudnessMeter(rate_hz)
    for chunk in chunks:
        meter.add(chunk)
    return meter.loudness()


class LoudnessMeter:
    """Integrated loudness of a stream, with gates (ITU-R BS.1770-4, annex 1). Mono or stereo.

    The filters' effect is taken on the spectrum of each step of 0.1 s: as exact as filtering, but
    for what rings on from one step into the next, which the blocks of 0.4 s blur in any case.
    """

    def __init__(self, rate_hz: int) -> None:
        self._step = round(_STEP_S * rate_hz)
        self._weights = _power_weights(rate_hz, self._step)
        self._held = np.zeros((0, 0), np.float32)
        self._energies: list[np.ndarray] = []
        self._peak = 0.0

    def add(self, chunk: np.ndarray) -> None:
        """(num_channels, n) float32, any n, always as many channels."""
        if not chunk.shape[1]:
            return
        self._peak = max(self._peak, float(np.abs(chunk).max()))
        held = chunk if not self._held.size else np.concatenate([self._held, chunk], axis=1)
        num_steps = held.shape[1] // self._step
        whole, self._held = np.split(held, [num_steps * self._step], axis=1)
        self._energies.append(self._energy(whole.reshape(len(chunk), num_steps, self._step)))

    def _energy(self, steps: np.ndarray) -> np.ndarray:
        """(num_channels, n, step) -> (n,): mean square as heard, of all channels together."""
        power = np.abs(np.fft.rfft(steps)) ** 2 @ self._weights
        # A mono song comes from both loudspeakers.
        return np.asarray(power.sum(0) * (2 if len(steps) == 1 else 1))

    def loudness(self) -> Loudness:
        steps = np.concatenate([np.zeros(0), *self._energies])
        if not len(steps) and self._held.size:
            short = np.zeros((len(self._held), 1, self._step), np.float32)
            short[:, 0, : self._held.shape[1]] = self._held
            steps = self._energy(short) * (self._step / self._held.shape[1])
        if len(steps) < _STEPS_PER_BLOCK:  # shorter than a block: all of it is one
            steps = np.full(_STEPS_PER_BLOCK, steps.mean() if len(steps) else 0.0)
        blocks = np.convolve(steps, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), "valid")
        loud = blocks[_lufs(blocks) > FLOOR_LUFS]
        if len(loud):
            loud = loud[_lufs(loud) > _lufs(loud.mean()) + _RELATIVE_GATE_LU]
        lufs = float(_lufs(loud.mean())) if len(loud) else FLOOR_LUFS
        return Loudness(max(FLOOR_LUFS, lufs), self._peak)


def k_weighting(rate_hz: int) -> np.ndarray:
    """The two filters of BS.1770 for any rate, (2, 6) second-order sections.

    The standard tabulates 48 kHz; these are the analogue prototypes behind the table, by the
    bilinear transform.
    """
    centre_hz, gain_db, quality = _SHELF
    k = np.tan(np.pi * centre_hz / rate_hz)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / quality + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / quality + k * k) / a0,
    ]
    centre_hz, quality = _HIGH_PASS
    k = np.tan(np.pi * centre_hz / rate_hz)
    a0 = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0]
    return np.array([shelf, high_pass])


def _power_weights(rate_hz: int, size: int) -> np.ndarray:
    """(size // 2 + 1,): what each bin of a squared spectrum adds to the mean square as heard."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = np.ones(len(turn), complex)
    for b0, b1, b2, a0, a1, a2 in k_weighting(rate_hz):
        response *= (b0 + b1 * turn + b2 * turn**2) / (a0 + a1 * turn + a2 * turn**2)
    weights = 2 * np.abs(response) ** 2 / size**2  # both halves of the spectrum
    weights[0] /= 2
    return weights


def _lufs(energy: np.ndarray | float) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.maximum(energy, 1e-12))

"""LSTMs in 8-bit integers, for inference on processors that multiply those faster than floats."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

# Hidden states lie between -1 and 1, and are kept as steps of 1/127 around a middle. Unsigned:
# oneDNN multiplies signed activations by a slow reference only.
STEPS, MIDDLE = 127, 128
_F32 = torch.float32


class Int8Lstm:
    """What ``nn.LSTM`` (batch first, one direction, no projection) ends with, in 8-bit integers.

    Weights are rounded row by row, hidden states to 1/127; gates and cells stay float32, and so
    does the input of the first layer, whose range nobody knows. Measured on ``singalike-2``:
    embeddings of excerpts keep a cosine of 0.9996 with those in float32, those of segments 0.9999
    (``bfloat16``: 0.9998 and 0.9999). The products are oneDNN's, by the operators that
    ``torch.compile`` uses for quantised linear layers.
    """

    def __init__(self, lstm: nn.LSTM) -> None:
        self._hidden_size = lstm.hidden_size
        self._layers = [_Layer(lstm, index) for index in range(lstm.num_layers)]

    def last_hidden(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, steps, features) float32 -> (batch, hidden_size) float32 of the last layer."""
        with torch.autocast("cpu", enabled=False):
            states = [layer.start(len(x)) for layer in self._layers]
            for step in x.float().transpose(0, 1).contiguous():
                below = step
                for layer, state in zip(self._layers, states, strict=True):
                    hidden, below = layer.next(below, state)
        return hidden

    @staticmethod
    def is_fast_here() -> bool:
        """Whether this processor multiplies 8-bit integers by itself, and torch lets it."""
        capabilities = torch.cpu.get_capabilities()
        return hasattr(torch.ops.onednn, "qlinear_pointwise") and any(
            capabilities.get(name) for name in ("avx512_vnni", "avx_vnni", "amx_int8")
        )


@dataclass
class _State:
    inputs: torch.Tensor  # (batch, all that is multiplied) uint8
    cell: torch.Tensor  # (batch, hidden_size) float32


class _Layer:
    """One layer. Holds no state: threads share it."""

    def __init__(self, lstm: nn.LSTM, index: int) -> None:
        def part(name: str) -> torch.Tensor:
            return torch.as_tensor(getattr(lstm, f"{name}_l{index}")).detach().float()

        size = self._size = lstm.hidden_size
        weight_in, weight_hidden = part("weight_ih"), part("weight_hh")
        bias = part("bias_ih") + part("bias_hh")
        # tanh(x) = 2 sigmoid(2x) - 1: with the doubling in the weights, all gates are sigmoids.
        twice = torch.ones(4 * size)
        twice[2 * size : 3 * size] = 2
        self._is_first = index == 0
        weight = weight_hidden if index == 0 else torch.cat([weight_in, weight_hidden], dim=1)
        weight = weight * twice[:, None]  # a copy: the LSTM keeps its own
        self._scales = weight.abs().amax(1).clamp_min(1e-12) / 127
        rounded = torch.round(weight / self._scales[:, None]).to(torch.int8)
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._zeros = torch.zeros(4 * size, dtype=torch.int64)
        self._bias = bias * twice
        self._weight_in = (weight_in * twice[:, None]).T.contiguous()
        self._num_inputs = weight.shape[1]

    def start(self, batch: int) -> _State:
        inputs = torch.full((batch, self._num_inputs), MIDDLE, dtype=torch.uint8)
        return _State(inputs, torch.zeros(batch, self._size))

    def next(self, below: torch.Tensor, state: _State) -> tuple[torch.Tensor, torch.Tensor]:
        """Input -> (hidden state float32, the same as uint8: input of the layer above)."""
        gate_in, gate_forget, gate_cell, gate_out = (
            self._gates(below, state.inputs).sigmoid_().chunk(4, dim=1)
        )
        candidate = gate_cell.mul_(2).sub_(1)
        state.cell = torch.addcmul(gate_forget.mul_(state.cell), gate_in, candidate)
        hidden = (2 * state.cell).sigmoid_().mul_(2).sub_(1).mul_(gate_out)
        rounded = (hidden * STEPS).round_().add_(MIDDLE).to(torch.uint8)
        state.inputs[:, -self._size :] = rounded
        return hidden, rounded

    def _gates(self, below: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        quantised = (1 / STEPS, MIDDLE, self._packed, self._scales, self._zeros)
        if self._is_first:
            total = torch.addmm(self._bias, below, self._weight_in)
            return torch.ops.onednn.qlinear_pointwise.binary(
                inputs, *quantised, total, None, 1.0, 0, _F32, 1.0, 0, "sum", 1.0, "none", [], ""
            )
        inputs[:, : -self._size] = below
        return torch.ops.onednn.qlinear_pointwise(
            inputs, *quantised, self._bias, 1.0, 0, _F32, "none", [], ""
        )

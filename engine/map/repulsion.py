"""How all songs of a map push each other apart: exactly for few, on a grid for many.

In t-SNE every pair of points repels. On the grid (Linderman et al., "Fast interpolation-based
t-SNE", Nature Methods 2019) each point spreads its charge over the nodes around it, the nodes act
on each other by a convolution, and every point reads its force from the nodes around it: linear in
the number of points.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import fft, sparse

EXACT_LIMIT = 250  # points; below, all pairs are computed
NUM_NODES = 3  # per box and axis: quadratic interpolation
BOX_WIDTH = 1.0  # the kernel's own scale: 3 % error in the forces, 0.4 % in Z
BOX_STEP = 20  # boxes come in twenties, so that the kernels' spectra serve for many steps
MAX_BOXES = 400


def repulsion(points: np.ndarray) -> tuple[np.ndarray, float]:
    """(n, 2) float32 -> (forces (n, 2) float32, normaliser Z).

    The force on i is the sum over j of (y_i - y_j) / (1 + |y_i - y_j|²)², to be divided by Z, the
    sum of 1 / (1 + |y_i - y_j|²) over all pairs of different points.
    """
    return _exact(points) if len(points) <= EXACT_LIMIT else _on_grid(points)


def _exact(points: np.ndarray) -> tuple[np.ndarray, float]:
    apart = points[:, None] - points[None]
    kernel = 1 / (1 + (apart**2).sum(2))
    total = float(kernel.sum(dtype=np.float64)) - len(points)
    return np.asarray((apart * (kernel**2)[..., None]).sum(1)), total


def _on_grid(points: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = points.min(0), points.max(0)
    span = float((high - low).max())
    num_boxes = min(-(-int(span + 2) // BOX_STEP) * BOX_STEP, MAX_BOXES)
    width = max(BOX_WIDTH, span / (num_boxes - 1.01))
    num_nodes = num_boxes * NUM_NODES
    size = fft.next_fast_len(2 * num_nodes, real=True)
    # The middle of all is the middle of a box, where interpolation is best: all points start there.
    middle = np.float32(num_boxes / 2 + 0.5)
    spread = _interpolation((points - (low + high) / 2) / np.float32(width) + middle, num_boxes)
    charges = np.concatenate([np.ones((len(points), 1), np.float32), points], 1)
    grids = (spread.T @ charges).T.reshape(3, num_nodes, num_nodes)
    near, far = _kernels(width / NUM_NODES, size)
    spectra = fft.rfft2(grids, (size, size))
    total = _energy(spectra[0], near, size) - len(points)
    potentials = fft.irfft2(spectra * far, (size, size))[:, :num_nodes, :num_nodes]
    at_points = spread @ potentials.reshape(3, -1).T
    return points * at_points[:, :1] - at_points[:, 1:], max(total, 1e-9)


def _energy(spectrum: np.ndarray, kernel: np.ndarray, size: int) -> float:
    """Sum of charge times potential over all nodes, by Parseval's theorem."""
    power = (spectrum.real**2 + spectrum.imag**2) * kernel
    halves = power.sum(0, dtype=np.float64)  # a real transform holds half of the columns
    halves[1 : (size + 1) // 2] *= 2
    return float(halves.sum()) / size**2


def _interpolation(places: np.ndarray, num_boxes: int) -> sparse.csr_array:
    """(n, nodes) weights of a point among the nodes of its box; ``places`` in boxes, (n, 2)."""
    boxes = np.minimum(places.astype(np.int32), num_boxes - 1)
    inside = places - boxes
    nodes = (np.arange(NUM_NODES, dtype=np.float32) + 0.5) / NUM_NODES
    weights = np.ones((*places.shape, NUM_NODES), np.float32)
    for i in range(NUM_NODES):
        for j in range(NUM_NODES):
            if i != j:
                weights[..., i] *= (inside - nodes[j]) / (nodes[i] - nodes[j])
    side = num_boxes * NUM_NODES
    firsts = boxes * NUM_NODES
    steps = np.arange(NUM_NODES, dtype=np.int32)
    columns = (firsts[:, 0, None] + steps)[:, :, None] * side + (firsts[:, 1, None] + steps)[
        :, None, :
    ]
    values = weights[:, 0, :, None] * weights[:, 1, None, :]
    starts = np.arange(len(places) + 1, dtype=np.int32) * NUM_NODES**2
    return sparse.csr_array(
        (values.ravel(), columns.ravel(), starts), shape=(len(places), side * side)
    )


@lru_cache(maxsize=2)
def _kernels(spacing: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra (real: kernels are even) of 1 / (1 + d²) and its square, nodes ``spacing`` apart."""
    steps = np.arange(size, dtype=np.float32)
    offsets = np.minimum(steps, size - steps) * np.float32(spacing)
    kernel = 1 / (1 + offsets[:, None] ** 2 + offsets[None] ** 2)
    return fft.rfft2(kernel).real, fft.rfft2(kernel**2).real

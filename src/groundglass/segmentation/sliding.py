"""A volume through a network: in one pass where memory allows, else by overlapping windows blended by a Gaussian."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

Forward = Callable[[torch.Tensor], torch.Tensor]


@contextmanager
def fast_inference() -> Iterator[None]:
    """Without gradients, in bfloat16 where this CPU multiplies it natively (AVX-512 BF16, AMX), else in float32."""
    has_bf16 = bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=has_bf16):
        yield


def window_starts(size: int, window: int, overlap: float) -> list[int]:
    """First voxels of windows that cover `size` voxels, evenly spread, with at least `overlap` (0 to <1) shared."""
    if size <= window:
        return [0]
    count = int(np.ceil((size - window) / max(1, int(window * (1 - overlap))))) + 1
    return [round(i * (size - window) / (count - 1)) for i in range(count)]


def gaussian_weight(shape: Sequence[int], sigma_share: float = 0.125) -> torch.Tensor:
    """Blending weight of a window (nnU-Net): Gaussian of sigma `sigma_share` x side, at least 1e-3 of its peak."""
    weight = torch.ones(())
    for size in shape:
        at = (torch.arange(size, dtype=torch.float32) - (size - 1) / 2) / (sigma_share * size)
        weight = weight[..., None] * torch.exp(-0.5 * at.square())
    return weight.clamp(min=1e-3)


def predict_windows(
    forward: Forward,
    volume: torch.Tensor,
    *,
    channels: int,
    window: Sequence[int],
    overlap: float = 0.25,
    stride: int = 1,
) -> torch.Tensor:
    """(channels, X, Y, Z) float32: the weighted mean of `forward` over windows of `volume` (X, Y, Z).

    `forward` maps (1, 1, *window) to (1, channels, *window) values that may be averaged (shares, not logits). A
    volume smaller than the window is padded with zeros to a multiple of `stride`. Windows with nothing but zeros are
    not computed; their voxels stay 0 in every channel.
    """
    sides = [min(w, -(-n // stride) * stride) for w, n in zip(window, volume.shape, strict=True)]
    padded = _pad(volume, [max(s, n) for s, n in zip(sides, volume.shape, strict=True)])
    total = torch.zeros((channels, *padded.shape))
    weights = torch.zeros(padded.shape)
    weight = gaussian_weight(sides)
    for slices in _windows(padded.shape, sides, overlap):
        crop = padded[slices]
        if not crop.any():
            continue
        total[(slice(None), *slices)] += forward(crop[None, None])[0].float() * weight
        weights[slices] += weight
    total /= weights.clamp(min=1e-6)
    return total[(slice(None), *(slice(0, n) for n in volume.shape))]


def label_map(shares: torch.Tensor) -> NDArray[np.uint8]:
    """(X, Y, Z) the class of the largest share, by a running maximum: three times faster than argmax on a CPU."""
    best = shares[0].clone()
    labels = torch.zeros(best.shape, dtype=torch.uint8)
    for value in range(1, shares.shape[0]):
        labels.masked_fill_(shares[value] > best, value)
        torch.maximum(best, shares[value], out=best)
    return labels.numpy()


def _windows(shape: Sequence[int], sides: Sequence[int], overlap: float) -> Iterator[tuple[slice, ...]]:
    starts = [window_starts(n, s, overlap) for n, s in zip(shape, sides, strict=True)]
    for corner in product(*starts):
        yield tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))


def _pad(volume: torch.Tensor, sides: Sequence[int]) -> torch.Tensor:
    amounts: list[int] = []
    for have, want in zip(reversed(volume.shape), reversed(list(sides)), strict=True):
        amounts += [0, want - have]
    return torch.nn.functional.pad(volume, amounts)

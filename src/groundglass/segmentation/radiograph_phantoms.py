"""Phantom radiographs rendered once and kept: pictures as bytes, masks as bits on the half grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.segmentation.radiograph_labels import LABELS

SIZE = 256


@dataclass(frozen=True)
class PhantomSet:
    """`pictures` (N, SIZE, SIZE) uint8; `bits` (N, K, SIZE^2 / 32) uint8: K masks on the half grid, packed."""

    pictures: NDArray[np.uint8]
    bits: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.pictures)

    def masks(self, index: int) -> NDArray[np.bool_]:
        """(K, SIZE / 2, SIZE / 2)."""
        half = SIZE // 2
        flat = np.unpackbits(self.bits[index], axis=1, count=half * half)
        return flat.reshape(-1, half, half).astype(bool)


def render(folder: Path, count: int, *, seed: int = 0, progress: Callable[[str], None] | None = None) -> PhantomSet:
    """`count` phantoms from `seed`, rendered in blocks of 50 that are kept in `folder` and found again."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = []
    for start in range(0, count, 50):
        path = folder / f"phantoms-{seed}-{start}.npz"
        if not path.exists():
            _write_block(path, range(start, min(start + 50, count)), seed)
            if progress:
                progress(f"{min(start + 50, count)}/{count} phantoms")
        with np.load(path) as block:
            blocks.append((block["pictures"], block["bits"]))
    return PhantomSet(np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks]))


def _write_block(path: Path, numbers: range, seed: int) -> None:
    from groundglass.synthesis import random_radiograph

    half = SIZE // 2
    pictures, bits = [], []
    for number in numbers:
        phantom = random_radiograph(np.random.default_rng([seed, number]), size=SIZE)
        masks = np.zeros((len(LABELS), half, half), dtype=bool)
        for k, name in enumerate(LABELS):
            if name in phantom.masks:
                masks[k] = phantom.masks[name].reshape(half, 2, half, 2).mean(axis=(1, 3)) >= 0.5
        pictures.append((phantom.image * 255).astype(np.uint8))
        bits.append(np.packbits(masks.reshape(len(LABELS), -1), axis=1))
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, pictures=np.stack(pictures), bits=np.stack(bits))
    temporary.replace(path)

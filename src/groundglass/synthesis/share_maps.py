"""Expected shares of each structure at given places of the atlas: the same sampling in training and in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray


@dataclass(frozen=True)
class ShareMaps:
    """`shares` (classes, X, Y, Z) float32, class 0 the outside; `affine` leads from their voxels to MNI mm."""

    shares: torch.Tensor
    affine: NDArray[np.float64]

    def at(self, positions: torch.Tensor) -> torch.Tensor:
        """(classes, ...) shares at `positions` (3, X, Y, Z) in MNI mm, linear; outside of the maps all is outside."""
        inverse = torch.from_numpy(np.linalg.inv(self.affine).astype(np.float32))
        index = torch.einsum("ij,jxyz->ixyz", inverse[:3, :3], positions) + inverse[:3, 3, None, None, None]
        size = torch.tensor(self.shares.shape[1:], dtype=torch.float32)[:, None, None, None]
        grid = (index / (size - 1) * 2 - 1).flip(0).movedim(0, -1)[None]
        # The maps end in nothing but outside, so their border goes on.
        return torch.nn.functional.grid_sample(
            self.shares[None], grid, mode="bilinear", padding_mode="border", align_corners=True
        )[0]


def halved(positions: torch.Tensor) -> torch.Tensor:
    """(3, X, Y, Z) -> (3, X/2, Y/2, Z/2): the centres of blocks of 2 x 2 x 2 voxels."""
    return torch.nn.functional.avg_pool3d(positions[None], 2)[0]

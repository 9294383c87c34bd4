"""Radiographs of a volume: Joseph's method, one plane of voxels at a time, for cone and parallel beams.

Joseph, IEEE Trans. Med. Imaging 1 (1982) 192: the line integral is the sum over the planes across the ray's dominant
axis of the bilinearly interpolated value, times the path between two planes. Each plane is one 2-D
`grid_sample`, which is far faster on a CPU than a 3-D one and differentiable with respect to the volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import grid_sample

from groundglass.core import GeometryError


@dataclass(frozen=True)
class Projector:
    """A flat detector and a source, in mm of the volume's own axes (voxel centre i at i * spacing).

    `detector` (rows, columns, 3): position of each pixel. `source` (3,), or None for a parallel beam along
    `direction` (3,).
    `axis` is the volume axis that the beam crosses plane by plane; every ray must run mainly along it.
    """

    detector: NDArray[np.float64]
    axis: int
    source: NDArray[np.float64] | None = None
    direction: NDArray[np.float64] | None = None

    def integrate(self, volume: torch.Tensor, spacing: tuple[float, float, float]) -> torch.Tensor:
        """(X, Y, Z) values per mm -> (rows, columns) line integrals. Raises GeometryError for rays along the planes."""
        total, length = self._sum(volume, spacing, reduce="sum")
        return total * length

    def silhouette(self, mask: torch.Tensor, spacing: tuple[float, float, float]) -> torch.Tensor:
        """(X, Y, Z) -> (rows, columns) maximum of the interpolated values along each ray."""
        return self._sum(mask, spacing, reduce="max")[0]

    def _sum(
        self, volume: torch.Tensor, spacing: tuple[float, float, float], reduce: str
    ) -> tuple[torch.Tensor, torch.Tensor]:
        detector = torch.as_tensor(self.detector, dtype=volume.dtype)
        start, way = self._rays(detector)
        if float(way[..., self.axis].abs().min()) < 1e-6:
            raise GeometryError(
                "projection", f"a ray runs along the planes of axis {self.axis}", "Choose another axis."
            )
        others = [axis for axis in range(3) if axis != self.axis]
        planes = volume.movedim(self.axis, 0)
        slopes = [way[..., axis] / way[..., self.axis] for axis in others]
        total = torch.zeros(detector.shape[:2], dtype=volume.dtype)
        for index in range(planes.shape[0]):
            distance = index * spacing[self.axis] - start[..., self.axis]
            grid = []
            for axis, slope in zip(others, slopes, strict=True):
                voxel = (start[..., axis] + slope * distance) / spacing[axis]
                # Voxel centres to grid_sample's [-1, 1] over the outer faces.
                grid.append((2 * voxel + 1) / volume.shape[axis] - 1)
            # grid_sample wants (x, y): the last plane axis first.
            sampled = grid_sample(planes[index][None, None], torch.stack(grid[::-1], -1)[None], align_corners=False)[
                0, 0
            ]
            total = total + sampled if reduce == "sum" else torch.maximum(total, sampled)
        length = spacing[self.axis] * way.norm(dim=-1) / way[..., self.axis].abs()
        return total, length

    def _rays(self, detector: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.source is not None:
            source = torch.as_tensor(self.source, dtype=detector.dtype).expand_as(detector)
            return source, detector - source
        if self.direction is None:
            raise GeometryError("projection", "has neither a source nor a direction", "Give one of them.")
        return detector, torch.as_tensor(self.direction, dtype=detector.dtype).expand_as(detector)

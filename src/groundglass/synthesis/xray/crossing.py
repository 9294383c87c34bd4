"""Rays in voxel coordinates, put together by the axis that they mainly run along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import GeometryError
from groundglass.synthesis.xray.view import XrayView


@dataclass(frozen=True, eq=False)
class RayBundle:
    """Rays that cross the planes of voxels of `axis` one by one.

    At plane i (a real number, voxel centres at whole ones) a ray is at `base + slope * i` on the two `others` axes;
    |slope| <= 1. `step` mm of path lie between two planes. `base`, `slope`: (*grid, 2); `step`: (*grid). `where`
    indexes the rays in the flattened detector, None for all of it in its own shape.
    """

    axis: int
    others: tuple[int, int]
    base: torch.Tensor
    slope: torch.Tensor
    step: torch.Tensor
    where: torch.Tensor | None


def bundles(view: XrayView, affine: NDArray[Any], shape: tuple[int, ...]) -> Iterator[RayBundle]:
    """The rays of a view through a volume of `shape` voxels under `affine`, one bundle per main axis (float64).

    Raises GeometryError where the source lies level with the volume or behind its near side.
    """
    affine = np.asarray(affine, dtype=np.float64)
    _check_in_front(view, affine, shape)
    inverse = np.linalg.inv(affine)
    start, way = view.rays()
    start = start @ inverse[:3, :3].T + inverse[:3, 3]
    way = way @ inverse[:3, :3].T
    main = np.abs(way).argmax(axis=-1)
    for axis in range(3):
        chosen = main == axis
        if not chosen.any():
            continue
        # One ray at a right angle to the axis would never cross its planes; main axes are safe from that.
        whole = bool(chosen.all())
        begin, along = (start, way) if whole else (start[chosen], way[chosen])
        others = tuple(other for other in range(3) if other != axis)
        slope = along[..., others] / along[..., axis, None]
        base = begin[..., others] - slope * begin[..., axis, None]
        yield RayBundle(
            axis,
            others,  # type: ignore[arg-type]
            torch.from_numpy(base),
            torch.from_numpy(slope),
            torch.from_numpy(1 / np.abs(along[..., axis])),
            None if whole else torch.from_numpy(np.flatnonzero(chosen)),
        )


def gathered(view: XrayView, parts: list[tuple[RayBundle, torch.Tensor]]) -> torch.Tensor:
    """(channels, rows, columns) of the values of all bundles, each (channels, *its rays)."""
    bundle, values = parts[0]
    if bundle.where is None:
        return values
    places = torch.cat([bundle.where for bundle, _ in parts if bundle.where is not None])
    joined = torch.cat([values for _, values in parts], dim=1)
    return joined[:, torch.argsort(places)].reshape(-1, *view.shape)


def _check_in_front(view: XrayView, affine: NDArray[np.float64], shape: tuple[int, ...]) -> None:
    if view.source is None:
        return
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in shape], indexing="ij"), -1).reshape(-1, 3)
    depth = (corners @ affine[:3, :3].T + affine[:3, 3] - view.source) @ view.normal
    if depth.min() <= 0:
        raise GeometryError(
            "X-ray view",
            f"the source lies {-depth.min():.0f} mm beyond the near side of the volume",
            "Move the source away.",
        )

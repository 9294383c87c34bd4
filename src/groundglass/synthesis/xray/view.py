"""Where the X-rays start, where the pixels lie: one object for images, masks and points, cone or parallel beam."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import GeometryError

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class XrayView:
    """A flat detector and a beam in mm of one world, as a rule the patient's RAS+.

    `corner` (3,): centre of pixel (0, 0). `row_step`, `column_step` (3,): from one row, one column to the next.
    `shape`: rows, columns. `source` (3,), or None for a parallel beam along `direction` (3,). `name` says the view.
    Raises GeometryError where there is neither source nor direction, or pixels have no size.
    """

    corner: Float
    row_step: Float
    column_step: Float
    shape: tuple[int, int]
    source: Float | None = None
    direction: Float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if (self.source is None) == (self.direction is None):
            raise GeometryError(
                "X-ray view", "needs either a source or a direction", "Give one: cone or parallel beam."
            )
        if min(self.shape) < 1 or np.linalg.norm(np.cross(self.row_step, self.column_step)) < 1e-12:
            raise GeometryError("X-ray view", "has pixels without a size", "Give a shape and two different steps.")

    @cached_property
    def pixels(self) -> Float:
        """(rows, columns, 3): the centre of each pixel."""
        rows, columns = np.arange(self.shape[0]), np.arange(self.shape[1])
        return np.asarray(self.corner) + rows[:, None, None] * self.row_step + columns[None, :, None] * self.column_step

    @property
    def spacing(self) -> tuple[float, float]:
        """mm between rows and between columns, at the detector."""
        return float(np.linalg.norm(self.row_step)), float(np.linalg.norm(self.column_step))

    @property
    def normal(self) -> Float:
        """Unit vector across the detector, on the side that the beam leaves to."""
        across = np.cross(self.row_step, self.column_step)
        across = across / np.linalg.norm(across)
        centre = self.corner + 0.5 * (self.shape[0] - 1) * self.row_step + 0.5 * (self.shape[1] - 1) * self.column_step
        way = centre - self.source if self.source is not None else np.asarray(self.direction)
        return across if float(across @ way) > 0 else -across

    @property
    def affine(self) -> Float:
        """4x4 of the flat image: (row, column, along the beam) to mm."""
        matrix = np.eye(4)
        matrix[:3] = np.stack([self.row_step, self.column_step, self.normal, self.corner], axis=1)
        return matrix

    def rays(self) -> tuple[Float, Float]:
        """(rows, columns, 3) twice: a point on each pixel's ray, and its unit direction."""
        if self.source is None:
            way = np.asarray(self.direction, dtype=np.float64)
            return self.pixels, np.broadcast_to(way / np.linalg.norm(way), self.pixels.shape)
        way = self.pixels - self.source
        return np.broadcast_to(self.source, way.shape), way / np.linalg.norm(way, axis=-1, keepdims=True)

    def project(self, points: NDArray[Any]) -> tuple[Float, Float]:
        """(n, 3) mm -> (n, 2) rows and columns where their rays meet the detector, and (n,) magnification there."""
        points = np.asarray(points, dtype=np.float64)
        normal = self.normal
        if self.source is None:
            way = np.broadcast_to(np.asarray(self.direction, dtype=np.float64), points.shape)
            hit = points + way * (((self.corner - points) @ normal) / (way @ normal))[:, None]
            scale = np.ones(len(points))
        else:
            way = points - self.source
            scale = ((self.corner - self.source) @ normal) / (way @ normal)
            hit = self.source + way * scale[:, None]
        basis = np.stack([self.row_step, self.column_step], axis=1)
        return (hit - self.corner) @ np.linalg.pinv(basis).T, scale

    def window(self, rows: slice, columns: slice) -> XrayView:
        """The same beam on a part of the detector; slices with whole ends inside it and no step."""
        corner = np.asarray(self.corner) + rows.start * self.row_step + columns.start * self.column_step
        return replace(self, corner=corner, shape=(rows.stop - rows.start, columns.stop - columns.start))

    def document(self) -> dict[str, Any]:
        """JSON-ready geometry; `XrayView.of_document` reads it back."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "corner_mm": list(map(float, self.corner)),
            "row_step_mm": list(map(float, self.row_step)),
            "column_step_mm": list(map(float, self.column_step)),
            "source_mm": None if self.source is None else list(map(float, self.source)),
            "direction": None if self.direction is None else list(map(float, self.direction)),
        }

    @classmethod
    def of_document(cls, held: Mapping[str, Any]) -> XrayView:
        """The view of a geometry record. Raises GeometryError for a record that is none."""
        try:
            vectors = {key: np.asarray(held[f"{key}_mm"], float) for key in ("corner", "row_step", "column_step")}
            source, direction = held["source_mm"], held["direction"]
            rows, columns = held["shape"]
        except (KeyError, TypeError, ValueError) as error:
            raise GeometryError(
                "geometry record", f"is not one ({error})", "Use what XrayView.document wrote."
            ) from error
        return cls(
            shape=(int(rows), int(columns)),
            source=None if source is None else np.asarray(source, float),
            direction=None if direction is None else np.asarray(direction, float),
            name=str(held.get("name", "")),
            **vectors,
        )

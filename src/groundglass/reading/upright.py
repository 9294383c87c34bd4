"""A radiograph set upright for analysis, and the way back for landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundglass.classification import Turn
from groundglass.core import Box, Finding, Line, Mask


@dataclass(frozen=True)
class Upright:
    """`turn` says how the picture of `shape` (rows, columns) lies.

    A mirrored picture is measured unmirrored, with the sides' names swapped, so that its masks stand where the
    recipes expect them; what comes back is named by the display convention again, as its masks are.
    """

    turn: Turn
    shape: tuple[int, int]

    @property
    def _upright_shape(self) -> tuple[int, int]:
        return self.shape if self.turn.quarters % 2 == 0 else (self.shape[1], self.shape[0])

    def masks(self, found: Mapping[str, Mask]) -> dict[str, NDArray[np.bool_]]:
        """The masks (rows, columns) of the upright picture, by the names that they have there."""
        return {self._name(name): self.turn.undo(mask.array) for name, mask in found.items()}

    def spacing(self, spacing: tuple[float, ...]) -> tuple[float, float]:
        """The pixel size along the upright picture's rows and columns."""
        rows, columns = spacing
        return (rows, columns) if self.turn.quarters % 2 == 0 else (columns, rows)

    def finding(self, finding: Finding) -> Finding:
        """The same finding with its landmarks on the picture as it came."""
        moved = tuple(replace(m, geometry=tuple(self.line(line) for line in m.geometry)) for m in finding.measurements)
        return replace(finding, measurements=moved)

    def line(self, line: Line) -> Line:
        """A landmark of the upright picture, in voxel coordinates of the picture as it came."""
        return Line(tuple(self._point(point) for point in line.points), self._words(line.name))

    def boxes(self, found: Mapping[str, Box]) -> dict[str, Box]:
        """Boxes of the upright picture on the picture as it came; a name that has no other side keeps its own."""
        names = {name: self._name(name) for name in found}
        return {names[name] if names[name] in found else name: self._box(box) for name, box in found.items()}

    def _box(self, box: Box) -> Box:
        last = tuple(stop - 1 for stop in box.stop)
        first, end = self._point(box.start), self._point(last)
        low = tuple(int(min(a, b)) for a, b in zip(first, end, strict=True))
        high = tuple(int(max(a, b)) + 1 for a, b in zip(first, end, strict=True))
        return Box(low, high)

    def _point(self, point: tuple[float, ...]) -> tuple[float, float]:
        row, column = point
        height, width = self._upright_shape
        if self.turn.mirrored:
            column = width - 1 - column
        for _ in range(self.turn.quarters % 4):
            row, column, height, width = width - 1 - column, row, width, height
        return row, column

    def _name(self, name: str) -> str:
        first, _, rest = name.partition(" ")
        swapped = {"left": "right", "right": "left"}.get(first) if self.turn.mirrored else None
        return f"{swapped} {rest}" if swapped else name

    def _words(self, text: str) -> str:
        if not self.turn.mirrored:
            return text
        other = {"left": "right", "right": "left"}
        return " ".join(other.get(word, word) for word in text.split(" "))

"""What one recipe found on one radiograph: every intermediate value, the landmarks, the index, the label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from groundglass.core import Line
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.quality import DroppedCaseError
from groundglass.measurement.radiographic.thresholds import Threshold, threshold

Value = float | int | str


@dataclass(frozen=True, slots=True)
class Measured:
    """A recipe's result before the label: `index` decides, `values` are all intermediates by name.

    `landmarks` are points and calipers as (row, column) of the masks' grid.
    """

    index: float
    values: Mapping[str, Value]
    landmarks: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One line of the CheXStruct table. `dropped` holds the reason when the case was not measured.

    `label` is 1 or 0 by the task's threshold, None when dropped or when it depends on an unknown view.
    """

    task: str
    view: str | None
    index: float | None = None
    label: int | None = None
    values: Mapping[str, Value] = field(default_factory=dict)
    landmarks: tuple[Line, ...] = ()
    dropped: str = ""

    @property
    def is_measured(self) -> bool:
        return self.index is not None

    @property
    def threshold(self) -> Threshold:
        """The line of the threshold file that made the label."""
        return threshold(self.task)

    @property
    def is_abnormal(self) -> bool | None:
        """Whether the label is the abnormal one; None without a label."""
        return None if self.label is None else self.label == self.threshold.abnormal

    def to_dict(self) -> dict[str, Value | None]:
        """A flat table row: task, view, index, label, every value, the landmarks as `name(row,column)` pairs."""
        points = {f"point {line.name}": _points_text(line) for line in self.landmarks}
        head: dict[str, Value | None] = {"task": self.task, "viewposition": self.view, "index": self.index}
        return {**head, "label": self.label, "dropped": self.dropped, **self.values, **points}


def _points_text(line: Line) -> str:
    return " ".join("(" + ", ".join(f"{c:.2f}" for c in point) + ")" for point in line.points)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a task is measured: `needs` are its masks, `measure` raises DroppedCaseError where it cannot."""

    task: str
    needs: tuple[str, ...]
    measure: Callable[[RadiographMasks], Measured]

    def run(self, masks: RadiographMasks) -> TaskRow:
        """The task's row, measured or dropped with the reason."""
        try:
            found = self.measure(masks)
        except DroppedCaseError as drop:
            return TaskRow(self.task, masks.view, dropped=drop.reason)
        label = threshold(self.task).label(found.index, masks.view)
        return TaskRow(self.task, masks.view, found.index, label, found.values, found.landmarks)

"""The twelve CheXStruct tasks, run on one radiograph; which are biased by image quality; drop rates of many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from groundglass.measurement.radiographic.aortic_knob import AORTIC_KNOB_ENLARGEMENT
from groundglass.measurement.radiographic.ascending_aorta import ASCENDING_AORTA_ENLARGEMENT
from groundglass.measurement.radiographic.cardiothoracic import CARDIOMEGALY
from groundglass.measurement.radiographic.carina import CARINA_ANGLE
from groundglass.measurement.radiographic.descending_aorta import (
    DESCENDING_AORTA_ENLARGEMENT,
    DESCENDING_AORTA_TORTUOUS,
)
from groundglass.measurement.radiographic.inclusion import INCLUSION
from groundglass.measurement.radiographic.inspiration import INSPIRATION
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.mediastinum import MEDIASTINAL_WIDENING
from groundglass.measurement.radiographic.projection import PROJECTION
from groundglass.measurement.radiographic.rotation import ROTATION
from groundglass.measurement.radiographic.row import Recipe, TaskRow
from groundglass.measurement.radiographic.thresholds import gates
from groundglass.measurement.radiographic.trachea import TRACHEA_DEVIATION

RECIPES: tuple[Recipe, ...] = (
    INCLUSION,
    INSPIRATION,
    ROTATION,
    PROJECTION,
    CARDIOMEGALY,
    MEDIASTINAL_WIDENING,
    CARINA_ANGLE,
    TRACHEA_DEVIATION,
    AORTIC_KNOB_ENLARGEMENT,
    ASCENDING_AORTA_ENLARGEMENT,
    DESCENDING_AORTA_ENLARGEMENT,
    DESCENDING_AORTA_TORTUOUS,
)


def measure_radiograph(masks: RadiographMasks) -> dict[str, TaskRow]:
    """Every task's row by task name; dropped ones say why."""
    return {recipe.task: recipe.run(masks) for recipe in RECIPES}


def biases(rows: Mapping[str, TaskRow], task: str) -> tuple[str, ...]:
    """The quality tasks that were found abnormal and can have put this task's index on the wrong side of its limit."""
    row = rows[task]
    if row.index is None:
        return ()
    distance = row.threshold.distance(row.index, row.view)
    return tuple(
        gate
        for gate, margin in gates(task).items()
        if gate in rows and rows[gate].is_abnormal and (margin is None or distance <= margin)
    )


def unknown_gates(rows: Mapping[str, TaskRow], task: str) -> tuple[str, ...]:
    """The quality tasks that could bias this task's index and were not measured."""
    return tuple(gate for gate in gates(task) if gate not in rows or rows[gate].is_abnormal is None)


def drop_rates(rows: Iterable[TaskRow]) -> dict[tuple[str, str], tuple[int, int]]:
    """(dropped, all) by (task, view): segmentation does not fail at random, so the rate belongs to every table."""
    dropped: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for row in rows:
        key = (row.task, row.view or "unknown")
        total[key] += 1
        dropped[key] += not row.is_measured
    return {key: (dropped[key], total[key]) for key in sorted(total)}

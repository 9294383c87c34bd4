"""CheXStruct's twelve radiograph measurements: masks, checks, landmarks, index, label, row by row."""

from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.quality import DroppedCaseError
from groundglass.measurement.radiographic.recipes import RECIPES, biases, drop_rates, measure_radiograph, unknown_gates
from groundglass.measurement.radiographic.row import Measured, Recipe, TaskRow
from groundglass.measurement.radiographic.thresholds import Threshold, threshold

__all__ = [
    "RECIPES",
    "DroppedCaseError",
    "Measured",
    "RadiographMasks",
    "Recipe",
    "TaskRow",
    "Threshold",
    "biases",
    "drop_rates",
    "measure_radiograph",
    "threshold",
    "unknown_gates",
]

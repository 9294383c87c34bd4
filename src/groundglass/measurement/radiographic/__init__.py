"""CheXStruct's twelve radiograph measurements: masks, checks, landmarks, index, label, row by row."""

from groundglass.measurement.radiographic.exam import CaseExam, build_exam, sit_exam, sit_guided_exam, to_json
from groundglass.measurement.radiographic.exam_items import direct_items, guidance_items, states_value
from groundglass.measurement.radiographic.findings import index_measurement, row_findings, status_of, unmeasured
from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.oracle import RowReader
from groundglass.measurement.radiographic.overlays import shown_regions, write_pictures
from groundglass.measurement.radiographic.place_boxes import place_boxes
from groundglass.measurement.radiographic.quality import DroppedCaseError
from groundglass.measurement.radiographic.recipes import RECIPES, biases, drop_rates, measure_radiograph, unknown_gates
from groundglass.measurement.radiographic.row import Measured, Recipe, TaskRow
from groundglass.measurement.radiographic.thresholds import Threshold, threshold

__all__ = [
    "RECIPES",
    "CaseExam",
    "DroppedCaseError",
    "Measured",
    "RadiographMasks",
    "Recipe",
    "RowReader",
    "TaskRow",
    "Threshold",
    "biases",
    "build_exam",
    "direct_items",
    "drop_rates",
    "guidance_items",
    "index_measurement",
    "measure_radiograph",
    "place_boxes",
    "row_findings",
    "shown_regions",
    "sit_exam",
    "sit_guided_exam",
    "states_value",
    "status_of",
    "threshold",
    "to_json",
    "unknown_gates",
    "unmeasured",
    "write_pictures",
]

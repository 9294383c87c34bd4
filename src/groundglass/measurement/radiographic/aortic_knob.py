"""Aortic knob: from the trachea's left wall to the knob's left edge, in tracheal widths."""

from __future__ import annotations

import numpy as np

from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import Outline, horizontal, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked
from groundglass.measurement.radiographic.row import Measured, Recipe
from groundglass.measurement.radiographic.trachea import trachea_width


def measure(masks: RadiographMasks) -> Measured:
    """(left edge of the knob - mean left edge of the trachea on the knob's rows) / tracheal width.

    The knob is the left end of the aortic arch: where it has no mask of its own, the arch serves, or the part of the
    whole aorta that lies beside the trachea.
    """
    width, caliper = trachea_width(masks)
    knob = _knob(masks)
    beside = outline(checked(masks, "trachea")).between(knob.top, knob.bottom)
    if not len(beside.rows):
        raise DroppedCaseError("trachea", "is not seen beside the aortic knob")
    wall = float(np.mean(beside.right))
    row, edge = knob.rightmost
    if edge <= wall:
        raise DroppedCaseError("aortic knob", "does not lie to the left of the trachea")
    values = {
        "aortic_knob_xmin": wall,
        "aortic_knob_xmax": edge,
        "aortic_knob_width_px": edge - wall,
        "trachea_width_px": width,
    }
    if masks.spacing is not None:
        values["aortic_knob_width_mm"] = (edge - wall) * masks.spacing[1]
    return Measured((edge - wall) / width, values, (horizontal(row, wall, edge, "aortic knob width"), caliper))


def _knob(masks: RadiographMasks) -> Outline:
    for name in ("aortic knob", "aortic arch"):
        if masks.has(name):
            return outline(checked(masks, name))
    aorta, trachea = outline(checked(masks, "aorta")), outline(checked(masks, "trachea"))
    beside = aorta.between(aorta.top, trachea.bottom)
    if not len(beside.rows):
        raise DroppedCaseError("aorta", "does not reach up to the trachea")
    return beside


AORTIC_KNOB_ENLARGEMENT = Recipe("aortic_knob_enlargement", ("trachea", "aortic knob"), measure)

"""The body's midline on a frontal film: the line through the centres of the spine's rows."""

from __future__ import annotations

from groundglass.measurement.radiographic.masks import RadiographMasks
from groundglass.measurement.radiographic.outline import Upright, fit_upright, outline
from groundglass.measurement.radiographic.quality import DroppedCaseError, checked

# A line needs this many rows, as a share of the picture's height, to have a direction.
_SHORTEST = 0.03


def spine_midline(masks: RadiographMasks, first: float, last: float) -> Upright:
    """The spine's centre line fitted over the rows [first, last]. Raises DroppedCaseError."""
    spine = outline(checked(masks, "spine")).between(first, last)
    if len(spine.rows) < max(3.0, _SHORTEST * masks.shape[0]):
        raise DroppedCaseError("spine", "is not seen on the rows where the midline is needed")
    return fit_upright(spine.rows, spine.centre)

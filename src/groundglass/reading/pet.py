"""PET in SUV: uptake of the lesions whose masks were given."""

from __future__ import annotations

from collections.abc import Sequence

from groundglass.core import Image, Reading
from groundglass.reading.given import is_suv, sorted_masks
from groundglass.reading.lesions import findings_of
from groundglass.reading.parser import Request


class PETParser:
    """Claims PET volumes. Without a mask it says that nothing was looked for."""

    name = "PET"

    def claims(self, image: Image) -> bool:
        return image.modality == "PT" and image.is_volume

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """SUVmax, SUVmean, SUVpeak, metabolic volume and total lesion glycolysis of each lesion."""
        reading = Reading()
        for image in images:
            given, warnings = sorted_masks(image, request.masks_on(image))
            findings, more = findings_of(given)
            doubts = (
                ()
                if is_suv(image)
                else (f"{image.name} is not in SUV ({image.units or 'no unit'}): uptake is not measured.",)
            )
            limits = ("uptake outside of the given masks: nothing looks for it",)
            reading += Reading(findings=findings, not_assessed=limits, warnings=warnings + more + doubts)
        return reading

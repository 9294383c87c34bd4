"""What is measured of a mask on an image, as values of an answer."""

from __future__ import annotations

import numpy as np

from groundglass.app.mcp import answers
from groundglass.core import Image, Mask


def measured(mask: Mask, image: Image, warnings: list[str]) -> list[answers.Value]:
    """Size and shape (volumes in mL, flat ones in mm2 where pixels have a size), and the values inside."""
    from groundglass.core import GroundglassError
    from groundglass.measurement import (
        attenuation_measurements,
        intensity_of,
        shape_measurements,
        size_measurements,
        uptake_measurements,
    )

    values: list[answers.Value] = []
    inside = image.array[0]
    if image.is_volume:
        for measurements in (size_measurements, shape_measurements):
            try:
                values += [answers.Value.of(m) for m in measurements(mask)]
            except GroundglassError as error:
                warnings.append(str(error))
    elif image.spacing_known:
        area = mask.voxel_count * float(np.prod([s for a, s in enumerate(image.spacing) if a != image.time_axis]))
        values.append(answers.Value(kind="area", value=area, unit="mm2", method="sum of segmented pixels"))
    if image.modality == "CT" and image.units == "[hnsf'U]":
        return [*values, *(answers.Value.of(m) for m in attenuation_measurements(mask, inside))]
    if image.modality == "PT" and image.units.startswith("g/mL"):
        return [*values, *(answers.Value.of(m) for m in uptake_measurements(mask, inside))]
    found = intensity_of(mask, inside)
    return [
        *values,
        *(
            answers.Value(kind=f"{name} of the values", value=value, unit=image.units or "1", method="as stored")
            for name, value in (("mean", found.mean), ("standard deviation", found.sd), ("minimum", found.minimum))
        ),
    ]

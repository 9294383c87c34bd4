"""What no parser covers: geometry and technical quality, stated plainly, and no finding about the patient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundglass.core import Image, Reading
from groundglass.reading.parser import Request

_KINDS = {
    "US": "ultrasound",
    "ES": "endoscopy",
    "SM": "slide microscopy",
    "GM": "microscopy",
    "OP": "ophthalmic photography",
    "OPT": "ophthalmic tomography",
    "MG": "mammography",
    "XC": "photography",
    "PT": "positron emission tomography",
    "NM": "nuclear medicine",
    "XA": "angiography",
    "RF": "fluoroscopy",
}


class OtherParser:
    """Claims every image. It measures the picture, not the patient."""

    name = "image geometry and quality"

    def claims(self, image: Image) -> bool:
        return True

    def read(self, images: Sequence[Image], request: Request) -> Reading:
        """A reading without findings: what the image is goes to the warnings, what was not looked for is said."""
        reading = Reading()
        for image in images:
            kind = _KINDS.get(image.modality, f"{image.modality} image")
            reading += Reading(
                not_assessed=(f"every finding in {image.name} ({kind}): no parser covers this kind of image",),
                warnings=(describe(image),),
            )
        return reading


def describe(image: Image) -> str:
    """One sentence: size, spacing, range of values, and what technical quality can be told from the pixels."""
    size = " x ".join(str(n) for n in image.shape)
    colour = f", {image.channels} channels" if image.channels > 1 else ""
    spacing = " x ".join(f"{s:.3g}" for s in image.spacing) + " mm" if image.spacing_known else "unknown"
    array = image.array
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    clipped = max(float((finite == finite.min()).mean()), float((finite == finite.max()).mean()))
    text = f"{image.name}: {size} pixels{colour}, spacing {spacing}, values {finite.min():g} to {finite.max():g}"
    return text + (f"; {clipped * 100:.0f} % of the pixels have an extreme value" if clipped > 0.5 else "")

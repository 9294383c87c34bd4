"""The anatomical places of a chest radiograph as boxes, for scene graphs and any other words that need a place."""

from __future__ import annotations

from groundglass.classification import RadiographView, recognise_radiograph
from groundglass.core import Box, Image, InputError
from groundglass.measurement.radiographic import RadiographMasks, place_boxes
from groundglass.reading.upright import Upright
from groundglass.segmentation import segment_radiograph


def radiograph_places(image: Image, *, view: RadiographView | None = None) -> dict[str, Box]:
    """Boxes (rows, columns of `image`, half-open) of up to 29 places of Chest ImaGenome, by name.

    What the anatomy network outlines gives its own box, the rest an atlas of proportions
    (`measurement.radiographic.place_boxes`). Sides are the patient's by the display convention. Raises InputError when
    the picture is no frontal chest radiograph or its lungs are not found, and as `segment_radiograph` does.
    """
    view = view or recognise_radiograph(image)
    anatomy = segment_radiograph(image, view=view)
    if not {"left lung", "right lung"} <= anatomy.masks.keys():
        raise InputError(
            image.name,
            f"shows no two lungs (recognised as {view.kind}), so its places cannot be found",
            "Give a frontal chest radiograph.",
        )
    frame = Upright(view.turn, (image.shape[0], image.shape[1]))
    return frame.boxes(place_boxes(RadiographMasks(frame.masks(anatomy.masks))))

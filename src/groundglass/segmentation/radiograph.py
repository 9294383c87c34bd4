"""Anatomy of a chest radiograph: one mask per structure on the input's own grid, overlaps allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.classification import RadiographView, Turn, grey, recognise_radiograph, square
from groundglass.core import Image, Mask
from groundglass.segmentation.heart_border import heart_to_edge

MODEL = "radiograph"
Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# One connected region each; the others may fall into parts (ribs behind the heart, a clipped scapula).
SINGLE = (
    "left lung",
    "right lung",
    "heart",
    "mediastinum",
    "airways",
    "trachea",
    "carina",
    "spine",
    "descending aorta",
)


@dataclass(frozen=True)
class RadiographQuality:
    """`confidence`: mean probability inside the lungs and the heart, [0.5, 1]. `checks`: rules of anatomy and
    whether they hold.
    `usable` is False when a measurement on these masks would mislead."""

    confidence: float
    checks: Mapping[str, bool]
    usable: bool


@dataclass(frozen=True)
class RadiographAnatomy:
    """`masks`: structure -> Mask on the input's grid; a structure that was not found is left out. Left is the
    patient's left
    by the display convention (the patient's right lies on the left of an upright picture)."""

    masks: Mapping[str, Mask]
    quality: RadiographQuality
    view: RadiographView
    warnings: tuple[str, ...]


def segment_radiograph(image: Image, *, view: RadiographView | None = None) -> RadiographAnatomy:
    """Outline the anatomy of a frontal chest radiograph with the built-in model `radiograph`.

    The picture is set upright and its grey scale set right for the analysis, as `view` (by default recognised here)
    says; the masks lie on the image as it came. Raises UnsupportedError for a volume, InputError for a constant,
    empty or tiny image. A lateral or a picture of something else gives no masks and a warning.
    """
    view = view or recognise_radiograph(image)
    if view.kind != "frontal":
        note = f"The picture was recognised as {view.kind}: the anatomy of frontal chest radiographs was not sought."
        return RadiographAnatomy({}, RadiographQuality(0.5, {}, False), view, (*view.warnings(), note))
    array = grey(image)
    upright = view.turn.undo(-array if view.inverted else array)
    maps, masks = outlines(upright)
    quality = judge(maps, masks)
    back = _back(masks, view.turn)
    notes = list(view.warnings())
    if not quality.usable:
        failed = ", ".join(name for name, good in quality.checks.items() if not good)
        notes.append(
            f"The outlines are not plausible ({failed or 'low confidence'}): measurements on them may mislead."
        )
    found = {name: Mask.of(mask, image.affine) for name, mask in back.items() if mask.any()}
    return RadiographAnatomy(found, quality, view, tuple(notes))


def outlines(array: Float) -> tuple[dict[str, Float], dict[str, Bool]]:
    """Probabilities and masks on the grid of an upright picture (rows, columns), bone bright."""
    maps = structure_maps(array)
    masks = tidy({name: p > 0.5 for name, p in maps.items()})
    if {"heart", "left lung", "right lung"} <= masks.keys():
        masks["heart"] = heart_to_edge(array, masks["heart"], masks["left lung"] | masks["right lung"])
    return maps, masks


def structure_maps(array: Float) -> dict[str, Float]:
    """Probabilities on the grid of an upright picture (rows, columns), bone bright. Only the labels that the
    model's card
    vouches for (`shipped` in its config)."""
    from groundglass.models import load_model
    from groundglass.segmentation.radiograph_adaptation import cleaned, probabilities

    model = load_model(MODEL)
    prepared = square(array, int(model.config["preprocessing"]["size"]))
    answer = probabilities(model.network, prepared.picture[None])[0]
    labels = list(model.config["labels"])
    shipped = model.config.get("shipped", labels)
    return {name: prepared.to_image(cleaned(name, answer[labels.index(name)])) for name in shipped}


def tidy(masks: Mapping[str, Bool]) -> dict[str, Bool]:
    """Single structures to their largest region with holes filled; specks of the others removed."""
    from scipy.ndimage import binary_fill_holes, label

    cleaned = {}
    for name, mask in masks.items():
        regions, count = label(mask)
        if count == 0:
            continue
        sizes = np.bincount(regions.ravel())
        sizes[0] = 0
        least = sizes.max() if name in SINGLE else max(0.1 * sizes.max(), 1e-4 * mask.size)
        kept = (sizes >= least)[regions]
        cleaned[name] = binary_fill_holes(kept) if name in SINGLE else kept
    return cleaned


def judge(maps: Mapping[str, Float], masks: Mapping[str, Bool]) -> RadiographQuality:
    """Rules of anatomy on the upright masks, and how sure the network was."""
    main = [name for name in ("left lung", "right lung", "heart") if name in masks and masks[name].any()]
    confidence = float(np.mean([maps[name][masks[name]].mean() for name in main])) if main else 0.5
    checks = {"both lungs and the heart found": len(main) == 3}
    if len(main) == 3:
        left, right, heart = (masks[name] for name in ("left lung", "right lung", "heart"))
        across = [float(np.nonzero(m.any(axis=0))[0].mean()) for m in (right, heart, left)]
        checks["right lung, heart and left lung in this order"] = across[0] < across[1] < across[2]
        checks["lungs of similar size"] = 0.4 < left.sum() / max(right.sum(), 1) < 2.2
        checks["lungs fill a plausible share of the picture"] = 0.06 < (left | right).mean() < 0.7
        checks["lungs do not overlap"] = float((left & right).sum()) < 0.03 * float((left | right).sum())
    return RadiographQuality(confidence, checks, all(checks.values()) and confidence > 0.75)


def _back(masks: Mapping[str, Bool], turn: Turn) -> dict[str, Bool]:
    """Masks as the picture came in. A mirrored picture was analysed with the heart on its usual side; its sides are
    named again by the display convention."""
    names = {name: _other_side(name) if turn.mirrored else name for name in masks}
    return {names[name]: turn.apply(mask) for name, mask in masks.items()}


def _other_side(name: str) -> str:
    if name.startswith("left "):
        return "right " + name[5:]
    return "left " + name[6:] if name.startswith("right ") else name

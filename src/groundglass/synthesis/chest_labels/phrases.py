"""A sentence's explicit place on a labelled film: anatomy word, side and zone to a mask, without any model."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
SIDES = {"left": ("left", "left-sided"), "right": ("right", "right-sided")}
ZONES = {
    "upper": ("upper", "apical", "apex"),
    "middle": ("middle", "mid"),
    "lower": ("lower", "basal", "base", "basilar"),
}
LOBE = re.compile(r"\b(upper|middle|lower) lobe\b")
# Word -> class; %s stands for the side, and a class without it is taken as it is.
WORDS = {
    "costophrenic": "%s lung", "hemidiaphragm": "%s hemidiaphragm", "diaphragm": "%s hemidiaphragm",
    "clavicle": "%s clavicle", "scapula": "%s scapula", "heart": "heart", "cardiac": "heart", "aorta": "aorta",
    "aortic": "aorta", "trachea": "trachea", "mediastin": "mediastinum", "spine": "spine", "sternum": "sternum",
    "lung": "%s lung", "pulmonary": "%s lung", "zone": "%s lung", "hemithorax": "%s lung", "base": "%s lung",
    "apex": "%s lung", "pleural": "%s lung",
}  # fmt: skip


def region_of(sentence: str, masks: Mapping[str, Bool]) -> Bool | None:
    """(rows, columns): the named region on a film with these class masks; None where the sentence names none of them.

    A lobe with its side is that lobe; "right upper zone" is the third of the lung, by its height. Without a side both
    sides are meant.
    """
    text = sentence.casefold()
    sides = [side for side, words in SIDES.items() if any(re.search(rf"\b{w}\b", text) for w in words)]
    sides = sides or ["left", "right"]
    lobe = LOBE.search(text)
    if lobe is not None:
        return _union(masks, [f"{side} {lobe.group(1)} lobe" for side in sides])
    name = next((held for word, held in WORDS.items() if word in text), None)
    if name is None:
        return None
    region = _union(masks, [name.replace("%s", side) for side in sides])
    zone = next((z for z, words in ZONES.items() if any(re.search(rf"\b{w}\b", text) for w in words)), None)
    if "costophrenic" in text:
        zone = "lower"
    if region is None or zone is None or not name.endswith("lung"):
        return region
    rows = np.flatnonzero(region.any(axis=1))
    if not rows.size:
        return region
    ends = np.linspace(rows[0], rows[-1] + 1, 4)
    number = list(ZONES).index(zone)
    inside = np.arange(len(region))
    return region & ((inside >= ends[number]) & (inside < ends[number + 1]))[:, None]


def place_regions(masks: Mapping[str, Bool]) -> dict[str, Bool]:
    """The regions that a sentence may point at on a film with these class masks: both lungs' lobes and zones, and the
    classes that are no part of a lung. Those without a pixel are left out."""
    found: dict[str, Bool] = {}
    for side in SIDES:
        for name in (*(f"{side} {zone} zone" for zone in ZONES), *(f"{side} {zone} lobe" for zone in ZONES)):
            region = region_of(name, masks)
            if region is not None and region.any():
                found[name] = region
    for name in sorted({held.replace("%s", side) for held in WORDS.values() for side in SIDES}):
        if name in masks and masks[name].any():
            found[name] = masks[name]
    return found


def _union(masks: Mapping[str, Bool], names: list[str]) -> Bool | None:
    found = [masks[name] for name in names if name in masks]
    return np.logical_or.reduce(found) if found else None

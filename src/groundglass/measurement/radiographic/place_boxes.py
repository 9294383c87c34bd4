"""Boxes of the 29 places of Chest ImaGenome (arXiv 2108.00316) on a frontal radiograph, from its anatomy masks.

A place that has an outline takes the outline's box. The others are laid into the frame of the lungs and airways by an
atlas of proportions: thirds of the lungs' height, the level of the carina, the edge of the mediastinum. The cavoatrial
junction lies about 40 mm below the carina at the right edge of the mediastinum (Baskin et al., J Vasc Interv Radiol
2008; 19: 359), which is a sixth of a lung's height of 240 mm. The published boxes were drawn by people and by a
detector trained on them, which cannot be had: the proportions are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from groundglass.core import Box
from groundglass.measurement.radiographic.masks import BoolArray, RadiographMasks
from groundglass.measurement.radiographic.place_frame import Frame, frame_of

_OWN = {
    "right lung": "right lung",
    "left lung": "left lung",
    "right clavicle": "right clavicle",
    "left clavicle": "left clavicle",
    "trachea": "trachea",
    "spine": "spine",
    "mediastinum": "mediastinum",
    "cardiac silhouette": "heart",
    "aortic arch": "aortic arch",
    "carina": "carina",
}
"""Place -> mask whose box it takes where there is one."""

# Shares of the height of the lungs (mean of both) unless said otherwise.
_THIRDS = {"upper lung zone": (0, 1 / 3), "mid lung zone": (1 / 3, 2 / 3), "lower lung zone": (2 / 3, 1)}
_APEX = 0.14
_HILUM_ABOVE, _HILUM_BELOW, _HILUM_OUT = 0.06, 0.16, 0.3  # the last: share of the lung's width
_ANGLE_UP, _ANGLE_IN = 0.22, 0.5  # the last: share of the lung's width
_CARINA_ABOVE, _CARINA_BELOW = 0.10, 0.11
_ARCH = 0.22
_JUNCTION, _JUNCTION_HALF = 1 / 6, 0.045
_CAVA = 0.11


def place_boxes(masks: RadiographMasks) -> dict[str, Box]:
    """Boxes (rows, columns; half-open; within the picture) by place, for as many places as the masks allow.

    Without both lungs only the places with an outline of their own are given. A place that lies outside of the picture
    is left out.
    """
    found = {place: _tight(masks.masks[name]) for place, name in _OWN.items() if masks.has(name)}
    if masks.has("left lung") and masks.has("right lung"):
        frame = frame_of(masks)
        for place, rule in _RULES.items():
            if place not in found:
                found[place] = rule(frame)
    return {place: box for place, box in found.items() if box is not None}


def _zone(side: str, name: str) -> Callable[[Frame], Box | None]:
    def rule(frame: Frame) -> Box | None:
        low, high = _THIRDS[name]
        top, bottom = frame.rows_of(side)
        return _rows(frame.lungs[side], top + low * (bottom - top), top + high * (bottom - top))

    return rule


def _apex(side: str) -> Callable[[Frame], Box | None]:
    def rule(frame: Frame) -> Box | None:
        top, _ = frame.rows_of(side)
        return _rows(frame.lungs[side], top, top + _APEX * frame.height)

    return rule


def _hilum(side: str) -> Callable[[Frame], Box | None]:
    def rule(frame: Frame) -> Box | None:
        top, bottom = frame.carina - _HILUM_ABOVE * frame.height, frame.carina + _HILUM_BELOW * frame.height
        part = _rows(frame.lungs[side], top, bottom)
        if part is None:
            return None
        out = _HILUM_OUT * frame.width_of(side)
        inner = frame.inner_edge(side, top, bottom)
        return _clipped(frame, top, inner - out, bottom, inner) if side == "right" else _clipped(
            frame, top, inner, bottom, inner + out
        )  # fmt: skip

    return rule


def _angle(side: str) -> Callable[[Frame], Box | None]:
    """The lateral lower corner of the lung."""

    def rule(frame: Frame) -> Box | None:
        lung = frame.lungs[side]
        box = _tight(lung)
        assert box is not None  # the frame has both lungs
        inward = _ANGLE_IN * frame.width_of(side)
        first, last = box.start[1], box.stop[1]
        columns = (first, first + inward) if side == "right" else (last - inward, last)
        corner = np.zeros_like(lung)
        corner[:, round(columns[0]) : round(columns[1])] = lung[:, round(columns[0]) : round(columns[1])]
        bottom = np.flatnonzero(corner.any(axis=1))[-1] + 1
        return _clipped(frame, bottom - _ANGLE_UP * frame.height, columns[0], bottom, columns[1])

    return rule


def _hemidiaphragm(side: str) -> Callable[[Frame], Box | None]:
    """From the dome to the lowest row of the lung, over the lung's width: below that no edge is seen."""

    def rule(frame: Frame) -> Box | None:
        box = _tight(frame.lungs[side])
        assert box is not None  # the frame has both lungs
        return _clipped(frame, frame.domes[side], box.start[1], box.stop[0], box.stop[1])

    return rule


def _carina(frame: Frame) -> Box | None:
    top, bottom = frame.carina - _CARINA_ABOVE * frame.height, frame.carina + _CARINA_BELOW * frame.height
    return _rows(frame.airways, top, bottom) if frame.airways is not None else None


def _upper_mediastinum(frame: Frame) -> Box | None:
    if frame.mediastinum is None:
        return None
    return _rows(frame.mediastinum, 0, frame.carina)


def _aortic_arch(frame: Frame) -> Box | None:
    if frame.aorta is None:
        return None
    top = np.flatnonzero(frame.aorta.any(axis=1))[0]
    return _rows(frame.aorta, top, top + _ARCH * frame.height)


def _cava(frame: Frame) -> Box | None:
    """From the top of the mediastinum to the junction, along its right edge."""
    if frame.mediastinum is None:
        return None
    top = np.flatnonzero(frame.mediastinum.any(axis=1))[0]
    bottom = frame.carina + _JUNCTION * frame.height
    part = _rows(frame.mediastinum, top, frame.carina)
    if part is None:
        return None
    return _clipped(frame, top, part.start[1], bottom, part.start[1] + _CAVA * frame.height)


def _junction(frame: Frame) -> Box | None:
    if frame.mediastinum is None:
        return None
    row, half = frame.carina + _JUNCTION * frame.height, _JUNCTION_HALF * frame.height
    beside = _rows(frame.mediastinum, row - half, row + half)
    if beside is None:
        return None
    return _clipped(frame, row - half, beside.start[1], row + half, beside.start[1] + 2 * half)


def _right_atrium(frame: Frame) -> Box | None:
    """The heart right of the midline, below the junction."""
    if frame.heart is None:
        return None
    box = _tight(frame.heart)
    if box is None:
        return None
    return _clipped(
        frame, max(box.start[0], frame.carina + _JUNCTION * frame.height), box.start[1], box.stop[0], frame.midline
    )


def _abdomen(frame: Frame) -> Box | None:
    """Below the higher dome, between the lungs' outer edges, to the bottom of the picture."""
    left, right = _tight(frame.lungs["left"]), _tight(frame.lungs["right"])
    assert left is not None and right is not None  # the frame has both lungs
    return _clipped(frame, min(frame.domes.values()), right.start[1], frame.shape[0], left.stop[1])


_RULES: Mapping[str, Callable[[Frame], Box | None]] = {
    **{f"{side} {name}": _zone(side, name) for side in ("right", "left") for name in _THIRDS},
    **{f"{side} apical zone": _apex(side) for side in ("right", "left")},
    **{f"{side} hilar structures": _hilum(side) for side in ("right", "left")},
    **{f"{side} costophrenic angle": _angle(side) for side in ("right", "left")},
    **{f"{side} hemidiaphragm": _hemidiaphragm(side) for side in ("right", "left")},
    "carina": _carina,
    "upper mediastinum": _upper_mediastinum,
    "aortic arch": _aortic_arch,
    "svc": _cava,
    "cavoatrial junction": _junction,
    "right atrium": _right_atrium,
    "abdomen": _abdomen,
}


def _tight(mask: BoolArray) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return Box((int(rows[0]), int(columns[0])), (int(rows[-1]) + 1, int(columns[-1]) + 1))


def _rows(mask: BoolArray, first: float, last: float) -> Box | None:
    """The box of the mask's part on these rows."""
    top, bottom = max(0, round(first)), max(0, round(last))
    part = np.zeros_like(mask)
    part[top:bottom] = mask[top:bottom]
    return _tight(part)


def _clipped(frame: Frame, top: float, left: float, bottom: float, right: float) -> Box | None:
    start = max(0, round(top)), max(0, round(left))
    stop = min(frame.shape[0], round(bottom)), min(frame.shape[1], round(right))
    return Box(start, stop) if start[0] < stop[0] and start[1] < stop[1] else None

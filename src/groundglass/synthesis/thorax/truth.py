"""Landmarks and indices of a phantom, from its three-dimensional shapes rather than from drawn pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.thorax.anatomy import SIDES, Thorax
from groundglass.synthesis.thorax.rays import Beam


def landmarks(thorax: Thorax, beam: Beam, masks: dict[str, NDArray[np.bool_]]) -> dict[str, Any]:
    """`cardiothoracic ratio` of the anatomy seen from straight ahead without magnification, `projected cardiothoracic
    ratio` of the silhouettes, `carina angle` (degrees), `carina`, `<side> clavicle medial end`,
    `spinous line column at clavicles`, `<side> dome` as (row, column) in pixels, `rotation` (degrees)."""
    heart = thorax.heart
    s = np.linspace(0, 1, 200, dtype=np.float32)
    heart_width = float((heart.left * heart.left_curve(s)).max() + (heart.right * heart.right_curve(s)).max())
    inner = thorax.left.half_width + thorax.right.half_width
    carina, _ = beam.project(np.array([thorax.carina]))
    truth: dict[str, Any] = {
        "cardiothoracic ratio": heart_width / inner,
        "projected cardiothoracic ratio": _extent(masks["heart"])
        / max(_extent(masks["left lung"] | masks["right lung"]), 1),
        "carina angle": thorax.carina_angle,
        "carina": tuple(float(v) for v in carina[0]),
        "rotation": float(np.degrees(thorax.yaw)),
        "pixel_mm": beam.pixel,
    }
    for name, side in SIDES.items():
        end, _ = beam.project(np.array([[side * 16.0, 0.62 * thorax.depth, thorax.clavicle_level]]))
        truth[f"{name} clavicle medial end"] = tuple(float(v) for v in end[0])
        side_of = thorax.hemithorax(side)
        dome, _ = beam.project(np.array([[side * side_of.dome_peak, 0.0, side_of.dome_height]]))
        truth[f"{name} dome"] = tuple(float(v) for v in dome[0])
    x = float(thorax.scoliosis(np.array([thorax.clavicle_level / thorax.height], dtype=np.float32))[0])
    spinous, _ = beam.project(np.array([[x, -0.78 * thorax.depth - 40, thorax.clavicle_level]]))
    truth["spinous line column at clavicles"] = float(spinous[0, 1])
    return truth


def _extent(mask: NDArray[np.bool_]) -> int:
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1) if columns.size else 0

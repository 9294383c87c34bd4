"""The soft parts of the thorax: how far each ray runs through lung, heart, abdomen, breast and body.

Every solid is a signed distance-like function (negative inside, mm) that is evaluated at the samples of the
beam; its path length per ray is the sum of soft occupancies. No voxel grid is built and none is resampled,
so the cone-beam geometry is exact up to the spacing of the samples along the ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.thorax.anatomy import LEFT, Hemithorax, Thorax
from groundglass.synthesis.thorax.rays import Beam

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Paths:
    """Path lengths in mm per ray, (n, n) each, on the beam's grid binned by `step`."""

    body: Float
    lung: dict[str, Float]
    hidden: dict[str, Float]
    heart: Float
    vessels: Float
    breast: Float
    gas: Float
    effusion: Float
    pneumothorax: Float
    below: dict[str, Float]
    outline: dict[str, Float]


@dataclass(frozen=True)
class Effusion:
    """Free pleural fluid on one side, up to `level` of the lung's height at the wall."""

    side: int
    level: float


@dataclass(frozen=True)
class Pneumothorax:
    """Air between wall and lung on one side, `thick` mm at the apex of an upright patient and less towards the base."""

    side: int
    thick: float


def trace(
    thorax: Thorax,
    beam: Beam,
    *,
    step: int,
    planes: int,
    effusions: tuple[Effusion, ...] = (),
    pneumothoraces: tuple[Pneumothorax, ...] = (),
) -> Paths:
    """Path lengths through all soft parts."""
    across = thorax.width if beam.view == "LATERAL" else thorax.depth
    extent = across + thorax.wall + 12
    x, y, z, length = beam.samples(step=step, planes=planes, extent=extent)
    soft = np.float32(max(beam.pixel * step, 2 * extent / planes) * 0.75)

    def through(distance: Float) -> Float:
        return _occupancy(distance, soft).sum(axis=0) * length

    t = np.clip(z / np.float32(thorax.height), -0.3, 1.2)
    heart = heart_distance(thorax, x, y, z)
    heart_inside = _occupancy(heart, soft)
    lung, hidden, below, outline = {}, {}, {}, {}
    fluid, free_air = np.zeros_like(length), np.zeros_like(length)
    for hemithorax in thorax.sides:
        name = "left" if hemithorax.side == LEFT else "right"
        cavity = cavity_distance(thorax, hemithorax, x, y, z, t)
        above = dome_level(thorax, hemithorax, x, y) - z
        inside = _occupancy(np.maximum(cavity, above), soft)
        air = inside * (1 - heart_inside)
        for effusion in effusions:
            if effusion.side == hemithorax.side:
                wet = air * _occupancy(z - fluid_level(thorax, hemithorax, effusion, x, y), soft)
                fluid += wet.sum(axis=0) * length
                air = air - wet
        for leak in pneumothoraces:
            if leak.side == hemithorax.side:
                # The lung falls away from wall and apex; its hilum holds it.
                layer = -cavity - np.float32(leak.thick) * np.clip(0.1 + 1.1 * t, 0, 1)
                free_air += (air * _occupancy(layer.astype(np.float32), soft)).sum(axis=0) * length
        lung[name] = air.sum(axis=0) * length
        outline[name] = inside.sum(axis=0) * length
        # The part of the cavity's column that lies under the diaphragm hides the recess behind it.
        under = _occupancy(np.maximum(cavity, -above), soft)
        below[name] = under.sum(axis=0) * length
        hidden[name] = heart_inside.sum(axis=0) * length
    return Paths(
        body=through(body_distance(thorax, x, y, z)),
        lung=lung,
        hidden=hidden,
        heart=heart_inside.sum(axis=0) * length,
        vessels=through(pedicle_distance(thorax, x, y, z)),
        breast=_breasts(thorax, x, y, z, soft).sum(axis=0) * length,
        gas=_stomach(thorax, x, y, z, soft).sum(axis=0) * length,
        effusion=fluid,
        pneumothorax=free_air,
        below=below,
        outline=outline,
    )


def cavity_distance(thorax: Thorax, side: Hemithorax, x: Float, y: Float, z: Float, t: Float) -> Float:
    """Pleural cavity of one side without regard to the diaphragm, down to below the recess."""
    lateral = np.float32(side.side) * x
    rise = np.clip(1 - z / np.float32(side.height), 0.0, 1.0)
    wall = side.apex_x + (side.half_width - side.apex_x) * rise ** np.float32(side.apex_power)
    wall = wall + side.lateral_wobble(t) * np.sqrt(rise)
    depth = np.float32(thorax.depth) * (0.42 + 0.58 * rise ** np.float32(0.45))
    middle = -0.12 * np.float32(thorax.depth) * (1 - rise)
    # Super-ellipse of exponent 2.4 as horizontal section: flatter than an ellipse at front and back.
    radial = (np.abs(lateral) / wall) ** 2 + np.abs((y - middle) / depth) ** np.float32(2.4)
    outer = (np.sqrt(radial) - 1) * np.minimum(wall, depth)
    inner_wall = side.apex_x - side.apex_x * np.float32(side.inner_apex) * rise ** np.float32(0.42)
    medial = side.medial + side.medial_drift * (1 - t) + side.medial_wobble(t)
    inner = np.maximum(inner_wall, medial) - lateral
    return np.maximum(np.maximum(outer, inner), z - side.height).astype(np.float32)


def dome_level(thorax: Thorax, side: Hemithorax, x: Float, y: Float) -> Float:
    """Height z of the hemidiaphragm over (x, y): flat dome, steep to the recesses, low at the back."""
    lateral = np.float32(side.side) * x
    radial = np.sqrt((lateral / side.half_width) ** 2 + (y / np.float32(thorax.depth)) ** 2)
    dome = 1 - np.minimum(radial, 1.15) ** np.float32(side.dome_power)
    slope = side.dome_fall * ((lateral - side.dome_peak) / 60) ** 2
    behind = 0.45 * side.dome_height * np.clip(-y / np.float32(thorax.depth), 0, 1)
    return (side.dome_height * dome - slope - behind).astype(np.float32)


def fluid_level(thorax: Thorax, side: Hemithorax, effusion: Effusion, x: Float, y: Float) -> Float:
    """Top of free fluid: a meniscus that climbs the lateral and posterior wall."""
    lateral = np.float32(side.side) * x
    radial = np.minimum(np.sqrt((lateral / side.half_width) ** 2 + (y / np.float32(thorax.depth)) ** 2), 1.1)
    top = np.float32(effusion.level * side.height)
    return top * (0.45 + 0.6 * radial**4)


def heart_distance(thorax: Thorax, x: Float, y: Float, z: Float) -> Float:
    heart = thorax.heart
    s = (z - heart.bottom) / np.float32(heart.top - heart.bottom)
    inside = np.clip(s, 0, 1)
    # Round off the lower and the upper end.
    ends = np.clip(1 - np.clip((0.16 - inside) / 0.16, 0, 1) ** 2, 0.0, 1) ** np.float32(0.5)
    ends = ends * np.clip(1 - np.clip((inside - 0.88) / 0.12, 0, 1) ** 2, 0.0, 1) ** np.float32(0.5)
    left, right = heart.left * heart.left_curve(inside) * ends, heart.right * heart.right_curve(inside) * ends
    middle, half = (left - right) / 2, np.maximum((left + right) / 2, 0.5)
    deep = np.maximum(heart.depth * np.sqrt(half / ((heart.left + heart.right) / 2)), 0.5)
    radial = np.sqrt(((x - middle) / half) ** 2 + ((y - heart.centre_y) / deep) ** 2)
    outside = np.maximum(-s, s - 1) * np.float32(heart.top - heart.bottom)
    return np.maximum((radial - 1) * np.minimum(half, deep), outside).astype(np.float32)


def pedicle_distance(thorax: Thorax, x: Float, y: Float, z: Float) -> Float:
    """Great vessels and mediastinal fat between the heart's base and the thoracic inlet."""
    low, high = thorax.heart.top - 25, thorax.height
    s = np.clip((z - low) / np.float32(high - low), 0, 1)
    right = thorax.pedicle_right * (1 - 0.35 * s)
    left = 0.75 * thorax.knob_x * (1 - 0.45 * s)
    middle, half = (left - right) / 2, (left + right) / 2
    radial = np.sqrt(((x - middle) / half) ** 2 + ((y - 2) / np.float32(0.5 * thorax.depth)) ** 2)
    return np.maximum((radial - 1) * half, np.maximum(low - z, z - high - 30)).astype(np.float32)


def body_distance(thorax: Thorax, x: Float, y: Float, z: Float) -> Float:
    """Trunk, shoulders and neck."""
    shoulder_z = np.float32(thorax.clavicle_level + 5)
    s = np.clip((z - shoulder_z + 60) / 75, 0, 1)
    flare = s * s * (3 - 2 * s)
    trunk = (thorax.width + thorax.wall) * np.float32(thorax.flank) ** np.clip(-z / 60, 0, 1)
    half = trunk + (thorax.shoulder - trunk) * flare
    # The trapezius slopes from the neck, above the apices, to the shoulder.
    up = np.clip((z - shoulder_z) / np.float32(thorax.height + 45 - thorax.clavicle_level), 0, 1)
    half = half + (thorax.neck - half) * up ** np.float32(0.8)
    deep = (thorax.depth + thorax.wall * 0.8) * (1 - 0.42 * np.clip((z - shoulder_z + 40) / 90, 0, 1))
    radial = np.sqrt(np.abs(x / half) ** np.float32(2.6) + np.abs(y / deep) ** np.float32(2.3))
    return ((radial - 1) * np.minimum(half, deep)).astype(np.float32)


def _breasts(thorax: Thorax, x: Float, y: Float, z: Float, soft: np.float32) -> Float:
    if thorax.breast == 0:
        return np.zeros_like(x)
    size = 38 + 32 * thorax.breast
    centre_x, centre_z = 0.62 * thorax.width, 0.22 * thorax.height
    radial = np.sqrt(
        ((np.abs(x) - centre_x) / size) ** 2
        + ((y - thorax.depth) / (0.8 * size)) ** 2
        + ((z - centre_z) / (1.05 * size)) ** 2
    )
    return _occupancy((radial - 1) * size, soft)


def _stomach(thorax: Thorax, x: Float, y: Float, z: Float, soft: np.float32) -> Float:
    if thorax.stomach == 0:
        return np.zeros_like(x)
    left, s = thorax.left, thorax.stomach
    centre = left.dome_height - 10 - 20 * s
    radial = np.sqrt(
        ((x - 0.45 * thorax.width) / (18 + 30 * s)) ** 2
        + ((y - 15) / (15 + 25 * s)) ** 2
        + ((z - centre) / (8 + 16 * s)) ** 2
    )
    return _occupancy((radial - 1) * 15, soft)


def _occupancy(distance: Float, soft: np.float32) -> Float:
    """1 inside, 0 outside, linear over one sample across the surface."""
    return np.clip(0.5 - distance / soft, 0, 1).astype(np.float32)

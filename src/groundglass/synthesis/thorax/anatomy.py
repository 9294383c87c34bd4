"""A random adult thorax: sizes and positions in mm, from which solids and bones are drawn.

Axes: x to the patient's left, y anterior, z cranial; the origin lies in the midline at half depth of the
chest, z = 0 at the lowest lateral costophrenic angle. Ranges follow adult radiographic anatomy (lung height
200-300 mm, inner thoracic width 230-330 mm, cardiothoracic ratio 0.38-0.70, carina at T4-T6, right dome
0-25 mm above the left); they are made wider than a healthy population so that what is learned on them
does not depend on a narrow prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RIGHT, LEFT = -1, 1
SIDES = {"right": RIGHT, "left": LEFT}


@dataclass(frozen=True)
class SmoothCurve:
    """A smooth function of the relative height t in [0, 1], linear between `values` at equal steps."""

    values: NDArray[np.float64]

    def __call__(self, t: NDArray[np.float32]) -> NDArray[np.float32]:
        knots = np.linspace(0.0, 1.0, len(self.values))
        return np.interp(t, knots, self.values).astype(np.float32)

    @classmethod
    def wobble(cls, rng: np.random.Generator, amplitude: float, knots: int = 5) -> SmoothCurve:
        """A random curve of about +-`amplitude`, splined from `knots` draws to 33 samples."""
        from scipy.interpolate import CubicSpline

        draws = rng.normal(0.0, amplitude, knots)
        return cls(CubicSpline(np.linspace(0, 1, knots), draws)(np.linspace(0, 1, 33)))


@dataclass(frozen=True)
class Hemithorax:
    """One side. `side` is -1 (right) or 1 (left); lengths in mm."""

    side: int
    height: float
    half_width: float
    apex_x: float
    apex_power: float
    inner_apex: float
    medial: float
    medial_drift: float
    dome_height: float
    dome_power: float
    dome_peak: float
    dome_fall: float
    lateral_wobble: SmoothCurve
    medial_wobble: SmoothCurve


@dataclass(frozen=True)
class Heart:
    """Silhouette by its borders right and left of the midline over the height, with an elliptic section."""

    bottom: float
    top: float
    right: float
    left: float
    apex_level: float
    depth: float
    centre_y: float
    right_curve: SmoothCurve
    left_curve: SmoothCurve


@dataclass(frozen=True)
class Thorax:
    """One patient. `width`: inner thoracic half width; `depth`: half depth; `yaw`, `pitch` in radians."""

    width: float
    depth: float
    height: float
    wall: float
    flank: float
    right: Hemithorax
    left: Hemithorax
    heart: Heart
    arch_top: float
    knob_x: float
    aorta_radius: float
    descending_x: float
    tortuosity: float
    pedicle_right: float
    carina: tuple[float, float, float]
    carina_angle: float
    trachea_radius: float
    trachea_shift: float
    scoliosis: SmoothCurve
    vertebra_half_width: float
    rib_top: float
    rib_spacing: float
    rib_drop: float
    clavicle_level: float
    clavicle_tilt: float
    scapula_x: float
    shoulder: float
    neck: float
    arm_angle: float
    breast: float
    stomach: float
    yaw: float
    pitch: float

    def hemithorax(self, side: int) -> Hemithorax:
        return self.left if side == LEFT else self.right

    @property
    def sides(self) -> tuple[Hemithorax, Hemithorax]:
        return self.right, self.left


def random_thorax(rng: np.random.Generator, *, ratio: float | None = None) -> Thorax:
    """Draw a thorax; `ratio` fixes the cardiothoracic ratio of the undistorted anatomy."""
    width = rng.uniform(118, 162)
    height = float(np.clip(rng.normal(245, 32), 165, 320))
    depth = width * rng.uniform(0.58, 0.78)
    apex_x = width * rng.uniform(0.30, 0.40)
    power = rng.uniform(0.28, 0.48)
    right = _hemithorax(rng, RIGHT, width, height, apex_x, power, dome=rng.uniform(0.08, 0.30) * height)
    left_dome = right.dome_height - rng.normal(11, 9)
    left = _hemithorax(rng, LEFT, width, height, apex_x, power, dome=float(np.clip(left_dome, 8, 0.34 * height)))
    if ratio is None:
        ratio = float(
            rng.choice([rng.uniform(0.36, 0.5), rng.uniform(0.45, 0.58), rng.uniform(0.55, 0.70)], p=[0.4, 0.4, 0.2])
        )
    carina_z = height * rng.uniform(0.60, 0.75)
    heart = _heart(rng, ratio, width, depth, min(right.dome_height, left.dome_height), carina_z)
    return Thorax(
        width=width,
        depth=depth,
        height=height,
        wall=rng.uniform(14, 45),
        flank=rng.uniform(0.9, 1.2),
        right=right,
        left=left,
        heart=heart,
        arch_top=carina_z + rng.uniform(18, 48),
        knob_x=rng.uniform(24, 46),
        aorta_radius=rng.uniform(11, 19),
        descending_x=rng.uniform(12, 30),
        tortuosity=rng.uniform(-6, 14),
        pedicle_right=rng.uniform(18, 36),
        carina=(rng.normal(2, 4), -15.0, carina_z),
        carina_angle=rng.uniform(48, 92),
        trachea_radius=rng.uniform(6.5, 11),
        trachea_shift=rng.normal(-2, 6),
        scoliosis=SmoothCurve.wobble(rng, rng.uniform(0.5, 6)),
        vertebra_half_width=rng.uniform(14, 21),
        rib_top=height * rng.uniform(0.95, 1.08),
        rib_spacing=height / rng.uniform(9.2, 11.6),
        rib_drop=rng.uniform(0.7, 1.35),
        clavicle_level=height * rng.uniform(0.78, 0.98),
        clavicle_tilt=rng.uniform(-8, 42),
        scapula_x=width * rng.uniform(0.74, 1.12),
        shoulder=width + rng.uniform(35, 80),
        neck=rng.uniform(48, 75),
        arm_angle=rng.uniform(-0.1, 0.6),
        breast=float(rng.choice([0.0, rng.uniform(0.3, 1.0)])),
        stomach=float(rng.choice([0.0, rng.uniform(0.3, 1.0)])),
        yaw=float(np.radians(rng.normal(0, 4))),
        pitch=float(np.radians(rng.normal(0, 5))),
    )


def _hemithorax(
    rng: np.random.Generator, side: int, width: float, height: float, apex_x: float, power: float, dome: float
) -> Hemithorax:
    drift = rng.uniform(0, 24) if side == LEFT else rng.uniform(-8, 6)
    return Hemithorax(
        side=side,
        height=height * rng.uniform(0.97, 1.0),
        half_width=width * rng.uniform(0.96, 1.02),
        apex_x=apex_x * rng.uniform(0.93, 1.07),
        apex_power=power * rng.uniform(0.96, 1.04),
        inner_apex=rng.uniform(0.9, 1.5),
        medial=rng.uniform(14, 26),
        medial_drift=drift,
        dome_height=dome,
        dome_power=rng.uniform(3.0, 7.0),
        dome_peak=rng.uniform(0.3, 0.6) * width,
        dome_fall=rng.uniform(2, 14),
        lateral_wobble=SmoothCurve.wobble(rng, 0.018 * width),
        medial_wobble=SmoothCurve.wobble(rng, 2.5),
    )


def _heart(rng: np.random.Generator, ratio: float, width: float, depth: float, dome: float, carina_z: float) -> Heart:
    total = 2 * width * ratio
    right = total * rng.uniform(0.27, 0.40)
    left = total - right
    bottom = dome - rng.uniform(2, 34)
    top = carina_z - rng.uniform(-4, 18)
    # Borders as fractions of the widest, from bottom to top, smoothed by a spline.
    level = rng.uniform(0.20, 0.36)
    left_curve = _border(
        rng,
        [0.0, 0.5 * level, level, 0.5 + 0.5 * level - 0.1, 0.82, 1.0],
        [0.52, 0.90, 1.0, rng.uniform(0.72, 0.92), rng.uniform(0.46, 0.62), rng.uniform(0.30, 0.46)],
    )
    right_curve = _border(
        rng,
        [0.0, 0.12, rng.uniform(0.3, 0.45), 0.66, 1.0],
        [rng.uniform(0.3, 0.7), 0.84, 1.0, rng.uniform(0.78, 0.94), rng.uniform(0.5, 0.75)],
    )
    return Heart(
        bottom,
        top,
        right,
        left,
        level,
        depth * rng.uniform(0.48, 0.72),
        depth * rng.uniform(0.15, 0.35),
        right_curve,
        left_curve,
    )


def _border(rng: np.random.Generator, levels: list[float], values: list[float]) -> SmoothCurve:
    from scipy.interpolate import PchipInterpolator

    dense = PchipInterpolator(levels, values)(np.linspace(0, 1, 65))
    wobble = SmoothCurve.wobble(rng, 0.015)(np.linspace(0, 1, 65, dtype=np.float32))
    return SmoothCurve(np.clip(dense / dense.max() + wobble, 0.02, 1.05))

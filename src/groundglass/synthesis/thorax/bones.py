"""Centrelines in mm of what is long and thin: ribs, clavicles, aorta, airways; and the plates of the scapulae."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.thorax.anatomy import SIDES, Thorax

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Tube:
    """A centreline (n, 3) with radii (n,) in mm; `density` is its attenuation over water's, `rim` its cortex share."""

    name: str
    points: Points
    radii: NDArray[np.float64]
    density: float
    rim: float = 0.0


def ribs(thorax: Thorax, rng: np.random.Generator) -> list[Tube]:
    """Posterior and anterior arcs of twelve pairs, wound round the rib cage from the spine to the cartilage."""
    tubes = []
    for number in range(1, 13):
        drop = thorax.rib_drop * (26 + 7.5 * min(number, 8)) * rng.uniform(0.93, 1.07)
        head = thorax.rib_top - (number - 1) * thorax.rib_spacing + rng.normal(0, 1)
        reach = {1: 0.86, 2: 0.9, 11: 0.5, 12: 0.33}.get(number, 0.93 - 0.028 * max(0, number - 5))
        for name, side in SIDES.items():
            u = np.linspace(0, 1, 25)
            points = _rib(thorax, side, head, drop, reach, u)
            radius = (3.6 if number > 1 else 4.2) * rng.uniform(0.9, 1.1) * (0.85 + 0.3 * u)
            cut = 14
            density = rng.uniform(0.5, 0.9)
            tubes.append(Tube(f"{name} rib {number} posterior", points[: cut + 1], radius[: cut + 1], density, 0.6))
            tubes.append(Tube(f"{name} rib {number} anterior", points[cut:], radius[cut:], density * 0.8, 0.5))
    return tubes


def _rib(thorax: Thorax, side: int, head: float, drop: float, reach: float, u: NDArray[np.float64]) -> Points:
    turn = np.pi * reach * u
    z = head + 5 * np.sin(np.pi * np.clip(u / 0.3, 0, 1)) - drop * u**1.15
    rise = np.clip(1 - z / thorax.height, 0.02, 1)
    hemithorax = thorax.hemithorax(side)
    wall = hemithorax.apex_x + (hemithorax.half_width - hemithorax.apex_x) * rise**hemithorax.apex_power + 3
    deep = thorax.depth * (0.42 + 0.58 * rise**0.45) + 3
    lateral = np.maximum(wall * np.sin(turn) ** 0.75, 18.0 + 60 * np.clip(u, 0, 0.08))
    spine = thorax.scoliosis(np.clip(z / thorax.height, 0, 1)) * np.exp(-6 * u)
    return np.stack([side * lateral + spine, -deep * np.cos(turn), z], axis=1)


def clavicles(thorax: Thorax, rng: np.random.Generator) -> list[Tube]:
    tubes = []
    for name, side in SIDES.items():
        u = np.linspace(0, 1, 24)
        x = 16 + u * (thorax.shoulder - 45)
        bow = 7 * np.sin(2 * np.pi * u)
        z = thorax.clavicle_level + thorax.clavicle_tilt * u + bow * 0.4 + rng.normal(0, 2)
        y = 0.62 * thorax.depth - 0.8 * thorax.depth * u**1.5 + bow
        radius = 5.2 + 2.2 * np.abs(2 * u - 0.9) ** 2
        tubes.append(Tube(f"{name} clavicle", np.stack([side * x, y, z], 1), radius, rng.uniform(0.6, 1.1), 0.5))
    return tubes


def aorta(thorax: Thorax) -> list[Tube]:
    """Ascending part, arch and descending part to below the diaphragm."""
    r = thorax.aorta_radius
    top, knob, down = thorax.arch_top - r, thorax.knob_x - r, thorax.descending_x
    knob = max(knob, 6.0)
    up = np.array(
        [
            [-6, 0.3 * thorax.depth, thorax.heart.top - 45],
            [-thorax.pedicle_right + r + 1, 0.3 * thorax.depth, thorax.heart.top - 5],
            [-8, 0.2 * thorax.depth, top - 3],
        ]
    )
    arch = np.array(
        [
            [-8, 0.2 * thorax.depth, top - 3],
            [knob * 0.6, -0.05 * thorax.depth, top],
            [knob, -0.3 * thorax.depth, top - 6],
            [knob * 0.95, -0.42 * thorax.depth, top - 22],
        ]
    )
    z = np.linspace(top - 22, -40, 6)
    s = np.linspace(0, 1, 6)
    x = knob * 0.95 * (1 - s) + down * s + thorax.tortuosity * np.sin(np.pi * s) - 8 * s**3
    fall = np.stack([x, np.full(6, -0.45 * thorax.depth), z], 1)
    parts = [("ascending aorta", up, 1.1), ("aortic arch", arch, 1.0), ("descending aorta", fall, 0.9)]
    return [Tube(name, smooth(p, 20), np.full(20, r * k), 1.0) for name, p, k in parts]


def airways(thorax: Thorax) -> list[Tube]:
    """Trachea, carina to both main bronchi; density -1: air in soft tissue."""
    cx, cy, cz = thorax.carina
    r = thorax.trachea_radius
    top = thorax.height + 60
    trachea = np.array(
        [[thorax.trachea_shift * 0.4, 15, top], [thorax.trachea_shift, 5, (top + cz) / 2], [cx, cy, cz + 1]]
    )
    right_angle, left_angle = np.radians(0.42 * thorax.carina_angle), np.radians(0.58 * thorax.carina_angle)
    tubes = [Tube("trachea", smooth(trachea, 20), np.full(20, r), -1.0)]
    for name, side, angle, long in (
        ("right main bronchus", -1, right_angle, 42),
        ("left main bronchus", 1, left_angle, 52),
    ):
        way = np.array([[0, 0, 2], [side * np.sin(angle), 0, -np.cos(angle)]])
        points = np.array([cx, cy, cz]) + np.array([way[0], way[1] * long * 0.5, way[1] * long])
        tubes.append(Tube(name, smooth(points, 14), np.linspace(0.78 * r, 0.6 * r, 14), -1.0))
    return tubes


def spine(thorax: Thorax) -> Points:
    """Centres of the vertebral bodies C6 to L2, one rib spacing apart, (n, 3)."""
    z = thorax.rib_top - 4 - thorax.rib_spacing * np.arange(-3, 15)
    x = thorax.scoliosis(np.clip(z / thorax.height, 0, 1))
    return np.stack([x, np.full_like(z, -0.78 * thorax.depth), z], 1)


def scapulae(thorax: Thorax, rng: np.random.Generator) -> dict[str, tuple[Points, list[Tube]]]:
    """Corner points of each plate (n, 3), and its thick lateral border, spine and the humerus as tubes."""
    found = {}
    for name, side in SIDES.items():
        x, top = thorax.scapula_x + rng.normal(0, 4), thorax.clavicle_level - rng.uniform(2, 22)
        swing = rng.uniform(-12, 34)
        y = -0.72 * thorax.depth
        medial = np.array([[x - 8, y, top + 8], [x - 12, y - 6, top - 25], [x + swing, y - 4, top - 125]])
        glenoid = np.array([[x + 62, y + 25, top - 28], [x + 58, y + 30, top + 2], [x + 30, y + 18, top + 6]])
        plate = np.concatenate([medial, glenoid]) * [side, 1, 1]
        border = smooth(np.stack([plate[2], (plate[2] + plate[3]) / 2 - [0, 0, 6], plate[3]]), 12)
        ridge = smooth(
            np.stack([plate[1], (plate[1] + plate[4]) / 2 + [0, -12, 12], plate[4] + [side * 14, -4, 18]]), 12
        )
        tubes = [
            Tube(f"{name} scapula", border, np.full(12, 4.5), 0.6, 0.4),
            Tube(f"{name} scapula", ridge, np.full(12, 4.0), 0.6, 0.4),
        ]
        head = np.array([side * (x + 86), y + 32, top - 18])
        shaft = head + np.array(
            [[0, 0, 6], [side * 14, 0, -40], [side * (14 + 180 * np.sin(thorax.arm_angle)), 4, -200]]
        )
        tubes.append(Tube(f"{name} humerus", smooth(shaft, 20), np.linspace(23, 13, 20), 0.7, 0.5))
        tubes.append(Tube(f"{name} arm", smooth(shaft, 20), np.full(20, 42.0), 0.5))
        found[name] = (plate, tubes)
    return found


def smooth(points: Points, count: int) -> Points:
    """`count` points on a monotone spline through `points`."""
    from scipy.interpolate import PchipInterpolator

    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return np.asarray(PchipInterpolator(along, points)(np.linspace(0, along[-1], count)))

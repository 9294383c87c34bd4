"""The body wall, the mediastinum with the heart and its great vessels, as layers of a scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Float, Scene, rounded_maximum
from groundglass.synthesis.phantoms.capsules import Capsules, paint_tubes
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso, between, line
from groundglass.synthesis.thorax import bones
from groundglass.synthesis.thorax.solids import body_distance, heart_distance, pedicle_distance

Points = NDArray[np.float64]


def cage_distance(torso: Torso, x: Float, y: Float, z: Float) -> Float:
    """Inner face of the chest wall and, below the ribs, of the abdominal wall: both pleural cavities' outer border."""
    thorax = torso.thorax
    t = np.clip(z / np.float32(thorax.height), -0.3, 1.2)
    rise = np.clip(1 - z / np.float32(thorax.height), 0.0, 1.0)
    walls = []
    for side in (thorax.right, thorax.left):
        wall = side.apex_x + (side.half_width - side.apex_x) * rise ** np.float32(side.apex_power)
        walls.append(wall + side.lateral_wobble(t) * np.sqrt(rise))
    wall = np.where(x > 0, walls[1], walls[0])
    depth = np.float32(thorax.depth) * (0.42 + 0.58 * rise ** np.float32(0.45))
    middle = -0.12 * np.float32(thorax.depth) * (1 - rise)
    radial = np.sqrt((x / wall) ** 2 + np.abs((y - middle) / depth) ** np.float32(2.4))
    return ((radial - 1) * np.minimum(wall, depth)).astype(np.float32)


def paint_wall(scene: Scene, torso: Torso, tissue: Tissue) -> Float:
    """Skin, fat under it, muscle and the fat of both cavities; the distance to the cage's inner face (whole grid)."""
    window = scene.canvas.whole
    x, y, z = scene.canvas.coordinates(window)
    thorax = torso.thorax
    body = body_distance(thorax, x, y, z)
    scene.paint(window, body, tissue["skin"], "body")
    scene.paint(window, body + np.float32(2.0), tissue["fat"])
    cage = cage_distance(torso, x, y, z)
    # Back muscles are thick beside the spine, and reach from the neck to the pelvis.
    thick = 4 + thorax.wall * (1 - torso.fat) * 0.8
    behind = np.exp(-(((np.abs(x) - 32) / 26) ** 2)) * 26 * (y < -0.5 * thorax.depth)
    girdle = shoulder_distance(torso, x, y, z)
    muscle = np.maximum(np.minimum(cage - thick - behind.astype(np.float32), girdle), body + np.float32(3.5))
    scene.paint(window, muscle, tissue["muscle"], "body")
    scene.paint(window, np.maximum(cage, body + np.float32(3.0)), tissue["fat"], "body")
    # The neck is muscle all through.
    neck = np.maximum(body + np.float32(5.0), np.float32(thorax.height + 12) - z)
    scene.paint(window, neck, tissue["muscle"], "body")
    back = np.maximum(cage, np.minimum(spine_distance(torso, x, y, z) + np.float32(2.0), np.float32(50.0)))
    scene.paint(window, back, tissue["muscle"], "body")
    return cage


def shoulder_distance(torso: Torso, x: Float, y: Float, z: Float) -> Float:
    """Pectoral muscles, and those round the shoulder blades, as ellipsoids on the cage."""
    thorax = torso.thorax
    lateral = np.abs(x)
    found = np.full_like(lateral, 99.0)
    for centre, axes in (
        ((0.55 * thorax.width, 0.80 * thorax.depth, 0.66 * thorax.height), (0.42 * thorax.width, 22.0, 62.0)),
        ((0.85 * thorax.width, -0.62 * thorax.depth, 0.62 * thorax.height), (0.36 * thorax.width, 30.0, 90.0)),
        ((0.40 * thorax.width, -0.95 * thorax.depth, 0.80 * thorax.height), (0.42 * thorax.width, 18.0, 80.0)),
    ):
        radial = np.sqrt(
            ((lateral - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 + ((z - centre[2]) / axes[2]) ** 2
        )
        found = np.minimum(found, (radial - 1) * np.float32(axes[1]))
    return found.astype(np.float32)


def paint_heart(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Pericardial fat, myocardium, blood in two halves divided by the septum."""
    heart = torso.thorax.heart
    reach = max(heart.left, heart.right) + 6
    window = scene.canvas.window(
        (-reach, heart.centre_y - heart.depth - 8, heart.bottom - 6),
        (reach, heart.centre_y + heart.depth + 8, heart.top + 6),
    )
    x, y, z = scene.canvas.coordinates(window)
    distance = heart_distance(torso.thorax, x, y, z)
    scene.paint(window, distance, tissue["myocardium"], "heart")
    # The septum runs from right behind to left in front; the free wall of the left ventricle is thicker.
    turn = np.radians(38)
    across = ((x - 4) * np.cos(turn) - (y - heart.centre_y) * np.sin(turn)).astype(np.float32)
    wall = 2 + 8 / (1 + np.exp(-across / 6))
    septum = np.float32(4.5) - np.abs(across)
    upper = (z - heart.top + 14).astype(np.float32)
    scene.paint(window, np.maximum(np.maximum(distance + wall, septum), upper), tissue["blood"])


def great_vessels(torso: Torso) -> dict[str, Capsules]:
    """Aorta in its three parts, superior vena cava, pulmonary trunk and its two arteries, oesophagus."""
    thorax, heart = torso.thorax, torso.thorax.heart
    found: dict[str, Capsules] = {}
    for tube in bones.aorta(thorax):
        points = tube.points.copy()
        if tube.name == "descending aorta":
            _clear_of_spine(torso, points, float(tube.radii[0]))
        found[tube.name] = Capsules.along(points, tube.radii)
    radius = thorax.aorta_radius
    cz = thorax.carina[2]
    found["superior vena cava"] = Capsules.along(
        between(line((-thorax.pedicle_right + 9, 0.12 * thorax.depth, thorax.arch_top + 35),
                     (-thorax.pedicle_right + 9, 0.12 * thorax.depth, heart.top - 10)), 10), 0.55 * radius)  # fmt: skip
    trunk = np.array([10.0, 0.38 * thorax.depth, heart.top - 20])
    fork = np.array([6.0, 0.02 * thorax.depth, cz - 12])
    found["pulmonary artery"] = (
        Capsules.along(between(np.stack([trunk, fork]), 8), 0.85 * radius)
        + Capsules.along(
            between(np.stack([fork, fork + np.array([-20, -4, -4]), [-34.0, -8, cz - 24]]), 8), 0.6 * radius
        )
        + Capsules.along(between(np.stack([fork, fork + np.array([16, -8, 4]), [34.0, -14, cz - 12]]), 8), 0.6 * radius)
    )
    depth, inlet = thorax.depth, thorax.height + 40
    stations = line(
        (2, -0.28 * depth, inlet), (4, -0.4 * depth, cz), (10, -0.4 * depth, 0.25 * cz),
        (18, -0.2 * depth, 0.55 * thorax.left.dome_height),
    )  # fmt: skip
    gullet = between(stations, 30)
    _clear_of_spine(torso, gullet, 7.0)
    found["oesophagus"] = Capsules.along(gullet, 7.0)
    return found


def _clear_of_spine(torso: Torso, points: Points, radius: float) -> None:
    """Push a vessel that runs beside the spine forwards until it touches no vertebra, in place."""
    heights = np.array([v.centre[2] for v in reversed(torso.spine)])

    def along(values: list[float]) -> Points:
        return np.interp(points[:, 2], heights, np.array(values[::-1]))

    cx, cy = along([v.centre[0] for v in torso.spine]), along([v.centre[1] for v in torso.spine])
    half = along([v.half_width for v in torso.spine])
    beside = np.clip(np.abs(points[:, 0] - cx) / (half + radius), 0, 1)
    front = cy + (0.74 * half + radius + 2) * np.sqrt(1 - beside**2)
    points[:, 1] = np.maximum(points[:, 1], front)


def paint_great_vessels(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Walls are thinner than a voxel; blood fills the vessels."""
    for name, tubes in great_vessels(torso).items():
        value = {"oesophagus": tissue["oesophagus"], "superior vena cava": tissue["blood"]}.get(name, tissue["artery"])
        paint_tubes(scene, tubes, value, {"oesophagus": "esophagus"}.get(name, name))
        if name == "oesophagus":
            shrunk = Capsules(tubes.start, tubes.end, np.full(len(tubes), 2.0), np.full(len(tubes), 2.0))
            paint_tubes(scene, _part(shrunk, 0.3, 0.5), tissue["gas"])


def _part(tubes: Capsules, low: float, high: float) -> Capsules:
    rows = slice(int(low * len(tubes)), max(int(high * len(tubes)), 1))
    return Capsules(*(getattr(tubes, f)[rows] for f in tubes.__dataclass_fields__))


def spine_distance(torso: Torso, x: Float, y: Float, z: Float) -> Float:
    """The column with its muscles: what the lungs and the abdominal organs keep clear of."""
    levels = torso.spine
    heights = np.array([v.centre[2] for v in reversed(levels)])

    def along(values: list[float]) -> Float:
        return np.interp(z, heights, np.array(values[::-1])).astype(np.float32)

    cx = along([v.centre[0] for v in levels])
    cy = along([v.centre[1] for v in levels])
    half = along([v.half_width for v in levels])
    radial = np.hypot((x - cx) / (half + 5), (y - cy) / (0.74 * half + 5))
    body = (radial - 1) * (0.8 * half)
    # In the loins the muscles behind the spine are thick and wide.
    wide = half + 7 + 12 * np.clip(-z / np.float32(30), 0, 1)
    behind = np.maximum(np.abs(x - cx) - wide, y - cy)
    return np.minimum(body, behind).astype(np.float32)


def mediastinum_distance(torso: Torso, x: Float, y: Float, z: Float) -> Float:
    """Heart, great vessels with their fat, and what connects them to the spine."""
    thorax = torso.thorax
    heart = heart_distance(thorax, x, y, z) - np.float32(3.0)
    upper = pedicle_distance(thorax, x, y, z)
    middle = thorax.descending_x / 2
    half = 9 + middle + 0.7 * thorax.aorta_radius
    behind = rounded_maximum(np.abs(x - middle) - np.float32(half), y - np.float32(thorax.heart.centre_y), 20.0)
    return -rounded_maximum(-np.minimum(heart, behind), -upper, 12.0).astype(np.float32)

"""What lies under the diaphragm: organs as closed shapes with their boxes, vessels and bowel as tubes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Corner, Float, Scene, Shape, rounded_maximum
from groundglass.synthesis.phantoms.capsules import Capsules, Points, paint_tubes
from groundglass.synthesis.phantoms.chest_organs import cage_distance, spine_distance
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso, between, line
from groundglass.synthesis.phantoms.trees import tree
from groundglass.synthesis.thorax.solids import dome_level


@dataclass(frozen=True)
class Organ:
    """A closed shape: `distance` in mm (negative inside) within the box from `low` to `high`; `tissue` names its HU."""

    name: str
    tissue: str
    low: Corner
    high: Corner
    distance: Shape

    def points(self, count: int, rng: np.random.Generator, *, depth: float) -> Points:
        """Up to `count` random points at least `depth` mm under the surface, (n, 3); independent of any grid."""
        drawn = rng.uniform(self.low, self.high, (60 * count, 3))
        inside = self.distance(*(drawn[:, axis].astype(np.float32) for axis in range(3))) < -depth
        return drawn[inside][:count]


def ellipsoid(centre: Corner, axes: Corner, *, turn: float = 0.0) -> Shape:
    """An ellipsoid, turned by `turn` radians about y (its top leans to the patient's left when positive)."""
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    small = np.float32(min(axes))

    def distance(x: Float, y: Float, z: Float) -> Float:
        dx, dy, dz = x - np.float32(centre[0]), y - np.float32(centre[1]), z - np.float32(centre[2])
        across, up = cosine * dx - sine * dz, sine * dx + cosine * dz
        radial = np.sqrt((across / axes[0]) ** 2 + (dy / axes[1]) ** 2 + (up / axes[2]) ** 2)
        return ((radial - 1) * small).astype(np.float32)

    return distance


def _box(centre: Corner, reach: float) -> tuple[Corner, Corner]:
    low, high = (tuple(float(c + sign * reach) for c in centre) for sign in (-1, 1))
    return low, high  # type: ignore[return-value]


def _blob(name: str, tissue: str, centre: Corner, axes: Corner, *, turn: float = 0.0) -> Organ:
    return Organ(name, tissue, *_box(centre, max(axes)), ellipsoid(centre, axes, turn=turn))


def organs(torso: Torso) -> tuple[Organ, ...]:
    """Solid and hollow organs, from the back of the list of layers to the front."""
    return (_liver(torso), _spleen(torso), *_kidneys(torso), *_hollow(torso))


def _under_dome(torso: Torso, x: Float, y: Float, z: Float) -> Float:
    thorax = torso.thorax
    right, left = (dome_level(thorax, side, x, y) for side in thorax.sides)
    # Between the domes lies the central tendon, under the heart.
    share = 1 / (1 + np.exp(-x / 9))
    return (0.85 * (z - (right * (1 - share) + left * share) + 3)).astype(np.float32)


def _liver(torso: Torso) -> Organ:
    thorax, scale = torso.thorax, torso.scale
    wide, reach, tip = thorax.width, torso.liver_reach, torso.liver_tip
    rise = 0.52 + 0.22 * (reach / 75)

    def distance(x: Float, y: Float, z: Float) -> Float:
        wall = np.maximum(cage_distance(torso, x, y, z) + np.float32(4.0), _under_dome(torso, x, y, z))
        lower = tip + rise * (x + wide) - 0.25 * y + 14 * scale * np.sin((x + y) / 60)
        left = (x - reach + 0.25 * np.abs(z - 10)) * 0.9
        behind = -0.30 * thorax.depth + 0.75 * (x + 0.25 * wide) - y
        spine = np.float32(9.0) - spine_distance(torso, x, y, z)
        below = (0.75 * (lower - z)).astype(np.float32)
        edge = rounded_maximum(below, left.astype(np.float32), 26.0)
        sides = rounded_maximum(edge, np.maximum(0.8 * behind, spine), 18.0)
        return rounded_maximum(wall, sides, 10.0).astype(np.float32)

    top = max(thorax.right.dome_height, thorax.left.dome_height) + 12
    return Organ("liver", "liver", (-1.06 * wide, -thorax.depth, tip - 20), (reach + 6, thorax.depth, top), distance)


def _spleen(torso: Torso) -> Organ:
    thorax = torso.thorax
    centre = (0.66 * thorax.width, -0.42 * thorax.depth, thorax.left.dome_height - 0.9 * torso.spleen_long - 8)
    inner = ellipsoid(centre, (34 * torso.scale, 46 * torso.scale, torso.spleen_long), turn=0.35)
    hilum = ellipsoid((centre[0] - 30, centre[1] + 26, centre[2] - 6), (26, 26, 40))

    def distance(x: Float, y: Float, z: Float) -> Float:
        wall = np.maximum(cage_distance(torso, x, y, z) + np.float32(4.0), _under_dome(torso, x, y, z))
        return np.maximum(np.maximum(inner(x, y, z), wall), -hilum(x, y, z))

    return Organ("spleen", "spleen", *_box(centre, torso.spleen_long + 6), distance)


def kidney_centre(torso: Torso, side: int) -> Corner:
    """Between L1 and L2 (the first two levels without ribs), beside the psoas."""
    lumbar = [v for v in torso.spine if v.name.startswith("L")]
    high = (lumbar[0].centre[2] + lumbar[1].centre[2]) / 2
    drop = torso.kidney_drop[0] if side < 0 else torso.kidney_drop[1]
    return (side * 61 * torso.scale, lumbar[0].centre[1] - 8, high - drop)


def _kidneys(torso: Torso) -> list[Organ]:
    found = []
    for name, side in (("right", -1), ("left", 1)):
        centre = kidney_centre(torso, side)
        axes = (29 * torso.scale, 24.5 * torso.scale, 56 * torso.scale)
        hull = ellipsoid(centre, axes, turn=-side * 0.22)
        sinus = ellipsoid((centre[0] - side * 21, centre[1] + 8, centre[2]), (20, 13, 24))

        def distance(x: Float, y: Float, z: Float, hull: Shape = hull, sinus: Shape = sinus) -> Float:
            return np.maximum(hull(x, y, z), -sinus(x, y, z))

        found.append(Organ(f"{name} kidney", "kidney", *_box(centre, axes[2] + 3), distance))
        pelvis = (centre[0] - side * 18, centre[1] + 5, centre[2])
        found.append(_blob(f"{name} renal pelvis", "renal pelvis", pelvis, (9, 7, 14)))
    return found


def _hollow(torso: Torso) -> list[Organ]:
    thorax, scale = torso.thorax, torso.scale
    rng = torso.draws("hollow organs")
    dome = thorax.left.dome_height
    stomach: Corner = (0.36 * thorax.width, 0.22 * thorax.depth, dome - 52 * scale)
    bladder: Corner = (rng.uniform(-4, 4), 0.18 * thorax.depth, torso.spine[-1].centre[2] - 95)
    size = rng.uniform(26, 44)
    gallbladder: Corner = (-0.36 * thorax.width, 0.42 * thorax.depth, torso.liver_tip + 0.45 * thorax.width)
    return [
        _blob("stomach", "stomach wall", stomach, (37 * scale, 38 * scale, 45 * scale), turn=-0.5),
        _blob("gallbladder", "gallbladder", gallbladder, (13, 20, 15)),
        _blob("urinary bladder", "bladder", bladder, (1.25 * size, size, 0.8 * size)),
        _blob("prostate", "prostate", (bladder[0], bladder[1] - 4, bladder[2] - 0.8 * size - 18), (22, 17, 17)),
    ]


def vessels(torso: Torso) -> dict[str, Capsules]:
    """Abdominal aorta with iliac arteries, caval vein, portal system and the two visceral trunks."""
    thorax, scale = torso.thorax, torso.scale
    lumbar = [v for v in torso.spine if v.name.startswith("L")]
    radius = 0.62 * thorax.aorta_radius
    front = {v.name: v.centre[1] + v.half_depth for v in torso.spine}
    start = line((thorax.descending_x - 8, -0.42 * thorax.depth, -10))[0]
    below = [(-2 + v.centre[0] + 6, front[v.name] + radius + 2, v.centre[2]) for v in lumbar[:4]]
    aorta = between(np.concatenate([[start], below]), 30)
    fork = aorta[-1]
    cava = [(v.centre[0] - 22, front[v.name] + 9, v.centre[2]) for v in lumbar]
    top = np.array([-20.0, 0.02 * thorax.depth, thorax.heart.bottom + 8])
    neck = np.array([-8.0, front["L1"] + 34 * scale, lumbar[0].centre[2]])
    gate = np.array([-0.28 * thorax.width, 0.02 * thorax.depth, 14.0])
    spleen = _spleen(torso)
    hilum = (np.array(spleen.low) + spleen.high) / 2 + [-26, 14, -6]
    mesenteric = neck + np.array([6.0, 8.0, -95 * scale])
    found = {
        "abdominal aorta": Capsules.along(aorta, radius),
        "inferior vena cava": Capsules.along(between(np.array([top, *cava]), 30), 10.5 * scale),
        "portal vein": Capsules.along(between(np.stack([neck, (neck + gate) / 2 + [0, 4, 6], gate]), 12), 6.5 * scale),
        "splenic vein": Capsules.along(between(np.stack([neck, neck + np.array([45, -8, 8]), hilum]), 14), 4.2 * scale),
        "superior mesenteric vein": Capsules.along(
            between(np.stack([neck, mesenteric + np.array([-8, 0, 0])]), 12), 5.2 * scale
        ),
        "celiac trunk": Capsules.along(np.stack([aorta[9], aorta[9] + [2.0, 18, 2]]), 3.4),
        "superior mesenteric artery": Capsules.along(
            between(np.stack([aorta[11], aorta[11] + [2.0, 16, -8], mesenteric + np.array([8, 2, 0])]), 14), 3.8
        ),
    }
    for name, side in (("right", -1), ("left", 1)):
        kidney = np.array(kidney_centre(torso, side))
        gate_of = kidney - [side * 24, -6, 0]
        artery = between(np.stack([aorta[15], (aorta[15] + gate_of) / 2 + [0, 3, 2], gate_of]), 8)
        vein = between(np.stack([np.array(cava[1]), (np.array(cava[1]) + gate_of) / 2 + [0, 8, -2], gate_of]), 8)
        found[f"{name} renal artery"] = Capsules.along(artery, 2.8)
        found[f"{name} renal vein"] = Capsules.along(vein, 4.8)
        leg = fork + np.array([side * 52.0, -6, -125])
        found[f"{name} iliac artery"] = Capsules.along(
            between(np.stack([fork, fork + np.array([side * 20, -8, -45]), leg]), 12), 4.6
        )
        low = np.array(cava[-1])
        found[f"{name} iliac vein"] = Capsules.along(
            between(np.stack([low, low + np.array([side * 24, -8, -40]), leg - [0, 12, 0]]), 12), 6.0
        )
    return found


def pancreas_line(torso: Torso) -> tuple[Points, NDArray[np.float64]]:
    """Centreline from the head beside the duodenum to the tail at the spleen, with radii."""
    neck = np.array([-8.0, 0.0, torso.level("L1").centre[2]])
    neck[1] = torso.level("L1").centre[1] + torso.level("L1").half_depth + 38 * torso.scale
    spleen = _spleen(torso)
    tail = (np.array(spleen.low) + spleen.high) / 2 + [-34, 14, -10]
    head = neck + np.array([-24.0, -2, -30]) * torso.scale
    points = between(
        np.stack([head, neck + np.array([-16, 2, -10]), neck, (neck + tail) / 2 + np.array([0, 10, 6]), tail]), 22
    )
    return points, np.interp(np.linspace(0, 1, 22), [0, 0.3, 0.6, 1], [14, 9.5, 10.5, 8.5]) * torso.scale


def psoas(torso: Torso) -> dict[str, Capsules]:
    lumbar = [v for v in torso.spine if v.name.startswith("L")]
    found = {}
    for name, side in (("right", -1), ("left", 1)):
        points = [(v.centre[0] + side * (v.half_width + 13), v.centre[1] - 4, v.centre[2]) for v in lumbar]
        end = (side * 78.0, points[-1][1] + 50, points[-1][2] - 90)
        way = between(np.array([*points, end]), 16)
        found[f"{name} iliopsoas"] = Capsules.along(way, np.interp(np.linspace(0, 1, 16), [0, 0.6, 1], [10, 20, 18]))
    return found


def paint_abdomen(scene: Scene, torso: Torso, tissue: Tissue) -> tuple[Organ, ...]:
    """All of it, from the back to the front; bowel lies among fat and yields to every organ. The organs."""
    for name, tubes in psoas(torso).items():
        paint_tubes(scene, tubes, tissue["muscle"], name)
    paint_bowel(scene, torso, tissue)
    shapes = organs(torso)
    for organ in shapes:
        paint_organ(scene, organ, tissue[organ.tissue])
    _paint_stomach_content(scene, next(o for o in shapes if o.name == "stomach"), tissue)
    points, radii = pancreas_line(torso)
    paint_tubes(scene, Capsules.along(points, radii), tissue["pancreas"], "pancreas")
    _paint_adrenals(scene, torso, tissue)
    liver = shapes[0]
    for name, tubes in vessels(torso).items():
        artery = "artery" in name or name in ("abdominal aorta", "celiac trunk")
        paint_tubes(scene, tubes, tissue["artery" if artery else "blood"], name)
    _paint_liver_vessels(scene, torso, liver, tissue)
    return shapes


def paint_organ(scene: Scene, organ: Organ, value: float | Float) -> None:
    window = scene.canvas.window(organ.low, organ.high)
    if all(s.stop > s.start for s in window):
        scene.paint(window, organ.distance(*scene.canvas.coordinates(window)), value, organ.name)


def _paint_stomach_content(scene: Scene, stomach: Organ, tissue: Tissue) -> None:
    """A wall of 4 mm round fluid, gas above the fluid (in front, as the patient lies on the back)."""
    window = scene.canvas.window(stomach.low, stomach.high)
    if any(s.stop <= s.start for s in window):
        return
    x, y, z = scene.canvas.coordinates(window)
    inside = stomach.distance(x, y, z) + np.float32(4.0)
    scene.paint(window, inside, tissue["stomach content"])
    level = (stomach.low[1] + 0.72 * (stomach.high[1] - stomach.low[1])) - y
    scene.paint(window, np.maximum(inside, level.astype(np.float32)), tissue["gas"])


def _paint_adrenals(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    for name, side in (("right", -1), ("left", 1)):
        x, y, z = kidney_centre(torso, side)
        top = np.array([x - side * 24, y + 12, z + 52 * torso.scale])
        for limb in ((side * 9, -15, -4), (-side * 4, -16, -8)):
            tubes = Capsules.along(np.stack([top, top + limb]), 2.6)
            tall = Capsules.along(np.stack([top + np.array([0, 0, 9]), top + np.array(limb) + [0, 0, 7]]), 2.2)
            paint_tubes(scene, tubes + tall, tissue["adrenal"], f"{name} adrenal gland")


def _paint_liver_vessels(scene: Scene, torso: Torso, liver: Organ, tissue: Tissue) -> None:
    """Portal and hepatic veins as trees; unenhanced they are a little darker than the liver."""
    rng = torso.draws("liver vessels")
    portal = vessels(torso)["portal vein"].end[-1]
    cava = np.array([-22.0, portal[1] - 8, torso.thorax.right.dome_height - 14])
    for name, root, most in (("portal vein", portal, 5.5), ("hepatic vein", cava, 5.0)):
        ends = liver.points(70, rng, depth=6.0)
        paint_tubes(scene, tree(root, ends, rng, leaf_radius=0.9, most=most), tissue["blood"], name)


def paint_bowel(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """The colon's frame with gas and stool, and loops of small intestine in the middle."""
    thorax = torso.thorax
    rng = torso.draws("bowel")
    low, wide = torso.spine[-1].centre[2] - 30, 0.74 * thorax.width
    high = torso.liver_tip + 0.30 * thorax.width
    frame = line(
        (-wide, -0.1 * thorax.depth, low),
        (-wide, 0.0, high - 40),
        (-0.7 * wide, 0.5 * thorax.depth, high - 15),
        (0.0, 0.62 * thorax.depth, high - 45),
        (0.75 * wide, 0.35 * thorax.depth, high + 30),
        (wide, -0.2 * thorax.depth, high),
        (0.98 * wide, -0.25 * thorax.depth, low),
        (0.3 * wide, -0.2 * thorax.depth, low - 60),
    )
    way = between(frame, 160)
    haustra = 19 + 3.5 * np.sin(np.arange(160) * 1.15) + rng.normal(0, 0.8, 160)
    paint_tubes(scene, Capsules.along(way, haustra), tissue["bowel"], "colon")
    for first in range(4, 150, 24):
        filled = slice(first, first + int(rng.integers(8, 22)))
        content = "gas" if rng.random() < 0.45 else "stool"
        lift = [0, 3.0 if content == "gas" else 0.0, 0]
        paint_tubes(scene, Capsules.along(way[filled] + lift, haustra[filled] - 4), tissue[content])
    for loop in range(7):
        middle = np.array([rng.uniform(-0.4, 0.4) * thorax.width, rng.uniform(0.15, 0.5) * thorax.depth,
                           rng.uniform(low - 20, high - 40)])  # fmt: skip
        steps = rng.normal(0, 1, (9, 3)) * [34, 16, 24]
        loops = between(middle + np.cumsum(steps, axis=0) * 0.55, 50)
        loops[:, 1] = np.clip(loops[:, 1], 0.0, 0.62 * thorax.depth)
        loops[:, 0] = np.clip(loops[:, 0], -0.6 * thorax.width, 0.6 * thorax.width)
        paint_tubes(scene, Capsules.along(loops, 11.0), tissue["bowel"], "small intestine")
        if loop % 2:
            paint_tubes(
                scene,
                Capsules.along(loops[8:26], 7.0),
                tissue[str(rng.choice(["stomach content", "gas"], p=[0.75, 0.25]))],
            )

"""Bones as layers of a scene: vertebrae with their levels, ribs one by one, sternum, clavicles, scapulae, pelvis."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Mask, ontology
from groundglass.synthesis.phantoms.canvas import Float, Scene
from groundglass.synthesis.phantoms.capsules import Capsules, Touched, touched
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso, Vertebra, between, line
from groundglass.synthesis.thorax import bones
from groundglass.synthesis.thorax.anatomy import SIDES

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Breaks:
    """What is broken: rib name -> (place along the rib 0..1, displacement in mm); level -> height lost in front."""

    ribs: dict[str, tuple[float, float]] = field(default_factory=dict)
    vertebrae: dict[str, float] = field(default_factory=dict)


def rib_lines(torso: Torso) -> dict[str, tuple[Points, NDArray[np.float64]]]:
    """Name ("left rib 7") -> centreline (n, 3) and radii (n,), from the head to the cartilage."""
    rng = torso.draws("ribs")
    found: dict[str, tuple[Points, NDArray[np.float64]]] = {}
    for tube in bones.ribs(torso.thorax, rng):
        name = tube.name.rsplit(" ", 1)[0]
        if name in found:
            points, radii = found[name]
            found[name] = (np.concatenate([points, tube.points[1:]]), np.concatenate([radii, tube.radii[1:]]))
        else:
            found[name] = (tube.points, tube.radii)
    for name, (points, _) in found.items():
        _to_the_spine(torso, name, points)
    for side in SIDES:
        last = f"{side} rib 12"
        if torso.variant == "no T12":
            del found[last]
        elif torso.variant == "T13":
            points, radii = found[last]
            stub = points[: max(4, len(points) // 2)] - [0, 0, torso.thorax.rib_spacing]
            found[f"{side} rib 13"] = (stub, 0.85 * radii[: len(stub)])
    return found


def _to_the_spine(torso: Torso, name: str, points: Points) -> None:
    """Bend a rib's first part forward to the joint with its vertebra, in place."""
    side, _, number = name.split()
    level = next((v for v in torso.spine if v.name == f"T{number}"), None)
    if level is None:
        return
    cx, cy, cz = level.centre
    joint = np.array(
        [cx + SIDES[side] * level.half_width * 0.95, cy - 0.8 * level.half_depth, cz + 0.42 * level.height]
    )
    share = np.clip(1 - np.linspace(0, 1, len(points)) / 0.16, 0, 1)[:, None] ** 1.3
    points += share * (joint - points[0])


def paint_ribs(scene: Scene, torso: Torso, tissue: Tissue, breaks: Breaks) -> dict[str, Touched]:
    """Every rib with its cortex; its label is its name. The voxels of each broken rib's gap, by rib."""
    gaps: dict[str, Touched] = {}
    for name, (points, radii) in rib_lines(torso).items():
        if name not in breaks.ribs:
            _paint_bone(scene, Capsules.along(points, radii), tissue, name)
            continue
        place, shift = breaks.ribs[name]
        near, gap, far = broken(points, radii, place, shift)
        _paint_bone(scene, near, tissue, name)
        _paint_bone(scene, far, tissue, name)
        found = touched(scene.canvas, gap)
        share = scene.coverage(found.distance)
        values = scene.values.reshape(-1)
        values[found.index] += share * (np.float32(30.0) - values[found.index])
        gaps[name] = found
    return gaps


def broken(
    points: Points, radii: NDArray[np.float64], place: float, shift: float
) -> tuple[Capsules, Capsules, Capsules]:
    """The two ends of a rib broken at `place`, the far one displaced outwards by `shift` mm, and the gap between."""
    fine = between(points, 97)
    width = np.interp(np.linspace(0, 1, 97), np.linspace(0, 1, len(radii)), radii)
    at = int(np.clip(round(place * 96), 3, 93))
    way = fine[at + 1] - fine[at - 1]
    way /= np.linalg.norm(way)
    outwards = np.cross(way, [0, 0, 1.0])
    outwards /= np.linalg.norm(outwards)
    outwards *= np.sign(outwards @ [fine[at, 0], fine[at, 1], 0]) or 1.0
    fade = np.exp(-np.arange(97 - at) / 10)[:, None]
    far = fine[at:] + shift * outwards * fade
    half = 1.2 * way
    crack = np.stack([fine[at] - 0.8 * way, fine[at] + 0.8 * way])
    near = Capsules.along(np.concatenate([fine[:at], [fine[at] - half]]), np.append(width[:at], width[at]))
    gap = Capsules.along(crack, 1.15 * width[at])
    return near, gap, Capsules.along(np.concatenate([[far[0] + half], far[1:]]), width[at:])


def _paint_bone(scene: Scene, tubes: Capsules, tissue: Tissue, name: str) -> None:
    found = touched(scene.canvas, tubes)
    share = scene.coverage(found.distance)
    values = scene.values.reshape(-1)
    value = bone_value(found.distance, tissue, rim=0.8)
    values[found.index] += share * (value - values[found.index])
    scene.labels.reshape(-1)[found.index[found.distance < 0]] = scene.number(name)


def bone_value(distance: Float, tissue: Tissue, *, rim: float) -> Float:
    """Value by depth: a cortex of `rim` mm on marrow that trabeculae make uneven."""
    marrow, cortex = np.float32(tissue["marrow"]), np.float32(tissue["cortex"])
    depth = np.clip(-distance / np.float32(2 * rim), 0, 1)
    # A grain of the picture alone: seeded by the window, the same in every run.
    grain = np.random.default_rng(distance.size).standard_normal(distance.shape, dtype=np.float32)
    return (cortex + (marrow * (1 + np.float32(0.3) * grain) - cortex) * depth**1.5).astype(np.float32)


def gap_mask(scene: Scene, gap: Touched, tissue: Tissue, *, noise: float) -> tuple[Mask, float]:
    """The voxels of a break's gap, and how far they stand out from whole bone over the noise."""
    inside = np.zeros(scene.labels.size, dtype=bool)
    inside[gap.index[gap.distance < 0]] = True
    mask = Mask.of(inside.reshape(scene.canvas.shape), scene.canvas.affine)
    values = scene.values.reshape(-1)[inside]
    contrast = (tissue["cortex"] + tissue["marrow"]) / 2 - values.mean() if values.size else 0.0
    return mask, float(abs(contrast) / noise)


def body_of(torso: Torso, bone: Vertebra, x: Float, y: Float, z: Float, *, loss: float = 0.0) -> tuple[Float, Float]:
    """(distance to the vertebral body, distance to its side walls alone); `loss` of height in front, 0..1."""
    cx, cy, cz = bone.centre
    cosine, sine = np.cos(bone.tilt), np.sin(bone.tilt)
    forward, up = (y - cy) * cosine + (z - cz) * sine, (z - cz) * cosine - (y - cy) * sine
    height = bone.height / 2
    # The waist is narrower than the end plates; the back is flat.
    waist = 1 - 0.10 * np.clip(1 - (up / height) ** 2, 0, 1)
    flat = np.where(forward < 0, 0.86, 1.0)
    radial = np.sqrt(((x - cx) / bone.half_width) ** 2 + (forward / (bone.half_depth * flat)) ** 2) / waist
    walls = ((radial - 1) * bone.half_depth).astype(np.float32)
    front = np.clip(0.5 + forward / (2 * bone.half_depth), 0, 1)
    roof = height * (1 - 2 * loss * front)
    return np.maximum(walls, np.maximum(up - roof, -up - height)).astype(np.float32), walls


def paint_spine(scene: Scene, torso: Torso, tissue: Tissue, breaks: Breaks) -> None:
    """Discs, canal, bodies with end plates, arches and processes; the label is "T9 vertebra" and so on."""
    canvas = scene.canvas
    for bone in torso.spine:
        cx, cy, cz = bone.centre
        low = (cx - bone.half_width - 6, cy - 62, cz - bone.height - 14)
        high = (cx + bone.half_width + 6, cy + bone.half_depth + 6, cz + bone.height)
        window = canvas.window(low, high)
        if any(s.stop <= s.start for s in window):
            continue
        x, y, z = canvas.coordinates(window)
        body, walls = body_of(torso, bone, x, y, z, loss=breaks.vertebrae.get(bone.name, 0.0))
        disc = np.maximum(walls, np.abs(z - cz) - np.float32(0.68 * bone.height))
        scene.paint(window, disc, tissue["disc"])
        value = bone_value(np.maximum(body, -6), tissue, rim=0.7)
        name = f"{bone.name} vertebra"
        scene.paint(window, body, value, name)
        _paint_bone(scene, _arch(torso, bone), tissue, name)
        canal = np.hypot(x - cx, (y - cy + bone.half_depth + 8) * 1.1) - np.float32(7.5)
        scene.paint(
            window, np.maximum(canal, np.abs(z - cz) - np.float32(0.72 * bone.height)), tissue["canal"], "spinal canal"
        )


def crushed_level(scene: Scene, torso: Torso, plant: Plant) -> tuple[str, float]:
    """A vertebra from T4 down that lies in the scan whole, and the share of height that its front loses."""
    canvas = scene.canvas
    low, high = canvas.corner[2], canvas.corner[2] + canvas.spacing[2] * (canvas.shape[2] - 1)
    inside = [
        v.name for v in torso.spine
        if low + 20 < v.centre[2] < high - 20 and not v.name.startswith("C") and v.name not in ("T1", "T2", "T3")
    ]  # fmt: skip
    inside = [name for name in inside if ontology().find(f"{name} vertebra") is not None]
    if plant.place is not None and plant.place not in inside:
        raise NoRoomError.of(plant, plant.place)
    level = plant.place or inside[int(plant.rng().integers(len(inside)))]
    return level, plant.extent or 0.35


def crushed(scene: Scene, level: str, loss: float, plant: Plant) -> Placed:
    """A painted compression fracture, graded by its loss of height (Genant et al., J Bone Miner Res 1993; 8: 1137)."""
    grade = "mild" if loss < 0.25 else "moderate" if loss < 0.40 else "severe"
    term = f"{level} vertebra"
    return Placed("vertebral compression fracture", scene.mask(term), term).with_attributes(
        ("severity", grade), ("change", plant.change)
    )


def _arch(torso: Torso, bone: Vertebra) -> Capsules:
    """Pedicles, laminae, transverse and spinous process, all under the skin."""
    cx, cy, cz = bone.centre
    thin = 0.21 * bone.half_width
    behind = cy - bone.half_depth
    parts = []
    for side in (-1, 1):
        root = (cx + side * 0.62 * bone.half_width, behind + 3, cz + 0.12 * bone.height)
        joint = (cx + side * 0.72 * bone.half_width, behind - 11, cz + 0.08 * bone.height)
        tip = (cx + side * 1.75 * bone.half_width, behind - 17, cz + 0.16 * bone.height)
        keel = (cx, behind - 20, cz - 0.12 * bone.height)
        parts += [
            Capsules.along(line(root, joint), thin * 1.15),
            Capsules.along(line(joint, tip), thin),
            Capsules.along(line(joint, keel), thin),
        ]
    thoracic = bone.name.startswith("T")
    fall = -0.75 * bone.height if thoracic else -0.2 * bone.height
    skin = 10 - torso.thorax.depth - 0.8 * torso.thorax.wall
    end = min(max(behind - 44, skin), behind - 24)
    parts.append(Capsules.along(line((cx, behind - 20, cz - 0.12 * bone.height), (cx, end, cz + fall)), thin))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def paint_girdle(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Sternum, costal cartilage, clavicles and scapulae."""
    thorax = torso.thorax
    rng = torso.draws("girdle")
    tops = [0.9, 0.75, 0.55, 0.36]
    front = [_front(torso, t) + 4 for t in tops]
    plate = between(np.array([[0, y, t * thorax.height] for y, t in zip(front, tops, strict=True)]), 14)
    parts = [Capsules.along(plate + np.array([dx, -0.02 * abs(dx), 0]), 5.5) for dx in (-9.0, 0.0, 9.0)]
    for part in parts:
        _paint_bone(scene, part, tissue, "sternum")
    for tube in bones.clavicles(thorax, rng):
        _paint_bone(scene, Capsules.along(tube.points, tube.radii), tissue, tube.name)
    for name, (corners, tubes) in bones.scapulae(thorax, rng).items():
        # Wall muscles lie between rib cage and scapula.
        shift = np.array([0.0, -0.28 * thorax.depth, 0.0])
        medial, lateral = between(corners[:3] + shift, 9), between(corners[[4, 3, 2]] + shift, 9)
        for one, two in zip(medial, lateral, strict=True):
            _paint_bone(scene, Capsules.along(np.stack([one, two]), 2.2), tissue, f"{name} scapula")
        for tube in tubes[:2]:
            _paint_bone(scene, Capsules.along(tube.points + shift, tube.radii), tissue, f"{name} scapula")


def _front(torso: Torso, t: float) -> float:
    rise = max(1 - t, 0.0)
    depth = torso.thorax.depth * (0.42 + 0.58 * rise**0.45)
    return float(-0.12 * torso.thorax.depth * (1 - rise) + depth)


def paint_cartilage(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Costal cartilage from the ends of ribs 1 to 10 to the sternum."""
    for name, (points, radii) in rib_lines(torso).items():
        number = int(name.rsplit(" ", 1)[1])
        if number > 10:
            continue
        t = float(np.clip(0.88 - 0.075 * number, 0.30, 0.9))
        target = np.array([np.sign(points[-1, 0]) * 12, _front(torso, t) + 4, t * torso.thorax.height])
        middle = (points[-1] + target) / 2 + [0, 4, -6]
        found = touched(
            scene.canvas, Capsules.along(between(np.stack([points[-1], middle, target]), 8), 0.95 * radii[-1])
        )
        share = scene.coverage(found.distance)
        values = scene.values.reshape(-1)
        values[found.index] += share * (np.float32(tissue["cartilage"]) - values[found.index])
        scene.labels.reshape(-1)[found.index[found.distance < 0]] = scene.number("costal cartilage")


def paint_pelvis(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Sacrum, iliac wings and the upper ends of the femora."""
    last = torso.spine[-1]
    cx, cy, cz = last.centre
    sacrum = between(
        line((cx, cy, cz - 22), (cx, cy - 18, cz - 55), (cx, cy - 28, cz - 100), (cx, cy - 12, cz - 130)), 12
    )
    _paint_bone(scene, Capsules.along(sacrum, np.linspace(24, 8, 12)), tissue, "sacrum")
    for name, side in SIDES.items():
        crest = between(
            line(
                (side * 38, cy - 30, cz - 20),
                (side * 88, cy - 8, cz + 12),
                (side * 122, cy + 44, cz - 10),
                (side * 116, cy + 82, cz - 48),
            ),
            14,
        )
        root = between(
            line((side * 42, cy - 24, cz - 72), (side * 78, cy + 8, cz - 108), (side * 84, cy + 44, cz - 112)), 14
        )
        for one, two in zip(crest, root, strict=True):
            _paint_bone(scene, Capsules.along(np.stack([one, two]), 4.2), tissue, f"{name} hip bone")
        head = np.array([side * 92.0, cy + 30, cz - 132])
        femur = between(
            np.stack([head, head + np.array([side * 38, -6, -34]), head + np.array([side * 44, 2, -160])]), 10
        )
        _paint_bone(scene, Capsules.along(femur, np.array([23, 17, 18, *[15.5] * 7])), tissue, f"{name} femur")

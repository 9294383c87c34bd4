"""Findings of the chest as shapes in the scene: nodule, mass, consolidation, effusion, pneumothorax.

Each painter takes the scene as it is, adds its shape and says what it added: the mask on the grid, the measures of
the continuous shape, and the contrast to what was there before, over the noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Mask
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms import lungs
from groundglass.synthesis.phantoms.canvas import Corner, Float, Scene, Shape, Window
from groundglass.synthesis.phantoms.capsules import paint_tubes
from groundglass.synthesis.phantoms.chest_organs import cage_distance
from groundglass.synthesis.phantoms.lesion_shapes import Ellipsoid, waves
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso
from groundglass.synthesis.thorax.anatomy import SIDES

NAMES = (
    "nodule",
    "mass",
    "consolidation",
    "effusion",
    "pneumothorax",
    "cardiomegaly",
    "rib fracture",
    "vertebral fracture",
)
LOBE_TERMS = {
    "upper lobe": "upper lobe of lung", "middle lobe": "middle lobe of right lung", "lower lobe": "lower lobe of lung",
}  # fmt: skip
_UNIT = {"volume": "mL", "long axis": "mm", "short axis": "mm", "mean attenuation": "[hnsf'U]"}


@dataclass
class ChestScene:
    """What the painters need: the scene, the patient, the tissue, the noise that will be added (HU), and the spheres
    (centre, radius in mm) that lesions have taken."""

    scene: Scene
    torso: Torso
    tissue: Tissue
    noise: float
    taken: list[tuple[NDArray[np.float64], float]] = field(default_factory=list)


def draw_plants(rng: np.random.Generator, *, prevalence: float = 1.0) -> tuple[Plant, ...]:
    """Independent draws of every finding of the chest; about two a patient at `prevalence` 1."""
    found = []

    def chance(p: float) -> bool:
        return bool(rng.random() < p * prevalence)

    def key() -> int:
        return int(rng.integers(2**31))

    def side() -> Side:
        return "left" if rng.random() < 0.5 else "right"

    for _ in range(int(rng.integers(1, 4)) if chance(0.45) else 0):
        size = float(np.exp(rng.uniform(np.log(6), np.log(28))))
        found.append(Plant("nodule", size=size, key=key(), room=min(1.9 * size, 30.0)))
    if chance(0.15):
        size = float(rng.uniform(32, 60))
        found.append(Plant("mass", size=size, key=key(), room=1.3 * size))
    if chance(0.3):
        found.append(Plant("consolidation", extent=float(rng.uniform(0.1, 0.35)), key=key()))
    for one in ("left", "right"):
        if chance(0.22):
            found.append(Plant("effusion", one, extent=float(rng.uniform(0.12, 0.6)), key=key()))
    if chance(0.12):
        found.append(Plant("pneumothorax", side(), extent=float(rng.uniform(0.12, 0.5)), key=key()))
    if chance(0.25):
        found.append(Plant("cardiomegaly", key=key()))
    if chance(0.15):
        found.append(Plant("rib fracture", key=key()))
    if chance(0.15):
        found.append(Plant("vertebral fracture", extent=float(rng.uniform(0.2, 0.55)), key=key()))
    taken = {(p.name, p.side) for p in found}
    # Air and fluid in one pleural space would have a level of their own: not both on one side.
    return tuple(p for p in found if p.name != "pneumothorax" or ("effusion", p.side) not in taken)


def lobe_point(
    torso: Torso,
    plant: Plant,
    rng: np.random.Generator,
    *,
    margin: float,
    taken: Sequence[tuple[NDArray[np.float64], float]] = (),
) -> tuple[NDArray[np.float64], str, Side]:
    """A point at least `margin` mm inside a lobe, off the hilum and what is taken, with the lobe's name and side.

    Raises ConfigurationError when the wanted lobe has no room.
    """
    sides: list[Side] = [plant.side] if plant.side else (["left", "right"] if rng.random() < 0.5 else ["right", "left"])
    if plant.place is not None and plant.place not in LOBE_TERMS:
        raise ConfigurationError(plant.place, "is not a lobe", f"Use one of {', '.join(LOBE_TERMS)}.")
    for side in sides:
        sign = SIDES[side]
        points = lungs.terminals(torso, sign, 160, rng, margin=margin)
        far = np.linalg.norm(points - lungs.hila(torso)[sign], axis=1) > 28 + margin
        for point in points[far]:
            lobe = lobe_at(torso, sign, point)
            deep = min(abs(v) for v in _fissure_values(torso, sign, point))
            apart = all(np.linalg.norm(point - c) > r + margin for c, r in taken)
            if plant.place in (None, lobe) and deep > min(margin, 6.0) and apart:
                return point, lobe, side
    raise NoRoomError.of(plant, f"the {plant.side or ''} {plant.place or 'lung'}")


def _fissure_values(torso: Torso, sign: int, point: NDArray[np.float64]) -> list[float]:
    here = [np.array([v], dtype=np.float32) for v in point]
    oblique, horizontal = lungs.fissures(torso, sign, *here)
    values = [float(oblique[0])]
    if horizontal is not None and oblique[0] < 0:
        values.append(float(horizontal[0]))
    return values


def lobe_at(torso: Torso, sign: int, point: NDArray[np.float64]) -> str:
    """ "upper lobe", "middle lobe" or "lower lobe" of the lung on side `sign`."""
    oblique, *horizontal = _fissure_values(torso, sign, point)
    if oblique >= 0:
        return "lower lobe"
    return "middle lobe" if horizontal and horizontal[0] > 0 else "upper lobe"


def paint_nodule(chest_scene: ChestScene, plant: Plant) -> Placed:
    """A nodule (to 30 mm) or mass: solid or ground-glass, smooth or spiculated, an ellipsoid with known diameters."""
    scene, torso, tissue = chest_scene.scene, chest_scene.torso, chest_scene.tissue
    rng = plant.rng()
    size = plant.size or (40.0 if plant.name == "mass" else 12.0)
    point, lobe, side = lobe_point(torso, plant, rng, margin=0.5 * max(plant.space, size) + 2, taken=chest_scene.taken)
    chest_scene.taken.append((point, max(plant.space, size) / 2))
    shape = Ellipsoid.random(rng, point, size)
    glass = plant.name == "nodule" and rng.random() < 0.2
    spiky = not glass and rng.random() < (0.7 if plant.name == "mass" else 0.3)
    value = float(rng.uniform(-620, -420)) if glass else tissue["muscle"] + float(rng.uniform(-25, 15))
    if spiky:
        paint_tubes(scene, shape.spicules(rng), value)
    window = shape.window(scene.canvas)
    x, y, z = scene.canvas.coordinates(window)
    placed = _added(chest_scene, window, shape.distance(x, y, z), value)
    long_axis, short_axis = shape.axial
    return Placed(
        "lung lesion" if plant.name == "mass" else "pulmonary nodule",
        placed.mask,
        LOBE_TERMS[lobe],
        side,
        measures=(("long axis", long_axis, "mm"), ("short axis", short_axis, "mm"), ("volume", shape.volume, "mL")),
        centre=tuple(float(v) for v in scene.canvas.index(np.array(shape.centre))),
        contrast=placed.contrast,
    ).with_attributes(
        ("texture", "ground-glass" if glass else "solid"),
        ("margin", "spiculated" if spiky else "smooth"),
        ("change", plant.change),
    )


def paint_consolidation(chest_scene: ChestScene, plant: Plant) -> Placed:
    """Airspace filled in part of one lobe, with a wavy border; bronchi painted later stay open in it."""
    scene, torso, tissue = chest_scene.scene, chest_scene.torso, chest_scene.tissue
    rng = plant.rng()
    radius = (plant.extent or 0.2) * torso.thorax.height / 2
    point, lobe, side = lobe_point(torso, plant, rng, margin=min(0.5 * radius, 14))
    shape = Ellipsoid.random(rng, point, 2 * radius)
    window = shape.window(scene.canvas, margin=0.5 * radius)
    x, y, z = scene.canvas.coordinates(window)
    sign = SIDES[side]

    def distance(x: Float, y: Float, z: Float) -> Float:
        border = waves(np.random.default_rng(plant.key), x, y, z, length=1.1 * radius, height=0.18 * radius)
        lung = lungs.lung_distance(torso, sign, x, y, z)
        return np.maximum(np.maximum(shape.distance(x, y, z) + border, lung), -_lobe(torso, sign, lobe, x, y, z))

    patchy = np.float32(tissue["consolidation"]) + waves(rng, x, y, z, length=11.0, height=8.0)
    placed = _added(chest_scene, window, distance(x, y, z), patchy)
    reach = shape.reach + 0.5 * radius
    volume = sampled_volume(distance, point - reach, point + reach, np.random.default_rng(plant.key))
    share = volume / max(_lung_volume(torso, sign), 1.0)
    grade = "small" if share < 0.05 else "moderate" if share < 0.15 else "large"
    return Placed(
        "consolidation", placed.mask, LOBE_TERMS[lobe], side,
        measures=(("volume", volume, "mL"),), contrast=placed.contrast,
    ).with_attributes(("severity", grade), ("change", plant.change))  # fmt: skip


def _lobe(torso: Torso, sign: int, lobe: str, x: Float, y: Float, z: Float) -> Float:
    """Depth in mm inside a lobe, by its fissures alone."""
    oblique, horizontal = lungs.fissures(torso, sign, x, y, z)
    if lobe == "lower lobe":
        return oblique
    if horizontal is None:
        return -oblique
    return np.minimum(-oblique, horizontal if lobe == "middle lobe" else -horizontal)


def paint_effusion(chest_scene: ChestScene, plant: Plant) -> Placed:
    """Free fluid behind the lung of a patient who lies on the back, with a meniscus that climbs the wall."""
    torso, tissue = chest_scene.torso, chest_scene.tissue
    side: Side = plant.side or "left"
    sign = SIDES[side]
    thorax = torso.thorax
    extent = plant.extent or 0.3

    def distance(x: Float, y: Float, z: Float) -> Float:
        lower = np.clip(1 - z / np.float32(thorax.height), 0, 1)
        level = -thorax.depth + 1.45 * extent * thorax.depth * (0.25 + 0.75 * lower)
        wall = cage_distance(torso, x, y, z)
        climb = np.float32(10 + 16 * extent) * np.exp(np.clip(wall, -60, 0) / np.float32(9))
        return np.maximum(lungs.lung_distance(torso, sign, x, y, z), 0.85 * (y - level - climb)).astype(np.float32)

    return _fills(chest_scene, plant, side, distance, tissue["effusion"], "pleural effusion", (300, 1000))


def paint_pneumothorax(chest_scene: ChestScene, plant: Plant) -> Placed:
    """Air between wall and lung, thickest in front and at the apex; the lung's pleura shows as a line."""
    torso = chest_scene.torso
    side: Side = plant.side or "left"
    sign = SIDES[side]
    thick = 70 * (plant.extent or 0.3)

    def distance(x: Float, y: Float, z: Float) -> Float:
        front = np.clip(0.45 + 0.75 * y / np.float32(torso.thorax.depth), 0, 1)
        top = 0.6 + 0.4 * np.clip(z / np.float32(torso.thorax.height), 0, 1)
        wall = cage_distance(torso, x, y, z)
        return np.maximum(lungs.lung_distance(torso, sign, x, y, z), -wall - np.float32(thick) * front * top)

    placed = _fills(chest_scene, plant, side, distance, -1000.0, "pneumothorax", (250, 700))
    window = lungs.lung_window(chest_scene.scene, torso, sign)
    x, y, z = chest_scene.scene.canvas.coordinates(window)
    lung = lungs.lung_distance(torso, sign, x, y, z)
    voxel = np.float32(chest_scene.scene.canvas.voxel)
    sheet = np.clip(1 - np.abs(distance(x, y, z)) / voxel, 0, 1) * (lung < -2) * np.float32(0.9) / voxel
    chest_scene.scene.blend(window, np.clip(sheet, 0, 1), 40.0)
    return placed


def _fills(
    chest_scene: ChestScene,
    plant: Plant,
    side: Side,
    distance: Shape,
    value: float,
    term: str,
    grades: tuple[float, float],
) -> Placed:
    """A shape that fills part of a pleural space; small, moderate or large by its volume in mL."""
    window = lungs.lung_window(chest_scene.scene, chest_scene.torso, SIDES[side])
    placed = _added(chest_scene, window, distance(*chest_scene.scene.canvas.coordinates(window)), value)
    volume = sampled_volume(distance, *lungs.lung_box(chest_scene.torso, SIDES[side]), np.random.default_rng(plant.key))
    low, high = grades
    grade = "small" if volume < low else "moderate" if volume < high else "large"
    return Placed(
        term, placed.mask, "pleura", side, measures=(("volume", volume, "mL"),), contrast=placed.contrast
    ).with_attributes(("severity", grade), ("change", plant.change))


@dataclass(frozen=True)
class Added:
    """The mask of a shape and its contrast over noise."""

    mask: Mask
    contrast: float


def _added(chest_scene: ChestScene, window: Window, distance: Float, value: Float | float) -> Added:
    return add_shape(chest_scene.scene, window, distance, value, noise=chest_scene.noise)


def add_shape(scene: Scene, window: Window, distance: Float, value: Float | float, *, noise: float) -> Added:
    """Paint a finding and measure what it changed. A shape without any voxel in the grid gives an empty mask."""
    before = scene.values[window].copy()
    scene.paint(window, distance, value)
    inside = distance < 0
    crop = Mask.of(inside, scene.canvas.affine)
    offset = tuple(s.start + o for s, o in zip(window, crop.offset, strict=True))
    mask = Mask(crop.crop, offset, scene.canvas.shape, scene.canvas.affine)
    change = np.abs(scene.values[window] - before)[inside]
    return Added(mask, float(change.mean() / noise) if change.size else 0.0)


def sampled_volume(
    distance: Shape, low: NDArray[np.float64] | Corner, high: NDArray[np.float64] | Corner, rng: np.random.Generator
) -> float:
    """mL of a shape in a box by 56^3 jittered points, one to a cell: of the continuous shape, whatever the grid."""
    side = 56
    cells = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    size = np.subtract(high, low)
    points = ((cells + rng.random(cells.shape)) / side * size + low).astype(np.float32)
    return float((distance(points[:, 0], points[:, 1], points[:, 2]) < 0).mean() * np.prod(size) / 1000)


def _lung_volume(torso: Torso, sign: int) -> float:
    """mL of one lung."""
    return sampled_volume(
        lambda x, y, z: lungs.lung_distance(torso, sign, x, y, z),
        *lungs.lung_box(torso, sign),
        torso.draws(f"lung volume {sign}"),
    )

"""The lungs as layers of a scene: lobes with fissures, airways and vessels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Corner, Float, Scene, Window, rounded_maximum
from groundglass.synthesis.phantoms.capsules import Capsules, paint_tubes
from groundglass.synthesis.phantoms.chest_organs import cage_distance, mediastinum_distance, spine_distance
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso, between
from groundglass.synthesis.phantoms.trees import tree
from groundglass.synthesis.thorax import bones
from groundglass.synthesis.thorax.anatomy import LEFT, RIGHT, SIDES
from groundglass.synthesis.thorax.solids import dome_level

Points = NDArray[np.float64]

TERMINALS = 640


LOBES = {
    RIGHT: ("right upper lobe of lung", "middle lobe of right lung", "right lower lobe of lung"),
    LEFT: ("left upper lobe of lung", "left lower lobe of lung"),
}


def fissures(torso: Torso, side: int, x: Float, y: Float, z: Float) -> tuple[Float, Float | None]:
    """Signed distances in mm to the oblique fissure (positive: lower lobe behind it) and, on the right, to the
    horizontal one (positive: middle lobe under it). Both surfaces are gently bowed."""
    thorax = torso.thorax
    rng = torso.draws(f"fissures {side}")
    high, low = rng.uniform(0.70, 0.78) * thorax.height, rng.uniform(0.02, 0.12) * thorax.height
    back, front = -0.9 * thorax.depth, rng.uniform(0.5, 0.75) * thorax.depth
    bow = rng.uniform(3, 9)
    slope = (low - high) / (front - back)
    surface = high + slope * (y - back) + bow * np.sin(np.abs(x) / 28 + rng.uniform(0, 3))
    oblique = ((surface - z) / np.sqrt(1 + slope**2)).astype(np.float32)
    if side == LEFT:
        return oblique, None
    level = rng.uniform(0.44, 0.54) * thorax.height
    flat = level + 5 * np.sin(np.abs(x) / 35 + rng.uniform(0, 3)) - 0.08 * (y - 0)
    return oblique, (flat - z).astype(np.float32)


def lung_distance(torso: Torso, side: int, x: Float, y: Float, z: Float) -> Float:
    """Lung of one side (RIGHT or LEFT): cavity above the dome, clear of mediastinum and spine."""
    thorax = torso.thorax
    hemithorax = thorax.hemithorax(side)
    lateral = np.float32(side) * x
    rise = np.clip(1 - z / np.float32(hemithorax.height), 0.0, 1.0)
    apex = hemithorax.apex_x * (1 - np.float32(hemithorax.inner_apex) * rise ** np.float32(0.42))
    inner = np.maximum(apex, 2.5) - lateral
    outer = np.maximum(cage_distance(torso, x, y, z) + np.float32(1.0), z - hemithorax.height)
    above = 0.85 * (dome_level(thorax, hemithorax, x, y) - z)
    middle = np.minimum(mediastinum_distance(torso, x, y, z), spine_distance(torso, x, y, z))
    return np.maximum(np.maximum(outer, above), rounded_maximum(inner, -middle, 6.0))


def lung_box(torso: Torso, side: int) -> tuple[Corner, Corner]:
    """Low and high corner of a box round the lung of one side."""
    thorax = torso.thorax
    wide = thorax.hemithorax(side).half_width * 1.08
    low, high = (-wide, 0.0) if side == RIGHT else (0.0, wide)
    return (low, -1.05 * thorax.depth, -30.0), (high, 1.05 * thorax.depth, thorax.height + 4)


def lung_window(scene: Scene, torso: Torso, side: int) -> Window:
    return scene.canvas.window(*lung_box(torso, side))


def paint_lungs(scene: Scene, torso: Torso, tissue: Tissue, *, texture: Float | None) -> None:
    """Lobes with fissures, heavier towards the back where the patient lies on, and patchy as real lungs are.

    Without `texture` (uptake) they are even."""
    for side in (RIGHT, LEFT):
        window = lung_window(scene, torso, side)
        x, y, z = scene.canvas.coordinates(window)
        distance = lung_distance(torso, side, x, y, z)
        value = np.full_like(distance, tissue["lung"])
        if texture is not None:
            value += texture[window] - np.float32(45 / torso.thorax.depth) * y
        share = scene.coverage(distance)
        oblique, horizontal = fissures(torso, side, x, y, z)
        plates = np.abs(oblique)
        if horizontal is not None:
            plates = np.minimum(plates, np.where(oblique < 0, np.abs(horizontal), np.float32(99)))
        # A fissure is a sheet of about 0.6 mm of pleura.
        sheet = 0.6 / scene.canvas.voxel * np.clip(1 - plates / np.float32(scene.canvas.voxel), 0, 1)
        scene.blend(window, share, value + sheet * (tissue["pleura"] - value))
        inside = distance < 0
        upper, *middle, lower = LOBES[side]
        labels = scene.labels[window]
        labels[inside & (oblique >= 0)] = scene.number(lower)
        labels[inside & (oblique < 0)] = scene.number(upper)
        if horizontal is not None:
            labels[inside & (oblique < 0) & (horizontal > 0)] = scene.number(middle[0])


def lung_texture(scene: Scene, rng: np.random.Generator) -> Float:
    """Smooth field of about +-18 HU that varies over 25 mm, on the scene's grid; drawn per patient."""
    from scipy.ndimage import zoom

    canvas = scene.canvas
    nodes = rng.standard_normal((16, 16, 16)).astype(np.float32) * 18
    extent = [n * s for n, s in zip(canvas.shape, canvas.spacing, strict=True)]
    kept = nodes[tuple(slice(0, max(4, min(16, int(e / 25)))) for e in extent)]
    return zoom(kept, [n / k for n, k in zip(canvas.shape, kept.shape, strict=True)], order=1)


def mottle(scene: Scene, texture: Float) -> None:
    """Soft tissue is uneven, too: a quarter of the lungs' texture, some 5 HU over centimetres."""
    scene.values += np.where(scene.values > -300, np.float32(0.3) * texture, np.float32(0))


def hila(torso: Torso) -> dict[int, Points]:
    cz = torso.thorax.carina[2]
    return {RIGHT: np.array([-36.0, -10.0, cz - 24]), LEFT: np.array([36.0, -14.0, cz - 16])}


def terminals(torso: Torso, side: int, count: int, rng: np.random.Generator, *, margin: float = 4.0) -> Points:
    """Up to `count` random points in a lung, at least `margin` mm from its border, (n, 3); independent of any grid."""
    thorax = torso.thorax
    kept: list[Points] = []
    for _ in range(30):
        if sum(map(len, kept)) >= count:
            break
        x = side * rng.uniform(12, thorax.width, 4 * count)
        y = rng.uniform(-thorax.depth, thorax.depth, 4 * count)
        z = rng.uniform(0, thorax.height, 4 * count)
        here = [v.astype(np.float32) for v in (x, y, z)]
        kept.append(np.stack([x, y, z], 1)[lung_distance(torso, side, *here) < -margin])
    return np.concatenate(kept)[:count]


def lung_trees(torso: Torso, side: int) -> dict[str, Capsules]:
    """Arteries with the bronchi beside them, and veins that run between, down to about 1 mm."""
    rng = torso.draws(f"lung trees {side}")
    hilum = hila(torso)[side]
    arteries = tree(hilum, terminals(torso, side, TERMINALS, rng), rng, leaf_radius=0.62, most=6.0)
    inlet = np.array([side * 18.0, 0.05 * torso.thorax.depth, hilum[2] - 26])
    veins = tree(inlet, terminals(torso, side, TERMINALS, rng), rng, leaf_radius=0.62, most=5.5)
    # A bronchus runs beside its artery and is about as wide; beyond 1.2 mm it is not seen.
    apart = np.array([0.0, 1.0, 0.25]) * (1.9 * arteries.start_radius + 0.8)[:, None]
    wide = arteries.start_radius > 1.2
    bronchi = Capsules(
        (arteries.start + apart)[wide], (arteries.end + apart)[wide],
        0.85 * arteries.start_radius[wide], 0.85 * arteries.end_radius[wide],
    )  # fmt: skip
    return {"arteries": arteries, "veins": veins, "bronchi": bronchi}


def paint_lung_trees(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Vessels full of blood; bronchi as walls of a millimetre round air. Labels: pulmonary vessels, airways."""
    for side in SIDES.values():
        trees = lung_trees(torso, side)
        for name in ("arteries", "veins"):
            paint_tubes(scene, trees[name], tissue["blood"], "lung vessels")
        paint_tubes(scene, trees["bronchi"].thicker(0.9), tissue["airway wall"])
        paint_tubes(scene, trees["bronchi"], tissue["air"], "airways")


def paint_central_airways(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    """Trachea and main bronchi with walls of 1.5 mm."""
    rng = torso.draws("airways")
    for tube in bones.airways(torso.thorax):
        tubes = Capsules.along(tube.points, tube.radii * rng.uniform(0.95, 1.05))
        paint_tubes(scene, tubes.thicker(1.5), tissue["airway wall"])
        paint_tubes(scene, tubes, tissue["air"], tube.name)
    for side, point in hila(torso).items():
        name = "left main bronchus" if side == LEFT else "right main bronchus"
        end = next(t for t in bones.airways(torso.thorax) if t.name == name).points[-1]
        way = Capsules.along(between(np.stack([end, point + np.array([0, 6, 2])]), 6), 4.6)
        paint_tubes(scene, way.thicker(1.3), tissue["airway wall"])
        paint_tubes(scene, way, tissue["air"], "airways")

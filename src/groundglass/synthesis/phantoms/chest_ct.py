"""Chest CT of a simulated patient: lobes, airways, vessels, heart, ribs one by one, vertebrae with levels; findings as
shapes in mm. Physics: CT numbers by tissue and phase, voxels filled by share, noise with a scanner's spectrum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundglass.core import Acquisition, Image
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms import chest_organs as chest
from groundglass.synthesis.phantoms import lungs, skeleton
from groundglass.synthesis.phantoms.abdominal_organs import paint_abdomen
from groundglass.synthesis.phantoms.canvas import Canvas, Scene
from groundglass.synthesis.phantoms.chest_findings import (
    NAMES,
    ChestScene,
    draw_plants,
    paint_consolidation,
    paint_effusion,
    paint_nodule,
    paint_pneumothorax,
)
from groundglass.synthesis.phantoms.ct_noise import ct_noise
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_noise, check_phase, check_plants
from groundglass.synthesis.phantoms.planted import Placed, Plant
from groundglass.synthesis.phantoms.skeleton import Breaks
from groundglass.synthesis.phantoms.table import paint_table
from groundglass.synthesis.phantoms.tissue import PHASES, random_tissue
from groundglass.synthesis.phantoms.torso import Torso, Variant, landmarks, random_torso

SHAPE = (192, 192, 192)
NORMAL_RATIO, LARGE_RATIO = (0.38, 0.47), (0.56, 0.68)
DENIALS = (
    ("pleural effusion", None), ("pneumothorax", None), ("consolidation", None), ("pulmonary nodule", None),
    ("cardiomegaly", None), ("rib fracture", None), ("vertebral compression fracture", None),
    ("mediastinal lymphadenopathy", None), ("pericardial effusion", None), ("pulmonary embolism", None),
    ("bronchiectasis", None), ("emphysema", None), ("hiatal hernia", None), ("pulmonary edema", None),
)  # fmt: skip


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    shape: tuple[int, int, int] = SHAPE,
    spacing: tuple[float, float, float] | None = None,
    noise: float | None = None,
    phase: str | None = None,
    variant: Variant | None = None,
) -> Drawn:
    """One scan. `spacing` in mm (else the chest is fitted into `shape`), `noise` the standard deviation in HU (else
    drawn, 8 to 20 at 2 mm), `phase` "plain" or "portal venous", `variant` of the spine. Raises ConfigurationError."""
    check_plants(plants, NAMES, kind="chest-ct")
    rng = case.patient("anatomy")
    large = any(p.name == "cardiomegaly" for p in plants)
    ratio = float(rng.uniform(*LARGE_RATIO) if large else rng.uniform(*NORMAL_RATIO))
    torso = random_torso(rng, ratio=ratio, variant=variant)
    scan = case.scan("scan")
    chosen = check_phase(phase) or PHASES[int(scan.random() < 0.5)]
    tissue = random_tissue(scan, phase=chosen)
    canvas = field_of_view(torso, shape, spacing)
    sd = check_noise(noise) if noise is not None else scan.uniform(8, 20) * (2.0 / canvas.voxel) ** 0.75
    painted = ChestScene(Scene(canvas, -1000.0), torso, tissue, float(sd))
    placed = _paint(painted, plants, scan)
    scene = painted.scene
    scene.values += ct_noise(scan, canvas, float(sd))
    hu = np.rint(np.clip(scene.values, -1024, 3071)).astype(np.int16)
    image = Image.of(
        hu,
        canvas.affine,
        name="chest CT",
        modality="CT",
        units="[hnsf'U]",
        acquisition=Acquisition(
            "CHEST", contrast=None if chosen == "plain" else chosen, description=f"{chosen}, simulated"
        ),
    )
    facts: dict[str, float | str] = {
        "noise": float(sd),
        "phase": chosen,
        "variant": torso.variant,
        "cardiothoracic ratio": cardiothoracic_ratio(torso),
    }
    words = "without intravenous contrast" if chosen == "plain" else "after intravenous contrast"
    return Drawn(
        (image,), tuple(placed), scene.masks(), facts, f"Helical CT of the chest {words}.", landmarks(torso, canvas)
    )


def field_of_view(torso: Torso, shape: tuple[int, int, int], spacing: tuple[float, float, float] | None) -> Canvas:
    """Square in the slice, from the upper abdomen to above the apices."""
    thorax = torso.thorax
    half = min(thorax.width + thorax.wall + 12, 225.0)
    return Canvas.covering((-half, -half, -55.0), (half, half, thorax.height + 25), shape, spacing)


def _paint(painted: ChestScene, plants: Sequence[Plant], rng: np.random.Generator) -> list[Placed]:
    """Layers from the back to the front, each finding where its tissue is painted; the findings in their order."""
    scene, torso, tissue = painted.scene, painted.torso, painted.tissue
    found: dict[int, Placed] = {}

    def plant_all(name: str, paint: object) -> None:
        for number, plant in enumerate(plants):
            if plant.name == name:
                found[number] = paint(painted, plant)  # type: ignore[operator]

    chest.paint_wall(scene, torso, tissue)
    texture = lungs.lung_texture(scene, torso.draws("texture"))
    lungs.paint_lungs(scene, torso, tissue, texture=texture)
    plant_all("consolidation", paint_consolidation)
    lungs.paint_lung_trees(scene, torso, tissue)
    paint_abdomen(scene, torso, tissue)
    chest.paint_heart(scene, torso, tissue)
    chest.paint_great_vessels(scene, torso, tissue)
    plant_all("effusion", paint_effusion)
    plant_all("pneumothorax", paint_pneumothorax)
    lungs.paint_central_airways(scene, torso, tissue)
    plant_all("nodule", paint_nodule)
    plant_all("mass", paint_nodule)
    skeleton.paint_cartilage(scene, torso, tissue)
    skeleton.paint_girdle(scene, torso, tissue)
    found.update(_bones(painted, plants))
    for number, plant in enumerate(plants):
        if plant.name == "cardiomegaly":
            found[number] = _large_heart(painted, plant)
    lungs.mottle(scene, texture)
    paint_table(scene, torso, rng)
    return [found[number] for number in sorted(found)]


def _large_heart(painted: ChestScene, plant: Plant) -> Placed:
    ratio = cardiothoracic_ratio(painted.torso)
    grade = "mild" if ratio < 0.58 else "moderate" if ratio < 0.63 else "severe"
    measures = (("cardiothoracic ratio", ratio, "1"),)
    heart = painted.scene.mask("heart")
    return Placed("cardiomegaly", heart, "heart", measures=measures).with_attributes(
        ("severity", grade), ("change", plant.change)
    )


def cardiothoracic_ratio(torso: Torso) -> float:
    """Widest heart over widest inner chest, from the shapes."""
    heart, thorax = torso.thorax.heart, torso.thorax
    s = np.linspace(0, 1, 400, dtype=np.float32)
    wide = float((heart.left * heart.left_curve(s)).max() + (heart.right * heart.right_curve(s)).max())
    z = np.linspace(0, thorax.height, 400, dtype=np.float32)
    inner = 0.0
    for side in thorax.sides:
        rise = np.clip(1 - z / np.float32(thorax.height), 0, 1)
        wall = side.apex_x + (side.half_width - side.apex_x) * rise ** np.float32(side.apex_power)
        inner = inner + wall + side.lateral_wobble(z / np.float32(thorax.height)) * np.sqrt(rise)
    return wide / float(np.max(inner))


def _bones(painted: ChestScene, plants: Sequence[Plant]) -> dict[int, Placed]:
    """Paint ribs and spine with what is broken in them."""
    scene, torso = painted.scene, painted.torso
    broken = {n: _rib_plan(torso, p) for n, p in enumerate(plants) if p.name == "rib fracture"}
    crushed = {
        n: skeleton.crushed_level(scene, torso, p) for n, p in enumerate(plants) if p.name == "vertebral fracture"
    }
    breaks = Breaks({name: (place, shift) for name, place, shift in broken.values()}, dict(crushed.values()))
    gaps = skeleton.paint_ribs(scene, torso, painted.tissue, breaks)
    skeleton.paint_spine(scene, torso, painted.tissue, breaks)
    found = {}
    for number, (name, _, _) in broken.items():
        side: Side = "left" if name.startswith("left") else "right"
        mask, contrast = skeleton.gap_mask(scene, gaps[name], painted.tissue, noise=painted.noise)
        found[number] = Placed("rib fracture", mask, "rib", side, contrast=contrast).with_attributes(
            ("level", name.rsplit(" ", 1)[1]), ("change", plants[number].change)
        )
    for number, (level, loss) in crushed.items():
        found[number] = skeleton.crushed(scene, level, loss, plants[number])
    return found


def _rib_plan(torso: Torso, plant: Plant) -> tuple[str, float, float]:
    """Rib 4 to 9, at its side, displaced by 2 to 5 mm."""
    rng = plant.rng()
    side = plant.side or ("left" if rng.random() < 0.5 else "right")
    number = int(plant.place) if plant.place and plant.place.isdigit() else int(rng.integers(4, 10))
    return f"{side} rib {number}", float(rng.uniform(0.35, 0.72)), float(rng.uniform(2.0, 5.0))


KIND = Kind("chest-ct", "CT of the chest", "CT", NAMES, draw_plants, make, DENIALS)

"""Abdominal CT of a simulated patient: organs, vessels, bowel, lumbar spine; cysts, tumours with T category, stones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from groundglass.core import Acquisition, Image, Mask
from groundglass.synthesis.phantoms import abdominal_organs as abdomen
from groundglass.synthesis.phantoms import chest_organs as chest
from groundglass.synthesis.phantoms import lungs, skeleton
from groundglass.synthesis.phantoms.abdomen_findings import (
    LESIONS,
    NAMES,
    AbdomenScene,
    couinaud,
    draw_plants,
    paint_ascites,
    paint_lesion,
    paint_stone,
)
from groundglass.synthesis.phantoms.canvas import Canvas, Scene
from groundglass.synthesis.phantoms.ct_noise import ct_noise
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_noise, check_phase, check_plants
from groundglass.synthesis.phantoms.planted import Placed, Plant
from groundglass.synthesis.phantoms.skeleton import Breaks
from groundglass.synthesis.phantoms.table import paint_table
from groundglass.synthesis.phantoms.tissue import Tissue, random_tissue
from groundglass.synthesis.phantoms.torso import Torso, Variant, landmarks, random_torso

SHAPE = (192, 192, 160)
PLAIN_SHARE = 0.2
DENIALS = (
    ("liver lesion", None), ("cholelithiasis", None), ("nephrolithiasis", None), ("hydronephrosis", None),
    ("ascites", None), ("splenomegaly", None), ("lymphadenopathy", None), ("bowel obstruction", None),
    ("pneumoperitoneum", None), ("biliary dilatation", None), ("vertebral compression fracture", None),
    ("hepatic steatosis", None),
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
    """One scan from the dome of the liver to the iliac crests. Options as those of chest-ct. Raises
    ConfigurationError."""
    check_plants(plants, NAMES, kind="abdomen-ct")
    torso = random_torso(case.patient("anatomy"), ratio=0.45, variant=variant)
    if any(p.name == "splenomegaly" for p in plants):
        torso = replace(torso, spleen_long=torso.spleen_long * 1.45)
    scan = case.scan("scan")
    chosen = check_phase(phase) or ("plain" if scan.random() < PLAIN_SHARE else "portal venous")
    tissue = random_tissue(scan, phase=chosen)
    fatty = next((p for p in plants if p.name == "hepatic steatosis"), None)
    if fatty is not None:
        tissue = tissue.with_values(liver=tissue["liver"] - float(fatty.rng().uniform(28, 45)))
    canvas = field_of_view(torso, shape, spacing)
    sd = check_noise(noise) if noise is not None else scan.uniform(8, 16) * (2.0 / canvas.voxel) ** 0.75
    scene = Scene(canvas, -1000.0)
    placed = _paint(scene, torso, tissue, float(sd), plants, scan)
    structures = {**scene.masks(), **_segments(scene, torso)}
    scene.values += ct_noise(scan, canvas, float(sd))
    hu = np.rint(np.clip(scene.values, -1024, 3071)).astype(np.int16)
    image = Image.of(
        hu,
        canvas.affine,
        name="abdomen CT",
        modality="CT",
        units="[hnsf'U]",
        acquisition=Acquisition(
            "ABDOMEN", contrast=None if chosen == "plain" else chosen, description=f"{chosen}, simulated"
        ),
    )
    facts: dict[str, float | str] = {"noise": float(sd), "phase": chosen, "variant": torso.variant}
    words = "without intravenous contrast" if chosen == "plain" else "in the portal venous phase"
    return Drawn(
        (image,), tuple(placed), structures, facts, f"Helical CT of the abdomen {words}.", landmarks(torso, canvas)
    )


def field_of_view(torso: Torso, shape: tuple[int, int, int], spacing: tuple[float, float, float] | None) -> Canvas:
    thorax = torso.thorax
    half = min(thorax.width + thorax.wall + 12, 225.0)
    top = max(thorax.right.dome_height, thorax.left.dome_height) + 22
    low = torso.spine[-1].centre[2] - 25
    return Canvas.covering((-half, -half, low), (half, half, top), shape, spacing)


def _paint(
    scene: Scene, torso: Torso, tissue: Tissue, noise: float, plants: Sequence[Plant], rng: np.random.Generator
) -> list[Placed]:
    found: dict[int, Placed] = {}
    here = AbdomenScene(scene, torso, tissue, noise, {o.name: o for o in abdomen.organs(torso)})
    chest.paint_wall(scene, torso, tissue)
    found.update(_each(plants, ("ascites",), lambda p: paint_ascites(here, p)))
    texture = lungs.lung_texture(scene, torso.draws("texture"))
    lungs.paint_lungs(scene, torso, tissue, texture=texture)
    abdomen.paint_abdomen(scene, torso, tissue)
    chest.paint_heart(scene, torso, tissue)
    chest.paint_great_vessels(scene, torso, tissue)
    found.update(_each(plants, tuple(LESIONS), lambda p: paint_lesion(here, p)))
    found.update(_each(plants, ("renal stone", "gallstones"), lambda p: paint_stone(here, p)))
    skeleton.paint_cartilage(scene, torso, tissue)
    found.update(skeleton_of(scene, torso, tissue, plants))
    for number, plant in enumerate(plants):
        if plant.name == "splenomegaly":
            found[number] = _large_spleen(scene, plant)
        elif plant.name == "hepatic steatosis":
            contrast = abs(tissue["spleen"] - tissue["liver"]) / noise
            found[number] = Placed(
                "hepatic steatosis", scene.mask("liver"), "liver", contrast=contrast
            ).with_attributes(("change", plant.change))
    lungs.mottle(scene, texture)
    paint_table(scene, torso, rng)
    return [found[number] for number in sorted(found)]


def _each(plants: Sequence[Plant], names: Sequence[str], paint: object) -> dict[int, Placed]:
    return {n: paint(p) for n, p in enumerate(plants) if p.name in names}  # type: ignore[operator]


def _large_spleen(scene: Scene, plant: Plant) -> Placed:
    mask = scene.mask("spleen")
    volume = mask.voxel_count * scene.canvas.voxel_ml
    return Placed("splenomegaly", mask, "spleen", measures=(("volume", volume, "mL"),)).with_attributes(
        ("change", plant.change)
    )


def skeleton_of(scene: Scene, torso: Torso, tissue: Tissue, plants: Sequence[Plant]) -> dict[int, Placed]:
    """Ribs and spine, with crushed vertebrae."""
    crushed = {
        n: skeleton.crushed_level(scene, torso, p) for n, p in enumerate(plants) if p.name == "vertebral fracture"
    }
    breaks = Breaks(vertebrae=dict(crushed.values()))
    skeleton.paint_ribs(scene, torso, tissue, breaks)
    skeleton.paint_spine(scene, torso, tissue, breaks)
    return {n: skeleton.crushed(scene, level, loss, plants[n]) for n, (level, loss) in crushed.items()}


def _segments(scene: Scene, torso: Torso) -> dict[str, Mask]:
    """The eight segments of what is visible of the liver."""
    liver = scene.mask("liver")
    if liver.is_empty:
        return {}
    window = liver.box.slices
    numbers = couinaud(torso, *scene.canvas.coordinates(window)) * liver.crop  # type: ignore[arg-type]
    found = {}
    for number in range(1, 9):
        own = Mask.of(numbers == number, scene.canvas.affine)
        if not own.is_empty:
            offset = tuple(a + b for a, b in zip(liver.offset, own.offset, strict=True))
            found[f"liver segment {number}"] = Mask(own.crop, offset, scene.canvas.shape, scene.canvas.affine)
    return found


KIND = Kind("abdomen-ct", "CT of the abdomen", "CT", NAMES, draw_plants, make, DENIALS, region="abdomen")

"""Findings of the abdomen: cysts and tumours of liver, kidneys and pancreas, stones, ascites; T stage by size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundglass.core.finding import Side
from groundglass.measurement import t_stage
from groundglass.synthesis.phantoms.abdominal_organs import Organ, pancreas_line, vessels
from groundglass.synthesis.phantoms.canvas import Float, Scene
from groundglass.synthesis.phantoms.capsules import Points
from groundglass.synthesis.phantoms.chest_findings import add_shape
from groundglass.synthesis.phantoms.chest_organs import cage_distance
from groundglass.synthesis.phantoms.lesion_shapes import Ellipsoid, waves
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.phantoms.tissue import Tissue
from groundglass.synthesis.phantoms.torso import Torso

NAMES = (
    "liver cyst", "hepatocellular carcinoma", "liver metastasis", "renal cyst", "renal cell carcinoma", "renal stone",
    "pancreatic cancer", "pancreatic cyst", "gallstones", "ascites", "splenomegaly", "hepatic steatosis",
    "vertebral fracture",
)  # fmt: skip
CONTACTS = ("superior mesenteric artery", "superior mesenteric vein", "portal vein", "splenic vein")


@dataclass(frozen=True)
class LesionKind:
    """`term` and organ of a lesion; its HU: `water`, or the organ's HU times `factor` (plain, portal venous);
    `depth`: how far its centre lies under the organ's surface, in its radius; `size` range in mm when drawn."""

    term: str
    organ: str
    factor: tuple[float, float]
    water: bool = False
    depth: float = 1.1
    size: tuple[float, float] = (8.0, 40.0)
    share: float = 0.2
    most: int = 1
    stage: str | None = None


LESIONS: Mapping[str, LesionKind] = {
    "liver cyst": LesionKind("liver cyst", "liver", (0, 0), water=True, size=(7, 45), share=0.3, most=3),
    "hepatocellular carcinoma": LesionKind(
        "hepatocellular carcinoma", "liver", (0.72, 0.74), size=(14, 70), share=0.15, stage="hepatocellular carcinoma"
    ),
    "liver metastasis": LesionKind("liver lesion", "liver", (0.62, 0.60), size=(9, 38), share=0.2, most=4),
    "renal cyst": LesionKind("kidney cyst", "kidney", (0, 0), water=True, depth=0.35, size=(8, 50), share=0.35, most=2),
    "renal cell carcinoma": LesionKind(
        "renal cell carcinoma", "kidney", (1.5, 0.6), depth=0.3, size=(16, 80), share=0.2, stage="renal cell carcinoma"
    ),
    "pancreatic cancer": LesionKind(
        "pancreatic ductal adenocarcinoma", "pancreas", (0.55, 0.6), size=(12, 42), share=0.18,
        stage="pancreatic ductal adenocarcinoma",
    ),
    "pancreatic cyst": LesionKind("pancreas cyst", "pancreas", (0, 0), water=True, size=(7, 30), share=0.15),
}  # fmt: skip


@dataclass
class AbdomenScene:
    """What the painters need; `taken` holds the spheres (centre, radius in mm) of earlier lesions."""

    scene: Scene
    torso: Torso
    tissue: Tissue
    noise: float
    organs: Mapping[str, Organ]
    taken: list[tuple[Points, float]] = field(default_factory=list)


def draw_plants(rng: np.random.Generator, *, prevalence: float = 1.0) -> tuple[Plant, ...]:
    """Independent draws of every finding of the abdomen; about three a patient at `prevalence` 1."""
    found = []

    def key() -> int:
        return int(rng.integers(2**31))

    for name, kind in LESIONS.items():
        if rng.random() >= kind.share * prevalence:
            continue
        for _ in range(int(rng.integers(1, kind.most + 1))):
            size = float(np.exp(rng.uniform(*np.log(kind.size))))
            found.append(Plant(name, size=size, key=key(), room=min(1.5 * size, kind.size[1] * 1.1)))
    for name, share in (("gallstones", 0.15), ("splenomegaly", 0.1), ("hepatic steatosis", 0.15)):
        if rng.random() < share * prevalence:
            found.append(Plant(name, key=key()))
    if rng.random() < 0.15 * prevalence:
        found.append(Plant("renal stone", size=float(rng.uniform(4, 12)), key=key()))
    if rng.random() < 0.12 * prevalence:
        found.append(Plant("ascites", extent=float(rng.uniform(0.15, 0.6)), key=key()))
    if rng.random() < 0.1 * prevalence:
        found.append(Plant("vertebral fracture", extent=float(rng.uniform(0.2, 0.5)), key=key()))
    return tuple(found)


def paint_lesion(here: AbdomenScene, plant: Plant) -> Placed:
    """An ellipsoid in its organ (renal ones bulge out of it), with segment or part, sizes and T category by size."""
    kind = LESIONS[plant.name]
    rng = plant.rng()
    size = plant.size or float(np.mean(kind.size))
    point, organ, side = _site(here, plant, kind, rng)
    here.taken.append((point, max(plant.space, size) / 2))
    shape = Ellipsoid.random(rng, point, size, roundness=0.75)
    tissue = here.tissue
    window = shape.window(here.scene.canvas)
    x, y, z = here.scene.canvas.coordinates(window)
    if kind.water:
        value: Float | float = float(rng.uniform(0, 14))
    else:
        column = 0 if tissue.phase == "plain" else 1
        mottled = waves(rng, x, y, z, length=0.5 * size, height=0.06 * tissue[kind.organ])
        value = np.float32(kind.factor[column] * tissue[kind.organ]) + mottled
    added = add_shape(here.scene, window, shape.distance(x, y, z), value, noise=here.noise)
    long_axis, short_axis = shape.axial
    stage = t_stage(kind.stage, long_axis, {}).category if kind.stage else None
    return Placed(
        kind.term, added.mask, _anatomy(here.torso, kind.organ, point), side,
        measures=(("long axis", long_axis, "mm"), ("short axis", short_axis, "mm"), ("volume", shape.volume, "mL")),
        centre=tuple(float(v) for v in here.scene.canvas.index(point)), contrast=added.contrast,
    ).with_attributes(("t stage", stage), ("organ", organ), ("change", plant.change))  # fmt: skip


def _site(
    here: AbdomenScene, plant: Plant, kind: LesionKind, rng: np.random.Generator
) -> tuple[Points, str, Side | None]:
    """Centre, organ and side; clear of earlier lesions, and of the great vessels beside the pancreas."""
    radius = max(plant.space, plant.size or 0.0) / 2
    side: Side | None = None
    name = kind.organ
    if kind.organ == "kidney":
        side = plant.side or ("left" if rng.random() < 0.5 else "right")
        name = f"{side} kidney"
    if kind.organ == "pancreas":
        line, _ = pancreas_line(here.torso)
        points = line[rng.permutation(len(line))] + rng.normal(0, 2.5, line.shape)
    else:
        points = here.organs[name].points(120, rng, depth=min(kind.depth * radius, 26.0))
    tubes = [vessels(here.torso)[n] for n in CONTACTS] if kind.organ == "pancreas" else []
    for point in points:
        apart = all(np.linalg.norm(point - centre) > r + radius + 3 for centre, r in here.taken)
        wanted = plant.place is None or plant.place == _anatomy(here.torso, kind.organ, point)
        # A tumour of the pancreas may touch a vessel, not swallow it.
        near = any(_gap(point, t.start, t.start_radius) < 0.8 * (plant.size or 0.0) / 2 for t in tubes)
        if apart and wanted and not near and _in_field(here.scene, point, radius):
            return point, name, side
    raise NoRoomError.of(plant, f"the {plant.side or ''} {kind.organ}")


def _gap(point: Points, line: Points, radius: NDArray[np.float64]) -> float:
    return float((np.linalg.norm(line - point, axis=1) - radius).min())


def _in_field(scene: Scene, point: Points, radius: float) -> bool:
    index = scene.canvas.index(point)
    margin = radius / np.array(scene.canvas.spacing)
    return bool((index >= margin).all() and (index <= np.array(scene.canvas.shape) - 1 - margin).all())


def _anatomy(torso: Torso, organ: str, point: Points) -> str:
    if organ == "liver":
        here = [np.array([v], dtype=np.float32) for v in point]
        return f"liver segment {int(couinaud(torso, *here)[0])}"
    if organ == "pancreas":
        artery = vessels(torso)["superior mesenteric artery"].start[:, 0].mean()
        line, _ = pancreas_line(torso)
        half = (artery + line[:, 0].max()) / 2
        return (
            "head of pancreas" if point[0] < artery else "body of pancreas" if point[0] < half else "tail of pancreas"
        )
    return organ


def couinaud(torso: Torso, x: Float, y: Float, z: Float) -> NDArray[np.uint8]:
    """Segment 1 to 8 of points in the liver: planes of the three hepatic veins, and the level of the portal vein."""
    wide = torso.thorax.width
    portal = vessels(torso)["portal vein"].end[-1]
    # The planes fan out from the caval vein: right (between 5/8 and 6/7), middle (Cantlie), left (falciform).
    across, ahead = x + 22, y - portal[1] + 10
    angle = np.arctan2(ahead, -across)
    right, middle, left = 0.05, 0.57, 0.95
    upper = z > portal[2] - 18
    found = np.where(
        angle < right, np.where(upper, 7, 6),
        np.where(angle < middle, np.where(upper, 8, 5), np.where(angle < left, 4, np.where(upper, 2, 3))),
    )  # fmt: skip
    caudate = (np.abs(x + 0.10 * wide) < 16) & (ahead < 6) & (ahead > -34) & (np.abs(z - portal[2] - 8) < 20)
    return np.where(caudate, 1, found).astype(np.uint8)


def paint_stone(here: AbdomenScene, plant: Plant) -> Placed:
    """A calcified stone in a renal calyx, or several in the gallbladder."""
    rng = plant.rng()
    scene, tissue = here.scene, here.tissue
    renal = plant.name == "renal stone"
    side: Side | None = (plant.side or ("left" if rng.random() < 0.5 else "right")) if renal else None
    organ = here.organs[f"{side} renal pelvis" if renal else "gallbladder"]
    centre = (np.array(organ.low) + organ.high) / 2 + ([0, 0, rng.uniform(-8, 8)] if renal else [0, -9, -4])
    size = plant.size or float(rng.uniform(6, 12))
    shape = Ellipsoid.random(rng, centre, size, roundness=0.8)
    window = shape.window(scene.canvas)
    x, y, z = scene.canvas.coordinates(window)
    value = tissue["stone"] * (size / 8) if renal else tissue["gallstone"]
    added = add_shape(scene, window, shape.distance(x, y, z), value, noise=here.noise)
    measures = (("long axis", shape.axial[0], "mm"), ("volume", shape.volume, "mL"))
    term, anatomy = ("nephrolithiasis", "kidney") if renal else ("cholelithiasis", "gallbladder")
    return Placed(
        term, added.mask, anatomy, side, measures=measures if renal else measures[1:],
        centre=tuple(float(v) for v in scene.canvas.index(centre)), contrast=added.contrast,
    ).with_attributes(("change", plant.change))  # fmt: skip


def paint_ascites(here: AbdomenScene, plant: Plant) -> Placed:
    """Free fluid in the flanks and round liver and spleen: painted under the organs, so that they stay whole."""
    scene, torso, tissue = here.scene, here.torso, here.tissue
    extent = plant.extent or 0.3
    low = torso.spine[-1].centre[2] - 60
    thorax = torso.thorax
    window = scene.canvas.window((-thorax.width, -thorax.depth, low), (thorax.width, thorax.depth, 40))
    x, y, z = scene.canvas.coordinates(window)
    wall = cage_distance(torso, x, y, z) + np.float32(2.5)
    behind = y - np.float32((-0.62 + 1.15 * extent) * thorax.depth)
    rim = -wall - np.float32(6 + 40 * extent) * np.clip(0.35 + np.abs(x) / np.float32(thorax.width), 0, 1)
    outer = np.maximum(np.maximum(wall, rim), np.maximum(z - 34, behind - 40)).astype(np.float32)
    added = add_shape(scene, window, outer, tissue["ascites"], noise=here.noise)
    grade = "small" if extent < 0.28 else "moderate" if extent < 0.45 else "large"
    return Placed("ascites", added.mask, "abdomen", contrast=added.contrast).with_attributes(
        ("severity", grade), ("change", plant.change)
    )

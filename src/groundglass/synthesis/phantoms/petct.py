"""Whole-body FDG PET/CT of a simulated patient: uptake by organ, lesions with known uptake, and the scanner's physics:
point spread of 5 to 7 mm, Poisson counts, post-filter; SUV by body weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundglass.core import Acquisition, ConfigurationError, Image, Mask
from groundglass.core.finding import Side
from groundglass.io.suv import SUV
from groundglass.synthesis.phantoms import abdominal_organs as abdomen
from groundglass.synthesis.phantoms import chest_organs as chest
from groundglass.synthesis.phantoms import lungs, skeleton
from groundglass.synthesis.phantoms.abdomen_findings import couinaud
from groundglass.synthesis.phantoms.abdominal_organs import ellipsoid
from groundglass.synthesis.phantoms.canvas import Canvas, Float, Scene
from groundglass.synthesis.phantoms.capsules import Points
from groundglass.synthesis.phantoms.chest_findings import LOBE_TERMS, lobe_at
from groundglass.synthesis.phantoms.ct_noise import ct_noise
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.lesion_shapes import Ellipsoid
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.phantoms.skeleton import Breaks
from groundglass.synthesis.phantoms.tissue import Tissue, random_tissue, random_uptake
from groundglass.synthesis.phantoms.torso import Torso, landmarks, random_torso
from groundglass.synthesis.thorax.anatomy import SIDES

SHAPE, CT_SHAPE = (128, 128, 224), (192, 192, 224)
NAMES = ("lung lesion", "node", "bone lesion", "liver lesion")
REGIONS = ("neck", "axilla", "mediastinum", "hilum of lung", "abdomen")
POST_FILTER = 4.0
"""Full width at half maximum in mm of the Gaussian after reconstruction."""
DENIALS = (
    ("pleural effusion", None), ("ascites", None), ("pericardial effusion", None),
    ("pneumothorax", None), ("bowel obstruction", None),
)  # fmt: skip


def draw(rng: np.random.Generator) -> tuple[Plant, ...]:
    """One to eight lesions in lung, nodes, bone and liver."""
    found = []
    for _ in range(int(rng.integers(1, 9))):
        name = NAMES[int(rng.choice(4, p=[0.25, 0.4, 0.2, 0.15]))]
        size = float(np.exp(rng.uniform(np.log(9), np.log(34))))
        found.append(Plant(name, size=size, key=int(rng.integers(2**31)), room=min(1.6 * size, 40.0)))
    return tuple(found)


@dataclass(frozen=True)
class _Lesion:
    """Where it lies, what it takes up, and its CT number."""

    term: str
    anatomy: str
    side: Side | None
    shape: Ellipsoid
    suv: float
    hu: float
    level: str | None = None


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    shape: tuple[int, int, int] = SHAPE,
    ct_shape: tuple[int, int, int] | None = CT_SHAPE,
    psf: float | None = None,
    counts: float | None = None,
) -> Drawn:
    """PET (first) and CT on one field of view, from the head to the hips; masks lie on the PET's grid.

    `psf` in mm (full width at half maximum, post-filter included), `counts` per SUV and mL (else 6 to 16), `ct_shape`
    None leaves the CT out. Raises ConfigurationError.
    """
    check_plants(plants, NAMES, kind="petct")
    torso = random_torso(case.patient("anatomy"), ratio=0.45)
    scan = case.scan("scan")
    width = psf if psf is not None else float(scan.uniform(5, 7))
    rate = counts if counts is not None else float(scan.uniform(6, 16))
    if not POST_FILTER <= width <= 15 or not 0 < rate <= 1e6:
        raise ConfigurationError(
            f"psf {width}, counts {rate}", "are no scanner's", f"Use {POST_FILTER:g} to 15 mm, and counts above 0."
        )
    uptake, tissue = random_uptake(case.patient("uptake")), random_tissue(scan, phase="plain")
    lesions = _lesions(torso, uptake, plants)
    scene = _painted(torso, field_of_view(torso, shape), uptake, lesions, background=0.0)
    ideal = scene.values.copy()
    scene.values = _acquired(scan, scene.canvas, ideal, width, rate)
    pet = Image.of(
        scene.values,
        scene.canvas.affine,
        name="FDG PET",
        modality="PT",
        units=SUV,
        acquisition=Acquisition(
            "WHOLEBODY", description="FDG, simulated", facts={"PointSpread": width, "CountsPerSUVmL": rate}
        ),
    )
    noise = _liver_noise(scene, uptake)
    placed = tuple(_placed(scene, lesion, noise, plant) for lesion, plant in zip(lesions, plants, strict=True))
    images = (pet,) if ct_shape is None else (pet, _ct(scan, torso, tissue, lesions, ct_shape))
    facts: dict[str, float | str] = {"psf": width, "counts": rate, "noise": noise, "liver SUV": uptake["liver"]}
    technique = "FDG PET/CT from the skull to the hips, 60 minutes after injection."
    return Drawn(images, placed, scene.masks(), facts, technique, landmarks(torso, scene.canvas))


def field_of_view(torso: Torso, shape: tuple[int, int, int]) -> Canvas:
    thorax = torso.thorax
    half = min(thorax.width + thorax.wall + 30, 235.0)
    return Canvas.covering((-half, -half, torso.spine[-1].centre[2] - 160), (half, half, _head(torso)[2] + 96), shape)


def _head(torso: Torso) -> tuple[float, float, float]:
    return (0.0, 6.0, torso.thorax.height + 215.0)


def _painted(torso: Torso, canvas: Canvas, tissue: Tissue, lesions: Sequence[_Lesion], *, background: float) -> Scene:
    """The whole patient in one kind of value (SUV or HU)."""
    scene = Scene(canvas, background)
    chest.paint_wall(scene, torso, tissue)
    texture = None if tissue.phase == "FDG" else lungs.lung_texture(scene, torso.draws("texture"))
    lungs.paint_lungs(scene, torso, tissue, texture=texture)
    lungs.paint_lung_trees(scene, torso, tissue)
    abdomen.paint_abdomen(scene, torso, tissue)
    chest.paint_heart(scene, torso, tissue)
    chest.paint_great_vessels(scene, torso, tissue)
    lungs.paint_central_airways(scene, torso, tissue)
    skeleton.paint_girdle(scene, torso, tissue)
    skeleton.paint_ribs(scene, torso, tissue, Breaks())
    skeleton.paint_spine(scene, torso, tissue, Breaks())
    skeleton.paint_pelvis(scene, torso, tissue)
    _paint_head(scene, torso, tissue)
    for lesion in lesions:
        window = lesion.shape.window(canvas)
        distance = lesion.shape.distance(*canvas.coordinates(window))
        scene.blend(window, scene.coverage(distance), lesion.suv if tissue.phase == "FDG" else lesion.hu)
    return scene


def _paint_head(scene: Scene, torso: Torso, tissue: Tissue) -> None:
    centre = _head(torso)
    for grown, value, name in ((12.0, "skin", "head"), (8.0, "cortex", "skull"), (0.0, "brain", "brain")):
        axes = (68 + grown, 84 + grown, 70 + grown)
        window = scene.canvas.window(np.array(centre) - max(axes), np.array(centre) + max(axes))
        distance = ellipsoid(centre, axes)(*scene.canvas.coordinates(window))
        scene.paint(window, distance, tissue[value], name)


def _acquired(rng: np.random.Generator, canvas: Canvas, ideal: Float, width: float, rate: float) -> Float:
    """Point spread, Poisson counts, post-filter: SUV as a scanner gives them."""
    from scipy.ndimage import gaussian_filter

    sigma = np.array([1 / s for s in canvas.spacing]) / np.sqrt(8 * np.log(2))
    spread = np.sqrt(max(width**2 - POST_FILTER**2, 0.0))
    # Poisson at a few counts a voxel is coarse; 40 counts stand for the many coincidences that one is made of.
    scale = rate * canvas.voxel_ml * 40
    blurred = np.maximum(gaussian_filter(ideal, sigma * spread, truncate=3.0), 0)
    counted = rng.poisson(blurred * scale).astype(np.float32) / np.float32(scale)
    return gaussian_filter(counted, sigma * POST_FILTER, truncate=3.0)


def _liver_noise(scene: Scene, uptake: Tissue) -> float:
    """Standard deviation in SUV in the middle of the liver, where uptake is even."""
    from scipy.ndimage import binary_erosion

    liver = scene.mask("liver")
    core = binary_erosion(liver.crop, iterations=3)
    values = scene.values[liver.box.slices][core]
    return float(values.std()) if values.size > 20 else 0.1 * uptake["liver"]


def _placed(scene: Scene, lesion: _Lesion, noise: float, plant: Plant) -> Placed:
    """Mask of the true shape on the PET's grid; SUVmax and SUVmean as they read from the image in it."""
    canvas, shape = scene.canvas, lesion.shape
    window = shape.window(canvas)
    inside = shape.distance(*canvas.coordinates(window)) < 0
    crop = Mask.of(inside, canvas.affine)
    mask = Mask(
        crop.crop, tuple(s.start + o for s, o in zip(window, crop.offset, strict=True)), canvas.shape, canvas.affine
    )
    long_axis, short_axis = shape.axial
    measures = [("long axis", long_axis, "mm"), ("short axis", short_axis, "mm"), ("volume", shape.volume, "mL")]
    contrast, image = 0.0, None
    if not mask.is_empty:
        values = scene.values[mask.box.slices]
        held = np.where(mask.crop, values, -1)
        measures += [("SUVmax", float(held.max()), SUV), ("SUVmean", float(values[mask.crop].mean()), SUV)]
        ring = scene.values[window][~inside]
        contrast = (float(values[mask.crop].mean()) - float(np.median(ring))) / noise
        image = str(canvas.shape[2] - (mask.offset[2] + int(np.unravel_index(int(held.argmax()), held.shape)[2])))
    return Placed(
        lesion.term,
        mask,
        lesion.anatomy,
        lesion.side,
        measures=tuple(measures),
        contrast=max(contrast, 0.0),
        centre=tuple(float(v) for v in canvas.index(np.array(shape.centre))),
    ).with_attributes(("uptake", "hypermetabolic"), ("image", image), ("level", lesion.level), ("change", plant.change))


def _ct(
    rng: np.random.Generator, torso: Torso, tissue: Tissue, lesions: Sequence[_Lesion], shape: tuple[int, int, int]
) -> Image:
    scene = _painted(torso, field_of_view(torso, shape), tissue, lesions, background=-1000.0)
    scene.values += ct_noise(rng, scene.canvas, 22.0)
    hu = np.rint(np.clip(scene.values, -1024, 3071)).astype(np.int16)
    return Image.of(
        hu, scene.canvas.affine, name="low-dose CT", modality="CT", units="[hnsf'U]",
        acquisition=Acquisition("WHOLEBODY", description="low dose, simulated"),
    )  # fmt: skip


def _lesions(torso: Torso, uptake: Tissue, plants: Sequence[Plant]) -> list[_Lesion]:
    """Shapes in the order of the plants, none touching another."""
    taken: list[tuple[Points, float]] = []
    found = []
    for plant in plants:
        rng = plant.rng()
        size = plant.size or 18.0
        radius = max(plant.space, size) / 2
        free = (
            site
            for site in _sites(torso, plant, rng, radius)
            if all(np.linalg.norm(site[0] - c) > r + radius + 6 for c, r in taken)
        )
        chosen = next(free, None)
        if chosen is None:
            raise NoRoomError.of(plant, plant.place or "the body")
        point, term, anatomy, side, level, hu = chosen
        taken.append((point, radius))
        shape = Ellipsoid.random(rng, point, size, roundness=0.75)
        suv = float(np.exp(rng.uniform(np.log(4.5), np.log(18))))
        found.append(_Lesion(term, anatomy, side, shape, max(suv, 2.2 * uptake["liver"]), hu, level))
    return found


_Site = tuple[Points, str, str, Side | None, str | None, float]


def _sites(torso: Torso, plant: Plant, rng: np.random.Generator, radius: float) -> list[_Site]:
    """Candidate sites of a plant, best first: (centre, term, region, side, level, HU)."""
    sides: list[Side] = [plant.side] if plant.side in ("left", "right") else ["left", "right"]
    if plant.name == "lung lesion":
        sites: list[_Site] = []
        for side in sides:
            for point in lungs.terminals(torso, SIDES[side], 40, rng, margin=radius + 3):
                sites.append((point, "lung lesion", LOBE_TERMS[lobe_at(torso, SIDES[side], point)], side, None, 40.0))
        return _shuffled(sites, rng)
    if plant.name == "liver lesion":
        liver = abdomen.organs(torso)[0]
        points = liver.points(30, rng, depth=min(radius + 2, 24))
        numbers = couinaud(torso, *(points[:, a].astype(np.float32) for a in range(3)))
        return [
            (p, "liver lesion", f"liver segment {n}", None, None, 35.0) for p, n in zip(points, numbers, strict=True)
        ]
    if plant.name == "bone lesion":
        levels = [v for v in torso.spine if v.name[0] in "TL" and v.name not in ("T13", "L6", "T1")]
        return _shuffled(
            [(np.array(v.centre), "bone lesion", f"{v.name} vertebra", None, v.name, 70.0) for v in levels], rng
        )
    return _shuffled([site for side in sides for site in _nodes(torso, side)], rng)


def _nodes(torso: Torso, side: Side) -> list[_Site]:
    """Where lymph nodes lie; those of mediastinum and abdomen have no side of their own."""
    thorax, sign = torso.thorax, SIDES[side]
    cz = thorax.carina[2]
    places: list[tuple[str, Side | None, tuple[float, float, float]]] = [
        ("neck", None, (sign * 38.0, 0.0, thorax.height + 62)),
        ("axilla", side, (sign * (thorax.width + 8), 0.05 * thorax.depth, 0.74 * thorax.height)),
        ("mediastinum", None, (sign * 14.0, 0.10 * thorax.depth, cz + 26)),
        ("hilum of lung", side, (sign * 40.0, -6.0, cz - 22)),
        ("abdomen", None, (sign * 22.0, torso.level("L2").centre[1] + 40, torso.level("L2").centre[2])),
    ]
    return [(np.array(xyz), "lymph node lesion", region, own, None, 45.0) for region, own, xyz in places]


def _shuffled(sites: list[_Site], rng: np.random.Generator) -> list[_Site]:
    return [sites[int(i)] for i in rng.permutation(len(sites))]


KIND = Kind("petct", "FDG PET/CT", "PT", NAMES, draw, make, DENIALS, region="body")

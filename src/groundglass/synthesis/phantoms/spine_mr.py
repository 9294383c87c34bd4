"""Sagittal MR of a simulated spine: T1, T2 and STIR on one grid; levels from C1 to S1 with their variants.

`Phantom.landmarks` holds the centres of the vertebral bodies; the BIDS layout writes them as VerSe does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from groundglass.core import ConfigurationError
from groundglass.synthesis.phantoms import spine_findings as findings
from groundglass.synthesis.phantoms.canvas import Canvas, Float
from groundglass.synthesis.phantoms.capsules import Capsules, touched
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.lesion_shapes import waves
from groundglass.synthesis.phantoms.mr_physics import SUBSTANCES, Substance, check_share, nulling, person_substances
from groundglass.synthesis.phantoms.mr_physics import Sequence as Pulse
from groundglass.synthesis.phantoms.mr_scene import MrScene, chosen_pulses, images_of
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import Placed, Plant
from groundglass.synthesis.phantoms.spine_anatomy import (
    Column,
    Disc,
    Level,
    Variant,
    body_distance,
    cord_distance,
    disc_distance,
    random_column,
    sac_distance,
)

SHAPE = (15, 176, 256)
Region = Literal["lumbar", "cervical", "whole"]
REGIONS: Mapping[Region, tuple[str, str]] = {"lumbar": ("T11", "S1"), "cervical": ("C1", "T3"), "whole": ("C1", "S1")}
PULSES = (
    Pulse("T1", 560, 10),
    Pulse("T2", 3600, 100),
    Pulse("STIR", 4500, 48, ti=nulling(SUBSTANCES["fat"], 4500)),
)
DENIALS = (
    ("disc herniation", None), ("spinal canal stenosis", None), ("vertebral compression fracture", None),
    ("bone metastasis", None), ("spondylolisthesis", None), ("spinal cord compression", None),
    ("spondylodiscitis", None),
)  # fmt: skip


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    shape: tuple[int, int, int] = SHAPE,
    spacing: tuple[float, float, float] | None = None,
    noise: float | None = None,
    bias: float | None = None,
    sequences: Sequence[str] | None = None,
    region: Region | None = None,
    variant: Variant | None = None,
) -> Drawn:
    """One examination, (left to right, back to front, feet to head). `noise`: standard deviation of a channel over the
    signal of marrow; `bias` as in brain-mr; `region` which part is in the field. Raises ConfigurationError."""
    check_plants(plants, findings.NAMES, kind="spine-mr")
    column = random_column(case.patient("anatomy"), variant=variant)
    drawn = ("lumbar", "cervical", "whole")[int(case.patient("region").choice(3, p=(0.65, 0.2, 0.15)))]
    part = region or drawn
    if part not in REGIONS:
        raise ConfigurationError(str(part), "is not a part of the spine", f"Use one of {', '.join(REGIONS)}.")
    canvas, levels = field_of_view(column, part, shape, spacing)  # type: ignore[arg-type]
    pulses = chosen_pulses(PULSES, sequences)
    scan = case.scan("scan")
    share = check_share(float(scan.uniform(0.03, 0.07)) if noise is None else noise, "noise", 0.5)
    bent = check_share(float(scan.uniform(0.05, 0.2)) if bias is None else bias, "bias", 1.0)
    table = person_substances(case.patient("tissue"))
    marrow = [max(p.signal(table["marrow"]), 0.4 * p.signal(table["cerebrospinal fluid"])) for p in pulses]
    scene = MrScene(canvas, pulses, np.maximum(share, 1e-6) * np.array(marrow))
    inside = {v.name for v in levels}
    discs = tuple(d for d in column.discs if set(d.name.split()[0].split("-")) <= inside)
    here = findings.SpineScene(scene, column, table, levels, discs)
    placed = _paint(here, plants)
    images = images_of(scene, scene.scanned(scan, bent), body="spine")
    places = {f"{v.name} vertebral body": tuple(float(c) for c in canvas.index(np.array(v.centre))) for v in levels}
    facts: dict[str, float | str] = {
        "noise": share, "bias": bent, "variant": column.variant, "region": part, "conus level": column.conus_level,
        **{f"{d.name} hydration": round(d.water, 3) for d in discs},
    }  # fmt: skip
    words = {"lumbar": "lumbar spine", "cervical": "cervical spine", "whole": "whole spine"}[part]
    return Drawn(
        images, placed, scene.masks(), facts, f"MRI of the {words} with sagittal T1, T2 and STIR sequences.", places
    )


def field_of_view(
    column: Column, region: Region, shape: tuple[int, int, int], spacing: tuple[float, float, float] | None
) -> tuple[Canvas, tuple[Level, ...]]:
    """The grid, and the levels whose bodies lie in it."""
    first, last = REGIONS[region]
    top, low = column.level(first).centre[2] + 26, column.level(last).centre[2] - 52
    if region == "cervical":
        low = column.level(last).centre[2] - 14
    ys = [v.centre[1] for v in column.levels if low < v.centre[2] < top]
    middle = (min(ys) + max(ys)) / 2 - 12
    wide = max(180.0, max(ys) - min(ys) + 120) / 2 if region != "cervical" else 82.0
    x = float(np.mean([v.centre[0] for v in column.levels if low < v.centre[2] < top]))
    canvas = Canvas.covering((x - 31, middle - wide, low), (x + 31, middle + wide, top), shape, spacing)
    size = np.array(canvas.shape) - 1
    levels = tuple(
        v for v in column.levels if ((i := canvas.index(np.array(v.centre))) > 1).all() and (i < size - 1).all()
    )
    return canvas, levels


def _paint(here: findings.SpineScene, plants: Sequence[Plant]) -> tuple[Placed, ...]:
    """From the back to the front: soft tissue, canal, discs, bones, and the findings."""
    column = here.column
    crushed = {n: findings.crushed_body(here, p) for n, p in enumerate(plants) if p.name == "compression fracture"}
    pinched = {n: findings.pinch_of(here, p) for n, p in enumerate(plants) if p.name == "stenosis"}
    losses = {one.name: loss for one, loss in crushed.values()}
    _soft_tissue(here)
    _canal(here, [pinch for _, pinch in pinched.values()])
    for disc in column.discs:
        _disc(here, disc)
    for level in column.levels:
        _vertebra(here, level, losses.get(level.name, 0.0))
    found: list[Placed] = []
    for number, plant in enumerate(plants):
        if plant.name == "disc herniation":
            found.append(findings.paint_herniation(here, plant))
        elif plant.name == "metastasis":
            found.append(findings.paint_metastasis(here, plant))
        elif plant.name == "stenosis":
            found.append(findings.stenosis(here, plant, *pinched[number]))
        else:
            found.append(findings.paint_fracture(here, plant, *crushed[number]))
    return tuple(found)


def _soft_tissue(here: findings.SpineScene) -> None:
    """Muscle behind with streaks of fat, fat under the skin, vessels and mixed tissue in front."""
    scene, column = here.scene, here.column
    x, y, z = scene.canvas.axes
    rng = column.draws("soft tissue")
    window = scene.canvas.whole
    middle, spread = column.along(2, z), column.along(3, z)
    streak = waves(rng, x, y / np.float32(0.5), z / np.float32(2.6), length=15.0, height=1.0)
    fat = np.clip(0.2 + 0.2 * streak, 0, 1)
    front = np.clip((y - middle - 34) / 6, 0, 1)
    clump = waves(rng, x, y, z, length=19.0, height=1.0)
    fat = fat * (1 - front) + front * np.clip(0.55 + 0.12 * clump, 0, 1)
    behind = middle - spread - np.float32(rng.uniform(40, 52))
    fat = np.maximum(fat, np.clip((behind - y) / 1.5, 0, 1))
    skin = behind - np.float32(rng.uniform(9, 24))
    air = np.clip((skin - y) / 1.2 + 0.5, 0, 1)
    shares = {"fat": fat * (1 - air), "muscle": (1 - fat) * (1 - air), "air": air + 0 * fat}
    scene.values = np.ascontiguousarray(scene.mixture(shares, here.table))
    rim = np.maximum(skin - y, y - skin - 2.0) + 0 * x
    scene.paint(window, rim.astype(np.float32), here.table["skin"])
    # Flowing blood has left the slice before it echoes.
    aorta = np.hypot(x - column.along(1, z) - 9, y - middle - spread - 52) - np.float32(8.5)
    low = np.float32(column.level("L4").centre[2])
    scene.paint(window, np.maximum(aorta, low - z).astype(np.float32), here.table["air"])


def _canal(here: findings.SpineScene, pinches: Sequence[tuple[float, float]]) -> None:
    """Epidural fat and ligament round the sac, the sac with its water, cord, and roots below the conus."""
    scene, column, table = here.scene, here.column, here.table
    x, y, z = scene.canvas.axes
    window = scene.canvas.whole
    sac = sac_distance(column, x, y, z, pinches)
    scene.paint(window, sac_distance(column, x, y, z) - np.float32(2.4), table["fat"])
    for height, _ in pinches:
        near = np.maximum(sac_distance(column, x, y, z) - np.float32(2.4), np.abs(z - np.float32(height)) - 8)
        scene.paint(window, near, table["ligament"])
    scene.paint(window, sac - np.float32(0.9), table["ligament"])
    scene.paint(window, sac, table["cerebrospinal fluid"], "thecal sac")
    rng = column.draws("roots")
    for _ in range(14):
        side, back = rng.uniform(-0.6, 0.6), rng.uniform(-0.75, 0.05)
        heights = np.linspace(column.conus + 12, column.conus - 130, 16)
        spread = np.clip((column.conus + 12 - heights) / 60, 0.15, 1)
        points = np.stack(
            [
                column.along(1, heights) + side * spread * column.along(4, heights),
                column.along(2, heights) + back * spread * column.along(3, heights),
                heights,
            ],
            axis=1,
        ).astype(float)
        _tube(scene, Capsules.along(points, 0.55), table["spinal cord"])
    scene.paint(window, np.maximum(cord_distance(column, x, y, z), sac), table["spinal cord"], "spinal cord")


def _disc(here: findings.SpineScene, disc: Disc) -> None:
    """Annulus with a nucleus that is as bright on T2 as it holds water."""
    scene, table = here.scene, here.table
    reach = np.array([disc.half_width + 3, disc.half_depth + 6, disc.height + disc.half_depth * 0.9])
    window = scene.canvas.window(np.array(disc.centre) - reach, np.array(disc.centre) + reach)
    if any(s.stop <= s.start for s in window):
        return
    x, y, z = scene.canvas.coordinates(window)
    distance = disc_distance(disc, x, y, z)
    annulus, wet = table["annulus"], table["nucleus"]
    scene.paint(window, distance - np.float32(0.7), table["ligament"])
    scene.paint(window, distance, annulus, disc.name)
    left, ahead, up = disc.local(x, y, z)
    radial = np.sqrt(
        (left / (0.72 * disc.half_width)) ** 2 + ((ahead + 1) / (0.66 * disc.half_depth)) ** 2
        + (up / (0.44 * disc.height + 0.6)) ** 2
    )  # fmt: skip
    core = np.clip(2.1 - 1.7 * radial, 0, 1) * scene.coverage(distance)
    dry = 1 - disc.water
    nucleus = Substance(
        wet.density + dry * (annulus.density - wet.density), wet.t1,
        wet.t2 * (annulus.t2 / wet.t2) ** dry, wet.adc,
    )  # fmt: skip
    scene.blend(window, core, scene.signals(nucleus).reshape(-1, 1, 1, 1))


def _vertebra(here: findings.SpineScene, level: Level, loss: float) -> None:
    """Body with a thin cortex on patchy marrow, basivertebral vein; arch and spinous process."""
    scene, table, name = here.scene, here.table, f"{level.name} vertebra"
    rng = here.column.draws(name)
    reach = np.array([level.half_width + 3, level.half_depth + 6, level.height])
    window = scene.canvas.window(np.array(level.centre) - reach, np.array(level.centre) + reach)
    if level.name != "C1":
        _arch(here, level, name)
    if any(s.stop <= s.start for s in window):
        return
    x, y, z = scene.canvas.coordinates(window)
    body = body_distance(level, x, y, z, loss=loss)
    if level.name == "S1":
        _sacrum(here, level)
    scene.paint(window, body, table["cortical bone"], name)
    wet = findings.marrow_value(rng, x, y, z)
    mixed = scene.mixture({"marrow": 1 - wet, "muscle": wet}, table)
    scene.blend(window, scene.coverage(body + np.float32(0.9)), mixed)
    if level.name == "C2":
        dens = Capsules.along(np.stack([level.point(0, 1, 4), level.point(0, 1, 24)]), np.array([5.0, 4.4]))
        _bone(here, dens, name)
    _, ahead, up = level.local(x, y, z)
    vein = np.maximum(np.hypot(up, x - np.float32(level.centre[0])) - 1.4, np.abs(ahead + 0.62 * level.half_depth) - 4)
    if level.name[0] in "TL":
        scene.paint(
            window, np.maximum(vein, body + 0.5).astype(np.float32), table["cerebrospinal fluid"].altered(t2=0.1)
        )


def _arch(here: findings.SpineScene, level: Level, name: str) -> None:
    """Pedicles, laminae and the spinous process as tubes of bone."""
    depth = 2 * float(here.column.along(3, level.centre[2]))
    side = 0.85 * float(here.column.along(4, level.centre[2])) + 5
    back = -level.half_depth - depth - 8
    thick = 0.13 * level.height + 1.2
    length = {"C": 16.0, "T": 30.0, "L": 27.0, "S": 12.0}[level.name[0]]
    fall = {"C": -6.0, "T": -20.0, "L": -5.0, "S": -8.0}[level.name[0]]
    for way in (-1, 1):
        line = [
            level.point(way * 0.7 * level.half_width, -0.6 * level.half_depth, 0.2 * level.height),
            level.point(way * side, -level.half_depth - 0.55 * depth, 0.12 * level.height),
            level.point(0, back, -0.15 * level.height),
        ]
        _bone(here, Capsules.along(np.stack(line), thick), name)
    tip = level.point(0, back - length, -0.15 * level.height + fall)
    ends = np.stack([level.point(0, back, -0.15 * level.height), tip])
    for lift in (-0.6, 0.6) if level.name[0] == "L" else (0.0,):
        _bone(here, Capsules.along(ends + np.array([0, 0, lift * thick]), thick), name)


def _sacrum(here: findings.SpineScene, level: Level) -> None:
    """What lies under S1: bone that curves backwards and thins."""
    points = [level.point(0, -a, -d) for a, d in ((2, 22), (9, 44), (12, 64), (4, 84))]
    _bone(here, Capsules.along(np.stack(points), np.array([11.5, 10, 8, 6])), "sacrum")


def _bone(here: findings.SpineScene, tubes: Capsules, name: str) -> None:
    scene = here.scene
    _tube(scene, tubes.thicker(0.6), here.table["cortical bone"])
    _tube(scene, tubes.thicker(-0.4), here.table["marrow"])
    _tube(scene, tubes, None, name)


def _tube(scene: MrScene, tubes: Capsules, substance: Substance | None, name: str | None = None) -> None:
    """Mix a substance into round cones (None: only mark them)."""
    found = touched(scene.canvas, tubes)
    if substance is not None:
        values = scene.values.reshape(len(scene.pulses), -1)
        share: Float = scene.coverage(found.distance) * np.clip(found.radius / (0.6 * scene.canvas.voxel), 0, 1)
        held = values[:, found.index]
        values[:, found.index] = held + share * (scene.signals(substance)[:, None] - held)
    if name is not None:
        scene.names.setdefault(name, len(scene.names) + 1)
        scene.labels.reshape(-1)[found.index[found.distance < 0]] = scene.names[name]


KIND = Kind("spine-mr", "MRI of the spine", "MR", findings.NAMES, findings.draw_plants, make, DENIALS, region="spine")

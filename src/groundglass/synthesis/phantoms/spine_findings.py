"""Findings of the spine: herniated discs, stenosis of the canal, crushed vertebrae, metastases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.canvas import Float
from groundglass.synthesis.phantoms.lesion_shapes import Ellipsoid, waves
from groundglass.synthesis.phantoms.mr_physics import Substance
from groundglass.synthesis.phantoms.mr_scene import MrScene
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.phantoms.spine_anatomy import BACK, Column, Disc, Level, body_distance, sac_distance

NAMES = ("disc herniation", "stenosis", "compression fracture", "metastasis")
DEPOSIT = Substance(0.82, 1250, 92, 0.9, uptake=0.3)
"""Tumour that has replaced the marrow's fat: dark on T1, bright on STIR."""
WET_MARROW = Substance(0.80, 1250, 105, 1.2)
HERNIATED = Substance(0.68, 1150, 52, 1.3)
_WIDTH = 1.35
_RISE = 0.62


@dataclass
class SpineScene:
    """What the painters need; `used`: levels that already carry a finding."""

    scene: MrScene
    column: Column
    table: Mapping[str, Substance]
    levels: tuple[Level, ...]
    discs: tuple[Disc, ...]
    used: set[str] = field(default_factory=set)

    def chosen(self, plant: Plant, where: tuple[Level, ...] | tuple[Disc, ...], fit: str) -> Level:
        """The level asked for, or one of those whose first letter is in `fit`. Raises NoRoomError."""
        free = [one for one in where if one.name not in self.used and one.name[0] in fit]
        if plant.place is not None:
            free = [one for one in free if one.name.split()[0] == plant.place.split()[0]]
        if not free:
            raise NoRoomError.of(plant, plant.place or "this field of view")
        found = free[int(plant.rng().integers(len(free)))]
        self.used.add(found.name)
        return found

    def index(self, point: np.ndarray) -> tuple[float, ...]:
        return tuple(float(v) for v in self.scene.target.index(point))


def draw_plants(rng: np.random.Generator) -> tuple[Plant, ...]:
    """About one and a half findings a person; nothing in one of six."""

    def key() -> int:
        return int(rng.integers(2**31))

    found: list[Plant] = []
    if rng.random() < 0.55:
        for _ in range(1 + int(rng.random() < 0.3)):
            size = float(rng.uniform(3.5, 8.5))
            side: Side | None = (None, "left", "right")[int(rng.integers(3))]  # type: ignore[assignment]
            found.append(Plant("disc herniation", side, size=size, key=key(), room=min(1.5 * size, 9.5)))
    if rng.random() < 0.25:
        found.append(Plant("stenosis", extent=float(rng.uniform(0.22, 0.6)), key=key()))
    if rng.random() < 0.25:
        found.append(Plant("compression fracture", extent=float(rng.uniform(0.2, 0.55)), key=key()))
    if rng.random() < 0.2:
        for _ in range(int(rng.integers(1, 3))):
            size = float(rng.uniform(9, 17))
            found.append(Plant("metastasis", size=size, key=key(), room=min(1.3 * size, 18)))
    return tuple(found)


def herniation_of(one: Disc, plant: Plant) -> tuple[Ellipsoid, float]:
    """The ellipsoid whose hinder half is the herniation, and its depth behind the disc's flat back in mm."""
    rng = plant.rng()
    depth = plant.size or 6.0
    offset = {"left": 1.0, "right": -1.0}.get(plant.side or "", 0.0) * float(rng.uniform(4.5, 7.5))
    centre = one.point(offset, -BACK * one.half_depth, 0.0)
    cosine, sine = np.cos(one.tilt), np.sin(one.tilt)
    turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    axes = (_WIDTH * depth, depth, max(_RISE * one.height, 0.6 * depth))
    return Ellipsoid((float(centre[0]), float(centre[1]), float(centre[2])), axes, turn), depth


def paint_herniation(here: SpineScene, plant: Plant) -> Placed:
    """Disc tissue behind the disc's flat back, in the canal: exactly half an ellipsoid."""
    one = here.chosen(plant, here.discs, "CL")
    assert isinstance(one, Disc)
    shape, depth = herniation_of(one, plant)
    sac = 2 * float(here.column.along(3, one.centre[2]))
    if depth > 0.8 * sac:
        raise NoRoomError.of(plant, one.name)
    window = shape.window(here.scene.canvas)
    x, y, z = here.scene.canvas.coordinates(window)
    _, ahead, _ = one.local(x, y, z)
    distance = np.maximum(shape.distance(x, y, z), ahead + np.float32(BACK * one.half_depth))
    contrasts = here.scene.paint(window, distance, HERNIATED, "herniation")
    seen, contrast = here.scene.best(contrasts)
    share = min(depth / (sac + 2), 1.0)
    grade = "small" if depth < 5 else "moderate" if depth < 7 else "large"
    return Placed(
        "disc herniation", here.scene.mask(window, distance < 0), one.name, plant.side,
        measures=(
            ("herniation depth", depth, "mm"), ("volume", shape.volume / 2, "mL"),
            ("spinal canal narrowing share", 100 * share, "%"),
        ),
        centre=here.index(one.point(0, -BACK * one.half_depth - depth / 2, 0)), contrast=contrast,
        image=f"spine {seen}",
    ).with_attributes(("severity", grade), ("change", plant.change))  # fmt: skip


def pinch_of(here: SpineScene, plant: Plant) -> tuple[Disc, tuple[float, float]]:
    """The level of a stenosis and (z, share of the sac's depth that is lost)."""
    one = here.chosen(plant, here.discs, "CL")
    assert isinstance(one, Disc)
    return one, (one.centre[2], plant.extent or 0.4)


def stenosis(here: SpineScene, plant: Plant, one: Disc, pinch: tuple[float, float]) -> Placed:
    """What is stated of a sac that was painted narrow: its least depth in the midline, and the sac there."""
    cx, _, cz = one.centre
    reach = np.array([18.0, 30.0, 7.0])
    middle = np.array([cx, float(here.column.along(2, cz)), cz])
    window = here.scene.canvas.window(middle - reach, middle + reach)
    x, y, z = here.scene.canvas.coordinates(window)
    distance = np.maximum(sac_distance(here.column, x, y, z, [pinch]), np.abs(z - np.float32(cz)) - np.float32(6.0))
    left = 2 * float(here.column.along(3, cz)) * (1 - pinch[1])
    # The sac's depth is square to it; a row of voxels crosses it along the patient's axis.
    left /= float(here.column.along(7, cz))
    grade = "mild" if pinch[1] < 0.33 else "moderate" if pinch[1] < 0.48 else "severe"
    return Placed(
        "spinal canal stenosis", here.scene.mask(window, distance < 0), one.name,
        measures=(("spinal canal diameter", left, "mm"), ("spinal canal narrowing share", 100 * pinch[1], "%")),
        centre=here.index(middle),
    ).with_attributes(("severity", grade), ("change", plant.change))  # fmt: skip


def crushed_body(here: SpineScene, plant: Plant) -> tuple[Level, float]:
    """A vertebra from T4 down, and the share of its height that the front loses."""
    fit = tuple(v for v in here.levels if v.name[0] in "TL" and v.name not in ("T1", "T2", "T3"))
    return here.chosen(plant, fit, "TL"), plant.extent or 0.35


def paint_fracture(here: SpineScene, plant: Plant, one: Level, loss: float) -> Placed:
    """A wedge (H. K. Genant et al., J Bone Miner Res 1993; 8: 1137); a fresh one has wet marrow under its roof."""
    window = _around(here, one)
    x, y, z = here.scene.canvas.coordinates(window)
    body = body_distance(one, x, y, z, loss=loss)
    rng = plant.rng()
    fresh = rng.random() < 0.6
    contrast, seen = None, None
    if fresh:
        _, _, up = one.local(x, y, z)
        border = waves(rng, x, y, z, length=12.0, height=1.5)
        wet = np.maximum(body + 1.2, -up - np.float32(0.22 * one.height) + border)
        name, contrast = here.scene.best(here.scene.paint(window, wet, WET_MARROW, "marrow oedema"))
        seen = f"spine {name}"
    grade = "mild" if loss < 0.25 else "moderate" if loss < 0.40 else "severe"
    return Placed(
        "vertebral compression fracture", here.scene.mask(window, body < 0), f"{one.name} vertebra",
        measures=(("vertebral height loss", 100 * loss, "%"),), centre=here.index(np.array(one.centre)),
        contrast=contrast, image=seen,
    ).with_attributes(
        ("severity", grade), ("acuity", "acute" if fresh else "chronic"), ("change", plant.change)
    )  # fmt: skip


def paint_metastasis(here: SpineScene, plant: Plant) -> Placed:
    """An ellipsoid in a vertebral body that is large enough for it."""
    size = plant.size or 12.0
    fit = tuple(v for v in here.levels if 0.92 * v.height > plant.space and v.name[0] in "CTL" and v.name != "C1")
    one = here.chosen(plant, fit, "CTL")
    rng = plant.rng()
    room = np.maximum(np.array([one.half_width, one.half_depth, one.height / 2]) * 0.85 - plant.space / 2, 0)
    centre = one.point(*(float(v) for v in rng.uniform(-0.8, 0.8, 3) * room))
    shape = Ellipsoid.random(rng, centre, size, roundness=0.75)
    window = shape.window(here.scene.canvas)
    distance = shape.distance(*here.scene.canvas.coordinates(window))
    seen, contrast = here.scene.best(here.scene.paint(window, distance, DEPOSIT, "metastasis"))
    long_axis, short_axis = shape.axial
    return Placed(
        "bone metastasis", here.scene.mask(window, distance < 0), f"{one.name} vertebra",
        measures=(("long axis", long_axis, "mm"), ("short axis", short_axis, "mm"), ("volume", shape.volume, "mL")),
        centre=here.index(centre), contrast=contrast, image=f"spine {seen}",
    ).with_attributes(("change", plant.change))  # fmt: skip


def _around(here: SpineScene, one: Level) -> tuple[slice, slice, slice]:
    reach = np.array([one.half_width + 4, one.half_depth + one.height, one.height + 4])
    return here.scene.canvas.window(np.array(one.centre) - reach, np.array(one.centre) + reach)


def marrow_value(rng: np.random.Generator, x: Float, y: Float, z: Float) -> Float:
    """Share of wet marrow, patchy as in adults, around 0.15."""
    return np.clip(0.15 + 0.10 * waves(rng, x, y, z, length=9.0, height=1.0), 0, 0.5).astype(np.float32)

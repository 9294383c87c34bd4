"""Colour fundus photograph: disc, fovea, arteries and veins of known width and tortuosity, lesions of diabetes.

Vessels grow from the disc as four arcades that branch by Murray's law; blood absorbs green light by Beer and Lambert,
so that a vessel is as dark as it is thick. Units are um on the retina; the disc is 1800 um wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image, Mask
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.flat import Float, Sheet, ellipse, shot_noise
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant

NAMES = ("microaneurysm", "retinal hemorrhage", "hard exudate", "drusen")
_SIZE = {"microaneurysm": (50, 110), "retinal hemorrhage": (150, 600), "hard exudate": (80, 350), "drusen": (60, 220)}
DISC = 900.0
FIELD = 6500.0
"""Radius in um of the lit field, about 45 degrees."""
DENIALS = (("microaneurysm", None), ("retinal hemorrhage", None), ("hard exudate", None), ("drusen", None))


@dataclass(frozen=True)
class Vessel:
    """Centreline (n, 2) as (y, x) in um from the field's centre, width in um; "artery" or "vein"."""

    name: str
    points: NDArray[np.float64]
    width: float

    @property
    def tortuosity(self) -> float:
        """Arc over chord."""
        steps = np.linalg.norm(np.diff(self.points, axis=0), axis=1).sum()
        return float(steps / np.linalg.norm(self.points[-1] - self.points[0]))


def draw(rng: np.random.Generator) -> tuple[Plant, ...]:
    """A healthy eye in two of five; else a number of lesions that grows with the grade of retinopathy."""
    grade = int(rng.choice([0, 1, 2, 3], p=[0.4, 0.25, 0.2, 0.15]))
    counts = {"microaneurysm": (0, 4, 9, 16)[grade], "retinal hemorrhage": (0, 0, 5, 10)[grade],
              "hard exudate": (0, 0, 8, 14)[grade], "drusen": 12 if rng.random() < 0.15 else 0}  # fmt: skip
    return tuple(
        Plant(name, size=float(rng.uniform(*_SIZE[name])), key=int(rng.integers(2**31)))
        for name, count in counts.items()
        for _ in range(int(rng.integers(1, count + 1)) if count else 0)
    )


def make(
    case: Case, plants: Sequence[Plant], *, size: int = 384, tortuosity: float | None = None, electrons: float = 12000
) -> Drawn:
    """`size` pixels over a field of 13 mm; `tortuosity` 0 (straight) to 1 (wound), else drawn. The size of a plant is
    its diameter in um; measurements are in mm."""
    check_plants(plants, NAMES, kind="retina")
    sheet = Sheet(size, 2.06 * FIELD / size)
    rng, scan = case.patient("anatomy"), case.scan("scan")
    side: Side = "left" if rng.random() < 0.5 else "right"
    sign = 1.0 if side == "right" else -1.0
    middle = (size - 1) / 2
    disc = np.array([rng.normal(0, 150), sign * 3700.0])
    fovea = np.array([disc[0] + 300 + rng.normal(0, 100), disc[1] - sign * 4300.0])
    wound = tortuosity if tortuosity is not None else float(rng.uniform(0.1, 0.8))
    vessels = _arcades(disc, sign, wound, rng)
    y = ((np.arange(size) - middle) * sheet.pixel).astype(np.float32)[:, None]
    x = ((np.arange(size) - middle) * sheet.pixel).astype(np.float32)[None, :]
    lit = np.hypot(y, x)
    reflect = _ground(y, x, disc, fovea, rng)
    depth, masks = _vessel_depth(sheet, vessels, middle)
    reflect *= np.exp(-np.array([0.8, 5.5, 7.0], dtype=np.float32)[:, None, None] * depth / 200.0)
    placed = [_lesion(sheet, reflect, plant, disc, fovea, middle) for plant in plants]
    light = reflect * (1 - 0.45 * (lit / FIELD) ** 2) * np.clip((FIELD - lit) / sheet.pixel + 0.5, 0, 1)
    picture = np.stack([_blur(channel, 9.0 / sheet.pixel) for channel in light])
    rgb = np.rint(shot_noise(scan, picture, electrons) * 255).astype(np.uint8)
    image = Image.of(
        rgb,
        sheet.affine,
        name="fundus photograph",
        modality="OP",
        channels=3,
        spacing_known=False,
        orientation_known=False,
        acquisition=Acquisition(
            "EYE",
            laterality="L" if side == "left" else "R",
            description="simulated",
            facts={"PixelSizeMicrometres": sheet.pixel},
        ),
    )
    structures = {name: Mask.of(mask, sheet.affine) for name, mask in masks.items()}
    structures["optic disc"] = Mask.of(np.hypot((y - disc[0]) * 0.95, x - disc[1]) < DISC, sheet.affine)
    structures["field of view"] = Mask.of(lit < FIELD, sheet.affine)
    facts: dict[str, float | str] = {
        "pixel um": sheet.pixel, "side": side, "tortuosity": float(np.mean([v.tortuosity for v in vessels])),
        "mean width um": _mean_width(vessels), "fovea row": float(fovea[0] / sheet.pixel + middle),
        "fovea column": float(fovea[1] / sheet.pixel + middle),
    }  # fmt: skip
    return Drawn((image,), tuple(placed), structures, facts, f"Colour fundus photograph of the {side} eye.")


def _mean_width(vessels: Sequence[Vessel]) -> float:
    """Over all centrelines, by length, um."""
    lengths = np.array([np.linalg.norm(np.diff(v.points, axis=0), axis=1).sum() for v in vessels])
    return float((lengths * [v.width for v in vessels]).sum() / lengths.sum())


def _arcades(disc: NDArray[np.float64], sign: float, wound: float, rng: np.random.Generator) -> list[Vessel]:
    found: list[Vessel] = []
    for name, width in (("artery", 115.0), ("vein", 155.0)):
        for up in (-1, 1):
            bend = rng.uniform(0.7, 1.0)
            start = np.arctan2(up * 1.0, -sign * 0.55) + rng.normal(0, 0.1)
            _grow(found, name, disc, start, -up * sign * bend * 1.5e-4, width * rng.uniform(0.9, 1.1), wound, rng, 0)
            nasal = np.arctan2(up * 0.6, sign * 1.0) + rng.normal(0, 0.15)
            _grow(found, name, disc, nasal, 0.0, width * 0.65 * rng.uniform(0.9, 1.1), wound, rng, 2)
    return found


def _grow(
    found: list[Vessel], name: str, start: NDArray[np.float64], angle: float, bend: float, width: float, wound: float,
    rng: np.random.Generator, level: int,
) -> None:  # fmt: skip
    """A segment of 1 to 2 mm, then two branches with w^3 = w1^3 + w2^3."""
    if width < 32 or level > 6:
        return
    steps = int(rng.integers(25, 45))
    phase, wave = rng.uniform(0, 6), rng.uniform(700, 1200)
    points = [np.asarray(start, dtype=float)]
    for step in range(steps):
        sway = wound * 0.9 * np.sin(2 * np.pi * step * 50 / wave + phase)
        points.append(points[-1] + 50 * np.array([np.sin(angle + sway), np.cos(angle + sway)]))
        angle += 50 * bend
    found.append(Vessel(name, np.array(points), width))
    if np.hypot(*points[-1]) > 1.05 * FIELD:
        return
    share = rng.uniform(0.55, 0.85)
    for part, turn in ((share, -0.25), (1 - share, 0.75)):
        flip = 1 if rng.random() < 0.5 else -1
        _grow(
            found,
            name,
            points[-1],
            angle + flip * turn * rng.uniform(0.7, 1.3),
            bend * part,
            width * part ** (1 / 3),
            wound,
            rng,
            level + 1,
        )


def _vessel_depth(sheet: Sheet, vessels: Sequence[Vessel], middle: float) -> tuple[Float, dict[str, NDArray[np.bool_]]]:
    """Thickness in um of blood along the line of sight, and masks of arteries, veins and all vessels."""
    depth = np.zeros((sheet.size, sheet.size), dtype=np.float32)
    masks = {name: np.zeros(depth.shape, dtype=bool) for name in ("retinal artery", "retinal vein")}
    for vessel in vessels:
        points = vessel.points / sheet.pixel + middle
        for one, two in zip(points[:-1:2], points[2::2], strict=False):
            centre = (one + two) / 2
            window, dy, dx = sheet.around(centre[0], centre[1], vessel.width + 80)
            if dy.size == 0 or dx.size == 0:
                continue
            way = (two - one) * sheet.pixel
            along = np.clip((dy * way[0] + dx * way[1]) / (way @ way), -0.5, 0.5)
            apart = np.hypot(dy - along * way[0], dx - along * way[1]).astype(np.float32)
            chord = 2 * np.sqrt(np.clip((vessel.width / 2) ** 2 - apart**2, 0, None))
            soft = sheet.coverage(apart - np.float32(vessel.width / 2)) * np.float32(vessel.width * 0.5)
            tone = 0.72 if vessel.name == "artery" else 1.0
            depth[window] = np.maximum(depth[window], tone * np.maximum(chord, soft))
            masks[f"retinal {vessel.name}"][window] |= apart < vessel.width / 2
    masks["retinal vessel"] = masks["retinal artery"] | masks["retinal vein"]
    return depth, masks


def _ground(
    y: Float, x: Float, disc: NDArray[np.float64], fovea: NDArray[np.float64], rng: np.random.Generator
) -> Float:
    """Reflectance in red, green and blue without vessels: pigment, macula, disc with its cup."""
    tint = np.array([0.78, 0.40, 0.18]) * rng.uniform(0.85, 1.1, 3)
    mottled = 1 + 0.05 * np.sin(x / 900 + rng.uniform(0, 6)) * np.cos(y / 1100 + rng.uniform(0, 6))
    macula = np.exp(-(((y - fovea[0]) ** 2 + (x - fovea[1]) ** 2) / (2 * 900.0**2)))
    ground = tint[:, None, None] * (mottled - 0.35 * macula)
    rim = np.clip(0.5 - (np.hypot((y - disc[0]) * 0.95, x - disc[1]) - DISC) / 60, 0, 1)
    cup = np.clip(0.5 - (np.hypot(y - disc[0], x - disc[1]) - DISC * rng.uniform(0.3, 0.5)) / 90, 0, 1)
    pale = np.array([0.98, 0.78, 0.52])[:, None, None] + 0.06 * cup
    return (ground + rim * (pale - ground)).astype(np.float32)


def _lesion(
    sheet: Sheet, reflect: Float, plant: Plant, disc: NDArray[np.float64], fovea: NDArray[np.float64], middle: float
) -> Placed:
    """Red lesions absorb like blood, bright ones scatter; none on the disc."""
    rng = plant.rng()
    radius = (plant.size or 120.0) / 2
    for _ in range(60):
        where = fovea * (0.5 if plant.name in ("hard exudate", "drusen") else 0.2) + rng.normal(0, 1900, 2)
        if np.hypot(*where) < 0.85 * FIELD and np.hypot(*(where - disc)) > DISC + 2 * radius + 100:
            break
    else:
        raise NoRoomError.of(plant, "the field")
    row, column = where / sheet.pixel + middle
    window, dy, dx = sheet.around(row, column, 1.6 * radius)
    angle = np.arctan2(dy, dx)
    rough = 0.0 if plant.name == "microaneurysm" else 0.12
    wobble = rough * (np.cos(3 * angle + rng.uniform(0, 6)) + 0.6 * np.cos(5 * angle + rng.uniform(0, 6)))
    distance = ellipse(
        dy, dx, (radius, radius * float(rng.uniform(0.7, 1.0))), float(rng.uniform(0, np.pi)), wobble.astype(np.float32)
    )
    share = sheet.coverage(distance)
    held = reflect[(slice(None), *window)]
    before = held[1].copy()
    if plant.name in ("microaneurysm", "retinal hemorrhage"):
        held *= np.exp(-np.array([0.5, 1.1, 1.0], dtype=np.float32)[:, None, None] * share)
    else:
        bright = np.array([0.95, 0.82, 0.42] if plant.name == "hard exudate" else [0.86, 0.60, 0.30], dtype=np.float32)
        held += share * (bright[:, None, None] - held)
    inside = distance < 0
    contrast = float(np.abs(held[1] - before)[inside].mean() / 0.012) if inside.any() else 0.0
    return Placed(
        plant.name, sheet.mask(window, inside), centre=(float(row), float(column)), contrast=contrast,
        measures=(("long axis", 2e-3 * radius, "mm"),),
    )  # fmt: skip


def _blur(channel: Float, sigma: float) -> Float:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(channel, sigma), dtype=np.float32)


KIND = Kind("retina", "fundus photograph", "OP", NAMES, draw, make, DENIALS, has_report=False)

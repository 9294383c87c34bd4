"""One patient's trunk from the neck to the pelvis: the thorax of the radiograph phantoms, a spine with levels and
variants, and the sizes of what lies under the diaphragm. CT, PET and radiographs of one seed show the same anatomy.

Variants of the spine (VerSe, arXiv 2001.09193: about one patient in ten): a thirteenth thoracic or a sixth lumbar
vertebra, or a missing twelfth rib pair with eleven thoracic vertebrae.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.canvas import Canvas
from groundglass.synthesis.phantoms.capsules import Points
from groundglass.synthesis.thorax.anatomy import Thorax, random_thorax

Variant = Literal["usual", "T13", "L6", "no T12"]
VARIANTS: tuple[Variant, ...] = ("usual", "T13", "L6", "no T12")
_VARIANT_SHARES = (0.9, 0.04, 0.04, 0.02)


@dataclass(frozen=True)
class Vertebra:
    """`name` is its level (T9, L6, ...); `centre` of the body in mm, its `height`, half width and half depth in mm;
    `tilt` (radians, positive: the front looks down)."""

    name: str
    centre: tuple[float, float, float]
    height: float
    half_width: float
    half_depth: float
    tilt: float


@dataclass(frozen=True)
class Torso:
    """`thorax` in the axes of `synthesis.thorax`; lengths in mm, x to the left, y anterior, z cranial.

    `scale` of the abdominal organs, `liver_tip` its lowest point, `fat` the thickness of fat under the skin as a
    share of the wall, `seed` of all later draws that belong to the anatomy (ribs, trees, bowel).
    """

    thorax: Thorax
    spine: tuple[Vertebra, ...]
    variant: Variant
    scale: float
    liver_tip: float
    liver_reach: float
    spleen_long: float
    kidney_drop: tuple[float, float]
    fat: float
    visceral: float
    seed: int

    def draws(self, purpose: str) -> np.random.Generator:
        """A generator that belongs to one part of the anatomy: the same at every grid and in every visit."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    def level(self, name: str) -> Vertebra:
        """The vertebra of a level that this patient has. Raises StopIteration for another."""
        return next(v for v in self.spine if v.name == name)

    @property
    def thoracic(self) -> tuple[Vertebra, ...]:
        return tuple(v for v in self.spine if v.name.startswith("T"))


def random_torso(rng: np.random.Generator, *, ratio: float | None = None, variant: Variant | None = None) -> Torso:
    """Draw a patient; `ratio` fixes the cardiothoracic ratio, `variant` the spine."""
    thorax = random_thorax(rng, ratio=ratio)
    chosen = variant or VARIANTS[int(rng.choice(len(VARIANTS), p=_VARIANT_SHARES))]
    spine = _spine(thorax, chosen, rng)
    scale = float(np.clip(thorax.width / 138, 0.85, 1.15) * rng.uniform(0.95, 1.05))
    return Torso(
        thorax=thorax,
        spine=spine,
        variant=chosen,
        scale=scale,
        liver_tip=rng.uniform(-122, -80) * scale,
        liver_reach=rng.uniform(30, 75) * scale,
        spleen_long=rng.uniform(42, 62) * scale,
        kidney_drop=(rng.uniform(0, 18), rng.uniform(-10, 8)),
        fat=rng.uniform(0.3, 0.75),
        visceral=rng.uniform(0.3, 1.0),
        seed=int(rng.integers(2**31)),
    )


def landmarks(torso: Torso, canvas: Canvas) -> dict[str, tuple[float, ...]]:
    """Centres of the vertebral bodies and the carina, as far as they lie in the field, in voxels."""
    points = {f"{v.name} vertebral body": v.centre for v in torso.spine}
    points["carina"] = torso.thorax.carina
    found = {name: canvas.index(np.array(point)) for name, point in points.items()}
    shape = np.array(canvas.shape)
    return {n: tuple(map(float, i)) for n, i in found.items() if (i >= 0).all() and (i <= shape - 1).all()}


def level_names(variant: Variant) -> tuple[str, ...]:
    """Levels from C4 down to the last lumbar one."""
    thoracic = {"T13": 13, "no T12": 11}.get(variant, 12)
    lumbar = 6 if variant == "L6" else 5
    return (
        *(f"C{n}" for n in range(4, 8)),
        *(f"T{n}" for n in range(1, thoracic + 1)),
        *(f"L{n}" for n in range(1, lumbar + 1)),
    )


def _spine(thorax: Thorax, variant: Variant, rng: np.random.Generator) -> tuple[Vertebra, ...]:
    """T1 lies at the first rib's head; heights grow from 0.7 of a rib's spacing in the neck to 1.35 in the loins.

    Kyphosis and lordosis bow the column by a few cm, as a sine over thorax and loins.
    """
    names = level_names(variant)
    first = names.index("T1")
    lordosis, kyphosis = rng.uniform(8, 22), rng.uniform(4, 12)
    steps = [thorax.rib_spacing * _pace(name) for name in names]
    heights = [thorax.rib_top - 4.0]
    for index in range(first + 1, len(names)):
        heights.append(heights[-1] - (steps[index - 1] + steps[index]) / 2)
    for index in range(first - 1, -1, -1):
        heights.insert(0, heights[0] + (steps[index] + steps[index + 1]) / 2)
    found = []
    back = -0.48 * thorax.depth
    for index, (name, z) in enumerate(zip(names, heights, strict=True)):
        x = float(thorax.scoliosis(np.array([np.clip(z / thorax.height, 0, 1)], dtype=np.float32))[0])
        y, slope = _bow(index - first, len(names) - first, kyphosis, lordosis)
        grown = np.interp(index, [0, first, len(names) - 1], [0.62, 0.82, 1.28])
        half = float(np.clip(thorax.vertebra_half_width, 14, 19) * grown)
        found.append(
            Vertebra(name, (x, back + y, float(z)), 0.78 * steps[index], half, 0.74 * half, float(np.arctan(slope)))
        )
    return tuple(found)


def _pace(name: str) -> float:
    number = int(name[1:])
    return {"C": 0.68, "T": 0.84 + 0.02 * number, "L": 1.2 + 0.03 * number}[name[0]]


def _bow(place: int, count: int, kyphosis: float, lordosis: float) -> tuple[float, float]:
    """Forward shift in mm and slope of the column at a level; `place` 0 is T1."""
    t = np.clip(place / (count - 1), -0.3, 1)
    thoracic = -kyphosis * np.sin(np.pi * np.clip(t / 0.62, -0.3, 1))
    lumbar = lordosis * np.sin(0.5 * np.pi * np.clip((t - 0.55) / 0.45, 0, 1))
    ahead = np.cos(np.pi * np.clip(t / 0.62, -0.3, 1)) * (t < 0.62)
    return float(thoracic + lumbar), float(0.25 * ahead - 0.3 * np.clip((t - 0.62) / 0.38, 0, 1))


def line(*points: tuple[float, float, float]) -> Points:
    """(n, 3) from points."""
    return np.array(points, dtype=float)


def between(points: Points, count: int) -> NDArray[np.float64]:
    """`count` points on a smooth curve through `points`."""
    from groundglass.synthesis.thorax.bones import smooth

    return smooth(points, count)

"""One person's spine from C1 to the sacrum: sizes by level, curves, variants, discs with their water, canal and conus.

Body heights, depths and disc heights by level follow published means of adults (M. M. Panjabi et al., Spine 1991; 16:
861 and 888; 1992; 17: 299), rounded; the dural sac and the cord J. Kameyama et al., Spine 1996; 21: 1285, and others.
Local axes of a level: `ahead` (to the front), `up` along the column; the column's way is the integral of its tilt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.synthesis.phantoms.canvas import Float

Variant = Literal["usual", "T13", "L6", "L4"]
VARIANTS: tuple[Variant, ...] = ("usual", "T13", "L6", "L4")
"""A thirteenth thoracic or sixth lumbar vertebra, or four lumbar ones."""
_SHARES = (0.88, 0.04, 0.05, 0.03)
# Place in the column (0 at C1, 24 at S1) -> tilt in degrees, positive where the column runs forwards on its way down.
_TILT = np.array([[0, 14], [1, 12], [6, -17], [7, -20], [13, -2], [18, 13], [19, 15], [21, 2], [23, -22], [24, -46]])
# Place -> height, half depth and half width of the body, disc below it; mm.
_SIZE = np.array(
    [
        [0, 9, 5, 8, 1.5], [1, 19, 8, 8.5, 4.5], [2, 13, 8, 8.5, 5], [6, 14, 8.5, 10, 5.5], [7, 16, 9, 12, 4.5],
        [13, 20, 13.5, 14, 4.5], [18, 25, 15.5, 18, 6.5], [19, 26, 16.5, 20, 8], [22, 27.5, 17.5, 23, 11],
        [23, 28, 17.5, 24.5, 10.5], [24, 29, 15.5, 24, 3],
    ]
)  # fmt: skip
# Place -> half depth and half width of the dural sac, of the cord; mm.
_CANAL = np.array(
    [[0, 8, 10, 4.2, 5.5], [2, 6.8, 9.5, 3.9, 6.3], [5, 6.6, 10, 3.8, 6.6], [9, 6.6, 7.6, 3.3, 4.1],
     [17, 7.2, 8.4, 3.6, 4.6], [19, 8.4, 10, 3.2, 3.9], [22, 7.8, 9.8, 2, 2], [24, 6.6, 8.6, 2, 2]]
)  # fmt: skip


@dataclass(frozen=True)
class Level:
    """One vertebra: `centre` of its body in mm (x left, y anterior, z cranial), `tilt` in radians, sizes in mm."""

    name: str
    centre: tuple[float, float, float]
    tilt: float
    height: float
    half_depth: float
    half_width: float

    def local(self, x: Float, y: Float, z: Float) -> tuple[Float, Float, Float]:
        """(left, ahead, up) from the centre, mm."""
        cx, cy, cz = self.centre
        cosine, sine = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        ahead, up = y - np.float32(cy), z - np.float32(cz)
        return x - np.float32(cx), ahead * cosine + up * sine, up * cosine - ahead * sine

    def point(self, left: float, ahead: float, up: float) -> NDArray[np.float64]:
        """mm of a point in local axes."""
        cosine, sine = np.cos(self.tilt), np.sin(self.tilt)
        return np.array(self.centre) + np.array([left, ahead * cosine - up * sine, ahead * sine + up * cosine])


@dataclass(frozen=True)
class Disc(Level):
    """`height` is that between the end plates; `water` from 0 (dry and dark) to 1."""

    water: float = 1.0


@dataclass(frozen=True)
class Column:
    """`levels` from C1 to S1, `discs` from C2-C3 down; `canal` rows (z, x, y, half depth, half width of the sac, half
    depth, half width of the cord, cosine of the tilt), z falling; the cord ends at z `conus`, beside level
    `conus_level`; `seed` of later draws."""

    levels: tuple[Level, ...]
    discs: tuple[Disc, ...]
    variant: Variant
    canal: NDArray[np.float64]
    conus: float
    conus_level: str
    seed: int

    def draws(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, *purpose.encode()])

    def level(self, name: str) -> Level:
        return next(v for v in (*self.levels, *self.discs) if v.name == name)

    def along(self, column: int, z: NDArray[np.floating] | float) -> Float:
        """A column of `canal` at heights z."""
        rows = self.canal[::-1]
        return np.asarray(np.interp(z, rows[:, 0], rows[:, column]), dtype=np.float32)


def level_names(variant: Variant) -> tuple[str, ...]:
    """Levels from C1 to S1."""
    thoracic, lumbar = 13 if variant == "T13" else 12, {"L6": 6, "L4": 4}.get(variant, 5)
    names = [f"{letter}{n + 1}" for letter, count in (("C", 7), ("T", thoracic), ("L", lumbar)) for n in range(count)]
    return (*names, "S1")


def random_column(rng: np.random.Generator, *, variant: Variant | None = None) -> Column:
    """A person. Raises ConfigurationError for a variant that there is not."""
    if variant is not None and variant not in VARIANTS:
        raise ConfigurationError(str(variant), "is not a variant of the spine", f"Use one of {', '.join(VARIANTS)}.")
    chosen = variant or VARIANTS[int(rng.choice(4, p=_SHARES))]
    names = level_names(chosen)
    size, bow, age = rng.uniform(0.92, 1.08), rng.uniform(0.6, 1.15), rng.uniform(0, 1)
    lean, sway = rng.uniform(-3, 3), rng.uniform(-5, 5)
    levels: list[Level] = []
    discs: list[Disc] = []
    way = np.zeros(3)
    for number, name in enumerate(names):
        place = 24 * number / (len(names) - 1)
        height, depth, width = (size * np.interp(place, _SIZE[:, 0], _SIZE[:, k]) for k in (1, 2, 3))
        tilt = np.deg2rad(lean + bow * np.interp(place, _TILT[:, 0], _TILT[:, 1]) + rng.normal(0, 0.7))
        if levels:
            last = levels[-1]
            between = (last.tilt + tilt) / 2
            # The last gap is that of the level above.
            water = float(np.clip(1.05 - 0.9 * age * rng.uniform(0.3, 1.3), 0.05, 1))
            thick = float(size * np.interp(place - 1, _SIZE[:, 0], _SIZE[:, 4]) * (0.72 + 0.28 * water))
            down = np.array([0, np.sin(between), -np.cos(between)])
            step = last.height / 2 * _down(last.tilt) + thick * down + height / 2 * _down(tilt)
            middle = way + last.height / 2 * _down(last.tilt) + thick / 2 * down
            if number > 1:
                discs.append(
                    Disc(
                        f"{last.name}-{name} disc", (float(middle[0]), float(middle[1]), float(middle[2])),
                        float(between), thick, (last.half_depth + depth) / 2, (last.half_width + width) / 2, water,
                    )
                )  # fmt: skip
            way = way + step
        way[0] = sway * np.sin(2 * np.pi * number / len(names))
        levels.append(
            Level(
                name,
                (float(way[0]), float(way[1]), float(way[2])),
                float(tilt),
                float(height),
                float(depth),
                float(width),
            )
        )
    # The front arch of the atlas lies before the dens.
    arch = levels[0].point(0, 8.0, 0)
    levels[0] = replace(levels[0], centre=(float(arch[0]), float(arch[1]), float(arch[2])), half_depth=4.0)
    end = names.index("L1") + int(rng.choice((-1, 0, 0, 1)))
    conus = float(levels[end].centre[2] + rng.uniform(-0.4, 0.4) * levels[end].height)
    return Column(
        tuple(levels), tuple(discs), chosen, _canal(levels, discs, size), conus, names[end], int(rng.integers(2**31))
    )


def _down(tilt: float) -> NDArray[np.float64]:
    return np.array([0, np.sin(tilt), -np.cos(tilt)])


def _canal(levels: list[Level], discs: list[Disc], size: float) -> NDArray[np.float64]:
    rows = []
    parts = [*levels, *discs]
    for one in parts:
        if one.name.startswith("C1"):
            one = Level(one.name, one.centre, one.tilt, one.height, one.half_depth + 12, one.half_width)
        place = 24 * np.interp(-one.centre[2], [-v.centre[2] for v in levels], np.linspace(0, 1, len(levels)))
        depth, width, cord, cord_width = (size * np.interp(place, _CANAL[:, 0], _CANAL[:, k]) for k in (1, 2, 3, 4))
        middle = one.point(0, -one.half_depth - depth - 2.0, 0)
        rows.append([middle[2], middle[0], middle[1], depth, width, cord, cord_width, np.cos(one.tilt)])
    top, last = levels[0], levels[-1]
    up = top.point(0, -top.half_depth - 22, 45)
    rows.append([up[2], up[0], up[1], 8.5, 10.5, 4.6, 5.6, 1.0])
    for below, shrink in ((28.0, 0.7), (46.0, 0.25)):
        spot = last.point(0, -last.half_depth - 7, -below)
        rows.append([spot[2], spot[0], spot[1], 7 * shrink, 8.6 * shrink, 2, 2, np.cos(last.tilt)])
    return np.array(sorted(rows, key=lambda r: -r[0]))


def body_distance(one: Level, x: Float, y: Float, z: Float, *, loss: float = 0.0) -> Float:
    """To the body: waisted walls, a flat back, end plates; `loss` of height in front, 0..1."""
    left, ahead, up = one.local(x, y, z)
    half = np.float32(one.height / 2)
    waist = 1 - 0.09 * np.clip(1 - (up / half) ** 2, 0, 1)
    radial = np.sqrt((left / one.half_width) ** 2 + (ahead / one.half_depth) ** 2) / waist
    walls = np.maximum(0.8 * (radial - 1) * one.half_depth, -ahead - 0.82 * one.half_depth)
    front = np.clip(0.5 + ahead / (2 * one.half_depth), 0, 1)
    roof = half * (1 - 2 * np.float32(loss) * front)
    # End plates are hollow by a millimetre in the middle.
    hollow = 1.2 * np.clip(1 - radial**2, 0, 1)
    return np.maximum(walls, np.maximum(up - roof + hollow, -up - half + hollow)).astype(np.float32)


BACK = 0.82
"""The flat back of body and disc lies this share of the half depth behind the centre."""


def disc_distance(one: Disc, x: Float, y: Float, z: Float) -> Float:
    """To the disc: a little wider than its bodies, flat behind, thick in the middle."""
    left, ahead, up = one.local(x, y, z)
    radial = np.sqrt((left / (one.half_width + 0.8)) ** 2 + (ahead / (one.half_depth + 0.8)) ** 2)
    walls = np.maximum(0.8 * (radial - 1) * one.half_depth, -ahead - BACK * one.half_depth)
    thick = one.height / 2 + 1.2 * np.clip(1 - radial**2, 0, 1)
    return np.maximum(walls, np.abs(up) - thick).astype(np.float32)


def sac_distance(column: Column, x: Float, y: Float, z: Float, narrowed: Sequence[tuple[float, float]] = ()) -> Float:
    """To the dural sac; `narrowed` places (z, share of its depth that is lost there, over some 7 mm)."""
    depth, width = column.along(3, z), column.along(4, z)
    shift: Float | float = 0.0
    for height, share in narrowed:
        pinch = (share * np.exp(-(((z - height) / 7.0) ** 2))).astype(np.float32)
        shift = shift + 0.3 * depth * pinch
        depth, width = depth * (1 - pinch), width * (1 - 0.6 * pinch)
    back = (y - column.along(2, z) + shift) * column.along(7, z)
    radial = np.sqrt(((x - column.along(1, z)) / width) ** 2 + (back / depth) ** 2)
    return ((radial - 1) * np.minimum(depth, width)).astype(np.float32)


def cord_distance(column: Column, x: Float, y: Float, z: Float) -> Float:
    """To the cord with the conus, which thins to a point over 25 mm."""
    taper = np.clip((z - np.float32(column.conus)) / 25, 0, 1) ** np.float32(0.6)
    depth, width = column.along(5, z) * taper + 1e-3, column.along(6, z) * taper + 1e-3
    back = (y - column.along(2, z) - 0.6) * column.along(7, z)
    radial = np.sqrt(((x - column.along(1, z)) / width) ** 2 + (back / depth) ** 2)
    return np.maximum((radial - 1) * np.minimum(depth, width), np.float32(column.conus) - z).astype(np.float32)

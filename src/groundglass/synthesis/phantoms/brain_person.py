"""One simulated person: the template bent by smooth fields, with ventricles and sulci of their own width, in a head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.phantoms.brain_maps import BrainMaps, Points
from groundglass.synthesis.phantoms.canvas import Float
from groundglass.synthesis.phantoms.lesion_shapes import waves

REACH_MM = 18.0
"""How far the walls of the ventricles push the tissue around them."""
SHARPNESS = 2.6
"""The template is a mean of 152 people: powers of its shares give the edges of one."""
SKULL_MM = 7.5


@dataclass(frozen=True)
class Person:
    """`scale` (3,) of the template; `seed` of the fields; `widening` of the ventricles in mm, `atrophy` 0 to 1;
    `scalp` thickness in mm. Coordinates: x left, y anterior, z cranial in mm, 0 at the anterior commissure."""

    maps: BrainMaps
    scale: tuple[float, float, float]
    seed: int
    widening: float
    atrophy: float
    scalp: float

    @classmethod
    def random(
        cls, rng: np.random.Generator, maps: BrainMaps, *, widening: float = 0.0, atrophy: float = 0.0
    ) -> Person:
        size = rng.uniform(0.95, 1.05)
        wide, long, high = (float(size * rng.uniform(0.97, 1.03)) for _ in range(3))
        own = float(rng.uniform(-0.8, 1.4))
        return cls(
            maps,
            (wide, long, high),
            int(rng.integers(2**31)),
            own + widening,
            atrophy,
            float(rng.uniform(4.5, 9)),  # type: ignore[arg-type]
        )

    def bent(self, x: Float, y: Float, z: Float) -> tuple[Float, Float, Float]:
        """MNI mm of points, before the ventricles widen: gentle bends of centimetres, finer ones of the gyri."""
        rng = np.random.default_rng([self.seed, 1])
        return tuple(
            (axis + waves(rng, x, y, z, length=36.0, height=1.3)).astype(np.float32) for axis in self.placed(x, y, z)
        )  # type: ignore[return-value]

    def placed(self, x: Float, y: Float, z: Float) -> tuple[Float, Float, Float]:
        """MNI mm of points by the gentle bends alone: the skull's."""
        rng = np.random.default_rng([self.seed, 4])
        return tuple(
            (axis / np.float32(size) + waves(rng, x, y, z, length=120.0, height=2.6)).astype(np.float32)
            for axis, size in zip((-x, y, z), self.scale, strict=True)
        )  # type: ignore[return-value]

    def located(self, x: Float, y: Float, z: Float) -> tuple[tuple[Float, Float, Float], Float]:
        """MNI mm of points, and their distance in mm to the lateral ventricles as wide as they are here.

        What lies d mm from the template's wall shows what lay w e^(-|d| / 18 mm) nearer to it (or further in).
        """
        where = self.bent(x, y, z)
        distance = self.maps.sample("ventricle", where)
        shift = np.float32(self.widening) * np.exp(-np.abs(distance) / np.float32(REACH_MM))
        slope = [
            self.maps.sample("ventricle", _moved(where, axis, 2.0))
            - self.maps.sample("ventricle", _moved(where, axis, -2.0))
            for axis in range(3)
        ]
        length = np.maximum(np.sqrt(sum(s * s for s in slope)), np.float32(0.4))
        moved = tuple(w - shift * s / length for w, s in zip(where, slope, strict=True))
        return moved, (distance - shift).astype(np.float32)  # type: ignore[return-value]

    def shares(self, x: Float, y: Float, z: Float) -> tuple[dict[str, Float], Float]:
        """Shares by substance (of one in all, brain, fluid and head), and the distance to the lateral ventricles."""
        where, ventricle = self.located(x, y, z)
        inside, fluid, grey, white = (self.maps.sample(n, where) for n in ("brain", "fluid", "grey", "white"))
        opened = np.clip(1.5 * self.atrophy * self.maps.sample("near fluid", where), 0, 1)
        kept = (1 - opened) * inside
        fluid = fluid + opened * (grey + white)
        grey, white = grey * kept, white * kept
        wet = np.clip(0.5 - ventricle, 0, 1)
        fluid = np.maximum(fluid, wet)
        parts = {"cerebrospinal fluid": fluid, "grey matter": grey * (1 - wet), "white matter": white * (1 - wet)}
        sharp = {name: np.maximum(part, 0) ** np.float32(SHARPNESS) for name, part in parts.items()}
        total = np.maximum(sum(sharp.values()), np.float32(1e-4))
        found = {name: part / total * inside for name, part in sharp.items()}
        deep = np.clip(1.3 * self.maps.sample("deep", where), 0, 1) * found["grey matter"]
        found["grey matter"] = found["grey matter"] - deep
        found["deep grey matter"] = deep
        outside = 1 - sum(found.values())
        for name, share in self._head(x, y, z).items():
            found[name] = found.get(name, np.float32(0)) + share * outside
        return found, ventricle

    def parenchyma(self, points: Points) -> Float:
        """(n,) share of brain tissue at points (n, 3) in mm."""
        found, _ = self.shares(*(points[:, k].astype(np.float32) for k in range(3)))
        return np.asarray(found["grey matter"] + found["white matter"] + found["deep grey matter"])

    def white(self, points: Points) -> Float:
        """(n,) share of white matter."""
        found, _ = self.shares(*(points[:, k].astype(np.float32) for k in range(3)))
        return found["white matter"]

    def enclosed(self, point: Points) -> float:
        """How far a point in mm lies inside the skull."""
        where = self.placed(*(np.float32(v).reshape(1) for v in point))
        return -float(self.maps.sample("depth", where)[0])

    def _head(self, x: Float, y: Float, z: Float) -> dict[str, Float]:
        """Layers round the brain by depth: fluid, inner table, diploe, outer table, fat, skin, air; eyes in front."""
        where = self.placed(x, y, z)
        depth = self.maps.sample("depth", where)
        depth = depth + waves(np.random.default_rng([self.seed, 2]), x, y, z, length=70.0, height=0.4)
        edges = np.cumsum([0.0, 1.8, 1.6, SKULL_MM - 3.4, 1.8, self.scalp - 2.0, 2.0])
        names = ("cerebrospinal fluid", "cortical bone", "diploe", "cortical bone", "fat", "skin")
        found: dict[str, Float] = {}
        for name, low, high in zip(names, edges[:-1], edges[1:], strict=True):
            start = -99.0 if low == 0 else low
            share = _step(depth - start) - _step(depth - high)
            found[name] = found.get(name, np.float32(0)) + share
        # Under the skull's base: muscles with fat between them, as far as the head is wide.
        low = _step(-30 - 0.25 * np.clip(where[1] - 20, -60, None) - where[2]) * _step(depth - 3.0)
        wide = _step(1.0 * (70 - 70 * np.sqrt((where[0] / 66) ** 2 + ((where[1] - 4) / 88) ** 2)))
        texture = waves(np.random.default_rng([self.seed, 3]), x, y, z, length=11.0, height=1.0)
        mixed = np.clip(0.8 + 0.14 * texture, 0, 1)
        face = low * wide
        found = {name: share * (1 - face) for name, share in found.items()}
        found["muscle"] = face * mixed
        found["fat"] = found["fat"] + face * (1 - mixed)
        for side in (-1, 1):
            reach = np.sqrt((where[0] - side * 33) ** 2 + (where[1] - 62) ** 2 + (where[2] + 36) ** 2)
            eye = _step(12 - reach)
            found = {name: share * (1 - eye) for name, share in found.items()}
            found["cerebrospinal fluid"] = found["cerebrospinal fluid"] + eye
        found["air"] = np.clip(1 - sum(found.values()), 0, 1).astype(np.float32)
        return found

    def point_at(self, target: Points) -> Points:
        """The point in mm of this head that lies at a point of MNI mm, to 0.1 mm."""
        point = np.asarray(target, dtype=float) * [-1, 1, 1] * self.scale
        for _ in range(12):
            here = [np.float32(v).reshape(1) for v in point]
            where, _ = self.located(*here)
            gap = np.array([float(w[0]) for w in where]) - target
            if np.abs(gap).max() < 0.1:
                break
            point = point - 0.8 * gap * [-1, 1, 1]
        return point

    @cached_property
    def ventricle_ml(self) -> float:
        """Volume of the lateral ventricles in mL, on a grid of 1.5 mm that belongs to no image."""
        axes = [np.arange(a, b, 1.5, dtype=np.float32) for a, b in ((-55, 55), (-85, 65), (-40, 65))]
        x, y, z = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
        _, distance = self.located(x, y, z)
        return float(np.clip(0.5 - distance / 1.5, 0, 1).sum() * 1.5**3 / 1000)


def _moved(where: tuple[Float, Float, Float], axis: int, by: float) -> tuple[Float, Float, Float]:
    return tuple(w + np.float32(by) if k == axis else w for k, w in enumerate(where))  # type: ignore[return-value]


def _step(value: NDArray[np.floating]) -> Float:
    """0 to 1 over one mm."""
    return np.asarray(np.clip(value + 0.5, 0, 1), dtype=np.float32)

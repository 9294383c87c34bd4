"""A schematic abdomen of ellipsoids and tubes as CT, with lesions whose size, place and type are known exactly.

A simulation: organs are the right size and neighbours, not the right shape. It is for measuring chains whose truth
must be known (system 57), not for training what ships.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter

from groundglass.core import Image, Mask

_HU = {
    "liver": 105.0, "spleen": 120.0, "left kidney": 150.0, "right kidney": 150.0, "pancreas": 95.0, "aorta": 160.0,
    "superior mesenteric artery": 160.0, "superior mesenteric vein": 150.0, "inferior vena cava": 140.0,
}  # fmt: skip
_ELLIPSOIDS = {
    "liver": ((85, 15, 25), (60, 60, 55)),
    "spleen": ((-98, -20, 45), (26, 36, 38)),
    "right kidney": ((62, -55, -20), (24, 21, 44)),
    "left kidney": ((-62, -55, -10), (24, 21, 44)),
}
_TUBES = {
    "aorta": (((-10, -48, -95), (-10, -48, 95)), 10.0),
    "inferior vena cava": (((18, -48, -95), (18, -48, 95)), 10.0),
    "superior mesenteric artery": (((-6, -30, 15), (-4, -20, -5), (-3, -16, -80)), 4.0),
    "superior mesenteric vein": (((12, -12, 5), (11, -14, -80)), 5.5),
}
_PANCREAS = ((20, 2, -25), (12, 8, -5), (-12, 6, 5), (-45, -5, 18), (-70, -18, 30))
LESION_ORGANS = {
    "liver": "liver lesion",
    "left kidney": "left kidney lesion",
    "right kidney": "right kidney lesion",
    "pancreas": "pancreas lesion",
}
SMALL_MM = 20.0


@dataclass(frozen=True)
class TrueLesion:
    """An ellipsoid in an organ: semi-axes in mm (in-plane long, in-plane short, along z), centre in RAS+ mm."""

    organ: str
    semi_axes: tuple[float, float, float]
    centre: tuple[float, float, float]
    mask: Mask

    @property
    def long_axis(self) -> float:
        """mm; the longest axial diameter."""
        return 2 * self.semi_axes[0]


@dataclass(frozen=True)
class AbdomenPhantom:
    """The CT, the masks of its structures by name (segments included), and its lesions."""

    image: Image
    masks: dict[str, Mask]
    lesions: tuple[TrueLesion, ...]

    def lesions_of(self, organ: str) -> tuple[TrueLesion, ...]:
        return tuple(lesion for lesion in self.lesions if lesion.organ == organ)


def abdomen_phantom(
    rng: np.random.Generator, *, spacing: float = 2.0, prevalence: float = 0.4, noise: float = 18.0
) -> AbdomenPhantom:
    """One abdomen of 340 x 240 x 190 mm. Each organ of `LESION_ORGANS` has lesions with probability `prevalence`.

    `noise`: standard deviation in HU at 2 mm; it falls with the voxel's volume, as quantum noise does.
    """
    shape = tuple(int(n / spacing) for n in (340, 240, 190))
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * spacing for n in shape]
    grid = Grid(tuple((np.arange(n) - (n - 1) / 2) * spacing for n in shape))
    hu = np.full(shape, -1000.0, dtype=np.float32)
    hu[_inside(grid, (0, 0, 0), (165, 115, 500))] = -100
    hu[_inside(grid, (0, 0, 0), (150, 100, 500)) & ~_inside(grid, (0, 0, 0), (138, 88, 500))] = 55
    hu[_inside(grid, (0, -75, 0), (22, 18, 500))] = 250
    taken = np.zeros(shape, dtype=bool)
    arrays: dict[str, NDArray[np.bool_]] = {}
    shift = rng.uniform(-4, 4, 3)
    for name, (points, radius) in _TUBES.items():
        arrays[name] = _tube(grid.moved(shift), points, radius) & ~taken
        taken |= arrays[name]
    for name, (centre, axes) in _ELLIPSOIDS.items():
        middle = np.array(centre) + shift + rng.uniform(-3, 3, 3)
        arrays[name] = _inside(grid, middle, np.array(axes) * rng.uniform(0.93, 1.07)) & ~taken
        taken |= arrays[name]
        if name == "liver":
            segments = _segments(grid.moved(middle), arrays[name])
    arrays["pancreas"] = _tube(grid.moved(shift), _PANCREAS, 13.0) & ~taken
    for name, inside in arrays.items():
        hu[inside] = _HU[name] + rng.normal(0, 6)
    lesions = _lesions(rng, grid, arrays, hu, affine, prevalence)
    hu = gaussian_filter(hu, 0.5 * 2.0 / spacing) + _grain(rng, shape, noise * (2.0 / spacing) ** 1.5)
    masks = {name: Mask.of(inside, affine) for name, inside in {**arrays, **segments}.items()}
    image = Image.of(np.round(hu).astype(np.int16), affine, modality="CT", name="abdomen phantom")
    return AbdomenPhantom(image, masks, tuple(lesions))


def _grain(rng: np.random.Generator, shape: tuple[int, ...], sd: float) -> NDArray[np.float32]:
    """Noise with a little correlation between neighbours, as reconstruction leaves it."""
    raw = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), 0.6)
    return raw * np.float32(sd / raw.std())


def _lesions(
    rng: np.random.Generator,
    grid: Grid,
    arrays: dict[str, NDArray[np.bool_]],
    hu: NDArray[np.float32],
    affine: NDArray[np.float64],
    prevalence: float,
) -> list[TrueLesion]:
    """Draw lesions into `hu`. Half of the diseased organs have small lesions (under 2 cm) only."""
    found: list[TrueLesion] = []
    free = np.ones(hu.shape, dtype=bool)
    for organ in LESION_ORGANS:
        if rng.random() >= prevalence:
            continue
        small = rng.random() < 0.5
        depth = _depth(arrays[organ], float(affine[0, 0]))
        for _ in range(int(rng.integers(1, 4)) if organ == "liver" else 1):
            long = float(rng.uniform(3.5, 9.5) if small else rng.uniform(10.5, min(26.0, depth.max() * 1.1)))
            axes = (long, long * float(rng.uniform(0.65, 1.0)), long * float(rng.uniform(0.7, 1.0)))
            places = np.argwhere((depth >= 0.9 * min(long, depth.max())) & free)
            if not len(places):
                continue
            centre = grid.point(places[int(rng.integers(len(places)))])
            inside = _inside(grid, centre, np.array(axes), turn=float(rng.uniform(0, np.pi)))
            if not inside.any() or (inside & ~free).any():
                continue
            hu[inside] -= rng.uniform(28, 60)
            free &= ~_inside(grid, centre, np.full(3, 2 * long + 10.0))
            found.append(TrueLesion(organ, axes, tuple(float(c) for c in centre), Mask.of(inside, affine)))
    return found


def _depth(inside: NDArray[np.bool_], spacing: float) -> NDArray[np.float64]:
    """mm to the surface, inside the organ's box (0 elsewhere)."""
    box = find_objects(inside.astype(np.uint8))[0]
    depth = np.zeros(inside.shape)
    depth[box] = distance_transform_edt(np.pad(inside[box], 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    return depth


@dataclass(frozen=True)
class Grid:
    """Coordinates in mm along each axis."""

    axes: tuple[NDArray[np.float64], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis) for axis in self.axes)

    def moved(self, shift: NDArray[np.float64]) -> Grid:
        """Coordinates relative to `shift`."""
        return Grid(tuple(axis - float(s) for axis, s in zip(self.axes, shift, strict=True)))

    def point(self, index: NDArray[np.int64]) -> NDArray[np.float64]:
        """mm of a voxel."""
        return np.array([axis[i] for axis, i in zip(self.axes, index, strict=True)])

    def within(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[tuple[slice, ...], NDArray[np.float64]]:
        """(window, (3, ...) coordinates in it) of the voxels between two corners."""
        ends = [np.searchsorted(axis, (a, b)) for axis, a, b in zip(self.axes, low, high, strict=True)]
        window = tuple(slice(int(a), int(b)) for a, b in ends)
        held = [axis[w] for axis, w in zip(self.axes, window, strict=True)]
        return window, np.stack(np.meshgrid(*held, indexing="ij"))


def _inside(grid: Grid, centre: object, axes: object, *, turn: float = 0.0) -> NDArray[np.bool_]:
    """An ellipsoid, its in-plane axes turned by `turn` about z."""
    middle, semi = np.asarray(centre, dtype=float), np.asarray(axes, dtype=float)
    reach = np.where([True, True, False], semi[:2].max(), semi[2]) if turn else semi
    window, (x, y, z) = grid.within(middle - reach - 1e-6, middle + reach + 1e-6)
    x, y, z = x - middle[0], y - middle[1], z - middle[2]
    cosine, sine = np.cos(turn), np.sin(turn)
    inside = np.zeros(grid.shape, dtype=bool)
    along, across = cosine * x + sine * y, cosine * y - sine * x
    inside[window] = (along / semi[0]) ** 2 + (across / semi[1]) ** 2 + (z / semi[2]) ** 2 <= 1
    return inside


def _tube(grid: Grid, points: tuple[tuple[float, ...], ...], radius: float) -> NDArray[np.bool_]:
    """All within `radius` of a polyline."""
    inside = np.zeros(grid.shape, dtype=bool)
    for one, two in itertools.pairwise(points):
        start, along = np.array(one, dtype=float), np.subtract(two, one).astype(float)
        ends = np.array([one, two], dtype=float)
        window, places = grid.within(ends.min(axis=0) - radius, ends.max(axis=0) + radius)
        local = np.moveaxis(places, 0, -1) - start
        place = np.clip((local @ along) / (along @ along), 0, 1)
        inside[window] |= ((local - place[..., None] * along) ** 2).sum(axis=-1) <= radius**2
    return inside


def _segments(local: Grid, liver: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Couinaud's segments as sectors of the ellipsoid: planes stand for the hepatic and portal veins."""
    x, y, z = np.meshgrid(*local.axes, indexing="ij", sparse=True)
    caudate = _inside(local, (-25, -25, 5), (16, 16, 20))
    upper = z > 0
    rules = {
        2: (x < -25) & upper, 3: (x < -25) & ~upper, 4: (x >= -25) & (x < 0),
        5: (x >= 0) & (y >= 0) & ~upper, 8: (x >= 0) & (y >= 0) & upper,
        6: (x >= 0) & (y < 0) & ~upper, 7: (x >= 0) & (y < 0) & upper,
    }  # fmt: skip
    parts = {f"liver segment {n}": liver & rule & ~caudate for n, rule in sorted(rules.items())}
    return {"liver segment 1": liver & caudate, **parts}

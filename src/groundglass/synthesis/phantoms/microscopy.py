"""A field of blood cells under the microscope: red cells, white cells and platelets with their boxes and numbers.

Bright field: light falls by Beer and Lambert through stained cells (a Giemsa-like stain: haemoglobin, violet nuclei,
pale plasma), is spread by the objective (Gaussian of 0.21 wavelength / aperture) and counted by a camera. Sizes in um
of blood films: red cells 7.2 (6.2 to 8.2) with a pale centre, white cells 10 to 16, platelets 1.5 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, Image
from groundglass.synthesis.phantoms.flat import Float, Sheet, ellipse, shot_noise
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant

NAMES = ("red blood cell", "white blood cell", "platelet")
# Optical density per unit of stain in red, green and blue light.
_HAEMOGLOBIN = np.array([0.07, 0.29, 0.25], dtype=np.float32)
_AZURE = np.array([0.62, 0.95, 0.28], dtype=np.float32)
_PLASMA = np.array([0.20, 0.30, 0.12], dtype=np.float32)
_DIAMETER = {"red blood cell": (6.2, 8.2), "white blood cell": (10.0, 15.5), "platelet": (1.6, 3.2)}


def draw(rng: np.random.Generator) -> tuple[Plant, ...]:
    """Up to a hundred red cells, none to three white ones, some platelets; one field in ten is nearly empty."""
    sparse = rng.random() < 0.1
    counts = (
        int(rng.integers(0, 4) if sparse else rng.integers(20, 90)),
        int(rng.choice([0, 1, 2, 3], p=[0.3, 0.4, 0.2, 0.1])),
        int(rng.integers(0, 9)),
    )
    return tuple(
        Plant(name, size=float(rng.uniform(*_DIAMETER[name])), key=int(rng.integers(2**31)))
        for name, count in zip(NAMES, counts, strict=True)
        for _ in range(count)
    )


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    size: int = 256,
    pixel: float = 0.25,
    aperture: float = 0.9,
    electrons: float = 30000,
) -> Drawn:
    """`size` pixels of `pixel` um; `aperture` of the objective, `electrons` at full scale. The size of a plant is its
    diameter in um (kept in mm in its measurement). Cells may touch and overlap a little, as in a film."""
    check_plants(plants, NAMES, kind="microscopy")
    sheet = Sheet(size, pixel)
    scan = case.scan("scan")
    density = np.zeros((3, size, size), dtype=np.float32)
    taken: list[tuple[float, float, float]] = []
    placed: dict[int, Placed] = {}
    # Large cells first: they find room, small ones fill the gaps.
    for number in sorted(range(len(plants)), key=lambda n: -(plants[n].size or 0)):
        placed[number] = _cell(sheet, density, plants[number], taken)
    light = _lamp(sheet, scan) * np.exp(-density * np.log(10).astype(np.float32))
    sigma = 0.21 * np.array([0.61, 0.54, 0.47]) / aperture / pixel
    picture = np.stack([_blur(channel, s) for channel, s in zip(light, sigma, strict=True)])
    rgb = np.rint(shot_noise(scan, picture, electrons) * 255).astype(np.uint8)
    image = Image.of(
        rgb, sheet.affine, name="blood film", modality="GM", channels=3, spacing_known=False, orientation_known=False,
        acquisition=Acquisition(description="simulated", facts={"PixelSizeMicrometres": pixel}),
    )  # fmt: skip
    facts: dict[str, float | str] = {"pixel um": pixel, "aperture": aperture}
    for name in NAMES:
        facts[f"number of {name}s"] = sum(p.name == name for p in plants)
    return Drawn((image,), tuple(placed[n] for n in range(len(plants))), {}, facts, "Stained blood film.")


def _cell(sheet: Sheet, density: Float, plant: Plant, taken: list[tuple[float, float, float]]) -> Placed:
    rng = plant.rng()
    radius = (plant.size or 7.0) / 2
    row, column = _place(sheet, plant, rng, radius, taken)
    window, dy, dx = sheet.around(row, column, 1.35 * radius)
    turn = float(rng.uniform(0, np.pi))
    axes = (radius, radius * float(rng.uniform(0.86, 1.0)))
    angle = np.arctan2(dy, dx)
    wobble = sum(
        a * np.cos(k * angle + p)
        for k, a, p in zip((2, 3, 5), rng.normal(0, 0.018, 3), rng.uniform(0, 6, 3), strict=True)
    )
    distance = ellipse(dy, dx, axes, turn, np.asarray(wobble, dtype=np.float32))
    share = sheet.coverage(distance)
    before = density[(slice(None), *window)].sum(axis=0)
    density[(slice(None), *window)] += _stain(plant.name, rng, share, distance, radius, dy, dx, sheet)
    inside = distance < 0
    mask = sheet.mask(window, inside)
    # Density over the camera's noise in density, about 0.01 of full scale.
    change = density[(slice(None), *window)].sum(axis=0) - before
    contrast = float(change[inside].mean() / 0.03) if inside.any() else 0.0
    return Placed(
        plant.name, mask, measures=(("long axis", 2e-3 * radius, "mm"),), centre=(row, column), contrast=contrast
    )


def _stain(
    name: str,
    rng: np.random.Generator,
    share: Float,
    distance: Float,
    radius: float,
    dy: Float,
    dx: Float,
    sheet: Sheet,
) -> Float:
    if name == "red blood cell":
        # A biconcave disc: thinnest in the middle.
        depth = np.clip(-distance / np.float32(radius), 0, 1)
        thick = share * (1 - rng.uniform(0.35, 0.75) * depth**1.5)
        return _HAEMOGLOBIN[:, None, None] * thick * np.float32(rng.uniform(0.75, 1.1))
    if name == "platelet":
        return _AZURE[:, None, None] * share * np.float32(rng.uniform(0.3, 0.55))
    grain = rng.normal(0, 0.08, share.shape).astype(np.float32)
    body = _PLASMA[:, None, None] * share * (1 + grain)
    for _ in range(int(rng.integers(1, 5))):
        # The lobes of the nucleus.
        shift, way = radius * rng.uniform(0, 0.42), rng.uniform(0, 2 * np.pi)
        lobe = ellipse(
            dy - np.float32(shift * np.sin(way)), dx - np.float32(shift * np.cos(way)),
            (radius * rng.uniform(0.4, 0.55), radius * rng.uniform(0.32, 0.45)), float(rng.uniform(0, np.pi)),
        )  # fmt: skip
        body = np.maximum(
            body, _AZURE[:, None, None] * sheet.coverage(lobe) * share * np.float32(rng.uniform(0.5, 0.75))
        )
    return body.astype(np.float32)


def _place(
    sheet: Sheet, plant: Plant, rng: np.random.Generator, radius: float, taken: list[tuple[float, float, float]]
) -> tuple[float, float]:
    """A centre in pixels; overlaps by at most an eighth of the diameters."""
    margin = radius / sheet.pixel + 1
    if 2 * margin >= sheet.size:
        raise NoRoomError.of(plant, "this field of view")
    tries = rng.uniform(margin, sheet.size - 1 - margin, (120, 2))
    others = np.array(taken, dtype=float).reshape(-1, 3)
    gaps = np.linalg.norm(tries[:, None] - others[None, :, :2], axis=-1)
    free = np.flatnonzero((gaps > 0.88 * (radius + others[:, 2]) / sheet.pixel).all(axis=1))
    if free.size:
        row, column = (float(v) for v in tries[free[0]])
        taken.append((row, column, radius))
        return row, column
    raise NoRoomError.of(plant, "this field of view")


def _lamp(sheet: Sheet, rng: np.random.Generator) -> Float:
    """Bright field, a little warm, falling off towards one side."""
    axis = np.linspace(-1, 1, sheet.size, dtype=np.float32)
    slope = rng.normal(0, 0.04, 2)
    field = 0.9 + slope[0] * axis[:, None] + slope[1] * axis[None, :] - 0.04 * (axis[:, None] ** 2 + axis[None, :] ** 2)
    tint = np.array([0.99, 0.96, 0.93]) * rng.uniform(0.95, 1.02, 3)
    return (tint[:, None, None] * field).astype(np.float32)


def _blur(channel: Float, sigma: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(channel, sigma), dtype=np.float32)


KIND = Kind("microscopy", "stained blood film", "GM", NAMES, draw, make, has_report=False)

"""B-mode ultrasound of a breast: fully developed speckle from scatterers, a cyst or a solid mass with its shadow.

Point scatterers of random strength are convolved with the pulse: a Gaussian-windowed cosine along the beam, a Gaussian
across it (linear and shift-invariant: J. A. Jensen, Med Biol Eng Comput 1996; 34: 351, in its simplest form). The
picture is the log-compressed envelope; its speckle has the Rayleigh law's signal to noise ratio of 1.91. Attenuation in
dB per cm and MHz is compensated for tissue, so that a cyst is bright behind and a hard mass throws a shadow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Acquisition, ConfigurationError, Image
from groundglass.synthesis.phantoms.flat import Float, Sheet, ellipse
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant

NAMES = ("cyst", "mass")
SPEED = 1.54
"""mm per us in soft tissue."""
TISSUE_ATTENUATION = 0.5
DENIALS = (("cyst", None), ("mass", None))


def draw(rng: np.random.Generator) -> tuple[Plant, ...]:
    """Nothing, one or two lesions of 6 to 22 mm."""
    count = int(rng.choice([0, 1, 2], p=[0.25, 0.55, 0.2]))
    return tuple(
        Plant(NAMES[int(rng.random() < 0.5)], size=float(rng.uniform(6, 22)), key=int(rng.integers(2**31)), room=24.0)
        for _ in range(count)
    )


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    size: int = 384,
    width: float = 45.0,
    frequency: float = 9.0,
    dynamic: float = 55.0,
) -> Drawn:
    """`size` pixels a side over `width` mm; centre `frequency` in MHz, `dynamic` range shown in dB."""
    check_plants(plants, NAMES, kind="ultrasound")
    if not 1 <= frequency <= 30 or not 20 <= dynamic <= 120:
        raise ConfigurationError(f"{frequency} MHz, {dynamic} dB", "is no scanner", "Use 1 to 30 MHz, 20 to 120 dB.")
    sheet = Sheet(size, width / size)
    scan = case.scan("scan")
    echo, loss = _layers(sheet, case.patient("anatomy"))
    taken: list[tuple[float, float, float]] = []
    lesions = [_lesion(sheet, plant, taken) for plant in plants]
    for (distance, _, _), plant in zip(lesions, plants, strict=True):
        share = sheet.coverage(distance)
        cyst = plant.name == "cyst"
        echo *= 1 - share * (1 - (0.004 if cyst else float(plant.rng().uniform(0.12, 0.3))))
        loss += share * ((0.02 if cyst else 1.3) - loss)
    # Two-way loss beyond what the time gain compensates, in dB, accumulated along the beam (rows).
    depth = np.cumsum((loss - TISSUE_ATTENUATION) * np.float32(sheet.pixel / 10), axis=0)
    gain = 10 ** (-2 * frequency * depth / 20)
    envelope = speckle(scan, echo.astype(np.float32), sheet.pixel, frequency) * gain
    reference = float(np.quantile(envelope, 0.995))
    noise = 10 ** (-58 / 20) * reference
    envelope = np.hypot(
        envelope + noise * scan.standard_normal(envelope.shape), noise * scan.standard_normal(envelope.shape)
    )
    shown = np.clip(1 + 20 * np.log10(np.maximum(envelope, 1e-9) / reference) / dynamic, 0, 1)
    image = Image.of(
        np.rint(shown * 255).astype(np.uint8),
        sheet.affine,
        name="breast ultrasound",
        modality="US",
        orientation_known=False,
        acquisition=Acquisition("BREAST", description="simulated", facts={"TransducerFrequency": frequency}),
    )
    placed = tuple(
        _placed(sheet, plant, lesion, shown.astype(np.float32)) for plant, lesion in zip(plants, lesions, strict=True)
    )
    return Drawn(
        (image,), placed, {}, {"frequency": frequency, "pixel": sheet.pixel}, "Targeted ultrasound of the breast."
    )


def speckle(rng: np.random.Generator, echo: Float, pixel: float, frequency: float) -> Float:
    """Envelope of the echoes of scatterers, many to a resolution cell, with local strength `echo` (rows: depth)."""
    from scipy.fft import fft2, ifft2

    # Many scatterers of random phase in every pixel: their sum is circular Gaussian.
    parts = rng.standard_normal((2, *echo.shape), dtype=np.float32)
    wave = echo * (parts[0] + 1j * parts[1])
    wavelength = SPEED / frequency
    # -6 dB pulse of 2 wavelengths, beam of 2.5 wavelengths; the analytic signal carries the phase.
    axial, lateral = 0.425 * 2.0 * wavelength, 0.425 * 2.5 * wavelength
    up = np.fft.fftfreq(echo.shape[0], pixel)[:, None]
    across = np.fft.fftfreq(echo.shape[1], pixel)[None, :]
    # Around base band: two-way carrier removed, so that pixels need not resolve the wave.
    transfer = np.exp(-2 * np.pi**2 * ((axial / 2 * up) ** 2 + (lateral / np.sqrt(2) * across) ** 2)).astype(np.float32)
    return np.abs(ifft2(fft2(wave) * transfer)).astype(np.float32)


def _layers(sheet: Sheet, rng: np.random.Generator) -> tuple[Float, NDArray[np.float32]]:
    """Skin, fat, glandular tissue and muscle: echo strength, and attenuation in dB per cm and MHz."""
    rows = (np.arange(sheet.size, dtype=np.float32) * sheet.pixel)[:, None]
    columns = (np.arange(sheet.size, dtype=np.float32) * sheet.pixel)[None, :]

    def border(depth: float) -> Float:
        wave = sum(
            rng.uniform(0.2, 0.9) * np.sin(2 * np.pi * columns / rng.uniform(14, 45) + rng.uniform(0, 6))
            for _ in range(3)
        )
        return np.asarray(depth + wave, dtype=np.float32)

    skin, fat, gland = 1.8, border(rng.uniform(6, 11)), border(rng.uniform(26, 34))
    echo = np.where(rows < skin, 1.6, np.where(rows < fat, 0.35, np.where(rows < gland, 0.9, 0.3)))
    # Connective strands in the fat, ducts and streaks in the gland.
    for _ in range(9):
        level, tilt = rng.uniform(2, 42), rng.uniform(-0.25, 0.25)
        strand = np.exp(-(((rows - level - tilt * (columns - 22)) / 0.35) ** 2)) * np.exp(
            -(((columns - rng.uniform(0, 45)) / 9) ** 2)
        )
        echo = echo + rng.uniform(0.3, 1.2) * strand
    loss = np.full((sheet.size, sheet.size), TISSUE_ATTENUATION, dtype=np.float32)
    return echo.astype(np.float32), loss


def _lesion(
    sheet: Sheet, plant: Plant, taken: list[tuple[float, float, float]]
) -> tuple[Float, tuple[float, float], tuple[float, float]]:
    """(distance on the sheet, semi-axes in mm, centre in pixels)."""
    rng = plant.rng()
    long = (plant.size or 12.0) / 2
    space = max(plant.space, 2 * long) / 2
    extent = sheet.size * sheet.pixel
    axes = (long, long * float(rng.uniform(0.6, 0.85)))
    wavy = rng.normal(0, 0.05, 4), rng.uniform(0, 6, 4)
    for _ in range(80):
        row, column = rng.uniform(9 + 0.5 * space, 30, 1)[0], rng.uniform(space, max(extent - space, space + 0.1), 1)[0]
        if all(np.hypot(row - r, column - c) > q + space for r, c, q in taken):
            break
    else:
        raise NoRoomError.of(plant, "this field of view")
    taken.append((float(row), float(column), space))
    y = (np.arange(sheet.size, dtype=np.float32) * sheet.pixel - np.float32(row))[:, None]
    x = (np.arange(sheet.size, dtype=np.float32) * sheet.pixel - np.float32(column))[None, :]
    wobble: Float | float = 0.0
    if plant.name == "mass":
        angle = np.arctan2(y, x)
        wobble = np.asarray(
            sum(a * np.cos(k * angle + p) for k, a, p in zip((3, 5, 7, 9), *wavy, strict=True)), dtype=np.float32
        )
    tilt = float(rng.uniform(-0.3, 0.3))
    return ellipse(y, x, axes, tilt, wobble), axes, (float(row / sheet.pixel), float(column / sheet.pixel))


def _placed(
    sheet: Sheet, plant: Plant, lesion: tuple[Float, tuple[float, float], tuple[float, float]], shown: Float
) -> Placed:
    """Contrast to noise as sonographers use it: difference of means over the root of the two variances."""
    distance, axes, centre = lesion
    inside, ring = distance < -0.3, (distance > 0.5) & (distance < 3.0)
    one, two = shown[inside], shown[ring]
    contrast = (
        abs(float(one.mean() - two.mean())) / float(np.sqrt(one.var() + two.var())) if one.size and two.size else 0.0
    )
    window = (slice(0, sheet.size), slice(0, sheet.size))
    return Placed(
        plant.name, sheet.mask(window, distance < 0), "breast", None, centre=centre,
        # Speckle makes every pixel uncertain; a lesion is seen by its thousands of pixels, so the ratio counts cells.
        contrast=contrast * np.sqrt(max(one.size * sheet.pixel**2 / 0.15, 1.0)),
        measures=(("long axis", 2 * axes[0], "mm"), ("short axis", 2 * axes[1], "mm")),
    ).with_attributes(("change", plant.change))  # fmt: skip


KIND = Kind("ultrasound", "ultrasound of the breast", "US", NAMES, draw, make, DENIALS, region="breast")

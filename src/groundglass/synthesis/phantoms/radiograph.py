"""Chest radiograph of a simulated patient, by the cone-beam thorax of `synthesis.thorax` with quantum noise.

Its findings are those of an upright exposure. One seed shows the same patient in every visit, at another position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from groundglass.core import Acquisition, ConfigurationError, Image, Mask
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant
from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, expose, random_beam, random_thorax
from groundglass.synthesis.thorax.opacities import ZONES
from groundglass.synthesis.thorax.radiograph import WATER, develop

NAMES = ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly")
_ZONE_TERMS = {zone: f"{zone} zone of lung" for zone in ZONES}
_TERMS = {
    "nodule": "pulmonary nodule", "consolidation": "consolidation", "effusion": "pleural effusion",
    "pneumothorax": "pneumothorax", "cardiomegaly": "cardiomegaly",
}  # fmt: skip
DENIALS = (
    ("pleural effusion", None), ("pneumothorax", None), ("consolidation", None), ("cardiomegaly", None),
    ("pulmonary nodule", None), ("pulmonary edema", None), ("rib fracture", None), ("hiatal hernia", None),
)  # fmt: skip


def draw(rng: np.random.Generator) -> tuple[Plant, ...]:
    """Independent draws; one finding of a kind and side at most."""
    found = []

    def key() -> int:
        return int(rng.integers(2**31))

    for side in ("left", "right"):
        if rng.random() < 0.18:
            found.append(Plant("nodule", side, size=float(rng.uniform(9, 30)), key=key(), room=32.0))
        if rng.random() < 0.18:
            found.append(Plant("consolidation", side, extent=float(rng.uniform(0.14, 0.36)), key=key()))
        if rng.random() < 0.2:
            found.append(Plant("effusion", side, extent=float(rng.uniform(0.12, 0.4)), key=key()))
        elif rng.random() < 0.1:
            found.append(Plant("pneumothorax", side, extent=float(rng.uniform(0.08, 0.3)), key=key()))
    if rng.random() < 0.3:
        found.append(Plant("cardiomegaly", key=key()))
    return tuple(found)


def make(
    case: Case, plants: Sequence[Plant], *, size: int = 384, view: str | None = None, photons: float | None = None
) -> Drawn:
    """One exposure: `size` pixels a side, `view` PA, AP or LATERAL (else PA or AP), `photons` detected per pixel
    behind no patient (else 1e5 to 6e5 per mm2). Raises ConfigurationError."""
    check_plants(plants, NAMES, kind="radiograph")
    if not 32 <= size <= 4096 or view not in (None, "PA", "AP", "LATERAL"):
        raise ConfigurationError(f"size {size}, view {view}", "cannot be exposed", "Use 32 to 4096; PA, AP or LATERAL.")
    rng = case.patient("anatomy")
    large = any(p.name == "cardiomegaly" for p in plants)
    thorax = random_thorax(rng, ratio=float(rng.uniform(0.56, 0.68) if large else rng.uniform(0.38, 0.47)))
    scan = case.scan("scan")
    thorax = replace(
        thorax, yaw=float(np.radians(scan.normal(0, 3))), pitch=float(np.radians(scan.normal(0, 3))),
        arm_angle=float(scan.uniform(-0.1, 0.6)),
    )  # fmt: skip
    beam = random_beam(thorax, scan, view=view or str(scan.choice(["PA", "AP"])), size=size)
    asked = tuple(_asked(plant, thorax.height) for plant in plants)
    # Ribs, vessels and patches belong to the patient: their draws do not change with the visit.
    film = expose(thorax, beam, case.patient("details"), asked)
    dose = photons if photons is not None else float(scan.uniform(1e5, 6e5)) * film.pixel_mm**2
    sd = np.exp(film.absorption / 2) / np.sqrt(dose)
    noisy = film.absorption + (sd * scan.standard_normal(film.absorption.shape)).astype(np.float32)
    picture = develop(noisy.astype(np.float32), scan)
    affine = _affine(film)
    image = Image.of(
        np.rint(picture * 4095).astype(np.uint16), affine, name="chest radiograph", modality="DX",
        acquisition=Acquisition("CHEST", view=film.view, description="simulated"),
    )  # fmt: skip
    placed = tuple(_placed(film, plant, one, sd, affine) for plant, one in zip(plants, asked, strict=True))
    facts: dict[str, float | str] = {
        "view": film.view, "pixel": film.pixel_mm, "photons": dose,
        **{k: round(float(v), 4) for k, v in film.truth.items() if isinstance(v, float)},
    }  # fmt: skip
    structures = {name: Mask.of(mask, affine) for name, mask in film.masks.items() if not name.endswith(NAMES)}
    return Drawn((image,), placed, structures, facts, f"{film.view} view of the chest.")


def _asked(plant: Plant, height: float) -> PlantedFinding:
    side = plant.side or ("left" if plant.rng().random() < 0.5 else "right")
    place = plant.place
    if place is not None and place not in ZONES:
        raise ConfigurationError(place, "is not a lung zone", f"Use one of {', '.join(ZONES)}.")
    zone = place or ZONES[int(plant.rng().integers(3))]
    extent = (plant.size or 15.0) / height if plant.name == "nodule" else (plant.extent or 0.25)
    return PlantedFinding(plant.name, None if plant.name == "cardiomegaly" else side, zone, extent)


def _affine(film: PhantomRadiograph) -> np.ndarray:  # type: ignore[type-arg]
    """Rows run caudally, columns to the patient's left, at the detector; the beam is the third axis."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = -film.pixel_mm, -film.pixel_mm, 1.0, 1.0
    return affine


def _placed(
    film: PhantomRadiograph,
    plant: Plant,
    asked: PlantedFinding,
    sd: np.ndarray,
    affine: np.ndarray,  # type: ignore[type-arg]
) -> Placed:
    """Mask, measures and contrast: attenuation added over quantum noise, mean in the mask."""
    if plant.name == "cardiomegaly":
        ratio = float(film.truth["cardiothoracic ratio"])
        grade = "mild" if ratio < 0.58 else "moderate" if ratio < 0.63 else "severe"
        return Placed(
            "cardiomegaly",
            Mask.of(film.masks["heart"], affine),
            "heart",
            measures=(("cardiothoracic ratio", ratio, "1"),),
        ).with_attributes(("severity", grade), ("change", plant.change))
    name = f"{asked.side} {plant.name}"
    if name not in film.masks or not film.masks[name].any():
        raise NoRoomError.of(plant, f"the {asked.side} lung in the field")
    mask = film.masks[name]
    contrast = float((np.abs(film.added[name][mask]).mean() * WATER) / sd[mask].mean())
    side: Side = "left" if asked.side == "left" else "right"
    zoned = plant.name in ("nodule", "consolidation")
    rows, columns = np.nonzero(mask)
    measures: tuple[tuple[str, float, str], ...] = ()
    if plant.name == "nodule":
        across = 2 * np.sqrt(mask.sum() / np.pi) * film.pixel_mm
        measures = (("long axis", float(across), "mm"),)
    size_grade = None if plant.name == "nodule" else _grade(plant)
    return Placed(
        _TERMS[plant.name], Mask.of(mask, affine), _ZONE_TERMS[str(asked.zone)] if zoned else "pleura", side,
        measures=measures, centre=(float(rows.mean()), float(columns.mean())), contrast=contrast,
    ).with_attributes(("severity", size_grade), ("change", plant.change))  # fmt: skip


def _grade(plant: Plant) -> str:
    low, high = {"pneumothorax": (0.12, 0.2)}.get(plant.name, (0.2, 0.3))
    extent = plant.extent or 0.25
    return "small" if extent < low else "moderate" if extent < high else "large"


KIND = Kind("radiograph", "chest radiograph", "DX", NAMES, draw, make, DENIALS)

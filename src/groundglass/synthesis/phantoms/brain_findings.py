"""Findings of the brain: infarcts by age, haemorrhages by age, tumours with oedema, white-matter lesions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.brain_maps import PLACES, TERRITORIES, Points, lobe_of
from groundglass.synthesis.phantoms.brain_person import Person
from groundglass.synthesis.phantoms.canvas import Float, Window
from groundglass.synthesis.phantoms.lesion_shapes import Ellipsoid, waves
from groundglass.synthesis.phantoms.mr_physics import Substance
from groundglass.synthesis.phantoms.mr_scene import MrScene
from groundglass.synthesis.phantoms.planted import NoRoomError, Placed, Plant

NAMES = ("stroke", "haemorrhage", "tumour", "white matter lesion", "hydrocephalus", "atrophy")
STROKE_AGES: Mapping[str, Mapping[str, float]] = {
    "hyperacute": {"adc": 0.55},
    "acute": {"adc": 0.5, "t2": 1.35, "t1": 1.2},
    "subacute": {"adc": 0.75, "t2": 1.6, "t1": 1.25},
    "chronic": {"adc": 2.0, "t2": 2.2, "t1": 1.9},
}
"""Factors on the tissue's own parameters: diffusion falls within minutes, T2 rises after hours (H. Luby et al., Stroke
2011; 42: 1255 and others); the chronic one shines through on DWI by its T2."""
BLOOD_AGES: Mapping[str, Substance] = {
    "hyperacute": Substance(0.90, 1500, 130, 0.7),
    "acute": Substance(0.85, 1300, 28, 0.6),
    "early subacute": Substance(0.85, 420, 30, 0.7),
    "late subacute": Substance(0.95, 380, 160, 1.0),
    "chronic": Substance(0.70, 1500, 20, 0.9),
}
"""Oxyhaemoglobin, deoxyhaemoglobin, methaemoglobin in and out of cells, haemosiderin (W. G. Bradley, Radiology 1993;
189: 15)."""
RIM = Substance(0.70, 1200, 15, 0.8)
OEDEMA = Substance(0.85, 1450, 165, 1.4)
NECROSIS = Substance(0.95, 2500, 350, 2.2)
PLAQUE = Substance(0.85, 1450, 160, 1.25)
ENHANCING = Substance(0.85, 1450, 118, 1.0, uptake=0.5)
LOW_GRADE = Substance(0.86, 1650, 170, 1.4)
_COARSE_MM = 1.0


@dataclass
class BrainScene:
    """What the painters need; `taken`: spheres (centre, radius in mm) of earlier lesions."""

    scene: MrScene
    person: Person
    table: Mapping[str, Substance]
    shares: Mapping[str, Float]
    taken: list[tuple[Points, float]] = field(default_factory=list)


def draw_plants(rng: np.random.Generator) -> tuple[Plant, ...]:
    """Mostly one disease a person; one in six is healthy."""

    def key() -> int:
        return int(rng.integers(2**31))

    found: list[Plant] = []
    disease = str(rng.choice(("none", *NAMES), p=(0.14, 0.26, 0.14, 0.16, 0.16, 0.07, 0.07)))
    if disease == "stroke":
        for _ in range(1 + int(rng.random() < 0.2)):
            size = float(np.exp(rng.uniform(np.log(12), np.log(62))))
            found.append(Plant("stroke", size=size, key=key(), room=min(1.3 * size, 66)))
    elif disease in ("haemorrhage", "tumour"):
        size = float(rng.uniform(14, 48))
        found.append(Plant(disease, size=size, key=key(), room=min(1.3 * size, 52)))
    elif disease in ("hydrocephalus", "atrophy"):
        found.append(Plant(disease, extent=float(rng.uniform(0.3, 0.95)), key=key()))
    if disease == "white matter lesion" or (disease == "stroke" and rng.random() < 0.3):
        for _ in range(int(rng.integers(1, 5))):
            size = float(rng.uniform(6, 13))
            found.append(Plant("white matter lesion", size=size, key=key(), room=min(1.4 * size, 14)))
    return tuple(found)


def paint_stroke(here: BrainScene, plant: Plant) -> Placed:
    """The brain tissue of a wavy ellipsoid in an arterial territory, with the ADC and T2 of its age."""
    rng = plant.rng()
    size = plant.size or 25.0
    age = str(rng.choice(list(STROKE_AGES), p=(0.2, 0.4, 0.25, 0.15)))
    small = ("basal ganglia", "thalamus", "cerebellum")
    fit = [name for name in TERRITORIES if plant.space < (18 if name in small[:2] else 45) or name not in small]
    fit = fit if size < 34 else ["middle cerebral artery territory"]
    place, point, side, fluid = _site(here, plant, fit, TERRITORIES, rng, tissue=0.6)
    shape = Ellipsoid.random(rng, point, size, roundness=0.6)
    window = shape.window(here.scene.canvas, margin=5)
    seed = int(rng.integers(2**31))
    distance = _wavy(shape, seed, *here.scene.canvas.coordinates(window))
    shares = {name: share[window] for name, share in here.shares.items()}
    tissue = shares["grey matter"] + shares["white matter"] + shares["deep grey matter"]
    altered = {
        name: one.altered(**STROKE_AGES[age]) if name.endswith("matter") else one for name, one in here.table.items()
    }
    contrasts = here.scene.blend(window, here.scene.coverage(distance), here.scene.mixture(shares, altered))
    inside = (distance < 0) & (tissue > 0.5)
    here.scene.mark(window, inside, "infarct")
    volume = _volume(here.person, shape, seed)
    seen, contrast = here.scene.best(contrasts)
    grade = "small" if volume < 5 else "moderate" if volume < 25 else "large"
    return Placed(
        "cerebral infarction", here.scene.mask(window, inside), place, side,
        measures=(("volume", volume, "mL"),), centre=_index(here, point), contrast=contrast, image=f"brain {seen}",
    ).with_attributes(
        ("acuity", age), ("severity", grade), ("lobe", lobe_of(fluid)), ("change", plant.change)
    )  # fmt: skip


def paint_haemorrhage(here: BrainScene, plant: Plant) -> Placed:
    """An ellipsoid of blood as it looks at its age, with a dark rim when it is old and oedema when it is not."""
    rng = plant.rng()
    age = str(rng.choice(list(BLOOD_AGES)))
    place, point, side, _ = _site(here, plant, _wide_enough(plant), PLACES, rng, tissue=0.75)
    shape = Ellipsoid.random(rng, point, plant.size or 25.0, roundness=0.7)
    swelling = float(rng.uniform(4, 9))
    window = shape.window(here.scene.canvas, margin=swelling + 4)
    x, y, z = here.scene.canvas.coordinates(window)
    distance = shape.distance(x, y, z)
    if age not in ("hyperacute", "chronic"):
        _swell(here, window, distance - swelling + waves(rng, x, y, z, length=14.0, height=2.0))
    contrasts = here.scene.paint(window, distance, BLOOD_AGES[age], "haematoma")
    if age in ("late subacute", "chronic"):
        here.scene.blend(
            window,
            here.scene.coverage(np.abs(distance + 0.8) - 1.0),
            here.scene.signals(RIM).reshape(-1, 1, 1, 1),
        )
    return _ellipsoid(here, plant, "intracranial hemorrhage", shape, window, distance < 0, place, side, contrasts
    ).with_attributes(("acuity", age))  # fmt: skip


def paint_tumour(here: BrainScene, plant: Plant) -> Placed:
    """An ellipsoid: ring-enhancing with a necrotic core, or without enhancement; oedema creeps along white matter.

    The finding's mask is the tumour without its oedema; structures: enhancing tumour, necrosis, oedema.
    """
    rng = plant.rng()
    kind = str(rng.choice(("ring", "solid", "none"), p=(0.5, 0.25, 0.25)))
    place, point, side, _ = _site(here, plant, _wide_enough(plant), PLACES, rng, tissue=0.7)
    shape = Ellipsoid.random(rng, point, plant.size or 30.0, roundness=0.72)
    swelling = float(rng.uniform(6, 16)) if kind != "none" else 0.0
    window = shape.window(here.scene.canvas, margin=swelling + 6)
    x, y, z = here.scene.canvas.coordinates(window)
    distance = shape.distance(x, y, z)
    if swelling:
        _swell(here, window, distance - swelling + waves(rng, x, y, z, length=20.0, height=5.0))
    inside = distance < 0
    base = LOW_GRADE if kind == "none" else ENHANCING
    contrasts = here.scene.paint(window, distance, base, "tumour" if kind == "none" else "enhancing tumour")
    if kind == "ring":
        rim = max(2.5, 0.14 * (plant.size or 30.0))
        core = distance + rim + waves(rng, x, y, z, length=12.0, height=0.35 * rim)
        here.scene.paint(window, core, NECROSIS, "necrosis")
    return _ellipsoid(here, plant, "brain tumour", shape, window, inside, place, side, contrasts).with_attributes(
        ("enhancement", kind)
    )


def paint_plaque(here: BrainScene, plant: Plant) -> Placed:
    """A demyelinated ellipsoid in white matter near the ventricles, its long axis pointing away from them."""
    rng = plant.rng()
    ranges = {
        "frontal lobe": ((14, 28), (10, 38), (14, 40)), "parietal lobe": ((18, 32), (-52, -34), (22, 44)),
        "temporal lobe": ((32, 44), (-40, -8), (-18, -6)), "occipital lobe": ((20, 32), (-88, -74), (0, 16)),
    }  # fmt: skip
    place, point, side, _ = _site(here, plant, list(ranges), ranges, rng, tissue=0.8, white=0.6)
    shape = Ellipsoid.random(rng, point, plant.size or 8.0, roundness=0.6)
    window = shape.window(here.scene.canvas)
    distance = shape.distance(*here.scene.canvas.coordinates(window))
    active = rng.random() < 0.2
    substance = Substance(PLAQUE.density, PLAQUE.t1, PLAQUE.t2, PLAQUE.adc, uptake=0.2 if active else 0.0)
    contrasts = here.scene.paint(window, distance, substance, "white matter lesion")
    return _ellipsoid(
        here, plant, "white matter lesion", shape, window, distance < 0, place, side, contrasts
    ).with_attributes(("enhancement", "solid" if active else None))


def _ellipsoid(
    here: BrainScene, plant: Plant, term: str, shape: Ellipsoid, window: Window, inside: np.ndarray, place: str,
    side: Side, contrasts: Float,
) -> Placed:  # fmt: skip
    seen, contrast = here.scene.best(contrasts)
    long_axis, short_axis = shape.axial
    return Placed(
        term, here.scene.mask(window, inside), place, side,
        measures=(("long axis", long_axis, "mm"), ("short axis", short_axis, "mm"), ("volume", shape.volume, "mL")),
        centre=_index(here, np.array(shape.centre)), contrast=contrast, image=f"brain {seen}",
    ).with_attributes(("change", plant.change))  # fmt: skip


def _swell(here: BrainScene, window: Window, distance: Float) -> None:
    """Oedema: mixes into white matter, hardly into cortex."""
    share = here.scene.coverage(distance) * np.clip(1.2 * here.shares["white matter"][window], 0, 1)
    here.scene.blend(window, share, here.scene.signals(OEDEMA).reshape(-1, 1, 1, 1))
    here.scene.mark(window, share > 0.5, "oedema")


def _wavy(shape: Ellipsoid, seed: int, x: Float, y: Float, z: Float) -> Float:
    """The ellipsoid with a border that waves inwards by up to a tenth of its length."""
    length = float(max(shape.axes))
    rng = np.random.default_rng(seed)
    return shape.distance(x, y, z) + np.abs(waves(rng, x, y, z, length=0.9 * length, height=0.14 * length))


def _volume(person: Person, shape: Ellipsoid, seed: int) -> float:
    """mL of brain tissue in the wavy shape, on a grid of 1 mm that belongs to no image."""
    axes = [
        np.arange(c - r, c + r + 1, _COARSE_MM, dtype=np.float32)
        for c, r in zip(shape.centre, shape.reach, strict=True)
    ]
    x, y, z = axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :]
    shares, _ = person.shares(x, y, z)
    tissue = shares["grey matter"] + shares["white matter"] + shares["deep grey matter"]
    covered = np.clip(0.5 - _wavy(shape, seed, x, y, z) / _COARSE_MM, 0, 1)
    return float((covered * (tissue > 0.5)).sum() * _COARSE_MM**3 / 1000)


def _wide_enough(plant: Plant) -> list[str]:
    deep = ("basal ganglia", "thalamus")
    return [name for name in PLACES if plant.space < (26 if name in deep else 99)]


def _site(
    here: BrainScene,
    plant: Plant,
    names: list[str],
    ranges: Mapping[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]],
    rng: np.random.Generator,
    *,
    tissue: float,
    white: float = 0.0,
) -> tuple[str, Points, Side, Points]:
    """(place, centre in mm, side, centre in MNI mm), clear of earlier lesions and of the skull (what an infarct
    reaches there is no tissue), in brain tissue by at least shares `tissue` of it all and `white` of white matter."""
    if plant.place is not None:
        if plant.place not in ranges:
            raise NoRoomError.of(plant, plant.place)
        names = [plant.place]
    if not names:
        raise NoRoomError.of(plant, "this brain")
    side: Side = plant.side or ("left" if rng.random() < 0.5 else "right")
    radius = plant.space / 2
    ball = rng.standard_normal((48, 3))
    ball *= (0.8 * radius * rng.random((48, 1)) ** (1 / 3)) / np.linalg.norm(ball, axis=1, keepdims=True)
    for _ in range(60):
        place = names[int(rng.integers(len(names)))]
        (x0, x1), (y0, y1), (z0, z1) = ranges[place]
        target = np.array([rng.uniform(x0, x1), rng.uniform(y0, y1), rng.uniform(z0, z1)])
        target[0] *= -1 if side == "left" else 1
        point = here.person.point_at(target)
        if any(np.linalg.norm(point - p) < r + radius + 2 for p, r in here.taken):
            continue
        if ranges is not TERRITORIES and here.person.enclosed(point) < 0.95 * radius + 2:
            continue
        if here.person.parenchyma(point + ball).mean() < tissue:
            continue
        if white and here.person.white(point + 0.6 * ball).mean() < white:
            continue
        here.taken.append((point, radius))
        return place, point, side, target
    raise NoRoomError.of(plant, "this brain")


def _index(here: BrainScene, point: Points) -> tuple[float, ...]:
    return tuple(float(v) for v in here.scene.target.index(point))

"""MR of the head of a simulated person: T1 before and after contrast, T2, FLAIR, diffusion with its ADC map, one grid.

The anatomy is the MNI152 template's (see `brain_maps`), bent into another person (`brain_person`); signals come from
tissue parameters (`mr_physics`), so that an infarct is bright on DWI because its ADC is low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from groundglass.core import Mask
from groundglass.synthesis.phantoms import brain_findings as findings
from groundglass.synthesis.phantoms.brain_maps import BrainMaps, brain_maps
from groundglass.synthesis.phantoms.brain_person import Person
from groundglass.synthesis.phantoms.canvas import Canvas, Float
from groundglass.synthesis.phantoms.kind import Case, Drawn, Kind
from groundglass.synthesis.phantoms.mr_physics import SUBSTANCES, check_share, nulling, person_substances
from groundglass.synthesis.phantoms.mr_physics import Sequence as Pulse
from groundglass.synthesis.phantoms.mr_scene import MrScene, chosen_pulses, images_of
from groundglass.synthesis.phantoms.options import check_plants
from groundglass.synthesis.phantoms.planted import Placed, Plant

SHAPE = (144, 176, 128)
LOW, HIGH = (-93.0, -122.0, -68.0), (93.0, 96.0, 96.0)
PULSES = (
    Pulse("T1", 2000, 3, ti=900),
    Pulse("T1c", 2000, 3, ti=900, enhanced=True),
    Pulse("T2", 5000, 95),
    Pulse("FLAIR", 9000, 120, ti=nulling(SUBSTANCES["cerebrospinal fluid"], 9000)),
    Pulse("DWI b0", 6000, 80, saturated=True),
    Pulse("DWI b1000", 6000, 80, b=1000, saturated=True),
)
DENIALS = (
    ("cerebral infarction", None), ("intracranial hemorrhage", None), ("brain tumour", None), ("hydrocephalus", None),
    ("midline shift", None), ("subdural hematoma", None), ("cerebral atrophy", None),
    ("subarachnoid hemorrhage", None), ("white matter lesion", None),
)  # fmt: skip
_TISSUES = ("grey matter", "deep grey matter", "white matter", "cerebrospinal fluid")


def make(
    case: Case,
    plants: Sequence[Plant],
    *,
    shape: tuple[int, int, int] = SHAPE,
    spacing: tuple[float, float, float] | None = None,
    noise: float | None = None,
    bias: float | None = None,
    sequences: Sequence[str] | None = None,
    maps: BrainMaps | None = None,
) -> Drawn:
    """One examination. `noise`: standard deviation of a channel over the signal of white matter; `bias`: half range of
    the logarithm of the receiver's field; `sequences` of PULSES (the ADC map comes with both DWI); `maps` another
    anatomy. Slices are as thick as the voxels are high. Raises ConfigurationError, also where nilearn is missing."""
    check_plants(plants, findings.NAMES, kind="brain-mr")
    pulses = chosen_pulses(PULSES, sequences)
    canvas = Canvas.covering(LOW, HIGH, shape, spacing)
    wide = next((p for p in plants if p.name == "hydrocephalus"), None)
    thin = next((p for p in plants if p.name == "atrophy"), None)
    shrunk = (thin.extent or 0.6) if thin else 0.0
    person = Person.random(
        case.patient("anatomy"), maps or brain_maps(),
        widening=10.0 * (wide.extent or 0.6) if wide else 2.5 * shrunk, atrophy=shrunk,
    )  # fmt: skip
    scan = case.scan("scan")
    share = check_share(float(scan.uniform(0.015, 0.035)) if noise is None else noise, "noise", 0.5)
    field = check_share(float(scan.uniform(0.05, 0.18)) if bias is None else bias, "bias", 1.0)
    table = person_substances(case.patient("tissue"))
    # Echo-planar images of diffusion have twice the noise for their T2* and bandwidth.
    sigma = np.array(
        [
            max(share, 1e-6) * p.signal(table["white matter"]) * (1.6 if "DWI" in p.name else 1.0)
            if p.b == 0 else max(share, 1e-6) * 1.6 * Pulse("", p.tr, p.te).signal(table["white matter"])
            for p in pulses
        ]
    )  # fmt: skip
    scene = MrScene(canvas, pulses, sigma)
    shares, ventricle = person.shares(*scene.canvas.axes)
    scene.values = scene.mixture(shares, table)
    here = findings.BrainScene(scene, person, table, shares)
    placed = [_paint(here, plant, ventricle) for plant in plants]
    names = {p.name for p in pulses}
    adc = ("DWI b0", "DWI b1000") if {"DWI b0", "DWI b1000"} <= names else None
    images = images_of(scene, scene.scanned(scan, field), body="brain", adc=adc)
    facts: dict[str, float | str] = {"noise": share, "bias": field, "ventricle volume": round(person.ventricle_ml, 2)}
    seen = "T1, T2, FLAIR and diffusion-weighted sequences, before and after gadolinium"
    return Drawn(
        images, tuple(placed), {**_structures(scene, shares, ventricle), **scene.masks()}, facts,
        f"MRI of the brain with {seen}.", {"anterior commissure": _origin(person, canvas)},
    )  # fmt: skip


def _paint(here: findings.BrainScene, plant: Plant, ventricle: Float) -> Placed:
    painters = {
        "stroke": findings.paint_stroke,
        "haemorrhage": findings.paint_haemorrhage,
        "tumour": findings.paint_tumour,
        "white matter lesion": findings.paint_plaque,
    }
    if plant.name in painters:
        return painters[plant.name](here, plant)
    whole = here.scene.canvas.whole
    extent = plant.extent or 0.6
    grade = "mild" if extent < 0.45 else "moderate" if extent < 0.7 else "severe"
    if plant.name == "hydrocephalus":
        mask = here.scene.mask(whole, ventricle < 0)
        measures = (("volume", here.person.ventricle_ml, "mL"),)
        return Placed("hydrocephalus", mask, "lateral ventricle", measures=measures).with_attributes(
            ("severity", grade), ("change", plant.change)
        )
    tissue = np.sum([here.shares[n] for n in _TISSUES[:3]], axis=0) > 0.5
    return Placed("cerebral atrophy", here.scene.mask(whole, tissue), "brain").with_attributes(
        ("severity", grade), ("change", plant.change)
    )


def _structures(scene: MrScene, shares: Mapping[str, Float], ventricle: Float) -> dict[str, Mask]:
    """Tissues by their largest share, the lateral ventricles, the brain with its fluid."""
    whole = scene.canvas.whole
    stack = np.stack([shares[n] for n in _TISSUES])
    brain = stack.sum(axis=0) > 0.5
    winner = stack.argmax(axis=0)
    found = {name: scene.mask(whole, brain & (winner == k)) for k, name in enumerate(_TISSUES)}
    found["lateral ventricle"] = scene.mask(whole, ventricle < 0)
    return {name: mask for name, mask in found.items() if not mask.is_empty}


def _origin(person: Person, canvas: Canvas) -> tuple[float, ...]:
    return tuple(float(v) for v in canvas.index(person.point_at(np.array([0.0, 2.0, -4.0]))))


KIND = Kind("brain-mr", "MRI of the brain", "MR", findings.NAMES, findings.draw_plants, make, DENIALS, region="brain")

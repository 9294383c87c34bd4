"""Findings without an image, for reports alone: thousands a second, where a text model or a reader is to be tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundglass.core import ConfigurationError, Finding, Report
from groundglass.core.finding import Side
from groundglass.synthesis.phantoms.kind import Case
from groundglass.synthesis.phantoms.phrases import pick
from groundglass.synthesis.phantoms.planted import Placed, Plant, findings_of
from groundglass.synthesis.phantoms.registry import kind_named
from groundglass.synthesis.phantoms.wording import write_report

_SIDES: tuple[Side, ...] = ("left", "right")


@dataclass(frozen=True)
class _Outline:
    """What a plant becomes in words: term, regions (with or without a side), grades, and whether its axes are said."""

    term: str
    regions: tuple[str | None, ...] = (None,)
    sided: bool = False
    grades: tuple[str, ...] = ()
    glass: bool = False
    sized: bool = True


_LOBES = ("upper lobe of lung", "lower lobe of lung", "middle lobe of right lung")
_AMOUNTS = ("small", "moderate", "large")
_DEGREES = ("mild", "moderate", "severe")
_SEGMENTS = tuple(f"liver segment {n}" for n in range(1, 9))
_PARTS = ("head of pancreas", "body of pancreas", "tail of pancreas")
_BRAIN = (
    "frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe", "basal ganglia", "thalamus", "cerebellum",
)  # fmt: skip
_TERRITORIES = (
    "middle cerebral artery territory", "anterior cerebral artery territory", "posterior cerebral artery territory",
    "basal ganglia", "thalamus", "cerebellum",
)  # fmt: skip
_DISCS = ("L2-L3 disc", "L3-L4 disc", "L4-L5 disc", "L5-S1 disc", "C4-C5 disc", "C5-C6 disc", "C6-C7 disc")
_BODIES = tuple(f"{level} vertebra" for level in ("C5", "T6", "T9", "T12", "L1", "L2", "L3", "L4", "L5"))
_OUTLINES = {
    "stroke": _Outline("cerebral infarction", _TERRITORIES, True, _AMOUNTS, sized=False),
    "haemorrhage": _Outline("intracranial hemorrhage", _BRAIN, True),
    "tumour": _Outline("brain tumour", _BRAIN, True),
    "white matter lesion": _Outline("white matter lesion", _BRAIN[:4], True),
    "hydrocephalus": _Outline("hydrocephalus", ("lateral ventricle",), False, _DEGREES),
    "atrophy": _Outline("cerebral atrophy", ("brain",), False, _DEGREES),
    "disc herniation": _Outline("disc herniation", _DISCS, True, _AMOUNTS, sized=False),
    "stenosis": _Outline("spinal canal stenosis", _DISCS, False, _DEGREES),
    "compression fracture": _Outline("vertebral compression fracture", _BODIES[1:], False, _DEGREES),
    "metastasis": _Outline("bone metastasis", _BODIES),
    "nodule": _Outline("pulmonary nodule", _LOBES, True, glass=True),
    "mass": _Outline("lung lesion", _LOBES, True),
    "consolidation": _Outline("consolidation", _LOBES, True, _AMOUNTS),
    "effusion": _Outline("pleural effusion", ("pleura",), True, _AMOUNTS),
    "pneumothorax": _Outline("pneumothorax", ("pleura",), True, _AMOUNTS),
    "cardiomegaly": _Outline("cardiomegaly", ("heart",), False, _DEGREES),
    "rib fracture": _Outline("rib fracture", ("rib",), True),
    "vertebral fracture": _Outline("vertebral compression fracture", (), False, _DEGREES),
    "liver cyst": _Outline("liver cyst", _SEGMENTS),
    "hepatocellular carcinoma": _Outline("hepatocellular carcinoma", _SEGMENTS),
    "liver metastasis": _Outline("liver lesion", _SEGMENTS),
    "renal cyst": _Outline("kidney cyst", ("kidney",), True),
    "renal cell carcinoma": _Outline("renal cell carcinoma", ("kidney",), True),
    "renal stone": _Outline("nephrolithiasis", ("kidney",), True),
    "pancreatic cancer": _Outline("pancreatic ductal adenocarcinoma", _PARTS),
    "pancreatic cyst": _Outline("pancreas cyst", _PARTS),
    "gallstones": _Outline("cholelithiasis", ("gallbladder",)),
    "ascites": _Outline("ascites", ("abdomen",), False, _AMOUNTS),
    "splenomegaly": _Outline("splenomegaly", ("spleen",)),
    "hepatic steatosis": _Outline("hepatic steatosis", ("liver",)),
}


def sketch_report(kind: str, seed: int, index: int = 0, *, language: str = "en") -> Report:
    """A report as `make_phantom(kind, seed, index)` would have, of findings that lie in no image.

    Raises ConfigurationError for a kind whose findings are not outlined here.
    """
    generator = kind_named(kind)
    case = Case(kind, seed, index)
    rng = case.patient("sketch")
    placed = [_outlined(plant, rng, kind) for plant in generator.draw(case.patient("plants"))]
    findings: tuple[Finding, ...] = findings_of(placed, kind=kind, image="none")
    return write_report(findings, generator, case.scan("words"), technique=generator.exam + ".", language=language)


def _outlined(plant: Plant, rng: np.random.Generator, kind: str) -> Placed:
    if plant.name not in _OUTLINES:
        raise ConfigurationError(plant.name, f"of {kind} has no outline in words", "Make the phantom itself.")
    outline = _OUTLINES[plant.name]
    region = pick(outline.regions, rng) if outline.regions else f"T{int(rng.integers(4, 13))} vertebra"
    side = (plant.side or pick(_SIDES, rng)) if outline.sided else None
    if region == "middle lobe of right lung":
        side = "right"
    measures: tuple[tuple[str, float, str], ...] = ()
    if plant.size is not None and outline.sized:
        measures = (("long axis", plant.size, "mm"), ("short axis", plant.size * rng.uniform(0.7, 1.0), "mm"))
    placed = Placed(outline.term, None, region, side, measures=measures)
    grade = pick(outline.grades, rng) if outline.grades else None
    texture = ("ground-glass" if rng.random() < 0.2 else "solid") if outline.glass else None
    level = str(int(rng.integers(4, 10))) if plant.name == "rib fracture" else None
    margin = None
    if plant.name in ("nodule", "mass"):
        margin = "spiculated" if texture != "ground-glass" and rng.random() < 0.4 else "smooth"
    return placed.with_attributes(("severity", grade), ("texture", texture), ("margin", margin), ("level", level))

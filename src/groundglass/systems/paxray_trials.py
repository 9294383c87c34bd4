"""What system 8 learns on simulated chests: the segmenter's data law and the heart-lung ratios of its masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.core.finding import Side
from groundglass.measurement.radiographic import RECIPES, RadiographMasks
from groundglass.segmentation.film_anatomy import FilmSet, film_anatomy, mean_iou, train_film_anatomy
from groundglass.synthesis.chest_labels import (
    ct_classes,
    radiograph_classes,
    radiograph_target,
    region_of,
)
from groundglass.synthesis.phantoms import Phantom, Plant, make_phantom
from groundglass.synthesis.xray import Exposure, carry_findings, project_ct, xray_view
from groundglass.systems.proof import Claim

VOXELS, SIZE = 128, 128
TRAINING, TESTED, STEPS = 200, 75, 2500
SHARES = (0.25, 0.5, 1.0)
NAMES = tuple(c.name for c in radiograph_classes())
GROUPS = tuple(c.group for c in radiograph_classes())
Bool = NDArray[np.bool_]
HEART_LUNG_RATIO = next(r for r in RECIPES if r.task == "cardiomegaly")
# Two findings of a film lie on different sides, so that a sentence's side decides which is meant.
FINDINGS = {
    "consolidation": ("consolidation", "patchy opacity", "dense opacity"),
    "mass": ("mass", "large rounded lesion", "rounded mass"),
    "nodule": ("nodule", "small nodule", "small rounded opacity"),
}
ZONE_WORDS = {"upper": ("upper", "apical"), "middle": ("mid", "middle"), "lower": ("lower", "basal")}
FRAMES = (
    "There is a {finding} in the {side} {zone} zone.",
    "{finding} of the {side} {zone} lung zone.",
    "The {zone} zone of the {side} lung shows a {finding}.",
    "A {finding} projects over the {side} {zone} lung.",
    "In the {zone} {side} lung a {finding} is seen.",
)


@dataclass(frozen=True)
class Place:
    """Where a planted finding lies on its film: side, zone of the lung, and two sentences that say so."""

    side: str
    zone: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Chests:
    """Films with their classes, and the places of each film's findings; pixels of `pixel_mm`."""

    films: FilmSet
    places: tuple[tuple[Place, ...], ...]
    pixel_mm: NDArray[np.float64]

    def masks(self, number: int, found: Bool | None = None) -> dict[str, Bool]:
        """True or `found` (K, S, S) masks of a film by name; those without a pixel are left out."""
        planes = self.films.planes[number] if found is None else found
        return {name: plane for name, plane in zip(NAMES, planes, strict=True) if plane.any()}


def simulated_chests(count: int, *, seed: int, first: int = 0) -> Chests:
    """Patients `first`, `first` + 1, ...: parallel PA films with the noise of an exposure."""
    pictures, planes, known, places, pixels = [], [], [], [], []
    for number in range(first, first + count):
        rng = np.random.default_rng([seed, number])
        phantom = _patient(rng, seed, number)
        view = xray_view(phantom.image.shape, phantom.image.affine, "PA", size=SIZE, parallel=True)
        structures = {name: mask.array for name, mask in phantom.structures.items()}
        target = radiograph_target(ct_classes(structures, body=structures.get("body")), phantom.image.affine, view)
        pictures.append(project_ct(phantom.image, view, exposure=Exposure(photons=3e4), rng=rng).picture)
        planes.append(target.planes())
        known.append([name in target.masks for name in NAMES])
        pixels.append(view.spacing[0])
        spots = [(f.finding.what.name, f.finding.where.box) for f in carry_findings(phantom.findings, view, image="f")]
        found = [_place(name, box.centre, target.masks, rng) for name, box in spots if box is not None]
        places.append(tuple(place for place in found if place is not None))
    films = FilmSet(np.stack(pictures), np.stack(planes), np.array(known))
    return Chests(films, tuple(places), np.array(pixels))


def _patient(rng: np.random.Generator, seed: int, number: int) -> Phantom:
    """One or two findings, on different sides; drawn again where one has no room."""
    for _ in range(20):
        sides: list[Side] = ["left", "right"] if rng.random() < 0.5 else ["right", "left"]
        plants = []
        for side in sides[: 1 + int(rng.random() < 0.6)]:
            name = str(rng.choice(list(FINDINGS), p=(0.5, 0.3, 0.2)))
            size = {"mass": rng.uniform(32, 60), "nodule": rng.uniform(16, 28)}.get(name)
            plants.append(Plant(name, side, size=None if size is None else float(size)))
        try:
            return make_phantom("chest-ct", seed=seed, index=number, plants=plants, shape=(VOXELS,) * 3)
        except ConfigurationError:
            continue
    raise ConfigurationError(f"patient {number}", "has no room for his findings", "Use smaller ones.")


def _place(name: str, centre: tuple[float, ...], masks: Mapping[str, Bool], rng: np.random.Generator) -> Place | None:
    """The zone that holds a finding's centre; None where that lies in no zone of a labelled lung."""
    kind = next((word for word in FINDINGS if word in name), None)
    spot = round(centre[0]), round(centre[1])
    for side in ("left", "right"):
        for zone in ZONE_WORDS:
            region = region_of(f"{side} {zone} zone", masks)
            if kind is not None and region is not None and region[spot]:
                said = []
                for frame in rng.choice(FRAMES, 3, replace=False):
                    words = {"side": side, "zone": rng.choice(ZONE_WORDS[zone]), "finding": rng.choice(FINDINGS[kind])}
                    said.append(str(frame).format(**words).capitalize())
                return Place(side, zone, tuple(said))
    return None


def data_law(workdir: Path, training: Chests, test: Chests) -> tuple[torch.nn.Module, list[Claim]]:
    """The network of all films, and the claims of check 2."""
    count = len(training.films)
    models = [
        train_film_anatomy(training.films.part(np.arange(round(share * count))), folder=workdir / f"share-{share:g}",
                           steps=STEPS, seed=8)
        for share in SHARES
    ]  # fmt: skip
    figures = [mean_iou(film_anatomy(model, test.films.pictures), test.films) for model in models]
    means = [100 * float(np.nanmean(each)) for each in figures]
    # Whole lungs and whole ribs: lobes and halves of ribs lie within them, and one class a pixel could show neither.
    kinds = {"lungs": np.array([name in ("left lung", "right lung") for name in NAMES]),
             "ribs": np.array([name.split(" ")[-1].isdigit() for name in NAMES])}  # fmt: skip
    over = kinds["lungs"] | kinds["ribs"]
    alone = train_film_anatomy(training.films.structures(over), folder=workdir / "exclusive", steps=STEPS,
                               exclusive=True, seed=8)  # fmt: skip
    one = np.full(len(NAMES), np.nan)
    one[over] = mean_iou(film_anatomy(alone, test.films.pictures, exclusive=True), test.films.structures(over))
    shown = {way: [100 * float(np.nanmean(iou[held])) for held in kinds.values()]
             for way, iou in (("overlapping", figures[-1]), ("one class a pixel", one))}  # fmt: skip
    gain = float(np.mean(shown["overlapping"]) - np.mean(shown["one class a pixel"]))
    groups = {
        f"{group}, mIoU": round(100 * float(np.nanmean(figures[-1][[g == group for g in GROUPS]])), 1)
        for group in dict.fromkeys(GROUPS)
    }
    shares = {f"{100 * share:g} % of {count} films": round(mean, 2) for share, mean in zip(SHARES, means, strict=True)}
    rises = bool(means[0] < means[1] < means[2])
    return models[-1], [
        claim("U-Net on 25, 50, 100 % of the films: mIoU of all above that of a quarter (points)",
              means[-1] - means[0], ">= 3, rising at each step", rises and means[-1] - means[0] >= 3, 0.0,
              **shares, **groups),
        claim("lungs and ribs: IoU of overlapping masks above one class a pixel (points, mean of both kinds)", gain,
              ">= 10", gain >= 10, 0.0,
              **{f"{kind}, {way}": round(iou, 1) for way, found in shown.items()
                  for kind, iou in zip(kinds, found, strict=True)}),
    ]  # fmt: skip


def predicted_ratios(test: Chests, found: Bool) -> Claim:
    """Check 4: heart-lung ratio of the network's masks against that of the true ones."""
    errors = []
    for number, planes in enumerate(found):
        true, predicted = (_ratio(test, number, held) for held in (None, planes))
        if true is not None:
            errors.append(abs(predicted - true) if predicted is not None else 1.0)
    mean = float(np.mean(errors))
    return claim("heart-lung ratio of predicted masks against that of true ones (mean absolute error)", mean,
                 "<= 0.02", mean <= 0.02, films=len(errors), worst=round(max(errors), 4))  # fmt: skip


def _ratio(chests: Chests, number: int, found: Bool | None) -> float | None:
    masks = chests.masks(number, found)
    used = {name: masks[name] for name in ("left lung", "right lung", "heart", "spine") if name in masks}
    if not {"left lung", "right lung", "heart"} <= set(used):
        return None
    pixel = float(chests.pixel_mm[number])
    return float(HEART_LUNG_RATIO.measure(RadiographMasks(used, (pixel, pixel), "PA")).index)


def claim(name: str, measured: float, required: str, passed: bool, baseline: float | None = None,
          **detail: float | int | str) -> Claim:  # fmt: skip
    return Claim(name, float(measured), required, bool(passed), baseline, simulated=True, detail=detail)

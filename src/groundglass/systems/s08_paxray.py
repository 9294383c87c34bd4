"""PAXRay: radiographs with dense anatomy, made by projecting a labelled CT, and phrases grounded in it.

Seibold et al., BMVC 2022, arXiv 2210.03416. CT structures (TotalSegmentator's names or those of the simulated chests)
become classes by a table and rules, are projected with the image in one geometry, cleaned, flagged where the scan's
field cut them, and written in the published layout; a U-Net learns the overlapping classes, and phrases learn which
region of a film they speak of. Differences: 119 classes instead of 166, films of 128 pixels of 200 simulated chests,
frontal views alone, a small U-Net from random weights instead of a ResNet-50's, a bag of words instead of a language
model. Grounding goes by words where a sentence names a region, as the second mode has it, and all sentences of the
proof do. Learnt from sentences alone, regions of anatomy are found no better than boxes of a graph segmentation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from groundglass.measurement.radiographic import RadiographMasks
from groundglass.segmentation.film_anatomy import film_anatomy
from groundglass.synthesis.chest_labels import (
    LabelledFilm,
    RadiographTarget,
    ct_classes,
    radiograph_classes,
    radiograph_target,
    region_of,
    write_labelled_films,
)
from groundglass.synthesis.phantoms import Phantom, Plant, make_phantom
from groundglass.synthesis.xray import (
    XrayView,
    carry_findings,
    exact_line_integrals,
    highest_on_rays,
    line_integrals,
    project_ct,
    xray_view,
)
from groundglass.systems.paxray_grounding import grounding
from groundglass.systems.paxray_trials import (
    HEART_LUNG_RATIO,
    TESTED,
    TRAINING,
    claim,
    data_law,
    predicted_ratios,
    simulated_chests,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass.synthesis.chest_labels.radiograph_target; groundglass.segmentation.film_anatomy"
SEED, PATIENTS, VOXELS, SIZE = 8, 16, 80, 256
MU = 0.02


def prove(workdir: Path, data: Path | None) -> Proof:
    """Closed forms, SimpleITK, the layout, sentences of reports, heart-lung ratios; simulated chests."""
    torch.set_num_threads(1)
    chests = [_chest(number) for number in range(PATIENTS)]
    claims = [
        *_closed_forms(),
        *_simpleitk(),
        _layout(workdir, chests),
        *_grounding(chests),
        _ratios(chests),
        *_learnt(workdir),
    ]
    notes = ("Masks are those of simulated chests; on patients they come from a segmenter, whose errors they inherit.",)
    return Proof(8, tuple(claims), (SEED,), ("simulated chest CT",), notes)


def _learnt(workdir: Path) -> list[Claim]:
    """Checks 2, 3 and 4 with what is trained; the network's masks of its own training films teach the grounding."""
    training = simulated_chests(TRAINING, seed=SEED)
    test = simulated_chests(TESTED, seed=SEED, first=10_000)
    model, law = data_law(workdir, training, test)
    # What the scans cut off on most films (scapulae) was not learnt: what the network says of it is no region.
    learnt = training.films.known.mean(axis=0) >= 0.5
    found = {name: film_anatomy(model, chests.films.pictures) & learnt[:, None, None] for name, chests in
             (("training", training), ("test", test))}  # fmt: skip
    return [*law, predicted_ratios(test, found["test"]), *grounding(workdir, training, test, found)]


Chest = tuple[Phantom, XrayView, RadiographTarget]


def _chest(number: int) -> Chest:
    """Simulated patient with one nodule or consolidation, his PA film (parallel beam) and its target."""
    rng = np.random.default_rng([SEED, number])
    side = ("left", "right")[int(rng.integers(2))]
    plant = Plant("nodule", side, size=float(rng.uniform(12, 25))) if number % 2 else Plant("consolidation", side)  # type: ignore[arg-type]
    phantom = make_phantom("chest-ct", seed=SEED, index=number, plants=[plant], shape=(VOXELS,) * 3)
    view = xray_view(phantom.image.shape, phantom.image.affine, "PA", size=SIZE, parallel=True)
    structures = {name: mask.array for name, mask in phantom.structures.items()}
    classes = ct_classes(structures, body=structures.get("body"))
    return phantom, view, radiograph_target(classes, phantom.image.affine, view)


def _along_y(n: int) -> XrayView:
    step = np.eye(3)
    return XrayView(np.array([0.0, n, 0.0]), step[2], step[0], (n, n), direction=step[1])


def _closed_forms() -> list[Claim]:
    n, axes = 96, np.array([30.0, 22.0, 36.0])
    offsets = (np.arange(4) + 0.5) / 4 - 0.5
    grid = (np.arange(n)[:, None] + offsets).ravel() - (n - 1) / 2
    x, y, z = np.meshgrid(*(((grid / a) ** 2).astype(np.float32) for a in axes), indexing="ij", sparse=True)
    share = (x + y + z <= 1).reshape(n, 4, n, 4, n, 4).mean(axis=(1, 3, 5), dtype=np.float32)
    image = line_integrals(torch.from_numpy(share * MU), np.eye(4), _along_y(n)).numpy()
    inside = highest_on_rays(torch.from_numpy((share >= 0.5).astype(np.float32)), np.eye(4), _along_y(n)).numpy() > 0
    area = abs(inside.sum() / (np.pi * axes[0] * axes[2]) - 1)
    centre = abs(image[47:49, 47:49].mean() / (2 * axes[1] * MU) - 1)
    mass = abs(image.sum() / (MU * 4 / 3 * np.pi * axes.prod()) - 1)
    return [
        claim("ellipsoid: area of its shadow is pi a c (relative)", area, "<= 0.01", area <= 0.01),
        claim("ellipsoid: integral at its centre is 2 b mu (relative)", centre, "<= 0.01", centre <= 0.01),
        claim("ellipsoid: sum of the image is mu V (relative)", mass, "<= 0.005", mass <= 0.005),
    ]


def _simpleitk() -> list[Claim]:
    volume = np.random.default_rng(0).random((40, 40, 40))
    held, view = torch.from_numpy(volume), _along_y(40)
    image = sitk.GetImageFromArray(volume)
    total = sitk.GetArrayFromImage(sitk.SumProjection(image, 1))[:, 0].T
    highest = sitk.GetArrayFromImage(sitk.MaximumProjection(image, 1))[:, 0].T
    apart = float(np.abs(exact_line_integrals(held, np.eye(4), view).numpy() / total - 1).max())
    wrong = int((highest_on_rays(held, np.eye(4), view).numpy() != highest).sum())
    return [
        claim("SimpleITK's sum projection, beam along an axis (relative, worst)", apart, "<= 1e-12", apart <= 1e-12),
        claim("SimpleITK's maximum projection: pixels that differ", wrong, "= 0", wrong == 0),
    ]


def _layout(workdir: Path, chests: list[Chest]) -> Claim:
    """Written and read again: the same masks, in a file as the published one is."""
    parts = ("train", "val", "test")
    made = [
        LabelledFilm(phantom.name, parts[n % 3], project_ct(phantom.image, view).picture, target,
                     {"geometry": view.document(), "source": "simulated"})
        for n, (phantom, view, target) in enumerate(chests[:3])
    ]  # fmt: skip
    document = json.loads(write_labelled_films(made, workdir / "paxray").read_text())
    same = 0
    for film in made:
        (row,) = [r for r in document[film.part] if film.name in r["image"]]
        packed = np.load(workdir / "paxray" / row["target"])
        same += bool((np.unpackbits(packed, axis=-1, count=SIZE).astype(bool) == film.target.planes()).all())
    found = len({name for _, _, target in chests for name in target.masks})
    return claim("films whose written target reads back equal (of 3)", same, "= 3", same == 3,
                 classes=len(radiograph_classes()), **{"classes with a mask on some film": found})  # fmt: skip


def _grounding(chests: list[Chest]) -> list[Claim]:
    """Each report's sentences on the planted finding, by words alone: does the region hold the finding's centre?"""
    asked: list[tuple[str, tuple[int, int], RadiographTarget]] = []
    for phantom, view, target in chests:
        for carried in carry_findings(phantom.findings, view, image="film"):
            box, word = carried.finding.where.box, carried.finding.what.name.split()[-1]
            if box is None:
                continue
            place = (round(box.centre[0]), round(box.centre[1]))
            for sentence in re.split(r"(?<=[.;])\s+", phantom.report.text):
                if word in sentence.casefold() and not re.search(r"\bno\b|without", sentence.casefold()):
                    asked.append((sentence, place, target))
    rng = np.random.default_rng(0)
    hits, chance, widths = [], [], []
    order = rng.permutation(len(asked))
    for number, (sentence, place, target) in enumerate(asked):
        region = region_of(sentence, target.masks)
        hits.append(region is not None and bool(region[place]))
        widths.append(np.nan if region is None else float(region.mean()))
        other = region_of(asked[order[number]][0], target.masks)
        chance.append(other is not None and bool(other[place]))
    rate, by_chance = 100 * float(np.mean(hits)), 100 * float(np.mean(chance))
    detail = {"sentences": len(asked), "mean region (% of the film)": round(100 * float(np.nanmean(widths)), 1)}
    return [
        claim("sentences of reports, lexical mode: region holds the finding's centre (%)", rate, ">= 80", rate >= 80,
              by_chance, **detail),
        claim("the same above sentences of other patients (points)", rate - by_chance, ">= 20",
              rate - by_chance >= 20, 0.0),
    ]  # fmt: skip


def _ratios(chests: list[Chest]) -> Claim:
    """Heart-lung ratio of the projected true masks against that of the three-dimensional chest."""
    errors: list[float] = []
    for phantom, view, target in chests:
        wanted = phantom.facts["cardiothoracic ratio"]
        masks: dict[str, NDArray[np.bool_]] = {
            name: target.masks[name] for name in ("left lung", "right lung", "heart", "spine") if name in target.masks
        }
        if {"left lung", "right lung", "heart"} <= set(masks):
            measured = HEART_LUNG_RATIO.measure(RadiographMasks(masks, view.spacing, "PA")).index
            errors.append(abs(measured - float(wanted)))
    mean = float(np.mean(errors))
    return claim("heart-lung ratio of projected true masks against the chest's own (mean absolute error)", mean,
                 "<= 0.02", mean <= 0.02, films=len(errors), worst=round(max(errors), 4))  # fmt: skip

"""Simulated PET/CT exams with sentences, and what a network that is guided by text is asked of them (card 21)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundglass.classification import tiny_bert
from groundglass.core import ConfigurationError, Finding, Mask
from groundglass.learn.section_matching import new_section_matcher, train_section_matching
from groundglass.metrics.segmentation import LesionCounts, uptake_counts
from groundglass.segmentation import TextExam, TextSegmenter
from groundglass.segmentation.pet_frame import PetFrame
from groundglass.synthesis import Phantom, Plant, make_phantom
from groundglass.text.matching import SectionPair
from groundglass.text.mining import Site, planted_grounding, random_site, without_numbers

GRID = (40, 40, 72)
"""Voxels of a whole body: about 11 x 11 x 13 mm each."""
FRAME = (40, 24, 72)
KINDS, SHARES = ("lung lesion", "node", "bone lesion", "liver lesion"), (0.30, 0.40, 0.15, 0.15)
SIZES = (20.0, 36.0)
_PLACES = {"hilum of lung": "hilum", "abdomen": "retroperitoneum"}


class Lesion(NamedTuple):
    """One that a sentence can name: no other of the patient lies at the same site."""

    site: Site
    mask: Mask
    suv_max: float
    slice: int


@dataclass(frozen=True, eq=False)
class Patient:
    """SUV (X, Y, Z), the exam in its frame, at least three lesions, and the sites of all."""

    suv: NDArray[np.float32]
    framed: PetFrame
    lesions: tuple[Lesion, ...]
    sites: tuple[Site, ...]


def patients(count: int, seed: int) -> list[Patient]:
    """`count` patients with three or more visible lesions whose sites and SUVmax tell them apart."""
    found: list[Patient] = []
    index = 0
    while len(found) < count:
        made = _patient(seed, index)
        index += 1
        if made is not None:
            found.append(made)
    return found


def _patient(seed: int, index: int) -> Patient | None:
    phantom = _phantom(seed, index)
    pet, ct = phantom.images
    values = np.asarray(pet.array[0], dtype=np.float32)
    seen = [(f, f.where.mask) for f in phantom.findings if f.where.mask is not None and f.where.mask.voxel_count > 1]
    sites = [_site(finding, mask) for finding, mask in seen]
    lesions = tuple(
        Lesion(site, mask, float(values[mask.array].max()), int(finding.attribute("image") or 0))
        for (finding, mask), site in zip(seen, sites, strict=True)
        if sites.count(site) == 1
    )
    if len(lesions) < 3 or len({round(one.suv_max, 1) for one in lesions}) < len(lesions):
        return None
    return Patient(values, PetFrame.of(pet, ct, frame=FRAME), lesions, tuple(sites))


def _phantom(seed: int, index: int) -> Phantom:
    """Three to five lesions, drawn again where one finds no room or could not be seen."""
    rng = np.random.default_rng([seed, index])
    while True:
        plants = [
            Plant(KINDS[int(rng.choice(4, p=SHARES))], size=size, room=size, key=int(rng.integers(2**31)))
            for size in np.exp(rng.uniform(*np.log(SIZES), int(rng.integers(3, 6)))).tolist()
        ]
        try:
            return make_phantom("petct", seed=seed, index=index, plants=plants, shape=GRID, ct_shape=GRID)
        except ConfigurationError:
            continue


def _site(finding: Finding, mask: Mask) -> Site:
    """What a report calls the place; nodes of neck, mediastinum and abdomen lie on one side of the midline."""
    assert finding.where.anatomy is not None  # every lesion of this phantom has a place
    name = finding.where.anatomy.name
    right = float((mask.affine @ [*mask.box.centre, 1.0])[0]) > 0
    side = finding.where.side if finding.where.side in ("left", "right") else ("right" if right else "left")
    assert side == "left" or side == "right"
    match finding.what.name:
        case "lung lesion":
            return Site("lung", f"{next(p for p in ('upper', 'middle', 'lower') if p in name)} lobe", side)
        case "bone lesion":
            return Site("bone", name.split()[0])
        case "liver lesion":
            return Site("liver", name.split()[-1])
    return Site("node", _PLACES.get(name, name), side)


def sentence(rng: np.random.Generator, patient: Patient, lesion: Lesion, *, vague: float) -> str:
    """As a report writes it, with both numbers; a share `vague` names the organ alone."""
    others = [site for site in patient.sites if site != lesion.site]
    return planted_grounding(
        rng, lesion.site, suv_max=lesion.suv_max, slice=lesion.slice, others=others, vague=vague
    )  # fmt: skip


def exams(
    given: Sequence[Patient], seed: int, *, wordings: int, slices: bool = False, vague: float = 0.1
) -> list[TextExam]:
    """Exams to train on: every lesion in so many wordings without numbers, a share `vague` of which names the organ
    alone. With `slices`, for the demonstration of the leak alone, the slice number is told."""
    rng = np.random.default_rng(seed)
    made = []
    for patient in given:
        pairs = [
            (lesion, sentence(rng, patient, lesion, vague=vague)) for _ in range(wordings) for lesion in patient.lesions
        ]
        words = tuple(_leaking(text, lesion) if slices else without_numbers(text) for lesion, text in pairs)
        masks = np.array([patient.framed.framed(lesion.mask) for lesion, _ in pairs])
        made.append(TextExam(patient.framed.pixels, masks, words))
    return made


def _leaking(text: str, lesion: Lesion) -> str:
    """Without the SUVmax, but with the slice, in one wording."""
    return f"{without_numbers(text)} Slice {lesion.slice}."


def encoder(folder: Path, seed: int, read: Sequence[Patient], *, reports: int = 3000, steps: int = 1500) -> Path:
    """A small BERT that has read reports without images: masked words, and which finding has which impression.

    What stands for a hub's RadBERT. An impression names the lesion alone: whoever finds it among others has to know
    which of two places a sentence is about, and which one it only compares with. The slices that findings tell are
    those of the patients of `read`: a number that goes with no place would be a name, without order or meaning.
    """
    known = [lesion for patient in read for lesion in patient.lesions]
    pairs = sections(np.random.default_rng(seed), known, reports)
    small = tiny_bert(folder / "new", (t for p in pairs for t in p[:2]), width=96, layers=3, limit=64, seed=seed)
    matcher = new_section_matcher(small, size=64, limit=64, seed=seed)
    train_section_matching(
        matcher, pairs, folder=folder / "run", steps=steps, learning_rate=1e-3, weight=1.0, temperature=0.1,
        shuffle=False, seed=seed,
    )  # fmt: skip
    # The bare encoder: a head that is not used would be reported at every start.
    matcher.model.base_model.save_pretrained(folder / "encoder")
    matcher.tokenizer.save_pretrained(folder / "encoder")
    return folder / "encoder"


def sections(rng: np.random.Generator, known: Sequence[Lesion], count: int) -> list[SectionPair]:
    """Findings and their impressions. Half of the findings tell the slice of a `known` lesion, and half of those name
    its organ alone; the others may be anywhere and tell none."""
    return [_finding_and_impression(rng, known, number) for number in range(count)]


def _finding_and_impression(rng: np.random.Generator, known: Sequence[Lesion], number: int) -> SectionPair:
    told = known[int(rng.integers(len(known)))] if rng.random() < 0.5 else None
    site, suv = told.site if told else random_site(rng), float(rng.uniform(4, 20))
    place = told.slice if told else 1  # cut again, as is the SUVmax
    said = planted_grounding(rng, site, suv_max=suv, slice=place, beside=0.7, vague=0.5 if told else 0.0)
    concluded = planted_grounding(rng, site, suv_max=suv, slice=place, beside=0.0, vague=0.0)
    finding = _leaking(said, told) if told else without_numbers(said)
    return SectionPair(finding, without_numbers(concluded), number)


@dataclass(frozen=True, slots=True)
class Score:
    """Pooled detection by SUVmax within 0.1, the mean Dice on its matched pairs, and the share of lesions touched."""

    f1: float
    matched_dice: float
    recall: float
    sentences: int


def scored(
    segmenter: TextSegmenter,
    given: Sequence[Patient],
    words: Sequence[Sequence[str]],
    *,
    asked: Callable[[int, int], int] = lambda at, of: at,
) -> Score:
    """Every lesion `at` of a patient's `of` against the mask of sentence `asked(at, of)`, its own unless given."""
    counts: list[LesionCounts] = []
    dice: list[float] = []
    touched = 0
    for patient, texts in zip(given, words, strict=True):
        masks = segmenter.masks(patient.framed, list(texts))
        for at, lesion in enumerate(patient.lesions):
            found, true = masks[asked(at, len(patient.lesions))].array, lesion.mask.array
            counts.append(uptake_counts(found, true, patient.suv))
            both = int((found & true).sum())
            touched += both > 0
            if counts[-1].found:
                dice.append(2 * both / int(found.sum() + true.sum()))
    hits, wrong = sum(c.found for c in counts), sum(c.invented + c.missed for c in counts)
    return Score(hits / max(hits + wrong / 2, 1e-9), float(np.mean(dice or [0.0])), touched / len(counts), len(counts))

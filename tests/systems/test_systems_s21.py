"""The proof's exams: what a sentence names is one lesion, and only the demonstration of the leak tells the slice."""

from __future__ import annotations

import re

import numpy as np
import pytest

from groundglass.systems import grounding_trials as trials
from groundglass.text.mining import Site


@pytest.fixture(scope="module")
def given() -> list[trials.Patient]:
    return trials.patients(2, 5)


def test_patients_have_three_lesions_that_can_be_told_apart(given: list[trials.Patient]) -> None:
    for patient in given:
        assert len(patient.lesions) >= 3
        assert len({lesion.site for lesion in patient.lesions}) == len(patient.lesions)
        for lesion in patient.lesions:
            held = patient.framed.framed(lesion.mask)
            assert held.sum() == lesion.mask.voxel_count  # the frame holds the whole body
            assert patient.suv[lesion.mask.array].max() == pytest.approx(lesion.suv_max)
            centre = lesion.mask.affine @ [*lesion.mask.box.centre, 1]
            assert lesion.site.side in ("", "right" if centre[0] > 0 else "left")


def test_sentences_tell_no_number_unless_asked(given: list[trials.Patient]) -> None:
    plain, leaking = (trials.exams(given, 3, wordings=2, slices=slices) for slices in (False, True))
    for patient, one, other in zip(given, plain, leaking, strict=True):
        assert len(one.sentences) == len(one.lesions) == 2 * len(patient.lesions)
        for number, (said, told) in enumerate(zip(one.sentences, other.sentences, strict=True)):
            lesion = patient.lesions[number % len(patient.lesions)]
            assert told == f"{said} Slice {lesion.slice}."
            assert f"{lesion.suv_max:.1f}" not in told
            assert np.array_equal(one.lesions[number], patient.framed.framed(lesion.mask))


def test_a_slice_that_the_encoder_reads_goes_with_its_place(given: list[trials.Patient]) -> None:
    known = [lesion for patient in given for lesion in patient.lesions]
    pairs = trials.sections(np.random.default_rng(1), known, 400)
    told = [pair for pair in pairs if "Slice " in pair.findings]
    assert 150 < len(told) < 250
    for pair in told:
        number = int(pair.findings.rsplit("Slice ", 1)[1].rstrip("."))
        sites = [lesion.site for lesion in known if lesion.slice == number]
        assert any(site.side in pair.impression and re.search(_stem(site), pair.impression) for site in sites)


def _stem(site: Site) -> str:
    """What noun and adjective of a place share: "hil" of hilum and hilar."""
    return "neck|cervical" if site.place == "neck" else site.place[:3]

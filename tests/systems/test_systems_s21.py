"""The proof's exams: what a sentence names is one lesion, and only the demonstration of the leak tells the slice."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.systems import grounding_trials as trials


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

"""Training on mined sentences, a trained folder, and findings in the PET's grid: the whole way, small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.classification import tiny_bert
from groundglass.core import ConfigurationError, GroundglassError, Image, InputError, Mask
from groundglass.measurement.intensity import uptake_of
from groundglass.segmentation import (
    Stage,
    TextExam,
    TextSegmenter,
    mined_exam,
    mined_exams,
    segment_by_text,
    train_by_text,
)

FRAME = (16, 8, 24)
SAID = {"upper": "Hypermetabolic node in the neck", "lower": "Hypermetabolic lesion in the pelvis"}


def exam(seed: int) -> tuple[Image, Image, dict[str, np.ndarray]]:
    """A body of SUV 1 with a lesion high and one low; the last axis runs to the feet, as no frame does."""
    rng = np.random.default_rng(seed)
    values = np.zeros((14, 8, 24), dtype=np.float32)
    values[2:12, 1:7, 1:23] = rng.normal(1, 0.05, (10, 6, 22))
    affine = np.diag([8.0, 8.0, -8.0, 1.0])
    lesions = {}
    for name, z, suv in (("upper", int(rng.integers(3, 7)), 6.2), ("lower", int(rng.integers(16, 20)), 7.9)):
        inside = np.zeros(values.shape, dtype=bool)
        x = int(rng.integers(4, 9))
        inside[x : x + 2, 3:5, z : z + 2] = True
        values[inside] = suv - 0.3
        values[x, 3, z] = suv
        lesions[name] = inside
    pet = Image.of(values, affine, name="PET", modality="PT", units="g/mL{SUVbw}")
    return pet, Image.of(values * 40 - 100, affine, name="CT", modality="CT", units="[hnsf'U]"), lesions


def report(pet: Image, lesions: dict[str, np.ndarray]) -> str:
    said = []
    for name, inside in lesions.items():
        hottest = int(np.where(inside, pet.array[0], -1).argmax())
        at = np.unravel_index(hottest, pet.shape)[2]
        said.append(f"{SAID[name]}, SUVmax {pet.array[0].ravel()[hottest]:.1f} (slice {at + 1}).")
    return "FINDINGS: " + " ".join(said)


def test_a_report_gives_its_lesions_and_no_number() -> None:
    pet, ct, lesions = exam(0)
    made = mined_exam(pet, ct, report(pet, lesions), frame=FRAME)
    assert made.sentences == tuple(f"{text}." for text in SAID.values())
    by_hand = TextExam.of(pet, ct, [("a", Mask.of(m, pet.affine)) for m in lesions.values()], frame=FRAME)
    assert np.array_equal(made.pixels, by_hand.pixels)
    assert np.array_equal(made.lesions, by_hand.lesions)


def test_it_learns_to_read_and_comes_back_from_its_folder(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "bert", SAID.values(), width=16, layers=2)
    given = [mined_exam(pet, ct, report(pet, lesions), frame=FRAME) for pet, ct, lesions in map(exam, range(8))]
    folder = tmp_path / "model"
    stages = (Stage(30, 2, levels=1, learning_rate=3e-3), Stage(30, 2, learning_rate=3e-3))
    made = train_by_text(folder, given, encoder=encoder, stages=stages, filters=(4, 8, 12), strides=(1, 2, 2))
    pet, ct, lesions = exam(100)
    findings = segment_by_text(pet, ct, {n: f"{t}, SUVmax 3.3 (slice 9)." for n, t in SAID.items()}, model=folder)
    assert [finding.id for finding in findings] == list(SAID)
    for finding in findings:
        mask = finding.where.mask
        assert mask is not None
        mine, other = lesions[finding.id], lesions["lower" if finding.id == "upper" else "upper"]
        assert (mask.array & mine).sum() > 2 * (mask.array & other).sum()
        truth, maximum = uptake_of(mask, pet.array[0]), finding.measurement("SUVmax")
        assert maximum is not None and maximum.value == truth.maximum
        slices = np.flatnonzero(mask.array.any(axis=(0, 1)))
        assert finding.attribute("axial slices") == f"{slices[0] + 1}-{slices[-1] + 1}"
        assert (finding.evidence[0].source, finding.evidence[0].name) == ("sentence", finding.id)
    again = TextSegmenter.load(folder)
    assert again.frame == made.frame == FRAME
    with pytest.raises(InputError):
        segment_by_text(pet, ct, {"s1": "SUVmax 3.3 (slice 9)."}, model=again)
    assert segment_by_text(pet, ct, {}, model=again) == ()


def test_what_cannot_be_trained_or_loaded_is_refused(tmp_path: Path) -> None:
    encoder = tiny_bert(tmp_path / "bert", SAID.values(), width=16, layers=2)
    pet, ct, lesions = exam(0)
    one = mined_exam(pet, ct, report(pet, lesions), frame=FRAME)
    other = mined_exam(pet, ct, report(pet, lesions), frame=(16, 8, 32))
    for given, filters in (([], (4, 8)), ([one, other], (4, 8)), ([one], (4, 4, 4, 4, 4))):
        with pytest.raises(ConfigurationError):
            train_by_text(
                tmp_path / "m", given, encoder=encoder, stages=[Stage(1)], filters=filters,
                strides=(1,) + (2,) * (len(filters) - 1),
            )  # fmt: skip
    with pytest.raises(ConfigurationError):
        TextSegmenter.load(tmp_path)


def test_an_archive_tells_what_it_skips(tmp_path: Path) -> None:
    (tmp_path / "exam-1").mkdir()
    told: list[tuple[str, GroundglassError]] = []
    assert list(mined_exams(tmp_path, skipped=lambda path, error: told.append((path.name, error)))) == []
    assert [name for name, _ in told] == ["exam-1"] and isinstance(told[0][1], InputError)
    with pytest.raises(InputError):
        list(mined_exams(tmp_path))

"""The brain parser on the template that ships: a real averaged head whose brain mask is known."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import Image, Reading, Study
from groundglass.measurement import Template, mni152_template
from groundglass.reading import Request, read_findings


@pytest.fixture(scope="module")
def template() -> Template:
    return mni152_template()


@pytest.fixture(scope="module")
def reading(template: Template) -> Reading:
    image = Image.of(template.t1, template.affine, name="head", modality="MR")
    return read_findings(Request(Study((image,)), only=("brain",)))


def volume(reading: Reading, name: str, side: str | None = None) -> float:
    found = next(f for f in reading.findings if f.what.name == name and f.where.side == side)
    measured = found.measurement("volume")
    assert measured is not None
    assert measured.unit == "mL"
    return measured.value


def test_brain_mask_agrees_with_the_templates_own(reading: Reading, template: Template) -> None:
    mask = next(f for f in reading.findings if f.what.name == "brain").where.mask
    assert mask is not None
    assert mask.shape == template.t1.shape
    found = mask.array
    dice = 2 * (found & template.brain).sum() / (found.sum() + template.brain.sum())
    # Ours reaches the inner skull; the template's mask stops at the tissue.
    assert dice >= 0.88


def test_volumes_are_those_of_an_adult(reading: Reading) -> None:
    """The template is about 1.35 times an average brain in volume; ranges are wide on purpose."""
    assert 1300 < volume(reading, "brain") < 2300
    assert 0.8 < volume(reading, "grey matter") / volume(reading, "white matter") < 2.2
    for name in ("lateral ventricle", "thalamus", "caudate nucleus", "cerebral cortex"):
        left, right = volume(reading, name, "left"), volume(reading, name, "right")
        assert abs(left - right) / (left + right) < 0.25, name


def test_a_stated_volume_is_that_of_its_masks_voxels(reading: Reading, template: Template) -> None:
    voxel_ml = abs(np.linalg.det(template.affine[:3, :3])) / 1000
    for finding in reading.findings:
        measured, mask = finding.measurement("volume"), finding.where.mask
        assert measured is not None and mask is not None
        assert measured.value == pytest.approx(mask.array.sum() * voxel_ml), finding.id


def test_left_lies_left(reading: Reading, template: Template) -> None:
    for side, sign in (("left", -1), ("right", 1)):
        mask = next(f for f in reading.findings if f.what.name == "cerebral cortex" and f.where.side == side).where.mask
        assert mask is not None
        centre = template.affine[:3, :3] @ np.argwhere(mask.array).mean(axis=0) + template.affine[:3, 3]
        assert sign * centre[0] > 10


def test_images_that_disagree_on_their_own_are_named() -> None:
    from groundglass.reading.brain_mr import VENTRICLES, _disagreements
    from groundglass.segmentation import OwnVolumes

    def own(brain: float, ventricle: float) -> OwnVolumes:
        return OwnVolumes(brain, {(name, None): ventricle / len(VENTRICLES) for name in VENTRICLES})

    assert _disagreements([("T1", own(1200, 20))]) == ()
    assert _disagreements([("T1", own(1200, 20)), ("T2", own(1250, 21))]) == ()
    (warning,) = _disagreements([("T1", own(1200, 20)), ("FLAIR", own(1210, 14))])
    assert "ventricle" in warning and "T1 20 mL, FLAIR 14 mL" in warning


@pytest.mark.slow
def test_two_contrasts_on_one_grid_are_read_together(template: Template) -> None:
    """The second contrast is the first one's negative inside of the head: a simulation of a T2."""
    small = template.t1[::2, ::2, ::2]
    affine = template.affine @ np.diag([2.0, 2, 2, 1])
    negative = np.where(small > 20, small.max() - small, 0).astype(np.float32)
    images = [Image.of(p, affine, name=n, modality="MR") for p, n in ((small, "T1"), (negative, "T2"))]
    found = read_findings(Request(Study(tuple(images)), only=("brain",))).findings
    assert sum(f.what.name == "brain" for f in found) == 1
    assert "read together: T1, T2" in str(found[0].evidence)

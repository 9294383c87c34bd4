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


def test_left_lies_left(reading: Reading, template: Template) -> None:
    for side, sign in (("left", -1), ("right", 1)):
        mask = next(f for f in reading.findings if f.what.name == "cerebral cortex" and f.where.side == side).where.mask
        assert mask is not None
        centre = template.affine[:3, :3] @ np.argwhere(mask.array).mean(axis=0) + template.affine[:3, 3]
        assert sign * centre[0] > 10

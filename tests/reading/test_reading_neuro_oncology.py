"""The tumour parser on the template seen as a patient, with drawn masks (a simulation), and on a real glioma."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from groundglass.core import Image, Mask, Reading, Report, Study, ontology
from groundglass.measurement import Atlas, Region, mni152_regions, mni152_template
from groundglass.reading import Request
from groundglass.reading.neuro_oncology import NeuroOncologyParser
from groundglass.report import compose
from groundglass.report.neuro_oncology import brain_tumour_form


@pytest.fixture(scope="module")
def patient() -> Image:
    held = mni152_template()
    return Image.of(held.t1, held.affine, name="t1", modality="MR")


def _ball(image: Image, centre: tuple[float, float, float], radius: float) -> Mask:
    world = np.moveaxis(np.indices(image.shape), 0, -1) @ image.affine[:3, :3].T + image.affine[:3, 3]
    return Mask.of(np.linalg.norm(world - np.array(centre), axis=-1) <= radius, image.affine)


@pytest.fixture(scope="module")
def reading(patient: Image) -> Reading:
    masks = {
        "brain tumour": _ball(patient, (-26.0, 0.0, 2.0), 16.0),
        "necrosis": _ball(patient, (-26.0, 0.0, 2.0), 8.0),
        "residual brain tumour": _ball(patient, (-26.0, 0.0, 2.0), 4.0),
    }
    z = np.indices((91, 109, 91))[2]
    regions = (Region(1, "frontal lobe", "left"), Region(2, "upper half"))
    atlas = Atlas("halves", 1 + (z > 40), mni152_template().affine, regions)
    request = Request(Study((patient,)), masks)
    return NeuroOncologyParser(atlas=atlas, deformable=False).read([patient], request)


def test_tumour_side_size_and_structures(reading: Reading) -> None:
    tumour = reading.findings[0]
    assert tumour.where.side == "left"
    assert tumour.measurement("volume").value == pytest.approx(4 / 3 * np.pi * 1.6**3, rel=0.03)
    assert tumour.measurement("volume in template space").value == pytest.approx(17.2, rel=0.1)
    assert tumour.measurement("long axis").value == pytest.approx(32, abs=3)
    product = tumour.measurement("long axis").value * tumour.measurement("short axis").value
    assert tumour.measurement("bidimensional product").value == pytest.approx(product)
    assert tumour.measurement("share on the left").value > 99
    held = {f.attribute("structure"): f for f in reading.findings if f.attribute("structure")}
    # Independent: the template is the patient, so the ball lies in the atlas as drawn.
    atlas = mni152_regions()
    putamen = next(r.value for r in atlas.regions if r.title == "left putamen")
    world = np.argwhere(atlas.labels == putamen) @ atlas.affine[:3, :3].T + atlas.affine[:3, 3]
    expected = 100 * (np.linalg.norm(world - np.array([-26.0, 0.0, 2.0]), axis=1) <= 16).mean()
    assert held["left putamen"].measurement("share of structure in tumour").value == pytest.approx(expected, abs=5)
    assert "right putamen" not in held
    assert {"left frontal lobe", "upper half"} <= held.keys()
    # The structure's mask lies in the tumour, on the patient's own grid.
    part = held["left putamen"].where.mask
    assert part.shape == tumour.where.mask.shape
    assert not (part.array & ~tumour.where.mask.array).any()
    assert part.voxel_count > 100
    assert "midline shift" in reading.not_assessed


def test_compartment_and_extent_of_resection(reading: Reading) -> None:
    necrosis = next(f for f in reading.findings if f.what.name == "necrosis")
    assert necrosis.measurement("share of tumour volume").value == pytest.approx(12.5, abs=1.5)
    resection = next(f for f in reading.findings if f.what == ontology()["extent of tumour resection"])
    assert resection.measurement("extent of resection").value == pytest.approx(100 * (1 - (4 / 16) ** 3), abs=0.5)
    assert resection.attribute("category") == "near total"
    assert resection.attribute("rano class") == "2B"


def test_report_and_form_of_the_reading(reading: Reading, patient: Image) -> None:
    text = compose(reading, Study((patient,))).text
    assert "Brain tumour on the left" in text
    assert "The left putamen holds" in text
    assert "near total resection" in text
    names = {entry.name: entry.value for entry in brain_tumour_form(reading.findings)}
    assert names["side"] == "left"
    assert names["extent of resection"] == pytest.approx(98.4, abs=0.5)


def test_resection_from_a_prior_report_and_an_empty_residual(reading: Reading, patient: Image) -> None:
    earlier = Study((), reports=(Report((), reading.findings[:1]),))
    empty = Mask.of(np.zeros(patient.shape), patient.affine)
    masks = {"residual brain tumour": empty, "resection cavity": _ball(patient, (-26, 0, 2), 14.0)}
    found = NeuroOncologyParser().read([patient], Request(Study((patient,), priors=(earlier,)), masks))
    resection = next(f for f in found.findings if f.what == ontology()["extent of tumour resection"])
    assert resection.measurement("extent of resection").value == 100
    assert resection.attribute("rano class") == "2A"
    residual = next(f for f in found.findings if f.what == ontology()["residual brain tumour"])
    assert residual.status == "absent"


def test_without_a_tumour_mask_it_says_nothing(patient: Image) -> None:
    request = Request(Study((patient,)), {"liver": _ball(patient, (0, 0, 0), 10)})
    assert NeuroOncologyParser().read([patient], request) == Reading()
    parser = NeuroOncologyParser()
    assert parser.claims(patient)
    assert not parser.claims(replace(patient, modality="CT"))


def test_a_failed_registration_gives_sizes_but_no_side() -> None:
    noise = Image.of(
        np.random.default_rng(0).random((40, 40, 40)).astype(np.float32), np.diag([4.0, 4, 4, 1]), name="n"
    )
    noise = replace(noise, modality="MR")
    tumour = _ball(noise, (80, 80, 80), 20)
    found = NeuroOncologyParser(deformable=False).read([noise], Request(Study((noise,)), {"brain tumour": tumour}))
    assert found.findings[0].where.side is None
    assert found.findings[0].measurement("volume") is not None
    assert found.findings[0].measurement("share on the left") is None
    assert any("could not be registered" in warning for warning in found.warnings)


@pytest.mark.slow
def test_real_glioma_with_thick_slices(data: Path) -> None:
    from groundglass.io import read_image

    image = read_image(data / "brain-mri-samples/tumour-tcia-example/TCGA-FG-6692_flair.nii.gz")
    image = replace(image, modality="MR")
    # The set has no mask: a ball in the bright lesion that is seen on the patient's right, frontal.
    tumour = Mask.of(np.zeros(image.shape), image.affine)
    middle = (image.affine @ [60, 160, 15, 1])[:3]
    tumour = _ball(image, tuple(middle), 15.0)
    found = NeuroOncologyParser(deformable=False).read([image], Request(Study((image,)), {"brain tumour": tumour}))
    assert not found.warnings
    assert found.findings[0].where.side == "right"

"""The CT and PET parsers on real scans with given masks, and the findings of drawn lesions."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from groundglass.core import Acquisition, ConfigurationError, Image, Mask, Study, ontology
from groundglass.core.mask_name import mask_name
from groundglass.reading.ct import CTParser, phase_of
from groundglass.reading.given import sorted_masks
from groundglass.reading.lesions import findings_of
from groundglass.reading.parser import Request
from groundglass.reading.pet import PETParser


def ball(shape, centre, radius) -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    return np.linalg.norm(grid - centre, axis=-1) <= radius


@pytest.mark.parametrize(
    ("text", "name", "side", "organ"),
    [
        ("liver", "liver", None, None),
        ("liver_lesion", "liver lesion", None, "liver"),
        ("kidney_left", "kidney", "left", None),
        ("right kidney lesion", "kidney lesion", "right", "kidney"),
        ("left main bronchus", "left main bronchus", None, None),
        ("PDAC", "pancreatic ductal adenocarcinoma", None, "pancreas"),
        ("SMA", "superior mesenteric artery", None, None),
        ("renal cyst", "kidney cyst", None, "kidney"),
    ],
)
def test_mask_names(text, name, side, organ) -> None:
    found = mask_name(text)
    assert (found.term.name, found.side, found.organ.name if found.organ else None) == (name, side, organ)


def test_an_unknown_mask_name_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        mask_name("flux capacitor")


@pytest.fixture
def drawn():
    """A liver with two lesions (one mask), two segments and a vessel; 1 mm, RAS+."""
    shape = (90, 90, 80)
    liver = ball(shape, (45, 45, 40), 32)
    large, small = ball(shape, (55, 45, 40), 9), ball(shape, (30, 45, 45), 4)
    vessel = np.zeros(shape, dtype=bool)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    vessel[np.linalg.norm(grid[..., :2] - (55, 59), axis=-1) <= 4] = True
    hu = np.where(large | small, 60.0, np.where(liver, 110.0, -90.0)) + np.random.default_rng(2).normal(0, 8, shape)
    right = np.zeros(shape, dtype=bool)
    right[45:] = True
    image = Image.of(hu, np.eye(4), modality="CT", name="ct")
    masks = {
        "liver": liver & ~large & ~small,
        "liver_lesion": large | small,
        "liver_segment_5": liver & right,
        "liver segment 3": liver & ~right,
        "portal_vein": vessel,
    }
    return image, {name: Mask.of(array, np.eye(4)) for name, array in masks.items()}


def test_lesions_are_separate_findings_of_their_organ(drawn) -> None:
    image, masks = drawn
    found, warnings = findings_of(sorted_masks(image, masks)[0])
    assert not warnings
    lesions = [f for f in found if f.what.name == "liver lesion"]
    assert [f.attribute("number") for f in lesions] == ["1", "2"]
    assert [f.attribute("segment") for f in lesions] == ["liver segment 5", "liver segment 3"]
    assert [f.attribute("attenuation") for f in lesions] == ["hypoattenuating"] * 2
    assert lesions[0].measurement("long axis").value == pytest.approx(18, abs=1)
    assert lesions[0].measurement("mean attenuation").value == pytest.approx(60, abs=1)
    assert lesions[0].attribute("slice") == "41"
    organ = next(f for f in found if f.what.name == "liver")
    assert all(f.part_of == organ.id for f in lesions)
    # The organ's volume holds its lesions, its attenuation does not.
    assert organ.measurement("volume").value == pytest.approx(4 / 3 * np.pi * 3.2**3, rel=0.02)
    assert organ.measurement("mean attenuation").value == pytest.approx(110, abs=1)
    contacts = [f for f in found if f.what.name == "vessel contact"]
    # The wall is 1 mm from lesion 1, far from lesion 2.
    assert [f.part_of for f in contacts] == [lesions[0].id]
    assert 20 < contacts[0].measurement("vessel contact angle").value < 120
    assert not any("segment" in f.what.name for f in found)


def test_staged_tumour_and_side_of_a_pair() -> None:
    shape = (120, 60, 60)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1)
    left, right = ((((grid - (x, 30, 30)) / (14, 12, 26)) ** 2).sum(-1) <= 1 for x in (25, 95))
    tumour = ball(shape, (95, 30, 46), 8)
    masks = {"left kidney": left, "kidney_right": right & ~tumour, "renal cell carcinoma": tumour}
    image = Image.of(np.full(shape, 100.0), np.eye(4), modality="CT")
    found, _ = findings_of(sorted_masks(image, {k: Mask.of(v, np.eye(4)) for k, v in masks.items()})[0])
    lesion = next(f for f in found if f.what.name == "renal cell carcinoma")
    assert lesion.where.side == "right" and lesion.attribute("segment") == "upper pole"
    assert lesion.attribute("t stage") == "T1a"
    assert "renal vein" in [a.value for a in lesion.attributes if a.kind == "t stage not assessed"]
    owner = next(f for f in found if f.id == lesion.part_of)
    assert owner.where.side == "right"


def test_specks_and_empty_masks_are_said_not_reported(drawn) -> None:
    image, _ = drawn
    speck = np.zeros(image.shape, dtype=bool)
    speck[5, 5, 5] = True
    given, warnings = sorted_masks(
        image, {"liver_lesion": Mask.of(speck, np.eye(4)), "spleen": Mask.of(np.zeros(image.shape), np.eye(4))}
    )
    assert any("spleen" in w for w in warnings)
    found, more = findings_of(given)
    assert not found and any("specks" in w for w in more)


def test_phase_from_the_header() -> None:
    for words, phase in (("Abdomen portal venous 5mm", "portal venous"), ("nativ", "plain"), ("Abdomen", None)):
        image = Image.of(np.zeros((4, 4, 4)), np.eye(4), acquisition=Acquisition(description=words))
        assert phase_of(image) == phase


def test_real_abdomen_with_organ_masks(data) -> None:
    folder = data / "ct-organ-samples" / "small"
    volume, labels = nib.load(folder / "ct.nii.gz"), np.asarray(nib.load(folder / "ct_organs_total.nii.gz").dataobj)
    image = Image.of(np.asarray(volume.dataobj), volume.affine, modality="CT", name="abdomen")
    ids = {"spleen": 1, "right kidney": 2, "left kidney": 3, "liver": 5, "pancreas": 7}
    masks = {name: Mask.of(labels == number, volume.affine) for name, number in ids.items()}
    reading = CTParser().read([image], Request(Study((image,)), masks=masks))
    by_name = {(f.where.side, f.what.name): f for f in reading.findings}
    liver = by_name[None, "liver"]
    assert liver.attribute("extent") == "cut by the border of the scan"
    assert liver.measurement("volume").value == pytest.approx((labels == 5).sum() * 0.027, rel=1e-4)
    assert (("left", "lung") in by_name) and (("right", "lung") in by_name)
    assert all(ontology()[f.what.name] == f.what for f in reading.findings)
    assert any("lesions" in limit for limit in reading.not_assessed)
    assert all(f.where.mask is None or f.where.mask.shape == image.shape for f in reading.findings)


def test_only_a_lesion_asks_for_no_compartments(drawn) -> None:
    image, masks = drawn
    reading = CTParser().read([image], Request(Study((image,)), masks=masks, only=("liver lesion",)))
    assert not any(f.what.name in ("body", "bone") for f in reading.findings)


def test_real_pet_uptake_equals_the_table(data) -> None:
    import csv

    folder = data / "sarcoma-petct"
    with (folder / "splits.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["split"] == "train")
    case = folder / row["case"]
    pet, gtv = nib.load(case / "PET_suv_x100.nii.gz"), nib.load(case / "GTV_mask_PET.nii.gz")
    image = Image.of(np.asarray(pet.dataobj) / 100.0, pet.affine, modality="PT", units="SUV", name="pet")
    mask = Mask.of(np.asarray(gtv.dataobj), pet.affine)
    reading = PETParser().read([image], Request(Study((image,)), masks={"soft tissue lesion": mask}))
    lesion = next(f for f in reading.findings if f.what.name == "soft tissue lesion")
    value = {m.kind.name: m.value for m in lesion.measurements}
    assert value["SUVmax"] == pytest.approx(float(row["suv_max_gtv"]), abs=0.011)
    assert value["SUVmean"] == pytest.approx(float(row["suv_mean_gtv"]), abs=0.011)
    assert value["metabolic tumor volume"] == pytest.approx(float(row["gtv_ml"]), rel=0.02)
    assert value["total lesion glycolysis"] == pytest.approx(value["SUVmean"] * value["metabolic tumor volume"])
    assert value["SUVpeak"] <= value["SUVmax"]

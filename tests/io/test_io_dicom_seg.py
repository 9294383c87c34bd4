"""DICOM SEG: conforming, and the same masks when read back by highdicom and by us."""

from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from dicom_cases import dciodvfy_errors, enhanced, image_of_files, radiograph, series

from groundglass.core import (
    Evidence,
    Finding,
    GeometryError,
    Image,
    InputError,
    Location,
    Mask,
    UnsupportedError,
    ontology,
)
from groundglass.io.dicom_seg import tracking_uid, write_seg
from groundglass.io.dicom_seg_read import read_seg


def findings_of(image: Image, *, overlapping: bool) -> list[Finding]:
    """A left lung, a nodule in the right one, the heart, and an empty trachea."""
    terms = ontology()
    labels = np.random.default_rng(1).integers(0, 4, image.shape)
    if image.shape[0] > 1:
        labels[0] = 0
    masks = [labels == n for n in (1, 2, 3)]
    if overlapping:
        masks[1] = masks[0] | masks[1]
    lung, nodule, heart = (Mask.of(m, image.affine) for m in masks)
    made = (Evidence("model", "lungs-net", "1.2.3"),)
    empty = Mask.of(np.zeros(image.shape), image.affine)
    return [
        Finding("f1", terms["lung"], where=Location(terms["lung"], "left", lung, image=image.name), evidence=made),
        Finding("f2", terms["pulmonary nodule"], where=Location(terms["lung"], "right", nodule), evidence=made),
        Finding("f3", terms["heart"], where=Location(terms["heart"], mask=heart), evidence=made),
        Finding("f4", terms["trachea"], where=Location(terms["trachea"], "midline", empty), evidence=made),
        Finding("f5", terms["pleural effusion"], status="absent"),
        Finding("f6", terms["heart"], where=Location(mask=heart, image="another image")),
    ]


@pytest.fixture(params=["CT", "tilted CT", "MR", "DX", "CR", "enhanced MR", "one slice"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    folder = tmp_path / "source"
    makers = {
        "CT": lambda: series(folder),
        "tilted CT": lambda: series(folder, tilt=0.6),
        "MR": lambda: series(folder, modality="MR", shape=(3, 300, 17)),
        "DX": lambda: radiograph(folder),
        "CR": lambda: radiograph(folder, modality="CR"),
        "enhanced MR": lambda: enhanced(folder),
        "one slice": lambda: series(folder, shape=(1, 16, 24)),
    }
    return makers[request.param]()


@pytest.mark.parametrize("overlapping", [False, True], ids=["separate", "overlapping"])
def test_seg_conforms_and_reads_back(image: Image, overlapping: bool, tmp_path: Path) -> None:
    findings = findings_of(image, overlapping=overlapping)
    path = write_seg(findings, image, tmp_path / "out" / "seg.dcm")
    assert dciodvfy_errors(path) == []
    back = read_seg(path, image)
    assert [f.id for f in back] == ["f1", "f2", "f3", "f4"]
    for read, written in zip(back, findings, strict=False):
        assert read.where.mask == written.where.mask
        assert (read.what, read.where.anatomy, read.where.side) == (
            written.what,
            written.where.anatomy,
            written.where.side,
        )
        assert read.evidence == written.evidence


def test_highdicom_reads_the_same_masks(image: Image, tmp_path: Path) -> None:
    findings = findings_of(image, overlapping=True)[:3]
    seg = highdicom.seg.segread(write_seg(findings, image, tmp_path / "seg.dcm"))
    stack = np.stack([f.where.mask.array for f in findings], axis=-1)
    if len(image.shape) == 2:
        uid = pydicom.dcmread(image.source[0], stop_before_pixels=True).SOPInstanceUID
        pixels = seg.get_pixels_by_source_instance([uid], assert_missing_frames_are_empty=True)
        np.testing.assert_array_equal(pixels[0], stack)
    elif len(image.source) == 1 and image.shape[0] > 1:
        source = pydicom.dcmread(image.source[0])
        frames = [g.PlanePositionSequence[0].ImagePositionPatient[1] for g in source.PerFrameFunctionalGroupsSequence]
        pixels = seg.get_pixels_by_source_frame(
            source.SOPInstanceUID, list(range(1, len(frames) + 1)), assert_missing_frames_are_empty=True
        )
        np.testing.assert_array_equal(pixels[np.argsort(frames)], stack)
    else:
        uids = [pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID for p in image.source]
        pixels = seg.get_pixels_by_source_instance(uids, assert_missing_frames_are_empty=True)
        np.testing.assert_array_equal(pixels, stack)
    first = pydicom.dcmread(image.source[0], stop_before_pixels=True)
    assert (seg.StudyInstanceUID, seg.PatientName) == (first.StudyInstanceUID, first.PatientName)
    assert seg.get("FrameOfReferenceUID") == first.get("FrameOfReferenceUID")
    assert ("f1", tracking_uid(first.SeriesInstanceUID, findings[0])) in seg.get_tracking_ids()


def test_own_grid_and_other_axis_orders(tmp_path: Path) -> None:
    image = series(tmp_path / "ct", tilt=0.6)
    findings = findings_of(image, overlapping=False)
    findings = [f for f in findings if f.id in ("f1", "f3")]
    path = write_seg(findings, image, tmp_path / "seg.dcm")
    own = read_seg(path)
    # The first slice of the series has no segment, so that the own grid starts at the second.
    np.testing.assert_array_equal(own[0].where.mask.array, findings[0].where.mask.array[1:])
    shifted = image.affine.copy()
    shifted[:3, 3] += image.affine[:3, 0]
    np.testing.assert_allclose(own[0].where.mask.affine, shifted, atol=1e-4)
    turned_affine = image.affine[:, [2, 1, 0, 3]].copy()
    turned_affine[:3, 3] += turned_affine[:3, 0] * (image.shape[2] - 1)
    turned_affine[:3, 0] *= -1
    turned = Image("turned", image.shape[::-1], turned_affine, image.load)
    on_turned = read_seg(path, turned)
    np.testing.assert_array_equal(on_turned[1].where.mask.array, findings[1].where.mask.array.transpose(2, 1, 0)[::-1])


def test_label_maps_and_fractions_of_others_are_read(data: Path) -> None:
    zoo = data / "dicom-zoo"
    labelmap = read_seg(zoo / "dcmqi/segmentations__sparse-labelmap-ppv5.dcm")
    reference = highdicom.seg.segread(zoo / "dcmqi/segmentations__sparse-labelmap-ppv5.dcm")
    counts = [int((reference.pixel_array == n).sum()) for n in reference.segment_numbers if n != 0]
    assert [f.where.mask.voxel_count for f in labelmap] == counts
    assert sum(counts) > 0
    liver = read_seg(zoo / "pydicom-data/liver.dcm")
    assert liver[0].where.mask.voxel_count == int(pydicom.dcmread(zoo / "pydicom-data/liver.dcm").pixel_array.sum())
    fractional = read_seg(zoo / "highdicom/seg_image_ct_binary_fractional.dcm")
    binary = read_seg(zoo / "highdicom/seg_image_ct_binary.dcm")
    assert fractional[0].where.mask == binary[0].where.mask


@pytest.mark.parametrize(
    "files",
    [
        "ct-organ-samples/dicom_series/dicom/*.dcm",
        "sarcoma-petct/STS_042_dicom/PET/*.dcm",
        "dicom-zoo/pydicom-data/MR-SIEMENS-DICOM-WithOverlays.dcm",
        "dicom-zoo/highdicom/ct_image.dcm",
    ],
)
def test_real_images(files: str, data: Path, tmp_path: Path) -> None:
    image = image_of_files(sorted(data.glob(files)), "real")
    findings = findings_of(image, overlapping=False)[:4]
    path = write_seg(findings, image, tmp_path / "seg.dcm")
    assert dciodvfy_errors(path) == []
    assert [f.where.mask for f in read_seg(path, image)] == [f.where.mask for f in findings]


def test_refusals_are_typed(tmp_path: Path) -> None:
    image = series(tmp_path / "ct")
    findings = findings_of(image, overlapping=False)
    with pytest.raises(InputError, match="no finding has a mask"):
        write_seg(findings[4:], image, tmp_path / "seg.dcm")
    with pytest.raises(InputError, match="was not read from DICOM"):
        write_seg(findings, Image.of(np.zeros(image.shape), image.affine), tmp_path / "seg.dcm")
    moved = Image("CT", image.shape, image.affine + np.eye(4), image.load, source=image.source)
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        write_seg(findings, moved, tmp_path / "seg.dcm")
    with pytest.raises(UnsupportedError, match="is not a DICOM segmentation"):
        read_seg(image.source[0])
    with pytest.raises(InputError, match="does not exist"):
        read_seg(tmp_path / "nothing.dcm")
    path = write_seg(findings, image, tmp_path / "seg.dcm")
    small = Image("CT", (6, 20, 21), image.affine, image.load)
    with pytest.raises(GeometryError, match="reaches out of the image"):
        read_seg(path, small)
    coarse = Image("CT", (3, 33, 21), image.affine @ np.diag([2.0, 1, 1, 1]), image.load)
    with pytest.raises(GeometryError, match="between the voxels"):
        read_seg(path, coarse)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ct", "seg.dcm"]

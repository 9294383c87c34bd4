"""The viewer in a real browser before a real server: open, read, go to a finding, segment, undo, export."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from viewer_room import Room, room, sample_brain, sample_radiograph


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("viewer") / "data") as held:
        yield held


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_radiograph(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def film_study(viewer: Room, film: Path) -> dict[str, Any]:
    """The film as a study. What a test needs it asks for here: two workers may share this file's tests."""
    return viewer.open(film)


@pytest.fixture(scope="module")
def film_report(viewer: Room, film_study: dict[str, Any]) -> dict[str, Any]:
    viewer.choose(film_study)
    return viewer.read(film_study)


@pytest.fixture(scope="module")
def brain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_brain(tmp_path_factory.mktemp("brain"))


def canvas_point(viewer: Room, plane: str, share: tuple[float, float]) -> dict[str, float]:
    """A point of a plane's canvas, as shares of its width and height."""
    box = viewer.view(plane).bounding_box()
    return {"x": box["width"] * share[0], "y": box["height"] * share[1]}


def test_a_radiograph_is_shown_upright_with_its_grey_levels(viewer, film, film_study):
    """Where the middle of each pixel lands, the canvas has the grey that the window gives it."""
    viewer.choose(film_study)
    header = pydicom.dcmread(film)
    values = header.pixel_array * float(header.RescaleSlope) + float(header.RescaleIntercept)
    black = float(header.WindowCenter) - float(header.WindowWidth) / 2
    grey = np.clip((values - black) / float(header.WindowWidth) * 255, 0, 255)
    if header.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    shown = viewer.pixels().astype(float)
    height, width = shown.shape[:2]
    rows, columns = grey.shape
    scale = min(height / rows, width / columns)
    y, x = np.mgrid[20 : rows - 20 : 9, 20 : columns - 20 : 9]
    down = ((y + 0.5) * scale + (height - rows * scale) / 2).astype(int)
    across = ((x + 0.5) * scale + (width - columns * scale) / 2).astype(int)
    difference = np.abs(shown[down, across].mean(axis=-1) - grey[y, x])
    # Letters, the scale and steep edges between pixel centres differ; the picture does not.
    assert np.median(difference) < 2 and (difference < 12).mean() > 0.97
    assert np.abs(shown[down, across].mean(axis=-1) - grey[y, x[:, ::-1]]).mean() > 3 * difference.mean()


def test_a_sentence_leads_to_its_place(viewer, film_study, film_report):
    study, report = film_study, film_report
    viewer.choose(study)
    heart = next(finding for finding in report["findings"] if finding["term"] == "heart")
    mask = np.asarray(
        nibabel.Nifti1Image.from_bytes(
            gzip.decompress(viewer.fetch(f"/studies/{study['id']}/findings/{heart['id']}/mask.nii.gz"))
        ).dataobj
    )
    enlarged = next(finding for finding in report["findings"] if finding["term"] == "cardiomegaly")
    viewer.page.locator(".thumb[aria-current=true]").wait_for()
    viewer.settle()

    viewer.page.mouse.move(2, 2)
    before = viewer.pixels()
    said = viewer.page.locator(f'[data-findings="{enlarged["id"]}"]').first
    said.hover()
    viewer.page.wait_for_timeout(400)
    lit = np.abs(viewer.pixels().astype(int) - before).max(axis=-1) > 24
    # The outline of the heart lights up and nothing but it: the picture is fitted by its height.
    rows, _columns = np.nonzero(lit)
    scale = lit.shape[0] / mask.shape[0]
    inside = np.argwhere(mask[:, :, 0])
    assert abs(rows.min() / scale - inside[:, 0].min()) < 4 and lit.mean() < 0.05

    viewer.view("picture").click(position=canvas_point(viewer, "picture", (0.1, 0.1)))
    assert viewer.crosshair()[:2] != tuple(round(at) for at in enlarged["seed_voxel"])
    said.click()
    viewer.page.wait_for_timeout(200)
    row, column = viewer.crosshair()[:2]
    assert (row, column) == tuple(round(at) for at in enlarged["seed_voxel"])
    assert mask[row, column, 0] == 1


def test_verdicts_and_sentences_are_kept(viewer, film_study, film_report):
    study = film_study
    viewer.choose(study)
    page = viewer.page
    said = page.locator(".impression .sentence").first
    (finding,) = said.get_attribute("data-findings").split()
    said.click()
    page.keyboard.press("a")
    page.keyboard.press("e")
    page.get_by_label("Sentence", exact=True).fill("The heart is large.")
    page.keyboard.press("Enter")
    page.get_by_text("The heart is large.").first.wait_for()
    viewer.settle()
    row = next(row for row in viewer.ask(f"/studies/{study['id']}/report")["findings"] if row["id"] == finding)
    assert row["verdict"] == "accepted" and row["sentence"] == "The heart is large."
    page.get_by_role("tab", name="Review").click()
    page.locator(f'[data-finding="{finding}"]').get_by_role("button", name="Reject").click()
    viewer.settle()
    page.wait_for_timeout(300)
    row = next(row for row in viewer.ask(f"/studies/{study['id']}/report")["findings"] if row["id"] == finding)
    assert row["verdict"] == "rejected"
    page.get_by_role("tab", name="Report").click()
    assert "rejected" in page.locator(".impression .sentence").first.get_attribute("class")


def test_segment_by_two_clicks_and_a_scribble_undo_and_export(viewer, brain, tmp_path):
    """Each step is answered at once; undo brings the mask back to the bit; what is kept is in the SEG."""
    study = viewer.open(brain)
    page, view = viewer.page, viewer.view("axial")
    page.keyboard.press("s")
    view.click(position=canvas_point(viewer, "axial", (0.40, 0.42)))
    first = viewer.segmented()
    view.click(position=canvas_point(viewer, "axial", (0.62, 0.42)))
    second = viewer.segmented()
    assert first > 0 and second > 0 and first != second
    viewer.page.wait_for_timeout(300)
    drawn = viewer.pixels("axial")

    page.keyboard.press("b")
    box = view.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.38, box["y"] + box["height"] * 0.60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.60, box["y"] + box["height"] * 0.64, steps=6)
    page.mouse.up()
    third = viewer.segmented()
    assert third != second
    page.keyboard.press("Control+z")
    assert viewer.segmented() == second
    page.mouse.move(2, 2)
    page.wait_for_timeout(300)
    assert (np.abs(viewer.pixels("axial").astype(int) - drawn).max(axis=-1) > 24).mean() < 0.002
    page.keyboard.press("Control+Shift+z")
    assert viewer.segmented() == third
    page.keyboard.press("Control+z")
    viewer.segmented()

    page.get_by_label("Name of the finding").fill("white matter")
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("tab", name="Masks").click()
    page.get_by_role("switch", name="White matter").wait_for()
    viewer.settle()
    (kept,) = viewer.ask(f"/studies/{study['id']}/report")["findings"]
    assert kept["source"] == "person" and kept["term"] == "white matter"
    assert kept["volume_ml"] == pytest.approx(second, abs=0.06)

    with zipfile.ZipFile(exported(viewer, "NIfTI", tmp_path / "masks.zip")) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".nii.gz"))
        mask = nibabel.Nifti1Image.from_bytes(gzip.decompress(archive.read(name)))
    voxel = abs(np.linalg.det(mask.affine[:3, :3])) / 1000
    assert np.count_nonzero(np.asarray(mask.dataobj)) * voxel == pytest.approx(kept["volume_ml"], abs=1e-4)


def test_a_drawn_finding_is_in_the_exported_seg(viewer, film_study, film_report, tmp_path):
    """Beside the masks of the reading, on the film that came as DICOM."""
    viewer.choose(film_study)
    viewer.page.locator(".report").wait_for()
    viewer.page.keyboard.press("s")
    for share in ((0.5, 0.2), (0.52, 0.25)):
        viewer.view("picture").click(position=canvas_point(viewer, "picture", share))
        viewer.segmented()
    viewer.page.get_by_label("Name of the finding").fill("pulmonary nodule")
    viewer.page.get_by_role("button", name="Keep").click()
    viewer.page.get_by_role("button", name="Delete Pulmonary nodule").wait_for()
    viewer.settle()
    header = pydicom.dcmread(exported(viewer, "DICOM SEG", tmp_path / "masks.seg.dcm"))
    labels = [segment.SegmentLabel.lower() for segment in header.SegmentSequence]
    assert header.SOPClassUID == "1.2.840.10008.5.1.4.1.1.66.4"
    assert any("nodule" in label for label in labels) and any("heart" in label for label in labels)


def test_what_cannot_be_opened_is_said_in_words(viewer, tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    before = viewer.ask("/studies")["total"]
    viewer.page.set_input_files("input[type=file]", [str(tmp_path / "notes.txt")])
    said = viewer.page.get_by_role("alert")
    said.wait_for()
    assert "notes.txt" in said.inner_text() and "{" not in said.inner_text()
    said.get_by_role("button", name="Close").click()
    assert viewer.ask("/studies")["total"] == before


def exported(viewer: Room, form: str, path: Path) -> Path:
    """Save an export through the menu."""
    viewer.page.get_by_role("button", name="Export").click()
    with viewer.page.expect_download() as coming:
        viewer.page.get_by_role("button", name=form).click()
    coming.value.save_as(path)
    return path

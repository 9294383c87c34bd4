"""The viewer beyond the first steps: a brain read and seen in 3D, a dropped file, a prior, screens."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from viewer_room import Room, room, sample_brain, sample_radiograph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("rooms") / "data") as held:
        yield held


@pytest.fixture(scope="module")
def brain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample_brain(tmp_path_factory.mktemp("brain"))


@pytest.fixture(scope="module")
def brain_study(viewer: Room, brain: Path) -> dict[str, Any]:
    return viewer.open(brain)


@pytest.fixture(scope="module")
def brain_report(viewer: Room, brain_study: dict[str, Any]) -> dict[str, Any]:
    viewer.choose(brain_study)
    return viewer.read(brain_study)


def test_a_brain_is_read_and_its_sentences_lead_into_its_parts(viewer, brain_study, brain_report):
    study, report = brain_study, brain_report
    viewer.choose(study)
    for name in ("thalamus", "brainstem"):
        finding = next(finding for finding in report["findings"] if finding["term"] == name and finding["mask_url"])
        packed = viewer.fetch(f"/studies/{study['id']}/findings/{finding['id']}/mask.nii.gz")
        mask = np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(packed)).dataobj)
        assert mask[viewer.crosshair()] == 0
        viewer.page.locator(f'[data-findings~="{finding["id"]}"]').first.click()
        viewer.page.wait_for_timeout(300)
        assert mask[viewer.crosshair()] == 1


def test_the_volume_and_its_masks_stand_in_three_dimensions(viewer, brain_study, brain_report):
    viewer.choose(brain_study)
    page = viewer.page
    page.get_by_role("tab", name="Masks").click()
    page.get_by_role("switch", name="Brainstem").click()
    page.keyboard.press("g")
    page.locator("[data-plane='3d'] canvas[data-ready=true]").wait_for()
    page.wait_for_timeout(4000)
    bare = viewer.pixels("3d").astype(int)
    lit = (bare.max(axis=-1) > 40).mean()
    assert 0.1 < lit < 0.95
    page.get_by_label("Cut").fill("0.5")
    page.wait_for_timeout(3000)
    cut = viewer.pixels("3d").astype(int)
    coloured = ((cut.max(axis=-1) - cut.min(axis=-1)) > 50).mean()
    assert coloured > ((bare.max(axis=-1) - bare.min(axis=-1)) > 50).mean() + 0.005
    page.keyboard.press("f")


def test_two_studies_side_by_side_share_the_crosshair(viewer, brain_study, tmp_path):
    """The same voxels stored the other way round: one place, one crosshair, whatever the order of the indices."""
    (tmp_path / "turned").mkdir()
    source = nibabel.load(sample_brain(tmp_path))
    flipped = source.as_reoriented(nibabel.orientations.axcodes2ornt("LPI"))
    nibabel.save(flipped, tmp_path / "turned" / "earlier.nii.gz")
    viewer.open(tmp_path / "turned" / "earlier.nii.gz")
    viewer.choose(brain_study)
    viewer.page.get_by_role("button", name="Compare").click()
    viewer.page.locator(".menu .item", has_text="earlier").click()
    both = viewer.page.locator(".views.pair canvas")
    both.nth(1).wait_for()
    viewer.settle()
    box = both.nth(1).bounding_box()
    both.nth(1).click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.4})
    viewer.page.wait_for_timeout(300)

    def voxel(n: int) -> list[int]:
        said = both.nth(n).get_attribute("aria-label")
        return [int(part) for part in said.rpartition("voxel ")[2].rstrip(".").split(",")]

    earlier, now = (nibabel.affines.apply_affine(image.affine, voxel(n)) for n, image in enumerate((flipped, source)))
    # Half a voxel of rounding on either side.
    assert np.abs(earlier - now).max() <= 2.1
    viewer.page.keyboard.press("y")
    before = voxel(0)
    both.nth(1).click(position={"x": box["width"] * 0.6, "y": box["height"] * 0.6})
    viewer.page.wait_for_timeout(300)
    assert voxel(0) == before
    viewer.page.get_by_role("button", name="End comparison").click()


def test_a_dropped_file_is_opened(viewer, tmp_path):
    content = base64.b64encode(sample_radiograph(tmp_path).read_bytes()).decode()
    viewer.page.evaluate(
        """content => {
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "dropped.dcm"));
            for (const kind of ["dragenter", "dragover", "drop"]) {
                window.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
            }
        }""",
        content,
    )
    viewer.page.locator(".study .row[aria-current=true]", has_text="dropped.dcm").wait_for()
    viewer.view("picture").wait_for()
    assert viewer.page.locator(".dropping").count() == 0


def test_everything_that_can_be_pressed_has_a_name_and_a_place_in_the_order(viewer, tmp_path):
    viewer.open(sample_radiograph(tmp_path))
    page = viewer.page
    for press in page.locator("button:visible, input:visible, select:visible, canvas:visible").all():
        said = press.evaluate("e => e.ariaLabel || e.innerText || e.title || e.closest('label')?.innerText || ''")
        assert said.strip(), press.evaluate("e => e.outerHTML")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    view = viewer.view("picture")
    view.focus()
    row, column = viewer.crosshair()[:2]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert viewer.crosshair()[:2] == (row + 1, column + 1)
    assert f"voxel {row + 1}, {column + 1}" in view.get_attribute("aria-label")
    assert page.locator("[aria-live=polite]").count() == 1


@pytest.mark.parametrize(("width", "height", "scale"), [(1366, 768, 1), (1920, 1080, 2), (3840, 2160, 1)])
def test_the_room_fits_its_screen(viewer, brain_report, width, height, scale):
    """Nothing runs over the window, the image has most of it, the notice can be read, text grows with the screen."""
    context = viewer.page.context.browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    page = context.new_page()
    page.goto(viewer.url)
    page.locator(".study .row", has_text="brain").first.click()
    page.locator(".report").wait_for()
    page.locator(".busy").wait_for(state="detached")
    overflow = page.evaluate("() => [document.body.scrollWidth - innerWidth, document.body.scrollHeight - innerHeight]")
    assert max(overflow) <= 0
    stage = page.locator(".stage").bounding_box()
    assert stage["width"] * stage["height"] > 0.5 * width * height
    notice = page.locator(".notice", has_text="Not a medical device").bounding_box()
    assert notice["x"] >= 0 and notice["x"] + notice["width"] <= width and notice["y"] + notice["height"] <= height
    assert notice["height"] >= 0.012 * height
    # The canvas takes its size when its volume has come: as many dots as the screen has.
    page.wait_for_function(
        """scale => {
            const canvas = document.querySelector(".view.main canvas");
            return Math.abs(canvas.width / canvas.getBoundingClientRect().width / scale - 1) < 0.01;
        }""",
        arg=scale,
    )
    context.close()

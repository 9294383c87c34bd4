"""Pages: geometry of the pictures, hostile text, and a real browser that sees pictures, overlays and the table."""

import base64
import io
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.core import (
    Acquisition,
    Evidence,
    Finding,
    Image,
    Line,
    Location,
    Mask,
    Measurement,
    ModelCitation,
    Reading,
    Study,
    ontology,
)
from groundglass.report import compose, key_pictures, render_html, render_text
from groundglass.report.pictures import LESION, window
from groundglass.report.planes import volume_plane

TERMS = ontology()
LPS = np.diag([-1.0, -1.0, 2.0, 1.0])
RAS = np.diag([1.0, 1.0, 2.0, 1.0])


def measure(kind, value, unit, **rest):
    return Measurement(TERMS[kind], value, unit, **rest)


def volume_study(affine=RAS, side=64):
    """A CT with a liver on the patient's right, and a lesion with its calipers in the slice k = 10."""
    array = np.full((side, side, side // 2), -1000, np.int16)
    liver, lesion = np.zeros(array.shape, bool), np.zeros(array.shape, bool)
    third = side // 3
    # In RAS+ the right side has large x: for a flipped grid it has small indices.
    columns = slice(side - third, side - 4) if affine[0, 0] > 0 else slice(4, third)
    liver[columns, 20:40, 5:20] = True
    middle = (columns.start + columns.stop) // 2
    lesion[middle - 3 : middle + 3, 28:32, 9:12] = True
    array[liver], array[lesion] = 60, 20
    image = Image.of(array, affine, name="abdomen", modality="CT", units="HU")
    line = Line(((middle - 3.0, 30.0, 10.0), (middle + 2.0, 30.0, 10.0)))
    enlarged = measure("volume", 3100.0, "mL", high=3000.0, source="published range")
    size = (
        measure("long axis", 6.0, "mm", geometry=(line,)),
        measure("short axis", 4.0, "mm"),
        measure("volume", 0.14, "mL"),
    )
    places = [Location(TERMS["liver"], None, Mask.of(m, affine), image="abdomen") for m in (liver, lesion)]
    given = (Evidence("person", "given mask"),)
    findings = (
        Finding("f1", TERMS["liver"], where=places[0], measurements=(enlarged,)),
        Finding("f2", TERMS["liver lesion"], where=places[1], measurements=size, evidence=given, part_of="f1"),
    )
    return Study((image,)), Reading(findings, ("bowel",), (), (ModelCitation("m", "1", "test set"),))


@pytest.mark.parametrize("affine", [RAS, LPS])
def test_patient_right_is_on_the_left_of_the_picture_and_superior_is_up(affine):
    study, _ = volume_study(affine)
    image = study.images[0]
    right = (50.0, 30.0, 10.0) if affine[0, 0] > 0 else (13.0, 30.0, 10.0)
    for name in ("axial", "coronal"):
        plane = volume_plane(image, name, 10)
        assert plane.letters[:2] == ("R", "L")
        assert plane.at(right)[0] < plane.size[0] / 2
    coronal = volume_plane(image, "coronal", 30)
    assert coronal.letters[2:] == ("S", "I")
    assert coronal.at((0, 30, 31))[1] < coronal.at((0, 30, 0))[1]
    # 64 x 1 mm across, 32 x 2 mm high: square in mm.
    assert coronal.size[0] == coronal.size[1]
    sagittal = volume_plane(image, "sagittal", 30)
    assert sagittal.letters == ("A", "P", "S", "I")


def test_oblique_and_permuted_axes_are_put_upright():
    permuted = np.array([[0, 0, 3.0, 0], [1.0, 0, 0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1.0]])
    image = Image.of(np.zeros((20, 30, 10)), permuted, modality="MR")
    axial = volume_plane(image, "axial", 4)
    assert (axial.axis, axial.columns, axial.rows) == (1, 2, 0)
    assert axial.letters == ("R", "L", "A", "P")
    assert axial.flip_columns
    assert axial.flip_rows
    marked = np.zeros((20, 30, 10))
    marked[19, 4, 9] = 1  # most anterior and most right
    assert axial.cut(marked)[0, 0] == 1
    assert axial.cut_mask(Mask.of(marked, permuted))[0, 0]


def test_overlay_lies_on_the_pixels_that_it_outlines():
    study, reading = volume_study()
    axial, *_, zoom = key_pictures(compose(reading, study), study)
    assert (axial.title, zoom.kind) == ("axial", "lesion")
    outline = next(o for o in axial.outlines if o.finding == "f1")
    points = np.array([[float(v) for v in p.split()] for p in outline.path.strip("MZ").split("L")])
    grey = np.asarray(Picture.open(io.BytesIO(axial.webp)).convert("L"))
    x0, y0, x1, y1 = *points.min(0), *points.max(0)
    inside = grey[int(y0) + 8 : int(y1) - 8, int(x0) + 8 : int(x1) - 8]
    assert inside.mean() > 100
    assert grey.mean() < 30
    assert (x1 - x0) / axial.size[0] == pytest.approx((60 - 43) / 64, abs=0.02)
    stroke = next(s for s in zoom.strokes if s.finding == "f2")
    assert stroke.label == "long axis 6.0 mm"
    assert {o.colour for o in zoom.outlines if o.finding == "f2"} == {LESION}


def test_windows_by_modality():
    study, reading = volume_study()
    assert window(study.images[0], reading.findings) == (-160.0, 240.0)
    lung = Finding("f", TERMS["lung"], where=Location(TERMS["lung"], None, reading.findings[0].where.mask))
    assert window(study.images[0], (lung,)) == (-1350.0, 150.0)
    ramp = Image.of(np.linspace(0, 1000, 32**3).reshape(32, 32, 32), RAS, modality="MR")
    assert window(ramp)[1] == pytest.approx(995, abs=2)
    assert window(Image.of(np.full((8, 8, 8), np.nan), RAS, modality="MR")) == (0.0, 1.0)


def test_hostile_strings_stay_text():
    study, reading = volume_study()
    attack = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    image = study.images[0]
    hostile = Image.of(
        image.array[0], RAS, name=attack, modality="CT", acquisition=Acquisition(description=attack, date=attack)
    )
    bad = Study((hostile,), patient_id=attack, clinical=attack)
    page = render_html(
        compose(Reading(reading.findings, (attack,), (attack,), (ModelCitation(attack, attack, attack),)), bad), bad
    )
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "onerror=alert(1)&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_text_has_all_sections_the_table_and_the_notice():
    study, reading = volume_study()
    text = render_text(compose(reading, study))
    for part in ("IMPRESSION", "LIMITATIONS", "MEASUREMENTS", "Draft for a qualified reader", "Not looked for: bowel."):
        assert part in text
    assert re.search(r"Liver +volume +3100\.0 mL +\^ +up to 3000\.0 mL", text)
    assert all(len(line) <= 96 for line in text.split("MEASUREMENTS")[0].splitlines())


def test_a_256_cube_renders_in_two_seconds():
    side = 256
    rng = np.random.default_rng(0)
    array = rng.integers(0, 900, (side,) * 3, dtype=np.int16)
    grid = np.indices(array.shape, sparse=True)
    names = ["thalamus", "putamen", "caudate nucleus", "globus pallidus", "brainstem", "cerebellar cortex"]
    findings = []
    for n, name in enumerate(names):
        for k, side_name in enumerate(("left", "right")):
            centre = (80 + 90 * k, 40 + 30 * n, 128)
            ball = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) < 22**2
            where = Location(TERMS[name], side_name, Mask.of(ball, np.eye(4)), image="mr")
            findings.append(
                Finding(f"f{n}{k}", TERMS[name], where=where, measurements=(measure("volume", 44.6, "mL"),))
            )
    study = Study((Image.of(array, np.eye(4), name="mr", modality="MR"),))
    started = time.process_time()
    page = render_html(compose(Reading(tuple(findings)), study), study)
    assert time.process_time() - started < 2.0
    assert page.count('<path class="mask"') >= 12


def test_image_without_findings_and_odd_shapes_still_give_a_page():
    flat = Image.of(np.zeros((1, 200), np.uint8), name="line", modality="OT")
    colour = Image.of(np.zeros((3, 40, 50), np.uint8), name="retina", modality="OP", channels=3)
    video = Image.of(np.zeros((6, 32, 48), np.uint8), name="cine", modality="US", time_axis=0)
    single = Image.of(np.zeros((32, 48, 1)), np.eye(4), name="slab", modality="MR")
    study = Study((flat, colour, video, single))
    assert [p.image for p in key_pictures(compose(Reading(), study), study)] == ["line", "retina", "cine", "slab"]
    assert "no parser covers them" in render_html(compose(Reading(), study), study)


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium on this machine, so the page cannot be looked at")
    return program


def test_a_browser_shows_pictures_overlays_and_table(chromium, tmp_path):
    study, reading = volume_study()
    page = tmp_path / "report.html"
    page.write_text(render_html(compose(reading, study), study), encoding="utf-8")
    shot = tmp_path / "shot.png"
    common = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'p'}",
    ]
    flags = [f"--screenshot={shot}", "--window-size=1200,2000", page.as_uri()]
    subprocess.run([*common, *flags], check=True, capture_output=True, timeout=120)
    dom = subprocess.run(
        [*common, "--dump-dom", page.as_uri()], check=True, capture_output=True, timeout=120, text=True
    ).stdout
    sources = re.findall(r'<img src="data:image/webp;base64,([^"]+)" width="(\d+)" height="(\d+)"', dom)
    assert len(sources) == 4
    for data, width, height in sources:
        assert Picture.open(io.BytesIO(base64.b64decode(data))).size == (int(width), int(height))
    assert dom.count("<tr data-f=") == 4
    seen = np.asarray(Picture.open(shot).convert("RGB")).astype(int)
    red = (seen[..., 0] > 200) & (seen[..., 1] < 110) & (seen[..., 2] < 110)
    blue = (abs(seen - [0x56, 0xB4, 0xE9]).sum(-1)) < 40
    black = seen.sum(-1) < 12
    # The film is there (black air around the patient), and on it the lesion's red and the liver's blue outlines.
    assert black.sum() > 40_000
    assert red.sum() > 150
    assert blue.sum() > 150

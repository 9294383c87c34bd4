"""The shipped radiograph model: fresh phantoms, the input's grid, turned pictures, real radiographs, bad input."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from groundglass.classification import RadiographView, Turn
from groundglass.core import Image, InputError, UnsupportedError
from groundglass.segmentation import segment_radiograph
from groundglass.synthesis import random_radiograph

UPRIGHT = RadiographView("frontal", "PA", 0, False, False)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def test_fresh_phantoms_agree_with_their_exact_masks() -> None:
    scores: dict[str, list[float]] = {"left lung": [], "right lung": [], "heart": []}
    for seed in (901, 902, 903):
        phantom = random_radiograph(np.random.default_rng([7, seed]), size=256, findings=(), field_width=420.0)
        found = segment_radiograph(Image.of(phantom.image), view=UPRIGHT)
        for name, values in scores.items():
            values.append(dice(found.masks[name].array, phantom.masks[name]))
    assert min(np.mean(values) for values in scores.values()) > 0.88


def test_masks_lie_on_the_input_whatever_its_shape_and_turn(data: Path) -> None:
    picture = real_picture(data)[20:, :]
    affine = np.diag([0.3, 0.3, 1.0, 1.0])
    upright = segment_radiograph(Image.of(picture, affine), view=UPRIGHT)
    turned_view = RadiographView("frontal", "PA", 90, False, True)
    turned = segment_radiograph(Image.of(Turn(1).apply(255.0 - picture), affine), view=turned_view)
    lung = upright.masks["left lung"]
    assert lung.shape == picture.shape
    np.testing.assert_array_equal(lung.affine, affine)
    # A picture that is not square is padded, so the turned one is sampled a little otherwise.
    assert dice(Turn(1).undo(turned.masks["left lung"].array), lung.array) > 0.99
    assert any("turned by 90" in note for note in turned.warnings)


def test_mirrored_pictures_keep_the_display_convention(data: Path) -> None:
    picture = real_picture(data)
    plain = segment_radiograph(Image.of(picture), view=UPRIGHT)
    mirrored = segment_radiograph(
        Image.of(picture[:, ::-1].copy()), view=RadiographView("frontal", "PA", 0, True, False)
    )
    np.testing.assert_array_equal(mirrored.masks["right lung"].array, plain.masks["left lung"].array[:, ::-1])
    assert any("situs inversus" in note for note in mirrored.warnings)


def test_real_validation_radiographs_come_out_plausible(data: Path) -> None:
    usable = [segment_radiograph(Image.of(real_picture(data, k)), view=UPRIGHT).quality.usable for k in range(8)]
    assert sum(usable) >= 7


def test_what_is_no_frontal_chest_gets_no_masks() -> None:
    rng = np.random.default_rng(0)
    anatomy = segment_radiograph(
        Image.of(rng.random((64, 64))), view=RadiographView("not a chest radiograph", None, 0, False, False)
    )
    assert not anatomy.masks
    assert not anatomy.quality.usable
    assert anatomy.warnings


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.zeros((40, 40)), InputError),
        (np.full((40, 40), np.nan), InputError),
        (np.random.default_rng(0).random((4, 9)), InputError),
        (np.zeros((4, 40, 40)), UnsupportedError),
    ],
)
def test_bad_input_is_refused(array: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error):
        segment_radiograph(Image.of(array), view=UPRIGHT)


def real_picture(data: Path, number: int = 0) -> np.ndarray:
    """An upright image of the validation split, (448, 448) float."""
    with (data / "cxr-nih14" / "labels.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["split"] == "val" and r["orientation"] == "upright"]
    with Picture.open(data / "cxr-nih14" / "images" / rows[number]["image"]) as file:
        return np.asarray(file.convert("L"), dtype=np.float32)

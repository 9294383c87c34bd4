"""Radiograph labels from a labelled CT: classes, rules, field of view, layout and phrases (card 8)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundglass.core import InputError
from groundglass.synthesis.chest_labels import (
    LabelledFilm,
    RadiographTarget,
    ct_classes,
    place_regions,
    radiograph_classes,
    radiograph_target,
    region_of,
    without_table,
    write_labelled_films,
)
from groundglass.synthesis.xray import xray_view

SHAPE = (40, 30, 36)
AFFINE = np.diag([8.0, 8.0, 8.0, 1.0])


def box(x: tuple[int, int], y: tuple[int, int], z: tuple[int, int]) -> np.ndarray:
    made = np.zeros(SHAPE, dtype=bool)
    made[x[0] : x[1], y[0] : y[1], z[0] : z[1]] = True
    return made


@pytest.fixture
def structures() -> dict[str, np.ndarray]:
    """Boxes in RAS: the patient's left at small x, his front at large y."""
    return {
        "lung_upper_lobe_left": box((5, 15), (5, 25), (18, 32)),
        "lung_lower_lobe_left": box((5, 15), (5, 25), (8, 18)),
        "lung_upper_lobe_right": box((25, 35), (5, 25), (24, 32)),
        "lung_middle_lobe_right": box((25, 35), (15, 25), (14, 24)),
        "lung_lower_lobe_right": box((25, 35), (5, 15), (8, 24)),
        "heart": box((14, 24), (12, 20), (9, 18)),
        "vertebrae_T4": box((18, 22), (2, 5), (26, 28)),
        "vertebrae_T5": box((18, 22), (2, 5), (23, 26)),
        "rib_left_5": box((3, 5), (6, 24), (15, 17)),
        "trachea": box((18, 21), (8, 11), (24, 36)),
        "clavicula_left": box((6, 17), (24, 26), (30, 36)),
        "unknown thing": box((0, 1), (0, 1), (0, 1)),
    }


def test_unions_rules_and_parts(structures: dict[str, np.ndarray]) -> None:
    held = ct_classes(structures)
    assert "unknown thing" not in held
    np.testing.assert_array_equal(held["right lung"], sum(v for k, v in structures.items() if "lobe_right" in k) > 0)
    # Between x 15 and 24 on the lungs' levels and depths, the heart's part left out.
    whole = box((15, 25), (5, 25), (8, 32))
    whole[25:] = False
    whole &= ~structures["heart"]
    both = held["left lung"].any(axis=0) & held["right lung"].any(axis=0)
    np.testing.assert_array_equal(held["mediastinum"], whole & both)
    assert np.flatnonzero(held["upper mediastinum"].any(axis=(0, 1)))[0] == 26  # T4's lower edge
    np.testing.assert_array_equal(held["upper mediastinum"] | held["lower mediastinum"], held["mediastinum"])
    y = [np.flatnonzero(held[f"{part} mediastinum"].any(axis=(0, 2))) for part in ("anterior", "middle", "posterior")]
    assert (y[0].min(), y[1].max(), y[1].min(), y[2].max()) == (20, 19, 12, 11)
    np.testing.assert_array_equal(held["left hemidiaphragm"], box((5, 15), (5, 25), (8, 9)))
    front, back = held["left rib 5, anterior"], held["left rib 5, posterior"]
    np.testing.assert_array_equal(front | back, held["left rib 5"])
    assert not (front & back).any()
    assert held["spine"].sum() == structures["vertebrae_T4"].sum() + structures["vertebrae_T5"].sum()
    assert {c.name for c in radiograph_classes()} >= set(held)
    assert len(radiograph_classes()) == len({c.name for c in radiograph_classes()})
    with pytest.raises(InputError, match="one grid"):
        ct_classes({"heart": np.zeros((2, 2, 2)), "aorta": np.zeros((3, 2, 2))})


def test_cut_and_small_classes_get_no_mask(structures: dict[str, np.ndarray]) -> None:
    structures["sternum"] = box((19, 20), (27, 28), (20, 21))
    view = xray_view(SHAPE, AFFINE, "PA", size=80, parallel=True)
    target = radiograph_target(ct_classes(structures), AFFINE, view, least_mm2=100)
    assert target.cut == ("left clavicle",)
    assert target.small == ("sternum",)
    assert "trachea" in target.masks  # open at the top of every chest
    overlap = target.masks["left lung"] & target.masks["left rib 5"]
    assert target.masks["heart"].any()
    assert not overlap.any() or target.planes().sum(axis=0).max() > 1
    area = target.masks["heart"].sum() * view.spacing[0] * view.spacing[1]
    assert area == pytest.approx(10 * 9 * 64, rel=0.05)


def test_published_layout(tmp_path: Path, structures: dict[str, np.ndarray]) -> None:
    view = xray_view(SHAPE, AFFINE, "LAT", size=(40, 36), parallel=True)
    target = radiograph_target(ct_classes(structures), AFFINE, view)
    film = LabelledFilm("a", "val", np.zeros((40, 36)), target, {"geometry": view.document(), "source": "test"})
    document = json.loads(write_labelled_films([film], tmp_path).read_text())
    assert document["val"] == [{"image": "images/a.png", "target": "labels/a.npy"}]
    assert document["train"] == document["test"] == []
    assert len(document["label_dict"]) == len(radiograph_classes())
    packed = np.load(tmp_path / "labels" / "a.npy")
    np.testing.assert_array_equal(np.unpackbits(packed, axis=-1, count=36).astype(bool), target.planes())
    assert json.loads((tmp_path / "labels" / "a.json").read_text())["cut"] == ["left clavicle"]
    with pytest.raises(InputError, match="part"):
        write_labelled_films([LabelledFilm("b", "extra", film.picture, target, {})], tmp_path)


def test_the_couch_is_removed() -> None:
    hu = np.full((40, 40, 6), -1000, dtype=np.int16)
    hu[8:32, 10:30] = 40
    hu[12:20, 14:26] = -850
    hu[2:38, 3:5] = 300
    clean, body = without_table(hu)
    assert clean.dtype == np.int16
    assert clean[20, 4, 3] == -1000
    assert body[16, 20, 3]  # the lung belongs to the body
    assert not body[:, :8].any()
    with pytest.raises(InputError, match="denser"):
        without_table(np.full((4, 4, 4), -1000))


def test_phrases_name_regions() -> None:
    left = np.zeros((30, 20), dtype=bool)
    left[:, 11:] = True
    masks = {"left lung": left, "right lung": ~left, "left lower lobe": left & (np.arange(30) > 14)[:, None]}
    masks["heart"] = np.zeros((30, 20), dtype=bool)
    masks["heart"][15:25, 8:14] = True
    np.testing.assert_array_equal(region_of("Opacity in the left lower lobe.", masks), masks["left lower lobe"])
    zone = region_of("Nodule in the right upper lung zone", masks)
    assert zone is not None
    assert zone[:10, :11].all()
    assert zone.sum() == 110
    np.testing.assert_array_equal(region_of("The heart is enlarged.", masks), masks["heart"])
    assert region_of("Blunting of the left costophrenic angle", masks)[20:, 11:].all()
    assert region_of("No change since yesterday.", masks) is None
    assert isinstance(RadiographTarget(masks, (), ()).planes(), np.ndarray)


def test_regions_that_a_phrase_may_point_at() -> None:
    left = np.zeros((30, 20), dtype=bool)
    left[3:27, 11:18] = True
    masks = {"left lung": left, "left lower lobe": left & (np.arange(30) > 14)[:, None], "heart": left[:, ::-1]}
    masks["right lung"] = np.zeros_like(left)
    found = place_regions(masks)
    zones = [found[f"left {zone} zone"] for zone in ("upper", "middle", "lower")]
    np.testing.assert_array_equal(np.sum(zones, axis=0), left)
    assert [zone.sum() for zone in zones] == [56, 56, 56]
    assert set(found) == {*(f"left {zone} zone" for zone in ("upper", "middle", "lower")), "left lower lobe",
                          "left lung", "heart"}  # fmt: skip

"""The twelve radiograph tasks on drawn chests, where every index is known in closed form."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from groundglass.core import GeometryError
from groundglass.measurement.radiographic import RECIPES, RadiographMasks, drop_rates, measure_radiograph, threshold
from groundglass.synthesis.schematic_chest import SchematicChest

SIZE = 500


def row(task: str, chest: SchematicChest, *, size: int = 1000, view="PA", **facts):
    recipe = next(recipe for recipe in RECIPES if recipe.task == task)
    return recipe.run(RadiographMasks(drawn(chest, size), view=view, **facts))


@lru_cache(maxsize=8)
def drawn(chest: SchematicChest, size: int):
    return chest.draw(size)


@pytest.mark.parametrize("truth", [0.40, 0.49, 0.51, 0.60])
def test_cardiothoracic_ratio_within_one_percent(truth):
    assert row("cardiomegaly", SchematicChest(cardiothoracic_ratio=truth)).index == pytest.approx(truth, rel=0.01)


@pytest.mark.parametrize("truth", [50.0, 70.0, 90.0])
def test_carina_angle_within_one_degree(truth):
    assert row("carina_angle", SchematicChest(carina_angle=truth)).index == pytest.approx(truth, abs=1.0)


@pytest.mark.parametrize("distances", [(0.04, 0.04), (0.02, 0.05), (0.06, 0.03)])
def test_rotation_ratio_within_one_percent(distances):
    found = row("rotation", SchematicChest(clavicles=distances))
    assert found.index == pytest.approx(min(distances) / max(distances), rel=0.01)
    assert found.values["ratio"] == pytest.approx(distances[0] / distances[1], rel=0.01)


@pytest.mark.parametrize("truth", [-1.0, -0.25, 0.75])
def test_trachea_deviation_within_one_percent_and_signed(truth):
    assert row("trachea_deviation", SchematicChest(deviation=truth)).index == pytest.approx(truth, abs=0.01)


@pytest.mark.parametrize(
    ("task", "name", "truth", "within"),
    [
        ("mediastinal_widening", "mediastinal_ratio", 0.30, 0.003),
        ("aortic_knob_enlargement", "knob_ratio", 2.75, 0.0275),
        ("ascending_aorta_enlargement", "ascending_share", 0.25, 0.005),
        ("descending_aorta_enlargement", "descending_ratio", 2.6, 0.026),
        ("descending_aorta_tortuous", "bend", 0.0, 1.0),
        ("descending_aorta_tortuous", "bend", 60.0, 1.0),
        ("descending_aorta_tortuous", "bend", 90.0, 1.0),
        ("inspiration", "rib", 7, 0.0),
        ("inspiration", "rib", 10, 0.0),
    ],
)
def test_other_indices(task, name, truth, within):
    assert row(task, SchematicChest(**{name: truth})).index == pytest.approx(truth, abs=within)


@pytest.mark.parametrize(("overlap", "label"), [((0.30, 0.32), 1), ((0.23, 0.28), 0), ((0.29, 0.14), 0)])
def test_projection_reproduces_the_published_rows(overlap, label):
    found = row("projection", SchematicChest(overlap=overlap))
    assert (found.values["ratio_right"], found.values["ratio_left"]) == pytest.approx(overlap, abs=1e-9)
    assert found.label == label


@pytest.mark.parametrize(
    "cut", ["right apex", "left apex", "right side", "left side", "right costophrenic", "left costophrenic"]
)
def test_inclusion_names_the_border_that_is_cut(cut):
    found = row("inclusion", SchematicChest(cut=frozenset({cut})))
    side, border = cut.split(" ")
    assert (found.index, found.label) == (5, 0)
    assert found.values[f"label_{border}_{side}_lung"] == 0
    assert row("inclusion", SchematicChest()).label == 1


FLIPS = [
    ("cardiomegaly", "PA", {"cardiothoracic_ratio": 358 / 720}, {"cardiothoracic_ratio": 0.5}),
    ("cardiomegaly", "AP", {"cardiothoracic_ratio": 394 / 720}, {"cardiothoracic_ratio": 0.55}),
    ("mediastinal_widening", "PA", {"mediastinal_ratio": 178 / 720}, {"mediastinal_ratio": 0.25}),
    ("projection", "PA", {"overlap": (0.29, 0.5)}, {"overlap": (0.30, 0.5)}),
    ("inspiration", "PA", {"rib": 9}, {"rib": 8}),
    ("rotation", "PA", {"clavicles": (0.02, 0.05)}, {"clavicles": (0.019, 0.05)}),
    ("aortic_knob_enlargement", "PA", {"knob_ratio": 88 / 36}, {"knob_ratio": 2.5}),
    ("trachea_deviation", "PA", {"deviation": 0.5}, {"deviation": 19 / 36}),
]


@pytest.mark.parametrize(("task", "view", "normal", "abnormal"), FLIPS)
def test_label_flips_exactly_at_the_threshold(task, view, normal, abnormal):
    """The indices on either side differ by one or two pixels of a 1000 pixel drawing."""
    assert row(task, SchematicChest(**normal), view=view).label == 0
    assert row(task, SchematicChest(**abnormal), view=view).label == 1


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.task)
def test_threshold_flips_within_one_part_in_a_million(recipe):
    rule = threshold(recipe.task)
    for view, limit in rule.value.items():
        for edge, outward in [(limit[0], -1), (limit[1], 1)] if isinstance(limit, tuple) else [(limit, None)]:
            down, at, up = (rule.label(edge * f, view) for f in (1 - 1e-6, 1, 1 + 1e-6))
            expected = {
                "at_least": (0, 1, 1),
                "at_most": (1, 1, 0),
                "below": (1, 0, 0),
                "magnitude_above": (0, 0, 1),
                "outside": (1, 0, 0) if outward == -1 else (0, 0, 1),
            }[rule.rule]
            assert (down, at, up) == expected


def pathological() -> SchematicChest:
    return SchematicChest(
        cardiothoracic_ratio=0.58,
        mediastinal_ratio=0.31,
        carina_angle=84,
        deviation=0.7,
        clavicles=(0.016, 0.05),
        overlap=(0.4, 0.35),
        rib=8,
        knob_ratio=2.8,
        ascending_share=0.2,
        descending_ratio=2.6,
        bend=70,
    )


def test_invariant_to_scale():
    small, large = (measure_radiograph(RadiographMasks(pathological().draw(n), view="PA")) for n in (500, 1500))
    for task, found in small.items():
        assert found.label == large[task].label, task
        assert found.index == pytest.approx(large[task].index, rel=0.02, abs=0.02), task
    # Doubling every pixel is an exact change of scale for widths.
    masks = pathological().draw(500)
    doubled = {name: mask.repeat(2, axis=0).repeat(2, axis=1) for name, mask in masks.items()}
    again = measure_radiograph(RadiographMasks(doubled, view="PA"))
    for task in ("cardiomegaly", "mediastinal_widening", "projection", "aortic_knob_enlargement", "inspiration"):
        assert again[task].index == pytest.approx(small[task].index, abs=1e-12), task


def test_a_flip_with_sides_swapped_changes_nothing_that_has_no_side():
    """Symmetric indices stay, signed ones change their sign, and doing it twice is the identity."""
    chest = SchematicChest(cardiothoracic_ratio=0.53, clavicles=(0.02, 0.05), overlap=(0.2, 0.4), carina_angle=75)
    masks = RadiographMasks(chest.draw(SIZE), view="PA")
    before, after = measure_radiograph(masks), measure_radiograph(masks.mirrored())
    for task in ("inclusion", "cardiomegaly", "mediastinal_widening", "rotation", "projection", "carina_angle"):
        assert after[task].index == pytest.approx(before[task].index, abs=1e-9), task
        assert after[task].label == before[task].label
    assert after["trachea_deviation"].index == pytest.approx(-before["trachea_deviation"].index, abs=1e-9)
    assert after["rotation"].values["ratio"] == pytest.approx(1 / before["rotation"].values["ratio"])
    twice = measure_radiograph(masks.mirrored().mirrored())
    assert {t: r.index for t, r in twice.items()} == {t: r.index for t, r in before.items()}


def test_a_mirrored_film_is_dropped_not_measured():
    """Flipped without renaming the sides: right and left are in the wrong order."""
    drawn = SchematicChest().draw(400)
    flipped = measure_radiograph(RadiographMasks({name: mask[:, ::-1] for name, mask in drawn.items()}, view="PA"))
    assert not flipped["cardiomegaly"].is_measured
    assert "right one does not lie to the left" in flipped["cardiomegaly"].dropped


def test_millimetres_only_with_known_spacing():
    chest = SchematicChest(cardiothoracic_ratio=0.5)
    assert not any(name.endswith("_mm") for name in row("cardiomegaly", chest).values)
    found = row("cardiomegaly", chest, spacing=(0.4, 0.4))
    assert found.values["heart_width_mm"] == pytest.approx(0.5 * 0.72 * 1000 * 0.4)


def test_angles_respect_pixels_that_are_not_square():
    masks = SchematicChest(carina_angle=70, bend=60).draw(SIZE)
    squeezed = {name: mask[::2] for name, mask in masks.items()}
    found = measure_radiograph(RadiographMasks(squeezed, spacing=(0.4, 0.2), view="PA"))
    assert found["carina_angle"].index == pytest.approx(70, abs=1.0)
    assert found["descending_aorta_tortuous"].index == pytest.approx(60, abs=1.5)


def test_unknown_view_gives_a_label_only_where_views_agree():
    labels = [
        row("cardiomegaly", SchematicChest(cardiothoracic_ratio=ratio), view=None).label for ratio in (0.45, 0.52, 0.6)
    ]
    assert labels == [0, None, 1]


def test_broken_masks_drop_the_case_with_the_reason():
    masks = SchematicChest().draw(400)
    heart = masks["heart"].copy()
    heart[:, 205:212] = False
    for broken, reason in [
        ({"heart": heart}, "is in 2 pieces"),
        ({"heart": np.zeros_like(heart)}, "no mask"),
        ({"heart": np.ones_like(heart)}, "covers 100.00%"),
    ]:
        assert reason in measure_radiograph(RadiographMasks(masks | broken))["cardiomegaly"].dropped
    speck = masks["heart"].copy()
    speck[5:8, 5:8] = True
    whole = measure_radiograph(RadiographMasks(masks | {"heart": speck}))["cardiomegaly"]
    assert whole.index == pytest.approx(0.45, abs=0.005)


def test_landmarks_lie_on_the_measured_edges():
    found = row("cardiomegaly", SchematicChest(cardiothoracic_ratio=0.5))
    right, left, chest = found.landmarks
    lengths = [abs(line.points[1][1] - line.points[0][1]) for line in found.landmarks]
    assert (lengths[0] + lengths[1]) / lengths[2] == pytest.approx(found.index, rel=1e-12)
    assert right.points[1][1] == pytest.approx(left.points[0][1], abs=1e-6)
    assert chest.points[0][1] == pytest.approx(139.5)


def test_drop_rates_by_task_and_view():
    masks = SchematicChest().draw(300)
    partial = {name: mask for name, mask in masks.items() if name != "trachea"}
    rows = [
        each
        for view, given in (("PA", masks), ("PA", partial), ("AP", partial))
        for each in measure_radiograph(RadiographMasks(given, view=view)).values()
    ]
    rates = drop_rates(rows)
    assert rates["trachea_deviation", "PA"] == (1, 2)
    assert rates["trachea_deviation", "AP"] == (1, 1)
    assert rates["cardiomegaly", "PA"] == (0, 2)


def test_masks_must_share_one_grid():
    with pytest.raises(GeometryError):
        RadiographMasks({"heart": np.ones((3, 4), bool), "left lung": np.ones((4, 4), bool)})


def test_rows_are_flat_tables():
    table = row("projection", SchematicChest()).to_dict()
    assert {"task", "viewposition", "index", "label", "scapular_region_right", "ratio_left"} <= set(table)
    assert all(isinstance(value, (str, int, float, type(None))) for value in table.values())


def test_every_task_is_measured_on_a_pathological_chest():
    rows = measure_radiograph(RadiographMasks(replace(pathological(), bend=80).draw(600), view="AP"))
    assert [task for task, found in rows.items() if not found.is_measured] == []
    assert [task for task, found in rows.items() if found.is_abnormal is False] == ["inclusion", "mediastinal_widening"]


def test_the_knob_is_found_on_the_whole_aorta():
    masks = SchematicChest(knob_ratio=2.75).draw(1000)
    whole = masks["aortic knob"] | (masks["descending aorta"] & (np.arange(1000)[:, None] > 500))
    given = {name: mask for name, mask in masks.items() if name != "aortic knob"} | {"aorta": whole}
    found = measure_radiograph(RadiographMasks(given, view="PA"))["aortic_knob_enlargement"]
    assert found.index == pytest.approx(2.75, rel=0.01)

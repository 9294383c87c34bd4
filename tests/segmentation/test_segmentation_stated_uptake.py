"""The lesion of a PET/CT sentence: right region, slice direction by majority, reasons for what is not matched."""

from __future__ import annotations

import numpy as np
import pytest

from groundglass.core import Image, InputError
from groundglass.segmentation import stated_lesions
from groundglass.segmentation.stated_uptake import candidates, narrowed
from groundglass.text.mining import mined

SHAPE = (40, 40, 60)
UNITS = "g/mL{SUVbw}"


def ball(centre: tuple[int, int, int], radius: float) -> np.ndarray:
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1)
    return np.linalg.norm(grid - centre, axis=-1) <= radius


def body(*balls: tuple[tuple[int, int, int], float, float], background: float = 1.0) -> np.ndarray:
    """Balls of (centre, radius, SUV), each falling off to 70 % at its rim so that it has one peak."""
    values = np.full(SHAPE, background, dtype=np.float32)
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1)
    for centre, radius, suv in balls:
        away = np.linalg.norm(grid - centre, axis=-1)
        values = np.maximum(values, np.where(away <= radius, suv * (1 - 0.3 * away / radius), 0)).astype(np.float32)
    return values


def pet(values: np.ndarray) -> Image:
    return Image.of(values, np.eye(4), name="PET", modality="PT", units=UNITS)


NODE, OTHER = ((10, 10, 50), 4.0, 7.83), ((30, 30, 20), 4.0, 5.21)


def test_the_region_of_the_stated_value_is_found() -> None:
    first, second = stated_lesions(
        pet(body(NODE, OTHER)), mined("Right node, SUVmax 7.8 (slice 51). Left node with SUVmax 5.2, image 21.")
    )
    np.testing.assert_array_equal(first.mask.array, ball(*NODE[:2]))
    np.testing.assert_array_equal(second.mask.array, ball(*OTHER[:2]))
    assert first.suv_max == pytest.approx(7.83) and first.unmatched == ""


def test_slices_counted_from_the_other_end() -> None:
    # 60 slices: index 50 is slice 10 from the last end; index 20 is slice 40.
    found = stated_lesions(
        pet(body(NODE, OTHER)), mined("Right node, SUVmax 7.8 (slice 10). Left node with SUVmax 5.2, image 40.")
    )
    assert [lesion.unmatched for lesion in found] == ["", ""]
    assert found[0].mask.array[10, 10, 50]


def test_one_wrong_slice_does_not_turn_the_exam() -> None:
    third = ((30, 10, 35), 4.0, 9.44)
    text = "Node, SUVmax 7.8 (slice 51). Node, SUVmax 5.2 (slice 21). Node, SUVmax 9.4 (slice 25)."
    found = stated_lesions(pet(body(NODE, OTHER, third)), mined(text))
    assert [lesion.unmatched for lesion in found] == ["", "", "no candidate"]


def test_two_ends_that_fit_alike_are_left_open_unless_they_agree() -> None:
    twin = ((30, 30, 9), 4.0, 7.83)  # index 9 is the mirror of index 50
    (open_,) = stated_lesions(pet(body(NODE, twin)), mined("Node, SUVmax 7.8 (slice 51)."))
    assert open_.unmatched == "direction unknown" and open_.mask is None
    middle = ((20, 20, 30), 4.0, 7.83)
    (agreed,) = stated_lesions(pet(body(middle)), mined("Node, SUVmax 7.8 (slice 31)."))
    assert agreed.unmatched == ""


def test_equal_values_on_one_slice_are_dropped_and_rounding_follows_the_text() -> None:
    same = ((30, 30, 50), 4.0, 7.79)
    (several,) = stated_lesions(pet(body(NODE, same)), mined("Node, SUVmax 7.8 (slice 51)."))
    assert several.unmatched == "several candidates"
    (exact,) = stated_lesions(pet(body(NODE, same)), mined("Node, SUVmax 7.83 (slice 51)."))
    assert exact.unmatched == "" and exact.mask.array[10, 10, 50]
    (whole,) = stated_lesions(pet(body(NODE)), mined("Node, SUVmax 8 (slice 51)."))
    assert whole.unmatched == ""


def test_sentences_dropped_in_the_text_stay_dropped() -> None:
    (row,) = stated_lesions(pet(body(NODE)), mined("Previously the node had an SUVmax of 7.8 (slice 51)."))
    assert row.unmatched == "dropped in the text" and row.row.dropped == "earlier exam"


def test_a_hotter_neighbour_does_not_swallow_the_lesion() -> None:
    bladder = ((20, 20, 20), 8.0, 30.0)
    lesion = ((20, 20, 31), 3.0, 9.0)
    values = body(bladder, lesion)
    found = [held for held in candidates(values) if held.at == (20, 20, 31)]
    assert len(found) == 1
    region = narrowed(values, found[0])
    assert region[20, 20, 31] and not (region & ball(*bladder[:2]) & ~ball(*lesion[:2])).any()


def test_narrowing_ends_on_noise() -> None:
    values = np.random.default_rng(3).gamma(4, 0.8, SHAPE).astype(np.float32)
    for held in candidates(values)[:5]:
        assert narrowed(values, held)[held.at]


def test_only_volumes_in_suv() -> None:
    counts = Image.of(body(NODE), np.eye(4), name="PET", modality="PT", units="Bq/mL")
    with pytest.raises(InputError, match="SUV"):
        stated_lesions(counts, [])

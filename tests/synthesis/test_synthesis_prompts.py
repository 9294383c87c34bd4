"""Simulated strokes, clicks and boxes: they never leave the mask, and they follow the distributions they claim."""

from __future__ import annotations

import numpy as np
import pytest
from monai.apps.deepgrow.transforms import (
    AddGuidanceSignald,
    AddInitialSeedPointd,
    AddRandomGuidanced,
    FindDiscrepancyRegionsd,
)
from scipy.stats import chisquare

from groundglass.core import InputError
from groundglass.segmentation.interactive import guidance_map
from groundglass.synthesis import (
    click_weights,
    correcting_click,
    correction,
    deep_click,
    discrepancy,
    draw_scribbles,
    first_deep_clicks,
    first_prompt,
    generous_strokes,
    jittered_box,
    smooth_noise,
    with_brush,
)
from groundglass.synthesis.prompt_simulation import Drawn, along_middle, surrounding

Mask = np.ndarray


def random_mask(rng: np.random.Generator) -> Mask:
    """One pixel, a ring, a line, many parts, everything, or a blob."""
    kind = int(rng.integers(6))
    mask = np.zeros((40, 48), dtype=bool)
    if kind == 0:
        mask[int(rng.integers(40)), int(rng.integers(48))] = True
    elif kind == 1:
        rows, columns = np.indices(mask.shape)
        far = np.hypot(rows - rng.uniform(5, 35), columns - rng.uniform(5, 43))
        mask = (far < 12) & (far > rng.uniform(6, 11))
    elif kind == 2:
        mask[int(rng.integers(40))] = True
    elif kind == 3:
        mask = rng.random(mask.shape) < 0.05
    elif kind == 4:
        mask[:] = True
    else:
        mask = smooth_noise(mask.shape, rng, 10.0) > rng.uniform(-1, 1)
    if not mask.any():
        mask[0, 0] = True
    return mask


def test_a_brush_is_as_wide_as_it_says_and_mostly_minds_the_border() -> None:
    rows, columns = np.indices((64, 64))
    mask = np.hypot(rows - 32, columns - 32) < 14
    line, outer = np.zeros((2, 64, 64), dtype=bool)
    line[32, 20:45], outer[5, 10:50] = True, True
    rng = np.random.default_rng(0)
    assert with_brush(Drawn(line, outer), mask, 0, rng).positive is line
    minded = 0
    for _ in range(1000):
        drawn = with_brush(Drawn(line, outer), mask, 3, rng)
        assert drawn.positive[29:36, 32].all() and not drawn.positive[[28, 36], 32].any()
        assert drawn.negative[8, 30] and not (drawn.negative & drawn.positive).any()
        minded += not (drawn.positive & ~mask).any()
    assert 0.62 < minded / 1000 < 0.71


def test_strokes_stay_in_a_thousand_masks_and_are_never_empty() -> None:
    rng = np.random.default_rng(0)
    for k in range(1000):
        mask = random_mask(rng)
        kind = ("line", "centreline", "contour")[k % 3]
        strokes = draw_scribbles(mask, rng, kind=kind, count=1 + k % 3, most=None if k % 2 else 20)
        assert strokes.any() and not (strokes & ~mask).any(), (k, kind)
        assert k % 2 or strokes.sum() <= 20


def test_first_prompts_corrections_and_careful_strokes_keep_to_their_region() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        truth, prediction = random_mask(rng), random_mask(rng)
        drawn = first_prompt(truth, rng)
        assert not (drawn.positive & ~truth).any() and not (drawn.negative & truth).any()
        assert drawn.positive.any() or drawn.box is not None
        mended = correction(truth, prediction, rng)
        missed, spilled = discrepancy(truth, prediction)
        assert not (mended.positive & ~missed).any() and not (mended.negative & ~spilled).any()
        assert (mended.positive.any() or mended.negative.any()) == bool(missed.any() or spilled.any())
        careful = generous_strokes(truth, rng, slip=0.0)
        assert not (careful.positive & ~truth).any() and not (careful.negative & truth).any()


def test_a_line_around_keeps_its_distance_and_one_along_the_middle_stays_within() -> None:
    rng = np.random.default_rng(2)
    rows, columns = np.indices((128, 128))
    disc = (rows - 60) ** 2 + (columns - 70) ** 2 < 20**2
    for _ in range(40):
        places = np.argwhere(surrounding(disc, rng)) - (60, 70)
        apart = np.hypot(*places.T) - 20
        assert apart.min() > 0.5 and apart.max() < 20 + 3 * 5
        turns = np.unique((np.arctan2(*places.T) // (np.pi / 6)).astype(int))
        assert len(turns) >= 4, "a third of the way round is drawn at the least"
    for _ in range(40):
        mask = random_mask(rng)
        line = along_middle(mask, rng)
        assert line.any() and not (line & ~mask).any()
        assert not (surrounding(mask, rng) & mask).any()


def test_a_box_holds_the_mask_with_a_mean_margin_of_nine_and_a_half_pixels() -> None:
    rng = np.random.default_rng(2)
    mask = np.zeros((120, 120), dtype=bool)
    mask[50:60, 40:70] = True
    boxes = np.array([jittered_box(mask, rng) for _ in range(2000)])
    margins = np.abs(boxes - (50, 40, 60, 70))
    assert (boxes[:, :2] <= (50, 40)).all() and (boxes[:, 2:] >= (60, 70)).all()
    assert np.abs(margins.mean(axis=0) - 9.5).max() < 0.5 and margins.min() == 0 and margins.max() == 19
    cut = np.array([jittered_box(np.ones((9, 9), dtype=bool), rng) for _ in range(20)])
    assert (cut == (0, 0, 9, 9)).all()


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InputError, match="zigzag"):
        draw_scribbles(np.ones((4, 4), dtype=bool), np.random.default_rng(0), kind="zigzag")


def l_shape() -> Mask:
    mask = np.zeros((24, 24), dtype=bool)
    mask[3:20, 4:10] = True
    mask[14:20, 4:21] = True
    return mask


def agrees(counts: np.ndarray, weights: np.ndarray) -> bool:
    """Chi-square of counts against weights, rare pixels pooled."""
    total = counts.sum()
    rare = weights * total < 5
    observed = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(weights[~rare], weights[rare].sum()) * total
    keep = expected > 0
    return bool(chisquare(observed[keep], expected[keep]).pvalue > 0.01)


def drawn_by(click: object, draws: int) -> np.ndarray:
    counts = np.zeros((24, 24))
    for _ in range(draws):
        row, column = click()  # type: ignore[operator]
        counts[int(row), int(column)] += 1
    return counts


def test_our_clicks_follow_monai_s_distribution() -> None:
    mask, rng = l_shape(), np.random.default_rng(3)
    weights = click_weights(mask)
    assert agrees(drawn_by(lambda: deep_click(mask, rng)[0], 20_000), weights)
    seeds = AddInitialSeedPointd(label="label", guidance="guidance", sids=None, connected_regions=1)
    seeds.set_random_state(4)
    label = mask[None].astype(np.float32)
    assert agrees(drawn_by(lambda: seeds._apply(label, None)[0][0][1:], 4000), weights)
    guided = AddRandomGuidanced().set_random_state(5)
    assert agrees(drawn_by(lambda: guided.find_guidance(label)[1:], 4000), weights)


def test_one_first_click_for_each_part() -> None:
    mask = np.zeros((30, 30), dtype=bool)
    for k in range(7):
        mask[4 * k, 4 * k : 4 * k + 2] = True
    clicks = first_deep_clicks(mask, np.random.default_rng(0))
    assert [int(row) for row, _ in clicks] == [0, 4, 8, 12, 16]
    assert first_deep_clicks(np.zeros((4, 4), dtype=bool), np.random.default_rng(0)).shape == (0, 2)


def test_weights_do_not_overflow_on_large_organs() -> None:
    weights = click_weights(np.pad(np.ones((1601, 1601), dtype=bool), 1))
    assert np.isfinite(weights).all() and abs(weights.sum() - 1) < 1e-9
    assert click_weights(np.ones((5, 5), dtype=bool)).sum() == pytest.approx(1)


def test_discrepancy_equals_monai_s_and_clicks_go_to_the_larger_part() -> None:
    rng = np.random.default_rng(6)
    for _ in range(50):
        truth, prediction = random_mask(rng), random_mask(rng)
        theirs = FindDiscrepancyRegionsd.disparity(truth.astype(np.float32), prediction.astype(np.float32))
        missed, spilled = discrepancy(truth, prediction)
        assert np.array_equal(theirs[0] > 0, missed) and np.array_equal(theirs[1] > 0, spilled)
        points, positive = correcting_click(truth, prediction, rng)
        assert positive == (missed.sum() >= spilled.sum())
        assert all((missed if positive else spilled)[row, column] for row, column in points)
    assert len(correcting_click(truth, ~truth, rng, probability=0.0)[0]) == 0
    assert len(correcting_click(truth, truth, rng)[0]) == 0


@pytest.mark.parametrize("clicks", [[(7, 9)], [(7, 9), (7, 10)], [(0, 0), (31, 39), (16, 20)], [(40, 50)], []])
def test_guidance_maps_equal_monai_s(clicks: list[tuple[int, int]]) -> None:
    theirs = AddGuidanceSignald(sigma=2)._get_signal(
        np.zeros((1, 32, 40), dtype=np.float32), [[[0, *c] for c in clicks], []]
    )
    ours = guidance_map((32, 40), np.array(clicks, dtype=np.intp).reshape(-1, 2))
    assert np.abs(ours - theirs[0]).max() < 1e-6
    assert not theirs[1].any()

"""Tracked targets: the organisers' figures for discs that move, closed forms, and the faults of their script."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError
from groundglass.metrics.tracking import frame_scores, latency, relative_d98, time_per_frame, trackrad_scores


def disc(row: float, column: float, radius: float = 10, shape: tuple[int, int] = (128, 128)) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 <= radius**2


def breathing(amplitude: float) -> tuple[np.ndarray, np.ndarray]:
    """(first mask repeated, truth) of a disc that moves by round(A sin(2 pi t / 20)), t = 0 to 20."""
    shifts = [round(amplitude * math.sin(2 * math.pi * t / 20)) for t in range(21)]
    truth = np.stack([disc(64 + shift, 64) for shift in shifts])
    return np.repeat(truth[:1], 21, axis=0), truth


# Amplitude: DSC, HD95, ASD, CD, D98 at sigma 4, at sigma 6, from the organisers' code.
GOLDEN = {
    4: (0.8505, 2.4000, 1.4378, 2.4000, 1.0, 1.0),
    8: (0.6946, 5.0000, 2.9048, 5.0000, 0.8167, 0.9005),
    16: (0.4170, 9.6277, 5.4247, 10.0000, 0.5453, 0.6146),
}


@pytest.mark.parametrize("amplitude", GOLDEN)
@pytest.mark.parametrize("variant", ["corrected", "script"])
def test_golden_values_of_no_tracking(amplitude: int, variant: str) -> None:
    still, truth = breathing(amplitude)
    found = trackrad_scores(still, truth, variant=variant)
    names = ("dsc", "hd95", "asd_to_truth", "centre_distance", "relative_d98")
    assert [found[name] for name in names] == pytest.approx(GOLDEN[amplitude][:5], abs=1e-3)
    assert relative_d98(still, truth, sigma=6) == pytest.approx(GOLDEN[amplitude][5], abs=1e-3)
    shifts = [abs(round(amplitude * math.sin(2 * math.pi * t / 20))) for t in range(1, 21)]
    assert found["centre_distance"] == pytest.approx(np.mean(shifts), abs=1e-9)


def test_perfect_tracking_is_perfect() -> None:
    _, truth = breathing(8)
    assert trackrad_scores(truth, truth) == {
        "dsc": 1.0,
        "hd95": 0.0,
        "asd_to_truth": 0.0,
        "masd": 0.0,
        "centre_distance": 0.0,
        "relative_d98": 1.0,
    }


def test_dice_of_two_discs_is_the_area_of_the_lens() -> None:
    radius = 30
    for apart in (6, 20, 40):
        found = frame_scores(*(np.stack([disc(64, 40, radius), disc(64, c, radius)]) for c in (40, 40 + apart)))
        lens = 2 * radius**2 * math.acos(apart / 2 / radius) - apart / 2 * math.sqrt(4 * radius**2 - apart**2)
        assert found.dsc[1] == pytest.approx(lens / (math.pi * radius**2), abs=0.01)
        assert found.centre_distance[1] == pytest.approx(apart)


def test_distances_are_those_of_scipys_distance_maps() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        pair = [ndimage.binary_dilation(rng.random((24, 31)) > 0.985, iterations=2) for _ in range(2)]
        if not (pair[0].any() and pair[1].any()):
            continue
        edges = [mask ^ ndimage.binary_erosion(mask) for mask in pair]
        there = ndimage.distance_transform_edt(~edges[1])[edges[0]]
        back = ndimage.distance_transform_edt(~edges[0])[edges[1]]
        found = frame_scores(*(np.stack([pair[1], mask]) for mask in pair))
        assert found.hd95[1] == pytest.approx(max(np.quantile(there, 0.95), np.quantile(back, 0.95)), abs=1e-9)
        assert found.asd_to_truth[1] == pytest.approx(there.mean(), abs=1e-9)
        assert found.masd[1] == pytest.approx((there.mean() + back.mean()) / 2, abs=1e-9)


def test_one_sided_distance_does_not_see_what_is_missed() -> None:
    truth = np.stack([disc(64, 64, 20)] * 2)
    small = truth.copy()
    # A sliver of the true edge: all of it lies on the truth's edge, most of which is far from it.
    small[1] = disc(64, 64, 20) & (np.mgrid[:128, :128][0] <= 44)
    found = frame_scores(small, truth)
    assert found.asd_to_truth[1] == pytest.approx(0, abs=1e-9) and found.masd[1] > 5


def test_empty_predictions_are_penalised_and_empty_truths_left_out() -> None:
    _, truth = breathing(8)
    lost = truth.copy()
    lost[5] = 0
    found = trackrad_scores(lost, truth)
    assert found["dsc"] == pytest.approx(19 / 20)
    assert found["hd95"] == found["masd"] == found["centre_distance"] == pytest.approx(128 / 20)
    hidden = truth.copy()
    hidden[5] = 0
    assert frame_scores(truth, hidden).frames.tolist() == [t for t in range(21) if t != 5]
    assert trackrad_scores(truth, hidden)["dsc"] == 1
    assert math.isnan(trackrad_scores(truth[:2], np.stack([truth[0], truth[0] * 0]))["dsc"])


def test_script_loses_a_frame_when_the_first_prediction_is_empty() -> None:
    still, truth = breathing(8)
    empty_first = still.copy()
    empty_first[0] = 0
    scores = frame_scores(empty_first, truth)
    corrected, script = (trackrad_scores(empty_first, truth, variant=v) for v in ("corrected", "script"))
    assert corrected["dsc"] == pytest.approx(scores.dsc[1:].mean())
    assert corrected["hd95"] == trackrad_scores(still, truth)["hd95"]
    # The penalty of frame 0 counts, frame 1 does not.
    assert script["dsc"] == pytest.approx((scores.dsc[2:].sum() + 0) / 20)
    assert script["hd95"] == pytest.approx((scores.hd95[2:].sum() + 128) / 20)


def test_script_does_not_see_beyond_the_number_of_rows() -> None:
    truth = np.stack([disc(20, 50, 6, (40, 60))] * 3)
    moved = np.roll(truth, 2, axis=1)
    assert trackrad_scores(moved, truth)["hd95"] == pytest.approx(2)
    script = trackrad_scores(moved, truth, variant="script")
    assert script["hd95"] == script["asd_to_truth"] == math.inf
    assert script["centre_distance"] == pytest.approx(2)
    upright = (np.swapaxes(v, 1, 2) for v in (moved, truth))
    assert trackrad_scores(*upright, variant="script")["hd95"] == pytest.approx(2)


def test_smooth_dose_tells_small_errors_apart_where_the_scripts_does_not() -> None:
    still, truth = breathing(4)
    worse, _ = breathing(4)
    assert relative_d98(still, truth) == 1
    assert relative_d98(truth, truth, dose="smooth") == pytest.approx(1)
    assert relative_d98(worse, truth, dose="smooth") < 0.99
    lost = truth.copy()
    lost[1:] = 0
    assert relative_d98(lost, truth, dose="smooth") == pytest.approx(1 / 21)
    assert relative_d98(lost, truth) == pytest.approx(0.05, abs=0.06)


def test_pixels_have_a_size() -> None:
    still, truth = breathing(8)
    one, two = trackrad_scores(still, truth), trackrad_scores(still, truth, pixel_mm=2.0, sigma=8.0)
    for name in ("hd95", "masd", "centre_distance"):
        assert two[name] == pytest.approx(2 * one[name])
    assert two["dsc"] == one["dsc"] and two["relative_d98"] == one["relative_d98"]


def test_time_per_frame_is_the_slope_and_latency_has_its_percentiles() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(50, 300, 12)
    seconds = 7 + 0.2 * frames + rng.normal(0, 1, 12)
    assert time_per_frame(seconds, frames) == pytest.approx(tuple(np.polyfit(frames, seconds, 1)), rel=1e-9)
    assert time_per_frame(7 + 0.2 * frames, frames) == pytest.approx((0.2, 7))
    found = latency([9.0, *(0.01 * np.arange(1, 101))], limit=0.9)
    assert (found.median, found.steps, found.late) == (pytest.approx(0.505), 100, pytest.approx(0.1))
    assert found.p95 == pytest.approx(np.percentile(0.01 * np.arange(1, 101), 95))
    with pytest.raises(InputError, match="same in all"):
        time_per_frame([1.0, 2.0], [5, 5])
    with pytest.raises(InputError, match="warm-up"):
        latency([1.0], limit=1)


def test_wrong_series_are_refused() -> None:
    _, truth = breathing(4)
    for call, error, message in (
        (lambda: frame_scores(truth[1:], truth), GeometryError, "frames, rows, columns"),
        (lambda: frame_scores(truth[:1], truth[:1]), GeometryError, "after the first"),
        (lambda: frame_scores(truth[0], truth[0]), GeometryError, "frames, rows"),
        (lambda: frame_scores(truth, truth * 0), EmptyMaskError, "frame 0"),
        (lambda: frame_scores(truth * np.nan, truth), InputError, "NaN"),
        (lambda: trackrad_scores(truth, truth, variant="official"), ConfigurationError, "script"),
        (lambda: relative_d98(truth, truth, sigma=0), ConfigurationError, "sigma"),
    ):
        with pytest.raises(error, match=message):
            call()

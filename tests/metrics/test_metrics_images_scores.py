"""Image scores against scikit-image, torchmetrics, sewar and closed forms, on random and adversarial images."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import normalized_root_mse, peak_signal_noise_ratio, structural_similarity

from groundglass.core.errors import ConfigurationError, EmptyMaskError, GeometryError, InputError
from groundglass.metrics.images import (
    GAUSSIAN_11,
    mae,
    mc_mri_scores,
    mean_error,
    ms_ssim,
    mse,
    nmse,
    nrmse,
    psnr,
    rmse,
    ssim,
    ssim_map,
    synthrad_scores,
    vif,
)

KINDS = ("noise", "smooth", "inverse", "constant", "binary", "offset", "tiny", "shifted", "equal", "against constant")


def pair_of(seed: int, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, float]:
    """(prediction, truth, data range) of the kind that the seed names."""
    rng = np.random.default_rng(seed)
    truth = rng.random(shape)
    kind = KINDS[seed % len(KINDS)]
    if kind == "smooth":
        truth = np.cumsum(np.cumsum(rng.normal(size=shape), axis=0), axis=1)
        truth = (truth - truth.min()) / np.ptp(truth)
    other = truth + rng.normal(0, 0.2, shape)
    span = 1.0
    if kind == "inverse":
        other = 1 - truth
    elif kind == "constant":
        truth, other = np.full(shape, 0.3), np.full(shape, 0.4)
    elif kind == "binary":
        truth, other = (truth > 0.7) * 1.0, (rng.random(shape) > 0.7) * 1.0
    elif kind == "offset":
        truth, other, span = truth * 4000 - 1024, other * 4000 - 900, 4024.0
    elif kind == "tiny":
        truth, other, span = truth * 1e-4, other * 1e-4, 1e-4
    elif kind == "shifted":
        other = np.roll(truth, 1, axis=0)
    elif kind == "equal":
        other = truth.copy()
    elif kind == "against constant":
        other = np.full(shape, 0.5)
    return other, truth, span


SHAPES = ((16, 19), (23, 12), (12, 13, 14), (11, 11))


@pytest.mark.parametrize("window", ["uniform-7", "gaussian-11"])
def test_ssim_is_scikit_images_on_200_pairs(window: str) -> None:
    options = {} if window == "uniform-7" else {"gaussian_weights": True, "use_sample_covariance": False}
    for seed in range(200):
        other, truth, span = pair_of(seed, SHAPES[seed // 10 % len(SHAPES)])
        expected, whole = structural_similarity(truth, other, data_range=span, full=True, **options)
        assert ssim(other, truth, data_range=span, window=window) == pytest.approx(expected, abs=1e-9)
        inner = (slice(3, -3) if window == "uniform-7" else slice(5, -5),) * truth.ndim
        found = ssim_map(other, truth, data_range=span, window=window)
        assert found == pytest.approx(whole[inner], abs=1e-8)


def test_differences_are_scikit_images_on_200_pairs() -> None:
    names = {"euclidean": "euclidean", "min-max": "min-max", "mean": "mean"}
    for seed in range(200):
        other, truth, span = pair_of(seed, SHAPES[seed // 10 % len(SHAPES)])
        if np.array_equal(other, truth):
            assert psnr(other, truth, data_range=span) == math.inf
            assert mse(other, truth) == 0
            continue
        expected = peak_signal_noise_ratio(truth, other, data_range=span)
        assert psnr(other, truth, data_range=span) == pytest.approx(expected, abs=1e-9)
        for ours, theirs in names.items():
            if np.ptp(truth) == 0 and ours == "min-max":
                assert math.isnan(nrmse(other, truth, normalisation="min-max"))
                continue
            expected = normalized_root_mse(truth, other, normalization=theirs)
            assert nrmse(other, truth, normalisation=ours) == pytest.approx(expected, rel=1e-9)
        assert nmse(other, truth) == pytest.approx(np.linalg.norm(other - truth) ** 2 / np.linalg.norm(truth) ** 2)


def test_ms_ssim_and_ssim_are_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    for seed in range(10):
        other, truth, span = pair_of(seed, ((176, 180), (181, 177))[seed % 2])
        a, b = (torch.from_numpy(v)[None, None] for v in (other, truth))
        expected = functional.multiscale_structural_similarity_index_measure(a, b, data_range=span, normalize="relu")
        assert ms_ssim(other, truth, data_range=span, border="mirror") == pytest.approx(expected.item(), abs=1e-6)
    for seed in range(200):
        other, truth, span = pair_of(seed, (12, 13, 14) if seed % 50 == 3 else SHAPES[seed // 10 % 2])
        a, b = (torch.from_numpy(v)[None, None] for v in (other, truth))
        expected = functional.structural_similarity_index_measure(a, b, data_range=span).item()
        assert ssim(other, truth, data_range=span, border="mirror") == pytest.approx(expected, abs=1e-6)
    solid, truth, span = pair_of(1, (22, 23, 24))
    a, b = (torch.from_numpy(v)[None, None] for v in (solid, truth))
    betas = (0.4, 0.6)
    expected = functional.multiscale_structural_similarity_index_measure(
        a, b, data_range=span, normalize="relu", betas=betas
    )
    found = ms_ssim(solid, truth, data_range=span, weights=betas, border="mirror")
    assert found == pytest.approx(expected.item(), abs=1e-6)


def test_negative_scales_are_clipped_or_nan() -> None:
    other, truth, span = pair_of(2, (176, 176))
    assert ms_ssim(other, truth, data_range=span) == 0
    assert math.isnan(ms_ssim(other, truth, data_range=span, negative="nan"))


def test_vif_is_torchmetrics_and_sewar() -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    for seed in range(30):
        other, truth, _ = pair_of(seed, ((41, 47), (64, 60))[seed // 10 % 2])
        if np.ptp(truth) == 0:
            assert math.isnan(vif(other, truth))
            continue
        a, b = (torch.from_numpy(v)[None, None].double() for v in (other, truth))
        for noise in (2.0, 0.4):
            expected = functional.visual_information_fidelity(a, b, sigma_n_sq=noise).item()
            assert vif(other, truth, noise_variance=noise) == pytest.approx(expected, abs=1e-6)
    sewar = pytest.importorskip("sewar.full_ref")
    for seed in (0, 1, 2, 4, 7, 8):
        other, truth, _ = pair_of(seed, (50, 53))
        expected = sewar.vifp(truth, other, sigma_nsq=0.4)
        assert vif(other, truth, noise_variance=0.4) == pytest.approx(expected, abs=1e-6)


def test_vif_of_equal_and_stronger_images() -> None:
    truth = np.random.default_rng(0).random((48, 48)) * 255
    assert vif(truth, truth) == pytest.approx(1, abs=1e-9)
    assert vif(truth.mean() + 1.5 * (truth - truth.mean()), truth) > 1
    assert vif(np.full_like(truth, 7), truth) == pytest.approx(0, abs=1e-9)


@given(st.integers(0, 10_000), st.floats(-50, 50), st.floats(0.1, 5))
@settings(max_examples=40, deadline=None)
def test_ssim_is_symmetric_bounded_and_scales_with_its_range(seed: int, shift: float, scale: float) -> None:
    other, truth, span = pair_of(seed, (15, 17))
    value = ssim(other, truth, data_range=span)
    assert -1 <= value <= 1 + 1e-12
    assert ssim(truth, other, data_range=span) == pytest.approx(value, abs=1e-8)
    assert ssim(other * scale, truth * scale, data_range=span * scale) == pytest.approx(value, abs=1e-8)
    assert ssim(truth + shift, truth + shift, data_range=span) == pytest.approx(1, abs=1e-9)


def test_constant_images_have_the_luminance_term_alone() -> None:
    a, b = np.full((20, 20), 100.0), np.full((20, 20), 120.0)
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b, data_range=255) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1), abs=1e-12)


def test_synthrad_identities_and_direct_computation() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(-1500, 3500, (14, 18, 16)).astype(np.float32)
    mask = np.zeros(truth.shape, dtype=np.uint8)
    mask[1:13, 2:16, 2:14] = 1
    same = synthrad_scores(truth, truth, mask)
    assert same == {"mae": 0.0, "psnr": math.inf, "ssim": pytest.approx(1, abs=1e-12)}
    shifted = truth.astype(np.float64) + 10 * mask
    assert synthrad_scores(shifted, truth, mask)["mae"] == pytest.approx(10, abs=1e-12)
    other = truth + rng.normal(0, 200, truth.shape)
    found = synthrad_scores(other, truth, mask)
    inside = mask > 0
    a, b = (np.clip(v.astype(np.float64), -1024, 3000) for v in (other, truth))
    assert found["psnr"] == pytest.approx(peak_signal_noise_ratio(b[inside], a[inside], data_range=4024), abs=1e-9)
    assert found["mae"] == pytest.approx(np.abs(other - truth.astype(np.float64))[inside].mean(), abs=1e-9)
    _, whole = structural_similarity(
        np.where(inside, b, -1024) + 1024, np.where(inside, a, -1024) + 1024, data_range=4024, full=True
    )
    inner = (slice(3, -3),) * 3
    assert found["ssim"] == pytest.approx(whole[inner][inside[inner]].mean(), abs=1e-9)


def test_mc_mri_is_scikit_image_and_sewar_slice_by_slice() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random((3, 48, 50)) * np.array([5.0, 900.0, 1e-3])[:, None, None]
    other = np.abs(truth + rng.normal(0, 0.2, truth.shape) * truth.max(axis=(1, 2), keepdims=True))
    found = mc_mri_scores(other, truth)
    for number in range(3):
        a, b = other[number] / truth[number].max(), truth[number] / truth[number].max()
        span = max(a.max(), b.max()) - min(a.min(), b.min())
        assert found["ssim"][number] == pytest.approx(structural_similarity(b, a, data_range=span), abs=1e-9)
        assert found["psnr"][number] == pytest.approx(peak_signal_noise_ratio(b, a, data_range=span), abs=1e-9)
        assert found["vif"][number] == pytest.approx(vif(a, b, noise_variance=0.4), abs=1e-12)
    with pytest.raises(InputError, match="no signal"):
        mc_mri_scores(other, truth * 0)


def test_masks_choose_pixels_and_windows() -> None:
    other, truth, span = pair_of(0, (30, 30))
    mask = np.zeros((30, 30), dtype=bool)
    mask[10:20, 12:14] = True
    assert mae(other, truth, mask=mask) == pytest.approx(np.abs(other - truth)[mask].mean())
    assert mean_error(other, truth, mask=mask) == pytest.approx((other - truth)[mask].mean())
    assert rmse(other, truth, mask=mask) == pytest.approx(math.sqrt(((other - truth)[mask] ** 2).mean()))
    values = ssim_map(other, truth, data_range=span)
    expected = values[mask[5:-5, 5:-5]].mean()
    assert ssim(other, truth, data_range=span, mask=mask) == pytest.approx(expected, abs=1e-12)
    whole = np.ones((30, 30))
    assert ssim(other, truth, data_range=span, mask=whole) == pytest.approx(ssim(other, truth, data_range=span))
    every = ssim_map(other, truth, data_range=span, border="mirror")
    assert every[5:-5, 5:-5] == pytest.approx(values)
    assert ssim(other, truth, data_range=span, border="mirror", mask=mask) == pytest.approx(every[mask].mean())
    border = np.zeros((30, 30))
    border[:5] = 1
    with pytest.raises(EmptyMaskError, match="border"):
        ssim(other, truth, data_range=span, mask=border)


def test_complex_images_are_compared_by_the_size_of_their_difference() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    turned = truth * np.exp(0.1j)
    expected = abs(np.exp(0.1j) - 1)
    assert nrmse(turned, truth, normalisation="euclidean") == pytest.approx(expected)
    assert mae(np.abs(turned), np.abs(truth)) == pytest.approx(0, abs=1e-12)
    assert psnr(turned, truth, data_range=1) == pytest.approx(-10 * np.log10(np.mean(np.abs(turned - truth) ** 2)))
    with pytest.raises(ConfigurationError, match="complex"):
        nrmse(turned, truth, normalisation="min-max")
    with pytest.raises(InputError, match="complex"):
        ssim(np.tile(turned, (2, 2)), np.tile(truth, (2, 2)), data_range=1)


def test_integers_do_not_wrap() -> None:
    low, high = np.zeros((12, 12), dtype=np.uint8), np.full((12, 12), 255, dtype=np.uint8)
    assert mae(low, high) == 255 and psnr(low, high, data_range=255) == pytest.approx(0, abs=1e-12)


def test_wrong_images_are_refused() -> None:
    good = np.random.default_rng(0).random((20, 20))
    bad = good.copy()
    bad[3, 3] = np.nan
    for call, error, message in (
        (lambda: mae(bad, good), InputError, "prediction: holds NaN"),
        (lambda: mae(good[:-1], good), GeometryError, "Resample"),
        (lambda: mae(good, good, mask=np.zeros((20, 20))), EmptyMaskError, "no voxel"),
        (lambda: mae(good, good, mask=np.ones((20, 19))), GeometryError, "mask"),
        (lambda: mae([], []), InputError, "empty"),
        (lambda: mae(np.array(["a"]), np.array(["b"])), InputError, "numbers"),
        (lambda: psnr(good, good, data_range=0), ConfigurationError, "range"),
        (lambda: ssim(good, good, data_range=math.nan), ConfigurationError, "range"),
        (lambda: ssim(good, good, data_range=1, border="wrap"), ConfigurationError, "mirror"),
        (lambda: ssim(good, good, data_range=1, window="box"), ConfigurationError, "uniform-7"),
        (lambda: ssim(good[:9], good[:9], data_range=1), GeometryError, "smaller than a window"),
        (lambda: ssim(good[None, None], good[None, None], data_range=1), GeometryError, "axes"),
        (lambda: ms_ssim(good, good, data_range=1), GeometryError, "176 pixels"),
        (lambda: vif(good, good), GeometryError, "41 pixels"),
        (lambda: nrmse(good, good, normalisation="max"), ConfigurationError, "not known"),
    ):
        with pytest.raises(error, match=message):
            call()


def test_window_weights_sum_to_one() -> None:
    assert GAUSSIAN_11.weights.sum() == pytest.approx(1) and len(GAUSSIAN_11.weights) == 11
    assert GAUSSIAN_11.weights[6] / GAUSSIAN_11.weights[5] == pytest.approx(math.exp(-0.5 / 1.5**2))

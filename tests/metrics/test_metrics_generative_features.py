"""Generative metrics against closed forms, scipy's matrix root, torchmetrics, prdc and plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.generative import (
    fid,
    fidelity,
    fidelity_by_label,
    fit_gaussian,
    frechet_distance,
    image_text_alignment,
    inception_score,
    kid,
    modality_gap,
    neighbourhoods,
    pairwise_ms_ssim,
    polynomial_mmd,
    recall_at,
    reidentification,
    root_mean_square_distance,
    training_distance,
)


def sets_of(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random and adversarial pairs of feature sets."""
    rng = np.random.default_rng(seed)
    n, m, d = (int(v) for v in (*rng.integers(8, 40, 2), rng.integers(1, 30)))
    first, second = rng.normal(size=(n, d)), rng.normal(size=(m, d)) * rng.uniform(0.2, 3) + rng.normal()
    kind = seed % 6
    if kind == 1:
        first, second = np.maximum(first, 0), np.maximum(second, 0)
    elif kind == 2:
        first[:, 0], second[:, -1] = 3.0, -2.0
    elif kind == 3:
        first, second = first + 1000, second + 1000
    elif kind == 4:
        second = first.copy()
    elif kind == 5:
        first, second = first * 1e-4, second * 1e-4
    return first, second


def test_fid_is_the_formula_with_scipys_root_on_200_pairs() -> None:
    for seed in range(200):
        first, second = sets_of(seed)
        s1, s2 = (np.atleast_2d(np.cov(v, rowvar=False)) for v in (first, second))
        # The root of s1^(1/2) s2 s1^(1/2) has the same trace, and stays real for singular covariances.
        values, vectors = np.linalg.eigh(s1)
        root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
        between = np.linalg.eigvalsh(root @ s2 @ root)
        trace = np.sqrt(np.maximum(between, 0)).sum()
        shift = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
        expected = shift + np.trace(s1) + np.trace(s2) - 2 * trace
        scale = shift + np.trace(s1) + np.trace(s2)
        assert fid(first, second) == pytest.approx(expected, abs=1e-6 * scale)
        if min(len(first), len(second)) > 2 * first.shape[1] and seed % 6 in (0, 5):
            expected = scale - 2 * np.trace(sqrtm(s1 @ s2)).real
            assert fid(first, second) == pytest.approx(expected, abs=1e-6 * scale)


def test_fid_closed_forms() -> None:
    rng = np.random.default_rng(0)
    shift = rng.normal(size=16)
    a, b = rng.normal(size=(50_000, 16)), rng.normal(size=(50_000, 16)) + shift
    assert fid(a, b) == pytest.approx(shift @ shift, rel=0.01)
    assert fid(a, a) == pytest.approx(0, abs=1e-9)
    # Sample moments known exactly: scaling by c changes the trace term to (c - 1)^2 tr S.
    assert fid(a, 3 * (a - a.mean(axis=0)) + a.mean(axis=0)) == pytest.approx(4 * np.trace(np.cov(a.T)), rel=1e-9)
    few = rng.normal(size=(5, 64))
    assert fid(few, few) == pytest.approx(0, abs=1e-9)
    assert fid(few, few + 2) == pytest.approx(4 * 64, rel=1e-9)
    fitted = fit_gaussian(a)
    assert fitted.covariance == pytest.approx(np.cov(a.T), abs=1e-9)
    assert frechet_distance(fitted, fit_gaussian(b)) == fid(a, b)


def test_fid_with_dependent_columns_takes_the_other_factor() -> None:
    rng = np.random.default_rng(1)
    base, other = rng.normal(size=(60, 3)), rng.normal(size=(60, 3)) * 2
    dead = np.zeros((60, 2))
    assert fid(np.hstack([base, dead]), np.hstack([other, dead])) == pytest.approx(fid(base, other), rel=1e-7)
    twice = fid(np.hstack([base, base]), np.hstack([other, other]))
    assert twice == pytest.approx(2 * fid(base, other), rel=1e-6)


def test_fid_and_kid_are_torchmetrics_on_shared_features() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchmetrics")
    from torchmetrics.image.fid import _compute_fid
    from torchmetrics.image.kid import poly_mmd

    for seed in range(60):
        first, second = sets_of(seed)
        size = min(len(first), len(second))
        a, b = (torch.from_numpy(v) for v in (first, second))
        expected = poly_mmd(a[:size], b[:size]).item()
        assert polynomial_mmd(first[:size], second[:size]) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        if seed % 6 == 0 and min(len(first), len(second)) > 2 * first.shape[1]:
            moments = [v for x in (a, b) for v in (x.mean(dim=0), torch.cov(x.T).reshape(x.shape[1], x.shape[1]))]
            assert fid(first, second) == pytest.approx(_compute_fid(*moments).item(), rel=1e-4, abs=1e-4)


def test_kid_is_the_mean_over_kernels_written_out() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 0.3

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (float(x @ y) / 4 + 1) ** 3

    own = np.mean([kernel(a[i], a[j]) for i in range(9) for j in range(9) if i != j])
    other = np.mean([kernel(b[i], b[j]) for i in range(7) for j in range(7) if i != j])
    cross = np.mean([kernel(x, y) for x in a for y in b])
    assert polynomial_mmd(a, b) == pytest.approx(own + other - 2 * cross, rel=1e-12)


def test_kid_subsets_are_seeded_and_unbiased() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(400, 8)), rng.normal(size=(400, 8))
    one, same = (kid(a, b, subsets=50, subset_size=100, seed=9) for _ in range(2))
    assert one == same and one.sd > 0
    assert abs(one.mean) < 4 * one.sd / math.sqrt(50) + 2 * abs(polynomial_mmd(a, b))
    whole = kid(a, b, subsets=3, subset_size=400)
    assert whole.mean == pytest.approx(polynomial_mmd(a, b), abs=1e-12) and whole.sd == pytest.approx(0, abs=1e-12)
    with pytest.raises(ConfigurationError, match="400 images"):
        kid(a, b)


def plain_neighbourhoods(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    own = np.sort(cdist(real, real), axis=1)[:, k]
    other = np.sort(cdist(fake, fake), axis=1)[:, k]
    cross = cdist(real, fake)
    inside = cross < own[:, None]
    return (
        float(inside.any(axis=0).mean()),
        float((cross < other[None]).any(axis=1).mean()),
        float(inside.sum(axis=0).mean() / k),
        float((cross.min(axis=1) < own).mean()),
    )


def test_neighbourhoods_are_plain_ones_and_prdc_on_200_pairs() -> None:
    for seed in range(200):
        first, second = sets_of(seed)
        if seed % 6 == 4:
            continue
        k = seed % 5 + 1
        found = neighbourhoods(first, second, k=k)
        expected = plain_neighbourhoods(first, second, k)
        assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(expected, abs=1e-12)
    prdc = pytest.importorskip("prdc")
    for seed in range(0, 30, 6):
        first, second = sets_of(seed)
        expected = prdc.compute_prdc(first, second, nearest_k=5)
        found = neighbourhoods(first, second, k=5)
        for name, value in expected.items():
            assert getattr(found, name) == pytest.approx(value, abs=1e-9)


def test_neighbourhoods_across_blocks_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(150, 6)), rng.normal(size=(130, 6)) * 0.7
    whole = neighbourhoods(a, b)
    monkeypatch.setattr("groundglass.metrics.generative.neighbours._ROWS", 37)
    assert neighbourhoods(a, b) == whole


def test_identical_and_disjoint_sets_and_copies() -> None:
    rng = np.random.default_rng(6)
    a = rng.normal(size=(300, 10))
    same = neighbourhoods(a, a)
    assert (same.precision, same.recall, same.coverage, same.density) == (1, 1, 1, pytest.approx(1))
    apart = neighbourhoods(a, a + 100)
    assert (apart.precision, apart.recall, apart.coverage, apart.density) == (0, 0, 0, 0)
    copies = np.ones((20, 3))
    assert neighbourhoods(copies, copies).precision == 0
    assert neighbourhoods(copies, copies, edge="closed").precision == 1


def test_dropped_modes_lower_recall_and_noise_lowers_precision() -> None:
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(6, 8)) * 10
    real = np.concatenate([c + rng.normal(size=(60, 8)) for c in centres])
    again = np.concatenate([c + rng.normal(size=(60, 8)) for c in centres])
    half = np.concatenate([c + rng.normal(size=(120, 8)) for c in centres[:3]])
    noisy = again + rng.normal(size=again.shape) * 3
    full, dropped, blurred = (neighbourhoods(real, v) for v in (again, half, noisy))
    assert dropped.recall < 0.7 * full.recall and dropped.coverage < 0.7 * full.coverage
    assert dropped.precision > 0.95 * full.precision
    assert blurred.precision < 0.5 * full.precision and blurred.recall > 0.9 * full.recall


def test_inception_score_closed_forms_and_torchmetrics_formula() -> None:
    certain = np.tile(np.eye(4), (10, 1))
    assert inception_score(certain, splits=1) == pytest.approx((4, 0))
    assert inception_score(np.full((20, 5), 0.2), splits=4) == pytest.approx((1, 0))
    with pytest.raises(InputError, match="softmax"):
        inception_score(np.random.default_rng(0).normal(size=(20, 5)))
    with pytest.raises(ConfigurationError, match="splits"):
        inception_score(certain[:3], splits=4)


def test_alignment_retrieval_and_gap() -> None:
    rng = np.random.default_rng(8)
    images = rng.normal(size=(30, 12))
    assert image_text_alignment(images, 5 * images) == pytest.approx(1)
    assert image_text_alignment(images, -images) == pytest.approx(-1)
    assert recall_at(images, images) == {1: 1.0, 5: 1.0, 10: 1.0}
    shuffled = np.roll(images, 1, axis=0)
    assert recall_at(images, shuffled, (1,))[1] == 0
    assert recall_at(np.ones((4, 2)), np.ones((4, 2)), (1, 4)) == {1: 0.0, 4: 1.0}
    assert modality_gap(images, images) == 0
    assert modality_gap([[1.0, 0.0]], [[0.0, 2.0]]) == pytest.approx(math.sqrt(2))
    with pytest.raises(InputError, match="zeros"):
        image_text_alignment(images * 0, images)


def test_privacy_sees_the_one_leak_that_the_mean_hides() -> None:
    scores = np.full((10, 10), 0.1)
    scores[3, 4] = 0.99
    found = reidentification(scores, threshold=0.9)
    assert found.leaked == pytest.approx(0.1) and found.mean == pytest.approx(0.1089)
    assert found.closest == pytest.approx(0.189)
    near = training_distance(1 - scores, threshold=0.1)
    assert near.leaked == pytest.approx(0.1) and near.closest == pytest.approx(0.811)
    assert root_mean_square_distance(np.zeros((4, 4, 3)), np.full((4, 4, 3), 7)) == pytest.approx(7)
    with pytest.raises(InputError, match="below 0"):
        training_distance(-scores, threshold=0.1)


def test_fidelity_overall_and_by_label() -> None:
    rng = np.random.default_rng(9)
    real, fake = rng.normal(size=(80, 5)), rng.normal(size=(90, 5)) + 0.2
    whole = fidelity(real, fake, subsets=5)
    assert whole.fid == fid(real, fake) and whole.kid.subset_size == 40 and (whole.real, whole.synthetic) == (80, 90)
    labels, prompts = np.full((80, 3), -1.0), np.zeros((90, 3))
    labels[:40, 0], prompts[:50, 0] = 1, 1
    labels[:3, 1], prompts[:, 1] = 1, 1
    labels[:, 2] = np.nan
    found, without = fidelity_by_label(real, fake, labels, prompts, ["effusion", "fracture", "mass"], subsets=5)
    assert found["effusion"].fid == fid(real[:40], fake[:50]) and set(found) == {"effusion"}
    assert set(without) == {"fracture", "mass"} and "3 real and 90" in without["fracture"]
    with pytest.raises(InputError, match="labels"):
        fidelity_by_label(real, fake, labels[:-1], prompts, ["a", "b", "c"])


def test_images_of_one_prompt_are_compared_in_pairs() -> None:
    rng = np.random.default_rng(10)
    image = rng.random((176, 176))
    assert pairwise_ms_ssim([image, image, image], data_range=1) == pytest.approx(1)
    assert pairwise_ms_ssim([image, rng.random((176, 176))], data_range=1) < 0.5
    with pytest.raises(InputError, match="pair"):
        pairwise_ms_ssim([image], data_range=1)


def test_wrong_features_are_refused() -> None:
    good = np.random.default_rng(0).normal(size=(10, 4))
    hole = good.copy()
    hole[7, 1] = np.nan
    for call, message in (
        (lambda: fid(hole, good), r"rows \[7\]"),
        (lambda: fid(good[:, :3], good), "columns"),
        (lambda: fid(good[:1], good), "at least 2"),
        (lambda: fid(good[0], good), "one row of numbers per image"),
        (lambda: neighbourhoods(good[:5], good, k=5), "at least 6"),
        (lambda: frechet_distance(fit_gaussian(good), fit_gaussian(good[:, :2])), "columns"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(ConfigurationError, match="k of 1"):
        neighbourhoods(good, good, k=0)

"""Structures sharpened by the image itself: a mixture of Gaussians with spatial priors and a smooth bias field.

The model of unified segmentation (Ashburner and Friston, NeuroImage 2005, doi 10.1016/j.neuroimage.2005.02.018) and of
Van Leemput et al. (IEEE TMI 1999), with a network's shares as the prior: intensities are learnt from this one image,
so any contrast will do. Structures of one tissue share their Gaussian; what is outside of the brain has three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

Float = NDArray[np.float32]
SAMPLES = 120_000
OUTSIDE_PARTS = 3


@dataclass(frozen=True)
class Mixture:
    """Means and variances of the Gaussians, the outside's shares among its parts, and the bias polynomial."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]
    outside: NDArray[np.float64]
    bias: NDArray[np.float64]


def refine(
    image: Float, prior: Float, tissue: Sequence[int], *, seed: int = 0, rounds: int = 24, neighbours: float = 0.6
) -> Float:
    """Posterior shares (K, X, Y, Z) of an image (X, Y, Z) given prior shares (K, X, Y, Z).

    `tissue[k]` is the Gaussian of class k; class 0 is the outside and has its own three. `neighbours` is how strongly
    the smoothed posterior of the surroundings counts (a mean-field step of a Markov field; 0: not at all).
    """
    inside = np.flatnonzero(prior[0].ravel() < 0.995)
    if inside.size < 1000:
        return prior
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.choice(inside, min(SAMPLES, inside.size), replace=False))
    basis = _Basis(image.shape)
    fitted = _fit(
        image.ravel()[chosen].astype(np.float64),
        prior.reshape(len(prior), -1)[:, chosen].astype(np.float64),
        np.asarray(tissue),
        basis(chosen),
        rounds,
    )
    return _posterior(image, prior, np.asarray(tissue), fitted, basis, inside, neighbours)


def _fit(
    values: NDArray[np.float64],
    prior: NDArray[np.float64],
    tissue: NDArray[np.int_],
    basis: NDArray[np.float64],
    rounds: int,
) -> Mixture:
    groups = int(tissue.max()) + 1
    scale = values.var() + 1e-9
    weights = np.stack([prior[(tissue == g) & (np.arange(len(tissue)) > 0)].sum(axis=0) for g in range(groups)])
    outside = prior[0]
    quantiles = (
        np.quantile(values[outside > 0.5], (0.1, 0.5, 0.9)) if (outside > 0.5).sum() > 50 else np.array([0, 0.3, 0.9])
    )
    mean = np.concatenate([(weights * values).sum(1) / (weights.sum(1) + 1e-9), quantiles])
    variance = np.full(len(mean), 0.1 * scale)
    shares = np.full(OUTSIDE_PARTS, 1 / OUTSIDE_PARTS)
    coefficients = np.zeros(basis.shape[1])
    for turn in range(rounds):
        field = 1 + basis @ coefficients
        mixing = np.concatenate([weights, outside * shares[:, None]])
        density = mixing * _gauss(values / field, mean, variance) + 1e-30
        posterior = density / density.sum(axis=0)
        mass = posterior.sum(axis=1) + 1e-6
        flat = values / field
        mean = (posterior @ flat) / mass
        # A floor of 1 % of the image's variance keeps exact zeros from becoming a spike that eats everything dark.
        variance = np.maximum((posterior * (flat - mean[:, None]) ** 2).sum(axis=1) / mass, 0.004 * scale)
        shares = np.maximum(mass[groups:] / mass[groups:].sum(), 1e-3)
        if turn >= 4:
            coefficients = _bias(values, posterior[:groups], mean[:groups], variance[:groups], basis)
    return Mixture(mean, variance, shares, coefficients)


def _bias(
    values: NDArray[np.float64],
    posterior: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    basis: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Least squares of values = expected x (1 + basis c), each voxel weighed by how certain its tissue's mean is."""
    certainty = (posterior / variance[:, None]).sum(axis=0)
    expected = (posterior * (mean / variance)[:, None]).sum(axis=0) / (certainty + 1e-9)
    design = basis * expected[:, None]
    normal = design.T @ (design * certainty[:, None])
    ridge = 1e-3 * np.trace(normal) / len(normal) * np.eye(len(normal))
    found = np.linalg.solve(normal + ridge, design.T @ (certainty * (values - expected)))
    return np.clip(found, -0.6, 0.6)


def _posterior(
    image: Float,
    prior: Float,
    tissue: NDArray[np.int_],
    fitted: Mixture,
    basis: _Basis,
    inside: NDArray[np.int_],
    neighbours: float,
) -> Float:
    groups = int(tissue.max()) + 1
    likelihood = np.zeros((groups + 1, inside.size), dtype=np.float32)
    values = image.ravel()[inside]
    for start in range(0, inside.size, 200_000):
        part = slice(start, start + 200_000)
        field = np.maximum(1 + basis(inside[part]) @ fitted.bias, 0.3)
        dense = _gauss(values[part] / field, fitted.mean, fitted.variance)
        likelihood[:groups, part] = dense[:groups]
        likelihood[groups, part] = fitted.outside @ dense[groups:]
    which = np.where(np.arange(len(prior)) == 0, groups, tissue)
    posterior = prior.copy()
    flat = posterior.reshape(len(prior), -1)
    flat[:, inside] = _normalised(prior.reshape(len(prior), -1)[:, inside] * (likelihood[which] + 1e-12))
    if neighbours > 0:
        around = np.stack([ndi.gaussian_filter(share, 0.9) for share in posterior]).reshape(len(prior), -1)[:, inside]
        before = prior.reshape(len(prior), -1)[:, inside]
        flat[:, inside] = _normalised(before * (likelihood[which] + 1e-12) * (around + 1e-3) ** neighbours)
    return posterior


def _normalised(shares: Float) -> Float:
    return shares / shares.sum(axis=0)


def _gauss(
    values: NDArray[np.floating], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> NDArray[np.float64]:
    spread = (values[None] - mean[:, None]) ** 2 / variance[:, None]
    return np.exp(-0.5 * np.minimum(spread, 80)) / np.sqrt(2 * np.pi * variance)[:, None]


class _Basis:
    """Polynomials up to third order over the grid, without the constant; called with flat voxel numbers."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.powers = [(a, b, c) for a in range(4) for b in range(4) for c in range(4) if 0 < a + b + c <= 3]

    def __call__(self, voxels: NDArray[np.int_]) -> NDArray[np.float64]:
        x, y, z = (
            2 * np.asarray(v) / max(1, n - 1) - 1
            for v, n in zip(np.unravel_index(voxels, self.shape), self.shape, strict=True)
        )
        return np.stack([x**a * y**b * z**c for a, b, c in self.powers], axis=1)

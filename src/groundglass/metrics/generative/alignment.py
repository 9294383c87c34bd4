"""Agreement of images with their prompts, in the space of an image-text encoder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import ConfigurationError, InputError
from groundglass.metrics.generative.features import feature_set


def image_text_alignment(images: ArrayLike, texts: ArrayLike) -> float:
    """Mean cosine of the embeddings (N, D) of images and of their texts, row by row. Raises InputError."""
    first, second = _pairs(images, texts)
    return float(np.einsum("ij,ij->i", first, second).mean())


def recall_at(images: ArrayLike, texts: ArrayLike, ks: Sequence[int] = (1, 5, 10)) -> dict[int, float]:
    """Share of the images whose own text is among the k most similar ones, by k; a tie counts against it.

    Texts that occur twice tie with each other: retrieve among different prompts. Swap the two for the other direction.
    Raises InputError, ConfigurationError (k below 1).
    """
    first, second = _pairs(images, texts)
    if not ks or min(ks) < 1:
        raise ConfigurationError(f"ks {list(ks)}", "are not places", "Use 1 or more.")
    similarity = first @ second.T
    places = (similarity >= np.diagonal(similarity)[:, None]).sum(axis=1)
    return {int(k): float((places <= k).mean()) for k in ks}


def modality_gap(images: ArrayLike, texts: ArrayLike) -> float:
    """Distance of the centres of the two clouds of unit vectors (V. W. Liang et al., arXiv 2203.02053)."""
    first, second = _pairs(images, texts)
    return float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)))


def _pairs(images: ArrayLike, texts: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = feature_set(images, "image embeddings", 1), feature_set(texts, "text embeddings", 1)
    if first.shape != second.shape:
        raise InputError(
            "text embeddings", f"have shape {second.shape}, those of images {first.shape}", "Pass one per image."
        )
    units = []
    for values, name in ((first, "image embeddings"), (second, "text embeddings")):
        sizes = np.linalg.norm(values, axis=1, keepdims=True)
        if (sizes == 0).any():
            raise InputError(name, "have a row of zeros", "It has no direction: leave it out.")
        units.append(values / sizes)
    return units[0], units[1]

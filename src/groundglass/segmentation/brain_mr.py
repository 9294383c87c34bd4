"""Brain structures in MR of any contrast: the shipped network, run on any grid and brought back to it.

The network saw only synthetic brains (see `brain_mr_training`). It looks at the whole head at 2 mm; its shares are the
prior of a Gaussian mixture that learns this image's own intensities at 1 mm (`tissue_mixture`). Shares come back to the
file's grid by linear interpolation before the label is chosen, so that masks are not stair-cased.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import GeometryError, Image, InputError
from groundglass.measurement import Registration
from groundglass.models import load_model
from groundglass.segmentation.brain_prior import atlas_shares, place_atlas
from groundglass.segmentation.sliding import best_precision, label_map, predict_windows
from groundglass.segmentation.tissue_mixture import refine
from groundglass.segmentation.working_grid import WorkingGrid, working_grid
from groundglass.synthesis import normalise_brain

# Voxels of 2 mm: what the network was trained on, and the one larger window that holds any brain.
SEARCH_WINDOW, BRAIN_WINDOW = (80, 96, 80), (96, 112, 96)
# The Gaussian of each structure: fluid 0, grey matter 1, white matter 2; mixed nuclei have their own.
TISSUE = {
    "cerebrospinal fluid": 0, "lateral ventricle": 0, "third ventricle": 0, "fourth ventricle": 0,
    "cerebral cortex": 1, "cerebellar cortex": 1, "caudate nucleus": 1, "putamen": 1,
    "cerebral white matter": 2, "cerebellar white matter": 2, "brainstem": 2, "thalamus": 3, "globus pallidus": 4,
}  # fmt: skip
LEAST_SIDE_MM = 20.0
# How much the network's shares count beside the atlas's: it was trained for a short time on two cores.
NETWORK_WEIGHT = 0.25


@dataclass(frozen=True)
class BrainSegmentation:
    """What the network saw in one volume.

    `labels` (uint8) and `right` (bool) lie on the file's grid, `grid_labels` and `grid_right` on the working grid of
    `grid`; `names` are the labels' ontology terms, `paired` those with two sides. `volumes` are mL by (name, side),
    summed over the network's shares, so a voxel that is half of a structure counts half. `confidence` is the mean
    largest share over the brain, on the working grid.
    """

    labels: NDArray[np.uint8]
    right: NDArray[np.bool_]
    grid: WorkingGrid
    grid_labels: NDArray[np.uint8]
    grid_right: NDArray[np.bool_]
    names: tuple[str, ...]
    paired: tuple[str, ...]
    volumes: dict[tuple[str, str | None], float]
    confidence: float

    def mask(self, name: str, side: str | None = None) -> NDArray[np.bool_]:
        """A structure on the file's grid."""
        return _chosen(self.labels == self.names.index(name), self.right, side)

    def grid_mask(self, name: str, side: str | None = None) -> NDArray[np.bool_]:
        """A structure on the working grid (RAS)."""
        return _chosen(self.grid_labels == self.names.index(name), self.grid_right, side)


def segment_brain(image: Image, *, model: str = "brain-mr") -> BrainSegmentation:
    """Segment a volume. Raises GeometryError for what is no volume, InputError for one without contrast."""
    loaded = load_model(model)
    return segment_brain_with(loaded.network, loaded.config, image)


def segment_brain_with(network: torch.nn.Module, config: Any, image: Image) -> BrainSegmentation:
    """`segment_brain` by a given network; `config` holds `labels` and `paired`."""
    grid = working_grid(_pixels(image), image.affine)
    names, paired = tuple(config["labels"]), tuple(config["paired"])
    shares, right = brain_shares(
        network, grid.pixels, names, placed=place_atlas(grid.pixels, grid.affine), affine=grid.affine
    )
    keep = _largest_brain(shares)
    shares[1:, ~torch.from_numpy(keep)] = 0
    labels = label_map(shares)
    best = shares.max(dim=0).values.numpy()
    side = right.numpy() > 0
    brain = labels > 0
    return BrainSegmentation(
        labels=_labels_back(grid, shares, labels),
        right=grid.back(_smooth_side(right)) > 0.5,
        grid=grid,
        grid_labels=labels,
        grid_right=side,
        names=names,
        paired=paired,
        volumes=_volumes(shares, right, names, paired),
        confidence=float(best[brain].mean()) if brain.any() else 0.0,
    )


def brain_shares(
    network: torch.nn.Module,
    pixels: NDArray[np.float32],
    names: Sequence[str],
    *,
    sharpen: bool = True,
    placed: Registration | None = None,
    affine: NDArray[np.float64] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares (classes, X, Y, Z) and the side's logit (X, Y, Z; > 0: right) of upright 1 mm pixels.

    `sharpen` False gives the network's own shares, interpolated from 2 mm. With an atlas `placed` on the grid of
    `affine`, the prior is the atlas's times the network's to the power `NETWORK_WEIGHT`, and sides are the atlas's.
    """
    image = normalise_brain(torch.from_numpy(pixels))
    even = torch.nn.functional.pad(image, [m for n in reversed(image.shape) for m in (0, n % 2)])
    coarse = torch.nn.functional.avg_pool3d(even[None, None], 2)[0, 0]
    found = _coarse_shares(network, coarse, len(names))
    box = _box_of(found[0] < 0.98, margin=2)
    inner = torch.nn.functional.interpolate(found[(slice(None), *box)][None], scale_factor=2.0, mode="trilinear")[0]
    fine = tuple(slice(2 * s.start, min(2 * s.stop, n)) for s, n in zip(box, image.shape, strict=True))
    inner = inner[(slice(None), *(slice(0, s.stop - s.start) for s in fine))]
    prior = inner[:-1].numpy()
    side = inner[-1]
    if sharpen:
        softened = np.stack([ndi.gaussian_filter(share, 1.0) for share in prior]) + 1e-4
        if placed is not None and affine is not None:
            expected, millimetres = atlas_shares(placed, affine, fine)
            softened = (expected + 1e-4) * (softened + 1e-3) ** NETWORK_WEIGHT
            side = torch.from_numpy(millimetres)
        prior = refine(image[fine].numpy(), softened / softened.sum(axis=0), [TISSUE.get(name, 0) for name in names])
    shares = torch.zeros((len(names), *image.shape))
    shares[0] = 1
    shares[(slice(None), *fine)] = torch.from_numpy(prior)
    right = torch.zeros(image.shape)
    right[fine] = side
    return shares, right


def _coarse_shares(network: torch.nn.Module, coarse: torch.Tensor, classes: int) -> torch.Tensor:
    """(classes + 1, ...) on the 2 mm grid: the brain is searched for in windows, then seen in one that holds it."""
    kind = best_precision()

    def forward(patch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cpu", kind, enabled=kind == torch.bfloat16):
            output = network(patch)
        return torch.cat([torch.softmax(output[:, :-1].float(), 1), output[:, -1:].float().clamp(-8, 8)], 1)

    step = int(network.stride)
    first = predict_windows(forward, coarse, channels=classes + 1, window=SEARCH_WINDOW, overlap=0.25, stride=step)
    brain = (first[0] < 0.5).numpy()
    if not brain.any() or all(n <= w for n, w in zip(coarse.shape, SEARCH_WINDOW, strict=True)):
        return first
    labels, count = ndi.label(brain)
    largest = 1 + int(np.argmax(ndi.sum_labels(brain, labels, range(1, count + 1))))
    middle = [0.5 * (s.start + s.stop) for s in ndi.find_objects((labels == largest).astype(np.uint8))[0]]
    starts = [
        int(np.clip(round(m - w / 2), 0, max(0, n - w)))
        for m, w, n in zip(middle, BRAIN_WINDOW, coarse.shape, strict=True)
    ]
    view = tuple(slice(s, min(s + w, n)) for s, w, n in zip(starts, BRAIN_WINDOW, coarse.shape, strict=True))
    second = torch.zeros_like(first)
    second[0] = 1
    second[(slice(None), *view)] = predict_windows(
        forward, coarse[view], channels=classes + 1, window=BRAIN_WINDOW, stride=step
    )
    return second


def _box_of(mask: torch.Tensor, *, margin: int) -> tuple[slice, ...]:
    """The bounding box of a mask, grown by `margin` within the grid; the whole grid when the mask is empty."""
    found = ndi.find_objects(mask.numpy().astype(np.uint8))
    if not found:
        return tuple(slice(0, n) for n in mask.shape)
    return tuple(
        slice(max(0, s.start - margin), min(n, s.stop + margin)) for s, n in zip(found[0], mask.shape, strict=True)
    )


def brain_mask(
    labels: NDArray[np.uint8], fluid: int = 1, *, closing_mm: float = 5.0, spacing: Sequence[float] = (1, 1, 1)
) -> NDArray[np.bool_]:
    """Tissue and ventricles with the sulci between them: a closing that stays within what was labelled."""
    tissue = (labels > 0) & (labels != fluid)
    closed = closed_ball(tissue, closing_mm, spacing)
    return ndi.binary_fill_holes(tissue | (closed & (labels > 0)))


def closed_ball(mask: NDArray[np.bool_], radius: float, spacing: Sequence[float]) -> NDArray[np.bool_]:
    """Morphological closing by a ball of `radius` mm, by two distance transforms."""
    box = ndi.find_objects(mask.astype(np.uint8))
    if not box:
        return mask.copy()
    margin = [int(np.ceil(radius / s)) + 1 for s in spacing]
    padded = np.pad(mask[box[0]], [(m, m) for m in margin])
    grown = ndi.distance_transform_edt(~padded, sampling=spacing) <= radius
    shrunk = ndi.distance_transform_edt(grown, sampling=spacing) > radius
    closed = np.zeros_like(mask)
    closed[box[0]] = shrunk[tuple(slice(m, -m) for m in margin)] | mask[box[0]]
    return closed


def _pixels(image: Image) -> NDArray[np.float32]:
    if not image.is_volume:
        raise GeometryError(image.name, "is not a volume", "Give a 3D series.")
    lengths = np.array(image.shape) * np.array(image.spacing)
    if lengths.min() < LEAST_SIDE_MM:
        raise GeometryError(image.name, f"covers only {lengths.min():.0f} mm", "Give a whole-brain series.")
    pixels = np.asarray(image.array[0], dtype=np.float32)
    pixels = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    if np.ptp(pixels) == 0:
        raise InputError(image.name, "has the same value everywhere", "Check the export.")
    return pixels


def _largest_brain(shares: torch.Tensor) -> NDArray[np.bool_]:
    """The largest connected piece of what is likelier brain than background, and what touches it by 2 voxels."""
    brain = (shares[0] < 0.5).numpy()
    labels, count = ndi.label(brain)
    if count < 2:
        return brain
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = labels == sizes.argmax()
    return ndi.binary_dilation(largest, iterations=2)


def _labels_back(grid: WorkingGrid, shares: torch.Tensor, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The labels on the file's grid: each share interpolated, then the largest one chosen."""
    best = np.full(grid.source_shape, 0.5, dtype=np.float32)
    found = np.zeros(grid.source_shape, dtype=np.uint8)
    np.copyto(best, np.maximum(grid.back(shares[0].numpy()), 1e-3))
    for value in np.unique(labels[labels > 0]):
        share = grid.back(shares[int(value)].numpy())
        better = share > best
        found[better] = value
        best[better] = share[better]
    return found


def _smooth_side(right: torch.Tensor) -> NDArray[np.float32]:
    return torch.sigmoid(right).numpy()


def _volumes(
    shares: torch.Tensor, right: torch.Tensor, names: tuple[str, ...], paired: tuple[str, ...]
) -> dict[tuple[str, str | None], float]:
    """mL by name and side, from shares on 1 mm voxels; faint shares (< 0.05) are left out, or noise would add up."""
    side = torch.sigmoid(right)
    volumes: dict[tuple[str, str | None], float] = {}
    for value, name in enumerate(names):
        if value == 0:
            continue
        share = torch.where(shares[value] < 0.05, torch.zeros(()), shares[value])
        volumes[name, None] = float(share.sum()) / 1000
        if name in paired:
            volumes[name, "right"] = float((share * side).sum()) / 1000
            volumes[name, "left"] = volumes[name, None] - volumes[name, "right"]
    return volumes


def _chosen(mask: NDArray[np.bool_], right: NDArray[np.bool_], side: str | None) -> NDArray[np.bool_]:
    if side is None:
        return mask
    return mask & right if side == "right" else mask & ~right

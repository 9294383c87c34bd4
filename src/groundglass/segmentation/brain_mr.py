"""Brain structures in MR of any contrast: an atlas laid on the patient, sharpened by a network.

The affine registration says where each structure is expected, the network, which saw only synthetic brains (see
`brain_mr_training`), what the image at 1 mm makes of it. Shares come back to the file's grid by linear interpolation
before the label is chosen, so that masks are not stair-cased.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import GeometryError, Image, InputError
from groundglass.models import load_model
from groundglass.segmentation.brain_prior import affine_to_template, place_atlas, positions_of, share_maps
from groundglass.segmentation.sliding import fast_inference, gaussian_weight, label_map, window_starts
from groundglass.segmentation.ventricle_wall import sharpen_ventricles
from groundglass.segmentation.working_grid import WorkingGrid, working_grid
from groundglass.synthesis import normalise_brain

# Voxels of 1 mm; larger windows than in training see more and blend less.
WINDOW = (96, 96, 96)
OVERLAP = 0.2
# Where the atlas is outside of the brain with this share, nothing is looked for; the margin is in voxels.
OUTSIDE, MARGIN = 0.97, 6
# Sides of the box are multiples of it, as the network's levels want.
STRIDE = 8
# Layers of the file's grid that are interpolated at a time.
SLAB = 16
FLUID, VENTRICLES = "cerebrospinal fluid", ("lateral ventricle", "third ventricle", "fourth ventricle")
# A contrast that gives a structure less than this does not forbid it to the others.
LEAST_SHARE = 1e-4
# What the atlas alone is sure of: contrasts count by the square of what they are surer.
UNINFORMED = 0.63
LEAST_SIDE_MM = 20.0

Forward = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class BrainSegmentation:
    """What the network saw in one volume.

    `labels` (uint8) and `right` (bool) lie on the file's grid, `grid_labels` and `grid_right` on the working grid of
    `grid`; `names` are the labels' ontology terms, `paired` those with two sides. `confidence` is the mean largest
    share over the brain, on the working grid. `doubts` says why the atlas's place is not to be trusted, if so.
    """

    labels: NDArray[np.uint8]
    right: NDArray[np.bool_]
    grid: WorkingGrid
    grid_labels: NDArray[np.uint8]
    grid_right: NDArray[np.bool_]
    names: tuple[str, ...]
    paired: tuple[str, ...]
    confidence: float
    doubts: tuple[str, ...] = ()

    def mask(self, name: str, side: str | None = None) -> NDArray[np.bool_]:
        """A structure on the file's grid."""
        return _chosen(self.labels == self.names.index(name), self.right, side)

    @cached_property
    def voxel_ml(self) -> float:
        """mL of a voxel of the file's grid."""
        return float(abs(np.linalg.det(self.grid.source_affine[:3, :3]))) / 1000

    @cached_property
    def volumes(self) -> dict[tuple[str, str | None], float]:
        """mL by (name, side) of the masks on the file's grid: what anyone who counts their voxels finds."""
        return _volumes(self.labels, self.right, self.names, self.paired, self.voxel_ml)

    @cached_property
    def brain_ml(self) -> float:
        """mL of `brain`."""
        return float(np.count_nonzero(self.brain)) * self.voxel_ml

    @cached_property
    def grid_brain(self) -> NDArray[np.bool_]:
        """Brain with ventricles, sulci and the fluid around it on the working grid (RAS, 1 mm)."""
        return brain_mask(self.grid_labels)

    @cached_property
    def brain(self) -> NDArray[np.bool_]:
        """Brain with ventricles, sulci and the fluid around it on the file's grid."""
        whole = tuple(slice(0, n) for n in self.grid_brain.shape)
        shares = torch.from_numpy(self.grid_brain.astype(np.float32))[None]
        return _on_file(self.grid, shares, whole, lambda moved: (moved[0] > 0.5).numpy())

    def grid_mask(self, name: str, side: str | None = None) -> NDArray[np.bool_]:
        """A structure on the working grid (RAS)."""
        return _chosen(self.grid_labels == self.names.index(name), self.grid_right, side)


@dataclass(frozen=True)
class StudyBrain:
    """One brain seen in `images` that share a grid; `alone` has what each of them says without the others."""

    found: BrainSegmentation
    images: tuple[Image, ...]
    alone: tuple[OwnVolumes, ...]


@dataclass(frozen=True)
class OwnVolumes:
    """mL of the brain (with ventricles and fluid) and of structures by (name, side), by one image alone at 1 mm."""

    brain_ml: float
    volumes: dict[tuple[str, str | None], float]


def segment_brain(image: Image, *, model: str = "brain-mr") -> BrainSegmentation:
    """Segment a volume. Raises GeometryError for what is no volume, InputError for one without contrast."""
    loaded = load_model(model)
    return segment_brain_with(loaded.network, loaded.config, image)


def segment_brain_with(network: torch.nn.Module, config: Any, image: Image) -> BrainSegmentation:
    """`segment_brain` by a given network; `config` holds `labels` and `paired`."""
    return segment_together(network, config, (image,)).found


def on_one_grid(images: Sequence[Image]) -> list[tuple[Image, ...]]:
    """Images in groups of the same shape and affine (to a hundredth of a mm), in their order."""
    groups: list[list[Image]] = []
    for image in images:
        for group in groups:
            if group[0].shape == image.shape and np.allclose(group[0].affine, image.affine, atol=1e-2):
                group.append(image)
                break
        else:
            groups.append([image])
    return [tuple(group) for group in groups]


def segment_together(network: torch.nn.Module, config: Any, images: Sequence[Image]) -> StudyBrain:
    """One segmentation of contrasts of one brain on one grid: the weighted geometric mean of what each says.

    The atlas is placed by the image that agrees with it best. Raises as `segment_brain`.
    """
    names, paired = tuple(config["labels"]), tuple(config["paired"])
    grids = [working_grid(_pixels(image), image.affine) for image in images]
    grid = grids[0]
    placed = max((place_atlas(g.pixels, g.affine) for g in grids), key=lambda p: p.quality.agreement)
    to_template = affine_to_template(placed, grid.affine)
    whole = tuple(slice(0, n) for n in grid.pixels.shape)
    ventricles = [names.index(name) for name in VENTRICLES]
    alone: list[OwnVolumes] = []
    pixels: list[NDArray[np.float32]] = []
    weights: list[float] = []
    total = torch.zeros(())
    for one in grids:
        box, own = brain_shares(network, one.pixels, to_template)
        own[1:, ~torch.from_numpy(_largest_brain(own))] = 0
        pixels.append(one.pixels[box])
        if len(grids) > 1:
            weights.append(max(_confidence(own) - UNINFORMED, 0.01) ** 2)
            total = total + weights[-1] * own.clamp(min=LEAST_SHARE).log()
        own = sharpen_ventricles(own, pixels[-1:], ventricles, names.index(FLUID))
        chosen, right = label_map(own), positions_of(to_template, box)[0].numpy() > 0
        alone.append(
            OwnVolumes(float(brain_mask(chosen).sum()) / 1000, _volumes(chosen, right, names, paired, voxel_ml=1e-3))
        )
    shares = own
    if len(grids) > 1:
        shares = sharpen_ventricles(torch.softmax(total / sum(weights), 0), pixels, ventricles, names.index(FLUID))
    inner = label_map(shares)
    labels = np.zeros(grid.pixels.shape, dtype=np.uint8)
    labels[box] = inner
    found = BrainSegmentation(
        labels=_on_file(grid, shares, box, label_map),
        right=_right_half(to_template @ np.linalg.inv(grid.to_source), grid.source_shape),
        grid=grid,
        grid_labels=labels,
        grid_right=positions_of(to_template, whole)[0].numpy() > 0,
        names=names,
        paired=paired,
        confidence=_confidence(shares),
        doubts=placed.reasons,
    )
    return StudyBrain(found, tuple(images), tuple(alone))


def _confidence(shares: torch.Tensor) -> float:
    """The mean largest share where it is not the background's; 0 where there is nothing else."""
    best = shares.amax(dim=0)
    inside = shares[0] < best
    return float(best[inside].mean()) if inside.any() else 0.0


def brain_shares(
    network: torch.nn.Module, pixels: NDArray[np.float32], to_template: NDArray[np.float64]
) -> tuple[tuple[slice, ...], torch.Tensor]:
    """The box around the brain and its shares (classes, *box) in upright 1 mm pixels.

    `to_template` (4x4) leads from their voxels to MNI mm. Outside of the box all is background.
    """
    box = _brain_box(pixels.shape, to_template, STRIDE)

    def forward(patch: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
        with fast_inference():
            return network(patch, expected)

    image = normalise_brain(torch.from_numpy(pixels))
    outer = tuple(slice(s.start, s.start + max(w, s.stop - s.start)) for s, w in zip(box, WINDOW, strict=True))
    image = _padded(image[tuple(slice(s.start, s.stop) for s in outer)], [s.stop - s.start for s in outer])
    expected = share_maps().at(positions_of(to_template, outer, step=2))
    shares = torch.softmax(_logits(forward, image, expected), 0)
    inside = tuple(slice(0, min(s.stop, n) - s.start) for s, n in zip(box, pixels.shape, strict=True))
    return tuple(slice(s.start, s.start + i.stop) for s, i in zip(box, inside, strict=True)), shares[
        (slice(None), *inside)
    ]


def _brain_box(shape: tuple[int, ...], to_template: NDArray[np.float64], stride: int) -> tuple[slice, ...]:
    """Where the atlas expects brain, grown by MARGIN; sides are multiples of `stride` and may end beyond the grid."""
    coarse = share_maps().at(positions_of(to_template, tuple(slice(0, n) for n in shape), step=4))
    found = ndi.find_objects((coarse[0] < OUTSIDE).numpy().astype(np.uint8))
    if not found:
        return tuple(slice(0, -(-n // stride) * stride) for n in shape)
    box = []
    for part, size in zip(found[0], shape, strict=True):
        start, stop = max(0, 4 * part.start - MARGIN), min(size, 4 * part.stop + MARGIN)
        box.append(slice(start, start + -(-(stop - start) // stride) * stride))
    return tuple(box)


def _logits(forward: Forward, image: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """(classes, X, Y, Z): the weighted mean of `forward` over windows, whose starts are even: `expected` is halved."""
    total = torch.zeros((len(expected), *image.shape))
    weights = torch.zeros(image.shape)
    weight = gaussian_weight(WINDOW)
    starts = [[2 * (s // 2) for s in window_starts(n, w, OVERLAP)] for n, w in zip(image.shape, WINDOW, strict=True)]
    for corner in product(*starts):
        fine = tuple(slice(c, c + w) for c, w in zip(corner, WINDOW, strict=True))
        half = tuple(slice(s.start // 2, s.stop // 2) for s in fine)
        found = forward(image[fine][None, None], expected[(slice(None), *half)][None])[0]
        total[(slice(None), *fine)] += found.float() * weight
        weights[fine] += weight
    return total / weights


def _padded(image: torch.Tensor, sides: Sequence[int]) -> torch.Tensor:
    amounts = [m for have, want in zip(reversed(image.shape), reversed(sides), strict=True) for m in (0, want - have)]
    return torch.nn.functional.pad(image, amounts)


def brain_mask(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """All that is labelled: tissue, ventricles and the fluid around them, without holes."""
    return np.asarray(ndi.binary_fill_holes(labels > 0))


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


def _on_file(
    grid: WorkingGrid,
    shares: torch.Tensor,
    box: tuple[slice, ...],
    choose: Callable[[torch.Tensor], NDArray[Any]],
) -> NDArray[Any]:
    """What `choose` makes of shares (C, *box) interpolated at the voxels of the file's grid; 0 outside of the box."""
    to_box = np.asarray(np.linalg.inv(grid.to_source), dtype=np.float64)
    to_box[:3, 3] -= [s.start for s in box]
    part = _covered(np.asarray(np.linalg.inv(to_box), dtype=np.float64), shares.shape[1:], grid.source_shape)
    size = torch.tensor(shares.shape[1:], dtype=torch.float32)[:, None, None, None]
    found = np.zeros(grid.source_shape, dtype=choose(shares[:, :1, :1, :1]).dtype)
    for first in range(part[0].start, part[0].stop, SLAB):
        slab = (slice(first, min(first + SLAB, part[0].stop)), *part[1:])
        where = positions_of(to_box, slab)
        outside = ((where < -0.5) | (where > size - 0.5)).any(0)
        at = (where / (size - 1).clamp(min=1) * 2 - 1).flip(0).movedim(0, -1)[None]
        moved = torch.nn.functional.grid_sample(shares[None], at, padding_mode="border", align_corners=True)[0]
        found[slab] = np.where(outside.numpy(), 0, choose(moved))
    return found


def _covered(to_file: NDArray[np.float64], inner: Sequence[int], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The part of a grid of `shape` that an inner grid's voxels reach; `to_file` (4x4) leads from the latter."""
    corners = np.array(list(product(*[(-0.5, n - 0.5) for n in inner])))
    reached = corners @ to_file[:3, :3].T + to_file[:3, 3]
    low, high = np.floor(reached.min(axis=0)).astype(int), np.ceil(reached.max(axis=0)).astype(int) + 1
    return tuple(slice(int(np.clip(a, 0, n)), int(np.clip(b, 0, n))) for a, b, n in zip(low, high, shape, strict=True))


def _right_half(to_template: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Whether a file's voxel lies right of the atlas's mid-plane; `to_template` (4x4) leads from its voxels to MNI."""
    x, y, z = (np.arange(n, dtype=np.float32) for n in shape)
    a, b, c, d = to_template[0].tolist()
    return np.asarray((a * x + d)[:, None, None] + (b * y)[None, :, None] + (c * z)[None, None, :] > 0)


def _volumes(
    labels: NDArray[np.uint8],
    right: NDArray[np.bool_],
    names: tuple[str, ...],
    paired: tuple[str, ...],
    voxel_ml: float,
) -> dict[tuple[str, str | None], float]:
    """mL by name and side, from labels and what is right of the mid-plane on one grid."""
    both = np.bincount(labels.ravel(), minlength=len(names))
    on_right = np.bincount(labels[right], minlength=len(names))
    volumes: dict[tuple[str, str | None], float] = {}
    for value, name in enumerate(names[1:], start=1):
        volumes[name, None] = float(both[value]) * voxel_ml
        if name in paired:
            volumes[name, "right"] = float(on_right[value]) * voxel_ml
            volumes[name, "left"] = float(both[value] - on_right[value]) * voxel_ml
    return volumes


def _chosen(mask: NDArray[np.bool_], right: NDArray[np.bool_], side: str | None) -> NDArray[np.bool_]:
    if side is None:
        return mask
    return mask & right if side == "right" else mask & ~right

"""One pass over a pair of label maps: voxel counts of every label, and the surface voxels of every label.

A surface voxel has a face neighbour of another label, or lies on the border of the image (what is outside counts as
background): the mask without its erosion by the cross element, as MONAI and medpy define it. The volume is read in
slabs that fit a core's cache, spread over the free cores. Neighbours are compared, and runs of equal values are
counted instead of voxels, so that ten labels cost what one does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.cores import free_cores
from groundglass.core.errors import InputError
from groundglass.metrics.segmentation.checks import MaskPair
from groundglass.metrics.segmentation.threads import in_threads

SLAB_VOXELS = 1 << 18
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Surface voxels of all labels: flat indices sorted by code, those of code c in `bounds[c]:bounds[c + 1]`."""

    index: Indices
    bounds: Indices

    def of(self, code: int) -> Indices:
        """Flat indices of one label's surface, ascending."""
        return self.index[self.bounds[code] : self.bounds[code + 1]]


@dataclass(frozen=True, slots=True)
class Counts:
    """Voxels of one label in the prediction, in the truth, in both, and in the whole image."""

    prediction: int
    truth: int
    both: int
    image: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What one pass finds.

    The label maps have the input's `axes` in memory order, and `spacing` with them; `codes` says by which value a
    label number stands in them, `counts` its voxels. Surfaces are None unless asked for.
    """

    prediction: NDArray[Any]
    truth: NDArray[Any]
    axes: tuple[int, ...]
    spacing: tuple[float, ...]
    codes: dict[int, int]
    counts: dict[int, Counts]
    prediction_surfaces: Surfaces | None
    truth_surfaces: Surfaces | None


@dataclass(frozen=True, slots=True)
class _Slab:
    """Keys (prediction code * size + truth code) with their voxels; flat indices and codes of surface voxels."""

    keys: NDArray[np.int64]
    voxels: NDArray[np.int64]
    surfaces: tuple[tuple[Indices, NDArray[Any]], ...]


def scan(pair: MaskPair, *, surfaces: bool = True, threads: int | None = None) -> Scan:
    """Counts, and with `surfaces` the surface voxels, of every label. Raises InputError for negative labels."""
    axes = tuple(int(a) for a in np.argsort([-abs(s) for s in pair.truth.strides], kind="stable"))
    said, real, numbers = _coded(pair.prediction.transpose(axes), pair.truth.transpose(axes))
    size = len(numbers)
    planes = max(1, SLAB_VOXELS // (real.size // real.shape[0]))
    starts = range(0, real.shape[0], planes)
    slabs = in_threads(
        lambda start: _slab(said, real, start, min(start + planes, real.shape[0]), size, surfaces),
        starts,
        threads or free_cores(),
    )
    keys, voxels = _tally(np.concatenate([s.keys for s in slabs]), np.concatenate([s.voxels for s in slabs]), size**2)
    predicted, true = np.divmod(keys, size)
    present = np.union1d(predicted, true)
    present = present[numbers[present] != 0]
    counts = {
        int(numbers[code]): Counts(
            int(voxels[predicted == code].sum()),
            int(voxels[true == code].sum()),
            int(voxels[(predicted == code) & (true == code)].sum()),
            real.size,
        )
        for code in present
    }
    found = [_grouped([s.surfaces[k] for s in slabs], size) for k in range(2)] if surfaces else [None, None]
    return Scan(
        prediction=said,
        truth=real,
        axes=axes,
        spacing=tuple(pair.spacing[a] for a in axes),
        codes={int(numbers[code]): int(code) for code in present},
        counts=counts,
        prediction_surfaces=found[0],
        truth_surfaces=found[1],
    )


def _coded(prediction: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:
    """Both maps in C order as small unsigned codes, and the label number of every code (code 0 is label 0)."""
    lowest = min(_extreme(prediction, np.min), _extreme(truth, np.min))
    highest = max(_extreme(prediction, np.max), _extreme(truth, np.max))
    if lowest < 0:
        name = "prediction" if _extreme(prediction, np.min) < 0 else "truth"
        raise InputError(
            name, f"holds the label {lowest}", "Labels are 0 (background) and up; was it resampled with a fill value?"
        )
    if highest < 256:
        return _bytes(prediction), _bytes(truth), np.arange(highest + 1)
    numbers = np.union1d(np.union1d(np.unique(prediction), np.unique(truth)), [0])
    kind = np.min_scalar_type(len(numbers))
    said, real = (np.searchsorted(numbers, np.ascontiguousarray(m)).astype(kind) for m in (prediction, truth))
    return said, real, numbers.astype(np.int64)


def _extreme(labels: NDArray[Any], which: Any) -> int:
    # A boolean or a byte needs no look.
    if labels.dtype.kind == "b":
        return int(which([0, 1]))
    if labels.dtype == np.uint8:
        return int(which([0, 255]))
    return int(which(labels))


def _bytes(labels: NDArray[Any]) -> NDArray[np.uint8]:
    return (
        np.ascontiguousarray(labels).view(np.uint8)
        if labels.dtype.kind == "b"
        else np.ascontiguousarray(labels, np.uint8)
    )


def _slab(said: NDArray[Any], real: NDArray[Any], start: int, stop: int, size: int, surfaces: bool) -> _Slab:
    if not said[start:stop].any() and not real[start:stop].any():
        nothing = (np.empty(0, np.intp), np.empty(0, said.dtype))
        return _Slab(np.zeros(1, np.int64), np.array([real[start:stop].size]), (nothing, nothing))
    a, b = said[start:stop].reshape(-1), real[start:stop].reshape(-1)
    changes = a[1:] != a[:-1], b[1:] != b[:-1]
    starts = np.concatenate([[0], where(changes[0] | changes[1]) + 1])
    lengths = np.diff(starts, append=len(a))
    keys, voxels = _tally(a[starts].astype(np.int64) * size + b[starts], lengths, size**2)
    found: tuple[tuple[Indices, NDArray[Any]], ...] = ()
    if surfaces:
        found = tuple(_surface(m, c, start, stop) for m, c in zip((said, real), changes, strict=True))
    return _Slab(keys, voxels, found)


def _tally(
    keys: NDArray[np.int64], voxels: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every key once, with the sum of its voxels."""
    if size <= 1 << 16:
        sums = np.bincount(keys, voxels, minlength=size)
        present = np.flatnonzero(sums)
        return present, sums[present].astype(np.int64)
    present, inverse = np.unique(keys, return_inverse=True)
    return present, np.bincount(inverse, voxels).astype(np.int64)


def _surface(labels: NDArray[Any], changes: NDArray[np.bool_], start: int, stop: int) -> tuple[Indices, NDArray[Any]]:
    """Flat indices (of the whole map) and codes of the surface voxels in planes `start` to `stop`.

    `changes` marks where flat neighbours within the slab differ. Across the end of a row it compares voxels that are
    no neighbours; both lie on the border of the image and are surface anyway.
    """
    slab = labels[start:stop]
    surface = np.zeros(slab.shape, dtype=bool)
    flat = surface.reshape(-1)
    flat[1:] = changes
    flat[:-1] |= changes
    low, high = max(start - 1, 0), min(stop + 1, len(labels))
    steps = labels[low : high - 1] != labels[low + 1 : high]
    # steps[i] lies between planes low + i and low + i + 1.
    behind, ahead = steps[: stop - 1 - low], steps[start - low :]
    surface[len(slab) - len(behind) :] |= behind
    surface[: len(ahead)] |= ahead
    surface[:1] |= start == 0
    surface[len(slab) - 1 :] |= stop == len(labels)
    if slab.ndim == 3:
        steps = slab[:, 1:] != slab[:, :-1]
        surface[:, 1:] |= steps
        surface[:, :-1] |= steps
        surface[:, 0] = surface[:, -1] = True
    surface[..., 0] = surface[..., -1] = True
    surface &= slab != 0
    index = where(flat)
    return index + start * (slab.size // len(slab)), slab.reshape(-1)[index]


def where(flags: NDArray[np.bool_]) -> Indices:
    """`np.flatnonzero` of a flat, contiguous array of few true values: eight are looked at in one step."""
    whole = len(flags) // 8 * 8
    words = np.flatnonzero(flags[:whole].view(np.uint64) != 0)
    hits = np.flatnonzero(flags[:whole].reshape(-1, 8)[words])
    return np.concatenate([words[hits >> 3] * 8 + (hits & 7), whole + np.flatnonzero(flags[whole:])])


def _grouped(parts: Sequence[tuple[Indices, NDArray[Any]]], size: int) -> Surfaces:
    codes = np.concatenate([part[1] for part in parts])
    order = np.argsort(codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=size))])
    return Surfaces(np.concatenate([part[0] for part in parts])[order], bounds)

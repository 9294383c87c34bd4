"""The lesion that a PET/CT sentence speaks of, by its SUVmax and slice (ConTEXTual Net 3D, arXiv 2502.00528, part A).

Candidates are the connected regions above a ladder of thresholds: every peak with the widest region of which it is the
hottest voxel. A stated value fits a candidate whose SUVmax rounds to it. The candidate is then narrowed: a threshold
between its background and its maximum is taken, the background is measured again around what is left, until nothing
changes, so that a bladder or heart beside it is not swallowed. What remains has to touch the stated slice. Slices may
be counted from either end: the end with more single matches is taken for the exam. The paper's thresholds are not
published; ours are parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Image, InputError, Mask
from groundglass.io.suv import SUV
from groundglass.text.mining import Mined

LADDER = (2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 13.0, 17.0)
FRACTION = 0.5
ROUNDS = 20
SMALLEST = 4
"""Voxels of a candidate at least: a single hot voxel of noise in brain or heart is no lesion."""
_REACH = 2  # voxels around a region in which its background is measured

Unmatched = Literal["", "dropped in the text", "no candidate", "several candidates", "direction unknown"]
Volume = NDArray[np.float32]
Region = NDArray[np.bool_]


class Candidate(NamedTuple):
    """A peak at voxel `at` with its value, and `region`: bool (X, Y, Z) crop at `start` of which it is the maximum."""

    suv_max: float
    at: tuple[int, int, int]
    start: tuple[int, ...]
    region: Region


class StatedLesion(NamedTuple):
    """A mined sentence with the lesion that it speaks of, or why none was found."""

    row: Mined
    mask: Mask | None
    suv_max: float | None
    unmatched: Unmatched


def stated_lesions(
    image: Image, rows: Iterable[Mined], *, ladder: Sequence[float] = LADDER, fraction: float = FRACTION
) -> tuple[StatedLesion, ...]:
    """One result per row, in order. The image's last axis is the axial one.

    Match before any resampling: the report's value is that of a voxel. Raises InputError when the image is no volume
    in SUV.
    """
    if not image.is_volume or image.units != SUV:
        raise InputError(image.name, f"is no volume in {SUV}", "Give the PET, with weight and dose in its header.")
    values = np.asarray(image.array, dtype=np.float32).reshape(image.shape)
    given = list(rows)
    matcher = _Matcher(values, candidates(values, ladder=ladder), fraction)
    found = {end: [matcher.matches(row, end) for row in given] for end in ("first", "last")}
    # Single matches decide, then any; two ends that fit alike both count.
    fit = {end: (sum(len(m) == 1 for m in sets), sum(map(bool, sets))) for end, sets in found.items()}
    ends = [end for end, count in fit.items() if count == max(fit.values())]
    return tuple(_result(row, [found[end][n] for end in ends], matcher, image) for n, row in enumerate(given))


def candidates(values: Volume, *, ladder: Sequence[float] = LADDER) -> tuple[Candidate, ...]:
    """Every peak above the lowest threshold, with the widest region in which no voxel is hotter; hottest first."""
    from scipy.ndimage import find_objects, generate_binary_structure, label

    touching = generate_binary_structure(3, 3)
    kept: dict[tuple[int, int, int], Candidate] = {}
    for threshold in sorted(ladder):
        labels, count = label(values > threshold, touching)
        if not count:
            break
        for number, (window, at) in enumerate(zip(find_objects(labels), _peaks(values, labels), strict=True), start=1):
            if at in kept:
                continue
            region = labels[window] == number
            if region.sum() >= SMALLEST:
                kept[at] = Candidate(float(values[at]), at, tuple(part.start for part in window), region)
    return tuple(sorted(kept.values(), key=lambda held: (-held.suv_max, held.at)))


def _peaks(values: Volume, labels: NDArray[np.int32]) -> list[tuple[int, int, int]]:
    """The hottest voxel of each label from 1 on."""
    inside = np.flatnonzero(labels)
    order = inside[np.argsort(values.ravel()[inside], kind="stable")]
    hottest = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    hottest[labels.ravel()[order]] = order  # the last one written is the hottest
    places = np.unravel_index(hottest[1:], values.shape)
    return [(int(x), int(y), int(z)) for x, y, z in zip(*places, strict=True)]


def narrowed(values: Volume, candidate: Candidate, *, fraction: float = FRACTION) -> Region:
    """The region (bool, the volume's shape) above background + `fraction` x (maximum - background), around the peak.

    The background is the mean within two voxels around the region, measured again until the region is stable.
    """
    from scipy.ndimage import binary_dilation

    window, at = _around(values.shape, candidate)
    part = values[window]
    region = np.zeros(part.shape, dtype=bool)
    inner = tuple(slice(s - w.start, s - w.start + n) for s, w, n in zip(
        candidate.start, window, candidate.region.shape, strict=True
    ))  # fmt: skip
    region[inner] = candidate.region
    seen: set[bytes] = set()
    for _ in range(ROUNDS):
        ring = binary_dilation(region, iterations=_REACH) & ~region
        background = float(part[ring].mean()) if ring.any() else 0.0
        level = background + fraction * (candidate.suv_max - background)
        after = _connected((part >= level) & (part <= candidate.suv_max), at)
        key = np.packbits(after).tobytes()
        if key in seen:
            break
        seen.add(key)
        region = after
    whole = np.zeros(values.shape, dtype=bool)
    whole[window] = region
    return whole


class _Matcher:
    """Candidates of one exam; each is narrowed once, when a sentence first asks for it."""

    def __init__(self, values: Volume, held: Sequence[Candidate], fraction: float) -> None:
        self.values, self.held, self.fraction = values, held, fraction
        self._narrowed: dict[int, Region] = {}

    def region(self, number: int) -> Region:
        if number not in self._narrowed:
            self._narrowed[number] = narrowed(self.values, self.held[number], fraction=self.fraction)
        return self._narrowed[number]

    def matches(self, row: Mined, end: str) -> tuple[int, ...]:
        """Candidates that a row fits, its slice counted from the first or the last one stored."""
        if row.dropped or row.suv_max is None or row.slice is None:
            return ()
        depth = self.values.shape[2]
        at = row.slice - 1 if end == "first" else depth - row.slice
        if not 0 <= at < depth:
            return ()
        half = 0.5 * 10.0**-row.decimals + 1e-4
        return tuple(
            number
            for number, candidate in enumerate(self.held)
            if abs(candidate.suv_max - row.suv_max) <= half and self.region(number)[:, :, at].any()
        )


def _result(row: Mined, sets: Sequence[tuple[int, ...]], matcher: _Matcher, image: Image) -> StatedLesion:
    """`sets`: the candidates from each end that fits the exam best; two ends that disagree leave it open."""
    if row.dropped:
        return StatedLesion(row, None, None, "dropped in the text")
    if len(set(sets)) > 1:
        return StatedLesion(row, None, None, "direction unknown")
    if len(sets[0]) != 1:
        return StatedLesion(row, None, None, "several candidates" if sets[0] else "no candidate")
    (number,) = sets[0]
    mask = Mask.of(matcher.region(number), image.affine)
    return StatedLesion(row, mask, matcher.held[number].suv_max, "")


def _around(shape: tuple[int, ...], candidate: Candidate) -> tuple[tuple[slice, ...], tuple[int, ...]]:
    """The region's window with room for its background, and the peak in it."""
    window = tuple(
        slice(max(0, start - _REACH - 1), min(whole, start + length + _REACH + 1))
        for start, length, whole in zip(candidate.start, candidate.region.shape, shape, strict=True)
    )
    return window, tuple(a - w.start for a, w in zip(candidate.at, window, strict=True))


def _connected(region: Region, at: tuple[int, ...]) -> Region:
    from scipy.ndimage import generate_binary_structure, label

    labels, _ = label(region, generate_binary_structure(3, 3))
    return np.asarray(labels == labels[at])

"""The bootstrap of an AUROC by counts on sorted scores: 10,000 resamples of 100,000 cases in seconds.

A resample's area is the sum, over the positives drawn, of the negatives drawn that lie below (ties one half). With the
negatives in order of score these are cumulative counts, so that a resample costs three passes and no sorting.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.statistics.binary_scores import checked_binary
from groundglass.metrics.statistics.bootstrap import Interval, check_options, cluster_codes, expanded_bca
from groundglass.metrics.statistics.delong import components
from groundglass.metrics.statistics.draws import chunk_size, draw_counts


def bootstrap_auroc(
    labels: ArrayLike,
    scores: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """AUROC with its bootstrap interval, BCa at expanded levels.

    Positives and negatives are drawn apart (stratified); with `clusters` (N,), the patient of each case, patients are
    drawn whole instead (np.arange(N): cases whatever their class). No interval (NaN) with a single case or patient of a
    class, whose spread cannot be seen. Raises InputError unless both classes occur.
    """
    check_options(level, resamples)
    truth, values = checked_binary(labels, scores)
    replicates = auroc_replicates(truth, values, clusters=clusters, resamples=resamples, seed=seed)
    area, left_out = leave_one_out(truth, values, clusters)
    return expanded_bca(area, replicates, left_out, level=level, units=_units(truth, clusters))


def bootstrap_auroc_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """First minus second AUROC on the same cases with its interval; both see the same resamples."""
    check_options(level, resamples)
    truth, a = checked_binary(labels, first)
    _, b = checked_binary(labels, second)
    replicates = [
        auroc_replicates(truth, values, clusters=clusters, resamples=resamples, seed=seed) for values in (a, b)
    ]
    (area_a, left_a), (area_b, left_b) = leave_one_out(truth, a, clusters), leave_one_out(truth, b, clusters)
    return expanded_bca(
        area_a - area_b, replicates[0] - replicates[1], left_a - left_b, level=level, units=_units(truth, clusters)
    )


def auroc_replicates(
    truth: NDArray[np.bool_],
    scores: NDArray[np.float64],
    *,
    clusters: ArrayLike | None = None,
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """AUROCs (R,) of resamples, NaN where one has no case of a class. The same seed draws the same cases."""
    positive, negative = np.argsort(scores[truth], kind="stable"), np.argsort(scores[~truth], kind="stable")
    high, low = scores[truth][positive], scores[~truth][negative]
    below, not_above = np.searchsorted(low, high, side="left"), np.searchsorted(low, high, side="right")
    chunk = chunk_size(len(scores))
    if clusters is None:
        streams = np.random.SeedSequence(seed).spawn(2)
        draws: Iterable[tuple[NDArray[np.uint8], ...]] = zip(
            *(
                draw_counts(len(order), resamples, np.random.default_rng(stream), chunk=chunk)
                for order, stream in zip((positive, negative), streams, strict=True)
            ),
            strict=True,
        )
    else:
        codes, count = _checked_clusters(clusters, len(truth))
        positive, negative = codes[truth][positive], codes[~truth][negative]
        draws = ((drawn, drawn) for drawn in draw_counts(count, resamples, seed, chunk=chunk))
    return np.concatenate(
        [
            _areas(drawn_p.take(positive, axis=1), drawn_n.take(negative, axis=1), below, not_above)
            for drawn_p, drawn_n in draws
        ]
    )


def _areas(
    positives: NDArray[np.uint8],
    negatives: NDArray[np.uint8],
    below: NDArray[np.intp],
    not_above: NDArray[np.intp],
) -> NDArray[np.float64]:
    """AUROCs (R,) from counts of positives (R, m) and negatives (R, n), each in order of score."""
    passed = np.zeros((len(negatives), negatives.shape[1] + 1), dtype=np.int32)
    np.cumsum(negatives, axis=1, dtype=np.int32, out=passed[:, 1:])
    won = np.einsum("rm,rm->r", positives, passed.take(below, axis=1), dtype=np.float64)
    if not np.array_equal(below, not_above):
        won += np.einsum("rm,rm->r", positives, passed.take(not_above, axis=1), dtype=np.float64)
        won /= 2
    pairs = positives.sum(axis=1, dtype=np.float64) * passed[:, -1]
    return np.divide(won, pairs, out=np.full(len(won), np.nan), where=pairs > 0)


def leave_one_out(
    truth: NDArray[np.bool_], scores: NDArray[np.float64], clusters: ArrayLike | None
) -> tuple[float, NDArray[np.float64]]:
    """(AUROC, AUROCs without each case or cluster)."""
    areas, v10, v01 = components(truth, scores[None])
    m, n = v10.shape[1], v01.shape[1]
    won, by_positive, by_negative = areas[0] * m * n, v10[0] * n, v01[0] * m
    with np.errstate(invalid="ignore", divide="ignore"):
        if clusters is None:
            left = [(won - by_positive) / ((m - 1) * n), (won - by_negative) / (m * (n - 1))]
            return float(areas[0]), np.concatenate(left)
        codes, count = _checked_clusters(clusters, len(truth))
        positives, negatives = np.bincount(codes[truth], minlength=count), np.bincount(codes[~truth], minlength=count)
        lost = np.bincount(codes[truth], by_positive, count) + np.bincount(codes[~truth], by_negative, count)
        # Pairs within a cluster were taken off twice.
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=count))
        for code in np.flatnonzero((positives > 0) & (negatives > 0)):
            rows = order[ends[code] - positives[code] - negatives[code] : ends[code]]
            inner, _, _ = components(truth[rows], scores[None, rows])
            lost[code] -= inner[0] * positives[code] * negatives[code]
        return float(areas[0]), (won - lost) / ((m - positives) * (n - negatives))


def _units(truth: NDArray[np.bool_], clusters: ArrayLike | None) -> int:
    """What the interval's expansion goes by: all units when classes are alike in number, twice the rarer's when not."""
    names = np.arange(len(truth)) if clusters is None else np.asarray(clusters)
    rarer = min(len(np.unique(names[truth])), len(np.unique(names[~truth])))
    return min(len(np.unique(names)), 2 * rarer) if rarer > 1 else 1


def _checked_clusters(clusters: ArrayLike, count: int) -> tuple[NDArray[np.intp], int]:
    names = np.asarray(clusters)
    if names.shape != (count,):
        raise InputError("clusters", f"have shape {names.shape}, labels {(count,)}", "Name one patient per case.")
    return cluster_codes(names)

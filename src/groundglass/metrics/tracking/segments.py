"""Segments of a sequence of labels: runs, edit score, F1 by overlap."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from groundglass.core.errors import ConfigurationError, InputError


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of one label over the half-open range [start, stop) of seconds or frames."""

    label: Hashable
    start: int
    stop: int


def segments_of(labels: Iterable[Hashable], background: Iterable[Hashable] = ()) -> list[Segment]:
    """The runs in order, without those of `background` labels."""
    left_out, found, start = set(background), [], 0
    for label, run in groupby(labels):
        stop = start + sum(1 for _ in run)
        if label not in left_out:
            found.append(Segment(label, start, stop))
        start = stop
    return found


def levenshtein(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions that turn one sequence into the other."""
    codes: dict[Hashable, int] = {}
    a, b = (np.array([codes.setdefault(x, len(codes)) for x in line], dtype=np.intp) for line in (first, second))
    places = np.arange(len(b) + 1)
    row = places.copy()
    for number, item in enumerate(a, start=1):
        # Without insertions first; these then spread from the left, one more per step.
        fresh = np.concatenate([[number], np.minimum(row[1:] + 1, row[:-1] + (b != item))])
        row = np.minimum.accumulate(fresh - places) + places
    return int(row[-1])


def edit_score(truth: Iterable[Hashable], prediction: Iterable[Hashable]) -> float:
    """1 - edit distance of the two orders of segments over the longer one's length (C. Lea et al., arXiv 1611.05267).

    Where segments lie in time does not matter. NaN when both are empty, 0 when one is.
    """
    real, said = ([label for label, _ in groupby(line)] for line in (truth, prediction))
    longest = max(len(real), len(said))
    return 1 - levenshtein(real, said) / longest if longest else math.nan


def segment_f1(
    truth: Sequence[Hashable],
    prediction: Sequence[Hashable],
    *,
    overlap: float = 0.5,
    background: Iterable[Hashable] = (),
) -> float:
    """F1@overlap of segments (C. Lea et al., arXiv 1611.05267).

    A predicted segment is right when its IoU with a true one of its label, the one that it overlaps best, reaches
    `overlap` and no earlier one has taken that.
    Labels are one per second or frame. NaN when neither has a segment. Raises InputError for sequences of different
    lengths, ConfigurationError for an overlap outside (0, 1].
    """
    if not 0 < overlap <= 1:
        raise ConfigurationError(f"overlap {overlap}", "is not a share", "Use 0.1, 0.25 or 0.5.")
    if len(truth) != len(prediction):
        raise InputError(
            "prediction", f"has {len(prediction)} labels, the truth {len(truth)}", "One per second in both."
        )
    skipped = set(background)
    real, said = segments_of(truth, skipped), segments_of(prediction, skipped)
    if not real and not said:
        return math.nan
    taken: set[int] = set()
    for segment in said:
        ious = [_iou(segment, other) if other.label == segment.label else 0.0 for other in real]
        best = int(np.argmax(ious)) if ious else -1
        if best >= 0 and ious[best] >= overlap and best not in taken:
            taken.add(best)
    return 2 * len(taken) / (len(real) + len(said))


def _iou(first: Segment, second: Segment) -> float:
    shared = min(first.stop, second.stop) - max(first.start, second.start)
    return max(shared, 0) / (max(first.stop, second.stop) - min(first.start, second.start))

"""PitVis-2023, task 2 (arXiv 2409.01184): the instrument score of a video."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import InputError
from groundglass.metrics.tracking.mask_series import Variant, checked_variant

# 0 no visible instrument, 1 to 18 named ones; -1 out of the patient and -2 no second instrument are not scored.
INSTRUMENTS = tuple(range(19))
_PADDING = (-1, -2)


def instrument_f1(
    truth: Sequence[Sequence[int]], prediction: Sequence[Sequence[int]], *, variant: Variant = "corrected"
) -> float:
    """F1 of each instrument, weighted by its true seconds (the abstract of the paper calls it macro-F1).

    One or two ids per second (a prediction may have none). `variant="script"` reproduces a fault of the organisers'
    encoder: each side has its columns in an order of its own, first the ids that occur in it and then the others, so
    that different instruments are compared where the two sets of ids differ. NaN when the truth has no instrument at
    all (the script then gives the plain mean over 19 ids, an id that neither side has counting 1). Raises InputError
    for other lengths, more than two ids a second, or unknown ids.
    """
    checked_variant(variant)
    if len(truth) != len(prediction):
        raise InputError(
            "prediction", f"has {len(prediction)} seconds, the truth {len(truth)}", "Give one entry a second."
        )
    real, said = _bits(truth, "truth"), _bits(prediction, "prediction")
    if variant == "script":
        real, said = real[:, _script_order(real)], said[:, _script_order(said)]
    support = real.sum(axis=0)
    total = support + said.sum(axis=0)
    f1 = np.where(total > 0, 2 * (real & said).sum(axis=0) / np.maximum(total, 1), 1.0)
    if not support.any():
        return float(f1.mean()) if variant == "script" else math.nan
    return float((f1 * support).sum() / support.sum())


def _bits(seconds: Sequence[Sequence[int]], name: str) -> NDArray[np.bool_]:
    bits = np.zeros((len(seconds), len(INSTRUMENTS)), dtype=bool)
    for second, ids in enumerate(seconds):
        if len(ids) > 2:
            raise InputError(name, f"has {len(ids)} instruments in second {second}", "At most two are visible.")
        for number in ids:
            if number in INSTRUMENTS:
                bits[second, int(number)] = True
            elif number not in _PADDING:
                raise InputError(name, f"has instrument {number!r} in second {second}", "Ids are -2 to 18.")
    return bits


def _script_order(bits: NDArray[np.bool_]) -> list[int]:
    present = bits.any(axis=0)
    return [*np.flatnonzero(present).tolist(), *np.flatnonzero(~present).tolist()]

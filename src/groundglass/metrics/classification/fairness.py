"""Fairness of decisions between subgroups: each group's rates, and the gaps that the criteria speak of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from groundglass.core.errors import InputError
from groundglass.metrics.classification.decisions import Rates, rates
from groundglass.metrics.statistics.binary_scores import checked_labels


@dataclass(frozen=True, slots=True)
class GroupRates:
    """A subgroup's rates, and the share of its cases that is called positive."""

    rates: Rates
    selection: float


def group_rates(labels: ArrayLike, decisions: ArrayLike, groups: ArrayLike) -> dict[Any, GroupRates]:
    """Rates of 0/1 `decisions` (N,) in each of `groups` (N,). Raises InputError for other shapes and values."""
    truth, said, names = checked_labels(labels), checked_labels(decisions, name="decisions"), np.asarray(groups)
    if not truth.shape == said.shape == names.shape:
        raise InputError(
            "decisions and groups", f"have shapes {said.shape}, {names.shape}, labels {truth.shape}", "Give one each."
        )
    return {
        name.item(): GroupRates(rates(truth[names == name], said[names == name]), float(said[names == name].mean()))
        for name in np.unique(names)
    }


def equality_gaps(groups: dict[Any, GroupRates]) -> dict[str, float]:
    """Largest difference between groups, by criterion; NaN when fewer than two groups define it.

    demographic_parity: share called positive; equal_opportunity: sensitivity; false_positive_rate; equalised_odds: the
    larger of the last two (M. Hardt et al., 2016); predictive_parity: PPV; accuracy.
    """

    def gap(values: list[float]) -> float:
        held = [value for value in values if not np.isnan(value)]
        return max(held) - min(held) if len(held) > 1 else float("nan")

    of = list(groups.values())
    gaps = {
        "demographic_parity": gap([group.selection for group in of]),
        "equal_opportunity": gap([group.rates.sensitivity.naive for group in of]),
        "false_positive_rate": gap([1 - group.rates.specificity.naive for group in of]),
        "predictive_parity": gap([group.rates.ppv.naive for group in of]),
        "accuracy": gap([group.rates.accuracy.naive for group in of]),
    }
    gaps["equalised_odds"] = float(np.fmax(gaps["equal_opportunity"], gaps["false_positive_rate"]))
    return gaps

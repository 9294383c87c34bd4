"""Whether a split of films keeps each patient on one side, and splits that do or do not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from groundglass.core.errors import InputError


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """Patients whose films stand on both sides, and how many of the test's films are theirs."""

    patients: tuple[Hashable, ...]
    films: int
    tested: int

    @property
    def leaks(self) -> bool:
        """True when a patient stands on both sides."""
        return bool(self.patients)

    @property
    def warning(self) -> str:
        """Plain words for whoever reads figures of this split; empty when nothing leaks."""
        if not self.leaks:
            return ""
        return (
            f"{len(self.patients)} patients have films in training and in test ({self.films} of {self.tested} test "
            "films): a model can recognise the patient, and its figures come out too high. Split by patient."
        )


def check_split(training: Iterable[Hashable], test: Iterable[Hashable]) -> SplitCheck:
    """Check the patients of the training films against those of the test films, one entry per film.

    Raises InputError when either side is empty.
    """
    known, asked = set(training), list(test)
    if not known or not asked:
        raise InputError("split", "has a side without films", "Name the patient of each film on both sides.")
    both = known & set(asked)
    return SplitCheck(tuple(sorted(both, key=str)), sum(patient in both for patient in asked), len(asked))


def patient_wise(patients: ArrayLike, share: float, seed: int) -> NDArray[np.bool_]:
    """(N,) films for training: all films of a random `share` of the patients (N,)."""
    held = np.asarray(patients)
    names = np.unique(held)
    chosen = np.random.default_rng(seed).permutation(names)[: round(share * len(names))]
    return np.isin(held, chosen)


def image_wise(patients: ArrayLike, share: float, seed: int) -> NDArray[np.bool_]:
    """(N,) films for training: a random `share` of the films, whosever they are. It leaks; see `check_split`."""
    count = len(np.asarray(patients))
    return np.asarray(np.random.default_rng(seed).permutation(count) < round(share * count))

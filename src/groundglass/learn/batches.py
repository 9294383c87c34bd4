"""Batches that are a function of a seed and their number: a run that was killed goes on with the one that is due."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from copy import copy
from itertools import count
from typing import Generic, Self, TypeVar

import numpy as np

Batch = TypeVar("Batch")


class NumberedBatches(ABC, Generic[Batch]):
    """An endless stream of batches `start`, `start` + 1, ...; what `train` takes as its batches.

    A subclass has a `seed` and makes batch `number` from a generator of its own, [`seed`, number], or from generators
    that it numbers further.
    """

    seed: int
    start: int = 0

    @abstractmethod
    def batch(self, number: int) -> Batch:
        """Batch `number`: the same at every call."""

    def generator(self, number: int, *parts: int) -> np.random.Generator:
        """The generator of batch `number`, or of one of its parts."""
        return np.random.default_rng([self.seed, number, *parts])

    def starting_at(self, steps: int) -> Self:
        """The same stream without its first `steps` batches."""
        later = copy(self)
        later.start = self.start + steps
        return later

    def __iter__(self) -> Iterator[Batch]:
        return (self.batch(number) for number in count(self.start))

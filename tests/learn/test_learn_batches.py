"""Numbered batches: replayed from any number, apart by seed and by part."""

from __future__ import annotations

from itertools import islice

import numpy as np

from groundglass.learn import NumberedBatches


class Draws(NumberedBatches[float]):
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def batch(self, number: int) -> float:
        return float(self.generator(number).random())


def test_a_stream_goes_on_where_it_is_told() -> None:
    stream = Draws(3)
    first = list(islice(stream, 6))
    assert list(islice(stream, 6)) == first
    assert list(islice(stream.starting_at(2), 4)) == first[2:]
    assert list(islice(stream.starting_at(1).starting_at(3), 2)) == first[4:]
    assert stream.start == 0
    assert len(set(first)) == 6
    assert list(islice(Draws(4), 6)) != first


def test_generators_are_numpys_own_of_seed_number_and_part() -> None:
    stream = Draws(3)
    assert stream.batch(5) == np.random.default_rng([3, 5]).random()
    assert stream.generator(5, 1).random() == np.random.default_rng([3, 5, 1]).random()
    assert stream.generator(5, 0).random() != stream.generator(5, 1).random()

"""Views of one anatomy: the same places in both, offsets of their own, nothing outside the anatomy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from groundglass.core.errors import InputError
from groundglass.synthesis.brain_id import moved_views


@pytest.mark.parametrize("frame", [(20, 17), (12, 11, 10)])
def test_places_are_the_same_in_both_views_and_inside(frame: tuple[int, ...]) -> None:
    numbers = torch.arange(1, int(np.prod(frame)) + 1).reshape(frame).float()
    inside = numbers * (numbers % 3 > 0)
    seen = set()
    for seed in range(20):
        views = moved_views(
            np.random.default_rng(seed), inside.expand(4, *frame), inside.expand(4, *frame), margin=4, points=30
        )
        assert views.images.shape == views.targets.shape == (4, 1, *(n - 4 for n in frame))
        first, second = (views.images.flatten()[places] for places in views.places)
        assert torch.equal(first, second) and bool((first > 0).all())
        assert views.places.shape == (2, 30) and len(first.unique()) == 30
        seen.add(tuple(views.images.flatten(1)[:, 0].tolist()))
    assert len(seen) > 15


def test_all_common_places_are_given_where_fewer_than_asked_and_of_the_named_pair() -> None:
    target = torch.zeros(3, 12, 12)
    target[1:, 5:7, 5:7] = 1
    views = moved_views(np.random.default_rng(0), target, target, margin=2, pair=(1, 2))
    assert views.places.shape == (2, 4)
    assert set((views.places // 100).unique(dim=1).flatten().tolist()) == {1, 2}
    assert bool((views.images.flatten()[views.places] == 1).all())
    assert moved_views(np.random.default_rng(0), target, target, margin=2, pair=(0, 1)).places.shape == (2, 0)


@pytest.mark.parametrize(
    ("shape", "other", "margin"), [((1, 8, 8), (1, 8, 8), 2), ((2, 8, 8), (2, 8, 9), 2), ((2, 8, 8), (2, 8, 8), 8)]
)
def test_what_gives_no_views_is_refused(shape: tuple[int, ...], other: tuple[int, ...], margin: int) -> None:
    with pytest.raises(InputError):
        moved_views(np.random.default_rng(0), torch.zeros(shape), torch.zeros(other), margin=margin)

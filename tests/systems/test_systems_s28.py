"""Card 28's trial: what its batches pair, and what its two figures say of features whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from groundglass.systems.brain_id_trials import AT_ONCE, CONTRASTS, MARGIN, VIEWS, Slices, ViewBatches
from groundglass.systems.s28_brain_id import dice, matching_error, spread_between

SIDE = MARGIN + 24


def slices(seed: int, side: int, *, views: int) -> Slices:
    """Three slices whose contrasts have nothing in common but the place of their brain."""
    drawn = torch.Generator().manual_seed(seed)
    labels = torch.zeros(3, side, side, dtype=torch.uint8)
    labels[:, 6:-6, 6:-6] = 2
    target = (torch.rand(3, side, side, generator=drawn) + 0.1) * (labels > 0)
    return Slices(torch.rand(3, views, side, side, generator=drawn), target, labels)


def test_shared_views_are_of_one_anatomy_and_single_ones_of_one_image() -> None:
    held = [slices(seed, SIDE, views=VIEWS) for seed in range(2)]
    for shared in (True, False):
        batch = ViewBatches(held, 5, shared=shared).batch(3)
        again = next(iter(ViewBatches(held, 5, shared=shared).starting_at(3)))
        assert len(batch) == AT_ONCE
        for views, same in zip(batch, again, strict=True):
            assert torch.equal(views.images, same.images)
            first, second = views.places
            targets, images = views.targets.flatten(), views.images.flatten()
            assert len(first) > 100 and torch.equal(targets[first], targets[second])
            assert torch.equal(images[first], images[second]) is not shared


class Known(nn.Module):
    """What is seen as an angle: the features are the same wherever the images are."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([images.cos(), images.sin()], dim=1)


def test_figures_are_zero_for_features_that_show_the_place_and_nothing_else() -> None:
    side = 40
    place = torch.linspace(0, 3, side * side).view(1, 1, side, side).expand(3, len(CONTRASTS), side, side)
    known = Slices(place, torch.ones(3, side, side), slices(0, side, views=1).labels)
    assert matching_error(Known(), [known]) == 0 and spread_between(Known(), [known]) == 0
    other = slices(1, side, views=len(CONTRASTS))
    assert matching_error(Known(), [other]) > 5 and spread_between(Known(), [other]) > 0.1


def test_dice_of_a_perfect_and_of_a_shifted_answer() -> None:
    truth = torch.tensor([0, 1, 1, 2, 2, 3, 3])
    assert dice(truth, truth).tolist() == [1, 1, 1]
    assert dice(torch.tensor([0, 1, 2, 2, 3, 3, 3]), truth) == pytest.approx([2 / 3, 0.5, 0.8])

"""RoIAlign, graph convolution and the networks that say something of places."""

from __future__ import annotations

import math

import numpy as np
import torch

from groundglass.nets.graph_convolution import GraphConvolution
from groundglass.nets.map_classifier import MapClassifier
from groundglass.nets.place_net import PlaceAttributes, PlaceChange
from groundglass.nets.roi_align import roi_align


def by_definition(features: np.ndarray, box: np.ndarray, size: int, scale: float, samples: int) -> np.ndarray:
    """Section 3 of the paper, point by point: the mean of bilinear samples, whose neighbours are pixel centres."""
    channels, height, width = features.shape
    found = np.zeros((channels, size, size))
    top, left, bottom, right = box * scale
    for i in range(size * samples):
        for j in range(size * samples):
            row = top + (i + 0.5) * (bottom - top) / (size * samples) - 0.5
            column = left + (j + 0.5) * (right - left) / (size * samples) - 0.5
            row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
            r, c = min(math.floor(row), height - 2), min(math.floor(column), width - 2)
            v, u = row - r, column - c
            value = (1 - v) * ((1 - u) * features[:, r, c] + u * features[:, r, c + 1])
            value = value + v * ((1 - u) * features[:, r + 1, c] + u * features[:, r + 1, c + 1])
            found[:, i // samples, j // samples] += value / samples**2
    return found


def test_roi_align_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 3, 9, 12))
    start = rng.uniform(0, 50, size=(2, 4, 2))
    boxes = np.concatenate([start, start + rng.uniform(1, 20, size=(2, 4, 2))], axis=-1)
    for size, samples in ((1, 1), (3, 2), (2, 4)):
        found = roi_align(torch.from_numpy(features), torch.from_numpy(boxes), size=size, scale=1 / 8, samples=samples)
        for image in range(2):
            for place in range(4):
                expected = by_definition(features[image], boxes[image, place], size, 1 / 8, samples)
                np.testing.assert_allclose(found[image, place], expected, atol=1e-10)


def test_roi_align_of_a_ramp_is_its_position_and_of_no_box_is_zero() -> None:
    ramp = torch.arange(16.0)[None, None, :, None].expand(1, 1, 16, 16)
    boxes = torch.tensor([[[16.0, 8.0, 48.0, 40.0], [torch.nan] * 4]])
    found = roi_align(ramp, boxes, size=2, scale=1 / 4)
    # Rows 4 to 12 of the map: bins centred on 6 and 10, and pixel n has its centre at n + 0.5.
    torch.testing.assert_close(found[0, 0, 0], torch.tensor([[5.5, 5.5], [9.5, 9.5]]))
    assert not found[0, 1].any()


def test_graph_convolution_is_the_normalised_adjacency() -> None:
    rng = np.random.default_rng(1)
    adjacency = rng.uniform(size=(5, 5))
    adjacency = adjacency + adjacency.T
    np.fill_diagonal(adjacency, 0)
    layer = GraphConvolution(3, 2, torch.from_numpy(adjacency).float())
    nodes = torch.from_numpy(rng.normal(size=(4, 5, 3))).float()
    looped = adjacency + np.eye(5)
    half = np.diag(looped.sum(axis=1) ** -0.5)
    weight, bias = (held.detach().numpy() for held in (layer.linear.weight, layer.linear.bias))
    expected = half @ looped @ half @ (nodes.numpy() @ weight.T + bias)
    np.testing.assert_allclose(layer(nodes).detach(), expected, atol=1e-5)


def test_mean_of_an_activation_map_and_bias_are_the_logit() -> None:
    torch.manual_seed(0)
    network = MapClassifier(4).eval()
    images = torch.randn(3, 1, 48, 64)
    with torch.no_grad():
        maps = network.activation_maps(images)
        torch.testing.assert_close(maps.mean((-2, -1)) + network.outer.bias, network(images), atol=1e-5, rtol=1e-5)
    assert maps.shape == (3, 4, 6, 8)


def test_places_speak_to_each_other_only_by_the_graph() -> None:
    torch.manual_seed(0)
    images = torch.randn(1, 1, 64, 64)
    boxes = torch.tensor([[[0.0, 0.0, 16.0, 16.0], [48.0, 48.0, 64.0, 64.0]]])
    elsewhere = boxes.clone()
    elsewhere[0, 1] = torch.tensor([32.0, 0.0, 56.0, 16.0])
    with torch.no_grad():
        alone = PlaceAttributes(2, 3).eval()
        torch.testing.assert_close(alone(images, boxes)[0, 0], alone(images, elsewhere)[0, 0])
        linked = PlaceAttributes(2, 3, adjacency=torch.tensor([[0.0, 0.7], [0.7, 0.0]])).eval()
        assert (linked(images, boxes)[0, 0] - linked(images, elsewhere)[0, 0]).abs().max() > 1e-4


def test_change_without_the_prior_does_not_look_at_it() -> None:
    torch.manual_seed(0)
    images, boxes = torch.randn(2, 2, 32, 32), torch.tensor([[[[4.0, 4.0, 20.0, 28.0]]] * 2] * 2)
    other = images.clone()
    other[:, 0] = torch.randn(2, 32, 32)
    with torch.no_grad():
        alone, both = PlaceChange(1, prior=False).eval(), PlaceChange(1).eval()
        torch.testing.assert_close(alone(images, boxes)[0], alone(other, boxes)[0])
        assert (both(images, boxes)[0] - both(other, boxes)[0]).abs().max() > 1e-4


def test_the_other_order_is_that_of_swapped_films_and_follows_from_nothing() -> None:
    torch.manual_seed(0)
    images, boxes = torch.randn(3, 2, 32, 32), torch.rand(3, 2, 4, 4).sort(dim=-1).values * 32
    with torch.no_grad():
        network = PlaceChange(4).eval()
        given, other = network(images, boxes)
        turned, back = network(images.flip(1), boxes.flip(1))
    torch.testing.assert_close(turned, other)
    torch.testing.assert_close(back, given)
    # No symmetry is built in: the other order's answer is not the first one's with its ends swapped.
    assert (other - given.flip(-1)).abs().max() > 1e-3

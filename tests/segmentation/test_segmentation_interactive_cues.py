"""Classical cues against independent solutions: shortest paths, a sparse linear system, counted histograms."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import spsolve

from groundglass.segmentation.interactive.cues import geodesic, likelihood, random_walk, stroke_contrast, tied_walk


def picture(side: int = 32, seed: int = 0) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 2.0)
    return ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)


def seeds(side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    inside, outside = np.zeros((2, side, side), dtype=bool)
    inside[14:18, 16] = True
    outside[2, 2:30] = True
    return inside, outside


def edges(shape: tuple[int, int], ways: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    starts, stops = [], []
    for down, right in ways:
        rows = slice(0, shape[0] - down)
        first = index[rows, max(0, -right) : shape[1] - max(0, right)]
        second = index[down:, max(0, right) : shape[1] - max(0, -right)]
        starts.append(first.ravel())
        stops.append(second.ravel())
    return np.concatenate(starts), np.concatenate(stops)


def test_geodesic_distances_are_shortest_paths() -> None:
    image, (inside, _) = picture(), seeds()
    one, other = edges(image.shape, ((0, 1), (1, 0), (1, 1), (1, -1)))
    flat = image.ravel().astype(np.float64)
    apart = np.abs(one // 32 - other // 32) + np.abs(one % 32 - other % 32)
    cost = np.abs(flat[one] - flat[other]) + 0.02 * np.where(apart == 2, 2**0.5, 1.0)
    graph = coo_matrix((cost, (one, other)), shape=(1024, 1024))
    exact = dijkstra(graph, directed=False, indices=np.flatnonzero(inside), min_only=True).reshape(32, 32)
    many = geodesic(image[None], inside[None], rounds=12)[0]
    assert np.abs(many - exact).max() < 1e-4
    few = geodesic(image[None], inside[None])[0]
    assert (few >= exact - 1e-4).all() and np.abs(few - exact).max() < 0.1
    assert (geodesic(image[None], np.zeros((1, 32, 32), dtype=bool)) > 100).all()


def solved_exactly(
    image: np.ndarray, inside: np.ndarray, outside: np.ndarray, tie: np.ndarray, prior: np.ndarray
) -> np.ndarray:
    """Grady's linear system, assembled sparsely and solved directly."""
    one, other = edges(image.shape, ((0, 1), (1, 0)))
    flat = image.ravel().astype(np.float64)
    size = (np.abs(np.diff(image, axis=0)).mean() + np.abs(np.diff(image, axis=1)).mean()) / 2
    weight = np.exp(-((flat[one] - flat[other]) ** 2) / (2 * (1.5 * size + 0.01) ** 2)) + 1e-4
    half = coo_matrix((weight, (one, other)), shape=(1024, 1024))
    full = (half + half.T).tocsr()
    system = (diags(np.asarray(full.sum(axis=1)).ravel() + tie.ravel()) - full).tolil()
    right = (tie * prior).ravel().astype(np.float64)
    for index in np.flatnonzero((inside | outside).ravel()):
        system[index] = 0
        system[index, index] = 1
        right[index] = inside.ravel()[index]
    return np.asarray(spsolve(system.tocsc(), right)).reshape(32, 32)


def test_the_random_walk_solves_its_linear_system() -> None:
    image, (inside, outside) = picture(seed=1), seeds()
    exact = solved_exactly(image, inside, outside, np.full(image.shape, 1e-3), np.zeros(image.shape))
    solved = random_walk(image[None], inside[None], outside[None], sweeps=6000)[0]
    assert np.abs(solved - exact).max() < 2e-3
    early = random_walk(image[None], inside[None], outside[None])[0]
    assert np.abs(early - exact).mean() < 0.05
    assert (early[inside] == 1).all() and (early[outside] == 0).all()


def test_a_tied_walk_solves_its_linear_system() -> None:
    image, (inside, outside) = picture(seed=2), seeds()
    prior = picture(seed=3)
    tie = (0.2 * (2 * prior - 1) ** 2 + 1e-3).astype(np.float32)
    exact = solved_exactly(image, inside, outside, tie, prior)
    solved = tied_walk(image[None], inside[None], outside[None], prior[None], tie[None], sweeps=6000)[0]
    assert np.abs(solved - exact).max() < 1e-3
    early = tied_walk(image[None], inside[None], outside[None], prior[None], tie[None])[0]
    assert np.abs(early - exact).mean() < 0.5 * np.abs(prior - exact).mean()
    assert (early[inside] == 1).all() and (early[outside] == 0).all()


def test_each_image_of_a_batch_may_have_a_step_of_its_own() -> None:
    image, (inside, _) = picture(), seeds()
    both = geodesic(np.stack([image, 0 * image]), np.stack([inside, inside]), step=np.float32([0.02, 1.0]))
    assert np.array_equal(both[0], geodesic(image[None], inside[None])[0])
    # On an even image the distance is that of a king's moves with their true lengths.
    rows, columns = np.abs(np.indices((32, 32))[:, None] - np.argwhere(inside).T[:, :, None, None])
    octile = (np.maximum(rows, columns) + (2**0.5 - 1) * np.minimum(rows, columns)).min(axis=0)
    assert np.allclose(both[1], octile, atol=1e-4)


def test_contrast_is_a_window_about_the_strokes() -> None:
    image = np.full((1, 16, 16), 0.5, dtype=np.float32)
    image[0, 8:] = 0.6
    inside, outside = np.zeros((2, 1, 16, 16), dtype=bool)
    inside[0, 10, 2:14] = outside[0, 3, 2:14] = True
    seen = stroke_contrast(image, inside, outside)[0]
    assert np.allclose(seen[8:], 0, atol=1e-5) and np.allclose(seen[:8], np.tanh(-2), atol=1e-4)
    assert np.isfinite(stroke_contrast(image, outside & False, outside)).all()


def test_likelihood_tells_the_grey_values_of_the_strokes_apart() -> None:
    rng = np.random.default_rng(0)
    contrast = np.where(np.arange(64)[None, :, None] < 32, -0.5, 0.5) + rng.normal(0, 0.05, (1, 64, 64))
    inside, outside = np.zeros((2, 1, 64, 64), dtype=bool)
    inside[0, 10, 5:60] = outside[0, 50, 5:60] = True
    found = likelihood(contrast.astype(np.float32), inside, outside)[0]
    assert found[:28].mean() > 0.4 and found[36:].mean() < -0.4
    assert np.abs(likelihood(contrast.astype(np.float32), inside & False, outside)).max() == 0


def test_a_batch_gives_what_its_images_give_alone() -> None:
    images = np.stack([picture(seed=s) for s in range(3)])
    inside, outside = (np.repeat(s[None], 3, axis=0) for s in seeds())
    for cue in (geodesic(images, inside), random_walk(images, inside, outside)):
        assert cue.shape == images.shape
    alone = random_walk(images[1:2], inside[1:2], outside[1:2])[0]
    assert np.allclose(random_walk(images, inside, outside)[1], alone, atol=1e-6)
    assert np.array_equal(geodesic(images, inside)[2], geodesic(images[2:], inside[2:])[0])

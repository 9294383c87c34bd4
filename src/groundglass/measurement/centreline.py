"""Centreline of the main branch of a tubular mask: skeleton, thickness, longest path."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

# A side branch is thinner than half of the trunk; its skeleton is not walked along.
_TRUNK = 0.5


def main_centreline(tube: NDArray[np.bool_], *, step: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (n, 3), one per `step` voxels, and unit tangents (n, 3) along the main branch of `tube`.

    `tube` lies on an isotropic grid; units are voxels. The path is smoothed over the tube's radius and carried on
    straight to the ends of the mask. A mask that is no longer than wide has its principal axis as centreline.
    """
    from skimage.morphology import skeletonize

    padded = np.pad(tube, 1)
    depth = distance_transform_edt(padded)
    nodes = np.argwhere(skeletonize(padded))
    radius = float(depth.max())
    kept = nodes[depth[tuple(nodes.T)] >= _TRUNK * radius] if len(nodes) else nodes
    path = _longest_path(kept.astype(np.float64)) if len(kept) > 1 else kept.astype(np.float64)
    trim = round(radius)
    path = path[trim : len(path) - trim] if len(path) > 2 * trim + 3 else path
    if len(path) < 4 or np.linalg.norm(path[-1] - path[0]) < radius:
        path = _axis_path(padded, radius)
    path = gaussian_filter1d(path, max(radius / 2, 1.0), axis=0, mode="nearest") if len(path) > 4 else path
    return _even(_carried_on(path, padded), step) if len(path) > 1 else _even(path, step)


def _longest_path(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The longest shortest path (two sweeps) through the greatest connected part of the skeleton."""
    pairs = cKDTree(nodes).query_pairs(1.8, output_type="ndarray")
    lengths = np.linalg.norm(nodes[pairs[:, 0]] - nodes[pairs[:, 1]], axis=1)
    graph = coo_matrix((lengths, (pairs[:, 0], pairs[:, 1])), shape=(len(nodes), len(nodes))).tocsr()
    _, part = connected_components(graph, directed=False)
    inside = np.flatnonzero(part == np.bincount(part).argmax())
    first = dijkstra(graph, directed=False, indices=inside[0])
    one = inside[int(first[inside].argmax())]
    distances, before = dijkstra(graph, directed=False, indices=one, return_predecessors=True)
    node = inside[int(distances[inside].argmax())]
    walk = [int(node)]
    while node != one:
        node = before[node]
        walk.append(int(node))
    return nodes[walk]


def _axis_path(tube: NDArray[np.bool_], radius: float) -> NDArray[np.float64]:
    points = np.argwhere(tube).astype(np.float64)
    centre = points.mean(axis=0)
    axis = np.linalg.svd(points - centre, full_matrices=False)[2][0]
    reach = max(float(np.ptp((points - centre) @ axis)) / 2 - radius, 1.0)
    return centre + np.linspace(-reach, reach, 5)[:, None] * axis


def _carried_on(path: NDArray[np.float64], tube: NDArray[np.bool_]) -> NDArray[np.float64]:
    span = max(len(path) // 4, 2)
    head = _straight(path[0], path[0] - path[min(span, len(path) - 1)], tube)
    tail = _straight(path[-1], path[-1] - path[-min(span, len(path) - 1) - 1], tube)
    return np.concatenate([head[::-1], path, tail])


def _straight(
    start: NDArray[np.float64], direction: NDArray[np.float64], tube: NDArray[np.bool_]
) -> NDArray[np.float64]:
    unit = direction / max(float(np.linalg.norm(direction)), 1e-9)
    points = start + np.arange(1, max(tube.shape))[:, None] * unit
    cells = np.rint(points).astype(int)
    valid = ((cells >= 0) & (cells < tube.shape)).all(axis=1)
    inside = np.zeros(len(points), dtype=bool)
    inside[valid] = tube[tuple(cells[valid].T)]
    count = len(points) if inside.all() else int(inside.argmin())
    return points[:count]


def _even(path: NDArray[np.float64], step: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points at even arc length with tangents, in the unpadded grid."""
    run = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    at = np.arange(0.0, run[-1] + 1e-9, step)
    points = np.stack([np.interp(at, run, path[:, axis]) for axis in range(3)], axis=1) - 1.0
    if len(points) < 2:
        return points, np.tile([0.0, 0.0, 1.0], (len(points), 1))
    tangents = np.gradient(points, axis=0)
    return points, tangents / np.linalg.norm(tangents, axis=1, keepdims=True)

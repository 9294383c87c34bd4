"""Pictures of nothing in particular with exact labels: blobs, discs, rings, rows, crowds, trees, each in a texture of
its own, under the disturbances of real scanners.

In the spirit of ScribblePrompt's and UniverSeg's synthetic tasks: what generalises to unseen organs is having seen many
unlike structures, not many organs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.scribbles import smooth_noise
from groundglass.synthesis.tubular_trees import random_tree

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
Labels = NDArray[np.uint16]


def random_scene(rng: np.random.Generator, size: int = 256) -> tuple[NDArray[np.uint8], Labels]:
    """A grey picture (size, size) and the instance that is on top at each pixel (0: background)."""
    makers: list[Callable[[np.random.Generator, int], list[Bool]]] = [_blobs, _discs, _rings, _rows, _crowd, _trees]
    background, contrast = _texture(rng, size, rng.uniform(0.1, 0.9)), rng.uniform(0.06, 0.5)
    chosen = rng.choice(len(makers), int(rng.integers(1, 4)), replace=False)
    return _painted(background, [makers[maker] for maker in chosen], contrast, rng)


def tree_scene(rng: np.random.Generator, size: int = 256) -> tuple[NDArray[np.uint8], Labels]:
    """The same with nothing but thin trees: one kind of vessel, or two that cross."""
    background, contrast = _texture(rng, size, rng.uniform(0.1, 0.9)), rng.uniform(0.1, 0.5)
    return _painted(background, [_trees] * int(rng.integers(1, 3)), contrast, rng)


def _painted(
    picture: Float,
    makers: Sequence[Callable[[np.random.Generator, int], list[Bool]]],
    contrast: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], Labels]:
    size = picture.shape[0]
    labels = np.zeros((size, size), dtype=np.uint16)
    for maker in makers:
        level = float(picture.mean()) + contrast * rng.choice([-1, 1])
        own = _texture(rng, size, level)
        shared = rng.random() < 0.6
        for shape in maker(rng, size):
            if not shape.any():
                continue
            # Instances of one kind mostly look alike.
            inside = own if shared else _texture(rng, size, level + rng.normal(0, contrast / 2))
            picture = np.where(shape, inside + np.float32(rng.normal(0, 0.15 * contrast)), picture)
            labels[shape] = labels.max() + 1
    return _disturbed(picture, rng), labels


def _texture(rng: np.random.Generator, size: int, level: float) -> Float:
    coarse, fine = rng.uniform(0, 0.12), rng.uniform(0, 0.07)
    out = level + coarse * smooth_noise((size, size), rng, rng.uniform(12, 80))
    return (out + fine * smooth_noise((size, size), rng, rng.uniform(1, 8))).astype(np.float32)


def _disturbed(picture: Float, rng: np.random.Generator) -> NDArray[np.uint8]:
    from scipy.ndimage import gaussian_filter

    size = picture.shape[0]
    out = gaussian_filter(picture, rng.uniform(0.3, 2.2))
    if rng.random() < 0.4:
        out = out + rng.uniform(0.05, 0.3) * smooth_noise((size, size), rng, rng.uniform(60, 200))
    if rng.random() < 0.2:
        speckle = gaussian_filter(rng.standard_normal((size, size)), rng.uniform(0.6, 2.0, 2))
        out = out * np.exp(rng.uniform(0.1, 0.45) * speckle / speckle.std())
    out = out + rng.uniform(0, 0.06) * rng.standard_normal((size, size))
    low, high = np.percentile(out, (0.3, 99.7))
    return (255 * np.clip((out - low) / max(high - low, 1e-3), 0, 1)).astype(np.uint8)


def _radial(rng: np.random.Generator, size: int, *, reach: tuple[float, float]) -> tuple[Float, float]:
    """Distance from a random centre, turned, stretched and wavy, and a radius to cut it at."""
    rows, columns = np.indices((size, size), dtype=np.float32)
    y, x = rows - rng.uniform(0.1, 0.9) * size, columns - rng.uniform(0.1, 0.9) * size
    angle, stretch = rng.uniform(0, np.pi), np.exp(rng.normal(0, 0.35))
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    radius = size * float(np.exp(rng.uniform(np.log(reach[0]), np.log(reach[1]))))
    waves = rng.uniform(0, 0.35) * radius * smooth_noise((size, size), rng, max(4.0, radius * rng.uniform(0.5, 1.5)))
    return np.hypot(u * stretch, v / stretch) + waves, radius


def _discs(rng: np.random.Generator, size: int) -> list[Bool]:
    shapes = []
    for _ in range(int(rng.integers(1, 6))):
        distance, radius = _radial(rng, size, reach=(0.02, 0.3))
        shapes.append(distance < radius)
    return shapes


def _rings(rng: np.random.Generator, size: int) -> list[Bool]:
    distance, radius = _radial(rng, size, reach=(0.05, 0.3))
    inner = rng.uniform(0.5, 0.92) * radius
    return [(distance < radius) & (distance >= inner), distance < inner]


def _blobs(rng: np.random.Generator, size: int) -> list[Bool]:
    noise = smooth_noise((size, size), rng, rng.uniform(10, 90))
    level = rng.uniform(0.4, 1.3)
    return [noise > level] if rng.random() < 0.5 else [noise > level, noise < -level]


def _crowd(rng: np.random.Generator, size: int) -> list[Bool]:
    """Cells: many of one size, apart or touching."""
    rows, columns = np.indices((size, size), dtype=np.float32)
    radius = rng.uniform(0.015, 0.08) * size
    shapes = []
    for _ in range(int(min(60, rng.uniform(0.1, 0.5) * (size / radius) ** 2 / 3) + 2)):
        y, x = rows - rng.uniform(0, size), columns - rng.uniform(0, size)
        angle, stretch, own = rng.uniform(0, np.pi), np.exp(rng.normal(0, 0.2)), radius * np.exp(rng.normal(0, 0.15))
        u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
        shapes.append((u * stretch) ** 2 + (v / stretch) ** 2 < own**2)
    return shapes


def _rows(rng: np.random.Generator, size: int) -> list[Bool]:
    """Teeth and vertebrae: rounded blocks along an arc, seldom quite alike."""
    rows, columns = np.indices((size, size), dtype=np.float32)
    count = int(rng.integers(4, 14))
    pitch = size * rng.uniform(0.5, 0.95) / count
    bend, tilt = rng.uniform(-0.3, 0.3), rng.uniform(-np.pi, np.pi)
    y, x = rows - size * rng.uniform(0.3, 0.7), columns - size * rng.uniform(0.4, 0.6)
    y, x = np.cos(tilt) * y + np.sin(tilt) * x, np.cos(tilt) * x - np.sin(tilt) * y
    y = y + bend * x**2 / size + 2 * smooth_noise((size, size), rng, 30)
    high, fill, power = pitch * rng.uniform(0.7, 2.2), rng.uniform(0.32, 0.47), rng.uniform(2, 5)
    shapes = []
    for k in range(count):
        u = np.abs(x - (k - (count - 1) / 2) * pitch) / (fill * pitch * rng.uniform(0.85, 1.1))
        shapes.append(u**power + (np.abs(y) / (high / 2 * rng.uniform(0.8, 1.15))) ** power < 1)
    return shapes


def _trees(rng: np.random.Generator, size: int) -> list[Bool]:
    tree = random_tree(rng, size)
    for _ in range(int(rng.integers(0, 3))):
        tree |= random_tree(rng, size)
    return [tree]

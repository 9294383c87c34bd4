"""Simulated examinations as training pictures: organs in CT and radiographs, retinal vessels, cells, ultrasound."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Finding, Image
from groundglass.segmentation.interactive.planes import Planes

if TYPE_CHECKING:
    from groundglass.segmentation.interactive.training.pool import Item, Layer

Bool = NDArray[np.bool_]
# Examinations of each kind. Not structures to point at:
COUNTS = {"chest-ct": 20, "abdomen-ct": 24, "radiograph": 50, "retina": 80, "microscopy": 90, "ultrasound": 120}
LATER_COUNTS = {"brain-mr": 24, "spine-mr": 24}
RADIOGRAPHS = 240
RETINAS, TREE_SCENES, TREE_SCENE_SIZE = 120, 200, 384
THINNEST = 48
FRAMES = ("body", "field of view")
RETINAL_TREES = ("retinal vessel", "retinal artery", "retinal vein")
MOST_LAYERS = 4
SOFT_TISSUE = (-150.0, 250.0)


def phantoms(kind: str, count: int) -> Callable[[Path, np.random.Generator], Iterator[Item]]:
    """The pictures of `count` phantoms of one kind; three slices of each plane of a volume, now in full range, now in
    the window of soft tissue."""

    def make(_data: Path, rng: np.random.Generator) -> Iterator[Item]:
        from groundglass.synthesis import make_phantom

        seed = int(rng.integers(1 << 16))
        for index in range(count):
            case = make_phantom(kind, seed=seed, index=index)
            masks = {n: m.array for n, m in case.structures.items() if n not in FRAMES and not m.is_empty}
            if case.image.is_volume:
                yield from _volume(case.image, masks, rng)
            else:
                yield _flat(case.image, masks, case.findings)

    return make


def radiographs(_data: Path, rng: np.random.Generator) -> Iterator[Item]:
    """Chest radiographs drawn from the thorax of `synthesis.thorax`, whose looks vary more than the projected CT's."""
    from groundglass.segmentation.interactive.grid import SIZE
    from groundglass.segmentation.interactive.training.pool import Item
    from groundglass.synthesis import random_radiograph

    for _ in range(RADIOGRAPHS):
        drawn = random_radiograph(rng, size=SIZE)
        yield Item((255 * drawn.image).astype(np.uint8), tuple(layered(drawn.masks)))


def vessels(_data: Path, rng: np.random.Generator) -> Iterator[Item]:
    """Retinas and procedural trees at their own size: on the working grid many of these vessels are a pixel wide."""
    from groundglass.segmentation.interactive.training.pool import Item, Layer
    from groundglass.synthesis import make_phantom, tree_scene

    seed = int(rng.integers(1 << 16))
    for index in range(RETINAS):
        case = make_phantom("retina", seed=seed, index=index)
        plane = Planes(case.image, None).plane(0)
        trees = {name: mask.array for name, mask in case.structures.items() if name in RETINAL_TREES}
        yield Item((255 * np.clip(plane, 0, 1)).astype(np.uint8), tuple(layered(trees)))
    for _ in range(TREE_SCENES):
        picture, labels = tree_scene(rng, TREE_SCENE_SIZE)
        yield Item(picture, (Layer(labels, "instances"),))


def _flat(image: Image, masks: Mapping[str, Bool], findings: Sequence[Finding]) -> Item:
    from groundglass.segmentation.interactive.training.pool import Layer, fitted

    layers = layered(masks)
    seen = [f.where.mask.array for f in findings if f.where.mask is not None and not f.where.mask.is_empty]
    if seen:
        labels = np.zeros(seen[0].shape, dtype=np.uint16)
        for number, mask in enumerate(seen, start=1):
            labels[mask] = number
        layers.append(Layer(labels, "instances"))
    return fitted(Planes(image, None).plane(0), layers)


def _volume(image: Image, masks: Mapping[str, Bool], rng: np.random.Generator) -> Iterator[Item]:
    from groundglass.segmentation.interactive.training.pool import fitted

    shown = (image, image.with_pixels(np.clip(image.array, *SOFT_TISSUE)))
    for axis in range(3):
        if min(np.delete(image.shape, axis)) < THINNEST:
            continue  # across a stack of few thick slices
        for index in rng.integers(int(0.15 * image.shape[axis]), int(0.85 * image.shape[axis]), 3):
            flat = {name: np.take(mask, index, axis=axis) for name, mask in masks.items()}
            yield fitted(Planes(shown[int(rng.integers(2))], axis).plane(int(index)), layered(flat))


def layered(masks: Mapping[str, Bool]) -> list[Layer]:
    """Masks (H, W) as few layers of classes, large ones first, each in the first layer where it covers little."""
    from groundglass.segmentation.interactive.training.pool import Layer

    sheets: list[NDArray[np.uint16]] = []
    number = 0
    for mask in sorted((m for m in masks.values() if m.any()), key=lambda m: -int(m.sum())):
        number += 1
        free = next((s for s in sheets if (s[mask] > 0).mean() < 0.1), None)
        if free is None:
            if len(sheets) == MOST_LAYERS:
                continue
            free = np.zeros(mask.shape, dtype=np.uint16)
            sheets.append(free)
        free[mask & (free == 0)] = number
    return [Layer(sheet, "classes") for sheet in sheets]

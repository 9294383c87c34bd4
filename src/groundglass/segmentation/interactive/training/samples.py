"""One training sample: a target in a picture, in a random pose and look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter

from groundglass.segmentation.interactive.training.pool import Item, Layer, Pool
from groundglass.synthesis import smooth_noise

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Diet:
    """What samples are made of. `shares`: how often each source is drawn. `smoothed`: how often a target of superpixels
    is several of them with a smooth outline, as organs have. `striped`: how often bands cross the picture, as ribs do.
    `generous`: how often the first prompt is a careful set of strokes. `joined`: how often a target of a class has a
    second class in it, as both lungs or all bones together. `brush`: the widest brush, as its radius in pixels; half of
    the users draw with one. `around`: how often a careful set has a line around the structure.
    """

    shares: Mapping[str, float]
    smoothed: float = 0.0
    striped: float = 0.0
    generous: float = 0.4
    joined: float = 0.0
    brush: int = 0
    around: float = 0.0


# First anything that has an edge, then what looks more like anatomy and like annotators' strokes, more of that, then
# broad strokes, thin trees, and at last lines around.
EDGES = Diet(
    {
        "scenes": 0.34,
        "nuclei-dsb2018": 0.10,
        "hippocampus-msd": 0.06,
        "sarcoma-petct": 0.14,
        "vqa-rad": 0.18,
        "cxr-nih14": 0.10,
        "blood-cells-cbc": 0.08,
    }
)
ANATOMY = Diet(
    {
        "scenes": 0.14,
        "nuclei-dsb2018": 0.08,
        "hippocampus-msd": 0.06,
        "sarcoma-petct": 0.10,
        "vqa-rad": 0.14,
        "cxr-nih14": 0.08,
        "blood-cells-cbc": 0.04,
        "phantom-chest-ct": 0.06,
        "phantom-abdomen-ct": 0.06,
        "phantom-radiograph": 0.06,
        "phantom-retina": 0.06,
        "phantom-microscopy": 0.04,
        "phantom-ultrasound": 0.08,
    },
    smoothed=0.6,
    striped=0.15,
    generous=0.6,
)
CAREFUL = Diet(
    {
        **ANATOMY.shares,
        "vqa-rad": 0.10,
        "cxr-nih14": 0.06,
        "radiographs": 0.12,
        "phantom-brain-mr": 0.06,
        "phantom-spine-mr": 0.05,
    },
    smoothed=0.6,
    striped=0.1,
    generous=0.75,
    joined=0.3,
)
BRUSHES = Diet(
    {
        **CAREFUL.shares,
        "hippocampus-msd": 0.10,
        "sarcoma-petct": 0.14,
        "phantom-retina": 0.10,
    },
    smoothed=0.5,
    striped=0.1,
    generous=0.8,
    joined=0.15,
    brush=4,
)
THIN = replace(
    BRUSHES,
    shares={
        **BRUSHES.shares,
        "scenes": 0.16,
        "nuclei-dsb2018": 0.10,
        "phantom-retina": 0.02,
        "vessels": 0.16,
        "radiographs": 0.16,
    },
    generous=0.75,
    joined=0.25,
    brush=3,
)
AROUND = replace(THIN, generous=0.8, around=0.5)
LEAST_PIXELS, LARGEST_SHARE, TRIALS = 12, 0.75, 8


@dataclass(frozen=True)
class Sampler:
    """Draws samples from a pool: source, picture, layer, target, pose, look."""

    pool: Pool
    diet: Diet = EDGES

    def draw(self, rng: np.random.Generator, size: int) -> tuple[Float, Bool]:
        """A picture (size, size) in [0, 1] and its target, neither tiny nor nearly everything."""
        names = [name for name in self.diet.shares if self.pool.get(name)]
        odds = np.array([self.diet.shares[name] for name in names])
        while True:
            items = self.pool[names[int(rng.choice(len(names), p=odds / odds.sum()))]]
            item = items[int(rng.integers(len(items)))]
            chosen = _pick(item, rng, self.diet)
            for _ in range(TRIALS):
                picture, target = _posed(item.picture, chosen, rng, size)
                if LEAST_PIXELS <= target.sum() <= LARGEST_SHARE * target.size:
                    if self.diet.striped and rng.random() < self.diet.striped:
                        picture = striped(picture, rng)
                    return looked(picture, rng), target


def _pick(item: Item, rng: np.random.Generator, diet: Diet) -> Bool:
    """A target (H, W): half of the draws are superpixels or ridges where there are any besides real labels."""
    layer = item.layers[int(rng.integers(len(item.layers)))]
    kinds = {held.kind for held in item.layers}
    if len(kinds) > 1 and rng.random() < 0.5:
        named = [held for held in item.layers if held.kind != "parts"]
        layer = named[int(rng.integers(len(named)))]
    if diet.smoothed and layer.kind == "parts" and rng.random() < diet.smoothed:
        return _smooth_parts(layer.labels, rng)
    found = _of_layer(layer, rng)
    if diet.joined and layer.kind == "classes" and rng.random() < diet.joined:
        found = found | _of_layer(layer, rng)
    return found


def _of_layer(layer: Layer, rng: np.random.Generator) -> Bool:
    labels = layer.labels
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    odds = np.sqrt(sizes)
    one = int(rng.choice(len(sizes), p=odds / odds.sum()))
    draw = rng.random()
    if layer.kind == "instances" and draw < 0.4:
        return labels > 0
    if layer.kind == "instances" and draw < 0.5:
        some = rng.random(len(sizes)) < rng.uniform(0.2, 0.8)
        some[0], some[one] = False, True
        return np.asarray(some[labels])
    found = labels == one
    if layer.kind == "parts" and draw < 0.3:
        for _ in range(int(rng.integers(1, 4))):
            beside = np.unique(labels[gaussian_filter(found.astype(np.float32), 1.5) > 0.02])
            found |= labels == int(rng.choice(beside))
    return found


def _smooth_parts(labels: NDArray[np.uint16], rng: np.random.Generator) -> Bool:
    """Neighbouring superpixels as one, up to a tenth of the picture, holes filled and the outline smoothed."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    found = labels == int(rng.choice(len(sizes), p=np.sqrt(sizes) / np.sqrt(sizes).sum()))
    wanted = labels.size * float(np.exp(rng.uniform(np.log(0.004), np.log(0.2))))
    for _ in range(12):
        if found.sum() >= wanted:
            break
        beside = np.unique(labels[gaussian_filter(found.astype(np.float32), 1.5) > 0.02])
        found |= labels == int(rng.choice(beside))
    sigma = rng.uniform(0.04, 0.12) * np.sqrt(found.sum())
    rounded = gaussian_filter(binary_fill_holes(found).astype(np.float32), sigma) > 0.5
    return rounded if rounded.any() else found


def _posed(picture: NDArray[np.uint8], target: Bool, rng: np.random.Generator, size: int) -> tuple[Float, Bool]:
    """Turned, mirrored, scaled, shifted and now and then bent, on (size, size)."""
    shape = np.array(picture.shape)
    whole = size / shape.max()
    zoom = float(np.exp(rng.uniform(np.log(0.9 * whole), np.log(max(1.15, 1.1 * whole)))))
    seen = size / zoom
    inside = np.argwhere(target)
    centre = inside[int(rng.integers(len(inside)))] + rng.normal(0, seen / 7, 2)
    middle = (shape - 1) / 2
    room = np.maximum((shape - seen) / 2, 0.04 * seen)
    centre = np.clip(centre, middle - room, middle + room)
    quarter = int(rng.integers(4)) * np.pi / 2
    angle = quarter if rng.random() < 0.5 else rng.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag(np.exp(rng.normal(0, 0.08, 2)) * (1, rng.choice([-1, 1]))) / zoom
    at: NDArray[Any] = np.stack(np.meshgrid(*[np.arange(size) - (size - 1) / 2] * 2, indexing="ij"))
    at = at.astype(np.float32)
    if rng.random() < 0.3:
        scale, depth = rng.uniform(0.1, 0.5) * size, rng.uniform(0.005, 0.03) * size
        at = at + depth * np.stack([smooth_noise((size, size), rng, scale) for _ in range(2)])
    places = np.tensordot(turn, at, axes=1) + centre[:, None, None]
    stack = np.stack([picture.astype(np.float32) / 255, target.astype(np.float32)])
    if zoom < 0.7:
        stack = np.stack([gaussian_filter(plane, 0.35 / zoom) for plane in stack])
    sampled = sampled_at(stack, places)
    beyond = ((places < -0.5) | (places > shape[:, None, None] - 0.5)).any(axis=0)
    sampled[0][beyond] = 0 if rng.random() < 0.7 else sampled[0].mean()
    return sampled[0], (sampled[1] > 0.5) & ~beyond


def sampled_at(stack: Float, places: NDArray[np.float64]) -> Float:
    """(C, H, W) at (2, h, w) rows and columns, bilinearly; borders repeat."""
    rows, columns = stack.shape[1:]
    normal = np.stack([2 * places[1] / max(columns - 1, 1) - 1, 2 * places[0] / max(rows - 1, 1) - 1], axis=-1)
    grid = torch.from_numpy(normal[None].astype(np.float32))
    held = torch.from_numpy(stack)[None]
    return torch.nn.functional.grid_sample(held, grid, padding_mode="border", align_corners=True)[0].numpy()


def striped(picture: Float, rng: np.random.Generator) -> Float:
    """Soft parallel bands, slightly bent, brighter than what they cross."""
    rows, columns = np.indices(picture.shape, dtype=np.float32)
    angle, pitch = rng.uniform(0, np.pi), rng.uniform(0.06, 0.3) * picture.shape[0]
    along = (np.cos(angle) * rows + np.sin(angle) * columns) / pitch
    bend = smooth_noise(picture.shape, rng, 0.5 * picture.shape[0])
    bands = np.clip(3 * (np.sin(2 * np.pi * (along + 0.4 * bend)) - rng.uniform(-0.2, 0.6)), 0, 1)
    return np.asarray(picture + np.float32(rng.uniform(0.05, 0.25)) * bands, dtype=np.float32)


def looked(picture: Float, rng: np.random.Generator) -> Float:
    """Another look: inverted, darkened, blurred, noisy, speckled, unevenly lit; in [0, 1]."""
    shape = picture.shape
    if rng.random() < 0.25:
        picture = 1 - picture
    if rng.random() < 0.5:
        picture = np.clip(picture, 0, 1) ** float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.25:
        picture = gaussian_filter(picture, rng.uniform(0.3, 1.3))
    if rng.random() < 0.25:
        picture = picture + rng.uniform(0.03, 0.2) * smooth_noise(shape, rng, rng.uniform(0.25, 1) * shape[0])
    if rng.random() < 0.12:
        speckle = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), rng.uniform(0.5, 1.5, 2))
        picture = picture * np.exp(rng.uniform(0.1, 0.5) * speckle / speckle.std())
    if rng.random() < 0.4:
        picture = picture + rng.uniform(0, 0.07) * rng.standard_normal(shape, dtype=np.float32)
    if rng.random() < 0.8:
        low, high = np.percentile(picture, (0.5, 99.5))
    else:
        low, high = rng.uniform(-0.1, 0.2), rng.uniform(0.8, 1.1)
    return np.clip((picture - low) / max(high - low, 0.02), 0, 1).astype(np.float32)

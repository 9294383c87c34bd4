"""The pictures that training draws from, each with layers of labels: made once from the open data and kept on disk.

Real labels come from the training splits of nuclei-dsb2018, hippocampus-msd and sarcoma-petct. Everything real also has
layers of superpixels (Felzenszwalb and Huttenlocher, IJCV 2004) and of ridges, which are labels of nothing that has a
name: they, and procedural scenes, are what makes a network answer about structures that it was never shown (Wong et
al., ScribblePrompt, ECCV 2024).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Image
from groundglass.segmentation.interactive.grid import SIZE, Grid, resized
from groundglass.segmentation.interactive.planes import Planes
from groundglass.segmentation.interactive.training.phantoms import COUNTS, LATER_COUNTS, phantoms, radiographs, vessels

Byte = NDArray[np.uint8]
SCENES = 1000
# Unlabelled pictures of each set: enough to be various, few enough to be cut in minutes.
PICTURES = {"vqa-rad": 200, "cxr-nih14": 220, "blood-cells-cbc": 90}


@dataclass(frozen=True, eq=False)
class Layer:
    """Labels (H, W): 0 is background. `kind`: "instances" (all of them together also mean something: nuclei, vessels),
    "classes" (each means something of its own) or "parts" (superpixels)."""

    labels: NDArray[np.uint16]
    kind: str


@dataclass(frozen=True, eq=False)
class Item:
    """A picture (H, W), its longest side at most 256 (384 where it shows thin vessels), and what can be pointed at in
    it."""

    picture: Byte
    layers: tuple[Layer, ...]


Pool = dict[str, list[Item]]


def build_pool(
    folder: Path,
    data: Path,
    *,
    seed: int = 0,
    only: Collection[str] | None = None,
    progress: Callable[[str], None] = lambda _m: None,
) -> Pool:
    """Every source's items (or those of `only` some), read from `folder` or made there.

    Raises ConfigurationError when a set is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pool: Pool = {}
    for place, (name, make) in enumerate(SOURCES.items()):
        if only is not None and name not in only:
            continue
        path = folder / f"{name}.npz"
        if not path.exists():
            progress(f"making {name}")
            try:
                _store(path, list(make(data, np.random.default_rng([seed, place]))))
            except OSError as error:
                raise ConfigurationError(name, f"cannot be read ({error})", "Pass --data with this set.") from error
        pool[name] = _load(path)
    return pool


def without_superpixels(pool: Pool) -> Pool:
    """The pool as it would be without superpixels as labels: pictures that have no other are gone."""
    kept = {
        name: [Item(i.picture, tuple(layer for layer in i.layers if layer.kind != "parts")) for i in items]
        for name, items in pool.items()
    }
    return {name: [item for item in items if item.layers] for name, items in kept.items()}


def scenes(_data: Path, rng: np.random.Generator) -> Iterator[Item]:
    """Procedural scenes."""
    from groundglass.synthesis import random_scene

    for _ in range(SCENES):
        picture, labels = random_scene(rng)
        yield Item(picture, (Layer(labels, "instances"),))


def nuclei(data: Path, rng: np.random.Generator, *, split: str = "train") -> Iterator[Item]:
    """Each nucleus, or all."""
    for name in _split(data / "nuclei-dsb2018" / "splits.csv", "image", split):
        picture = _picture(data / "nuclei-dsb2018" / "images" / name)
        labels = _read(data / "nuclei-dsb2018" / "labels" / name).astype(np.uint16)
        yield _item(picture, [Layer(labels, "instances")], rng, cut=rng.random() < 0.5)


def hippocampi(data: Path, rng: np.random.Generator, *, split: str = "train") -> Iterator[Item]:
    """Anterior and posterior, in slices of all three planes."""
    from groundglass.io import read_image

    root = data / "hippocampus-msd"
    for case in _split(root / "splits.csv", "case", split):
        image, truth = (read_image(root / part / f"{case}.nii.gz") for part in ("images", "labels"))
        for planar, labels in _slices(image, truth.array[0], count=2):
            yield _item(planar, [Layer(labels, "classes"), Layer(labels, "instances")], rng, cut=rng.random() < 0.15)


def sarcomas(data: Path, rng: np.random.Generator, *, split: str = "train") -> Iterator[Item]:
    """Tumours in PET, CT (whole range and soft tissue) and MR, in slices of all three planes."""
    from groundglass.io import read_image

    root = data / "sarcoma-petct"
    for case in _split(root / "splits.csv", "case", split):
        for name in ("PET_suv_x100", "CT_hu", "MR_T1"):
            if not (root / case / f"{name}.nii.gz").exists():
                continue  # a case may lack a modality
            image = read_image(root / case / f"{name}.nii.gz")
            mask = read_image(root / case / f"GTV_mask_{name.split('_suv')[0].split('_hu')[0]}.nii.gz").array[0] > 0
            shown = [image]
            if name == "CT_hu":
                shown.append(image.with_pixels(np.clip(image.array, -150, 250)))
            for one in shown:
                for planar, labels in _slices(one, mask, count=2):
                    yield _item(planar, [Layer(labels, "classes")], rng)


def pictures(name: str) -> Callable[[Path, np.random.Generator], Iterator[Item]]:
    """Unlabelled pictures of a set."""

    def read(data: Path, rng: np.random.Generator) -> Iterator[Item]:
        files = sorted((data / name / "images").iterdir())
        for path in (files[k] for k in rng.permutation(len(files))[: PICTURES[name]]):
            yield _item(_picture(path), [], rng)

    return read


SOURCES: dict[str, Callable[[Path, np.random.Generator], Iterator[Item]]] = {
    "scenes": scenes,
    "nuclei-dsb2018": nuclei,
    "hippocampus-msd": hippocampi,
    "sarcoma-petct": sarcomas,
    **{name: pictures(name) for name in PICTURES},
    **{f"phantom-{kind}": phantoms(kind, count) for kind, count in COUNTS.items()},
    # Later than the others: a source's seed is its place in this table.
    "radiographs": radiographs,
    **{f"phantom-{kind}": phantoms(kind, count) for kind, count in LATER_COUNTS.items()},
    "vessels": vessels,
}


def fitted(picture: NDArray[np.float32], layers: Sequence[Layer]) -> Item:
    """A picture in [0, 1] with its layers, at most as large as the working grid."""
    shape = (int(picture.shape[0]), int(picture.shape[1]))
    # Small slices stay as they are: posing them enlarges picture and labels smoothly.
    inner = Grid.of(shape).inner if max(shape) > SIZE else shape
    small = np.clip(255 * resized(picture, inner), 0, 255).astype(np.uint8)
    held = (Layer(_nearest(layer.labels, inner), layer.kind) for layer in layers)
    return Item(small, tuple(layer for layer in held if layer.labels.any()))


def _item(picture: NDArray[np.float32], layers: list[Layer], rng: np.random.Generator, *, cut: bool = True) -> Item:
    """The same, with two layers of superpixels and one of ridges when it is to be cut."""
    item = fitted(picture, layers)
    if not cut:
        return item
    small = item.picture
    more = superpixels(small, rng, low=1, high=60), superpixels(small, rng, low=60, high=500), ridges(small, rng)
    return Item(small, (*item.layers, *(layer for layer in more if layer.labels.any())))


def superpixels(picture: Byte, rng: np.random.Generator, *, low: float, high: float) -> Layer:
    """Felzenszwalb's segments at a scale of U(low, high) on a picture blurred a little or more."""
    from scipy.ndimage import gaussian_filter
    from skimage.segmentation import felzenszwalb

    seen = gaussian_filter(picture.astype(np.float32), rng.uniform(0, 2)) / 255
    least = 32 if max(picture.shape) > SIZE // 2 else 10
    parts = felzenszwalb(seen, scale=rng.uniform(low, high), sigma=0.5, min_size=least)
    return Layer((parts + 1).astype(np.uint16), "parts")


def ridges(picture: Byte, rng: np.random.Generator) -> Layer:
    """Bright or dark lines as instances: where Sato's filter is in its upper part, specks left out."""
    from scipy.ndimage import label
    from skimage.filters import sato
    from skimage.morphology import remove_small_objects

    sigma = rng.uniform(0.8, 3)
    strength = sato(picture / 255.0, sigmas=(sigma,), black_ridges=bool(rng.random() < 0.5))
    found = strength > np.percentile(strength, rng.uniform(86, 96))
    found = remove_small_objects(found, max_size=int(12 * sigma * sigma) + 20)
    return Layer(label(found, np.ones((3, 3)))[0].astype(np.uint16), "instances")


def _slices(
    image: Image, labels: NDArray[Any], *, count: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint16]]]:
    """The slice with the largest label and the middle one of the labelled ones, of each plane."""
    for axis in range(3):
        planes = Planes(image, axis)
        moved = np.moveaxis(labels, axis, 0)
        areas = (moved > 0).sum(axis=(1, 2))
        held = np.flatnonzero(areas)
        if not len(held):
            continue
        for index in dict.fromkeys([int(areas.argmax()), int(held[len(held) // 3])][:count]):
            yield planes.plane(index), moved[index].astype(np.uint16)


def _nearest(labels: NDArray[np.uint16], shape: tuple[int, int]) -> NDArray[np.uint16]:
    at = [((np.arange(n) + 0.5) * (m / n)).astype(np.intp) for n, m in zip(shape, labels.shape, strict=True)]
    return labels[np.ix_(at[0], at[1])]


def _picture(path: Path) -> NDArray[np.float32]:
    from groundglass.io import read_image

    return Planes(read_image(path), None).plane(0)


def _read(path: Path) -> NDArray[Any]:
    from groundglass.io import read_image

    return np.asarray(read_image(path).array[0])


def _split(table: Path, column: str, split: str) -> list[str]:
    with table.open(encoding="utf-8", newline="") as file:
        return [row[column] for row in csv.DictReader(file) if row["split"] == split]


def _store(path: Path, items: list[Item]) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    for k, item in enumerate(items):
        arrays[f"{k:05d}"] = item.picture
        for n, layer in enumerate(item.layers):
            arrays[f"{k:05d}-{n}-{layer.kind}"] = layer.labels
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, **arrays)  # type: ignore[arg-type]
    temporary.replace(path)


def _load(path: Path) -> list[Item]:
    found: dict[str, tuple[Byte, list[Layer]]] = {}
    with np.load(path) as arrays:
        for key in sorted(arrays.files):
            number, _, rest = key.partition("-")
            if not rest:
                found[number] = (arrays[key], [])
            else:
                found[number][1].append(Layer(arrays[key], rest.partition("-")[2]))
    # A healthy phantom may hold nothing to point at.
    return [Item(picture, tuple(layers)) for picture, layers in found.values() if layers]

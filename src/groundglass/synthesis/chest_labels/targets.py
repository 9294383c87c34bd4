"""Classes projected to a radiograph: overlapping masks, cleaned, with what the scan cut left out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError, Mask
from groundglass.io import atomic_path, write_bytes_atomic, write_json_atomic
from groundglass.synthesis.chest_labels.classes import radiograph_classes
from groundglass.synthesis.xray import XrayView, path_lengths

LEAST_MM2 = 60.0
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RadiographTarget:
    """`masks`: class -> (rows, columns), overlapping. `cut`: classes that the CT's field of view cut; `small`: those
    whose shadow was below the least area. Both are unknown on this film, not absent from the patient."""

    masks: Mapping[str, Bool]
    cut: tuple[str, ...]
    small: tuple[str, ...]

    def planes(self) -> Bool:
        """(K, rows, columns) in the order of `radiograph_classes`; a class without a mask is a plane of zeros."""
        shape = next(iter(self.masks.values())).shape
        nothing = np.zeros(shape, dtype=bool)
        return np.stack([self.masks.get(c.name, nothing) for c in radiograph_classes()])


def radiograph_target(
    classes: Mapping[str, NDArray[Any]], affine: NDArray[Any], view: XrayView, *, least_mm2: float = LEAST_MM2
) -> RadiographTarget:
    """Project every class (any voxel of it along the ray). `least_mm2`: smallest shadow that counts, at the detector.

    A class that touches a face of the volume was cut by the scan's field and gets no mask, unless it is an open one
    (the spine, the trachea: they reach beyond every chest). Raises InputError where no class is left.
    """
    is_open = {c.name: c.is_open for c in radiograph_classes()}
    pixel = view.spacing[0] * view.spacing[1]
    masks: dict[str, Bool] = {}
    cut, small = [], []
    for name, inside in classes.items():
        if not is_open.get(name, False) and _touches_face(np.asarray(inside)):
            cut.append(name)
            continue
        shadow = path_lengths(Mask.of(np.asarray(inside), affine), view) > 0
        if shadow.sum() * pixel < least_mm2:
            small.append(name)
        else:
            masks[name] = shadow
    if not masks:
        raise InputError("classes", "leave no mask on this film", "Check the labels and the field.")
    return RadiographTarget(masks, tuple(cut), tuple(small))


@dataclass(frozen=True, eq=False)
class LabelledFilm:
    """One film of a set: `picture` (rows, columns) in [0, 1] and its target; `part` is train, val or test."""

    name: str
    part: str
    picture: NDArray[np.floating[Any]]
    target: RadiographTarget
    record: Mapping[str, Any]


def write_labelled_films(films: Sequence[LabelledFilm], folder: Path) -> Path:
    """The published layout: images/NAME.png, labels/NAME.npy (bits of (K, rows, columns), packed along columns), and
    paxray.json with label_dict and the lists train, val and test of {image, target}. Beside each target a JSON record
    says its geometry, what was cut and what was too small. Returns the path of paxray.json."""
    import io

    from PIL import Image

    lists: dict[str, list[dict[str, str]]] = {"train": [], "val": [], "test": []}
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for film in films:
        if film.part not in lists:
            raise InputError(film.name, f"is of the part {film.part!r}", "Use train, val or test.")
        file = io.BytesIO()
        Image.fromarray(np.round(np.clip(film.picture, 0, 1) * 255).astype(np.uint8)).save(file, "PNG")
        write_bytes_atomic(folder / "images" / f"{film.name}.png", file.getvalue())
        with atomic_path(folder / "labels" / f"{film.name}.npy") as path, path.open("wb") as stream:
            np.save(stream, np.packbits(film.target.planes(), axis=-1))
        notes = {**film.record, "cut": film.target.cut, "small": film.target.small, "shape": film.picture.shape}
        write_json_atomic(folder / "labels" / f"{film.name}.json", json.loads(json.dumps(notes)))
        lists[film.part].append({"image": f"images/{film.name}.png", "target": f"labels/{film.name}.npy"})
    labels = {str(n): c.name for n, c in enumerate(radiograph_classes())}
    write_json_atomic(folder / "paxray.json", {"label_dict": labels, **lists})
    return folder / "paxray.json"


def _touches_face(inside: NDArray[Any]) -> bool:
    return any(inside.take((0, -1), axis=axis).any() for axis in range(inside.ndim))

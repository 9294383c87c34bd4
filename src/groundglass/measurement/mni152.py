"""The MNI152 template that ships: T1, brain, tissue classes, deep nuclei and lateral ventricles.

Licences and changes are in `data/mni152/LICENSE.txt`. No lobe atlas ships: those in use may not be passed on freely
(FSL's and FreeSurfer's atlases); a user's own is read with `read_atlas`.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from groundglass.core import InputError, Side

CSF, GREY, WHITE = 1, 2, 3


@dataclass(frozen=True, eq=False)
class Template:
    """A brain template: `t1` (i, j, k) with skull, its `brain` mask, and `affine` (index to RAS+ mm)."""

    name: str
    t1: NDArray[np.float32]
    brain: NDArray[np.bool_]
    affine: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Region:
    """One label of an atlas. `side` is None for a region that is not paired."""

    value: int
    name: str
    side: Side | None = None

    @property
    def title(self) -> str:
        """The name with its side ("left putamen")."""
        return f"{self.side} {self.name}" if self.side in ("left", "right") else self.name


@dataclass(frozen=True, eq=False)
class Atlas:
    """Labels (i, j, k) in template space with their names."""

    name: str
    labels: NDArray[np.integer[Any]]
    affine: NDArray[np.float64]
    regions: tuple[Region, ...]


@cache
def mni152_template() -> Template:
    """The 2 mm MNI152 T1 (8 bit) and its brain mask, 91 x 109 x 91."""
    t1, affine = _load("t1_2mm")
    tissue, _ = _load("tissue_2mm")
    return Template("MNI152", t1.astype(np.float32), tissue > 0, affine)


@cache
def mni152_tissue() -> Atlas:
    """Cerebrospinal fluid, grey and white matter of the template (FSL FAST), 2 mm."""
    tissue, affine = _load("tissue_2mm")
    names = ((CSF, "cerebrospinal fluid"), (GREY, "grey matter"), (WHITE, "white matter"))
    return Atlas("MNI152 FAST", tissue, affine, tuple(Region(value, name) for value, name in names))


@cache
def mni152_regions() -> Atlas:
    """Deep grey nuclei (CIT168) and lateral ventricles, left and right, 1 mm."""
    labels, affine = _load("regions_1mm")
    rows = json.loads(_file("regions.json").decode())
    return Atlas("CIT168 and MNI152 ventricles", labels, affine, tuple(Region(**row) for row in rows))


def read_atlas(labels: Path, names: Path) -> Atlas:
    """A user's atlas in MNI152 space: a NIfTI of labels and the names of its values.

    `names` is a CSV with the columns value, name and (optional) side, or JSON: a list of such objects, or an object
    from value to name. Raises InputError where a label of the volume has no name or the file cannot be read so.
    """
    import nibabel as nib

    image = cast(nib.Nifti1Image, nib.load(labels))
    values = np.rint(np.asanyarray(image.dataobj)).astype(np.int32)
    if values.ndim != 3:
        raise InputError(labels, f"has {values.ndim} axes, an atlas of labels has 3", "Save one 3D volume of labels.")
    regions = tuple(_regions(names))
    unnamed = sorted(set(np.unique(values).tolist()) - {0} - {region.value for region in regions})
    if unnamed:
        raise InputError(names, f"has no name for the labels {unnamed[:8]}", f"Add them; {labels} uses them.")
    return Atlas(labels.name, values, np.asarray(image.affine, dtype=np.float64), regions)


def _regions(names: Path) -> list[Region]:
    text = names.read_text(encoding="utf-8-sig")
    try:
        if names.suffix.lower() == ".json":
            loaded = json.loads(text)
            rows = [{"value": k, "name": v} for k, v in loaded.items()] if isinstance(loaded, dict) else loaded
        else:
            rows = list(csv.DictReader(io.StringIO(text)))
        return [Region(int(row["value"]), str(row["name"]).strip(), _side(row.get("side"))) for row in rows]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(names, f"does not name labels ({error})", "Give the columns value, name, side.") from error


def _side(word: str | None) -> Side | None:
    known: dict[str, Side] = {"left": "left", "l": "left", "right": "right", "r": "right", "midline": "midline"}
    return known.get((word or "").strip().casefold())


def _file(name: str) -> bytes:
    return (resources.files("groundglass.measurement") / "data" / "mni152" / name).read_bytes()


def _load(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    import gzip

    import nibabel as nib

    image = nib.Nifti1Image.from_bytes(gzip.decompress(_file(f"{name}.nii.gz")))
    return np.asarray(image.dataobj, dtype=np.uint8), np.asarray(image.affine, dtype=np.float64)

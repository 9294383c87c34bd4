"""The anatomies from which training brains are made: MNI152 2009a tissue maps, cut into structures, and one person's.

Grey and white matter maps (1 mm, symmetric) come with the nilearn wheel (ICBM 152 non-linear, copyright Louis
Collins, McConnell Brain Imaging Centre; free use), the deep nuclei and lateral ventricles with this package
(CIT168, CC BY 4.0, and FSL FAST). Thalamus, third and fourth ventricle, brainstem and the border of the cerebellum
are cut out here by tissue, watershed and place in MNI space: they are approximations, not drawn by an anatomist.

The average of 152 people has no narrow sulci. Colin27 (Holmes et al., J Comput Assist Tomogr 1998; copyright Louis
Collins, McConnell Brain Imaging Centre; free use), one man scanned 27 times, has: `tools/build_colin27.py` cut it.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import ConfigurationError

# Values of the label map: what the network learns.
STRUCTURES = (
    "background",
    "cerebrospinal fluid",
    "cerebral cortex",
    "cerebral white matter",
    "lateral ventricle",
    "third ventricle",
    "fourth ventricle",
    "cerebellar cortex",
    "cerebellar white matter",
    "brainstem",
    "thalamus",
    "caudate nucleus",
    "putamen",
    "globus pallidus",
)
LABEL = {name: value for value, name in enumerate(STRUCTURES)}
# Structures of which there is a left and a right one.
PAIRED = tuple(
    LABEL[n]
    for n in STRUCTURES
    if n not in ("background", "cerebrospinal fluid", "third ventricle", "fourth ventricle", "brainstem")
)
PAD = 16
# Tissue shares are kept in so many steps.
SHARE_STEPS = 15
# Brainstem in the mid-sagittal plane: z, front edge, back edge, half width (mm, MNI).
_BRAINSTEM = np.array(
    [
        [-4, -12, -36, 15],
        [-18, -10, -38, 18],
        [-32, -8, -38, 20],
        [-46, -18, -46, 15],
        [-60, -30, -54, 12],
        [-75, -34, -58, 11],
    ],
    float,
)[::-1]


@dataclass(frozen=True)
class BrainAtlas:
    """Arrays on one RAS 1 mm grid (X, Y, Z); `affine` leads to MNI mm.

    `labels` (uint8) indexes STRUCTURES, `grey` and `white` are tissue shares in [0, 1]; `depth` is the signed
    distance in mm to the brain's surface (negative inside), `ventricle` the one to the lateral ventricles,
    `outward` (3, X, Y, Z) its unit gradient.
    """

    labels: NDArray[np.uint8]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    depth: NDArray[np.float32]
    ventricle: NDArray[np.float32]
    outward: NDArray[np.float32]
    affine: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        labels: NDArray[np.uint8],
        grey: NDArray[np.float32],
        white: NDArray[np.float32],
        brain: NDArray[np.bool_],
        affine: NDArray[np.float64],
    ) -> BrainAtlas:
        """With the distances that follow from the labels and the `brain` (fluid around it included)."""
        ventricle = _signed_distance(labels == LABEL["lateral ventricle"])
        gradient = np.stack(np.gradient(ndi.gaussian_filter(ventricle, 2.0))).astype(np.float32)
        outward = gradient / np.maximum(np.linalg.norm(gradient, axis=0), 1e-3)
        return cls(labels, grey, white, _signed_distance(brain), ventricle, outward, affine)


def template_t1() -> NDArray[np.float32]:
    """(X, Y, Z) the template's T1 on the atlas's grid, skull-stripped, in [0, 1]. Raises as `brain_atlas` does."""
    return tissue_maps()[2]


@cache
def brain_atlas() -> BrainAtlas:
    """Build the atlas (about ten seconds). Raises ConfigurationError where nilearn is not installed."""
    grey, white, t1, affine = tissue_maps()
    brain = ndi.binary_fill_holes(ndi.binary_opening(t1 > 0, iterations=2))
    fluid = np.where(brain, np.clip(1 - grey - white, 0, 1), 0)
    xyz = apply_affine(affine, np.moveaxis(np.indices(brain.shape, dtype=np.float32), 0, -1)).astype(np.float32)
    regions, names = deep_regions(affine, brain.shape)
    hard = np.select([~brain, (fluid > grey) & (fluid > white), white > grey], [0, 1, 3], 2).astype(np.uint8)
    labels = hard.copy()
    cerebellum = _cerebellum(hard, fluid, xyz)
    labels[cerebellum & (hard == 2)] = LABEL["cerebellar cortex"]
    labels[cerebellum & (hard == 3)] = LABEL["cerebellar white matter"]
    labels[(hard > 1) & _in_brainstem(xyz)] = LABEL["brainstem"]
    labels[(labels > 1) & _in_thalamus(xyz) & (grey > 0.12)] = LABEL["thalamus"]
    for name in ("caudate nucleus", "putamen", "globus pallidus"):
        labels[np.isin(regions, names[name]) & (hard > 1)] = LABEL[name]
    _ventricles(labels, fluid, regions, names, xyz)
    return BrainAtlas.of(labels, grey, white, brain, affine)


@cache
def colin_atlas() -> BrainAtlas:
    """One person's brain, affinely laid on MNI152, 1 mm."""
    path = resources.files("groundglass.synthesis") / "data" / "colin27_1mm.npz"
    with path.open("rb") as file, np.load(file) as held:
        labels, affine = held["labels"], held["affine"]
        grey, white = (held[name].astype(np.float32) / SHARE_STEPS for name in ("grey", "white"))
    return BrainAtlas.of(labels, grey, white, ndi.binary_fill_holes(labels > 0), affine)


def tissue_maps() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Grey matter, white matter, T1 (X, Y, Z) in [0, 1] on the atlas's grid, its affine. Raises as `brain_atlas`."""
    found = importlib.util.find_spec("nilearn")
    if found is None or found.origin is None:
        raise ConfigurationError(
            "nilearn", "is not installed, and its MNI152 tissue maps are needed", "Install groundglass[train]."
        )
    folder = Path(found.origin).parent / "datasets" / "data"
    maps = [nib.load(folder / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz") for kind in ("gm", "wm", "t1")]
    affine = maps[0].affine.copy()
    affine[:3, 3] -= PAD
    grey, white, t1 = (np.pad(np.asarray(m.dataobj, dtype=np.float32) / 255, PAD) for m in maps)
    # The averaged maps close narrow sulci that the T1 average still shows as dark lines in grey matter.
    grey_t1, fluid_t1 = np.median(t1[grey > 0.9]), np.percentile(t1[t1 > 0], 2)
    grey *= 1 - np.clip((grey_t1 - t1) / (0.6 * (grey_t1 - fluid_t1)) - 0.1, 0, 1)
    return grey, white, t1, affine


def deep_regions(affine: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], dict[str, list[int]]]:
    """The package's MNI regions on this grid, and region name -> its values."""
    folder = resources.files("groundglass.measurement") / "data" / "mni152"
    table = json.loads((folder / "regions.json").read_text(encoding="utf-8"))
    with resources.as_file(folder / "regions_1mm.nii.gz") as path:
        image = nib.load(path)
        source = np.asarray(image.dataobj)
    to_source = np.linalg.inv(image.affine) @ affine
    moved = ndi.affine_transform(source, to_source[:3, :3], to_source[:3, 3], output_shape=shape, order=0)
    names: dict[str, list[int]] = {}
    for row in table:
        names.setdefault(row["name"], []).append(row["value"])
    return moved, names


def _cerebellum(hard: NDArray[np.uint8], fluid: NDArray[np.float32], xyz: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Watershed of the fluid between cerebrum and cerebellum from seeds at known places."""
    from skimage.segmentation import watershed

    x, y, z = np.abs(xyz[..., 0]), xyz[..., 1], xyz[..., 2]
    seeds = np.zeros(hard.shape, dtype=np.int8)
    seeds[(z > 8) | (y > -28) | ((y < -70) & (z > 0)) | ((x > 45) & (z > -22)) | ((y < -90) & (z > -12))] = 1
    seeds[((x - 22) / 24) ** 2 + ((y + 62) / 18) ** 2 + ((z + 40) / 12) ** 2 < 1] = 2
    seeds[(x < 10) & (np.abs(y + 62) < 10) & (np.abs(z + 30) < 12)] = 2
    seeds[hard == 0] = 0
    return watershed(ndi.gaussian_filter(fluid, 0.7), seeds, mask=hard > 0) == 2


def _in_brainstem(xyz: NDArray[np.float32]) -> NDArray[np.bool_]:
    z = xyz[..., 2]
    front, back, half = (np.interp(z, _BRAINSTEM[:, 0], _BRAINSTEM[:, k]) for k in (1, 2, 3))
    return (z < -4) & (xyz[..., 1] < front) & (xyz[..., 1] > back) & (np.abs(xyz[..., 0]) < half)


def _in_thalamus(xyz: NDArray[np.float32]) -> NDArray[np.bool_]:
    """An ellipsoid along the axis of the thalamus, which runs outwards to the back."""
    x, y, z = np.abs(xyz[..., 0]) - 11.5, xyz[..., 1] + 18, xyz[..., 2] - 7
    along, across = 0.9 * y - 0.43 * x, 0.43 * y + 0.9 * x
    return ((along / 17) ** 2 + (across / 9.5) ** 2 + (z / 10.5) ** 2 < 1) & (np.abs(xyz[..., 0]) > 1)


def _ventricles(
    labels: NDArray[np.uint8],
    fluid: NDArray[np.float32],
    regions: NDArray[np.uint8],
    names: dict[str, list[int]],
    xyz: NDArray[np.float32],
) -> None:
    x, y, z = np.abs(xyz[..., 0]), xyz[..., 1], xyz[..., 2]
    near = ndi.binary_dilation(np.isin(regions, names["lateral ventricle"]), iterations=3)
    free = fluid > 0.5
    third = free & (x < 6) & (y > -32) & (y < 8) & (z > -14) & (z < 12)
    fourth = free & (x < 14) & (y > -54) & (y < -33) & (z > -46) & (z < -18)
    labels[third] = LABEL["third ventricle"]
    labels[fourth] = LABEL["fourth ventricle"]
    labels[near & free & (x >= 1)] = LABEL["lateral ventricle"]


def _signed_distance(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    return (ndi.distance_transform_edt(~inside) - ndi.distance_transform_edt(inside)).astype(np.float32)

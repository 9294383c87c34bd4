"""Build src/groundglass/synthesis/data/colin27_1mm.npz: the structures of one person's brain.

    python tools/build_colin27.py CH2BETTER

CH2BETTER is Colin27 at half a millimetre without skull, as MRIcron's templates bring it (Debian: mricron-data,
/usr/share/mricron/templates/ch2better.nii.gz). Needs antspyx beside groundglass[train]. It is laid affinely on MNI152;
the label atlas of synthesis is bent onto it (SyN, mutual information, to 2 mm) and says which structure is where, three
Atropos classes say what is fluid, grey and white matter. About five minutes on one core.
"""

from __future__ import annotations

import sys
from pathlib import Path

import ants
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.synthesis.brain_atlases import LABEL, SHARE_STEPS, brain_atlas, template_t1

TARGET = Path(__file__).parents[1] / "src/groundglass/synthesis/data/colin27_1mm.npz"
VENTRICLES = ("lateral ventricle", "third ventricle", "fourth ventricle")
NUCLEI = ("thalamus", "caudate nucleus", "putamen", "globus pallidus")
# How far beyond the bent atlas's ventricles fluid still belongs to them, in voxels of 1 mm.
REACH = 3


def main(source: Path) -> None:
    """Labels and shares, as bytes."""
    atlas = brain_atlas()
    person, placed = placed_on_template(source, _image(template_t1(), atlas.affine), _image(atlas.labels, atlas.affine))
    shares = tissue(person)
    labels = structures(placed, shares)
    grey, white = (np.rint(SHARE_STEPS * share).astype(np.uint8) for share in shares[1:])
    TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(TARGET, labels=labels, grey=grey, white=white, affine=atlas.affine)


def _image(array: NDArray, affine: NDArray) -> ants.ANTsImage:
    # The atlas's voxels are upright and of 1 mm; ANTs counts x and y the other way.
    origin = affine[:3, 3] * (-1, -1, 1)
    return ants.from_numpy(array.astype(np.float32), origin=tuple(origin), direction=np.diag([-1.0, -1.0, 1.0]))


def placed_on_template(
    source: Path, t1: ants.ANTsImage, labels: ants.ANTsImage
) -> tuple[ants.ANTsImage, NDArray[np.uint8]]:
    """The person's T1 on the template's grid, and the atlas's labels bent onto it."""
    fine = ants.image_read(str(source)).clone("float")
    affine = ants.registration(t1, fine, "Affine", aff_metric="mattes", random_seed=1)
    person = ants.apply_transforms(t1, ants.smooth_image(fine, 0.4), affine["fwdtransforms"], interpolator="linear")
    bent = ants.registration(
        person, t1, "SyNOnly", initial_transform="Identity", syn_metric="mattes", reg_iterations=(60, 40, 0),
        random_seed=1,
    )  # fmt: skip
    moved = ants.apply_transforms(person, labels, bent["fwdtransforms"], interpolator="nearestNeighbor")
    return person, moved.numpy().astype(np.uint8)


def tissue(person: ants.ANTsImage) -> NDArray[np.float32]:
    """(3, X, Y, Z) shares of fluid, grey and white matter; 0 outside of the brain, whose fluid the file shows as 0."""
    mask = ants.iMath(ants.iMath(ants.threshold_image(person, 1, 1e9), "MC", 4), "FillHoles")
    found = ants.atropos(a=person, x=mask, i="kmeans[3]", m="[0.05,1x1x1]", c="[10,0]")
    pixels, classes = person.numpy(), found["segmentation"].numpy()
    order = np.argsort([pixels[classes == k].mean() for k in (1, 2, 3)])
    return np.stack([found["probabilityimages"][k].numpy() for k in order])


def structures(placed: NDArray[np.uint8], shares: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The label map: tissue by `shares`, the structure it belongs to by the `placed` atlas."""
    brain = shares.sum(axis=0) > 0.5
    hard = np.where(brain, shares.argmax(axis=0) + 1, 0)
    nearest = ndi.distance_transform_edt(placed <= LABEL["cerebrospinal fluid"], return_indices=True)[1]
    region = placed[tuple(nearest)]
    labels = hard.astype(np.uint8)
    cerebellum = np.isin(
        region, [LABEL["cerebellar cortex"], LABEL["cerebellar white matter"], LABEL["fourth ventricle"]]
    )
    labels[cerebellum & (hard == 2)] = LABEL["cerebellar cortex"]
    labels[cerebellum & (hard == 3)] = LABEL["cerebellar white matter"]
    labels[(region == LABEL["brainstem"]) & (hard > 1)] = LABEL["brainstem"]
    for name in NUCLEI:
        labels[(placed == LABEL[name]) & (hard > 1)] = LABEL[name]
    for name in VENTRICLES:
        near = ndi.binary_dilation(placed == LABEL[name], iterations=REACH)
        labels[near & (hard == 1)] = LABEL[name]
    return labels


if __name__ == "__main__":
    main(Path(sys.argv[1]))

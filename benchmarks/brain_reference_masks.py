"""Brain and tissue masks from an independent pipeline (ANTs), for `brain_agreement.py`.

Runs in its own environment, apart from groundglass: `python -m venv ants && ants/bin/pip install antspyx`, then

    ants/bin/python benchmarks/brain_reference_masks.py DATA OUT

The MNI152 template and its brain mask are registered to each T1 (rigid, affine, SyN by mutual information); brain is
the warped mask within the given image's own support; tissue is N4, then Atropos with three K-means-started classes and
a Markov random field, ordered by mean T1 intensity. T2 and FLAIR of a study share the grid of the T1 and so its masks.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import ants
import numpy as np

STUDIES = {
    "ms-patient07": "ms-lesions-mni/patient07/T1.nii.gz",
    "ms-patient26": "ms-lesions-mni/patient26/T1.nii.gz",
    "stroke-chronic-cstar": "brain-mri-samples/stroke-chronic-cstar/T1.nii.gz",
}
WITH_HEAD = {"tumour-tcia-t1c": "brain-mri-samples/tumour-tcia-example/TCGA-FG-6692_t1c.nii.gz"}


def main() -> None:
    """Write OUT/<study>_brain.nii.gz and OUT/<study>_tissue.nii.gz (1 CSF, 2 grey, 3 white)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    mni = arguments.data / "brain-templates/mni152"
    head = ants.image_read(str(mni / "MNI152_T1_2mm.nii.gz"))
    stripped = ants.image_read(str(mni / "MNI152_T1_2mm_Brain.nii.gz"))
    mask = ants.image_read(str(mni / "MNI152_T1_1mm_Brain_Mask.nii.gz"))
    for name, path in (STUDIES | WITH_HEAD).items():
        image = ants.image_read(str(arguments.data / path)).clone("float")
        image = ants.iMath_truncate_intensity(ants.threshold_image(image, 0, 1e9) * image, 0.001, 0.999)
        template = head if name in WITH_HEAD else stripped
        moved = ants.registration(image, template, "SyN", aff_metric="mattes", syn_metric="mattes", random_seed=1)
        brain = ants.apply_transforms(image, mask, moved["fwdtransforms"], interpolator="linear") > 0.5
        if name in STUDIES:
            # A skull-stripped file has no brain where it is empty.
            brain = brain * ants.iMath(ants.threshold_image(image, 1e-3, 1e9), "FillHoles")
        corrected = ants.n4_bias_field_correction(image, mask=brain)
        classes = ants.atropos(a=corrected, x=brain, i="kmeans[3]", m="[0.1,1x1x1]", c="[8,0]")["segmentation"]
        means = [corrected.numpy()[classes.numpy() == k].mean() for k in (1, 2, 3)]
        rank = np.zeros(4)
        rank[1 + np.argsort(means)] = (1, 2, 3)
        ants.image_write(brain, str(arguments.out / f"{name}_brain.nii.gz"))
        ants.image_write(
            classes.new_image_like(rank[classes.numpy().astype(int)].astype("float32")),
            str(arguments.out / f"{name}_tissue.nii.gz"),
        )


if __name__ == "__main__":
    main()

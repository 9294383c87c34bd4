"""Build the compact MNI152 template and its regions that ship in `groundglass/measurement/data/mni152`.

    python tools/build_mni152.py BRAIN_TEMPLATES_FOLDER

BRAIN_TEMPLATES_FOLDER holds `mni152/` (FSL's 2 mm T1, brain mask and FAST classes) and `cit168/` (the RGBA-coded
CIT168 atlas: label, second label, and their probabilities in 1/255). The result is deterministic.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import apply_affine
from scipy import ndimage as ndi

TARGET = Path(__file__).parents[1] / "src/groundglass/measurement/data/mni152"
# T1 intensity that becomes 255; 0.3 % of the template's voxels are brighter and are clipped.
T1_WHITE = 8500.0
# CSF that is at least this deep in the brain is ventricle or central cistern; the lateral ventricles are the
# component whose volume does not change between depths of 15 and 20 mm.
VENTRICLE_DEPTH_MM = 15.0
# CIT168 labels that one report line names together: region -> the atlas's names without their side.
NUCLEI = {
    "putamen": ("Putamen",),
    "caudate nucleus": ("Caudate",),
    "nucleus accumbens": ("Nucleus Accumbens",),
    "globus pallidus": ("Globus Pallidus externa", "Globus Pallidus interna"),
    "substantia nigra": ("Substantia Nigra pars compacta", "Substantia-Nigra-pars-reticulata"),
    "red nucleus": ("Red Nucleus",),
    "subthalamic nucleus": ("Subthalamic Nucleus",),
    "hypothalamus": ("Hypothalamus", "Mammillary Nucleus"),
}


def main(source: Path) -> None:
    """Write t1_2mm, tissue_2mm, regions_1mm and regions.json."""
    t1 = nib.load(source / "mni152/MNI152_T1_2mm.nii.gz")
    brain = nib.load(source / "mni152/MNI152_T1_2mm_Brain_Mask.nii.gz").get_fdata() > 0.5
    classes = np.asarray(nib.load(source / "mni152/MNI152_T1_2mm_Brain_FAST_seg.nii.gz").dataobj)
    _write("t1_2mm", np.clip(np.rint(t1.get_fdata() / T1_WHITE * 255), 0, 255), t1.affine)
    # FAST leaves a few voxels of the mask without a class; they are at its rim, where CSF is.
    tissue = np.where(brain, np.where(classes > 0, classes, 1), 0)
    _write("tissue_2mm", tissue, t1.affine)
    _write_regions(source, _lateral_ventricles(brain, classes), t1.affine)


def _lateral_ventricles(brain: np.ndarray, classes: np.ndarray) -> np.ndarray:
    deep = (classes == 1) & (ndi.distance_transform_edt(brain, sampling=2.0) > VENTRICLE_DEPTH_MM)
    labels, count = ndi.label(deep, ndi.generate_binary_structure(3, 1))
    sizes = ndi.sum_labels(deep, labels, range(1, count + 1)) * 8e-3
    # 19.4 mL; the larger component joins the third ventricle to the cisterns.
    return labels == 1 + int(np.argsort(-sizes)[1])


def _write_regions(source: Path, ventricles: np.ndarray, affine_2mm: np.ndarray) -> None:
    atlas = nib.load(source / "cit168/CIT168.nii.gz")
    names = [name.strip() for name in json.loads((source / "cit168/CIT168.json").read_text())["labels"]]
    coded = np.asanyarray(atlas.dataobj)
    whole = np.zeros((182, 218, 182), dtype=np.uint8)
    affine = np.array([[-1.0, 0, 0, 90], [0, 1, 0, -126], [0, 0, 1, -72], [0, 0, 0, 1]])
    table = []
    for region, members in NUCLEI.items():
        for side, letter in (("left", "L"), ("right", "R")):
            wanted = [k for k, name in enumerate(names) if name in {f"{letter} {member}" for member in members}]
            share = np.isin(coded["R"], wanted) * coded["B"].astype(int) + np.isin(coded["G"], wanted) * coded["A"]
            ijk = np.argwhere(share >= 128)
            at = np.rint(apply_affine(np.linalg.inv(affine) @ atlas.affine, ijk)).astype(int)
            table.append({"value": len(table) + 1, "name": region, "side": side})
            whole[tuple(at.T)] = len(table)
    grid = np.moveaxis(np.indices(whole.shape), 0, -1)
    at_2mm = np.rint(apply_affine(np.linalg.inv(affine_2mm) @ affine, grid)).astype(int)
    at_2mm = np.minimum(at_2mm, np.array(ventricles.shape) - 1)
    inside = ventricles[tuple(np.moveaxis(at_2mm, -1, 0))] & (whole == 0)
    left = (affine[0, 0] * grid[..., 0] + affine[0, 3]) < 0
    for side, half in (("left", left), ("right", ~left)):
        table.append({"value": len(table) + 1, "name": "lateral ventricle", "side": side})
        whole[inside & half] = len(table)
    _write("regions_1mm", whole, affine)
    (TARGET / "regions.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _write(name: str, array: np.ndarray, affine: np.ndarray) -> None:
    image = nib.Nifti1Image(array.astype(np.uint8), affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    # A fixed time stamp makes the file the same on every build.
    (TARGET / f"{name}.nii.gz").write_bytes(gzip.compress(image.to_bytes(), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""`groundglass segment --sentence`: a trained folder and a sentence in, a mask and figures out."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from segment_cases import segment

from groundglass.classification import tiny_bert
from groundglass.core import ConfigurationError, Image, InputError, Mask
from groundglass.segmentation import Stage, TextExam, train_by_text

FRAME = (8, 8, 8)


def test_a_sentence_gives_a_mask_and_its_uptake(tmp_path: Path) -> None:
    affine = np.diag([5.0, 5.0, 5.0, 1.0])
    values = np.full((8, 8, 8), 1.0, dtype=np.float32)
    values[3:5, 3:5, 2:5] = 6.0
    pet = Image.of(values, affine, name="PET", modality="PT", units="g/mL{SUVbw}")
    ct = Image.of(np.zeros_like(values), affine, name="CT", modality="CT")
    encoder = tiny_bert(tmp_path / "bert", ["hilar node"], width=16, layers=1)
    exam = TextExam.of(pet, ct, [("hilar node", Mask.of(values > 5, affine))], frame=FRAME)
    train_by_text(
        tmp_path / "model",
        [exam],
        encoder=encoder,
        stages=[Stage(25, learning_rate=3e-3)],
        filters=(4, 6),
        strides=(1, 2),
    )
    for name, image in (("pet", pet), ("ct", ct)):
        nibabel.save(nibabel.Nifti1Image(image.array[0], affine), tmp_path / f"{name}.nii.gz")
    given = [tmp_path / "pet.nii.gz", "--sentence", "FDG-avid hilar node, SUVmax 6.0", "-o", tmp_path / "mask.nii.gz"]
    whole = [*given, "--ct", tmp_path / "ct.nii.gz", "--model", tmp_path / "model"]
    facts = json.loads(segment(*whole, "--suv", "--json"))
    mask = np.asarray(nibabel.load(tmp_path / "mask.nii.gz").dataobj) > 0
    assert facts["found"] and mask.any()
    assert facts["SUVmax"] == {"value": float(values[mask].max()), "unit": "g/mL{SUVbw}"}
    assert facts["metabolic tumor volume"]["value"] == pytest.approx(mask.sum() * 0.125)
    assert "SUVmax 6" in segment(*whole, "--suv")
    with pytest.raises(InputError, match="no volume in"):
        segment(*whole)
    with pytest.raises(ConfigurationError, match="needs the CT"):
        segment(*given)
    with pytest.raises(ConfigurationError, match="does not go with clicks"):
        segment(*whole, "--suv", "--click", "3,3")
    with pytest.raises(ConfigurationError, match="belong to a sentence"):
        segment(tmp_path / "pet.nii.gz", "--click", "3,3", "--suv", "-o", tmp_path / "mask.nii.gz")

"""Mutated real files never crash or hang a reader, and never take much memory (acceptance 6)."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import PIL.Image
import pytest
import SimpleITK as sitk

_CHILD = Path(__file__).with_name("fuzz_child.py")
_SECONDS_PER_FILE = 20.0
_MEGABYTES = 1024
# Small files of every transfer syntax and object that the zoo has.
_ZOO = (
    "pydicom-data/JLSL_16_15_1_1F.dcm", "pydicom-data/JLSL_RGB_ILV1.dcm", "pydicom-data/SC_rgb_16bit_2frame.dcm",
    "pydicom-data/SC_rgb_expb_2frame.dcm", "pydicom-data/SC_ybr_full_uncompressed.dcm", "pydicom-data/emri_small.dcm",
    "pydicom-data/emri_small_RLE.dcm", "pydicom-data/emri_small_jpeg_2k_lossless.dcm",
    "pydicom-data/emri_small_jpeg_ls_lossless.dcm", "pydicom-data/parametric_map_double_float.dcm",
    "pydicom-data/JPEG-LL.dcm", "pydicom-data/color-pl.dcm", "highdicom/ct_image.dcm", "highdicom/sr_document.dcm",
    "highdicom/sm_image_jpegls.dcm", "highdicom/sm_image_numbers.dcm",
    "dcmqi/segmentations__23x38x3__multiframe__mf.dcm",
    "rt-utils/one_slice_data__0.dcm", "rt-utils/mock_data__rt.dcm",
    "transfer-syntaxes/TestPattern_JPEG-Baseline_YBRFull.dcm",
    "transfer-syntaxes/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
    "transfer-syntaxes/CTImage.dcm_DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99.dcm",
    "transfer-syntaxes/TestPattern_Palette.dcm",
)  # fmt: skip
_SEG = ("highdicom/seg_image_ct_binary.dcm", "highdicom/seg_image_sm_control_labelmap.dcm")


@pytest.fixture(scope="module")
def seeds(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that are mutated."""
    folder = tmp_path_factory.mktemp("fuzz")
    made = folder / "seeds"
    made.mkdir()
    for name in _ZOO:
        (made / Path(name).name).write_bytes((data / "dicom-zoo" / name).read_bytes())
    for name in _SEG:
        (made / Path(name).name).write_bytes((data / "dicom-zoo" / name).read_bytes())
    rng = np.random.default_rng(0)
    volume = rng.normal(100, 20, (20, 17, 9))
    affine = np.array([[1.5, 0.1, 0, -10], [-0.1, 1.5, 0, 5], [0, 0, 3, 7], [0, 0, 0, 1]])
    for name, kind in (("plain.nii", np.int16), ("float.nii.gz", np.float32), ("mask.nii.gz", np.uint8)):
        nibabel.save(nibabel.Nifti1Image(volume.astype(kind), affine), made / name)
    nibabel.save(nibabel.Nifti2Image(volume.astype(np.int16), affine), made / "second.nii")
    image = sitk.GetImageFromArray(volume.astype(np.int16).transpose())
    for name, packed in (("a.nrrd", True), ("mask.nrrd", False), ("a.mha", False), ("packed.mha", True)):
        sitk.WriteImage(image, str(made / name), packed)
    picture = PIL.Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8))
    picture.save(made / "a.png")
    picture.save(made / "a.jpg")
    picture.save(made / "a.tif")
    PIL.Image.fromarray((volume[..., 0] * 100).astype(np.uint16)).save(made / "deep.png")
    deep = sitk.GetImageFromArray(rng.integers(0, 65535, (9, 8, 3)).astype(np.uint16), isVector=True)
    sitk.WriteImage(deep, str(made / "deep_colour.png"))
    with zipfile.ZipFile(made / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(made / "ct_image.dcm", "series/1.dcm")
        archive.write(made / "plain.nii", "plain.nii")
    return folder


def _run(seeds: Path, count: int) -> Counter[str]:
    """Outcomes of `count` mutations. Fails on a crash, a hang, another error or too much memory."""
    outcomes: Counter[str] = Counter()
    for first in range(0, count, 500):
        last = min(count, first + 500)
        child = subprocess.Popen(
            [sys.executable, str(_CHILD), str(seeds), str(first), str(last)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            out, err = child.communicate(timeout=60 + (last - first) * 1.5)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            pytest.fail(f"hangs at {out.splitlines()[-1:]}")
        lines = [line.split() for line in out.splitlines()]
        assert child.returncode == 0, f"exit {child.returncode} at {lines[-1:]}: {err[-2000:]}"
        for number, what, *rest in lines:
            if what == "start":
                continue
            seconds, megabytes, name = rest[-3:]
            assert float(seconds) < _SECONDS_PER_FILE, f"{number} {name} took {seconds} s"
            assert int(megabytes) < _MEGABYTES, f"{number} {name} took {megabytes} MiB"
            outcomes["ok" if what == "ok" else rest[0]] += 1
    assert sum(outcomes.values()) == count
    return outcomes


def test_300_mutations_are_read_or_refused(seeds: Path) -> None:
    outcomes = _run(seeds, 300)
    # Both must occur, or the mutations would test nothing.
    assert outcomes["ok"] > 30
    assert outcomes["TruncatedError"] + outcomes["InputError"] + outcomes["UnsupportedError"] > 30


@pytest.mark.slow
def test_2000_mutations_are_read_or_refused(seeds: Path) -> None:
    outcomes = _run(seeds, 2000)
    assert outcomes["ok"] > 200
    assert sum(count for name, count in outcomes.items() if name != "ok") > 200

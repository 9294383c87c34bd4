"""The procedural thorax: truth against drawn masks, planted findings, geometry of the beam, the sample file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest

from groundglass.core import ConfigurationError
from groundglass.synthesis import PlantedFinding, random_radiograph, write_sample_radiograph
from groundglass.synthesis.thorax import Beam


def width(mask: np.ndarray) -> int:
    return int(np.ptp(np.flatnonzero(mask.any(axis=0)))) + 1


def test_same_seed_same_phantom_and_display_convention() -> None:
    a, b = (random_radiograph(np.random.default_rng(5), size=128, findings=()) for _ in range(2))
    np.testing.assert_array_equal(a.image, b.image)
    assert a.image.min() >= 0
    assert a.image.max() <= 1
    left, right = (np.argwhere(a.masks[f"{side} lung"])[:, 1].mean() for side in ("left", "right"))
    assert right < np.argwhere(a.masks["heart"])[:, 1].mean() < left
    assert a.image[a.masks["right lung"]].mean() < a.image[a.masks["right hemidiaphragm"]].mean()


def test_cardiomegaly_is_planted_and_truth_follows_the_shapes() -> None:
    big = (PlantedFinding("cardiomegaly"),)
    for found, low, high in ((big, 0.54, 0.72), ((), 0.36, 0.49)):
        for seed in range(3):
            rng = np.random.default_rng(seed)
            phantom = random_radiograph(rng, size=128, findings=found, view="PA", field_width=460.0)
            truth = phantom.truth["cardiothoracic ratio"]
            assert low < truth < high
            drawn = width(phantom.masks["heart"]) / width(phantom.masks["left lung"] | phantom.masks["right lung"])
            # Perspective, turning and tilting change the projected ratio a little.
            assert drawn == pytest.approx(truth, abs=0.08)


@pytest.mark.parametrize("side", ["left", "right"])
def test_effusion_and_consolidation_lie_on_their_side(side: str) -> None:
    found = (PlantedFinding("effusion", side, extent=0.35), PlantedFinding("consolidation", side, "upper", 0.4))
    ill = random_radiograph(np.random.default_rng(3), size=128, findings=found, view="PA")
    other = {"left": "right", "right": "left"}[side]
    assert ill.masks[f"{side} effusion"].any()
    assert f"{other} effusion" not in ill.masks
    spot, lung = ill.masks[f"{side} consolidation"], ill.masks[f"{side} lung"]
    rows = np.flatnonzero(lung.any(axis=1))
    assert np.argwhere(spot)[:, 0].mean() < rows[0] + 0.45 * np.ptp(rows)


def test_findings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="side"):
        PlantedFinding("effusion")
    with pytest.raises(ConfigurationError, match="zone"):
        PlantedFinding("consolidation", "left", "basal")


def test_beam_projects_its_own_samples_onto_their_pixels() -> None:
    beam = Beam("AP", 64, 6.0, 4.0, 90.0, 1200.0, 150.0, yaw=0.1, pitch=-0.07, source_x=12.0, source_z=70.0)
    x, y, z, _ = beam.samples(step=1, planes=5, extent=100.0)
    pixels, scale = beam.project(np.stack([a[:, 10, 40] for a in (x, y, z)], axis=1).astype(np.float64))
    np.testing.assert_allclose(pixels, np.tile([10.0, 40.0], (5, 1)), atol=1e-3)
    assert (scale > 1).all()


def test_sample_is_a_valid_dicom_dx(tmp_path: Path) -> None:
    path = write_sample_radiograph(tmp_path / "sample.dcm")
    data = pydicom.dcmread(path)
    assert data.Modality == "DX"
    assert "SIMULATED" in data.StudyDescription
    assert data.pixel_array.shape == (512, 512)
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed")
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, text=True, check=False)
    assert "Error" not in done.stderr + done.stdout

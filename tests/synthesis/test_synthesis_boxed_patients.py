"""Patients with several films: labels and boxes agree, a patient stays the same, the texture is the patient's."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from groundglass.synthesis import CHEST_LABELS, boxed_chests, with_patient_texture


def test_labels_are_boxed_and_depend_on_seed_and_patient(tmp_path: Path) -> None:
    chests = boxed_chests(2, 3, films=2, size=64, cache=tmp_path / "chests.npz")
    assert chests.films.shape == (4, 64, 64)
    assert chests.patients.tolist() == [0, 0, 1, 1]
    assert (chests.truth == ~np.isnan(chests.boxes).any(axis=2)).all()
    assert chests.truth.shape == (4, len(CHEST_LABELS))
    assert chests.truth.any()
    held = chests.boxes[chests.truth]
    assert (held[:, :2] < held[:, 2:]).all()
    assert held.min() >= 0
    assert held.max() <= 64
    read = boxed_chests(2, 3, cache=tmp_path / "chests.npz")
    again = boxed_chests(1, 3, films=2, size=64)
    np.testing.assert_array_equal(read.films, chests.films)
    np.testing.assert_array_equal(again.films, chests.films[:2])
    assert not np.array_equal(chests.films[0], chests.films[1])


def test_texture_is_the_patients_and_its_phase_the_films() -> None:
    films = np.zeros((4, 64, 64), np.float32)
    grained = with_patient_texture(films, np.array([0, 0, 1, 1]), 5, strength=0.1)
    power = np.abs(np.fft.rfft2(grained)).reshape(4, -1)
    alike = np.corrcoef(power)
    assert alike[0, 1] > 0.9
    assert alike[2, 3] > 0.9
    assert alike[0, 2] < 0.5
    assert not np.allclose(grained[0], grained[1])
    assert 0.09 < grained.std() < 0.11

"""Raw k-space: fastMRI's layout, ISMRMRD's, NumPy's, and a real acquisition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from groundglass.core.errors import InputError, TruncatedError, UnsupportedError
from groundglass.io import read_kspace

h5py = pytest.importorskip("h5py")


@pytest.fixture
def lines() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(2, 3, 8, 16)) + 1j * rng.normal(size=(2, 3, 8, 16))).astype(np.complex64)


def test_fastmri_and_numpy(tmp_path: Path, lines: np.ndarray) -> None:
    with h5py.File(tmp_path / "fast.h5", "w") as file:
        file["kspace"] = lines
    np.save(tmp_path / "one.npy", lines[0])
    np.testing.assert_array_equal(read_kspace(tmp_path / "fast.h5"), lines)
    np.testing.assert_array_equal(read_kspace(tmp_path / "one.npy"), lines[:1])


def test_ismrmrd_lines_are_put_in_place(tmp_path: Path, lines: np.ndarray) -> None:
    index = np.dtype([("kspace_encode_step_1", "<u2"), ("kspace_encode_step_2", "<u2"), ("slice", "<u2")])
    head = np.dtype([("flags", "<u8"), ("number_of_samples", "<u2"), ("active_channels", "<u2"), ("idx", index)])
    row = np.dtype([("head", head), ("data", h5py.vlen_dtype(np.float32))])
    order = [(s, k) for s in range(2) for k in (5, 0, 3, 1, 7, 2, 6, 4)]
    rows = np.empty(len(order) + 1, dtype=row)
    rows["head"]["number_of_samples"], rows["head"]["active_channels"], rows["head"]["flags"] = 16, 3, 0
    for n, (s, k) in enumerate(order):
        rows["head"]["idx"]["slice"][n], rows["head"]["idx"]["kspace_encode_step_1"][n] = s, k
        rows["data"][n] = np.ascontiguousarray(lines[s, :, k]).view(np.float32).ravel()
    rows["head"]["flags"][-1] = 1 << 18  # a noise scan
    rows["data"][-1] = np.full(3 * 16 * 2, 9e9, dtype=np.float32)
    with h5py.File(tmp_path / "scan.mrd", "w") as file:
        file.create_dataset("dataset/data", data=rows)
    np.testing.assert_array_equal(read_kspace(tmp_path / "scan.mrd"), lines)


def test_bad_files(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no HDF5")
    np.save(tmp_path / "real.npy", np.zeros((4, 4)))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["image"] = np.zeros(3)
    with pytest.raises(InputError, match="not there"):
        read_kspace(tmp_path / "none.h5")
    with pytest.raises(TruncatedError):
        read_kspace(tmp_path / "text.h5")
    with pytest.raises(UnsupportedError, match="not k-space"):
        read_kspace(tmp_path / "real.npy")
    with pytest.raises(UnsupportedError, match="neither"):
        read_kspace(tmp_path / "other.h5")

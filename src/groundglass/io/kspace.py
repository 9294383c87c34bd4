"""Raw MRI: Cartesian k-space from fastMRI's HDF5, from ISMRMRD, or from a NumPy array.

All come as complex64 (slices, coils, ky, kx) with the zero frequency in the middle. HDF5 needs the package h5py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.core.errors import ConfigurationError, GroundglassError, InputError, TruncatedError, UnsupportedError

Kspace = NDArray[np.complex64]
# ISMRMRD acquisition flag 19 (bit 18): noise; 25 (24): navigation; 29 (28): surface-coil correction.
NO_IMAGE = (1 << 18) | (1 << 24) | (1 << 28)


def read_kspace(path: str | os.PathLike[str]) -> Kspace:
    """(slices, coils, ky, kx). A single coil or slice has a length of 1.

    Raises InputError for a missing file, UnsupportedError for another kind, TruncatedError for a damaged one,
    ConfigurationError where h5py is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, "is not there", "Give a k-space file: .h5, .mrd or .npy.")
    try:
        if path.suffix == ".npy":
            return _four_axes(np.load(path, allow_pickle=False), path)
        if path.suffix in (".h5", ".hdf5", ".mrd"):
            return _read_hdf5(path)
    except GroundglassError:
        raise
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise TruncatedError(path, f"cannot be read ({error})", "Copy the file again.") from error
    raise UnsupportedError(path, "is no k-space file", "Give .h5 (fastMRI, ISMRMRD), .mrd or .npy.")


def _read_hdf5(path: Path) -> Kspace:
    try:
        import h5py
    except ImportError as error:
        raise ConfigurationError(path, "needs the package h5py", "pip install 'groundglass[mri]'") from error
    with h5py.File(path, "r") as file:
        if "kspace" in file:
            return _four_axes(np.asarray(file["kspace"]), path)
        if "dataset" in file and "data" in file["dataset"]:
            return _sorted_lines(np.asarray(file["dataset"]["data"]), path)
    raise UnsupportedError(path, "holds neither fastMRI's `kspace` nor ISMRMRD's `dataset/data`", "Convert it first.")


def _four_axes(array: NDArray[Any], path: Path) -> Kspace:
    if not np.iscomplexobj(array) or array.ndim not in (2, 3, 4):
        raise UnsupportedError(path, f"holds {array.dtype} {array.shape}, not k-space", "Give complex (coils, ky, kx).")
    held = array if array.ndim > 2 else array[None]
    return (held if held.ndim == 4 else held[None]).astype(np.complex64)


def _sorted_lines(rows: NDArray[Any], path: Path) -> Kspace:
    """ISMRMRD acquisitions put in their place; lines measured again are averaged."""
    heads = [row["head"] for row in rows]
    kept = [n for n, head in enumerate(heads) if not int(head["flags"]) & NO_IMAGE]
    if not kept:
        raise UnsupportedError(path, "holds no image line", "Give the imaging scan.")
    lines = np.array([int(heads[n]["idx"]["kspace_encode_step_1"]) for n in kept])
    slices = np.array([int(heads[n]["idx"]["slice"]) for n in kept])
    coils, samples = int(heads[kept[0]]["active_channels"]), int(heads[kept[0]]["number_of_samples"])
    total = np.zeros((slices.max() + 1, coils, lines.max() + 1, samples), dtype=np.complex128)
    count = np.zeros((slices.max() + 1, 1, lines.max() + 1, 1))
    for number, line, part in zip(kept, lines, slices, strict=True):
        values = np.asarray(rows[number]["data"], dtype=np.float32)
        if values.size != 2 * coils * samples:
            raise TruncatedError(path, f"line {number} has {values.size} numbers, its head another", "Copy it again.")
        total[part, :, line] += values.view(np.complex64).reshape(coils, samples)
        count[part, 0, line] += 1
    return (total / np.maximum(count, 1)).astype(np.complex64)

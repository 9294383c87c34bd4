"""Reading a CT series of 300 slices of 512 x 512, against a plain pydicom loop, in one run.

    python benchmarks/ct_series.py [--slices 300] [--repeats 7]

Builds synthetic series (a noise-limited phantom, 12 bits in 16) in a temporary folder, uncompressed and JPEG-LS, and
prints JSON: medians in seconds, their ratio, and whether the values are equal. Both sides read from a warm page cache
and alternate, so that a busy machine slows both. JPEG-LS is decoded on all cores.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGLSLossless, generate_uid

from groundglass.io import read_study


def phantom(index: int, rng: np.random.Generator, size: int) -> NDArray[np.uint16]:
    """A body of smooth tissues in air with noise of 12 HU, stored as HU + 1024."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    hu = np.full((size, size), -1000.0)
    body = (x / 0.85) ** 2 + (y / 0.6) ** 2 < 1
    hu[body] = 40 + 30 * np.sin(6 * x[body] + index / 30) * np.cos(5 * y[body])
    hu[(x - 0.4) ** 2 + y**2 < 0.08] = -800
    hu[x**2 + (y - 0.35) ** 2 < 0.01] = 700
    return np.clip(hu + rng.normal(0, 12, hu.shape) + 1024, 0, 4095).astype(np.uint16)


def write_series(folder: Path, slices: int, size: int, *, compressed: bool, seed: int = 0) -> None:
    """A CT series with slices 1 mm apart; file names are in no order of place."""
    rng = np.random.default_rng(seed)
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    names = rng.permutation(slices)
    for index in range(slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_ = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        slice_.SeriesInstanceUID, slice_.StudyInstanceUID, slice_.FrameOfReferenceUID = series, study, frame
        slice_.Modality, slice_.PatientID, slice_.PatientName = "CT", "PHANTOM", "Phantom^Synthetic"
        slice_.StudyDate = slice_.SeriesDate = slice_.AcquisitionDate = "20260101"
        slice_.SeriesNumber, slice_.InstanceNumber = 2, int(names[index]) + 1
        slice_.ImagePositionPatient, slice_.ImageOrientationPatient = [-180, -180, float(index)], [1, 0, 0, 0, 1, 0]
        slice_.PixelSpacing, slice_.SliceThickness = [0.7, 0.7], 1
        slice_.RescaleSlope, slice_.RescaleIntercept, slice_.RescaleType = 1, -1024, "HU"
        slice_.Rows = slice_.Columns = size
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit, slice_.PixelRepresentation = 16, 12, 11, 0
        slice_.PixelData = phantom(index, rng, size).tobytes()
        if compressed:
            slice_.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
        slice_.save_as(folder / f"{names[index]:06d}.dcm", enforce_file_format=True)


def pydicom_loop(folder: Path) -> NDArray[np.int16]:
    """What is commonly written: read every file, sort by position, rescale, stack."""
    slices = sorted((pydicom.dcmread(f) for f in folder.iterdir()), key=lambda s: s.ImagePositionPatient[2])
    return np.stack(
        [s.pixel_array.astype(np.int16) * np.int16(s.RescaleSlope) + np.int16(s.RescaleIntercept) for s in slices]
    )


def ours(folder: Path) -> NDArray[Any]:
    """The same volume through the public reader."""
    return read_study([folder]).images[0].array[0]


def seconds(run: Callable[[Path], NDArray[Any]], folder: Path) -> tuple[float, float]:
    """(wall, processor) time of one run; its result is freed after the clock stops."""
    gc.collect()
    start, busy = time.perf_counter(), time.process_time()
    result = run(folder)
    taken = time.perf_counter() - start, time.process_time() - busy
    del result
    return taken


def compare(folder: Path, repeats: int) -> dict[str, Any]:
    """Medians of alternating runs after one warm-up of each."""
    equal = bool(np.array_equal(pydicom_loop(folder), ours(folder)))
    loop, mine = [], []
    for _ in range(repeats):
        loop.append(seconds(pydicom_loop, folder))
        mine.append(seconds(ours, folder))
    (loop_wall, loop_busy), (wall, busy) = zip(*loop, strict=True), zip(*mine, strict=True)
    return {
        "n": repeats,
        "pydicom_s": round(statistics.median(loop_wall), 4),
        "groundglass_s": round(statistics.median(wall), 4),
        "ratio_of_medians": round(statistics.median(loop_wall) / statistics.median(wall), 2),
        "ratio_of_minima": round(min(loop_wall) / min(wall), 2),
        "pydicom_processor_s": round(statistics.median(loop_busy), 4),
        "groundglass_processor_s": round(statistics.median(busy), 4),
        "values_equal": equal,
    }


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        table: dict[str, Any] = {
            "slices": options.slices,
            "size": options.size,
            "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        }
        for name in ("uncompressed", "jpeg_ls"):
            folder = Path(temporary) / name
            folder.mkdir()
            write_series(folder, options.slices, options.size, compressed=name == "jpeg_ls")
            table[name] = compare(folder, options.repeats)
    print(json.dumps(table, indent=2))


if __name__ == "__main__":
    main()

"""`groundglass archive` on many small studies: how two workers scale against one, what the runner costs, its memory.

    python benchmarks/archive.py [--studies 2000] [--broken 50] [--repeats 1] [--ray]

Builds an archive in a temporary folder (a third each of CT series of twelve slices, NIfTI volumes and PNG radiographs;
synthetic, about 1 MB each) with broken files among them, and carries it through the task `check`: every image is
decoded, its range measured, its digest taken. Runs of one and of two workers alternate. Prints JSON:

- `scaling`: seconds of work with one worker / (2 x seconds with two), 1 is perfect; the start of workers, discovery and
  the table are told apart. Two workers and the runner share the machine: on two cores it means something only idle.
- `runner_cpu_share`: CPU of the runner / CPU of its workers; 1 / (1 + this) bounds the scaling on two cores.
- `rows_identical`: one worker, two workers (and Ray) gave the same rows; `broken_listed`: each broken one has a reason.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray
from PIL import Image as Picture
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from groundglass.app.archive.run import Settings, run
from groundglass.core import Image
from groundglass.io import write_nifti


def body(rng: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.int16]:
    """Smooth tissue with noise, as HU."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = (x / 0.8) ** 2 + (y / 0.6) ** 2 < 1 - 0.1 * z
    hu = np.where(inside, 40 + 30 * np.sin(6 * x) * np.cos(5 * y), -1000)
    return (hu + rng.normal(0, 6, shape)).round().astype(np.int16)


def write_ct(folder: Path, number: int, volume: NDArray[np.int16]) -> None:
    study = f"1.2.826.0.1.3680043.10.1561.7.{number + 1}"
    for index, plane in enumerate(volume):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, f"{study}.1.{index + 1}"
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        file.SOPClassUID, file.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        file.StudyInstanceUID, file.SeriesInstanceUID, file.FrameOfReferenceUID = study, f"{study}.1", f"{study}.2"
        file.Modality, file.PatientID, file.StudyDate = "CT", f"P{number}", "20260101"
        file.InstanceNumber, file.ImagePositionPatient = index + 1, [0, 0, 3.0 * index]
        file.ImageOrientationPatient, file.PixelSpacing, file.SliceThickness = [1, 0, 0, 0, 1, 0], [1, 1], 3
        file.RescaleSlope, file.RescaleIntercept, file.RescaleType = 1, -1024, "HU"
        file.Rows, file.Columns = plane.shape
        file.SamplesPerPixel, file.PhotometricInterpretation, file.PixelRepresentation = 1, "MONOCHROME2", 0
        file.BitsAllocated, file.BitsStored, file.HighBit = 16, 12, 11
        file.PixelData = np.clip(plane + 1024, 0, 4095).astype(np.uint16).tobytes()
        path = folder / f"{number:05d}" / f"{index}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        file.save_as(path)


def write_archive(folder: Path, studies: int, broken: int) -> None:
    rng = np.random.default_rng(0)
    bodies = [body(rng, (32, 192, 192)) for _ in range(8)]
    for number in range(studies):
        part, volume = folder / f"part{number % 20:02d}", np.roll(bodies[number % 8], number // 8, axis=2)
        part.mkdir(parents=True, exist_ok=True)
        if number % 3 == 0:
            write_ct(part, number, volume[:12])
        elif number % 3 == 1:
            image = Image.of(volume, np.diag([3.0, 1, 1, 1]), name=str(number))
            write_nifti(volume, image, part / f"{number:05d}.nii.gz")
        else:
            tall = np.concatenate(list(volume[:30]), axis=1).reshape(1152, -1)
            Picture.fromarray((np.clip(tall + 200, 0, 510) / 2).astype(np.uint8)).save(part / f"{number:05d}.png")
    for number in range(broken):
        whole = next(iter(sorted((folder / f"part{number % 20:02d}").glob(("*.png", "*.nii.gz")[number % 2]))))
        content = whole.read_bytes()
        (whole.parent / f"broken-{number:03d}{''.join(whole.suffixes)}").write_bytes(
            content[: len(content) // 2 + number]
        )


def measure(source: Path, out: Path, workers: int, engine: str = "pool") -> dict[str, Any]:
    """One run from nothing; seconds of its work, and the CPU of runner and workers."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    figures = run(str(source), out, Settings(task="check", workers=workers, engine=engine)).figures  # type: ignore[arg-type]
    wall = time.perf_counter() - started
    mine, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "workers": workers,
        "engine": engine,
        "wall": wall,
        "seconds": figures["seconds"],
        "studies": figures["studies"],
        "runner_cpu": mine.ru_utime + mine.ru_stime - own.ru_utime - own.ru_stime,
        "workers_cpu": theirs.ru_utime + theirs.ru_stime - children.ru_utime - children.ru_stime,
        "peak_worker_mib": figures["peak_worker_bytes"] / 2**20,
        "peak_runner_mib": figures["peak_runner_bytes"] / 2**20,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--studies", type=int, default=2000)
    options.add_argument("--broken", type=int, default=50)
    options.add_argument("--repeats", type=int, default=1)
    options.add_argument("--ray", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="groundglass-archive-") as temporary:
        folder = Path(temporary)
        write_archive(folder / "in", given.studies, given.broken)
        runs = []
        for repeat in range(given.repeats):
            for workers in (1, 2):
                runs.append(measure(folder / "in", folder / f"out-{workers}-{repeat}", workers))
        if given.ray:
            runs.append(measure(folder / "in", folder / "out-ray", 2, "ray"))
        tables = [pyarrow.parquet.read_table(out / "results.parquet") for out in sorted(folder.glob("out-*"))]
        sources = tables[0].filter(pyarrow.compute.equal(tables[0]["state"], "failed"))["source"].to_pylist()
        one, two = (
            statistics.median(r["seconds"]["work"] for r in runs if r["workers"] == n and r["engine"] == "pool")
            for n in (1, 2)
        )
        pool = next(r for r in runs if r["workers"] == 2)
        result = {
            "studies": given.studies,
            "milliseconds_a_study": round(1000 * one / (given.studies + given.broken), 2),
            "studies_per_second": {"1": round(given.studies / one, 1), "2": round(given.studies / two, 1)},
            "scaling": round(one / (2 * two), 3),
            "runner_cpu_share": round(pool["runner_cpu"] / pool["workers_cpu"], 4),
            "rows_identical": all(table.equals(tables[0]) for table in tables),
            "broken_listed": sum("broken-" in source for source in sources) == given.broken == len(sources),
            "peak_mib": {
                "worker": round(max(r["peak_worker_mib"] for r in runs)),
                "runner": round(pool["peak_runner_mib"]),
            },
            "runs": runs,
        }
        json.dump(result, sys.stdout, indent=1)
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()

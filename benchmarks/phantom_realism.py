"""Phantoms beside real scans: sizes, CT numbers, noise spectra, grey values; pictures for the docs.

    python benchmarks/phantom_realism.py DATA OUT       (DATA: folder of the open data sets)

Prints a table and writes PNG pictures. The real CT is one subject at 3 mm whose masks come from a published model.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw

from groundglass.synthesis import Phantom, make_phantom

PATIENTS = 8
Float = NDArray[np.float64]
# Adult ranges in mL (mean +- 2 SD or 5th to 95th percentile), rounded from published CT volumetry.
ADULT = {"liver": (1000, 2100), "spleen": (90, 380), "kidney": (105, 235), "heart": (450, 1000), "lungs": (2800, 7000)}


def organ_table(data: Path) -> None:
    """Volumes (mL) and CT numbers of phantoms against adult ranges and the real subject."""
    sizes: dict[str, list[float]] = {}
    numbers: dict[str, list[float]] = {}
    for index in range(PATIENTS):
        for kind, wanted in (
            ("abdomen-ct", ("liver", "spleen", "kidney")),
            ("chest-ct", ("heart", "lobe", "rib", "T9")),
        ):
            phantom = make_phantom(
                kind, 21, index, plants=[], phase="plain", spacing=(3.0, 3.0, 3.0), shape=(140, 140, 120)
            )
            voxel = float(np.prod(phantom.image.spacing)) / 1000
            total = 0.0
            for name, mask in phantom.structures.items():
                key = next((w for w in wanted if w in name.split()), None)
                if key is None or "pelvis" in name or "segment" in name:
                    continue
                held = phantom.image.array[0][mask.box.slices][mask.crop]
                numbers.setdefault(key, []).append(float(held.mean()))
                if key == "lobe":
                    total += mask.voxel_count * voxel
                elif key not in ("rib", "T9"):
                    sizes.setdefault(key, []).append(mask.voxel_count * voxel)
            if total:
                sizes.setdefault("lungs", []).append(total)
    real = _real_organs(data)
    print(f"{'organ':10s} {'phantom mL':>22s} {'adult mL':>14s} {'phantom HU':>16s} {'real HU':>8s}")
    for name in ("liver", "spleen", "kidney", "heart", "lungs", "rib", "T9"):
        size, hu = sizes.get(name, []), numbers.get("lobe" if name == "lungs" else name, [])
        volume = f"{np.mean(size):.0f} +- {np.std(size):.0f} ({min(size):.0f}-{max(size):.0f})" if size else ""
        span = "{}-{}".format(*ADULT[name]) if name in ADULT else ""
        here = f"{np.mean(hu):8.0f} +- {np.std(hu):3.0f}"
        print(f"{name:10s} {volume:>22s} {span:>14s} {here} {real.get(name, float('nan')):8.0f}")


def _real_organs(data: Path) -> dict[str, float]:
    home = data / "ct-organ-samples"
    rows = list(csv.reader((home / "labels_total_ct.csv").open()))[1:]
    names = {int(row[0]): row[1] for row in rows}
    labels = np.asarray(nibabel.load(home / "small" / "ct_organs_total.nii.gz").dataobj)
    hu = np.asarray(nibabel.load(home / "small" / "ct.nii.gz").dataobj, dtype=float)
    groups = {
        "liver": "liver",
        "spleen": "spleen",
        "kidney": "kidney",
        "lungs": "lung_",
        "rib": "rib_",
        "T9": "vertebrae_L1",
    }
    found = {}
    for key, start in groups.items():
        numbers = [n for n, name in names.items() if name.startswith(start)]
        inside = np.isin(labels, numbers)
        found[key] = float(hu[inside].mean())
    return found


def noise_spectrum(
    volume: Float, inside: NDArray[np.bool_], spacing: float, side: int = 16
) -> tuple[Float, Float, float]:
    """(frequency per mm, normalised radial power, standard deviation) from squares that lie inside, detrended."""
    patches = []
    for k in range(volume.shape[2]):
        for i in range(0, volume.shape[0] - side, side // 2):
            for j in range(0, volume.shape[1] - side, side // 2):
                if inside[i : i + side, j : j + side, k].all():
                    patch = volume[i : i + side, j : j + side, k].astype(float)
                    patches.append(patch - patch.mean())
    stack = np.array(patches)
    power = (np.abs(np.fft.fft2(stack)) ** 2).mean(axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side, spacing), np.fft.fftfreq(side, spacing)))
    edges = np.linspace(0.5 / side / spacing, 0.5 / spacing, 8)
    which = np.digitize(frequency, edges)
    radial = np.array([power[which == b].mean() for b in range(1, 8)])
    return (edges[:-1] + edges[1:]) / 2, radial / radial.sum(), float(stack.std())


def line_chart(curves: dict[str, tuple[Float, Float]], title: str, size: tuple[int, int] = (460, 300)) -> Picture.Image:
    """Curves of x, y in one frame; the first is drawn dark, the others lighter."""
    picture = Picture.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = 46, 30, size[0] - 14, size[1] - 34
    xs = np.concatenate([x for x, _ in curves.values()])
    high = max(float(y.max()) for _, y in curves.values()) * 1.05
    draw.rectangle((left, top, right, bottom), outline="#999999")
    draw.text((left, 8), title, fill="black")
    for number, (name, (x, y)) in enumerate(curves.items()):
        px = left + (x - xs.min()) / np.ptp(xs) * (right - left)
        py = bottom - y / high * (bottom - top)
        colour = ("#000000", "#d95f02", "#1b9e77")[number % 3]
        draw.line(list(zip(px.tolist(), py.tolist(), strict=True)), fill=colour, width=2)
        draw.text((right - 130, top + 8 + 14 * number), name, fill=colour)
    for value in np.linspace(xs.min(), xs.max(), 5):
        place = left + (value - xs.min()) / np.ptp(xs) * (right - left)
        draw.text((place - 14, bottom + 6), f"{value:.3g}", fill="#555555")
    return picture


def window(plane: Float, low: float, high: float) -> NDArray[np.uint8]:
    return np.rint(np.clip((plane - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def ct_pictures(data: Path, out: Path) -> None:
    """The real thorax and abdomen above a phantom, same voxels and windows; histograms and noise spectra."""
    image = nibabel.load(data / "ct-organ-samples" / "thorax_abdomen" / "ct.nii.gz")
    real = np.asarray(image.dataobj, dtype=float)
    options = {"plants": [], "phase": "plain", "spacing": (3.0, 3.0, 3.0), "noise": 14.0}
    belly = make_phantom("abdomen-ct", 21, 3, shape=(122, 101, 90), **options)
    rows = [_views(real, 0.55, 0.85), _views(belly.image.array[0].astype(float), 0.42, 0.66)]
    picture = np.vstack([np.pad(row, ((0, 6), (0, 0)), constant_values=255) for row in rows])
    grown = Picture.fromarray(picture).resize((picture.shape[1] * 2, picture.shape[0] * 2), Picture.Resampling.BICUBIC)
    grown.save(out / "phantom-ct-beside-real.png", optimize=True)
    bins = np.arange(-1000, 600, 20.0)
    curves = {}
    for name, volume in (
        ("real, 3 mm", real),
        ("phantom, 3 mm", belly.image.array[0]),
    ):
        body = volume[(volume > -950)]
        counts = np.histogram(body, bins)[0] / body.size
        curves[name] = (bins[:-1] + 10, np.log10(counts + 1e-5) + 5)
    charts = [line_chart(curves, "CT numbers in the body (log10 share, HU)")]
    small = np.asarray(nibabel.load(data / "ct-organ-samples" / "small" / "ct.nii.gz").dataobj, dtype=float)
    labels = np.asarray(nibabel.load(data / "ct-organ-samples" / "small" / "ct_organs_total.nii.gz").dataobj)
    rows_ = list(csv.reader((data / "ct-organ-samples" / "labels_total_ct.csv").open()))[1:]
    liver = next(int(r[0]) for r in rows_ if r[1] == "liver")
    phantom_liver = np.any(
        [m.array for n, m in belly.structures.items() if n in ("liver", "portal vein", "hepatic vein")], axis=0
    )
    spectra = {
        "real liver": noise_spectrum(small, labels == liver, 3.0),
        "phantom liver": noise_spectrum(belly.image.array[0].astype(float), phantom_liver, 3.0),
    }
    for name, (_, _, sd) in spectra.items():
        print(f"{name}: noise {sd:.1f} HU")
    charts.append(
        line_chart({n: (f, p) for n, (f, p, _) in spectra.items()}, "Noise power in the liver (share, per mm)")
    )
    both = Picture.new("RGB", (sum(c.width for c in charts), charts[0].height), "white")
    for number, chart in enumerate(charts):
        both.paste(chart, (number * charts[0].width, 0))
    both.save(out / "phantom-ct-figures.png", optimize=True)


def _views(volume: Float, low: float, high: float) -> NDArray[np.uint8]:
    """Two axial slices and a coronal one, soft tissue and lung windows, patient's right on the left."""
    tiles = []
    for share in (low, high):
        axial = volume[::-1, ::-1, int(share * volume.shape[2])].T
        tiles += [window(axial, -160, 240), window(axial, -1350, 150)] if share == high else [window(axial, -160, 240)]
    coronal = volume[::-1, int(0.52 * volume.shape[1]), ::-1].T
    height = max(tile.shape[0] for tile in (*tiles, coronal))
    tiles.append(window(coronal, -160, 240))
    return np.hstack([np.pad(t, ((0, height - t.shape[0]), (0, 4)), constant_values=0) for t in tiles])


def gallery(out: Path) -> None:
    """One row of cases per kind."""
    rows = []
    for kind, options in (
        ("chest-ct", {}), ("abdomen-ct", {}), ("petct", {"ct_shape": None}), ("radiograph", {}),
        ("retina", {}), ("microscopy", {}), ("ultrasound", {}),
    ):  # fmt: skip
        tiles = [_tile(make_phantom(kind, 2, index, **options)) for index in range(4)]
        rows.append(np.hstack(tiles))
    Picture.fromarray(np.vstack(rows)).save(out / "phantom-gallery.jpg", quality=82, optimize=True)


def _tile(phantom: Phantom, side: int = 230) -> NDArray[np.uint8]:
    array = phantom.image.array
    if phantom.image.modality == "PT":
        plane = 255 - window(array[0].max(axis=1)[::-1, ::-1].T.astype(float), 0, 8)
    elif phantom.image.is_volume:
        masked = [f.where.box for f in phantom.findings if f.where.box is not None]
        k = (masked[0].start[2] + masked[0].stop[2]) // 2 if masked else array.shape[3] // 2
        low, high = (-1350, 150) if phantom.kind == "chest-ct" and "lung" in str(phantom.findings[:1]) else (-160, 240)
        plane = window(array[0][::-1, ::-1, k].T.astype(float), low, high)
    else:
        plane = array[0] / max(int(array[0].max()), 1) * 255 if array.shape[0] == 1 else np.moveaxis(array, 0, -1)
    picture = Picture.fromarray(np.asarray(plane, dtype=np.uint8)).convert("RGB")
    picture.thumbnail((side, side))
    frame = Picture.new("RGB", (side + 4, side + 4), "white")
    frame.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(frame)


def flat_pictures(data: Path, out: Path) -> None:
    """Three real radiographs and blood films beside three phantoms; grey values and fine noise of 24 of each."""
    rows = []
    for kind, folder, options in (
        ("radiograph", data / "cxr-nih14" / "images", {"size": 256}),
        ("microscopy", data / "blood-cells-cbc" / "images", {"size": 256}),
    ):
        real = [
            np.asarray(Picture.open(path).convert("RGB").resize((256, 256))) for path in sorted(folder.iterdir())[:24]
        ]
        phantoms = [_tile(make_phantom(kind, 4, index, **options), side=256)[:256, :256] for index in range(24)]
        rows.append(np.hstack([*real[:3], *phantoms[:3]]))
        for name, pictures in (("real", real), ("phantom", phantoms)):
            grey = np.stack([picture.mean(axis=2) for picture in pictures]) / 255
            fine = np.median(np.abs(grey[:, 1:, 1:] - grey[:, 1:, :-1] - grey[:, :-1, 1:] + grey[:, :-1, :-1])) / 1.349
            share = np.percentile(grey, (5, 50, 95))
            print(f"{kind} {name}: grey 5/50/95 % {share.round(2)}, fine noise {fine:.4f}")
    Picture.fromarray(np.vstack(rows)).save(out / "phantom-flat-beside-real.jpg", quality=84, optimize=True)


if __name__ == "__main__":
    home, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    organ_table(home)
    ct_pictures(home, target)
    flat_pictures(home, target)
    gallery(target)

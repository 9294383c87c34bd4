"""Raidionics: a standard report of brain tumours in atlas space (report part).

Bouget et al., Sci Rep 2023 (doi 10.1038/s41598-023-42048-7) and Front Neurol 2022 (doi 10.3389/fneur.2022.932219).
From a brain MR and tumour masks: registration to MNI152, volume, diameters, foci, side, structures, compartments and
extent of resection, as findings, sentences and a form. Differences from the paper: registration is affine and
B-spline with mutual information (SimpleITK) in place of ANTs SyN; the distance between foci is the smallest one
between surfaces; no cortical or tract atlas ships, because those in use may not be passed on; a user's own is read.
Claims 1, 2 and 4 of the card are proved here. Claim 3 (the segmenters before and after surgery) belongs to the part
that trains them and is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from groundglass.core import Attribute, Finding, Image, Line, Location, Mask, Measurement, ontology
from groundglass.measurement import (
    MNI_1MM,
    Atlas,
    Grid,
    Region,
    Template,
    extent_of_resection,
    foci,
    in_template,
    laterality,
    mni152_template,
    overlaps,
    register_brain,
    resectability,
    volume_ml,
)
from groundglass.report import neuro_oncology as form
from groundglass.systems.proof import Claim, Proof

ENTRY = "groundglass read IMAGE --mask 'brain tumour=FILE'"
SEEDS = (0, 1, 2)
# RAS+ mm in the template: four tumours that lie in, near and across structures and the midline.
TUMOURS = (
    ((-30.0, -20.0, 20.0), 18.0),
    ((6.0, 40.0, 10.0), 15.0),
    ((45.0, -10.0, -15.0), 14.0),
    ((20.0, -60.0, 35.0), 20.0),
)


def prove(workdir: Path, data: Path | None) -> Proof:
    """Claims 1, 2 and 4; 2 on simulated patients (the template, warped) and on a real one in three contrasts."""
    claims = [*_closed_forms(), *_registration(), *_round_trip()]
    used = ["MNI152 (nilearn, simulated patients)"]
    if data is not None:
        claims += _contrasts(data)
        used.append("ms-lesions-mni")
    notes = ("Claim 3 of the card (segmentation) is not part of this proof.", "Tumours and warps are simulated.")
    return Proof(66, tuple(claims), SEEDS, tuple(used), notes)


def ball(centre: tuple[float, ...], radius: float, grid: Grid = MNI_1MM) -> Mask:
    """Voxels whose centre is within `radius` mm of `centre` (RAS+ mm)."""
    middle = np.linalg.solve(grid.affine, [*centre, 1.0])[:3]
    reach = radius / np.linalg.norm(grid.affine[:3, :3], axis=0) + 1
    low = np.clip(np.floor(middle - reach), 0, grid.shape).astype(int)
    high = np.clip(np.ceil(middle + reach) + 1, 0, grid.shape).astype(int)
    part = Grid(tuple((high - low).tolist()), grid.affine.copy())
    part.affine[:3, 3] += grid.affine[:3, :3] @ low
    inside = np.zeros(grid.shape, dtype=bool)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    inside[box] = np.linalg.norm(_world(part) - np.array(centre), axis=-1) <= radius
    return Mask.of(inside, grid.affine)


def _world(grid: Grid) -> NDArray[np.float64]:
    """(*shape, 3): RAS+ mm of every voxel centre."""
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return index @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def _closed_forms() -> list[Claim]:
    radius, offset = 20.0, 8.0
    sphere = ball((0.0, 0.0, 20.0), radius)
    exact = 4 / 3 * np.pi * radius**3 / 1000
    off = 100 * abs(volume_ml(sphere) / exact - 1)
    inner = ball((0.0, 0.0, 20.0), 10.0)
    resection = extent_of_resection(volume_ml(sphere), volume_ml(inner))
    wanted = 100 * (1 - (10.0 / radius) ** 3)
    extent = np.nan if resection.extent is None else resection.extent
    sides = laterality(ball((offset, 0.0, 20.0), radius))
    height = radius - offset
    cap = 100 * (height**2 * (3 * radius - height) / 3) / (4 / 3 * radius**3)
    index = resectability(sphere, np.full(MNI_1MM.shape, 0.37))
    missed = max(abs(index.index - 0.37), abs(index.residual_ml - 0.63 * volume_ml(sphere)))
    return [
        _simulated("volume of a sphere (% off)", off, "<= 1", off <= 1),
        _simulated(
            "extent of resection of two spheres (points off)", abs(extent - wanted), "<= 1", abs(extent - wanted) <= 1
        ),
        _simulated(
            "left share of a shifted sphere (points off)", abs(sides.left - cap), "<= 1", abs(sides.left - cap) <= 1
        ),
        _simulated("uniform resection map (largest error)", missed, "<= 1e-9", missed <= 1e-9),
        *(_gap(gap) for gap in (4.0, 6.0)),
    ]


def _gap(gap: float) -> Claim:
    """Two spheres whose surfaces are `gap` mm apart: multifocal from 5 mm on."""
    # Centres between voxels and whole radii put the voxels' faces exactly on the spheres' poles.
    one, other = ball((-20.5, 0, 20), 10.0), ball((gap - 0.5, 0, 20), 10.0)
    both = Mask.of(one.array | other.array, MNI_1MM.affine)
    found = foci(both)
    right = len(found.masks) == 2 and found.is_multifocal == (gap >= 5) and abs(found.gaps_mm[0] - gap) <= 0.5
    return _simulated(f"multifocal at a gap of {gap:g} mm (measured mm)", found.gaps_mm[0], "flag flips at 5 mm", right)


def _simulated(name: str, measured: float, required: str, passed: bool, **more: object) -> Claim:
    return Claim(name, float(measured), required, bool(passed), simulated=True, **more)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Patient:
    """The template seen through a known map: `image`, and `truth` from patient to template (RAS+ mm)."""

    image: Image
    grid: Grid
    truth: NDArray[np.float64]


def nilearn_template() -> Template:
    """The skull-stripped MNI152 of nilearn (1 mm, thinned to 2 mm); the one that ships where nilearn is absent."""
    try:
        from nilearn.datasets import load_mni152_template
    except ImportError:
        held = mni152_template()
        return Template(held.name, np.where(held.brain, held.t1, 0), held.brain, held.affine)
    image = load_mni152_template(resolution=2)
    # Its interpolation rings outside of the brain; a tenth of the brightest voxel is well below grey matter.
    ringing = np.asarray(image.dataobj, dtype=np.float32)
    t1 = np.where(ringing > 0.1 * ringing.max(), ringing, 0).astype(np.float32)
    return Template("MNI152 (nilearn)", t1, ndi.binary_fill_holes(t1 > 0), np.asarray(image.affine, dtype=np.float64))


def simulate_patient(template: Template, seed: int, *, tumours: bool = True) -> Patient:
    """The template through a random affine and a smooth warp of at most 8 mm, with other contrast, bias and noise."""
    rng = np.random.default_rng(seed)
    grid = Grid((100, 120, 96), np.diag([1.9, 1.7, 1.9, 1.0]) + _shift(-95, -118, -80))
    world = _world(grid)
    warp = np.stack([ndi.gaussian_filter(rng.standard_normal(grid.shape), 14) for _ in range(3)], axis=-1)
    warp *= 8.0 / np.linalg.norm(warp, axis=-1).max()
    angles = np.radians(rng.uniform(-10, 10, 3))
    turn = rotation(angles) @ np.diag(rng.uniform(0.92, 1.08, 3))
    truth = world @ turn.T + rng.uniform(-8, 8, 3) + warp
    pixels = _sample(template.t1, template.affine, truth, order=1)
    pixels = (pixels / pixels.max()) ** rng.uniform(0.7, 1.4)
    field = ndi.gaussian_filter(rng.standard_normal(grid.shape), 25)
    pixels *= np.exp(0.2 * field / np.abs(field).max())
    if tumours:
        for centre, radius in TUMOURS[:1]:
            pixels[np.linalg.norm(truth - np.array(centre), axis=-1) <= radius] = rng.uniform(0.2, 1.1)
    pixels = np.abs(pixels + rng.normal(0, 0.02, grid.shape)) * (pixels > 0)
    image = Image.of(pixels.astype(np.float32), grid.affine, name=f"simulated patient {seed}", modality="MR")
    return Patient(image, grid, truth)


def _shift(x: float, y: float, z: float) -> NDArray[np.float64]:
    moved = np.zeros((4, 4))
    moved[:3, 3] = x, y, z
    return moved


def rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotation about x, then y, then z (radians)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler("xyz", angles).as_matrix())


def _sample(
    array: NDArray[np.generic], affine: NDArray[np.float64], at: NDArray[np.float64], *, order: int
) -> NDArray[np.float64]:
    inverse = np.linalg.inv(affine)
    index = at @ inverse[:3, :3].T + inverse[:3, 3]
    return np.asarray(ndi.map_coordinates(np.asarray(array, dtype=np.float64), np.moveaxis(index, -1, 0), order=order))


def sectors(template: Template) -> Atlas:
    """Eight lobe-sized sectors of the brain about its centre: a stand-in for a lobe atlas, made for this check."""
    world = _world(MNI_1MM)
    brain = _sample(template.brain, template.affine, world, order=0) > 0.5
    octant = 1 + (world[..., 0] > 0) + 2 * (world[..., 1] > -20) + 4 * (world[..., 2] > 10)
    labels = np.where(brain, octant, 0).astype(np.uint8)
    return Atlas("sectors", labels, MNI_1MM.affine, tuple(Region(k, f"sector {k}") for k in range(1, 9)))


def _registration() -> list[Claim]:
    template = nilearn_template()
    atlas = sectors(template)
    # The affine step alone is the baseline; one patient shows it.
    rows = [_one_patient(template, atlas, seed, deformable=True) for seed in SEEDS]
    linear = _one_patient(template, atlas, SEEDS[0], deformable=False)
    worst = {name: max(row[name] for row in rows) for name in rows[0]}
    least = {name: min(row[name] for row in rows) for name in rows[0]}
    detail = {
        f"seed {seed} {name}": round(v, 3) for seed, row in zip(SEEDS, rows, strict=True) for name, v in row.items()
    }
    landmark, back, moved = worst["landmark"], worst["return"], max(worst["laterality"], worst["sector"])
    dice = least["brain Dice"]
    return [
        _simulated(
            "brain mask carried to MNI152 (Dice, worst)",
            dice,
            ">= 0.95",
            dice >= 0.95,
            baseline=linear["brain Dice"],
            detail=detail,
        ),
        _simulated("mean landmark error (mm, worst)", landmark, "<= 2", landmark <= 2, baseline=linear["landmark"]),
        _simulated("inverse of forward (mm, 99th percentile, worst)", back, "<= 1", back <= 1),
        _simulated("change of laterality and sector overlap (points, worst)", moved, "< 3", moved < 3),
    ]


def _one_patient(template: Template, atlas: Atlas, seed: int, *, deformable: bool) -> dict[str, float]:
    patient = simulate_patient(template, seed)
    inside = _sample(template.brain, template.affine, patient.truth, order=0) > 0.5
    drawn = [np.linalg.norm(patient.truth - np.array(c), axis=-1) <= r for c, r in TUMOURS]
    exclude = Mask.of(drawn[0], patient.grid.affine)
    found = register_brain(patient.image, template=template, exclude=exclude, deformable=deformable, seed=seed)
    points = np.argwhere(inside)[::101]
    world = _world(patient.grid)[tuple(points.T)]
    error = np.linalg.norm(found.to_template(world) - patient.truth[tuple(points.T)], axis=1)
    row = {
        "landmark": float(error.mean()),
        "landmark, 95th percentile": float(np.percentile(error, 95)),
        "brain Dice": _dice(in_template(Mask.of(inside, patient.grid.affine), found.to_patient), atlas),
    }
    row["return"] = found.quality.return_mm
    changes = [
        _changes(ball(c, r), Mask.of(m, patient.grid.affine), found, atlas)
        for (c, r), m in zip(TUMOURS, drawn, strict=True)
    ]
    row["laterality"] = max(change[0] for change in changes)
    row["sector"] = max(change[1] for change in changes)
    row["tumour Dice, mean"] = float(np.mean([change[2] for change in changes]))
    return row


def _dice(mask: Mask, atlas: Atlas) -> float:
    brain = atlas.labels > 0
    return float(2 * (mask.array & brain).sum() / (mask.voxel_count + brain.sum()))


def _changes(truth: Mask, drawn: Mask, found: object, atlas: Atlas) -> tuple[float, float, float]:
    """Points of laterality and of the largest sector share that the registration moves, and the tumour's Dice."""
    moved = in_template(drawn, found.to_patient)  # type: ignore[attr-defined]
    before = {o.region: o.share_of_tumour for o in overlaps(truth, atlas)}
    after = {o.region: o.share_of_tumour for o in overlaps(moved, atlas)}
    shared = 2 * float((truth.array & moved.array).sum()) / (truth.voxel_count + moved.voxel_count)
    return abs(laterality(truth).left - laterality(moved).left), max(abs(before[r] - after[r]) for r in before), shared


def _contrasts(data: Path) -> list[Claim]:
    """One real patient in T1, T2 and FLAIR on one grid: three registrations, one place."""
    from groundglass.io import read_image

    maps = []
    for name in ("T1", "T2", "FLAIR"):
        image = read_image(data / "ms-lesions-mni/patient07" / f"{name}.nii.gz")
        maps.append(register_brain(image).to_template)
    world = image.affine[:3, 3] + np.argwhere(image.array[0] > 100)[::5003] @ image.affine[:3, :3].T
    points = np.stack([mapped(world) for mapped in maps])
    spread = np.linalg.norm(points[:, None] - points[None], axis=-1).max(axis=(0, 1))
    median = float(np.median(spread))
    name = "T1, T2 and FLAIR of one patient: largest difference of place (median mm)"
    detail = {"90th percentile": round(float(np.percentile(spread, 90)), 2), "points": len(spread)}
    return [Claim(name, median, "<= 2", median <= 2, detail=detail)]


def _round_trip() -> list[Claim]:
    """Forms of random tumours: CSV and text read back must equal the JSON, and a changed number must show."""
    rng = np.random.default_rng(SEEDS[0])
    forms = [form.brain_tumour_form(_random_findings(rng)) for _ in range(200)]
    same = sum(
        form.from_csv(form.to_csv(f)) == form.from_text(form.to_text(f)) == form.from_json(form.to_json(f)) == f
        for f in forms
    )
    seen = sum(
        form.from_text(form.to_text(f).replace("left", "right")) != f for f in forms if "left" in form.to_text(f)
    )
    could = sum("left" in form.to_text(f) for f in forms)
    return [
        _simulated("forms whose CSV and text read back equal the JSON (of 200)", same, "= 200", same == 200),
        _simulated("forms with sides exchanged that read back differently (share)", seen / could, "= 1", seen == could),
    ]


def _random_findings(rng: np.random.Generator) -> tuple[Finding, ...]:
    def made(name: str, unit: str) -> Measurement:
        return Measurement(ontology()[name], float(rng.lognormal(2, 2)), unit, (Line(((0.0, 0.0, 0.0),)),))

    side = str(rng.choice(["left", "right"]))
    where = Location(anatomy=ontology()["brain"], side=side)  # type: ignore[arg-type]
    numbers = (
        ("volume", "mL"),
        ("long axis", "mm"),
        ("bidimensional product", "mm2"),
        ("share on the left", "%"),
        ("number of foci", "{count}"),
    )
    tumour = Finding("t", ontology()["brain tumour"], where=where, measurements=tuple(made(*n) for n in numbers),
                     attributes=(Attribute("focality", "unifocal"),))  # fmt: skip
    shares = ("share of tumour in structure", "share of structure in tumour")
    inside = Finding(
        "s",
        ontology()["tumour in structure"],
        attributes=(Attribute("structure", f"{side} putamen"),),
        measurements=tuple(made(name, "%") for name in shares),
    )
    return tumour, inside

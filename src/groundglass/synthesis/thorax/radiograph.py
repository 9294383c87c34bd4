"""A radiograph of a random thorax with exact masks, landmarks and planted findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundglass.synthesis.thorax import bones
from groundglass.synthesis.thorax.anatomy import SIDES, Thorax, random_thorax
from groundglass.synthesis.thorax.drawing import draw_tube, enlarge, fill_plate
from groundglass.synthesis.thorax.opacities import PlantedFinding, add_opacities, random_findings
from groundglass.synthesis.thorax.rays import Beam
from groundglass.synthesis.thorax.solids import Effusion, Paths, Pneumothorax, trace
from groundglass.synthesis.thorax.truth import landmarks
from groundglass.synthesis.thorax.vessels import vessel_map

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]

# Attenuation per mm at the mean energy of a chest exposure (about 60 keV effective): water, and aerated lung's share.
WATER = 0.0205
LUNG_SHARE = 0.26
# Bone's excess over water per mm, with what a display's edge enhancement adds to its contrast.
CONTRAST = 0.06
THIN_MM = 7.0


@dataclass(frozen=True)
class PhantomRadiograph:
    """`image` (H, W) in [0, 1], bone bright, as displayed (patient's right on the left side);
    `masks` name -> (H, W) bool; a structure outside the field is left out. `truth`: ratios, degrees and pixel
    positions (row, column) known from the three-dimensional shapes. `pixel_mm` at the detector; `absorption` the line
    integrals of attenuation; `added` what each finding adds to them, in mm of water, by the name of its mask."""

    image: Float
    masks: dict[str, Bool]
    truth: dict[str, Any]
    findings: tuple[PlantedFinding, ...]
    view: str
    pixel_mm: float
    absorption: Float = field(repr=False)
    added: dict[str, Float] = field(repr=False, default_factory=dict)


def random_radiograph(
    rng: np.random.Generator,
    *,
    size: int = 256,
    findings: Sequence[PlantedFinding] | None = None,
    view: str | None = None,
    field_width: float | None = None,
) -> PhantomRadiograph:
    """One phantom. `findings` plants exactly these (an empty sequence: a normal chest); None draws some.

    `view` is "PA", "AP" or "LATERAL" (None: PA or AP); `field_width` the detector's side in mm. The cardiothoracic
    ratio is
    0.38-0.47 without and 0.56-0.68 with the finding "cardiomegaly"; with `findings=None` it is drawn freely.
    """
    planted = random_findings(rng) if findings is None else tuple(findings)
    if findings is None:
        ratio = None
    else:
        enlarged = any(f.name == "cardiomegaly" for f in planted)
        ratio = rng.uniform(0.56, 0.68) if enlarged else rng.uniform(0.38, 0.47)
    thorax = random_thorax(rng, ratio=ratio)
    view = view or str(rng.choice(["PA", "AP"]))
    return expose(thorax, random_beam(thorax, rng, view=view, size=size, field_width=field_width), rng, planted)


def random_beam(
    thorax: Thorax, rng: np.random.Generator, *, view: str, size: int, field_width: float | None = None
) -> Beam:
    """Geometry of one exposure: PA at 1.8 m, AP at 1-1.8 m, field from the lungs alone to arms and abdomen."""
    width = field_width or float(max(2 * thorax.width * rng.uniform(1.12, 1.62), thorax.height * rng.uniform(1.1, 1.5)))
    return Beam(
        view=view,
        size=size,
        pixel=width / size,
        centre_x=rng.normal(0, 10),
        centre_z=thorax.height * rng.uniform(0.36, 0.58),
        distance=rng.uniform(1750, 1850) if view != "AP" else rng.uniform(1000, 1800),
        detector_y=(thorax.width if view == "LATERAL" else thorax.depth) + thorax.wall + rng.uniform(15, 60),
        yaw=thorax.yaw,
        pitch=thorax.pitch,
        source_x=rng.normal(0, 10),
        source_z=thorax.height * 0.5 + rng.normal(0, 30),
    )


def expose(
    thorax: Thorax, beam: Beam, rng: np.random.Generator, findings: tuple[PlantedFinding, ...] = ()
) -> PhantomRadiograph:
    """Project all parts, sum their attenuation, add scatter and map to a picture."""
    step = 2
    effusions = tuple(Effusion(SIDES[f.side], f.extent) for f in findings if f.name == "effusion" and f.side)
    leaks = tuple(
        Pneumothorax(SIDES[f.side], f.extent * thorax.height) for f in findings if f.name == "pneumothorax" and f.side
    )
    planes = min(max(28, beam.size // 6), 48)
    paths = _enlarged(trace(thorax, beam, step=step, planes=planes, effusions=effusions, pneumothoraces=leaks), step)
    masks: dict[str, Bool] = {}
    tissue = _soft_tissue(paths, thorax, beam, rng)
    bone = np.zeros_like(tissue)
    for tube in [*bones.aorta(thorax), *bones.airways(thorax)]:
        drawn = np.zeros_like(tissue)
        draw_tube(beam, tube, drawn, masks.setdefault(tube.name, np.zeros(tissue.shape, dtype=bool)))
        tissue += drawn * (
            np.where(paths.lung["left"] + paths.lung["right"] > 0, 0.7, 0.12) if tube.density > 0 else 1.0
        )
    for tube in [*bones.ribs(thorax, rng), *bones.clavicles(thorax, rng)]:
        draw_tube(beam, tube, bone, masks.setdefault(tube.name, np.zeros(tissue.shape, dtype=bool)))
    for name, (plate, tubes) in bones.scapulae(thorax, rng).items():
        inside = fill_plate(beam, plate)
        bone += 2.2 * inside
        masks[f"{name} scapula"] = inside
        for tube in tubes:
            arm = tube.name.endswith("arm")
            if beam.view == "LATERAL" and tube.name.endswith(("arm", "humerus")):
                continue  # the arms are raised for a lateral
            draw_tube(
                beam, tube, tissue if arm else bone, masks.setdefault(tube.name, np.zeros(tissue.shape, dtype=bool))
            )
    _spine(thorax, beam, rng, bone, masks)
    _region_masks(thorax, beam, paths, masks)
    added = add_opacities(tissue, masks, paths, findings, rng)
    absorption = (WATER * np.maximum(tissue, 0) + CONTRAST * rng.uniform(0.5, 1.6) * bone).astype(np.float32)
    image = develop(absorption, rng)
    truth = landmarks(thorax, beam, masks)
    kept = {name: mask for name, mask in masks.items() if mask.any() and not name.endswith((" arm", " humerus"))}
    return PhantomRadiograph(image, kept, truth, findings, beam.view, beam.pixel, absorption, added)


def develop(absorption: Float, rng: np.random.Generator) -> Float:
    """Picture in [0, 1] from line integrals: scatter veil, logarithm, percentile window, film-like tone curve."""
    from scipy.ndimage import gaussian_filter

    primary = np.exp(-absorption)
    scatter = rng.uniform(0.05, 0.5) * gaussian_filter(primary, absorption.shape[0] / 16)
    value = -np.log(primary + scatter + 0.002)
    # Edge enhancement as every digital system applies it.
    value += rng.uniform(0.0, 1.2) * (value - gaussian_filter(value, absorption.shape[0] * rng.uniform(0.01, 0.05)))
    low, high = np.percentile(value, [1.0, 99.5])
    value = np.clip((value - low) / max(high - low, 1e-3), 0, 1)
    return (value ** rng.uniform(0.75, 1.5)).astype(np.float32)


def _enlarged(paths: Paths, step: int) -> Paths:
    grown = {}
    for name in Paths.__dataclass_fields__:
        value = getattr(paths, name)
        grown[name] = (
            {k: enlarge(v, step) for k, v in value.items()} if isinstance(value, dict) else enlarge(value, step)
        )
    return Paths(**grown)


def _soft_tissue(paths: Paths, thorax: Thorax, beam: Beam, rng: np.random.Generator) -> Float:
    """Water-equivalent path in mm."""
    air = paths.lung["left"] + paths.lung["right"]
    tissue = (
        paths.body
        - (1 - LUNG_SHARE * rng.uniform(0.7, 1.4)) * air
        - paths.gas * 0.95
        + rng.uniform(0.25, 0.6) * paths.breast
    )
    # Air in the pleural space has no lung's density and no vessels.
    tissue = tissue - LUNG_SHARE * paths.pneumothorax
    present = np.clip(air / 40, 0, 1) * np.clip(1 - 1.6 * paths.pneumothorax / np.maximum(air, 1), 0, 1)
    return (tissue + vessel_map(thorax, beam, rng) * present * rng.uniform(0.8, 2.4)).astype(np.float32)


def _spine(thorax: Thorax, beam: Beam, rng: np.random.Generator, bone: Float, masks: dict[str, Bool]) -> None:
    """Vertebral bodies with end plates and discs, pedicles and spinous processes."""
    centres = bones.spine(thorax)
    half = thorax.vertebra_half_width
    column = bones.smooth(centres, 48)
    mask = masks.setdefault("spine", np.zeros(bone.shape, dtype=bool))
    draw_tube(beam, bones.Tube("spine", column, np.full(48, half), rng.uniform(0.0, 0.15)), bone, mask)
    tall = 0.42 * thorax.rib_spacing
    nothing = np.zeros_like(mask)
    for centre in centres:
        for offset in (-tall, tall):
            ends = centre + np.array([[-half + 3, 0, offset], [half - 3, 0, offset]])
            draw_tube(beam, bones.Tube("end plate", ends, np.full(2, 1.4), 1.3), bone, nothing)
        for side in (-1, 1):
            ends = centre + np.array([[side * 0.6 * half, -15, 2.0], [side * 0.6 * half, -15, 7.0]])
            draw_tube(beam, bones.Tube("pedicle", ends, np.full(2, 3.0), 1.0, 0.6), bone, nothing)
        ends = centre + np.array([[0, -40, -6.0], [0, -40, -16.0]])
        draw_tube(beam, bones.Tube("spinous process", ends, np.full(2, 2.6), 1.0, 0.5), bone, nothing)


def _region_masks(thorax: Thorax, beam: Beam, paths: Paths, masks: dict[str, Bool]) -> None:
    """Lungs, heart, mediastinum, diaphragm, and the unions that the field names."""
    from scipy.ndimage import binary_opening

    _, v = beam.detector()
    rows_z = v[:, None] * np.ones((1, beam.size), dtype=np.float32)
    for name in SIDES:
        above = paths.below[name] < THIN_MM
        field = (paths.outline[name] > THIN_MM) & above
        masks[f"{name} lung"] = binary_opening(field, np.ones((1, max(3, round(9 / beam.pixel)))))
        masks[f"{name} hemidiaphragm"] = ~above & (rows_z > -0.1 * thorax.height)
    masks["heart"] = paths.heart > THIN_MM
    masks["aorta"] = masks["ascending aorta"] | masks["aortic arch"] | masks["descending aorta"]
    top, scale = beam.project(np.array([[0.2 * (thorax.knob_x - thorax.pedicle_right), 0, thorax.arch_top]]))
    rows, columns = np.arange(beam.size)[:, None], np.arange(beam.size)[None, :]
    # The top is rounded as readers draw it: an arc over the arch and the superior vena cava.
    half = 0.5 * (thorax.knob_x + thorax.pedicle_right) * float(scale[0]) / beam.pixel
    fall = (rows - top[0, 0]) / half
    arc = np.where(fall >= 1, 1.0, np.sqrt(np.clip(1 - (1 - np.clip(fall, 0, 1)) ** 2, 0, 1)))
    upper = (paths.vessels > THIN_MM) & (fall >= 0) & (np.abs(columns - top[0, 1]) <= half * arc + (fall >= 1) * half)
    masks["mediastinum"] = masks["heart"] | upper | masks["ascending aorta"] | masks["aortic arch"]
    bronchi = masks["right main bronchus"] | masks["left main bronchus"]
    masks["airways"] = masks["trachea"] | bronchi
    carina, scale = beam.project(np.array([thorax.carina]))
    reach = 12 * float(scale[0]) / beam.pixel
    near = (rows > carina[0, 0] - reach) & (rows < carina[0, 0] + 3 * reach)
    masks["carina"] = masks["airways"] & near

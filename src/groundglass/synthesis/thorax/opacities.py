"""What can be planted in a phantom's chest, and the disease-like nuisances that veil a lung without changing its
mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundglass.core import ConfigurationError
from groundglass.synthesis.thorax.solids import Paths

Float = NDArray[np.float32]
Bool = NDArray[np.bool_]
ZONES = ("upper", "middle", "lower")
NAMES = ("cardiomegaly", "effusion", "consolidation", "nodule", "pneumothorax")


@dataclass(frozen=True)
class PlantedFinding:
    """`name` is cardiomegaly, effusion or pneumothorax (with side), consolidation or nodule (with side and zone).

    `extent` is the share of the lung's height: of the fluid's level at the wall, of the diameter of a consolidation or
    nodule, of the thickness of the air at the apex.
    """

    name: str
    side: str | None = None
    zone: str | None = None
    extent: float = 0.28

    def __post_init__(self) -> None:
        sided = self.name != "cardiomegaly"
        if self.name not in NAMES or (sided and self.side not in ("left", "right")):
            raise ConfigurationError(
                self.name, "is not a finding that can be planted so", f"Use {', '.join(NAMES)} with a side."
            )
        if self.name in ("consolidation", "nodule") and self.zone not in ZONES:
            raise ConfigurationError(str(self.zone), "is not a lung zone", f"Use one of {', '.join(ZONES)}.")


def random_findings(rng: np.random.Generator) -> tuple[PlantedFinding, ...]:
    """Often nothing; else effusions and consolidations of any size."""
    found = []
    for side in ("left", "right"):
        if rng.random() < 0.2:
            found.append(PlantedFinding("effusion", side, extent=rng.uniform(0.05, 0.4)))
        for _ in range(rng.integers(0, 3) if rng.random() < 0.35 else 0):
            found.append(PlantedFinding("consolidation", side, str(rng.choice(ZONES)), rng.uniform(0.1, 0.5)))
    return tuple(found)


def add_opacities(
    tissue: Float, masks: dict[str, Bool], paths: Paths, findings: tuple[PlantedFinding, ...], rng: np.random.Generator
) -> dict[str, Float]:
    """Fill lung with tissue where a consolidation or nodule lies, in place, and add the masks of all findings.

    The water-equivalent depth in mm that each finding adds (takes away: pneumothorax), by the name of its mask.
    """
    added: dict[str, Float] = {}
    for finding in findings:
        name = f"{finding.side} {finding.name}"
        if finding.name == "effusion":
            fluid = paths.effusion > 8
            masks[name] = fluid & (masks[f"{finding.side} lung"] | masks[f"{finding.side} hemidiaphragm"])
            added[name] = paths.effusion * np.float32(0.74)
        elif finding.name == "pneumothorax":
            masks[name] = (paths.pneumothorax > 8) & masks[f"{finding.side} lung"]
            added[name] = -0.26 * paths.pneumothorax
        elif finding.name == "nodule":
            _add_nodule(tissue, masks, added, finding, rng)
        if finding.name != "consolidation":
            continue
        lung, air = masks[f"{finding.side} lung"], paths.lung[str(finding.side)]
        blob = consolidation_shape(lung, str(finding.zone), finding.extent, rng)
        if blob is None:
            continue
        depth = blob * air * np.float32(rng.uniform(0.2, 0.5))
        tissue += depth
        added[name] = added.get(name, 0) + depth
        masks[f"{finding.side} consolidation"] = masks.get(f"{finding.side} consolidation", False) | (
            (blob > 0.4) & lung
        )
    return added


def _add_nodule(
    tissue: Float, masks: dict[str, Bool], added: dict[str, Float], finding: PlantedFinding, rng: np.random.Generator
) -> None:
    """A ball of tissue in lung: its chords over a disc, in pixels of the lung's projected height."""
    lung = masks[f"{finding.side} lung"]
    rows = np.flatnonzero(lung.any(axis=1))
    if rows.size < 6:
        return
    height = rows[-1] - rows[0]
    radius = max(finding.extent * height / 2, 1.0)
    third = ZONES.index(str(finding.zone))
    row = rows[0] + height * (third + rng.uniform(0.2, 0.8)) / 3
    columns = np.flatnonzero(lung[int(row)] & ~masks["heart"][int(row)])
    if columns.size == 0:
        return
    column = columns[int(rng.uniform(0.25, 0.8) * (columns.size - 1))]
    r, c = np.mgrid[: lung.shape[0], : lung.shape[1]]
    inside = np.clip(radius**2 - (r - row) ** 2 - (c - column) ** 2, 0, None)
    # A pixel is about 1 mm deep where the lung's height of some 250 mm spans `height` pixels.
    depth = (2 * np.sqrt(inside) * 250 / height * 0.74).astype(np.float32)
    tissue += depth
    name = f"{finding.side} nodule"
    masks[name] = masks.get(name, False) | (inside > 0)
    added[name] = added.get(name, 0) + depth


def consolidation_shape(lung: Bool, zone: str, extent: float, rng: np.random.Generator) -> Float | None:
    """A soft, patchy ellipse inside one third of the lung's height; None where that third is outside the field."""
    from scipy.ndimage import gaussian_filter

    rows = np.flatnonzero(lung.any(axis=1))
    if rows.size < 6:
        return None
    third = ZONES.index(zone)
    low, high = (rows[0] + (rows[-1] - rows[0]) * (third + share) / 3 for share in (0.25, 0.75))
    row = rng.uniform(low, high)
    columns = np.flatnonzero(lung[int(row)])
    if columns.size == 0:
        return None
    column = rng.uniform(columns[0] + 0.2 * np.ptp(columns), columns[-1] - 0.2 * np.ptp(columns))
    size = extent * (rows[-1] - rows[0]) / 2
    r, c = np.mgrid[: lung.shape[0], : lung.shape[1]]
    ratio, turn = rng.uniform(0.7, 1.4), rng.uniform(0, np.pi)
    a = (np.cos(turn) * (r - row) + np.sin(turn) * (c - column)) / size
    b = (-np.sin(turn) * (r - row) + np.cos(turn) * (c - column)) / size * ratio
    patchy = gaussian_filter(rng.standard_normal(lung.shape), max(size / 5, 0.8))
    patchy *= 0.35 / max(float(patchy.std()), 1e-6)
    return np.clip((1.15 - np.sqrt(a**2 + b**2) + 0.6 * patchy) * 1.3, 0, 1).astype(np.float32)

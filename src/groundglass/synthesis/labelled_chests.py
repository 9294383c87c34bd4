"""A set of phantom chest radiographs with planted findings: what classifiers and reporters are trained on in proofs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundglass.core import Box
from groundglass.io.atomic import atomic_path
from groundglass.synthesis.thorax import PhantomRadiograph, PlantedFinding, random_radiograph

SIDES = ("left", "right")
ZONES = ("upper", "middle", "lower")
Draw = Callable[[np.random.Generator], Sequence[PlantedFinding]]


@dataclass(frozen=True)
class LabelledChests:
    """`films` (N, H, W) float32 in 0..1, the box of both lungs' masks (None: outside the field), what was planted."""

    films: NDArray[np.float32]
    lungs: tuple[Box | None, ...]
    findings: tuple[tuple[PlantedFinding, ...], ...]

    def __len__(self) -> int:
        return len(self.films)

    def part(self, first: int, last: int) -> LabelledChests:
        """Films first..last-1."""
        return LabelledChests(self.films[first:last], self.lungs[first:last], self.findings[first:last])


def labelled_chests(
    count: int, seed: int, *, draw: Draw | None = None, size: int = 128, cache: Path | None = None
) -> LabelledChests:
    """`count` radiographs; film n depends on (seed, n) only. `cache` (.npz) is read if it is there, else written.

    `draw` says what is planted (default: `draw_findings`).
    """
    if cache is not None and cache.exists():
        return _read(cache)
    phantoms = [_phantom(np.random.default_rng((seed, n)), draw or draw_findings, size) for n in range(count)]
    chests = LabelledChests(
        np.stack([film for film, _, _ in phantoms]),
        tuple(box for _, box, _ in phantoms),
        tuple(planted for _, _, planted in phantoms),
    )
    if cache is not None:
        _write(chests, cache)
    return chests


def draw_findings(
    rng: np.random.Generator, *, small: tuple[float, float] = (0.10, 0.16), large: tuple[float, float] = (0.16, 0.35)
) -> tuple[PlantedFinding, ...]:
    """Independent draws: an enlarged heart (35 %), an effusion (35 %), one consolidation in any zone (45 %).

    Half of the consolidations are `small`, half `large` (diameter as a share of the lung's height).
    """
    found = []
    if rng.random() < 0.35:
        found.append(PlantedFinding("cardiomegaly"))
    if rng.random() < 0.35:
        found.append(PlantedFinding("effusion", SIDES[rng.integers(2)], None, rng.uniform(0.12, 0.4)))
    if rng.random() < 0.45:
        extent = rng.uniform(*(small if rng.random() < 0.5 else large))
        found.append(PlantedFinding("consolidation", SIDES[rng.integers(2)], ZONES[rng.integers(3)], extent))
    return tuple(found)


def _phantom(
    rng: np.random.Generator, draw: Draw, size: int
) -> tuple[NDArray[np.float32], Box | None, tuple[PlantedFinding, ...]]:
    phantom = random_radiograph(rng, size=size, findings=draw(rng))
    return (
        phantom.image.astype(np.float32),
        _lungs(phantom),
        tuple(f for f in phantom.findings if _is_in_field(f, phantom)),
    )


def _lungs(phantom: PhantomRadiograph) -> Box | None:
    masks = [phantom.masks[name] for name in ("left lung", "right lung") if name in phantom.masks]
    together = np.any(np.stack(masks), axis=0) if masks else np.zeros((1, 1), dtype=bool)
    if not together.any():
        return None
    rows, columns = np.flatnonzero(together.any(1)), np.flatnonzero(together.any(0))
    return Box((int(rows[0]), int(columns[0])), (int(rows[-1]) + 1, int(columns[-1]) + 1))


def _is_in_field(finding: PlantedFinding, phantom: PhantomRadiograph) -> bool:
    mask = phantom.masks.get(f"{finding.side} {finding.name}")
    return finding.name == "cardiomegaly" or (mask is not None and bool(mask.any()))


def _write(chests: LabelledChests, cache: Path) -> None:
    boxes = [(*b.start, *b.stop) if b else (0, 0, 0, 0) for b in chests.lungs]
    rows = [(n, f.name, f.side or "", f.zone or "", f.extent) for n, fs in enumerate(chests.findings) for f in fs]
    table = np.array(rows, dtype=[("film", int), ("name", "U16"), ("side", "U8"), ("zone", "U8"), ("extent", float)])
    with atomic_path(cache) as path, path.open("wb") as file:
        np.savez(file, films=chests.films, boxes=np.array(boxes), findings=table)


def _read(cache: Path) -> LabelledChests:
    with np.load(cache) as held:
        films, boxes, table = held["films"], held["boxes"], held["findings"]
    findings: list[list[PlantedFinding]] = [[] for _ in films]
    for row in table:
        side, zone = str(row["side"]) or None, str(row["zone"]) or None
        findings[int(row["film"])].append(PlantedFinding(str(row["name"]), side, zone, float(row["extent"])))
    lungs = tuple(Box((int(b[0]), int(b[1])), (int(b[2]), int(b[3]))) if b.any() else None for b in boxes)
    return LabelledChests(films, lungs, tuple(tuple(f) for f in findings))

"""Training pictures of the view classifier: real frontals, simulated laterals, and pictures of other things."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundglass.classification.radiograph_picture import square
from groundglass.classification.turns import TURNS, Turn
from groundglass.learn import NumberedBatches

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Example:
    """An upright picture (S, S) uint8; `kind` 0 frontal, 1 lateral, 2 something else; `ap` None where unknown."""

    picture: Bytes
    kind: int
    ap: bool | None = None
    real: bool = True


def frontal_examples(data: Path, split: str, size: int) -> list[Example]:
    """cxr-nih14's split; the images that lie turned are set upright by the direction found here."""
    found = []
    with (data / "cxr-nih14" / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["split"] == split:
                picture = _load(data / "cxr-nih14" / "images" / row["image"], size)
                if row["orientation"] != "upright":
                    picture = Turn(TURNED_QUARTERS).undo(picture)
                found.append(Example(picture, 0, row["view"] == "AP"))
    return found


# The set's "rotated_90" images have the head to the left: an upright picture turned counter-clockwise by 90 degrees.
TURNED_QUARTERS = 1


def other_examples(data: Path, split: str, size: int) -> list[Example]:
    """Openly licensed pictures that are no chest radiograph: microscopy, dermoscopy, head and abdomen, MR slices."""
    paths: list[Path] = []
    for name, share in (("nuclei-dsb2018", 80), ("blood-cells-cbc", 60)):
        with (data / name / "splits.csv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["split"] == split]
        paths += [data / name / "images" / row["image"] for row in rows[:share]]
    with (data / "isic2017-thumbnails" / "labels.csv").open(encoding="utf-8") as file:
        paths += [
            data / "isic2017-thumbnails" / "images" / r["image"] for r in csv.DictReader(file) if r["split"] == split
        ][:100]
    with (data / "vqa-rad" / "qa.jsonl").open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    paths += sorted(
        {
            data / "vqa-rad" / "images" / r["image"]
            for r in rows
            if r["split"] == split and r["organ"] in ("HEAD", "ABD")
        }
    )
    return [Example(_load(path, size), 2) for path in paths if path.exists()]


def simulated_laterals(count: int, size: int, seed: int) -> list[Example]:
    """Lateral projections of random phantoms: the data at hand hold no real lateral."""
    from groundglass.synthesis import random_radiograph

    rngs = [np.random.default_rng([seed, 7, i]) for i in range(count)]
    pictures = [random_radiograph(rng, size=2 * (size // 2), view="LATERAL").image for rng in rngs]
    return [Example((p * 255).astype(np.uint8), 1, real=False) for p in pictures]


def _load(path: Path, size: int) -> Bytes:
    from PIL import Image as Canvas

    with Canvas.open(path) as file:
        array = np.asarray(file.convert("L"), dtype=np.float32)
    return (square(array, size).picture * 255).astype(np.uint8)


@dataclass
class ViewBatches(NumberedBatches[dict[str, torch.Tensor]]):
    """Endless batches {"image" (B, 1, S, S), "kind" (B,), "ap", "mirrored", "inverted" (B,), "quarters" (B,),
    "frontal" (B,)}."""

    groups: tuple[list[Example], ...]
    shares: tuple[float, ...]
    size: int = 32
    turned: float = 0.6
    seed: int = 0

    def batch(self, number: int) -> dict[str, torch.Tensor]:
        rng = self.generator(number)
        rows = [self._draw(rng) for _ in range(self.size)]
        pictures = np.stack([row.pop("picture") for row in rows])
        columns = {key: torch.tensor([row[key] for row in rows], dtype=torch.float32) for key in rows[0]}
        return {"image": torch.from_numpy((pictures - 0.5) / 0.25)[:, None], **columns}

    def _draw(self, rng: np.random.Generator) -> dict[str, Any]:
        group = self.groups[int(rng.choice(len(self.groups), p=self.shares))]
        example = group[int(rng.integers(len(group)))]
        turn = TURNS[int(rng.integers(len(TURNS)))] if rng.random() < self.turned else Turn()
        inverted = bool(rng.random() < 0.25)
        picture = altered(example.picture.astype(np.float32) / 255, rng, gentle=example.real)
        return {
            "picture": turn.apply(1 - picture if inverted else picture).astype(np.float32),
            "kind": example.kind,
            "ap": float(bool(example.ap)),
            "view_known": float(example.ap is not None),
            "quarters": turn.quarters,
            "mirrored": float(turn.mirrored),
            "inverted": float(inverted),
            "placed": float(example.kind != 2),
            "sided": float(example.kind == 0),
        }


def altered(picture: NDArray[np.float32], rng: np.random.Generator, *, gentle: bool) -> NDArray[np.float32]:
    """A random look and a small random crop, turn and stretch. `gentle` spares what tells AP from PA (letters,
    margins)."""
    from PIL import Image as Canvas

    from groundglass.synthesis import radiograph_appearance as looks

    size = picture.shape[0]
    angle, scale = np.radians(rng.normal(0, 4)), rng.uniform(0.8, 1.12, 2)
    c, s = np.cos(angle), np.sin(angle)
    a, b, d, e = c * scale[0], s * scale[0], -s * scale[1], c * scale[1]
    shift = rng.normal(0, 0.03 * size, 2) + size / 2
    matrix = (a, b, shift[0] - (a + b) * size / 2, d, e, shift[1] - (d + e) * size / 2)
    moved = np.asarray(
        Canvas.fromarray(picture).transform((size, size), Canvas.Transform.AFFINE, matrix, Canvas.Resampling.BILINEAR)
    )
    if not gentle or rng.random() < 0.3:
        return looks.disturb(moved, rng)
    seen = looks.tone(moved, rng) if rng.random() < 0.7 else moved
    noisy = seen + rng.normal(0, rng.uniform(0, 0.03), seen.shape).astype(np.float32)
    return looks.stretch(noisy, low=rng.uniform(0, 2), high=rng.uniform(98, 100))

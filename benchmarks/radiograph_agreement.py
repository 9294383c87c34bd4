"""Agreement of the radiograph model with the human masks of cxr-covid-open, and of the view model with cxr-nih14's
labels.

    python benchmarks/radiograph_agreement.py DATA [--model NAME_OR_FOLDER]... [--views]

The human masks are for testing only: nothing is tuned on this script's output, and each run is counted in the card.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image as Picture

from groundglass.core import Image
from groundglass.metrics.statistics import wilson


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * (a & b).sum() / max(a.sum() + b.sum(), 1))


def width(mask: np.ndarray) -> int:
    columns = np.flatnonzero(mask.any(axis=0))
    return int(columns[-1] - columns[0] + 1) if columns.size else 0


def mask_file(path: Path) -> np.ndarray | None:
    if not path.exists():
        return None
    with Picture.open(path) as file:
        return np.asarray(file.convert("L")) > 127


def mean(values: list[float]) -> dict[str, float]:
    """Mean with a percentile bootstrap interval over cases."""
    if not values:
        return {"n": 0}
    array, rng = np.asarray(values), np.random.default_rng(0)
    means = rng.choice(array, (2000, array.size)).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "n": array.size,
        "mean": round(float(array.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "worst": round(float(array.min()), 4),
    }


def human_agreement(data: Path, model: str) -> dict[str, object]:
    from groundglass.classification import grey
    from groundglass.segmentation import radiograph

    radiograph.MODEL = model
    root = data / "cxr-covid-open"
    scores: dict[str, list[float]] = {}
    with (root / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        stem = row["image"].rsplit(".", 1)[0]
        with Picture.open(root / "images" / row["image"]) as file:
            array = grey(Image.of(np.asarray(file.convert("L"))))
        maps, masks = radiograph.outlines(array)
        found = {name: masks.get(name, np.zeros(array.shape, dtype=bool)) for name in maps}
        lungs = found["left lung"] | found["right lung"]
        human = {
            name: mask_file(root / "structure_masks" / f"{stem}__{name}.png")
            for name in ("left_lung", "right_lung", "cardiomediastinum", "airways")
        }
        whole = mask_file(root / "lung_masks" / row["lung_mask"]) if row["lung_mask"] else None
        add = lambda key, value: scores.setdefault(key, []).append(value)  # noqa: E731
        if whole is not None:
            add("lungs, set of 49", dice(lungs, whole))
        if human["left_lung"] is not None and human["right_lung"] is not None:
            drawn = human["left_lung"] | human["right_lung"]
            add("lungs, radiologists", dice(lungs, drawn))
            add("left lung", dice(found["left lung"], human["left_lung"]))
            add("right lung", dice(found["right lung"], human["right_lung"]))
            heart = human["cardiomediastinum"]
            if heart is not None:
                add("cardiomediastinum by mediastinum", dice(found["mediastinum"], heart))
                add("cardiomediastinum by heart", dice(found["heart"], heart))
                ratio, own = width(heart) / width(drawn), width(found["heart"]) / max(width(lungs), 1)
                add("cardiothoracic ratio, absolute error", abs(own - ratio))
                add("cardiothoracic ratio, difference", own - ratio)
        if human["airways"] is not None and "airways" in found:
            add("airways", dice(found["airways"], human["airways"]))
    return {name: mean(values) for name, values in scores.items()}


def view_agreement(data: Path, split: str) -> dict[str, object]:
    """As the images lie (with their 90-degree cases), and each in one random turn, mirror and polarity."""
    from groundglass.classification import Turn, recognise_radiograph
    from groundglass.classification.radiograph_view_data import TURNED_QUARTERS

    with (data / "cxr-nih14" / "labels.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    right: dict[str, list[bool]] = {}
    for number, row in enumerate(rows):
        with Picture.open(data / "cxr-nih14" / "images" / row["image"]) as file:
            array = np.asarray(file.convert("L"))
        lies = Turn(0 if row["orientation"] == "upright" else TURNED_QUARTERS)
        rng = np.random.default_rng([number, 5])
        turn, inverted = Turn(int(rng.integers(4)), bool(rng.integers(2))), bool(rng.integers(2))
        upright = lies.undo(array)
        for case, shown, state in (
            ("as they lie", array, (lies.quarters, False, False)),
            (
                "in a random state",
                turn.apply(255 - upright if inverted else upright),
                (turn.quarters, turn.mirrored, inverted),
            ),
        ):
            seen = recognise_radiograph(Image.of(np.ascontiguousarray(shown)))
            answers = {
                "frontal chest radiograph": seen.kind == "frontal",
                "AP or PA": seen.view == row["view"],
                "rotation": seen.rotation // 90 == state[0],
                "mirrored": seen.mirrored == state[1],
                "inverted": seen.inverted == state[2],
            }
            answers["all of the orientation"] = answers["rotation"] and answers["mirrored"] and answers["inverted"]
            for name, good in answers.items():
                right.setdefault(f"{case}: {name}", []).append(good)
    figures = {}
    for name, goods in right.items():
        share = wilson(sum(goods), len(goods))
        figures[name] = {
            "n": len(goods),
            "share": round(share.naive, 4),
            "low": round(share.low, 4),
            "high": round(share.high, 4),
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--views", choices=("val", "test"))
    arguments = parser.parse_args()
    for model in arguments.model:
        print(json.dumps({model: human_agreement(arguments.data, model)}, indent=1))
    if arguments.views:
        print(json.dumps(view_agreement(arguments.data, arguments.views), indent=1))


if __name__ == "__main__":
    main()

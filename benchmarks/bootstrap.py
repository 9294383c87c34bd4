"""Speed of the statistics and detection figures, as a ratio to their peers within one run.

    python benchmarks/bootstrap.py [--cases 100000] [--resamples 10000]

Prints JSON: seconds of wall and processor time of our bootstrap of the AUROC (cases drawn alone, and by patient), of
the same by drawing and `sklearn.metrics.roc_auc_score` (few resamples, scaled up), DeLong, the lines of a table, and
boxes against pycocotools.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from groundglass.metrics.classification import auroc
from groundglass.metrics.detection import evaluate_boxes, read_coco
from groundglass.metrics.statistics import Row, bootstrap_auroc, summarise


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--resamples", type=int, default=10_000)
    chosen = options.parse_args()
    rng = np.random.default_rng(0)
    labels = (rng.random(chosen.cases) < 0.3).astype(int)
    scores = rng.normal(labels, 1)
    patients = rng.integers(0, chosen.cases // 5, chosen.cases)
    result: dict[str, Any] = {"cases": chosen.cases, "resamples": chosen.resamples, "processors": os.cpu_count()}
    result["auroc_bootstrap"] = timed(lambda: bootstrap_auroc(labels, scores, resamples=chosen.resamples))
    result["auroc_bootstrap_by_patient"] = timed(
        lambda: bootstrap_auroc(labels, scores, clusters=patients, resamples=chosen.resamples)
    )
    few = 20
    peer = timed(lambda: by_drawing(labels, scores, few))
    result["drawing_and_scikit_learn"] = {key: value * chosen.resamples / few for key, value in peer.items()}
    result["ratio"] = result["drawing_and_scikit_learn"]["processor_s"] / result["auroc_bootstrap"]["processor_s"]
    result["delong"] = timed(lambda: auroc(labels, scores))
    rows = [
        Row(f"c{case}", f"p{case // 2}", f"label{label}", f"metric{metric}", float(rng.random()))
        for label in range(10)
        for metric in range(10)
        for case in range(1000)
    ]
    result["table_of_100_lines_1000_cases"] = timed(lambda: summarise(rows))
    document, results = scene(rng, images=300)
    result["boxes"] = timed(lambda: evaluate_boxes(*read_coco(document, results)).summary())
    result["boxes_pycocotools"] = timed(lambda: coco(document, results))
    result["boxes_ratio"] = result["boxes_pycocotools"]["processor_s"] / result["boxes"]["processor_s"]
    print(json.dumps(result, indent=2))


def timed(work: Callable[[], Any]) -> dict[str, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall_s": time.perf_counter() - wall, "processor_s": time.process_time() - processor}


def by_drawing(labels: np.ndarray, scores: np.ndarray, resamples: int) -> np.ndarray:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    draws = (rng.integers(0, len(labels), len(labels)) for _ in range(resamples))
    return np.array([roc_auc_score(labels[rows], scores[rows]) for rows in draws])


def scene(rng: np.random.Generator, *, images: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Images of about ten objects of five classes with a hundred candidates each."""
    annotations, results = [], []
    for image in range(images):
        for _ in range(int(rng.integers(5, 16))):
            box = np.concatenate([rng.uniform(0, 400, 2), rng.uniform(10, 120, 2)])
            category = int(rng.integers(5))
            record = {"id": len(annotations) + 1, "image_id": image, "category_id": category, "iscrowd": 0}
            annotations.append({**record, "bbox": box.tolist(), "area": float(box[2] * box[3])})
            for _ in range(10):
                moved = box + rng.normal(0, 0.1, 4) * np.tile(box[2:], 2)
                moved[2:] = np.maximum(moved[2:], 1)
                results.append(
                    {"image_id": image, "category_id": category, "bbox": moved.tolist(), "score": float(rng.random())}
                )
    document = {
        "info": {},
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": category} for category in range(5)],
        "annotations": annotations,
    }
    return document, results


def coco(document: dict[str, Any], results: list[dict[str, Any]]) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()


if __name__ == "__main__":
    main()

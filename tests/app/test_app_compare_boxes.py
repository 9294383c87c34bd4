"""`compare boxes`: COCO's figures by pycocotools, the bootstrap of AP, CSV and report.json, and bad boxes."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compare_cases import document, problem, save_table, summary, values


def coco(folder: Path, seed: int = 0, images: int = 12) -> tuple[Path, Path, dict[str, Any], list[dict[str, Any]]]:
    """A COCO data set with two categories, a crowd and an empty image, and results with misses and inventions."""
    rng = np.random.default_rng(seed)
    truth: dict[str, Any] = {
        "images": [
            {"id": n + 1, "file_name": f"sub-{n // 2}_im{n}.png", "width": 400, "height": 400} for n in range(images)
        ],
        "categories": [{"id": 3, "name": "nodule"}, {"id": 8, "name": "effusion"}],
        "annotations": [],
    }
    results: list[dict[str, Any]] = []
    for n in range(images - 1):
        for _ in range(int(rng.integers(1, 5))):
            x, y, w, h = *rng.uniform(0, 250, 2), *rng.uniform(15, 130, 2)
            category = int(rng.choice([3, 8]))
            entry = {"image_id": n + 1, "category_id": category, "bbox": [x, y, w, h], "area": w * h}
            number = len(truth["annotations"])
            truth["annotations"].append({**entry, "id": number + 1, "iscrowd": int(number == 4)})
            if rng.random() < 0.8:
                moved = [x + rng.normal() * 6, y + rng.normal() * 6, w, h]
                results.append(
                    {
                        "image_id": n + 1,
                        "category_id": category,
                        "bbox": moved,
                        "score": round(float(rng.uniform(0.3, 1)), 2),
                    }
                )
        if rng.random() < 0.6:
            box = [*rng.uniform(0, 250, 2), *rng.uniform(15, 130, 2)]
            results.append(
                {
                    "image_id": n + 1,
                    "category_id": int(rng.choice([3, 8])),
                    "bbox": box,
                    "score": round(float(rng.random()), 2),
                }
            )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.json").write_text(json.dumps(truth))
    (folder / "p.json").write_text(json.dumps(results))
    return folder / "p.json", folder / "t.json", truth, results


def peer(truth: dict[str, Any], results: list[dict[str, Any]]) -> np.ndarray:
    """The twelve figures of pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = truth
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def test_figures_agree_with_pycocotools(tmp_path: Path) -> None:
    prediction, path, truth, results = coco(tmp_path)
    metrics = "ap,ap50,ap75,ap_small,ap_medium,ap_large,ar100,froc,sensitivity_at_1"
    result = document("boxes", prediction, path, "--metrics", metrics, "--resamples", 300)
    stats = peer(truth, results)
    for metric, place in {
        "ap": 0,
        "ap50": 1,
        "ap75": 2,
        "ap_small": 3,
        "ap_medium": 4,
        "ap_large": 5,
        "ar100": 8,
    }.items():
        line = summary(result, metric, "all")
        assert line["value"] == pytest.approx(stats[place] if stats[place] >= 0 else None, abs=1e-9), metric
        assert (line["n"], line["patients"]) == (12, 6)
    line = summary(result, "ap50", "all")
    assert line["low"] < line["value"] < line["high"]
    assert 0 < summary(result, "sensitivity_at_1", "all")["value"] <= 1


def test_a_resample_is_what_coco_says_of_repeated_images(tmp_path: Path) -> None:
    """Weights 2, 0, 1, ... of patients against pycocotools on images that are there twice, not at all, once."""
    from groundglass.app.compare.box_files import coco_categories, read_boxes
    from groundglass.app.compare.boxes import _by_case, box_set
    from groundglass.app.compare.settings import Settings
    from groundglass.core import InputError
    from groundglass.metrics.detection.average_precision import COCO_IOUS
    from groundglass.metrics.detection.box_bootstrap import box_replicates, ranked_boxes

    prediction, path, truth, results = coco(tmp_path, seed=4)
    settings = Settings()
    real = read_boxes(path, settings)
    said = _by_case(read_boxes(prediction, settings, categories=coco_categories(path)), real)
    patient = {case: n for n, case in enumerate(real.cases)}
    sets, labels = (
        (box_set(real.cases, with_scores=False), box_set(said.cases, with_scores=True)),
        ["effusion", "nodule"],
    )
    ranked = ranked_boxes(*sets, labels, patient, (0.5, 0.75))
    weights = np.array([2, 0, 1, 3, 1, 0, 2, 1, 1, 0, 2, 1], dtype=float)
    repeated: dict[str, Any] = {**truth, "images": [], "annotations": []}
    found = []
    for n, times in enumerate(weights.astype(int)):
        for copy in range(times):
            image = 1000 * (n + 1) + copy
            repeated["images"].append({**truth["images"][n], "id": image})
            for entry in truth["annotations"]:
                if entry["image_id"] == n + 1:
                    repeated["annotations"].append({**entry, "id": len(repeated["annotations"]) + 1, "image_id": image})
            found += [{**entry, "image_id": image} for entry in results if entry["image_id"] == n + 1]
    stats = peer(repeated, found)
    values_of = np.stack([one.average_precision(weights) for one in ranked], axis=1).mean(axis=1)
    assert values_of == pytest.approx(stats[1:3], abs=1e-9)
    with pytest.raises(InputError, match="have no patient"):
        box_replicates(*sets, labels, dict.fromkeys(list(patient)[1:], "p"), (0.5,))
    everywhere = ranked_boxes(*sets, labels, patient, COCO_IOUS)
    recalls = np.stack([one.largest_recall(weights) for one in everywhere], axis=1)
    assert recalls.mean() == pytest.approx(stats[8], abs=1e-9)
    medium = ranked_boxes(*sets, labels, patient, COCO_IOUS, "medium")
    assert np.mean([one.average_precision(weights) for one in medium]) == pytest.approx(stats[4], abs=1e-9)
    assert stats[4] > 0


def test_csv_precision_recall_and_empty_images(tmp_path: Path) -> None:
    header = ["image_id", "label", "x0", "y0", "x1", "y1", "score"]
    truth = [
        ["a", "nodule", 0, 0, 10, 10],
        ["a", "nodule", 20, 20, 30, 30],
        ["b", "nodule", 5, 5, 9, 9],
        ["c", "", "", "", "", ""],
    ]
    t = save_table(tmp_path / "t.csv", header[:-1], truth)
    found = [
        ["a", "nodule", 0, 0, 10, 10, 0.9],
        ["a", "nodule", 40, 40, 50, 50, 0.8],
        ["b", "nodule", 50, 50, 60, 60, 0.3],
    ]
    p = save_table(tmp_path / "p.csv", header, found)
    result = document("boxes", p, t)
    assert summary(result, "precision")["value"] == pytest.approx(1 / 2)
    assert summary(result, "recall")["value"] == pytest.approx(1 / 3)
    assert values(result, "count_error", "all") == {"a": 0, "b": 1, "c": 0}
    f1 = {row["case"]: row["value"] for row in result["rows"] if row["metric"] == "f1"}
    assert f1 == {"a": 0.5, "b": 0, "c": 1}
    assert summary(document("boxes", p, t, "--threshold", 0), "precision")["value"] == pytest.approx(1 / 3)


def test_two_detectors(tmp_path: Path) -> None:
    prediction, path, truth, results = coco(tmp_path)
    worse = [entry for n, entry in enumerate(results) if n % 3]
    (tmp_path / "q.json").write_text(json.dumps(worse))
    result = document(
        "boxes", prediction, path, "--against", tmp_path / "q.json", "--metrics", "ap50,f1", "--resamples", 300
    )
    test = next(test for test in result["tests"] if (test["metric"], test["label"]) == ("ap50", "all"))
    assert test["difference"] == pytest.approx(peer(truth, results)[1] - peer(truth, worse)[1])
    assert test["low"] <= test["difference"] <= test["high"]
    assert test["p"] == {}
    assert any(test["p"].keys() == {"wilcoxon", "permutation"} for test in result["tests"])


def test_boxes_that_cannot_be(tmp_path: Path) -> None:
    prediction, _, truth, results = coco(tmp_path)

    def broken(change: Any, what: str) -> str:
        document_of = json.loads(json.dumps({"t": truth, "p": results}))
        change(document_of)
        (tmp_path / "bt.json").write_text(json.dumps(document_of["t"]))
        (tmp_path / "bp.json").write_text(json.dumps(document_of["p"]))
        text = problem("boxes", tmp_path / "bp.json", tmp_path / "bt.json")
        assert what in text, text
        return text

    broken(lambda d: d["p"][0].update(score=float("nan")), "instead of 1 finite number(s)")
    broken(lambda d: d["p"][0].update(bbox=[1, 2, -3, 4]), "ends before it starts")
    broken(lambda d: d["p"][0].update(bbox=[1, 2, None, 4]), "instead of 4 finite number(s)")
    broken(lambda d: d["p"][0].update(category_id=99), "has category 99, which is not listed")
    broken(lambda d: d["t"]["images"].append(d["t"]["images"][0]), "has the image id 1 twice")
    broken(lambda d: d["t"]["annotations"].append(d["t"]["annotations"][0]), "has the annotation id 1 twice")
    broken(lambda d: d["t"]["annotations"][0].update(image_id=77), "is of image 77, which is not listed")
    broken(lambda d: d["p"][0].update(image_id=77), "has no truth for 1 prediction(s): 77")
    header = ["case", "label", "x", "y", "w", "h"]
    t = save_table(tmp_path / "t.csv", header, [["a", "nodule", 1, 1, 5, 5]])
    p = save_table(tmp_path / "p.csv", [*header, "score"], [["a", "mass", 1, 1, 5, 5, 1]])
    assert "has boxes of mass, which no truth has (they have nodule)" in problem("boxes", p, t)
    assert summary(document("boxes", p, t, "--labels", "nodule"), "recall")["value"] == 0
    save_table(p, [*header, "score"], [["a", "nodule", 1, 1, 5, 5, "nan"]])
    assert "p.csv line 2: has 'nan' as score" in problem("boxes", p, t)
    assert "is not an overlap" in problem("boxes", p, t, "--iou", 0)
    assert "only a COCO data set names" in problem("boxes", prediction, t)


def test_missing_images_of_a_file_that_lists_them(tmp_path: Path) -> None:
    _, path, truth, results = coco(tmp_path)
    listed = {**truth, "images": truth["images"][:-2], "annotations": []}
    listed["annotations"] = [{**entry, "id": n} for n, entry in enumerate(results) if entry["image_id"] <= 10]
    (tmp_path / "listed.json").write_text(json.dumps(listed))
    text = problem("boxes", tmp_path / "listed.json", path)
    assert "no prediction for 2 case(s): sub-5_im10, sub-5_im11" in text
    worst = document("boxes", tmp_path / "listed.json", path, "--allow-missing", "worst", "--metrics", "recall,f1")
    skip = document("boxes", tmp_path / "listed.json", path, "--allow-missing", "skip", "--metrics", "recall,f1")
    assert summary(worst, "recall")["n"] == 12
    assert summary(skip, "recall")["n"] == 10
    assert summary(worst, "recall")["value"] < summary(skip, "recall")["value"]


def test_report_json_folders(tmp_path: Path) -> None:
    from groundglass.app.outputs import report_document
    from groundglass.core import Box, Finding, Location, Report, Study, ontology

    for name, shift in (("t", 0), ("p", 1)):
        (tmp_path / name / "case1").mkdir(parents=True)
        nodule = Finding(
            "f1", ontology()["pulmonary nodule"], where=Location(box=Box((10 + shift, 20), (30 + shift, 60))), score=0.9
        )
        gone = Finding("f2", ontology()["pleural effusion"], "absent", Location(box=Box((0, 0), (5, 5))))
        written = json.dumps(report_document(Report((), (nodule, gone)), Study(())))
        (tmp_path / name / "case1" / "report.json").write_text(written)
    result = document("boxes", tmp_path / "p", tmp_path / "t", "--metrics", "ap50,recall")
    assert summary(result, "recall")["value"] == 1
    assert summary(result, "ap50", "pulmonary nodule")["value"] == pytest.approx(1)

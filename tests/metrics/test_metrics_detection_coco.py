"""AP and AR equal pycocotools on random and adversarial scenes: ties, duplicates, crowds, odd areas, scores of one."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from groundglass.core import Box, ConfigurationError, GeometryError, InputError
from groundglass.metrics.detection import BoxSet, evaluate_boxes, read_coco

NAMES = (
    "AP", "AP50", "AP75", "AP small", "AP medium", "AP large",
    "AR1", "AR10", "AR100", "AR small", "AR medium", "AR large",
)  # fmt: skip


def peer(document, results, limits=(1, 10, 100), ious=None, areas=None):
    """pycocotools' evaluation object after accumulation."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.params.maxDets = list(limits)
        if ious is not None:
            evaluation.params.iouThrs = np.array(ious)
        if areas is not None:
            evaluation.params.areaRng, evaluation.params.areaRngLbl = (
                [list(area) for area in areas.values()],
                list(areas),
            )
        evaluation.evaluate()
        evaluation.accumulate()
        if ious is None and areas is None and tuple(limits) == (1, 10, 100):
            evaluation.summarize()
    return evaluation


def scene(seed):
    """Truths of all sizes, near and duplicate detections, ties, crowds, and areas that are not the box's."""
    rng = np.random.default_rng(seed)
    images, categories = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    kind = seed % 8
    annotations, results = [], []
    for image in range(images):
        for _ in range(int(rng.integers(0, 7))):
            x, y = rng.uniform(0, 300, 2)
            w, h = rng.uniform(2, 40, 2) if rng.random() < 0.5 else rng.uniform(20, 200, 2)
            if kind in (1, 2):  # integers: IoUs fall on thresholds, and boxes coincide
                x, y, w, h = (float(round(value / 8) * 8) for value in (x, y, w + 8, h + 8))
            category = int(rng.integers(categories))
            annotations.append(
                {
                    "image_id": image,
                    "category_id": category,
                    "bbox": [x, y, w, h],
                    "area": w * h * (rng.uniform(0.3, 1) if kind == 3 else 1),
                    "iscrowd": int(kind in (4, 5) and rng.random() < 0.4),
                }
            )
            for _ in range(int(rng.integers(0, 4))):
                jitter = rng.normal(0, 0.12, 4) * [w, h, w, h] if kind != 2 else rng.choice([0, 0, 8, -8], 4)
                bx, by, bw, bh = np.array([x, y, w, h]) + jitter
                results.append(
                    {
                        "image_id": image,
                        "category_id": int(category if rng.random() < 0.9 else rng.integers(categories)),
                        "bbox": [float(bx), float(by), float(max(bw, 1)), float(max(bh, 1))],
                        "score": float(np.round(rng.random(), 1 if kind in (1, 5, 6) else 6)) if kind != 7 else 1.0,
                    }
                )
        for _ in range(int(rng.integers(0, 30 if kind == 6 else 5))):
            results.append(
                {
                    "image_id": image,
                    "category_id": int(rng.integers(categories)),
                    "bbox": [float(value) for value in rng.uniform(1, 200, 4)],
                    "score": float(rng.random()),
                }
            )
    for place, record in enumerate(annotations):
        record["id"] = place + 1  # pycocotools takes an id of 0 for "not matched"
    document = {
        "images": [{"id": image} for image in range(images)],
        "categories": [{"id": category} for category in range(categories)],
        "annotations": annotations,
        "info": {},
    }
    order = rng.permutation(len(results))
    return document, [results[place] for place in order]


def test_summary_equals_pycocotools():
    compared = 0
    for seed in range(220):
        document, results = scene(seed)
        if not results or not document["annotations"]:
            continue
        expected = peer(document, results)
        found = evaluate_boxes(*read_coco(document, results))
        summary = found.summary()
        for name, value in zip(NAMES, expected.stats, strict=True):
            assert summary[name] == pytest.approx(np.nan if value == -1 else value, abs=1e-9, nan_ok=True), (seed, name)
        labels = [label for label in expected.params.catIds if label in found.labels]
        ours, theirs = found.precision, expected.eval["precision"][:, :, labels]
        assert np.abs(np.nan_to_num(ours, nan=-1) - theirs).max() < 1e-9, seed
        compared += 1
    assert compared >= 200


def test_other_thresholds_areas_and_limits_equal_pycocotools():
    for seed in range(300, 330):
        document, results = scene(seed)
        if not results or not document["annotations"]:
            continue
        options = {"ious": [0.1, 0.5, 1.0], "areas": {"all": (0, 1e10), "odd": (500, 4000)}, "limits": (2, 5)}
        expected = peer(document, results, **options)
        found = evaluate_boxes(*read_coco(document, results), **options)
        labels = [label for label in expected.params.catIds if label in found.labels]
        assert np.abs(np.nan_to_num(found.recall, nan=-1) - expected.eval["recall"][:, labels]).max() < 1e-9, seed
        assert found.ap(iou=0.1, area="odd", limit=2) == pytest.approx(
            np.mean([value for value in expected.eval["precision"][0, :, :, 1, 0].ravel() if value > -1] or [np.nan]),
            nan_ok=True,
        )


def test_boxes_in_three_dimensions():
    truth = BoxSet.of(["a", "a"], ["lesion"] * 2, [Box((0, 0, 0), (10, 10, 10)), Box((20, 20, 20), (30, 30, 30))])
    found = BoxSet.of(
        ["a", "a", "b"],
        ["lesion"] * 3,
        [Box((0, 0, 1), (10, 10, 11)), Box((20, 20, 20), (30, 30, 30)), Box((0, 0, 0), (9, 9, 9))],
        scores=[0.9, 0.8, 0.1],
    )
    result = evaluate_boxes(truth, found, areas={"all": (0, 1e10)})
    # IoU 9/11 for the first, 1 for the second, a false one last.
    assert result.ap(iou=0.8) == pytest.approx(1.0)
    assert result.ap(iou=0.85) == pytest.approx(51 / 101 * 0.5)
    assert result.ar(iou=0.85, limit=1) == 0.0 and result.ar(iou=0.85) == 0.5


def test_nothing_found_nothing_true_and_unknown_labels():
    none = BoxSet.of_xywh([], [], [])
    some = BoxSet.of_xywh([1], ["a"], [[0, 0, 5, 5]])
    scored = BoxSet.of_xywh([1], ["b"], [[0, 0, 5, 5]], scores=[0.5])
    empty = BoxSet.of_xywh([], [], [], scores=[])
    assert evaluate_boxes(some, empty).ap() == 0.0 and evaluate_boxes(some, empty).ar() == 0.0
    assert np.isnan(evaluate_boxes(none, scored).ap())
    assert np.isnan(evaluate_boxes(none, empty).ap())
    both = evaluate_boxes(some, scored)
    assert both.labels == ("a", "b") and both.ap() == 0.0 and np.isnan(both.ap(label="b"))


def test_bad_input_is_a_typed_error():
    document, results = scene(0)
    assert results and document["annotations"]
    with pytest.raises(InputError, match="image_id 99"):
        read_coco(document, [{**results[0], "image_id": 99}])
    with pytest.raises(InputError, match="category_id 99"):
        read_coco(document, [{**results[0], "category_id": 99}])
    with pytest.raises(InputError, match="lacks score"):
        read_coco(document, [{key: value for key, value in results[0].items() if key != "score"}])
    with pytest.raises(InputError, match="not all finite"):
        read_coco(document, [{**results[0], "score": float("nan")}])
    with pytest.raises(GeometryError, match="negative size"):
        read_coco(document, [{**results[0], "bbox": [0, 0, -1, 5]}])
    with pytest.raises(InputError, match="an id twice"):
        read_coco({**document, "images": [{"id": 0}, {"id": 0}]}, results)
    with pytest.raises(InputError, match="no categories"):
        read_coco({"images": []}, [])
    truth, found = read_coco(document, results)
    with pytest.raises(InputError, match="no scores"):
        evaluate_boxes(truth, truth)
    with pytest.raises(ConfigurationError, match="not rising"):
        evaluate_boxes(truth, found, limits=(100, 1))
    with pytest.raises(ConfigurationError, match="was not evaluated"):
        evaluate_boxes(truth, found).ap(iou=0.33)
    named = BoxSet.of_xywh([0], ["a"], [[0, 0, 1, 1]], scores=[1])
    with pytest.raises(InputError, match="text on one side"):
        evaluate_boxes(truth, named)
    with pytest.raises(InputError, match="one per box"):
        BoxSet.of_xywh([1, 2], ["a"], [[0, 0, 1, 1]])

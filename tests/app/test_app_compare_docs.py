"""The reference names every metric, convention and scheme that the command knows, and the commands take odd input."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compare_cases import compare
from typer.testing import CliRunner

from groundglass.app.cli import app
from groundglass.core.errors import GroundglassError

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_the_reference_is_complete() -> None:
    from groundglass.app.compare import boxes, feature_sets, images, labels, points, reports, tracks
    from groundglass.metrics.ranking import SCHEMES
    from groundglass.metrics.segmentation import CONVENTIONS, METRICS

    text = REFERENCE.read_text(encoding="utf-8")
    known = {*METRICS, *CONVENTIONS, *SCHEMES, *feature_sets.SET_MEASURES}
    known |= {name for kind in (boxes, images, labels, points, reports, tracks) for name in kind.MEASURES}
    in_words = {"bleu-2", "bleu-3"}  # "bleu-1 to bleu-4"
    assert sorted(name for name in known - in_words if f"`{name}`" not in text) == []


@pytest.mark.parametrize("kind", ["seg", "labels", "boxes", "points", "images", "tracks", "reports"])
def test_every_kind_explains_itself(kind: str) -> None:
    done = CliRunner().invoke(app, ["compare", kind, "--help"])
    assert done.exit_code == 0
    for option in ("--against", "--allow-missing", "--patient-from", "--case-from", "--json", "--csv", "--rows"):
        assert option in done.stdout


COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
    "categories": [{"id": 3, "name": "nodule"}],
    "annotations": [{"id": n, "image_id": n, "category_id": 3, "bbox": [1, 1, 9, 9], "area": 81} for n in (1, 2)],
}
RESULTS = [{"image_id": n, "category_id": 3, "bbox": [1, 2, 9, 9], "score": 0.5} for n in (1, 2)]
LABELS = [{"case": f"c{n}", "patient": f"p{n // 2}", "a": n % 2, "b": n // 4} for n in range(8)]
VERSE = [{"direction": ["P", "I", "R"]}, *({"label": n, "X": n, "Y": 9 * n, "Z": 3} for n in (1, 2))]
PHRASES = [{"case": c, "phrases": [{"text": "No effusion.", "boxes": [[0.1, 0.1, 0.2, 0.3]]}]} for c in "ab"]
ODD = (None, "x", "", -1, float("inf"), float("nan"), [], {}, True, [1], {"a": 1}, 10**30)


def nodes(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    keys = content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield from nodes(content[key], (*path, key))


def with_odd(content: Any, rng: random.Random) -> Any:
    """The content with one odd value, or one part less."""
    path = rng.choice([path for path in nodes(content) if path])
    changed = copy.deepcopy(content)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if rng.random() < 0.2:
        del parent[path[-1]]
    else:
        parent[path[-1]] = rng.choice(ODD)
    return changed


@pytest.mark.parametrize(
    ("kind", "said", "real", "metrics"),
    [
        ("boxes", RESULTS, COCO, "ap50,f1"),
        ("labels", LABELS, LABELS, "f1,accuracy"),
        ("points", VERSE, VERSE, "identification_rate,distance"),
        ("reports", PHRASES, PHRASES, "rouge-l,radfact_precision,spatial_precision"),
    ],
)
def test_odd_values_are_typed_errors(kind: str, said: Any, real: Any, metrics: str, tmp_path: Path) -> None:
    rng = random.Random(7)
    for _ in range(15):
        content = {"p": said, "t": real}
        side = rng.choice("pt")
        content[side] = with_odd(content[side], rng)
        for name, value in content.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(value))
        done = compare(kind, tmp_path / "p.json", tmp_path / "t.json", "--metrics", metrics, "--resamples", 200)
        assert done.exit_code == 0 or isinstance(done.exception, (GroundglassError, SystemExit)), (
            content,
            done.exception,
        )

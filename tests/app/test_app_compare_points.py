"""`compare points`: VerSe's golden cases as files, objects, DICOM SR, and points that cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from compare_cases import document, problem, save_table, summary, values

LEVELS = range(16, 25)


def verse(path: Path, points: dict[int, tuple[float, float, float]], direction: str = "PIR") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [{"label": label, "X": x, "Y": y, "Z": z} for label, (x, y, z) in points.items()]
    path.write_text(json.dumps([{"direction": list(direction)}, *entries]))
    return path


def spine(along: float = 0, across: float = 0, shift: int = 0) -> dict[int, tuple[float, float, float]]:
    """Nine levels 30 mm apart, moved along and across the spine, or named `shift` levels too high."""
    return {level + shift: (50.0 + across, 30.0 * n + along, 40.0) for n, level in enumerate(LEVELS)}


@pytest.mark.parametrize(
    ("points", "hits"),
    [
        (spine(), 9),
        (spine(along=14), 9),
        (spine(along=16), 1),
        (spine(across=19.9), 9),
        (spine(across=20.1), 0),
        ({level: place for level, place in spine().items() if level != 20}, 8),
    ],
)
def test_golden_cases_of_verse(tmp_path: Path, points: dict[int, tuple[float, float, float]], hits: int) -> None:
    truth = verse(tmp_path / "t" / "sub-verse004_seg-subreg_ctd.json", spine())
    prediction = verse(tmp_path / "p.json", points)
    result = document("points", prediction, truth)
    rate = values(result, "identification_rate", "all")
    assert rate == {"sub-verse004_seg-subreg_ctd": pytest.approx(hits / 9)}
    pooled = next(figure for figure in result["figures"] if figure["metric"] == "identification_rate")
    assert pooled["value"] == pytest.approx(hits / 9)


def test_moved_names_and_spacing_of_voxels(tmp_path: Path) -> None:
    truth = verse(tmp_path / "t" / "sub-1_a.json", spine())
    verse(tmp_path / "t" / "sub-1_b.json", spine())
    verse(tmp_path / "p" / "sub-1_a.json", spine(across=1))
    verse(tmp_path / "p" / "sub-1_b.json", spine(shift=1))
    assert "has no point named 25" in problem("points", tmp_path / "p", tmp_path / "t")
    labels = ",".join(map(str, LEVELS))
    result = document("points", tmp_path / "p", tmp_path / "t", "--labels", labels)
    assert values(result, "identification_rate", "all") == {"sub-1_a": 1, "sub-1_b": 0}
    assert values(result, "distance", "16") == {"sub-1_a": 1, "sub-1_b": None}
    assert summary(result, "distance", "16")["missing"] == 1
    scaled = document("points", tmp_path / "p", tmp_path / "t", "--labels", labels, "--spacing", "2.5,1,1")
    assert values(scaled, "distance", "16")["sub-1_a"] == 2.5
    assert "is not one number for each of 3 axes" in problem("points", truth, truth, "--spacing", "1,1")
    verse(tmp_path / "p" / "sub-1_a.json", spine(), "LAS")
    assert "count case sub-1_a along LAS and PIR" in problem(
        "points", tmp_path / "p", tmp_path / "t", "--labels", labels
    )


def test_objects_with_scores(tmp_path: Path) -> None:
    header = ["image_id", "label", "x", "y", "score"]
    t = save_table(
        tmp_path / "t.csv",
        header[:4],
        [["a", "cell", 0, 0], ["a", "cell", 50, 0], ["b", "cell", 9, 9], ["c", "", "", ""]],
    )
    p = save_table(
        tmp_path / "p.csv",
        header,
        [["a", "cell", 3, 4, 0.9], ["a", "cell", 0, 2, 0.8], ["b", "cell", 90, 9, 0.7], ["c", "cell", 1, 1, 0.2]],
    )
    result = document("points", p, t, "--within", "5", "--unit", "px")
    # One-to-one: the second point near (0, 0) is no further hit.
    assert summary(result, "precision")["value"] == pytest.approx(1 / 3)
    assert summary(result, "recall")["value"] == pytest.approx(1 / 3)
    assert values(result, "count_error", "all") == {"a": 0, "b": 0, "c": 0}
    assert values(result, "nearest_distance", "all") == {"a": 3.5, "b": 81, "c": None}
    assert summary(result, "nearest_distance")["unit"] == "px"
    low = document("points", p, t, "--within", "5", "--threshold", "0")
    assert values(low, "count_error", "all")["c"] == 1
    assert {"froc", "sensitivity_at_1"} & {figure["metric"] for figure in low["figures"]} or any(
        "no FROC score" in warning for warning in low["warnings"]
    )


def test_modes(tmp_path: Path) -> None:
    t = save_table(
        tmp_path / "t.csv", ["case", "name", "x", "y", "z"], [["a", "apex", 1, 2, 3], ["b", "apex", 1, 2, 3]]
    )
    p = save_table(
        tmp_path / "p.csv", ["case", "name", "x", "y", "z"], [["a", "apex", 1, 2, 4], ["b", "apex", 1, 2, 33]]
    )
    landmarks = document("points", p, t)
    assert values(landmarks, "distance", "apex") == {"a": 1, "b": 30}
    objects = document("points", p, t, "--mode", "objects")
    assert summary(objects, "recall")["value"] == 0.5
    save_table(p, ["case", "name", "x", "y", "z"], [["a", "apex", 1, 2, 4], ["a", "apex", 1, 2, 5]])
    assert "has a name twice" in problem("points", p, t, "--mode", "landmarks")
    assert "is not known" in problem("points", p, t, "--mode", "other")


def test_points_that_cannot_be(tmp_path: Path) -> None:
    header = ["case", "label", "x", "y"]
    t = save_table(tmp_path / "t.csv", header, [["a", "apex", 1, 2]])
    p = save_table(tmp_path / "p.csv", header, [["a", "apex", 1, "nan"]])
    assert "p.csv line 2: has 'nan' as y" in problem("points", p, t)
    save_table(p, [*header, "z"], [["a", "apex", 1, 2, 3]])
    assert "two and of three coordinates" in problem("points", p, t)
    save_table(p, ["case", "label", "column"], [["a", "apex", 1]])
    assert "has no column x" in problem("points", p, t)
    save_table(p, header, [["z", "apex", 1, 2]])
    assert "has no truth for 1 prediction(s): z" in problem("points", p, t)
    assert "is no distance" in problem("points", t, t, "--within", "-1")


def test_a_folder_that_lacks_a_case(tmp_path: Path) -> None:
    for name in ("t", "p"):
        verse(tmp_path / name / "a.json", spine())
    verse(tmp_path / "t" / "b.json", spine())
    assert "no prediction for 1 case(s): b" in problem("points", tmp_path / "p", tmp_path / "t")
    worst = document("points", tmp_path / "p", tmp_path / "t", "--allow-missing", "worst")
    assert values(worst, "identification_rate", "all") == {"a": 1, "b": 0}


def test_dicom_structured_reports(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "io"))
    from dicom_cases import series

    from groundglass.core import Finding, Line, Location, Measurement, Report, Term, ontology
    from groundglass.io import write_sr

    image = series(tmp_path / "ct")
    size = Term("103339001", "SCT", "Long Axis")
    for name, step in (("t", 0.0), ("p", 1.0)):
        line = Line(((2.0, 5.0 + step, 6.0),), "centre")
        nodule = Finding(
            "f1",
            ontology()["pulmonary nodule"],
            where=Location(ontology()["lung"], image=image.name),
            measurements=(Measurement(size, 5.0, "mm", (line,)),),
        )
        (tmp_path / name).mkdir()
        write_sr(Report((), (nodule,)), image, tmp_path / name / "a.dcm")
    result = document("points", tmp_path / "p", tmp_path / "t")
    assert values(result, "distance", "pulmonary nodule") == {"a": pytest.approx(image.spacing[1], abs=1e-3)}

"""`rank`: a table of results under a challenge's rule, from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from compare_cases import box_mask, compare, save_mask, save_table
from typer.testing import CliRunner, Result

from groundglass.app.cli import app
from groundglass.core.errors import GroundglassError

ISLES = ("dice", "avd_ml", "lesion_count_difference", "lesion_f1")


def rank(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rank", *map(str, arguments)])


def problem(*arguments: object) -> str:
    done = rank(*arguments)
    assert isinstance(done.exception, GroundglassError), (done.stdout, done.exception)
    return str(done.exception)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three teams of known order on 20 cases of 10 patients; B and C are twins."""
    rng = np.random.default_rng(3)
    rows = []
    for case in range(20):
        noise = rng.normal(size=4) * 0.01
        for team, gain in (("C", 0.0), ("A", 0.2), ("B", 0.0)):
            values = np.array([0.6 + gain, 5 - 10 * gain, 2 - 5 * gain, 0.5 + gain])
            rows.append([team, f"case{case}", f"pat{case // 2}", *(values + noise)])
    return save_table(tmp_path / "results.csv", ["team", "case", "patient", *ISLES], rows)


def test_known_order_shared_places_and_stability(results: Path) -> None:
    done = rank(results, "--scheme", "isles", "--json")
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert [(line["rank"], line["algorithm"]) for line in found["ranking"]] == [(1, "A"), (2, "B"), (2, "C")]
    assert [line["score"] for line in found["ranking"]] == pytest.approx([1, 2.5, 2.5])
    assert found["ranking"][0]["first_share"] == 1
    assert (found["cases"], found["patients"], found["missing"]) == (20, 10, 0)
    pair = next(
        pair for pair in found["pairs"] if {pair["first"], pair["second"]} == {"B", "C"} and pair["metric"] == "dice"
    )
    assert (pair["difference"], pair["p"]) == (0, 1)
    shown = rank(results, "--scheme", "isles").stdout
    assert "Kendall's tau with this ranking" in shown
    assert "the low score wins" in shown
    lines = list(csv.DictReader(io.StringIO(rank(results, "--scheme", "isles", "--csv", "--resamples", 0).stdout)))
    assert [line["algorithm"] for line in lines] == ["A", "B", "C"]
    assert lines[0]["rank_low"] == ""


def test_what_compare_writes_is_what_rank_reads(tmp_path: Path) -> None:
    for n in range(6):
        save_mask(tmp_path / "t" / f"case{n}.nii.gz", box_mask(1, 6) + box_mask(8, 10, 2))
        save_mask(tmp_path / "good" / f"case{n}.nii.gz", box_mask(1, 5 + n % 2) + box_mask(8, 10, 2))
        save_mask(tmp_path / "bad" / f"case{n}.nii.gz", box_mask(3, 6 + n % 2) + box_mask(9, 10, 2))
    rows = tmp_path / "rows.csv"
    done = compare(
        "seg",
        tmp_path / "good",
        tmp_path / "t",
        "--against",
        tmp_path / "bad",
        "--convention",
        "isles22",
        "--rows",
        rows,
    )
    assert done.exit_code == 0, done.exception
    found = json.loads(rank(rows, "--scheme", "isles", "--json").stdout)
    assert [line["algorithm"] for line in found["ranking"]] == ["good", "bad"]
    written = list(csv.DictReader(rows.open()))
    means = [float(row["value"]) for row in written if (row["method"], row["metric"]) == ("good", "dice")]
    assert found["ranking"][0]["means"]["dice"] == pytest.approx(np.mean(means))
    second = json.loads(rank(rows, "--scheme", "isles", "--json", "--label", "2").stdout)
    assert second["ranking"][0]["means"]["dice"] == 1
    assert "has no row with the label 3" in problem(rows, "--scheme", "isles", "--label", "3")


def test_missing_values_follow_the_scheme_or_the_option(tmp_path: Path) -> None:
    header = ["algorithm", "case", "step_score", "instrument_score"]
    rows = [["A", "v1", 0.8, 0.6], ["A", "v2", 0.6, ""], ["B", "v1", 0.5, 0.5], ["B", "v2", 0.5, 0.4]]
    path = save_table(tmp_path / "r.csv", header, rows)
    assert "v2" in problem(path, "--scheme", "pitvis")
    means = {
        rule: json.loads(rank(path, "--scheme", "pitvis", "--allow-missing", rule, "--json").stdout)["ranking"][0][
            "means"
        ]
        for rule in ("skip", "worst")
    }
    assert means["skip"]["instrument_score"] == pytest.approx(0.6)
    assert means["worst"]["instrument_score"] == pytest.approx(0.5)
    assert "missing value(s): worst" in rank(path, "--scheme", "pitvis", "--allow-missing", "worst").stdout
    assert "is not a rule" in problem(path, "--scheme", "pitvis", "--allow-missing", "maybe")


def test_bad_tables(results: Path, tmp_path: Path) -> None:
    assert "is not known" in problem(results, "--scheme", "olympics")
    assert "lack the metric identification_rate" in problem(results, "--scheme", "verse")
    assert "both print on stdout" in problem(results, "--scheme", "isles", "--json", "--csv")
    assert "is not in the results" in problem(results, "--scheme", "isles", "--baseline", "Z")
    long = ["method", "case", "metric", "value"]
    path = save_table(tmp_path / "r.csv", long, [["A", "c", "step_score", 1], ["A", "c", "step_score", 0]])
    assert "line 3: gives step_score of A in c again" in problem(path, "--scheme", "pitvis-steps")
    save_table(path, long, [["A", "c", "step_score", "good"]])
    assert "line 2: has 'good' as value" in problem(path, "--scheme", "pitvis-steps")
    save_table(path, ["case", "metric", "value"], [["c", "step_score", 1]])
    assert "has no column method or algorithm" in problem(path, "--scheme", "pitvis-steps")


def test_a_baseline_is_not_ranked(results: Path) -> None:
    found = json.loads(rank(results, "--scheme", "isles", "--baseline", "C", "--json").stdout)
    assert [line["algorithm"] for line in found["ranking"]] == ["A", "B"]
    assert found["excluded"] == {"C": "the baseline"}

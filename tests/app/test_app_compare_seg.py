"""`compare seg` on small real files: figures, label sets, geometry, missing and broken cases."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
from compare_cases import SPACING, box_mask, compare, document, problem, program, save_mask, summary, values
from scipy.stats import wilcoxon


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Six cases of three patients; case n is predicted n voxels too far along the first axis."""
    for n in range(6):
        name = f"sub-{n // 2}_case{n}.nii.gz"
        save_mask(tmp_path / "t" / name, box_mask(1, 6))
        save_mask(tmp_path / "p" / name, box_mask(1 + n % 4, 6 + n % 4))
    return tmp_path / "p", tmp_path / "t"


def test_closed_form_aggregates_and_intervals(folders: tuple[Path, Path]) -> None:
    result = document("seg", *folders, "--metrics", "dice,hd,avd_ml")
    dice = [1 - (n % 4) / 5 for n in range(6)]
    assert list(values(result, "dice", "1").values()) == pytest.approx(dice)
    assert list(values(result, "hd", "1").values()) == pytest.approx([0, 1, 2, 3, 0, 1])
    line = summary(result, "dice")
    assert (line["n"], line["patients"], line["missing"]) == (6, 3, 0)
    assert line["mean"] == pytest.approx(np.mean(dice))
    assert [line["q1"], line["median"], line["q3"]] == pytest.approx(np.quantile(dice, [0.25, 0.5, 0.75]))
    assert line["low"] < line["mean"] < line["high"]
    assert summary(result, "avd_ml")["mean"] == 0
    assert summary(result, "hd")["unit"] == "mm"
    assert result["conventions"]["convention"] == "plain"
    assert document("seg", *folders, "--metrics", "dice,hd,avd_ml", "--processes", 2) == result


def test_two_predictions_are_tested_in_pairs(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for n in range(6):
        save_mask(tmp_path / "q" / f"sub-{n // 2}_case{n}.nii.gz", box_mask(4, 9))
    result = document(
        "seg", *folders, "--against", tmp_path / "q", "--metrics", "dice,iou", "--patient-from", r"case\d"
    )
    test = next(test for test in result["tests"] if test["metric"] == "dice")
    difference = np.array([1 - (n % 4) / 5 for n in range(6)]) - 0.4
    assert test["difference"] == pytest.approx(difference.mean())
    assert test["p"]["wilcoxon"] == pytest.approx(wilcoxon(difference).pvalue)
    assert test["holm"]["wilcoxon"] == pytest.approx(min(1, 2 * test["p"]["wilcoxon"]))
    assert 0 < test["p"]["permutation"] <= 1
    assert {row["method"] for row in result["summaries"]} == {"p", "q"}


def test_tables_csv_and_rows(folders: tuple[Path, Path], tmp_path: Path) -> None:
    shown = compare("seg", *folders, "--rows", tmp_path / "rows.csv")
    assert shown.exit_code == 0
    assert "HD95 (mm)" in shown.stdout
    assert "95 % bootstrap interval, 2000 resamples of patients" in shown.stdout
    rows = list(csv.DictReader((tmp_path / "rows.csv").open()))
    assert len(rows) == 6 * 5
    assert rows[0] == {
        "method": "p", "case": "sub-0_case0", "patient": "sub-0", "label": "1", "metric": "dice", "value": "1.0"
    }  # fmt: skip
    table = list(csv.DictReader(io.StringIO(compare("seg", *folders, "--csv").stdout)))
    assert [line["metric"] for line in table] == ["dice", "hd95", "assd", "nsd", "avd_ml"]
    assert {line["kind"] for line in table} == {"mean"}
    assert "both print on stdout" in problem("seg", *folders, "--csv", "--json")


def test_single_files_and_another_axis_order(tmp_path: Path) -> None:
    truth = save_mask(tmp_path / "t.nii.gz", box_mask(1, 6))
    image = nibabel.load(save_mask(tmp_path / "p.nii.gz", box_mask(2, 7)))
    to = nibabel.orientations.axcodes2ornt("SLP")
    nibabel.save(
        image.as_reoriented(nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), to)),
        tmp_path / "turned.nii.gz",
    )
    straight = document("seg", tmp_path / "p.nii.gz", truth)
    turned = document("seg", tmp_path / "turned.nii.gz", truth)
    assert values(turned, "dice", "1") == values(straight, "dice", "1") == {"t": pytest.approx(0.8)}
    assert values(turned, "hd95", "1") == values(straight, "hd95", "1")


class TestLabels:
    def test_names_and_regions(self, tmp_path: Path) -> None:
        truth = save_mask(tmp_path / "t.nii.gz", box_mask(1, 4) + box_mask(4, 6, 2))
        prediction = save_mask(tmp_path / "p.nii.gz", box_mask(1, 3) + box_mask(3, 6, 2))
        (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "whole": [1, 2], "core": 2}}')
        result = document("seg", prediction, truth, "--labels", tmp_path / "dataset.json", "--metrics", "dice")
        assert values(result, "dice", "whole") == {"t": 1.0}
        assert values(result, "dice", "core") == {"t": pytest.approx(2 * 2 / 5)}

    def test_a_label_that_no_truth_has(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        save_mask(prediction / "sub-1_case3.nii.gz", box_mask(4, 9) + box_mask(0, 1, 7))
        result = document("seg", prediction, truth, code=1)
        assert [failure["case"] for failure in result["methods"][0]["failures"]] == ["sub-1_case3"]
        assert "predicts label 7, which no truth has (they have 1)" in result["methods"][0]["failures"][0]["reason"]
        assert summary(result, "dice")["n"] == 5
        restricted = document("seg", prediction, truth, "--labels", "1=liver", "--metrics", "dice")
        assert summary(restricted, "dice", "liver")["n"] == 6
        assert "label 7 occurs, but is not among --labels" in restricted["warnings"][0]

    def test_a_label_that_no_prediction_has(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        save_mask(truth / "sub-1_case3.nii.gz", box_mask(1, 6) + box_mask(0, 1, 2))
        assert "label 2 is in the truth, but in no prediction" in problem("seg", prediction, truth)
        result = document("seg", prediction, truth, "--labels", "1,2", "--metrics", "dice")
        assert values(result, "dice", "2")["sub-1_case3"] == 0
        assert summary(result, "dice", "2")["missing"] == 5  # in neither mask: 0 / 0

    def test_a_pair_that_differs_is_an_error(self, tmp_path: Path) -> None:
        truth = save_mask(tmp_path / "t.nii.gz", box_mask(1, 6))
        prediction = save_mask(tmp_path / "p.nii.gz", box_mask(1, 6, 2))
        assert "predicts label 2" in problem("seg", prediction, truth)
        empty = save_mask(tmp_path / "e.nii.gz", box_mask(0, 0))
        assert values(document("seg", empty, truth), "dice", "1") == {"t": 0}


class TestConventions:
    @pytest.mark.parametrize(
        ("name", "both", "missed"), [("plain", None, 0.0), ("penalised", 1.0, 0.0), ("verse", None, 0.0)]
    )
    def test_empty_masks(self, tmp_path: Path, name: str, both: float | None, missed: float) -> None:
        for case, (said, real) in {"both": (0, 0), "missed": (0, 5), "hit": (5, 5)}.items():
            save_mask(tmp_path / "p" / f"{case}.nii.gz", box_mask(0, said))
            save_mask(tmp_path / "t" / f"{case}.nii.gz", box_mask(0, real))
        result = document("seg", tmp_path / "p", tmp_path / "t", "--convention", name, "--metrics", "dice,hd")
        found = values(result, "dice", "1")
        assert found == {"both": both, "hit": 1.0, "missed": missed} if name != "verse" else {"hit": 1.0, "missed": 0.0}
        if name == "penalised":
            extent = np.array([12, 12, 8]) * SPACING
            assert values(result, "hd", "1")["missed"] == pytest.approx(math.hypot(*extent))
            assert values(result, "hd", "1")["both"] == 0

    def test_infinite_distances_have_no_interval_but_a_median(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        save_mask(prediction / "sub-0_case0.nii.gz", box_mask(0, 0))
        done = compare("seg", prediction, truth, "--metrics", "hd")
        assert "inf" in done.stdout
        line = summary(document("seg", prediction, truth, "--metrics", "hd"), "hd")
        assert (line["mean"], line["low"]) == (None, None)
        assert line["median"] == pytest.approx(1.5)

    def test_challenge_metrics_come_with_the_convention(self, folders: tuple[Path, Path]) -> None:
        result = document("seg", *folders, "--convention", "isles22")
        assert {row["metric"] for row in result["summaries"]} == {
            "dice", "avd_ml", "lesion_count_difference", "lesion_f1_touch"
        }  # fmt: skip
        assert "is not known" in problem("seg", *folders, "--convention", "nowhere")
        assert "is not a metric here" in problem("seg", *folders, "--metrics", "dicee")


class TestMissingCases:
    def test_rules(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        save_mask(truth / "sub-0_case0.nii.gz", box_mask(1, 6) + box_mask(8, 10, 2))
        save_mask(prediction / "sub-0_case0.nii.gz", box_mask(1, 6) + box_mask(8, 10, 2))
        (prediction / "sub-2_case5.nii.gz").unlink()
        text = problem("seg", prediction, truth)
        assert "has no prediction for 1 case(s): sub-2_case5" in text
        assert "--allow-missing skip" in text
        skipped = document("seg", prediction, truth, "--allow-missing", "skip", "--metrics", "dice")
        assert summary(skipped, "dice", "1")["n"] == 5
        assert skipped["methods"][0]["missing"] == ["sub-2_case5"]
        arguments = ("--allow-missing", "worst", "--metrics", "dice,hd", "--convention", "penalised")
        worst = document("seg", prediction, truth, *arguments)
        assert values(worst, "dice", "1")["sub-2_case5"] == 0
        # The truth has no label 2 there either, but a prediction that is not there is not right about it.
        assert values(worst, "dice", "2")["sub-2_case5"] == 0
        assert values(worst, "dice", "2")["sub-2_case4"] == 1
        assert values(worst, "hd", "2")["sub-2_case5"] == pytest.approx(math.hypot(12, 12, 20))
        shown = compare("seg", prediction, truth, *arguments)
        assert "no prediction for 1 case(s), scored as worst as can be: sub-2_case5" in shown.stderr
        assert "is not a rule" in problem("seg", prediction, truth, "--allow-missing", "maybe")

    def test_truths_that_are_missing(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        (truth / "sub-2_case5.nii.gz").unlink()
        assert "has no truth for 1 prediction(s): sub-2_case5" in problem("seg", prediction, truth)
        result = document("seg", prediction, truth, "--allow-missing", "skip")
        assert "1 prediction(s) have no truth and were left out" in result["warnings"][0]


class TestGeometry:
    def test_spacing_that_differs_fails_the_case_and_can_be_taken_over(self, folders: tuple[Path, Path]) -> None:
        prediction, truth = folders
        save_mask(prediction / "sub-0_case1.nii.gz", box_mask(2, 7), (1, 1, 1))
        result = document("seg", prediction, truth, code=1)
        reason = result["methods"][0]["failures"][0]["reason"]
        assert "p/sub-0_case1.nii.gz" in reason
        assert "t/sub-0_case1.nii.gz: have different spacings, 1 x 1 x 1 and 1 x 1 x 2.5 mm" in reason
        taken = document("seg", prediction, truth, "--spacing-from", truth)
        assert values(taken, "dice", "1")["sub-0_case1"] == pytest.approx(0.8)

    def test_one_pair_with_another_shape_is_an_error(self, tmp_path: Path) -> None:
        first = save_mask(tmp_path / "p.nii.gz", box_mask(1, 6, shape=(13, 12, 8)))
        second = save_mask(tmp_path / "t.nii.gz", box_mask(1, 6))
        assert "have different shapes, 13 x 12 x 8 and 12 x 12 x 8 voxels" in problem("seg", first, second)

    def test_pictures_are_measured_in_pixels_or_by_another_image(self, tmp_path: Path) -> None:
        from PIL import Image as Picture

        for name, start in (("p", 2), ("t", 1)):
            (tmp_path / name).mkdir()
            Picture.fromarray(box_mask(start, start + 5)[:, :, 3]).save(tmp_path / name / "a.png")
        result = document("seg", tmp_path / "p", tmp_path / "t", "--metrics", "hd")
        assert values(result, "hd", "1") == {"a": 1.0}
        assert "are for volumes" in problem("seg", tmp_path / "p", tmp_path / "t", "--metrics", "avd_ml")
        assert "in pixels, not mm" in result["warnings"][0]
        like = save_mask(tmp_path / "like.nii.gz", box_mask(0, 0)[:, :, :1], (0.5, 0.5, 1))
        scaled = document("seg", tmp_path / "p", tmp_path / "t", "--metrics", "hd", "--spacing-from", like)
        assert values(scaled, "hd", "1") == {"a": 0.5}
        assert scaled["warnings"] == []
        stated = save_mask(tmp_path / "stated.nii.gz", box_mask(1, 6)[:, :, 3:4])
        mixed = document("seg", tmp_path / "p" / "a.png", stated, "--metrics", "dice")
        assert values(mixed, "dice", "1") == {"stated": pytest.approx(0.8)}
        assert "only one of both masks states its place" in mixed["warnings"][0]


def test_three_broken_of_a_thousand_are_listed_and_the_rest_is_done(tmp_path: Path) -> None:
    prediction, truth = tmp_path / "p", tmp_path / "t"
    first = save_mask(tmp_path / "a.nii", box_mask(1, 4, shape=(6, 8, 6))).read_bytes()
    second = save_mask(tmp_path / "b.nii", box_mask(2, 5, shape=(6, 8, 6))).read_bytes()
    for folder, content in ((prediction, first), (truth, second)):
        folder.mkdir()
        for n in range(1000):
            (folder / f"case{n:04}.nii").write_bytes(content)
    (prediction / "case0007.nii").write_bytes(first[:400])
    (truth / "case0500.nii").write_bytes(b"")
    save_mask(prediction / "case0999.nii", box_mask(1, 4, shape=(7, 8, 6)))
    done = program("seg", prediction, truth, "--metrics", "dice", "--processes", 2, "--csv")
    assert done.returncode == 1, done.stderr
    line = next(csv.DictReader(io.StringIO(done.stdout)))
    assert (line["n"], float(line["value"])) == ("997", pytest.approx(2 / 3))
    assert "3 of 1000 case(s) could not be scored:" in done.stderr
    reasons = [text.strip() for text in done.stderr.splitlines()[1:]]
    assert [reason.split(":")[0] for reason in reasons] == ["case0007", "case0500", "case0999"]
    assert "of the" in reasons[0]
    assert "is empty" in reasons[1]
    assert "different shapes" in reasons[2]


def test_all_broken_is_an_error(folders: tuple[Path, Path]) -> None:
    prediction, truth = folders
    for path in prediction.iterdir():
        path.write_bytes(b"nothing")
    assert "none of its 6 case(s) could be scored" in problem("seg", prediction, truth)


def test_dicom_segmentations(tmp_path: Path) -> None:
    from groundglass.core import Finding, Location, Mask, ontology
    from groundglass.io import read_image, write_nifti, write_seg
    from groundglass.io.dicom_seg_read import read_seg  # noqa: F401  (fails here where highdicom is absent)

    image = read_image(_ct_series(tmp_path / "ct"))
    terms = ontology()
    lung, heart = np.zeros(image.shape, bool), np.zeros(image.shape, bool)
    lung[2:4, 2:9, 2:9], heart[3:5, 4:12, 4:12] = True, True

    def save(name: str, masks: dict[str, np.ndarray]) -> Path:
        findings = [
            Finding(f"f{n}", terms[term], where=Location(terms[term], mask=Mask.of(mask, image.affine)))
            for n, (term, mask) in enumerate(masks.items(), start=1)
        ]
        return write_seg(findings, image, tmp_path / name)

    # Other order, other slices, and segments that overlap: matched by name, on the union of both grids.
    truth = save("t.dcm", {"lung": lung, "heart": heart})
    prediction = save("p.dcm", {"heart": heart, "lung": np.roll(lung, 1, axis=0)})
    result = document("seg", prediction, truth, "--metrics", "dice")
    assert values(result, "dice", "heart") == {"t": 1.0}
    assert values(result, "dice", "lung") == {"t": pytest.approx(0.5)}
    flat = write_nifti(np.roll(lung, 1, axis=0).astype(np.uint8), image, tmp_path / "p.nii.gz")
    against = document("seg", save("only.dcm", {"lung": lung}), flat, "--metrics", "dice")
    assert list(values(against, "dice", "lung").values()) == [pytest.approx(0.5)]


def _ct_series(folder: Path) -> Path:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "io"))
    from dicom_cases import series

    series(folder)
    return folder

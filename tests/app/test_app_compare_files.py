"""How `compare` pairs files, reads tables and label names, lays masks on one grid, and survives broken cases."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest
from compare_workers import odd

from groundglass.app.compare.batch import Failure, run_all
from groundglass.app.compare.cases import pair_files
from groundglass.app.compare.label_names import NamedLabel, read_labels
from groundglass.app.compare.masks import is_mask_file, matched_by_name, on_one_grid, read_labels_of, with_spacing_of
from groundglass.app.compare.records import keyed, read_table
from groundglass.app.compare.settings import Settings, method_names
from groundglass.core import ConfigurationError, GeometryError, InputError

AFFINE = np.array([[1, 0.1, 0, 3], [-0.1, 2, 0, 4], [0, 0, 3, 5], [0, 0, 0, 1.0]])


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def pairs(prediction: Path, truth: Path, **settings: object) -> dict[str, str]:
    pairing = pair_files(prediction, truth, is_mask_file, Settings(**settings))  # type: ignore[arg-type]
    return {pair.case: pair.patient for pair in pairing.pairs}


def save(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def labels(seed: int = 0, shape: tuple[int, ...] = (5, 6, 7)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)


class TestPairing:
    def test_by_name_whatever_the_format_and_the_folder(self, tmp_path: Path) -> None:
        prediction = touch(tmp_path / "p", "sub-01_ses-1.nii.gz", "deep/sub-02.mha", ".hidden.nii", "notes.txt")
        truth = touch(tmp_path / "t", "sub-01_ses-1.nrrd", "sub-02.seg.nrrd")
        assert pairs(prediction, truth) == {"sub-01_ses-1": "sub-01", "sub-02": "sub-02"}

    def test_by_path_where_names_repeat(self, tmp_path: Path) -> None:
        prediction = touch(tmp_path / "p", "a/mask.nii.gz", "b/mask.nii.gz")
        truth = touch(tmp_path / "t", "a/mask.png", "b/mask.png")
        assert pairs(prediction, truth) == {"a/mask": "a/mask", "b/mask": "b/mask"}

    def test_by_expression(self, tmp_path: Path) -> None:
        prediction = touch(tmp_path / "p", "case7_pred.nii.gz", "case8_pred.nii.gz")
        truth = touch(tmp_path / "t", "case7_gt.nii.gz", "case8_gt.nii.gz")
        with pytest.raises(InputError, match="share no case id"):
            pairs(prediction, truth)
        found = pairs(prediction, truth, case_from=re.compile(r"case(\d+)"), patient_from=re.compile("case."))
        assert found == {"7": "case7", "8": "case8"}
        with pytest.raises(ConfigurationError, match="finds nothing in case7_gt"):
            pairs(prediction, truth, case_from=re.compile(r"case(\d+)"), patient_from=re.compile("nobody"))

    def test_two_files_are_one_case(self, tmp_path: Path) -> None:
        folder = touch(tmp_path, "anything.nii.gz", "sub-9_truth.nii.gz")
        assert pairs(folder / "anything.nii.gz", folder / "sub-9_truth.nii.gz") == {"sub-9_truth": "sub-9"}

    def test_a_case_twice_names_both_files(self, tmp_path: Path) -> None:
        prediction = touch(tmp_path / "p", "a.nii", "a.nii.gz")
        truth = touch(tmp_path / "t", "a.nii")
        with pytest.raises(InputError, match=r"case a twice \(a.nii and a.nii.gz\)"):
            pairs(prediction, truth)

    def test_missing_cases_need_a_rule(self, tmp_path: Path) -> None:
        prediction = touch(tmp_path / "p", "a.nii", "extra.nii")
        truth = touch(tmp_path / "t", "a.nii", "b.nii")
        with pytest.raises(InputError, match=r"no prediction for 1 case\(s\): b\. .*--allow-missing skip"):
            pairs(prediction, truth)
        skipped = pair_files(prediction, truth, is_mask_file, Settings(missing="skip"))
        assert [pair.case for pair in skipped.pairs] == ["a"]
        assert (skipped.missing, skipped.without_truth) == (("b",), ("extra",))
        worst = pair_files(prediction, truth, is_mask_file, Settings(missing="worst"))
        assert [(pair.case, pair.prediction is None) for pair in worst.pairs] == [("a", False), ("b", True)]

    def test_wrong_paths(self, tmp_path: Path) -> None:
        folder = touch(tmp_path / "t", "a.nii")
        with pytest.raises(InputError, match="does not exist"):
            pairs(tmp_path / "absent", folder)
        with pytest.raises(InputError, match="a file and a folder"):
            pairs(folder / "a.nii", folder)
        with pytest.raises(InputError, match="holds no file of this kind"):
            pairs(touch(tmp_path / "empty", "a.txt"), folder)


def test_names_of_two_predictions(tmp_path: Path) -> None:
    assert method_names(Path("a/net1"), Path("a/net2")) == ("net1", "net2")
    assert method_names(Path("net1/out"), Path("net2/out")) == ("net1/out", "net2/out")
    assert method_names(tmp_path, tmp_path) == tuple(f"{tmp_path.parent.name}/{tmp_path.name} ({n})" for n in (1, 2))


class TestTables:
    def test_csv_tsv_and_json_are_alike(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("case,patient,score\nx,1,0.5\ny,1,0.25\n\n")
        (tmp_path / "a.tsv").write_text("case\tpatient\tscore\nx\t1\t0.5\ny\t1\t0.25\n")
        rows = [{"case": "x", "patient": 1, "score": 0.5}, {"case": "y", "patient": 1, "score": 0.25}]
        (tmp_path / "a.json").write_text(json.dumps(rows))
        (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
        for name in ("a.csv", "a.tsv", "a.json", "a.jsonl"):
            found = keyed(read_table(tmp_path / name), Settings())
            values = {case: (patient, record.number("score")) for case, (patient, record) in found.items()}
            assert values == {"x": ("1", 0.5), "y": ("1", 0.25)}

    @pytest.mark.parametrize("cell", ["nan", "", "inf", "high"])
    def test_no_number_names_the_line(self, tmp_path: Path, cell: str) -> None:
        path = tmp_path / "a.csv"
        path.write_text(f"case,score\nx,1\ny,{cell}\n")
        with pytest.raises(InputError, match=r"a.csv line 3: .* as score, which is no finite number"):
            read_table(path).records[1].number("score")

    def test_a_case_twice_names_both_lines(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("case,score\nx,1\ny,2\nx,3\n")
        with pytest.raises(InputError, match=r"case x twice .*line 2 and .*line 4"):
            keyed(read_table(path), Settings())

    def test_broken_tables(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        for content, problem in {
            "case,score\nx\n": "line 2: has 1 cells, the header 2",
            "case,case\nx,y\n": "the column 'case' twice",
            "case,score\n": "has no rows",
            '[{"case": 1},': "neither JSON nor a table",
            "[1, 2]": "not a JSON list of objects",
        }.items():
            path.write_text(content)
            with pytest.raises(InputError, match=re.escape(problem)):
                read_table(path)
        path.write_text("name,score\nx,1\n")
        with pytest.raises(InputError, match=r"no column case or .*it has name, score"):
            keyed(read_table(path), Settings())
        assert list(keyed(read_table(path), Settings(case_column="name"))) == ["x"]


class TestLabelNames:
    EXPECTED = (NamedLabel("liver", (1,)), NamedLabel("spleen", (2,)))

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", "value,name\n0,background\n1,liver\n2,spleen\n"),
            ("a.json", '{"0": "background", "1": "liver", "2": "spleen"}'),
            ("a.json", '{"liver": 1, "spleen": 2}'),
            ("a.json", '[{"value": 1, "name": "liver"}, {"value": 2, "name": "spleen"}]'),
            ("dataset.json", '{"labels": {"background": 0, "liver": 1, "spleen": 2}, "numTraining": 3}'),
            ("dataset.json", '{"labels": {"0": "background", "1": "liver", "2": "spleen"}}'),
            (
                "a.txt",
                '# ITK-SnAP Label Description File\n 0 0 0 0 0 0 0 "Clear Label"\n'
                '    1   255    0    0        1  1  1    "liver"\n    2     0  255    0    0.5  1  1    "spleen"\n',
            ),
        ],
    )
    def test_forms(self, tmp_path: Path, name: str, content: str) -> None:
        (tmp_path / name).write_text(content)
        assert read_labels(str(tmp_path / name)) == self.EXPECTED

    def test_regions_and_inline(self, tmp_path: Path) -> None:
        (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "whole": [1, 2, 3], "core": [2, 3]}}')
        assert read_labels(str(tmp_path / "dataset.json")) == (
            NamedLabel("whole", (1, 2, 3)),
            NamedLabel("core", (2, 3)),
        )
        assert read_labels("1=liver,2=spleen") == self.EXPECTED
        assert read_labels("4") == (NamedLabel("4", (4,)),)

    @pytest.mark.parametrize(
        "content", ['{"1": "liver", "2": "liver"}', '{"a": 1, "b": 1}', '{"1": 5}', "{}", '{"a": -1}', '{"a": 1.5}']
    )
    def test_contradictions(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(InputError):
            read_labels(str(tmp_path / "a.json"))

    def test_neither_file_nor_numbers(self) -> None:
        with pytest.raises(ConfigurationError, match="neither a file nor numbers"):
            read_labels("absent.json")


class TestGrid:
    @pytest.mark.parametrize("axes", ["LPS", "PIR", "SAL", "RAS", "IPL"])
    def test_axes_in_another_order_are_turned(self, tmp_path: Path, axes: str) -> None:
        image = nibabel.Nifti1Image(labels(), AFFINE)
        to = nibabel.orientations.ornt_transform(
            nibabel.io_orientation(AFFINE), nibabel.orientations.axcodes2ornt(axes)
        )
        nibabel.save(image.as_reoriented(to), tmp_path / "p.nii.gz")
        truth = read_labels_of(save(tmp_path / "t.nii.gz", labels()))
        turned, same = on_one_grid(read_labels_of(tmp_path / "p.nii.gz"), truth)
        np.testing.assert_array_equal(turned.layers[0], same.layers[0])
        assert same is truth

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (np.diag([1, 1, 1.1, 1]), "different spacings, 1.005 x 2.002 x 3.3 and 1.005 x 2.002 x 3 mm"),
            (np.array([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), "in different places or directions"),
        ],
    )
    def test_another_grid_names_both_files_and_the_remedy(
        self, tmp_path: Path, change: np.ndarray, problem: str
    ) -> None:
        first = read_labels_of(save(tmp_path / "p.nii.gz", labels(), AFFINE @ change))
        second = read_labels_of(save(tmp_path / "t.nii.gz", labels()))
        with pytest.raises(GeometryError, match=rf"p.nii.gz and .*t.nii.gz: .*{problem}.*--spacing-from") as caught:
            on_one_grid(first, second)
        assert len(str(caught.value).splitlines()) == 1
        same, _ = on_one_grid(with_spacing_of(first, tmp_path / "t.nii.gz"), second)
        assert same.spacing == second.spacing

    def test_another_shape(self, tmp_path: Path) -> None:
        first = read_labels_of(save(tmp_path / "p.nii.gz", labels()[:4]))
        second = read_labels_of(save(tmp_path / "t.nii.gz", labels()))
        with pytest.raises(GeometryError, match="different shapes, 4 x 6 x 7 and 5 x 6 x 7 voxels"):
            on_one_grid(first, second)
        with pytest.raises(GeometryError, match="spacing cannot be taken over"):
            with_spacing_of(first, tmp_path / "t.nii.gz")

    def test_rounding_of_headers_is_no_difference(self, tmp_path: Path) -> None:
        first = read_labels_of(save(tmp_path / "p.nii.gz", labels(), AFFINE + 1e-4))
        second = read_labels_of(save(tmp_path / "t.nii.gz", labels()))
        assert on_one_grid(first, second)[0].shape == (5, 6, 7)

    @pytest.mark.parametrize(
        ("array", "problem"),
        [
            (np.array([[[0.5, 1.0]]], dtype=np.float32), "holds fractions"),
            (np.array([[[np.nan, 1.0]]], dtype=np.float32), "holds NaN"),
            (np.array([[[-1, 1]]], dtype=np.int16), "negative label -1"),
        ],
    )
    def test_values_that_are_no_labels(self, tmp_path: Path, array: np.ndarray, problem: str) -> None:
        with pytest.raises(InputError, match=problem):
            read_labels_of(save(tmp_path / "a.nii.gz", array))


class TestBatch:
    def test_broken_cases_and_a_dying_process_cost_only_themselves(self) -> None:
        answers = run_all(odd, list(range(12)), processes=2, title="test")
        assert [a for a in answers if not isinstance(a, Failure)] == [0, 10, 20, 40, 60, 80, 90, 100, 110]
        failures = [answers[n] for n in (3, 5, 7)]
        assert [f.reason for f in failures if isinstance(f, Failure)] == [
            "case 3: is odd. Leave it.",
            "ZeroDivisionError: five",
            "its process ended: a damaged file, or too little memory",
        ]

    def test_one_process_gives_the_same(self) -> None:
        assert run_all(odd, [1, 2, 4], processes=1, title="test") == [10, 20, 40]


def test_segments_are_matched_by_name(tmp_path: Path) -> None:
    from dataclasses import replace

    first = read_labels_of(save(tmp_path / "p.nii.gz", labels()))
    named = replace(first, names={1: "heart", 2: "liver", 3: "spleen"})
    truth = replace(first, names={1: "liver", 2: "heart"})
    moved = matched_by_name(named, truth)
    assert moved.names == {2: "heart", 1: "liver", 4: "spleen"}
    np.testing.assert_array_equal(moved.where((2,)), first.where((1,)))
    assert matched_by_name(first, truth) is first

"""`compare labels`: figures against scikit-learn, DeLong's test, classes, and cells that are no answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from compare_cases import compare, document, problem, save_table, summary, values
from scipy import stats
from sklearn import metrics as peer

CASES = [f"im{n}" for n in range(80)]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("labels")
    rng = np.random.default_rng(5)
    truth = (rng.random((80, 2)) < (0.4, 0.2)).astype(int)
    scores = {
        name: stats.norm.cdf(truth * gain - 0.6 + rng.normal(size=(80, 2))) for name, gain in (("p", 1.8), ("q", 0.9))
    }
    names = ["effusion", "nodule"]
    patients = [f"pat{n // 2}" for n in range(80)]
    rows = [[case, patient, *row] for case, patient, row in zip(CASES, patients, truth, strict=True)]
    found: dict[str, object] = {"truth": truth, **scores}
    found["t.csv"] = save_table(folder / "t.csv", ["case", "patient", *names], rows)
    for name, values_of in scores.items():
        rows = [[case, *row] for case, row in zip(CASES[::-1], values_of[::-1], strict=True)]
        found[f"{name}.csv"] = save_table(folder / f"{name}.csv", ["image_id", *names], rows)
    return found


def test_figures_agree_with_scikit_learn(tables: dict[str, object]) -> None:
    known = ",".join(
        ["auroc", "average_precision", "sensitivity", "specificity", "ppv", "npv", "f1", "mcc", "balanced_accuracy",
         "accuracy", "brier", "sensitivity_at_specificity"]
    )  # fmt: skip
    result = document("labels", tables["p.csv"], tables["t.csv"], "--metrics", known, "--resamples", 400)
    for n, label in enumerate(("effusion", "nodule")):
        y, score = tables["truth"][:, n], tables["p"][:, n]  # type: ignore[index]
        said = score >= 0.5
        expected = {
            "auroc": peer.roc_auc_score(y, score),
            "average_precision": peer.average_precision_score(y, score),
            "sensitivity": peer.recall_score(y, said),
            "specificity": peer.recall_score(y, said, pos_label=0),
            "ppv": peer.precision_score(y, said),
            "npv": peer.precision_score(y, said, pos_label=0),
            "f1": peer.f1_score(y, said),
            "mcc": peer.matthews_corrcoef(y, said),
            "balanced_accuracy": peer.balanced_accuracy_score(y, said),
        }
        for metric, value in expected.items():
            line = summary(result, metric, label)
            assert line["value"] == pytest.approx(value, abs=1e-12)
            assert line["low"] < value < line["high"]
            assert (line["n"], line["patients"]) == (80, 40)
        assert summary(result, "accuracy", label)["mean"] == pytest.approx(peer.accuracy_score(y, said))
        assert summary(result, "brier", label)["mean"] == pytest.approx(peer.brier_score_loss(y, score))
        false, true, _ = peer.roc_curve(y, score)
        assert summary(result, "sensitivity_at_specificity", label)["value"] == pytest.approx(
            true[1 - false >= 0.9].max()
        )
    both = [summary(result, "auroc", label)["value"] for label in ("effusion", "nodule")]
    assert summary(result, "auroc", "(mean of labels)")["value"] == pytest.approx(np.mean(both))


def test_own_formulas_of_counts_agree_with_the_room(tables: dict[str, object]) -> None:
    """The bootstrap works on summed counts; each formula must be that of metrics.classification."""
    from groundglass.app.compare.labels import DECIDED, _of_cells
    from groundglass.metrics import classification as room

    rng = np.random.default_rng(0)
    for _ in range(50):
        y, said = rng.integers(0, 2, 30), rng.integers(0, 2, 30)
        cells = [[(y & said).sum(), ((1 - y) & said).sum(), (y & (1 - said)).sum(), ((1 - y) & (1 - said)).sum()]]
        found = dict(zip(DECIDED, _of_cells(np.array(cells, dtype=float))[0], strict=True))
        rates = room.rates(y, said)
        assert found["sensitivity"] == pytest.approx(rates.sensitivity.naive)
        assert found["specificity"] == pytest.approx(rates.specificity.naive)
        assert found["ppv"] == pytest.approx(rates.ppv.naive)
        assert found["npv"] == pytest.approx(rates.npv.naive)
        assert found["mcc"] == pytest.approx(room.matthews(y, said))
        assert found["balanced_accuracy"] == pytest.approx(room.balanced_accuracy(y, said))
        assert found["f1"] == pytest.approx(room.multilabel_f_scores(y[:, None], said[:, None]).f[0])


def test_two_predictions_by_delong(tables: dict[str, object]) -> None:
    from groundglass.metrics.classification import auroc_difference

    arguments = (tables["p.csv"], tables["t.csv"], "--against", tables["q.csv"], "--resamples", 400)
    result = document("labels", *arguments)
    tests = [test for test in result["tests"] if test["metric"] == "auroc"]
    clusters = [n // 2 for n in range(80)]
    expected = [
        auroc_difference(tables["truth"][:, n], tables["p"][:, n], tables["q"][:, n], clusters=clusters)  # type: ignore[index]
        for n in (0, 1)
    ]
    assert [test["p"]["delong"] for test in tests] == pytest.approx([one.p for one in expected])
    assert [test["difference"] for test in tests] == pytest.approx([one.value for one in expected])
    smaller, larger = sorted(one.p for one in expected)
    assert sorted(test["holm"]["delong"] for test in tests) == pytest.approx(
        [min(2 * smaller, 1), max(larger, 2 * smaller)]
    )
    shown = compare("labels", *arguments)
    assert "p DeLong (Holm)" in shown.stdout
    assert "p Wilcoxon (Holm)" in shown.stdout


def test_subgroups(tables: dict[str, object], tmp_path: Path) -> None:
    truth, scores = tables["truth"], tables["p"]
    sex = ["F" if n % 3 else "M" for n in range(80)]
    rows = [[case, sex[n], truth[n, 0]] for n, case in enumerate(CASES)]  # type: ignore[index]
    t = save_table(tmp_path / "t.csv", ["case", "sex", "effusion"], rows)
    p = save_table(tmp_path / "p.csv", ["case", "effusion"], [[c, scores[n, 0]] for n, c in enumerate(CASES)])  # type: ignore[index]
    arguments = ("--group", "sex", "--metrics", "auroc", "--resamples", 300)
    result = document("labels", p, t, *arguments)
    expected = {}
    for name in ("F", "M"):
        own = [n for n in range(80) if sex[n] == name]
        expected[name] = peer.roc_auc_score(truth[own, 0], scores[own, 0])  # type: ignore[index]
        assert summary(result, "subgroup_auroc", f"effusion: {name}")["value"] == pytest.approx(expected[name])
    gap = summary(result, "subgroup_auroc_gap", "effusion")
    assert gap["value"] == pytest.approx(abs(expected["F"] - expected["M"]))
    assert gap["low"] < gap["value"] < gap["high"]
    assert "has no column age" in problem("labels", p, t, "--group", "age", "--labels", "effusion")


def test_classes_and_grades(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 60)
    said = np.clip(truth + rng.integers(-1, 2, 60), 0, 3)
    t = save_table(tmp_path / "t.csv", ["case", "grade"], [[f"c{n}", value] for n, value in enumerate(truth)])
    p = save_table(tmp_path / "p.csv", ["case", "grade"], [[f"c{n}", float(value)] for n, value in enumerate(said)])
    result = document("labels", p, t, "--resamples", 300)
    assert summary(result, "accuracy")["mean"] == pytest.approx(peer.accuracy_score(truth, said))
    assert summary(result, "mae")["mean"] == pytest.approx(np.abs(truth - said).mean())
    assert summary(result, "balanced_accuracy")["value"] == pytest.approx(peer.balanced_accuracy_score(truth, said))
    assert summary(result, "macro_f1")["value"] == pytest.approx(peer.f1_score(truth, said, average="macro"))
    assert summary(result, "kappa")["value"] == pytest.approx(peer.cohen_kappa_score(truth, said))
    quadratic = peer.cohen_kappa_score(truth, said, weights="quadratic")
    assert summary(result, "quadratic_kappa")["value"] == pytest.approx(quadratic)
    names = np.array(["normal", "benign", "malignant", "other"])
    t = save_table(tmp_path / "t.csv", ["case", "class"], [[f"c{n}", names[value]] for n, value in enumerate(truth)])
    p = save_table(tmp_path / "p.csv", ["case", "class"], [[f"c{n}", names[value]] for n, value in enumerate(said)])
    named = document("labels", p, t, "--resamples", 300)
    assert summary(named, "kappa")["value"] == pytest.approx(peer.cohen_kappa_score(truth, said))
    assert {row["metric"] for row in named["figures"]} == {"balanced_accuracy", "macro_f1", "mcc", "kappa"}
    save_table(
        p, ["case", "class"], [[f"c{n}", "Malignant" if n == 3 else names[value]] for n, value in enumerate(said)]
    )
    assert "predicts Malignant, which no truth is" in problem("labels", p, t)


class TestCellsThatAreNoAnswers:
    HEADER = ("case", "a")

    def tables(self, tmp_path: Path, said: list[object], real: list[object]) -> tuple[Path, Path]:
        p = save_table(tmp_path / "p.csv", self.HEADER, [[f"c{n}", value] for n, value in enumerate(said)])
        t = save_table(tmp_path / "t.csv", self.HEADER, [[f"c{n}", value] for n, value in enumerate(real)])
        return p, t

    @pytest.mark.parametrize("cell", ["nan", ""])
    def test_nan_scores(self, tmp_path: Path, cell: str) -> None:
        p, t = self.tables(tmp_path, [0.9, 0.2, cell, 0.1, 0.8], [1, 0, 1, 0, 1])
        text = problem("labels", p, t)
        assert "p.csv line 4" in text
        assert "has no a (NaN or empty) for 1 case(s): c2" in text
        assert summary(document("labels", p, t, "--allow-missing", "skip"), "accuracy")["n"] == 4
        worst = document("labels", p, t, "--allow-missing", "worst")
        assert values(worst, "accuracy", "a")["c2"] == 0
        assert values(worst, "brier", "a")["c2"] == 1

    def test_scores_that_are_no_numbers(self, tmp_path: Path) -> None:
        p, t = self.tables(tmp_path, [0.9, "high", 0.1], [1, 0, 1])
        assert "line 3: has 'high' as a, which is no finite number" in problem("labels", p, t)

    def test_truths(self, tmp_path: Path) -> None:
        p, t = self.tables(tmp_path, [0.9, 0.2, 0.3, 0.6], [1, 0, "", 1])
        result = document("labels", p, t)
        assert summary(result, "accuracy")["n"] == 3
        assert "a: 1 case(s) without a truth were left out" in result["warnings"]
        two = ["case", "a", "b"]
        p = save_table(tmp_path / "p.csv", two, [["c0", 0.5, 0.5], ["c1", 0.5, 0.5]])
        t = save_table(tmp_path / "t.csv", two, [["c0", 1, -1], ["c1", 0, 0]])
        assert "line 2: has '-1' as the truth of b" in problem("labels", p, t)

    def test_one_class_has_no_auroc_but_the_rest(self, tmp_path: Path) -> None:
        p, t = self.tables(tmp_path, [0.9, 0.2, 0.3], [0, 0, 0])
        result = document("labels", p, t)
        assert {row["metric"] for row in result["figures"]} >= {"specificity", "sensitivity"}
        assert "auroc" not in {row["metric"] for row in result["figures"]}
        assert any("a: no AUROC" in warning for warning in result["warnings"])
        assert summary(result, "sensitivity")["value"] is None

    def test_decisions_have_no_ranking(self, tmp_path: Path) -> None:
        p, t = self.tables(tmp_path, [1, 0, 0, 1], [1, 0, 1, 0])
        assert {row["metric"] for row in document("labels", p, t)["figures"]} == {"sensitivity", "specificity", "f1"}
        assert "none fits a" in problem("labels", p, t, "--metrics", "auroc")

    def test_duplicates_missing_cases_and_columns(self, tmp_path: Path) -> None:
        t = save_table(tmp_path / "t.csv", ("case", "a", "b"), [["c0", 1, 0], ["c1", 0, 1]])
        p = save_table(tmp_path / "p.csv", ("case", "a", "b"), [["c0", 1, 0], ["c1", 0, 1], ["c0", 0, 0]])
        assert "has case c0 twice" in problem("labels", p, t)
        save_table(p, ("case", "a", "b"), [["c0", 1, 0]])
        assert "has no prediction for 1 case(s): c1" in problem("labels", p, t)
        save_table(p, ("case", "a", "c"), [["c0", 1, 0], ["c1", 1, 1]])
        assert "have different label columns: b, c" in problem("labels", p, t)
        assert document("labels", p, t, "--labels", "a")["figures"]
        assert "has no column z" in problem("labels", p, t, "--labels", "z")

"""Label sets: rules, policies, evidence, and agreement with human labels where the data is at hand."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from groundglass.core import ConfigurationError, ontology
from groundglass.text import (
    Label,
    label,
    label_reports,
    label_set,
    label_sets,
    label_table,
    label_values,
    read_label_set,
    read_report,
)

REPORT = (
    "INDICATION: Pneumothorax, rule out fracture. FINDINGS: The heart is enlarged. "
    "Small left effusion, likely atelectasis. Opacity may represent pneumonia. No pneumothorax. "
    "Central line in place. Family history of lung cancer."
)


def values(text: str, name: str, **options: str) -> dict[str, str | None]:
    return {k: v.value for k, v in label(text, name, **options).items()}  # type: ignore[arg-type]


def test_chexpert_with_every_policy() -> None:
    kept = values(REPORT, "chexpert14")
    assert len(kept) == 14
    assert kept == {
        "Enlarged Cardiomediastinum": None,
        "Cardiomegaly": "present",
        "Lung Opacity": "present",
        "Lung Lesion": None,
        "Edema": None,
        "Consolidation": None,
        "Pneumonia": "uncertain",
        "Atelectasis": "uncertain",
        "Pneumothorax": "absent",
        "Pleural Effusion": "present",
        "Pleural Other": None,
        "Fracture": None,
        "Support Devices": "present",
        "No Finding": "absent",
    }
    expected = {
        "ones": ("present", "present"),
        "zeros": ("absent", "absent"),
        "ignore": (None, None),
        "probable": ("absent", "present"),
    }
    for policy, (pneumonia, atelectasis) in expected.items():
        found = values(REPORT, "chexpert14", uncertain=policy)
        assert (found["Pneumonia"], found["Atelectasis"]) == (pneumonia, atelectasis)
        changed = {k for k in kept if found[k] != kept[k]}
        assert changed == {"Pneumonia", "Atelectasis"}


def test_numbers_are_those_of_chexpert() -> None:
    assert [Label(v).number for v in ("present", "absent", "uncertain", None)] == [1.0, 0.0, -1.0, None]  # type: ignore[arg-type]


def test_no_finding_needs_silence_but_devices_are_allowed() -> None:
    assert values("Lungs are clear. Pacemaker.", "chexpert14")["No Finding"] == "present"
    assert values("Possible pneumonia.", "chexpert14")["No Finding"] == "absent"
    assert values("", "nih8")["Normal"] == "present"


def test_labels_carry_their_sentences() -> None:
    found = label(REPORT, "chexpert14")["Pleural Effusion"]
    (finding,) = found.findings
    assert finding.evidence[0].span is not None
    assert REPORT[slice(*finding.evidence[0].span)] == "Small left effusion, likely atelectasis."
    assert label(read_report(REPORT), "chexpert14")["Pleural Effusion"] == found


def test_sets_of_the_cards() -> None:
    assert set(label_sets()) == {"chexpert14", "nih14", "nih8", "ctrate18"}
    counts = {name: len(label_set(name).rules) for name in label_sets()}
    assert counts == {"chexpert14": 14, "nih14": 15, "nih8": 9, "ctrate18": 18}
    assert all(label_set(name).source for name in label_sets())
    nih = values("Atelectasis. Mass in the right upper lobe. Hiatal hernia.", "nih14")
    assert {k for k, v in nih.items() if v == "present"} == {"Atelectasis", "Mass", "Hernia"}
    ct = values("Mosaic attenuation and bronchiectasis. Calcified plaques in the coronary arteries.", "ctrate18")
    assert {k for k, v in ct.items() if v == "present"} == {
        "Mosaic attenuation pattern",
        "Bronchiectasis",
        "Coronary artery wall calcification",
    }


def test_a_set_of_ones_own() -> None:
    own = read_label_set({"name": "own", "labels": {"Wet": {"any": ["pleural effusion"]}, "Dry": {"none of": "all"}}})
    wet, dry = label_reports(["Empyema on the left.", "No effusion."], own)
    assert (wet["Wet"].value, wet["Dry"].value) == ("present", "absent")
    assert (dry["Wet"].value, dry["Dry"].value) == ("absent", "present")


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigurationError, match="is not a label set"):
        label("", "chexpert15")
    with pytest.raises(ConfigurationError, match="not a term"):
        read_label_set({"name": "own", "labels": {"X": {"any": ["unobtainium"]}}})
    with pytest.raises(ConfigurationError, match="not a policy"):
        read_label_set({"name": "own", "uncertain": "maybe", "labels": {}})


@pytest.mark.parametrize("name", ["openi-reports", "ct-report-findings"])
def test_agreement_with_human_labels(data: Path, name: str) -> None:
    """On the val split; the test split is for reporting (benchmarks/report_labels.py)."""
    script = Path(__file__).parents[2] / "benchmarks" / "report_labels.py"
    found = runpy.run_path(str(script))["evaluate"](data, name, "val")
    assert found["micro_f1"] >= 0.90, found
    assert found["macro_f1"] >= 0.80, found


@pytest.mark.parametrize("policy", [None, "keep", "ones", "zeros", "ignore", "probable"])
@pytest.mark.parametrize("name", label_sets())
def test_values_are_those_of_the_labels(name: str, policy: str | None) -> None:
    texts = [
        REPORT,
        "",
        "No pneumothorax, possible effusion. Likely effusion.",
        "IMPRESSION: Pneumonia vs atelectasis.",
    ]
    for text in texts:
        slow = {k: v.value for k, v in label(text, name, uncertain=policy).items()}  # type: ignore[arg-type]
        assert label_values(text, name, uncertain=policy) == slow  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_table_keeps_order_and_goes_on_after_a_bad_source(workers: int) -> None:
    good = [(f"r{i}", "Small effusion." if i % 2 else b"No effusion.") for i in range(1200)]
    rows = list(label_table([*good[:600], ("scan.dcm", bytes(range(256))), *good[600:]], workers=workers))
    assert [row.source for row in rows] == [*(n for n, _ in good[:600]), "scan.dcm", *(n for n, _ in good[600:])]
    assert "not text" in rows[600].error
    assert rows[600].values == {}
    assert [r.values["Pleural Effusion"] for r in rows[:2]] == ["absent", "present"]
    assert sum(bool(row.error) for row in rows) == 1


def test_every_finding_has_a_label_of_its_own() -> None:
    found = label("Small left pleural effusion. No pneumothorax.", "findings")
    assert found["pleural effusion"].value == "present"
    assert found["pneumothorax"].value == "absent"
    assert found["cardiomegaly"].value is None
    assert len(found) == sum(entry.kind in ("finding", "device") for entry in ontology())


def test_radlex_says_why_it_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match="licence"):
        label_set("radlex")

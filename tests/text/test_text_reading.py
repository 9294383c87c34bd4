"""Reports to findings: evidence, sections, sides, lists, change, sizes, devices."""

from __future__ import annotations

import pytest

from groundglass.core import ConfigurationError, Finding, from_dict, ontology, to_dict
from groundglass.text import read_findings, read_report, read_reports

REPORT = """EXAM: Chest radiograph, two views

CLINICAL HISTORY: Cough. Evaluate for pneumonia.
COMPARISON: Radiograph with large effusion of last week.

FINDINGS:
There is a small left pleural effusion, unchanged. No pneumothorax or focal consolidation.
Heart size is normal.
A 3 x 2.5 cm mass is seen in the right upper lobe.

IMPRESSION:
1. Right upper lobe mass, suspicious for malignancy.
2. Small left pleural effusion.
"""


def only(text: str) -> Finding:
    (finding,) = read_findings(text)
    return finding


def stated(text: str) -> list[tuple[str, str]]:
    return [(f.what.name, f.status) for f in read_findings(text)]


def test_every_finding_points_at_its_sentence_and_its_words() -> None:
    report = read_report(REPORT)
    assert report.findings
    spans = set()
    for finding in report.findings:
        sentence, rule = finding.evidence
        assert (sentence.source, rule.source) == ("sentence", "rule")
        assert sentence.span is not None
        assert rule.span is not None
        assert sentence.span[0] <= rule.span[0] < rule.span[1] <= sentence.span[1]
        spans.add(REPORT[slice(*sentence.span)])
    texts = [s.text for section in report.sections for s in section.sentences]
    assert spans <= set(texts)
    assert [f.id for f in report.findings] == [i for s in report.sections for x in s.sentences for i in x.findings]
    assert from_dict(to_dict(report)) == report


def test_sections_and_what_they_mean() -> None:
    report = read_report(REPORT)
    assert [s.name for s in report.sections] == ["technique", "indication", "comparison", "findings", "impression"]
    asked = [f for f in report.findings if f.evidence[0].name == "indication"]
    assert [(f.what.name, f.attribute("assertion")) for f in asked] == [("cough", None), ("pneumonia", "hypothetical")]
    assert not any(f.attribute("severity") == "large" for f in report.findings)


def test_the_lesion_is_placed_measured_and_doubted() -> None:
    found = {f.what.name: f for f in read_report(REPORT).findings}
    mass, doubted = found["lung lesion"], found["malignancy"]
    assert (mass.where.anatomy, mass.where.side) == (ontology()["upper lobe of lung"], "right")
    seen = next(f for f in read_report(REPORT).findings if f.measurements)
    assert [(m.kind.name, m.value, m.unit) for m in seen.measurements] == [
        ("long axis", 30.0, "mm"),
        ("short axis", 25.0, "mm"),
    ]
    assert doubted.status == "uncertain"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "There is no pleural effusion, pneumothorax or focal consolidation.",
            [("pleural effusion", "absent"), ("pneumothorax", "absent"), ("consolidation", "absent")],
        ),
        (
            "The effusion has resolved but the opacity persists.",
            [("pleural effusion", "absent"), ("opacity", "present")],
        ),
        (
            "Except for a small effusion, no abnormality is seen.",
            [("pleural effusion", "present"), ("abnormality", "absent")],
        ),
        ("Pneumonia cannot be excluded.", [("pneumonia", "uncertain")]),
        ("The left hemidiaphragm is elevated.", [("hemidiaphragm elevation", "present")]),
        ("", []),
        ("The patient was positioned upright.", []),
    ],
)
def test_what_is_stated(text: str, expected: list[tuple[str, str]]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize(
    ("text", "anatomy", "side"),
    [
        ("Small left pleural effusion.", "pleura", "left"),
        ("Opacity in the base of the right lung.", "lower zone of lung", "right"),
        ("Right lung lower lobe consolidation.", "lower lobe of lung", "right"),
        ("In the right lower lobe there is consolidation.", "lower lobe of lung", "right"),
        ("Bibasilar atelectasis.", "lower zone of lung", "bilateral"),
        ("The heart is enlarged.", "heart", None),
    ],
)
def test_places(text: str, anatomy: str, side: str | None) -> None:
    where = only(text).where
    assert (where.anatomy, where.side) == (ontology()[anatomy], side)


def test_two_places_are_two_findings() -> None:
    nodules = read_findings("Nodules in the right upper lobe and left lower lobe.")
    assert [(str(f.where.anatomy), f.where.side) for f in nodules] == [
        ("upper lobe of lung", "right"),
        ("lower lobe of lung", "left"),
    ]


def test_change_severity_and_prior_size() -> None:
    finding = only("No change in the moderate right pleural effusion.")
    assert (finding.status, finding.attribute("change"), finding.attribute("severity")) == (
        "present",
        "unchanged",
        "moderate",
    )
    nodule = only("Nodule in the left upper lobe measures 9 mm, previously 6 mm.")
    assert nodule.measurement("long axis") is not None
    assert nodule.attribute("prior long axis") == "6 mm"


def test_devices_and_surgical_states() -> None:
    tube = only("The endotracheal tube tip is 4 cm above the carina.")
    assert tube.attribute("position") == "carina"
    distance = tube.measurement("distance to structure")
    assert distance is not None
    assert distance.value == 40.0
    assert only("Status post CABG.").status == "present"
    assert only("History of pneumonia.").attribute("assertion") == "historical"


def test_many_reports_come_in_order() -> None:
    reports = list(read_reports(["No pneumothorax.", "Pneumothorax."]))
    assert [r.findings[0].status for r in reports] == ["absent", "present"]


def test_a_language_without_a_lexicon_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="without a lexicon"):
        read_report("Kein Erguss.", language="de")


def test_what_a_change_is_compared_with() -> None:
    nodule = only("The nodule has increased since the prior CT of 12 March 2019.")
    assert (nodule.attribute("change"), nodule.attribute("compared with")) == ("increased", "prior CT of 12 March 2019")
    assert only("Stable cardiomegaly.").attribute("compared with") is None


def test_a_recommendation_is_a_finding_and_its_aim_hypothetical() -> None:
    aim, asked = read_findings("Follow-up CT in 6-12 months is recommended to exclude malignancy.")
    assert (aim.what.name, aim.attribute("assertion")) == ("malignancy", "hypothetical")
    assert asked.what == ontology()["follow-up imaging recommendation"]
    assert (asked.attribute("procedure"), asked.attribute("interval")) == ("ct", "6-12 months")
    assert only("No further imaging is recommended.").status == "absent"


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("Mass in the liver, SUVmax 8.2.", "SUVmax", 8.2, "g/mL{SUVbw}"),
        ("Cyst of 12 HU in the left kidney.", "mean attenuation", 12.0, "[hnsf'U]"),
        ("Effusion of about 300 mL.", "volume", 300.0, "mL"),
        ("Nodule of 1,5 cm.", "long axis", 15.0, "mm"),
        ("Lymph node with a short axis of 12 mm.", "short axis", 12.0, "mm"),
        ("Thoracic scoliosis of 23 degrees.", "angle", 23.0, "deg"),
    ],
)
def test_measurements_and_units(text: str, kind: str, value: float, unit: str) -> None:
    (measured,) = only(text).measurements
    assert (measured.kind.name, measured.value, measured.unit) == (kind, value, unit)


def test_sentences_keep_abbreviations_lists_and_lines_apart() -> None:
    text = (
        "IMPRESSION:\n1. Seen by Dr. Smith, approx. 2.5 cm mass vs. abscess.\n2) No effusion\n- Old scar\n"
        "The left lung shows\nno consolidation."
    )
    (section,) = read_report(text).sections
    assert [s.text for s in section.sentences] == [
        "Seen by Dr. Smith, approx. 2.5 cm mass vs. abscess.",
        "No effusion",
        "Old scar",
        "The left lung shows\nno consolidation.",
    ]


@pytest.mark.parametrize(
    "text", ["No headings at all. Effusion.", "findings - effusion", "Findings\nEffusion.", "CHEST: effusion"]
)
def test_odd_headings(text: str) -> None:
    report = read_report(text)
    assert [f.what.name for f in report.findings] == ["pleural effusion"]
    assert report.findings[0].evidence[0].name == "findings"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No hilar or mediastinal lymphadenopathy.", ["hilar lymphadenopathy", "mediastinal lymphadenopathy"]),
        (
            "Interlobular septal and interstitial thickening.",
            ["interlobular septal thickening", "interstitial opacity"],
        ),
        ("Calcified plaques in the aorta and coronary arteries.", ["atherosclerosis", "coronary artery calcification"]),
    ],
)
def test_places_in_a_list_share_their_finding(text: str, expected: list[str]) -> None:
    assert [f.what.name for f in read_findings(text)] == expected


def test_a_wider_place_gives_only_its_side() -> None:
    where = only("Nodule in the left lung in the lingula.").where
    assert (str(where.anatomy), where.side) == ("lingula", "left")


def test_two_lobes_under_one_head() -> None:
    found = read_findings("Right upper and lower lobe consolidation.")
    places = [(str(f.where.anatomy), f.where.side) for f in found]
    assert places == [("upper lobe of lung", "right"), ("lower lobe of lung", "right")]


def test_a_device_is_one_finding_where_its_tip_is() -> None:
    line = only("Left subclavian central line terminates in the mid SVC.")
    assert (str(line.where.anatomy), line.where.side) == ("superior vena cava", "left")
    assert line.attribute("position") == "superior vena cava"


def test_an_enlarged_node_is_enlarged_not_its_place() -> None:
    node = only("Enlarged right paratracheal lymph node measures 1.5 cm in short axis.")
    assert ontology().is_a(node.what.name, "lymphadenopathy")
    assert [(m.kind.name, m.value) for m in node.measurements] == [("short axis", 15.0)]


def test_two_words_for_normal_say_it_once() -> None:
    assert stated("The lungs are well expanded and clear.") == [("opacity", "absent")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Neither the nodule nor the effusion has changed.", ["present", "present"]),
        ("Neither pneumothorax nor effusion is seen.", ["absent", "absent"]),
        ("On the previous scan the left lower lobe was consolidated.", ["historical"]),
        ("On the prior CT there was a right effusion.", ["historical"]),
        ("The effusion seen on the prior CT has resolved.", ["absent"]),
    ],
)
def test_change_denied_and_findings_of_an_earlier_exam(text: str, expected: list[str]) -> None:
    assert [f.attribute("assertion") or f.status for f in read_findings(text)] == expected


def test_a_broken_device_is_no_fracture() -> None:
    assert [f.what.name for f in read_findings("Fractured pacemaker lead.")] == ["pacing lead"]
    assert [f.what.name for f in read_findings("Pacemaker and rib fracture.")] == ["pacemaker", "rib fracture"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("There is no enlargement of the heart or the mediastinum.", "-cardiomegaly -mediastinal widening"),
        ("Enlargement of the heart, mediastinum and hila.", "+cardiomegaly +mediastinal widening +hilar enlargement"),
        ("No widening of the mediastinum or enlargement of the heart.", "-mediastinal widening -cardiomegaly"),
        ("No enlargement of the heart and the lungs are clear.", "-cardiomegaly -opacity"),
    ],
)
def test_a_quality_of_several_places_is_said_of_each(text: str, expected: str) -> None:
    found = read_findings(text)
    assert " ".join(("-" if f.status == "absent" else "+") + f.what.name for f in found) == expected
    usual = {"cardiomegaly": "heart", "mediastinal widening": "mediastinum", "hilar enlargement": "hilum of lung"}
    assert all(str(f.where.anatomy) == usual.get(f.what.name, "lung") for f in found)

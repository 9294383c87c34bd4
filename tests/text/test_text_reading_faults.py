"""Sentences that were once read wrongly, each with near variants and with what looks alike but means something else."""

from __future__ import annotations

import pytest

from groundglass.text import label_values, read_findings


def stated(sentence: str, language: str = "en") -> set[tuple[str, str, str | None]]:
    """(finding, status, anatomy) of everything that a sentence states."""
    found = read_findings(sentence, language=language)
    return {(f.what.name, f.status, f.where.anatomy.name if f.where.anatomy else None) for f in found}


@pytest.mark.parametrize(
    ("sentence", "name", "anatomy"),
    [
        ("No enlargement of the heart.", "cardiomegaly", "heart"),
        ("There is no enlargement of the heart.", "cardiomegaly", "heart"),
        ("No enlargement of the cardiac silhouette is seen.", "cardiomegaly", "heart"),
        ("No enlargement of the spleen.", "splenomegaly", "spleen"),
        ("No enlargement of the liver, and the spleen is normal.", "hepatomegaly", "liver"),
        ("No enlargement of the right hilum.", "hilar enlargement", "hilum of lung"),
        ("No enlargement of the lymph nodes.", "lymphadenopathy", "lymph node"),
        ("Without enlargement of the heart.", "cardiomegaly", "heart"),
    ],
)
def test_an_organ_that_is_not_enlarged(sentence: str, name: str, anatomy: str) -> None:
    assert (name, "absent", anatomy) in stated(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "No enlargement of the nodule.",
        "No enlargement of the left lung nodule.",
        "There is no enlargement of the known nodule in the right lung.",
    ],
)
def test_a_lesion_that_has_not_grown_is_there(sentence: str) -> None:
    (nodule,) = read_findings(sentence)
    assert (nodule.what.name, nodule.status) == ("pulmonary nodule", "present")
    assert nodule.attribute("change") == "unchanged"


def test_a_list_after_an_organ_that_is_not_enlarged_is_denied() -> None:
    expected = {("cardiomegaly", "absent", "heart"), ("pleural effusion", "absent", "pleura")}
    assert stated("No enlargement of the heart or pleural effusion.") == expected


@pytest.mark.parametrize(
    ("sentence", "language", "anatomies"),
    [
        ("The trachea is patent.", "en", {"trachea"}),
        ("Trachea patent.", "en", {"trachea"}),
        ("The trachea and main bronchi are patent.", "en", {"trachea", "bronchus"}),
        ("Trachea, both main bronchi are open.", "en", {"bronchus"}),
        ("Patent airway.", "en", {"airways"}),
        ("气管通畅。", "zh", {"trachea"}),
        ("气管、支气管通畅。", "zh", {"trachea", "bronchus"}),
        ("Trachea pervia.", "it", {"trachea"}),
    ],
)
def test_what_is_patent_is_not_narrowed(sentence: str, language: str, anatomies: set[str]) -> None:
    assert stated(sentence, language) == {("tracheobronchial stenosis", "absent", anatomy) for anatomy in anatomies}


@pytest.mark.parametrize(
    "sentence", ["The trachea is midline.", "Trachea is in the midline.", "The trachea is normal."]
)
def test_only_patent_speaks_of_the_lumen(sentence: str) -> None:
    assert stated(sentence) == {("tracheal deviation", "absent", "trachea")}


def test_midline_and_patent_say_two_things_of_one_trachea() -> None:
    expected = {("tracheal deviation", "absent", "trachea"), ("tracheobronchial stenosis", "absent", "trachea")}
    assert stated("The trachea is midline and patent.") == expected
    assert stated("The lungs are clear and well expanded.") == {("opacity", "absent", "lung")}


def test_patent_coronary_arteries_say_nothing_of_the_heart() -> None:
    assert not any(name == "cardiomegaly" for name, _, _ in stated("The coronary arteries are patent."))


@pytest.mark.parametrize(
    "sentence",
    ["纵隔未见肿大淋巴结。", "纵隔内未见明显肿大淋巴结。", "纵隔未见明显肿大淋巴结影。", "纵隔未见增大淋巴结。"],
)
def test_chinese_no_enlarged_nodes_in_the_mediastinum(sentence: str) -> None:
    assert stated(sentence, "zh") == {("mediastinal lymphadenopathy", "absent", "mediastinum")}
    values = label_values(sentence, "ctrate18", language="zh")
    assert values["Lymphadenopathy"] == "absent"


def test_chinese_no_enlarged_nodes_in_two_places() -> None:
    expected = {
        ("mediastinal lymphadenopathy", "absent", "mediastinum"),
        ("hilar lymphadenopathy", "absent", "hilum of lung"),
    }
    assert stated("纵隔及肺门未见肿大淋巴结。", "zh") == expected


@pytest.mark.parametrize(
    ("sentence", "name", "anatomy"),
    [
        ("肝未见肿大。", "hepatomegaly", "liver"),
        ("脾未见增大。", "splenomegaly", "spleen"),
        ("淋巴结未见肿大。", "lymphadenopathy", "lymph node"),
        ("纵隔未见增宽。", "mediastinal widening", "mediastinum"),
    ],
)
def test_chinese_an_organ_that_is_not_enlarged_stays_one_word(sentence: str, name: str, anatomy: str) -> None:
    assert stated(sentence, "zh") == {(name, "absent", anatomy)}

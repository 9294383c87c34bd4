"""Italian, Japanese and Chinese: assertion, whole reports, encodings, full-width letters, and which language it is.

Sentences and reports were written for this by the authors of the lexicons: the figures say that the grammar does what
was meant, not how it fares on a hospital's reports.
"""

from __future__ import annotations

import json

import pytest
from assertion_corpus import CLASSES, DATA, corpus, decided

from groundglass.core import ConfigurationError, ontology
from groundglass.text import decode_report, label, label_values, read_findings, read_report
from groundglass.text.languages import language_of
from groundglass.text.lexicon import languages, lexicon

LANGUAGES = ("it", "ja", "zh")


def reports(language: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / f"reports_{language}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_assertion_on_the_sentences(language: str) -> None:
    targets = corpus(language)
    assert len({t.sentence for t in targets}) >= 60
    assert {t.expected for t in targets} == set(CLASSES.values())
    assert all(t.words in t.sentence for t in targets)
    wrong = [t for t in targets if decided(t, language) != {t.expected}]
    assert len(wrong) <= 0.05 * len(targets), wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_whole_reports_give_the_18_labels(language: str) -> None:
    rows = reports(language)
    assert len(rows) >= 10
    right = given = said = 0
    for row in rows:
        text, truth = str(row["text"]), set(row["present"])  # type: ignore[call-overload]
        assert language_of(text) == language
        found = {name for name, value in label(text, "ctrate18", language="auto").items() if value.value == "present"}
        quick = {name for name, value in label_values(text, "ctrate18", language="auto").items() if value == "present"}
        assert found == quick
        right, given, said = right + len(found & truth), given + len(truth), said + len(found)
    assert 2 * right / (given + said) >= 0.95


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_terms_and_cover_the_chest_labels(language: str) -> None:
    assert language in languages()
    words = lexicon(language)
    named = {value for _, roles in words.meanings for kind, value in roles if kind == "finding"}
    assert all(name in ontology() for name in named)
    wanted = {
        "atelectasis", "cardiomegaly", "pleural effusion", "infiltrate", "mass", "pulmonary nodule", "pneumonia",
        "pneumothorax", "consolidation", "pulmonary edema", "emphysema", "pleural thickening", "hernia", "fracture",
        "coronary artery calcification", "aortic calcification", "pericardial effusion", "hiatal hernia",
        "lymphadenopathy", "ground-glass opacity", "scar", "mosaic attenuation", "peribronchial thickening",
        "bronchiectasis", "interlobular septal thickening", "mediastinal widening", "opacity",
    }  # fmt: skip
    # Italian and Japanese have no word for the infiltrate of the English sets that is not consolidation's.
    assert wanted - named <= {"infiltrate"}


@pytest.mark.parametrize(
    ("language", "text", "place", "side", "millimetres"),
    [
        ("it", "Nodulo di 1,2 cm nel lobo superiore destro.", "upper lobe of lung", "right", 12.0),
        ("ja", "右肺上葉に１２ｍｍ大の結節を認めます。", "upper lobe of lung", "right", 12.0),
        ("ja", "左下葉に径1.5㎝の腫瘤影あり。", "lower lobe of lung", "left", 15.0),
        ("zh", "左肺下叶见一枚８×６ｍｍ结节。", "lower lobe of lung", "left", 8.0),
    ],
)
def test_places_sides_and_sizes(language: str, text: str, place: str, side: str, millimetres: float) -> None:
    (finding,) = read_findings(text, language=language)
    assert finding.where.anatomy == ontology()[place]
    assert finding.where.side == side
    assert finding.measurements[0].value == millimetres
    start, end = finding.evidence[1].span or (0, 0)
    assert text[start:end] in text and end > start


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No pleural effusion. The heart is enlarged.", "en"),
        ("Non versamento pleurico. Il cuore è nei limiti.", "it"),
        ("胸水を認めない。", "ja"),
        ("未见胸腔积液。", "zh"),
        ("CT: GGO を認める。", "ja"),
        ("", "en"),
        ("12345 !?", "en"),
    ],
)
def test_the_language_is_found(text: str, language: str) -> None:
    assert language_of(text) == language
    assert read_report(text, language="auto").language == language


@pytest.mark.parametrize(
    ("language", "encoding"), [("ja", "cp932"), ("ja", "utf-16"), ("zh", "gb18030"), ("zh", "gbk")]
)
def test_old_encodings_of_whole_reports(language: str, encoding: str) -> None:
    for row in reports(language):
        text = str(row["text"])
        assert decode_report(text.encode(encoding), "r") == text


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8"])
def test_western_reports_are_not_taken_for_eastern_ones(encoding: str) -> None:
    for row in reports("it"):
        text = str(row["text"])
        assert decode_report(text.encode(encoding), "r") == text


def test_sections_in_brackets() -> None:
    report = read_report("【依頼目的】肺炎疑い。【所見】胸水を認めない。【診断】異常なし。", language="ja")
    assert [section.name for section in report.sections] == ["indication", "findings", "impression"]
    report = read_report("影像所见：右侧胸腔积液。诊断意见：胸腔积液。", language="zh")
    assert [section.name for section in report.sections] == ["findings", "impression"]


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(ConfigurationError, match="en, it, ja, zh"):
        read_report("x", language="tlh")

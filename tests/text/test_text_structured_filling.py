"""Filling forms by rules: what is filled, on which words it rests, what is left open, in English and Italian."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundglass.core import ConfigurationError, InputError
from groundglass.text import structured
from groundglass.text.structured.answer import date_in, well_formed

CHEST = """CLINICAL HISTORY: Cough.
COMPARISON: Chest radiograph of last week.
FINDINGS: Low lung volumes. Small left pleural effusion, unchanged. No pneumothorax. Heart size is normal.
A 3 x 2.5 cm mass is seen in the right upper lobe. Right-sided PICC with tip in the SVC. No endotracheal tube.
IMPRESSION: Right upper lobe mass. Possible pneumonia."""

LYMPHOMA = """Right cervical lymph nodes measure up to 22 x 15 mm, left axillary nodes 12 mm short axis.
Mediastinal conglomerate of 8.5 x 6 cm, bulky. Spleen and liver are normal in size. The spleen measures 11 cm.
No splenic lesions. No pleural effusion on either side. No ascites. Deauville score 4."""

LINFOMA = """Linfonodi laterocervicali destri fino a 2,2 x 1,5 cm. Linfonodo ascellare dx. di 12 mm.
Milza aumentata di dimensioni (diametro longitudinale 14,5 cm). Fegato nei limiti. Non versamento pleurico.
Non lesioni spleniche. In conclusione stadio III."""


def test_a_chest_form_is_filled_from_findings() -> None:
    form = structured.fill(structured.template("chest-xray"), CHEST)
    assert form.filled == {
        "indication": "Cough.",
        "comparison": "Chest radiograph of last week.",
        "quality": "low lung volumes",
        "effusion": "present",
        "effusion side": "left",
        "effusion size": "small",
        "effusion change": "unchanged",
        "pneumothorax": "absent",
        "consolidation": "uncertain",
        "nodule": "present",
        "nodule side": "right",
        "nodule diameter": "30",
        "cardiomegaly": "absent",
        "devices": "central venous catheter",
        "impression": "Right upper lobe mass. Possible pneumonia.",
    }
    assert form["nodule diameter"].unit == "mm"


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [("chest-xray", "en", CHEST), ("lymphoma-ct", "en", LYMPHOMA), ("lymphoma-ct", "it", LINFOMA)],
)
def test_every_answer_rests_on_words_of_the_report_and_is_in_form(name: str, language: str, text: str) -> None:
    form = structured.fill(structured.template(name), text, language=language)
    assert len(form.filled) >= 8
    for item, answer in form:
        if not answer.value:
            assert answer.status == "not reported"
            continue
        assert answer.span is not None
        assert text[slice(*answer.span)].strip()
        assert well_formed(item, answer.value)


def test_numbers_go_to_their_station() -> None:
    filled = structured.fill(structured.template("lymphoma-ct"), LYMPHOMA).filled
    numbers = {name: value for name, value in filled.items() if value[0].isdigit()}
    assert numbers == {
        "cervical right long axis": "22",
        "cervical right short axis": "15",
        "axillary left short axis": "12",
        "mediastinal long axis": "85",
        "mediastinal short axis": "60",
        "spleen length": "110",
        "Deauville score": "4",
    }
    assert filled["bulky disease"] == "yes"
    assert filled["splenic lesions"] == filled["ascites"] == "no"
    assert filled["spleen"] == filled["liver"] == "normal"


def test_italian_decimals_products_and_abbreviated_sides() -> None:
    filled = structured.fill(structured.template("lymphoma-ct"), LINFOMA, language="it").filled
    wanted = {
        "cervical right long axis": "22",
        "cervical right short axis": "15",
        "axillary right long axis": "12",
        "spleen": "enlarged",
        "spleen length": "145",
        "splenic lesions": "no",
        "liver": "normal",
        "Ann Arbor stage": "III",
    }
    assert {name: filled.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "language", "item", "value"),
    [
        ("Hepatomegaly.", "en", "liver", "enlarged"),
        ("Enlarged spleen and normal liver.", "en", "spleen", "enlarged"),
        ("Enlarged spleen and normal liver.", "en", "liver", "normal"),
        ("The spleen is not enlarged.", "en", "spleen", "normal"),
        ("There is no evidence of focal splenic lesions.", "en", "splenic lesions", "no"),
        ("The Deauville score is 4.", "en", "Deauville score", "4"),
        ("Milza non aumentata di volume.", "it", "spleen", "normal"),
        ("Fegato nei limiti, non lesioni spleniche.", "it", "liver", "normal"),
        ("Fegato nei limiti, non lesioni spleniche.", "it", "splenic lesions", "no"),
        ("Non versamento pleurico.", "it", "pleural effusion", "none"),
    ],
)
def test_choices_are_read_beside_their_words(text: str, language: str, item: str, value: str) -> None:
    assert structured.fill(structured.template("lymphoma-ct"), text, language=language)[item].value == value


def test_what_contradicts_itself_is_a_conflict_and_what_is_not_said_stays_open() -> None:
    template = structured.template("chest-xray")
    form = structured.fill(template, "There is a left pleural effusion. No left pleural effusion.")
    assert form["effusion"].status == "conflict"
    assert set(form["effusion"].candidates) == {"present", "absent"}
    other_side = structured.fill(template, "There is a left pleural effusion. No right pleural effusion.")
    assert (other_side["effusion"].value, other_side["effusion"].status) == ("present", "filled")
    assert structured.fill(template, "").filled == {}


def test_a_child_is_never_filled_when_its_parent_excludes_it() -> None:
    template = structured.template("chest-xray")
    answers = {"effusion": structured.Answer("absent", status="filled"), "effusion side": structured.Answer("left")}
    assert set(structured.Form(template, answers).filled) == {"effusion"}
    with pytest.raises(ConfigurationError, match="is not an item"):
        structured.Form(template, {"nonsense": structured.Answer("1")})


def test_the_lymphoma_form_has_the_fields_that_the_paper_counts() -> None:
    kinds = [item.type for item in structured.template("lymphoma-ct")]
    assert (len(kinds), kinds.count("text"), kinds.count("number")) == (65, 19, 29)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("MRI of 12 March 2024", "2024-03-12"),
        ("CT 2024-03-12", "2024-03-12"),
        ("TC del 12/03/2024", "2024-03-12"),
        ("12 luglio 2023", "2023-07-12"),
        ("March 5, 2021", "2021-03-05"),
        ("on 31/02/2024", None),
        ("no date", None),
    ],
)
def test_dates(text: str, day: str | None) -> None:
    assert date_in(text) == day


@pytest.mark.parametrize(
    ("item", "raw", "value", "status"),
    [
        ("spleen length", "14,5 cm", "145", "filled"),
        ("spleen length", "150", "150", "filled"),
        ("spleen length", "large", "", "invalid"),
        ("spleen length", "3 mL", "", "invalid"),
        ("spleen", "Enlarged.", "enlarged", "filled"),
        ("spleen", "enlargd", "enlarged", "filled"),
        ("spleen", "purple", "", "invalid"),
        ("ascites", "Yes", "yes", "filled"),
        ("ascites", "not reported", "", "not reported"),
        ("extranodal sites", "bone and lung", "lung; bone", "filled"),
    ],
)
def test_raw_answers_become_the_form_s_own(item: str, raw: str, value: str, status: str) -> None:
    answer = structured.parse_answer(structured.template("lymphoma-ct")[item], raw)
    assert (answer.value, answer.status) == (value, status)
    assert answer.raw == raw


def test_templates_of_a_user(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "name: mine\nitems:\n"
        "- {id: a, question: 'Is there ascites?', type: yes-no, words: {en: [ascites]}}\n"
        "- {id: b, question: 'How much?', type: choice, when: {item: a, is: [yes]}, words: [ascites],\n"
        "   values: {little: {en: [small]}, much: {en: [large]}}}\n"
    )
    template = structured.template_file(file)
    assert structured.fill(template, "No large ascites.").filled == {"a": "no"}
    assert structured.fill(template, "Large ascites.").filled == {"a": "yes", "b": "much"}
    file.write_text("name: mine\nitems:\n- {id: a, question: Q, type: riddle}\n")
    with pytest.raises(ConfigurationError, match="unknown type"):
        structured.template_file(file)
    file.write_text("name: [\n")
    with pytest.raises(InputError, match="is not a template"):
        structured.template_file(file)
    with pytest.raises(ConfigurationError, match="is not a template"):
        structured.template("poem")

"""A form as FHIR R4 Questionnaire and QuestionnaireResponse (plain JSON), and back without loss.

What FHIR has no field for (raw words, probability, place in the text, status, candidates) travels in extensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundglass.core.errors import InputError
from groundglass.text.structured.answer import Answer, number_text, well_formed
from groundglass.text.structured.form import Form
from groundglass.text.structured.registry import Item, Template

BASE = "urn:groundglass:form"
_UCUM = "http://unitsofmeasure.org"
_TYPES = {
    "text": "text", "number": "quantity", "choice": "choice", "choices": "choice", "yes-no": "boolean", "date": "date",
}  # fmt: skip


def to_questionnaire(template: Template, *, language: str = "en") -> dict[str, Any]:
    """The empty form: one group per section, conditions as `enableWhen`."""
    return {
        "resourceType": "Questionnaire",
        "url": f"{BASE}:{template.name}",
        "name": template.name,
        "title": template.title,
        "status": "draft",
        "item": [
            {
                "linkId": f"section:{name}",
                "text": name,
                "type": "group",
                "item": [_asked(i, template, language) for i in items],
            }
            for name, items in _sections(template).items()
        ],
    }


def to_response(form: Form, *, language: str = "en") -> dict[str, Any]:
    """The filled form. Items that are not reported are left out; their absence says so."""
    groups = []
    for name, items in _sections(form.template).items():
        rows = [_answered(item, form[item.id], language) for item in items if form[item.id] != Answer()]
        if rows:
            groups.append({"linkId": f"section:{name}", "text": name, "item": rows})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{BASE}:{form.template.name}",
        "status": "in-progress",
        "item": groups,
    }


def from_response(data: Mapping[str, Any], template: Template) -> Form:
    """The form of a QuestionnaireResponse. Raises InputError for another form or a value that does not fit."""
    if data.get("resourceType") != "QuestionnaireResponse" or data.get("questionnaire") != f"{BASE}:{template.name}":
        raise InputError("QuestionnaireResponse", f"does not answer the form {template.name}", "Give its own response.")
    answers: dict[str, Answer] = {}
    try:
        for group in data.get("item", ()):
            for row in group.get("item", ()):
                item = template[row["linkId"]]
                answers[item.id] = _read(item, row)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("QuestionnaireResponse", f"lacks or misplaces {error}", "Write it again.") from error
    return Form(template, answers)


def _sections(template: Template) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = {}
    for item in template:
        found.setdefault(item.section or "Form", []).append(item)
    return found


def _asked(item: Item, template: Template, language: str) -> dict[str, Any]:
    row: dict[str, Any] = {"linkId": item.id, "text": item.asked(language), "type": _TYPES[item.type]}
    if item.type == "choices" or item.several:
        row["repeats"] = True
    if item.values:
        row["answerOption"] = [{"valueCoding": _coding(value)} for value in item.values]
    if item.parent is not None:
        is_flag = template[item.parent].type == "yes-no"
        row["enableBehavior"] = "any"
        row["enableWhen"] = [
            {
                "question": item.parent,
                "operator": "=",
                **({"answerBoolean": value == "yes"} if is_flag else {"answerCoding": _coding(value)}),
            }
            for value in item.parent_values
        ]
    return row


def _coding(value: str) -> dict[str, str]:
    return {"system": BASE, "code": value, "display": value}


def _answered(item: Item, answer: Answer, language: str) -> dict[str, Any]:
    row: dict[str, Any] = {"linkId": item.id, "text": item.asked(language), "extension": _extensions(answer)}
    parts = answer.value.split("; ") if item.type in ("number", "choices") else [answer.value]
    if answer.value:
        row["answer"] = [_value(item, part, answer.unit) for part in parts]
    return row


def _value(item: Item, value: str, unit: str) -> dict[str, Any]:
    if item.type == "number":
        return {"valueQuantity": {"value": float(value), "unit": unit, "system": _UCUM, "code": unit}}
    if item.type in ("choice", "choices"):
        return {"valueCoding": _coding(value)}
    if item.type == "yes-no":
        return {"valueBoolean": value == "yes"}
    return {"valueDate" if item.type == "date" else "valueString": value}


def _extensions(answer: Answer) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"url": f"{BASE}:status", "valueCode": answer.status.replace(" ", "-")}]
    if answer.raw:
        rows.append({"url": f"{BASE}:raw", "valueString": answer.raw})
    if answer.unit:
        rows.append({"url": f"{BASE}:unit", "valueString": answer.unit})
    if answer.p is not None:
        rows.append({"url": f"{BASE}:p", "valueDecimal": answer.p})
    if answer.span is not None:
        rows += [
            {"url": f"{BASE}:{name}", "valueInteger": n} for name, n in zip(("start", "end"), answer.span, strict=True)
        ]
    return rows + [{"url": f"{BASE}:candidate", "valueString": value} for value in answer.candidates]


def _read(item: Item, row: Mapping[str, Any]) -> Answer:
    facts: dict[str, list[Any]] = {}
    for extension in row.get("extension", ()):
        value = next(held for key, held in extension.items() if key != "url")
        facts.setdefault(extension["url"].removeprefix(f"{BASE}:"), []).append(value)
    value = "; ".join(_text(item, part) for part in row.get("answer", ()))
    if not well_formed(item, value):
        raise InputError(item.id, f"cannot be {value!r}", f"It is {item.type}, one of {list(item.values)}.")
    first = {name: values[0] for name, values in facts.items()}
    return Answer(
        value,
        first.get("unit", item.unit if value else ""),
        first.get("raw", ""),
        first.get("p"),
        (first["start"], first["end"]) if "start" in first else None,
        first.get("status", "filled").replace("-", " "),
        tuple(facts.get("candidate", ())),
    )


def _text(item: Item, part: Mapping[str, Any]) -> str:
    if item.type == "number":
        return number_text(float(part["valueQuantity"]["value"]))
    if item.type in ("choice", "choices"):
        return str(part["valueCoding"]["code"])
    if item.type == "yes-no":
        return "yes" if part["valueBoolean"] else "no"
    return str(part["valueDate" if item.type == "date" else "valueString"])

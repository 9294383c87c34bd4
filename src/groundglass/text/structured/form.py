"""A filled form: one answer per item, children empty when their parent excludes them; to JSON and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from groundglass.core.errors import InputError
from groundglass.text.structured.answer import Answer, not_an_item
from groundglass.text.structured.registry import Item, Template

_NONE = Answer()


@dataclass(frozen=True, slots=True)
class Form:
    """Answers by item id. Items without one are not reported; an answer to an unknown item raises."""

    template: Template
    answers: Mapping[str, Answer]

    def __post_init__(self) -> None:
        known = {item.id for item in self.template}
        for item_id in self.answers:
            if item_id not in known:
                raise not_an_item(item_id, self.template.name)
        kept: dict[str, Answer] = {}
        for item in self.template:
            answer = self.answers.get(item.id, _NONE)
            if answer != _NONE and is_asked(item, kept):
                kept[item.id] = answer
        object.__setattr__(self, "answers", kept)

    def __getitem__(self, item_id: str) -> Answer:
        self.template[item_id]
        return self.answers.get(item_id, _NONE)

    def __iter__(self) -> Iterator[tuple[Item, Answer]]:
        return ((item, self.answers.get(item.id, _NONE)) for item in self.template)

    @property
    def filled(self) -> dict[str, str]:
        """The values that are filled (or in conflict), by item id."""
        return {item.id: answer.value for item, answer in self if answer.value}


def is_asked(item: Item, answers: Mapping[str, Answer]) -> bool:
    """Whether the parent's answer lets the item be asked; a parent that is not reported does not."""
    if item.parent is None:
        return True
    said = answers.get(item.parent, _NONE).value.split("; ")
    return any(value in item.parent_values for value in said)


def to_dict(form: Form) -> dict[str, Any]:
    """JSON-ready: every item of the form, also those that are not reported."""
    return {
        "template": form.template.name,
        "items": {
            item.id: {
                "question": item.asked("en"),
                "value": answer.value or None,
                "unit": answer.unit or None,
                "raw": answer.raw or None,
                "p": answer.p,
                "span": list(answer.span) if answer.span else None,
                "status": answer.status,
                "candidates": list(answer.candidates),
            }
            for item, answer in form
        },
    }


def from_dict(data: Mapping[str, Any], template: Template) -> Form:
    """The form that `to_dict` wrote. Raises InputError when it is of another template or misses a field."""
    if data.get("template") != template.name:
        raise InputError(data.get("template"), f"is not the form {template.name}", "Give the template it was made of.")
    try:
        answers = {
            name: Answer(
                row["value"] or "",
                row["unit"] or "",
                row["raw"] or "",
                row["p"],
                tuple(row["span"]) if row["span"] else None,
                row["status"],
                tuple(row["candidates"]),
            )
            for name, row in data["items"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(template.name, f"lacks or misplaces {error}", "Write the form again.") from error
    return Form(template, answers)

"""Ex-post combination: the answers of a report's batches to one item become one answer, whatever their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from groundglass.text.structured.answer import Answer
from groundglass.text.structured.registry import Item


def combine(item: Item, answers: Iterable[Answer]) -> Answer:
    """One answer of many: "not reported" is dropped, equal answers collapse, and then by the item's type

    - number: the one value, or all of them where several lesions are allowed;
    - choices: the union, in the form's order; choice, yes-no and date: the most probable one;
    - text: all of them in the order of the report, without repeats.

    Values that exclude each other give the status "conflict" with all of them in `candidates`. Invalid answers count
    only when nothing else is said. The result depends on the set of answers, not on their order.
    """
    given = sorted(set(answers), key=_place)
    said = [answer for answer in given if answer.value]
    if not said:
        return next((answer for answer in given if answer.status == "invalid"), Answer())
    if item.type == "text":
        return _together(item, said, _texts(said))
    if item.type == "choices":
        chosen = {value for answer in said for value in answer.value.split("; ")}
        return _together(item, said, [value for value in item.values if value in chosen])
    values = list(dict.fromkeys(value for answer in said for value in answer.value.split("; ")))
    if item.type == "number" and item.several:
        return _together(item, said, sorted(values, key=float))
    best = min(said, key=lambda answer: (-(answer.p if answer.p is not None else 0.0), _place(answer)))
    if len(values) == 1 and not any(answer.status == "conflict" for answer in said):
        return best
    known = dict.fromkeys(value for answer in said for value in (*answer.value.split("; "), *answer.candidates))
    return Answer(best.value, best.unit, best.raw, best.p, best.span, "conflict", tuple(sorted(known)))


def _place(answer: Answer) -> tuple[tuple[int, int], str, str, float, str]:
    return answer.span or (1 << 60, 1 << 60), answer.value, answer.raw, answer.p or 0.0, answer.status


def _texts(said: Sequence[Answer]) -> list[str]:
    """Texts without repeats and without those that another one holds."""
    values = list(dict.fromkeys(answer.value for answer in said))
    return [v for v in values if not any(v != other and v.casefold() in other.casefold() for other in values)]


def _together(item: Item, said: Sequence[Answer], values: Sequence[str]) -> Answer:
    joint = (" " if item.type == "text" else "; ").join(values)
    raw = " | ".join(dict.fromkeys(answer.raw for answer in said if answer.raw))
    chances = [answer.p for answer in said if answer.p is not None]
    spans = [answer.span for answer in said if answer.span]
    return Answer(joint, item.unit, raw, min(chances) if chances else None, spans[0] if spans else None, "filled")

"""One sentence to drafts of findings: everything but the id and the place in the report, so that it can be cached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from groundglass.core import Attribute, Location, Measurement, Term, ontology
from groundglass.core.finding import Status
from groundglass.text.clauses import Item
from groundglass.text.items import items_from
from groundglass.text.lexicon import Lexicon
from groundglass.text.plans import named_by, plan_of
from groundglass.text.qualifiers import attribute
from groundglass.text.references import comparison, recommendation
from groundglass.text.sizes import Size, image_mentions, sizes
from groundglass.text.tokens import tokens

_make = tuple.__new__  # half the price of a named tuple's own constructor
_DIGIT = re.compile(r"\d")


class Draft(NamedTuple):
    """A finding without id and section; `start` and `end` are offsets of its words in the sentence."""

    what: Term
    status: Status
    where: Location
    attributes: tuple[Attribute, ...]
    measurements: tuple[Measurement, ...]
    start: int
    end: int
    rule: str
    kind: str


def statements(sentence: str, words: Lexicon) -> tuple[Draft, ...]:
    """The findings that a sentence states, in its order."""
    found = tokens(sentence, words)
    if not found:
        return ()
    plan = plan_of(found, sentence, words)
    if not (plan.stated or plan.recommends):
        return ()
    drafts: list[Draft] = []
    known = words.named
    for named, at, anatomy, side, status, attributes, first, last, rule, kind in plan.stated:
        said = named or known.get((found[at][2], anatomy, side)) or named_by(found[at][2], anatomy, side, words)
        if said is not None:
            what, where = said
            start, end = found[first][0], found[last][1]
            drafts.append(_make(Draft, (what, status, where, attributes, (), start, end, rule, kind)))
    if _DIGIT.search(sentence):
        if drafts and (measured := sizes(sentence)):
            drafts = _with_sizes(drafts, measured)
        if drafts and (pictures := image_mentions(sentence)):
            extra = tuple(attribute(kind, value) for kind, value in pictures)
            drafts = [_adding(draft, extra) for draft in drafts]
    if plan.changes and (compared := comparison(sentence)):
        drafts = [_adding(d, compared) if _has_changed(d) else d for d in drafts]
    if plan.recommends:
        drafts.append(_recommended(sentence, items_from(found, sentence, words), words))
    return tuple(drafts)


def outline(sentence: str, words: Lexicon) -> Iterator[tuple[str, Status, bool]]:
    """Name and status of every finding that speaks of the patient now, and whether a doubtful one leans to yes.

    All that labels need: without places, sizes and offsets.
    """
    found = tokens(sentence, words)
    if found:
        known = words.named
        for named, at, anatomy, side, status, leans in plan_of(found, sentence, words).counted:
            said = named or known.get((found[at][2], anatomy, side)) or named_by(found[at][2], anatomy, side, words)
            if said is not None:
                yield said.what.name, status, leans


def _adding(draft: Draft, attributes: tuple[Attribute, ...] = (), measured: tuple[Measurement, ...] = ()) -> Draft:
    what, status, where, known, sizes_known, *rest = draft
    return _make(Draft, (what, status, where, known + attributes, sizes_known + measured, *rest))


def _has_changed(draft: Draft) -> bool:
    return any(said.kind == "change" for said in draft.attributes)


def _recommended(sentence: str, items: list[Item], words: Lexicon) -> Draft:
    """The recommendation itself; what it is meant to find stays a hypothetical finding of its own."""
    cue = next(item for item in items if item.kind == "recommendation")
    name, attributes = recommendation(sentence)
    status: Status = "absent" if any(i.kind == "negation before" and i.end <= cue.start for i in items) else "present"
    return Draft(
        words.term(name), status, Location(), attributes, (), cue.start, cue.end, str(cue.value), "recommendation"
    )


def _with_sizes(drafts: list[Draft], measured: list[Size]) -> list[Draft]:
    """Each size goes to the nearest mention before it, else to the first one after it."""
    found = list(drafts)
    for size in measured:
        sized = [i for i, draft in enumerate(found) if draft.status != "absent"] or list(range(len(found)))
        if not sized:
            continue
        before = [i for i in sized if found[i].start <= size.start]
        after = [i for i in sized if found[i].start > size.start]
        close = after[0] if after and (not before or found[after[0]].start - size.end < 25) else before[-1]
        draft = found[close]
        if size.is_prior:
            prior = tuple(Attribute(f"prior {m.kind.name}", f"{m.value:g} {m.unit}") for m in size.measurements)
            found[close] = _adding(draft, prior)
        elif draft.kind == "device":
            apart = tuple(replace(m, kind=ontology()["distance to structure"]) for m in size.measurements[:1])
            found[close] = _adding(draft, measured=apart)
        else:
            found[close] = _adding(draft, measured=size.measurements)
    return found

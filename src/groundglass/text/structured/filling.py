"""Filling a form by rules: from findings, from the sentences that hold an item's own words, from whole sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from groundglass.core import Finding, Report, ontology
from groundglass.core.units import UNITS, convert
from groundglass.text.plain import plain
from groundglass.text.reading import read_report
from groundglass.text.sizes import sizes
from groundglass.text.structured.answer import Answer, date_in, number_text, parse_answer
from groundglass.text.structured.combination import combine
from groundglass.text.structured.cutting import whole_sentences
from groundglass.text.structured.form import Form, is_asked
from groundglass.text.structured.match import (
    Hit,
    Phrases,
    compiled,
    has_grammar,
    hits,
    in_language,
    pattern_of,
    phrases_of,
    status_of,
)
from groundglass.text.structured.registry import FindingRule, Item, Template

_RANK = {"absent": 0, "uncertain": 1, "present": 2}
_YES_NO = {"present": "yes", "absent": "no"}
_UNSEEN = frozenset({"indication", "technique", "comparison"})


class Said:
    """A report with its sentences and the form's words in them, read once for all items."""

    def __init__(self, template: Template, text: str, language: str) -> None:
        self.text = plain(text)
        self.language = language
        self.report = read_report(text, language=language) if has_grammar(language) else Report((), (), language)
        self.findings = tuple(f for f in self.report.findings if _counts(f))
        self.sentences = whole_sentences(self.text)
        self.phrases: Phrases = phrases_of(template, language)
        self.hits = [(span, hits(self.text[slice(*span)], self.phrases)) for span in self.sentences]


def fill(template: Template, text: str, *, language: str = "en") -> Form:
    """The form that the rules read out of a report; what no rule finds stays "not reported".

    Findings need a grammar of the language (`groundglass.text`); an item's own words do not.
    """
    said = Said(template, text, language)
    answers: dict[str, Answer] = {}
    for item in template:
        if is_asked(item, answers):
            answers[item.id] = _answer(item, said)
    return Form(template, answers)


def _answer(item: Item, said: Said) -> Answer:
    found: list[Answer] = []
    if item.finding is not None:
        found += _of_findings(item, item.finding, said)
    if item.report_section is not None:
        found += _of_section(item, item.report_section, said)
    if not found:
        found += _of_words(item, said)
    if item.type == "number" and not item.several and len(found) > 1:
        # The form asks for the largest one.
        found = [max((a for a in found if a.value), key=lambda a: float(a.value), default=found[0])]
    return combine(item, found)


def _counts(finding: Finding) -> bool:
    return finding.attribute("assertion") is None and finding.evidence[0].name not in _UNSEEN


def _of_findings(item: Item, rule: FindingRule, said: Said) -> list[Answer]:
    chosen = [finding for finding in said.findings if _fits(finding, rule)]
    if rule.give == "status":
        return _status(item, chosen, said)
    seen = [finding for finding in chosen if finding.status != "absent"]
    if rule.give == "side":
        return _side(item, seen, said)
    if rule.give == "sentence":
        return [_filled(item, said.text[slice(*_span(f))], f, said) for f in chosen]
    return [answer for finding in seen for answer in _detail(item, rule.give, finding, said)]


def _fits(finding: Finding, rule: FindingRule) -> bool:
    tree = ontology()
    if rule.any and not any(tree.is_a(finding.what.name, name) for name in rule.any):
        return False
    where = finding.where
    if rule.anatomy and (
        where.anatomy is None or not any(tree.is_a(where.anatomy.name, name) for name in rule.anatomy)
    ):
        return False
    return rule.side is None or where.side in (rule.side, "bilateral")


def _status(item: Item, chosen: Sequence[Finding], said: Said) -> list[Answer]:
    """The strongest statement; a place that is both called present and absent is a conflict."""
    if not chosen:
        return []
    best = max(chosen, key=lambda finding: _RANK[finding.status])
    answer = _filled(item, _in_form(item, best.status), best, said)
    denied = {(f.where.anatomy, f.where.side) for f in chosen if f.status == "absent"}
    shown = {(f.where.anatomy, f.where.side) for f in chosen if f.status == "present"}
    if best.status == "present" and denied & shown and answer.value:
        other = _in_form(item, "absent")
        return [
            Answer(answer.value, "", answer.raw, None, answer.span, "conflict", tuple(sorted((answer.value, other))))
        ]
    return [answer]


def _in_form(item: Item, status: str) -> str:
    return _YES_NO.get(status, status) if item.type == "yes-no" else status


def _side(item: Item, seen: Sequence[Finding], said: Said) -> list[Answer]:
    sides = {f.where.side for f in seen if f.where.side}
    if not sides:
        return []
    side = "bilateral" if "bilateral" in sides or {"left", "right"} <= sides else str(next(iter(sides)))
    return [_filled(item, side, next(f for f in seen if f.where.side), said)]


def _detail(item: Item, kind: str, finding: Finding, said: Said) -> Iterator[Answer]:
    value = finding.attribute(kind)
    measured = finding.measurement(kind)
    if item.type == "number" and measured is not None:
        if not item.unit or UNITS[measured.unit][0] == UNITS[item.unit][0]:
            number = convert(measured.value, measured.unit, item.unit) if item.unit else measured.value
            yield Answer(number_text(number), item.unit, _words(finding, said), None, _span(finding), "filled")
    elif value is not None:
        yield _filled(item, value, finding, said)


def _filled(item: Item, raw: str, finding: Finding, said: Said) -> Answer:
    answer = parse_answer(item, raw, span=_span(finding), language=said.language)
    return Answer(answer.value, answer.unit, _words(finding, said), None, answer.span, answer.status)


def _span(finding: Finding) -> tuple[int, int]:
    span = finding.evidence[0].span
    assert span is not None  # every finding of a report stands in a sentence
    return span


def _words(finding: Finding, said: Said) -> str:
    return said.text[slice(*_span(finding))].strip()


def _of_section(item: Item, name: str, said: Said) -> list[Answer]:
    section = said.report.section(name)
    text = " ".join(" ".join(s.text.split()) for s in section.sentences) if section else ""
    if not text:
        return []
    first = said.text.find(section.sentences[0].text) if section else -1
    last = section.sentences[-1].text if section else ""
    span = (first, said.text.find(last, first) + len(last))
    return [parse_answer(item, text, span=span, language=said.language)]


def _of_words(item: Item, said: Said) -> list[Answer]:
    words = in_language(item.words, said.language)
    also = pattern_of(in_language(item.also, said.language))
    if not words:
        return _of_values(item, said) if item.values else []
    if item.type in ("text", "date"):
        return _of_whole_sentences(item, said, pattern_of(words), also)
    found: list[Answer] = []
    for span, row in said.hits:
        sentence = said.text[slice(*span)]
        if also is None or also.search(sentence):
            for hit in row:
                if item.id in hit.items:
                    found += _of_hit(item, hit, sentence, span, said.language)
    return found


def _of_whole_sentences(
    item: Item, said: Said, words: re.Pattern[str] | None, also: re.Pattern[str] | None
) -> list[Answer]:
    found: list[Answer] = []
    for span in said.sentences:
        sentence = said.text[slice(*span)].strip()
        if words is not None and words.search(sentence) and (also is None or also.search(sentence)):
            value = " ".join(sentence.split()) if item.type == "text" else date_in(sentence)
            if value:
                found.append(Answer(value, "", sentence, None, span, "filled"))
    return found


def _of_values(item: Item, said: Said) -> list[Answer]:
    """An item without words of its own: any sentence with words of its values."""
    return [
        Answer(value, "", said.text[slice(*span)].strip(), None, span, "filled")
        for span in said.sentences
        for value in _values_in(item, said.text[slice(*span)], None, said.language)
    ]


def _of_hit(item: Item, hit: Hit, sentence: str, span: tuple[int, int], language: str) -> list[Answer]:
    raw = sentence.strip()
    if item.type == "number":
        number = _number(item, hit, sentence)
        return [Answer(number, item.unit, raw, None, span, "filled")] if number else []
    if any(in_language(words, language) for words in item.values.values()):
        # "The spleen is enlarged", "enlarged spleen", "splenomegaly".
        parts = (hit.after, hit.before, (hit.start, hit.end))
        values = next((found for part in parts if (found := _values_in(item, sentence, part, language))), [])
        return [Answer(value, "", raw, None, span, "filled") for value in values]
    answer = parse_answer(item, _in_form(item, status_of(sentence, hit.start, hit.end, language)), language=language)
    return [Answer(answer.value, "", raw, None, span, answer.status)]


def _values_in(item: Item, sentence: str, part: tuple[int, int] | None, language: str) -> list[str]:
    """Values whose words stand in sentence[part], the longest phrase first, and are not denied."""
    low, high = part or (0, len(sentence))
    phrases = _value_phrases(item.id, tuple((value, in_language(w, language)) for value, w in item.values.items()))
    if phrases.pattern is None:
        return []
    found: list[str] = []
    for match in phrases.pattern.finditer(sentence, low, high):
        if status_of(sentence, match.start(), match.end(), language) != "absent":
            found += phrases.meaning(match[0])
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1024)
def _value_phrases(item_id: str, values: tuple[tuple[str, tuple[str, ...]], ...]) -> Phrases:
    return compiled({phrase.casefold(): (value,) for value, phrases in values for phrase in phrases})


def _number(item: Item, hit: Hit, sentence: str) -> str:
    """The wanted measure in the part after the words, else before them; without a unit, the first number after."""
    if not item.unit or item.unit == "1":
        answer = parse_answer(item, sentence[slice(*hit.after)])
        return answer.value
    for start, end in (hit.after, hit.before):
        values = [
            convert(m.value, m.unit, item.unit)
            for size in sizes(sentence[start:end])
            if not size.is_prior
            for m in size.measurements
            if m.kind.name == item.measure and UNITS[m.unit][0] == UNITS[item.unit][0]
        ]
        if values:
            chosen = sorted(values) if item.several else [max(values)]
            return "; ".join(dict.fromkeys(map(number_text, chosen)))
    return ""

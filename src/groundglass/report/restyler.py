"""Let somebody else's words into a report, but not somebody else's facts.

A rewriting callable (a language model, a hospital's style) gets a section's text and gives another. The new text is
taken only when the facts read back from it equal those of the template text: each number with its unit and what it
measures, each side with its structure, each term with its polarity, each describing word. Otherwise the template
text stays. The check errs on the side of refusing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from groundglass.core import Report, Section, Sentence, ontology
from groundglass.report.numbers import UNIT_WORDS, quantity_pattern, read_quantity
from groundglass.report.templates import shipped_templates

Rewrite = Callable[[str], str]
SECTIONS = ("findings", "impression")
Fact = tuple[str, ...]

_LENGTHS = {"mm": 1.0, "cm": 10.0, "um": 1e-3}
_NEGATION = re.compile(r"\b(?:no|not|without|free of|absence of|absent|neither|nor|denies|ruled out|clear of)\b")
_DOUBT = re.compile(
    r"\b(?:uncertain|cannot be|can neither|possible|possibly|probable|may|might|suspected|not certain|unclear)\b"
)
_DESCRIBING = re.compile(
    r"\b(enlarg\w*|normal|abnormal\w*|increas\w*|decreas\w*|reduc\w*|stable|new|resolved|large|small|mild\w*|moderate\w*|severe\w*"
    r"|above|below|within|outside|malignant|benign|acute|chronic|bilateral|multiple|several|upper|middle|lower|consolidated)\b"
)
_SIDE = re.compile(r"\b(left|right)\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Restyled:
    """The report with the accepted rewriting, and per refused section the facts that were lost or added."""

    report: Report
    refused: dict[str, tuple[tuple[Fact, ...], tuple[Fact, ...]]]


def restyle(report: Report, rewrite: Rewrite) -> Restyled:
    """`report` with findings and impression rewritten where the rewriting states the same (English reports only).

    An accepted section becomes one sentence per sentence of the new text; each names the findings whose facts it
    shares. What `rewrite` raises is not caught.
    """
    sections: list[Section] = []
    refused: dict[str, tuple[tuple[Fact, ...], tuple[Fact, ...]]] = {}
    for section in report.sections:
        if section.name not in SECTIONS or report.language != "en" or not section.sentences:
            sections.append(section)
            continue
        text = rewrite(" ".join(s.text for s in section.sentences))
        before, after = facts(" ".join(s.text for s in section.sentences)), facts(text)
        if before == after:
            sections.append(replace(section, sentences=_grounded(text, section)))
        else:
            refused[section.name] = tuple(sorted(before - after)), tuple(sorted(after - before))
            sections.append(section)
    return Restyled(replace(report, sections=tuple(sections)), refused)


def facts(text: str) -> frozenset[Fact]:
    """What a text states. A template's sentence is read as its first paraphrase, so that paraphrases agree."""
    found: set[Fact] = set()
    for sentence in re.split(r"(?<=[.!?;])\s+(?=\S)", " ".join(text.split())):
        plain = sentence.rstrip(";.") + "."
        statement = shipped_templates().parse(plain)
        if statement:
            plain = shipped_templates().write(statement)
        for clause in re.split(r",\s+(?=(?:and|but|while|whereas)\s)", plain):
            found |= set(_facts_of_clause(clause.casefold()))
    return frozenset(found)


def _facts_of_clause(clause: str) -> Iterator[Fact]:
    """Numbers and describing words belong to all structures and findings of their clause, sides to the next term."""
    terms = [(m.start(), m.end(), _terms()[m.group()]) for m in _term_pattern().finditer(clause)]
    is_doubtful = bool(_DOUBT.search(clause))
    for start, _, name in terms:
        is_denied = any(m.start() < start for m in _NEGATION.finditer(clause)) or bool(
            re.search(r"\b(?:is|was|are) (?:not|absent)", clause[start:])
        )
        yield "term", name, "uncertain" if is_doubtful else "absent" if is_denied else "present"
    about = " + ".join(sorted({n for _, _, n in terms if ontology().entry(n).kind != "measurement"}))
    sides = [(m.start(), m.group()) for m in _SIDE.finditer(clause)]
    has_both = len({side for _, side in sides}) == 2
    for start, end, amount in _amounts(clause):
        side = min(sides, key=lambda s: min(abs(s[0] - start), abs(s[0] - end)))[1] if has_both else ""
        yield "number", amount, about, side
    for match in _SIDE.finditer(clause):
        yield "side", match.group(), _neighbour(match.start(), match.end(), terms)
    for match in _DESCRIBING.finditer(clause):
        yield "word", match.group(), about


def _amounts(clause: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, amount) of every number; `a x b` is one amount, because its order tells long from short."""
    found = [
        (m.start(), m.end(), _amount(m.group(), clause[m.end() :])) for m in re.finditer(quantity_pattern(), clause)
    ]
    while found:
        start, end, amount = found.pop(0)
        while found and re.fullmatch(r"\s*(?:x|×|by)\s*", clause[end : found[0][0]]):
            _, end, further = found.pop(0)
            amount = f"{amount} x {further}"
        yield start, end, amount


def _amount(text: str, after: str) -> str:
    """A number with its unit, lengths in mm, so that 1.2 cm and 12 mm agree."""
    spelt = next((u for u, w in UNIT_WORDS.items() if w and re.match(rf"\s?{re.escape(w.casefold())}\b", after)), None)
    value, unit = read_quantity(_proper(text))
    unit = spelt or unit
    if unit in _LENGTHS:
        return f"{value * _LENGTHS[unit]:.1f} mm"
    return f"{value:g} {'' if unit == '{count}' else unit}".strip()


def _proper(text: str) -> str:
    """The unit's own spelling back from case-folded text."""
    for word in sorted((w for w in UNIT_WORDS.values() if w), key=len, reverse=True):
        if text.endswith(word.casefold()):
            return text[: len(text) - len(word.casefold())] + word
    return text


def _owner(position: int, names: list[tuple[int, int, str]]) -> str:
    """The term that was named last before a position, else the first after it."""
    before = [name for _, end, name in names if end <= position]
    after = [name for start, _, name in names if start >= position]
    return before[-1] if before else after[0] if after else ""


def _neighbour(start: int, end: int, names: list[tuple[int, int, str]]) -> str:
    """The term right after a side ("left lung"), else the one before it ("effusion on the left")."""
    following = [name for first, _, name in names if 0 <= first - end <= 8]
    return following[0] if following else _owner(start, names)


@cache
def _terms() -> dict[str, str]:
    """Case-folded English names and synonyms -> term name; names win over synonyms."""
    words: dict[str, str] = {}
    for entry in ontology():
        for word in entry.synonyms.get("en", ()):
            words.setdefault(word.casefold(), entry.term.name)
    words.update({entry.term.name.casefold(): entry.term.name for entry in ontology()})
    return words


@cache
def _term_pattern() -> re.Pattern[str]:
    ordered = sorted(_terms(), key=lambda w: (-len(w), w))
    return re.compile(r"\b(?:" + "|".join(map(re.escape, ordered)) + r")\b")


def _grounded(text: str, section: Section) -> tuple[Sentence, ...]:
    """Sentences of the new text, each with the findings of the old sentences whose facts it shares."""
    old = [(facts(s.text), s.findings) for s in section.sentences]
    sentences = []
    for sentence in _SENTENCE.split(" ".join(text.split())):
        own = facts(sentence)
        ids = [i for known, findings in old if known & own for i in findings]
        sentences.append(Sentence(sentence, tuple(dict.fromkeys(ids))))
    return tuple(sentences)

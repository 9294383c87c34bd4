"""Reports to findings: sections, sentences, statements, and where in the text each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from groundglass.core import Attribute, Evidence, Finding, Report, Section, Sentence
from groundglass.text.antecedents import completed, pronoun_of
from groundglass.text.languages import resolved
from groundglass.text.lexicon import lexicon
from groundglass.text.plain import plain
from groundglass.text.sections import sections
from groundglass.text.sentences import sentences
from groundglass.text.statement import Draft, statements

VERSION = "1"
"""Version of the rules; it stands in the evidence of every finding."""

SILENT_SECTIONS = frozenset({"technique", "comparison"})
"""Sections whose sentences are kept, but state nothing about the patient now."""

_REMEMBERED = 65536
_ASKED = (Attribute("assertion", "hypothetical"),)


@lru_cache(maxsize=_REMEMBERED)
def remembered(sentence: str, language: str) -> tuple[Draft, ...]:
    """The statements of a sentence; the last 65,536 different sentences are kept."""
    return statements(sentence, lexicon(language))


def read_report(text: str, *, language: str = "en") -> Report:
    """The report as sections, sentences and findings.

    Every finding carries two pieces of evidence: the sentence (`source="sentence"`, `name` its section, `span` its
    place in `text`) and the rule (`source="rule"`, `name` the cue that decided, else "stated", `span` the words); a
    third one is a later sentence that says more of it ("This is unchanged").
    `text[slice(*span)]` gives the words. HTML, RTF and HL7 escapes are read through without moving a span. `language`
    is en, it, ja, zh or auto. Raises ConfigurationError for a language without a lexicon.
    """
    language = resolved(language, text)
    text = plain(text)
    parts: list[Section] = []
    findings: list[Finding] = []
    for span in sections(text, language):
        said: list[Sentence] = []
        before = len(findings)  # the first finding of the sentence that a pronoun may speak of
        for start, end in sentences(text, span.start, span.end):
            sentence = text[start:end]
            spoken: tuple[str, ...] = ()
            if span.name not in SILENT_SECTIONS:
                drafts = remembered(sentence, language)
                if drafts:
                    before = len(findings)
                    evidence = Evidence("sentence", span.name, VERSION, "", (start, end))
                    for number, draft in enumerate(drafts, before + 1):
                        findings.append(_finding(draft, number, evidence, start))
                    spoken = tuple(f.id for f in findings[before:])
                elif before < len(findings):
                    pronoun = pronoun_of(sentence, language)
                    if pronoun is not None:
                        evidence = Evidence("sentence", span.name, VERSION, "", (start, end))
                        spoken = _said_more(findings, before, pronoun, language, evidence)
                    if not spoken:
                        before = len(findings)
            said.append(Sentence(sentence, spoken))
        parts.append(Section(span.name, tuple(said), span.heading))
    return Report(tuple(parts), tuple(findings), language)


def _said_more(
    findings: list[Finding], before: int, pronoun: re.Match[str], language: str, evidence: Evidence
) -> tuple[str, ...]:
    """Complete findings[before:] by a sentence that speaks of them with a pronoun; the ids of those it speaks of."""
    grown = completed(pronoun, findings[before:], evidence, lambda text: remembered(text, language))
    by_id = {finding.id: finding for finding in grown}
    findings[before:] = [by_id.get(finding.id, finding) for finding in findings[before:]]
    return tuple(by_id)


def stating_sentences(text: str, language: str) -> Iterator[tuple[str, int, int]]:
    """(section, start, end) of every sentence that may state something about the patient; `text` is plain."""
    for span in sections(text, language):
        if span.name not in SILENT_SECTIONS:
            for start, end in sentences(text, span.start, span.end):
                yield span.name, start, end


def read_findings(text: str, *, language: str = "en") -> tuple[Finding, ...]:
    """The findings of a report, or of a single sentence, in their order. See `read_report`."""
    return read_report(text, language=language).findings


def read_reports(texts: Iterable[str], *, language: str = "en") -> Iterator[Report]:
    """`read_report` of each text, lazily and in order; sentences that come again are read once."""
    for text in texts:
        yield read_report(text, language=language)


def _finding(draft: Draft, number: int, sentence: Evidence, start: int) -> Finding:
    status, attributes = draft.status, draft.attributes
    if sentence.name == "indication" and status == "present" and draft.rule == "" and not _is_symptom(draft):
        # What the referrer names is asked for, not seen.
        status, attributes = "uncertain", _ASKED + attributes
    rule = Evidence("rule", draft.rule or "stated", VERSION, "", (start + draft.start, start + draft.end))
    evidence = (sentence, rule)
    return Finding(f"f{number}", draft.what, status, draft.where, attributes, draft.measurements, None, evidence)


def _is_symptom(draft: Draft) -> bool:
    return "symptom" in lexicon("en").ancestors(draft.what.name)

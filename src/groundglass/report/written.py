"""A written report beside a reading of the images: who says what, where they agree and where they do not.

A written finding is answered by the findings of the reading that speak of the same thing at the same place. What is
broader or narrower answers as far as logic allows: no opacity at all means no consolidation, but no consolidation
leaves room for another opacity. Left out are what the report only recommends, supposes, remembers or says of another
person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from groundglass.core import Finding, Report, Section, Sentence, Status, Study, Term, ontology
from groundglass.report.binding import system_of
from groundglass.report.measurement_table import finding_name
from groundglass.report.words import page_words

Verdict = Literal["agreement", "disagreement", "doubt", "not looked for", "not in the report"]


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: the written finding with its sentence, what the images answered, and whether both agree.

    `written` is None for what only the images show ("not in the report").
    """

    written: Finding | None
    seen: tuple[Finding, ...]
    verdict: Verdict
    sentence: str = ""

    @property
    def status(self) -> Status | None:
        """What the images say: present before uncertain before absent; None when they were not asked."""
        return _joined(self.seen)


def written_reports(study: Study) -> tuple[tuple[Report, str | None], ...]:
    """The reports in words of a study and of its priors, each with the date of an earlier exam (None: this exam)."""
    own = [(report, None) for report in study.reports]
    earlier = [(report, prior.date or "unknown date") for prior in study.priors for report in prior.reports]
    return tuple((report, date) for report, date in [*own, *earlier] if _is_in_words(report))


def beside(findings: Sequence[Finding], report: Report) -> tuple[Pair, ...]:
    """Every statement of `report` once with the reading's answer, then what only the reading shows."""
    written = _stated(report)
    sentences = {i: sentence.text for s in report.sections for sentence in s.sentences for i in sentence.findings}
    pairs = []
    answered: set[str] = set()
    for finding in written:
        seen = _answers(finding, findings)
        answered.update(f.id for f in seen)
        pairs.append(Pair(finding, seen, _verdict(finding.status, _joined(seen)), sentences.get(finding.id, "")))
    return (
        *pairs,
        *(
            Pair(None, (finding,), "not in the report")
            for finding in findings
            if finding.id not in answered and finding.status == "present" and _is_finding(finding)
        ),
    )


def section_beside(findings: Sequence[Finding], study: Study, language: str) -> Section | None:
    """The rows of every written report of a study as sentences that name the findings of the images; None without."""
    words = page_words(language)
    sentences = []
    for report, date in written_reports(study):
        sentences.append(Sentence(title_of(date, words)))
        for pair in beside(findings, report):
            ids = tuple(f.id for f in pair.seen)
            said = f"{words[pair.written.status]} (“{pair.sentence}”)" if pair.written else words["not mentioned"]
            seen = words[pair.status] if pair.status else words["not assessed"]
            named = finding_name(pair.written or pair.seen[0], language)
            text = f"{named}: {words['report']} {said}; {words['images'].lower()} {seen}: {words[pair.verdict]}."
            sentences.append(Sentence(text, ids))
    return Section("written report", tuple(sentences), words["beside"]) if sentences else None


def title_of(date: str | None, words: Mapping[str, str]) -> str:
    """Which report it is: of this exam, or of the earlier one of a date."""
    return words["this exam's report"] if date is None else f"{words['earlier report']}: {date}."


def _is_in_words(report: Report) -> bool:
    return any(evidence.source == "sentence" for finding in report.findings for evidence in finding.evidence)


def _stated(report: Report) -> tuple[Finding, ...]:
    """One finding per thing and place; what is said later (the impression) stands. No image answers for a symptom."""
    last: dict[object, Finding] = {}
    symptom = ontology()["symptom"]
    for finding in report.findings:
        is_seen = ontology().entry(finding.what.name).kind != "procedure" and not _is_a(finding.what, symptom)
        if finding.attribute("assertion") is None and is_seen:
            last[finding.what, finding.where.anatomy, finding.where.side] = finding
    return tuple(last.values())


def _is_finding(finding: Finding) -> bool:
    return ontology().entry(finding.what.name).kind == "finding" and system_of(finding) != "quality"


def _answers(written: Finding, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    place = [f for f in findings if f.what.name != "abnormality" and _same_place(written, f)]
    same = tuple(f for f in place if f.what == written.what)
    if same:
        return same
    return tuple(f for f in place if _answers_by_logic(written, f))


def _answers_by_logic(written: Finding, seen: Finding) -> bool:
    """Whether a broader or narrower finding leaves no other reading."""
    if _is_a(written.what, seen.what):
        return seen.status == "absent" or written.status == "present"
    return _is_a(seen.what, written.what) and (seen.status == "present" or written.status == "absent")


def _is_a(term: Term, other: Term) -> bool:
    return other in ontology().ancestors(term.name)


def _same_place(first: Finding, second: Finding) -> bool:
    sides = {first.where.side, second.where.side}
    if len(sides) == 2 and None not in sides and "bilateral" not in sides:
        return False
    one, other = first.where.anatomy, second.where.anatomy
    return one is None or other is None or one == other or _is_a(one, other) or _is_a(other, one)


def _joined(findings: Iterable[Finding]) -> Status | None:
    said = {finding.status for finding in findings}
    return next((status for status in ("present", "uncertain", "absent") if status in said), None)


def _verdict(written: Status, seen: Status | None) -> Verdict:
    if seen is None:
        return "not looked for"
    if "uncertain" in (written, seen):
        return "doubt"
    return "agreement" if written == seen else "disagreement"

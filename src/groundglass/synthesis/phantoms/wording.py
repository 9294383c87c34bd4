"""A radiologist's report of planted findings: present, changed, denied, hedged, with distractors, in random words.

Every sentence knows the findings that it states. What is hedged or denied gets a finding of its own that lies in no
image; `Report.findings` holds all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from groundglass.core import Evidence, Finding, Location, Report, Section, Sentence, ontology
from groundglass.synthesis.phantoms.kind import Kind
from groundglass.synthesis.phantoms.phantom import VERSION, Phantom
from groundglass.synthesis.phantoms.phrases import Phrase, denied, length, noun_phrase, pick, sentence_case, words

NOTICE = "Simulated report of a simulated examination."


@dataclass
class _Draft:
    """The report while it is written."""

    language: str
    rng: np.random.Generator
    findings: list[Finding]
    sentences: list[Sentence] = field(default_factory=list)

    def say(self, text: str, *ids: str) -> None:
        self.sentences.append(Sentence(sentence_case(" ".join(text.split())), ids))

    def state(self, term: str, status: str, anatomy: str | None = None) -> str:
        """A finding that is in no image, e.g. a denied one; its id."""
        tree = ontology()
        name = f"f{len(self.findings) + 1}"
        where = Location(anatomy=tree[anatomy] if anatomy else None)
        evidence = (Evidence("rule", "phantom report", VERSION),)
        self.findings.append(Finding(name, tree[term], status, where, evidence=evidence))  # type: ignore[arg-type]
        return name


def write_report(
    findings: Sequence[Finding],
    kind: Kind,
    rng: np.random.Generator,
    *,
    technique: str,
    prior: Phantom | None = None,
    date: str = "",
    language: str = "en",
) -> Report:
    """Sections indication, technique, comparison, findings and impression; raises ConfigurationError for a language
    without words. A kind without reports gets an empty one that holds the findings."""
    data = words(language)
    if not kind.has_report:
        return Report((), tuple(findings), language, notice=NOTICE)
    region = kind.region
    draft = _Draft(language, rng, list(findings))
    stated = [f for f in findings if f.what.name in data["terms"]]
    groups = [*_present(draft, stated, prior), *_denials(draft, kind, stated), *_normal(draft, region, stated)]
    order = rng.permutation(len(groups))
    body = [groups[int(i)] for i in order]
    if rng.random() < 0.5:
        body.append([Sentence(str(pick(data["distractors"], rng)))])
    compared = data["comparison"]["prior" if prior else "none"]
    before = pick(compared, rng).format(exam=kind.exam[:1].upper() + kind.exam[1:], date=prior.date if prior else "")
    sections = (
        Section("indication", (Sentence(pick(data["indications"][region], rng)),)),
        Section("technique", (Sentence(technique),)),
        Section("comparison", (Sentence(before),)),
        Section("findings", tuple(sentence for group in body for sentence in group)),
        Section("impression", tuple(_impression(draft, stated))),
    )
    return Report(sections, tuple(draft.findings), language, notice=NOTICE)


def _present(draft: _Draft, findings: Sequence[Finding], prior: Phantom | None) -> Iterable[list[Sentence]]:
    """One sentence each, now and then two findings in one; with a prior, mostly what became of them."""
    data, rng = words(draft.language), draft.rng
    waiting = list(findings)
    while waiting:
        finding = waiting.pop(0)
        phrase = noun_phrase(finding, rng, draft.language)
        draft.sentences = []
        change = finding.attribute("change")
        plain = not waiting or waiting[0].attribute("change") is not None
        if change is not None and prior is not None:
            _changed(draft, finding, phrase, change, prior)
        elif "clauses" in data["terms"][finding.what.name] and rng.random() < 0.5:
            grade = finding.attribute("severity")
            adverb = pick(data["severely"][grade], rng) if grade in data["severely"] else ""
            draft.say(pick(data["terms"][finding.what.name]["clauses"], rng).format(severely=adverb), finding.id)
        elif not plain and rng.random() < 0.25:
            other = waiting.pop(0)
            second = noun_phrase(other, rng, draft.language)
            # A size behind the first would hang between the two.
            first = Phrase(phrase.text, phrase.counted)
            frame = pick(data["two present"], rng).format(a_np=first.with_article, a_mp=second.with_article)
            parts = frame.split(". ")
            if len(parts) == 2:
                draft.say(parts[0] + ".", finding.id)
                draft.say(parts[1], other.id)
            else:
                draft.say(frame, finding.id, other.id)
        else:
            frame = pick(data["present"], rng)
            draft.say(frame.format(np=phrase.whole, a_np=phrase.with_article), finding.id)
        yield draft.sentences


def _changed(draft: _Draft, finding: Finding, phrase: Phrase, change: str, prior: Phantom) -> None:
    data, rng = words(draft.language), draft.rng
    course = pick(data["change"]["before"][change], rng)
    clause = pick(data["change"]["clause"][change], rng)
    moved = Phrase(f"{course} {phrase.text}", phrase.counted)
    before = _before(finding, prior)
    frame = pick(data["changed"], rng)
    text = frame.format(np=phrase.text, clause=clause, course=course, a_course_np=moved.with_article)
    now = finding.measurement("long axis")
    if now is not None and before is not None and change in ("increased", "decreased") and rng.random() < 0.7:
        large = now.value >= 10 and before >= 10 and rng.random() < 0.4
        unit = "cm" if large else "mm"
        after = pick(data["size"]["prior"], rng).format(p=length(before, centimetres=large), u=unit)
        bare = noun_phrase(_without_size(finding), rng, draft.language)
        size = f"{length(now.value, centimetres=large)} {unit}"
        text = f"{sentence_case(bare.text)} now measures {size}{after}."
        if (change == "increased" and before >= now.value) or (change == "decreased" and before <= now.value):
            text = f"{sentence_case(bare.text)} {clause}."
    draft.say(text, finding.id)


def _without_size(finding: Finding) -> Finding:
    return replace(finding, measurements=tuple(m for m in finding.measurements if "axis" not in m.kind.name))


def _before(finding: Finding, prior: Phantom) -> float | None:
    """The long axis of the same finding in the prior examination, mm."""
    for other in prior.findings:
        if (other.what, other.where.anatomy, other.where.side) == (
            finding.what,
            finding.where.anatomy,
            finding.where.side,
        ):
            measured = other.measurement("long axis")
            return None if measured is None else measured.value
    return None


def _denials(draft: _Draft, kind: Kind, findings: Sequence[Finding]) -> Iterable[list[Sentence]]:
    """About five of what the kind may deny and has not, alone, in twos and threes; rarely one of them is hedged."""
    data, rng = words(draft.language), draft.rng
    tree = ontology()
    present = [f.what.name for f in findings]
    free = [
        (term, anatomy)
        for term, anatomy in kind.denials
        if not any(tree.is_a(p, term) or tree.is_a(term, p) for p in present)
    ]
    chosen = [free[int(i)] for i in rng.permutation(len(free))[: int(rng.integers(2, 7))]]
    while chosen:
        count = min(len(chosen), int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2])))
        some = [chosen.pop() for _ in range(count)]
        if some[0][0] == "cardiomegaly" and rng.random() < 0.8:
            some, rest = some[:1], some[1:]
            chosen.extend(rest)
            yield [Sentence(pick(data["normal heart"], rng), (draft.state("cardiomegaly", "absent"),))]
            continue
        hedged = count == 1 and rng.random() < 0.15
        status = "uncertain" if hedged else "absent"
        ids = [draft.state(term, status, anatomy) for term, anatomy in some]
        nouns = [denied(term, rng, draft.language) for term, _ in some]
        draft.sentences = []
        if hedged:
            noun = pick(data["terms"][some[0][0]]["nouns"], rng)
            counted = noun not in data["terms"][some[0][0]].get("uncounted", ())
            draft.say(pick(data["uncertain"], rng).format(n=noun, a_n=Phrase(noun, counted).with_article), *ids)
        else:
            key = ("absent", "absent two", "absent three")[len(nouns) - 1]
            draft.say(pick(data[key], rng).format(**dict(zip("nmo", nouns, strict=False))), *ids)
        yield draft.sentences


def _normal(draft: _Draft, region: str, findings: Sequence[Finding]) -> Iterable[list[Sentence]]:
    """Up to three sentences on what is normal; some of them deny an abnormality."""
    rng = draft.rng
    present = {f.what.name for f in findings}
    options = [o for o in words(draft.language)["normal"][region] if not present & set(o.get("unless", ()))]
    for index in rng.permutation(len(options))[: int(rng.integers(0, 4))]:
        option = options[int(index)]
        yield [Sentence(option["text"], tuple(draft.state(term, "absent") for term in option["absent"]))]


def _impression(draft: _Draft, findings: Sequence[Finding]) -> list[Sentence]:
    """The findings again in few words, numbered now and then."""
    data, rng = words(draft.language), draft.rng
    draft.sentences = []
    if not findings:
        draft.say(pick(data["no finding"], rng), draft.state("abnormality", "absent"))
        return draft.sentences
    numbered = len(findings) > 1 and rng.random() < 0.5
    for number, finding in enumerate(findings, 1):
        phrase = noun_phrase(finding, rng, draft.language, brief=True)
        head = f"{number}. " if numbered else ""
        draft.say(f"{head}{sentence_case(phrase.whole)}.", finding.id)
    return draft.sentences

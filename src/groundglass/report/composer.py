"""Findings to a report: every sentence comes from a template and names the findings that it states.

Nothing is invented: what no finding says is not written, and what was not looked for is listed in every report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundglass.core import Finding, Image, Reading, Report, Section, Sentence, Study, ontology
from groundglass.report import technique
from groundglass.report.binding import statements_of, system_of
from groundglass.report.comparison import compare_readings
from groundglass.report.contradictions import resolve_contradictions
from groundglass.report.numbers import read_quantity
from groundglass.report.templates import Statement, shipped_templates, systems
from groundglass.report.written import section_beside

HEADINGS = {
    "indication": {"en": "Indication", "id": "Indikasi"},
    "technique": {"en": "Technique", "id": "Teknik"},
    "comparison": {"en": "Comparison", "id": "Perbandingan"},
    "findings": {"en": "Findings", "id": "Temuan"},
    "impression": {"en": "Impression", "id": "Kesan"},
    "limitations": {"en": "Limitations", "id": "Keterbatasan"},
}
NOTICES = {
    "id": "Draf untuk pembaca yang berwenang. "
    "Dibuat oleh perangkat lunak yang bukan alat medis; setiap pernyataan perlu ditinjau."
}
TITLES = {"en": "Imaging report (draft)", "id": "Laporan pencitraan (draf)"}
Said = tuple[Statement, tuple[str, ...]]


def compose(reading: Reading, study: Study, *, language: str = "en", rng: np.random.Generator | None = None) -> Report:
    """The report of a study. `rng` draws among paraphrases; without it the first one is always used.

    Priors are taken from `study.priors`: the newest report there that holds findings. Reports in words, of the study
    or of its priors, stand beside the findings in a section of their own.
    """
    findings, warnings = resolve_contradictions(reading.findings)
    reading = replace(reading, findings=findings, warnings=(*reading.warnings, *warnings))
    prior, date = _prior(study)
    if prior:
        reading = compare_readings(reading, Reading(prior))
    reading = replace(reading, findings=in_order(reading.findings))
    bodies: dict[str, list[Said]] = {
        "indication": [_say("indication", "present" if study.clinical.strip() else "absent", text=study.clinical)],
        "technique": [(s, ()) for image in study.images for s in technique.statements(image, language)],
        "comparison": _comparison(reading, prior, date),
        "findings": _findings(reading),
        "impression": _impression(reading),
        "limitations": _limitations(reading, study.images, study.warnings),
    }
    sections = tuple(
        Section(name, _sentences(said, language, rng), HEADINGS[name].get(language, HEADINGS[name]["en"]))
        for name, said in bodies.items()
    )
    written = section_beside(reading.findings, study, language)
    sections = (*sections, written) if written else sections
    report = Report(sections, reading.findings, language, TITLES.get(language, TITLES["en"]), reading.models)
    return replace(report, notice=NOTICES.get(language, report.notice))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """By anatomical system, then as given; what belongs to another finding comes after it."""
    rank = {str(system["name"]): i for i, system in enumerate(systems())}
    held = list(findings)
    by_id = {f.id: f for f in held}

    def key(finding: Finding) -> tuple[int, int, int]:
        parent = by_id.get(finding.part_of or "")
        anchor = parent or finding
        return rank[system_of(anchor)], held.index(anchor), 0 if parent is None else 1

    return tuple(sorted(held, key=key))


def abnormal(finding: Finding) -> bool:
    """True for a present finding that is not a structure and not a matter of image quality."""
    is_finding = ontology().entry(finding.what.name).kind == "finding"
    return is_finding and finding.status == "present" and system_of(finding) != "quality"


def _say(key: str, polarity: Any = "present", ids: tuple[str, ...] = (), **slots: Any) -> Said:
    wanted = shipped_templates()[key].gaps(polarity)
    return shipped_templates().statement(key, polarity, **{k: v for k, v in slots.items() if k in wanted}), ids


def _sentences(said: Sequence[Said], language: str, rng: np.random.Generator | None) -> tuple[Sentence, ...]:
    """Sentences in order; one text that several findings share is written once and names all of them."""
    texts: dict[Statement, tuple[str, tuple[str, ...]]] = {}
    for statement, ids in said:
        text, before = texts.get(statement, (shipped_templates().write(statement, language=language, rng=rng), ()))
        texts[statement] = text, tuple(dict.fromkeys((*before, *ids)))
    return tuple(Sentence(text, ids) for text, ids in texts.values())


def _findings(reading: Reading) -> list[Said]:
    said = [(finding, statements_of(finding)) for finding in reading.findings]
    if not said:
        return [_say("nothing read")]
    done: set[str] = set()
    sentences: list[Said] = []
    for finding, statements in said:
        if finding.id in done:
            continue
        pair = _other_side(finding, statements, said)
        if pair is not None:
            other, joined = pair
            done |= {finding.id, other.id}
            sentences.append((joined, (finding.id, other.id)))
        else:
            sentences += [(statement, (finding.id,)) for statement in statements]
    return sentences


def _other_side(
    finding: Finding, statements: Sequence[Statement], said: Sequence[tuple[Finding, Sequence[Statement]]]
) -> tuple[Finding, Statement] | None:
    """The finding of the other side and the sentence for both, where each has one plain measurement to tell."""
    side = finding.where.side
    if not _is_plain(statements) or side not in ("left", "right"):
        return None
    opposite = "right" if side == "left" else "left"
    first = statements[0]
    for other, others in said:
        is_pair = other.where.side == opposite and other.where.image == finding.where.image
        same = other.what == finding.what and is_pair and _is_plain(others)
        second = others[0] if same else None
        if second is None or second.key != first.key or second.get("measurement") != first.get("measurement"):
            continue
        structure = str(first["structure"][1])
        if first.key == "structure":
            return other, _say("structure on both sides", structure=structure)[0]
        values = {side: first["value"], opposite: second["value"]}
        kind = first["measurement"]
        return other, _say("measurement on both sides", measurement=kind, structure=structure, **values)[0]
    return None


def _is_plain(statements: Sequence[Statement]) -> bool:
    """One sentence that only tells a present structure, or one measurement of it without a range."""
    return (
        len(statements) == 1
        and statements[0].key in ("measurement", "structure")
        and statements[0].polarity == "present"
    )


def _impression(reading: Reading) -> list[Said]:
    """Positives first, then what leaves its reference range, then doubts; "normal" only when all was answered."""
    positives: list[Said] = []
    ranges: list[Said] = []
    doubts: list[Said] = []
    for finding in reading.findings:
        own = statements_of(finding, section="impression") or statements_of(finding)
        is_finding = ontology().entry(finding.what.name).kind == "finding"
        if abnormal(finding):
            positives.append((own[0], (finding.id,)))
        elif is_finding and finding.status == "uncertain" and system_of(finding) != "quality":
            doubts.append((own[0], (finding.id,)))
        elif not is_finding:
            ranges += [(s, (finding.id,)) for s in statements_of(finding) if s.get("range") in ("below", "above")]
    return [*(positives + ranges or [_conclusion(reading)]), *doubts]


def _conclusion(reading: Reading) -> Said:
    asked = [f for f in reading.findings if ontology().entry(f.what.name).kind == "finding"]
    if not asked:
        return _say("no conclusion", "absent")
    answered = [f for f in asked if f.status != "uncertain" and f.attribute("assessment") != "not assessed"]
    ids = tuple(f.id for f in asked)
    if not answered:
        return _say("no conclusion", "present", ids)
    if len(answered) == len(asked) and all(f.status == "absent" for f in asked):
        return _say("normal", "present", ids)
    return _say("no conclusion", "uncertain", ids)


def _comparison(reading: Reading, prior: Sequence[Finding], date: str) -> list[Said]:
    if not prior:
        return [_say("prior", "absent")]
    said: list[Said] = []
    for finding in reading.findings:
        name = finding.what.name
        is_anatomy = ontology().entry(name).kind == "anatomy" or finding.where.anatomy is None
        structure = (finding.where.side, name if is_anatomy else finding.what.name)
        change = finding.attribute("change")
        if change:
            said.append(
                _say(
                    {"new": "newly present"}.get(change, "no longer present"),
                    "present",
                    (finding.id,),
                    structure=structure,
                )
            )
        for measurement in finding.measurements:
            kind = measurement.kind.name
            direction, before = finding.attribute(f"change in {kind}"), finding.attribute(f"prior {kind}")
            if direction and before:
                slots = {
                    "measurement": kind,
                    "structure": structure,
                    "change": direction,
                    "before": read_quantity(before),
                    "value": (measurement.value, measurement.unit),
                    "percent": float(finding.attribute(f"percent change in {kind}") or 0),
                }
                said.append(_say("measurement changed", "present", (finding.id,), **slots))
    return [_say("prior", "present", text=date), *said] if said else [_say("prior", "uncertain")]


def _prior(study: Study) -> tuple[tuple[Finding, ...], str]:
    """The findings and date of the newest prior report that holds findings."""
    for prior in reversed(study.priors):
        for report in reversed(prior.reports):
            if report.findings:
                return report.findings, prior.date or "unknown date"
    return (), ""


def _limitations(reading: Reading, images: Sequence[Image], warnings: Sequence[str]) -> list[Said]:
    """What was not looked for, always; then every doubt about the input."""
    listed = "; ".join(reading.not_assessed)
    said = [_say("limitation", "present" if listed else "absent", text=listed)]
    doubts = dict.fromkeys((*reading.warnings, *warnings, *(w for image in images for w in image.warnings)))
    return said + [_say("limitation", "uncertain", text=doubt.rstrip(".") + ".") for doubt in doubts if doubt.strip()]

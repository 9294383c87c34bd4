"""The report as plain text: sections, findings by anatomical system, table of measurements, models."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from groundglass.core import Report, Section, Sentence
from groundglass.report.binding import system_of
from groundglass.report.measurement_table import measurement_rows
from groundglass.report.templates import systems
from groundglass.report.words import page_words

_WIDTH = 96
_MARKS = {"below": "v", "within": " ", "above": "^", "": " "}


def render_text(report: Report) -> str:
    """The whole report, at most 96 columns wide but for the table. `^` and `v` mark values out of range."""
    blocks = [report.title, _wrapped(report.notice)] if report.title else [_wrapped(report.notice)]
    blocks += [_section(section, report) for section in report.sections]
    words = page_words(report.language)
    rows = measurement_rows(report)
    if rows:
        head = (words["finding"], words["measurement"], words["value"], " ", words["range"], words["method"])
        cells = [(r.name, r.kind, r.value, _MARKS[r.flag], r.range, r.method) for r in rows]
        blocks.append(words["measurements"].upper() + "\n" + _table([head, *cells]))
    if report.models:
        lines = [f"- {m.name} {m.version}" + (f": {m.measured_on}" if m.measured_on else "") for m in report.models]
        blocks.append(words["models"].upper() + "\n" + "\n".join(_wrapped(line, "  ") for line in lines))
    return "\n\n".join(blocks) + "\n"


def by_system(section: Section, report: Report) -> list[tuple[str, list[Sentence]]]:
    """(heading, sentences) of a section, in the order of the anatomical systems; "" for what names no finding."""
    headings = {str(s["name"]): s["heading"] for s in systems()}
    groups: dict[str, list[Sentence]] = {}
    for sentence in section.sentences:
        finding = report.finding(sentence.findings[0]) if sentence.findings else None
        words = headings[system_of(finding)] if finding else {"en": ""}
        groups.setdefault(str(words.get(report.language, words["en"])), []).append(sentence)
    return list(groups.items())


def _section(section: Section, report: Report) -> str:
    heading = (section.heading or section.name).upper()
    if section.name == "findings":
        bodies = [
            _wrapped((f"{name}: " if name else "") + " ".join(s.text for s in sentences), "  ")
            for name, sentences in by_system(section, report)
        ]
        return "\n".join([heading, *bodies])
    if section.name in ("impression", "limitations", "written report"):
        return "\n".join([heading, *(_wrapped(f"- {s.text}", "  ") for s in section.sentences)])
    return "\n".join([heading, _wrapped(" ".join(s.text for s in section.sentences))])


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, _WIDTH, subsequent_indent=indent)


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * min(_WIDTH, max(map(len, lines))), *lines[1:]])

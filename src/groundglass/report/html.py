"""The report as one self-contained HTML page: no script, nothing loaded from elsewhere, all text escaped.

Hovering a sentence, an outline, a legend entry or a table row lights up the others that speak of the same
finding; that is done with `:has()` rules, one per finding, so that the page needs no script at all.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from groundglass import __version__
from groundglass.core import Finding, Report, Sentence, Study, ontology
from groundglass.report.binding import polarity_of, system_of
from groundglass.report.measurement_table import finding_name, measurement_rows
from groundglass.report.pictures import KeyPicture, key_pictures
from groundglass.report.plain import by_system
from groundglass.report.planes import PLANES
from groundglass.report.technique import modality_name
from groundglass.report.words import page_words
from groundglass.report.written import beside, title_of, written_reports

_SYMBOLS = {
    "present": "▲",
    "absent": "○",
    "uncertain": "?",
    "not assessed": "–",
    "structure": "●",
    "above": "▲",
    "below": "▼",
    "within": "●",
}
# More numbers than this on one picture hide what they name; the legend and hovering then tell.
_NUMBERED = 9


def render_html(report: Report, study: Study) -> str:
    """The page. `study` gives the pixels for the key pictures and the facts of the header."""
    groups = {f.id: f"g{i}" for i, f in enumerate(report.findings)}
    words = page_words(report.language)
    rows = _rows_of_pictures(key_pictures(report, study), words)
    return _template().render(
        report=report,
        style=_style(),
        count=len(groups),
        groups=groups,
        words=words,
        version=__version__,
        facts=_facts(study, report.language, words),
        sections=[_section(s, report, groups) for s in report.sections if s.name != "written report"],
        written=_written(report, study, groups, words),
        pictures=[row for row in rows if row["kind"] != "detail"],
        details=[row for row in rows if row["kind"] == "detail"],
        rows=_table(report, groups, words),
        evidence=[_evidence(f, groups, report.language, words) for f in report.findings],
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("groundglass.report", "pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("report.html.j2")


@cache
def _style() -> Any:
    from markupsafe import Markup

    return Markup((resources.files("groundglass.report") / "pages" / "report.css").read_text(encoding="utf-8"))


def _facts(study: Study, language: str, words: Mapping[str, str]) -> list[tuple[str, str]]:
    images = ", ".join(
        dict.fromkeys(f"{modality_name(i, language)} {' × '.join(map(str, i.shape))}" for i in study.images)
    )
    date = study.date or next((i.acquisition.date for i in study.images if i.acquisition.date), None)
    patient = study.patient_id or words["unknown"]
    return [(words["patient"], patient), (words["date"], date or words["unknown"]), (words["images"], images)]


def _section(section: Any, report: Report, groups: Mapping[str, str]) -> dict[str, Any]:
    def shown(sentence: Sentence) -> dict[str, str]:
        ids = " ".join(groups[i] for i in sentence.findings if i in groups)
        return {"text": sentence.text, "groups": ids, "mark": _mark(sentence, report)}

    grouped = by_system(section, report) if section.name == "findings" else []
    return {
        "name": section.name,
        "heading": section.heading or section.name,
        "sentences": [shown(s) for s in section.sentences],
        "groups": [(heading, [shown(s) for s in sentences]) for heading, sentences in grouped],
    }


def _mark(sentence: Sentence, report: Report) -> str:
    """A sign before sentences that state an abnormality or a doubt; words alone tell the rest."""
    named = [f for i in sentence.findings if (f := report.finding(i)) is not None]
    pathological = [f for f in named if ontology().entry(f.what.name).kind == "finding"]
    if any(f.status == "present" and system_of(f) != "quality" for f in pathological):
        return "positive"
    return "unsure" if len(named) == 1 and named[0].status == "uncertain" else ""


def _rows_of_pictures(pictures: Sequence[KeyPicture], words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pictures in rows of one image and kind, each row with one legend that numbers its outlines."""
    rows: list[dict[str, Any]] = []
    for picture in pictures:
        key = (picture.image, picture.kind)
        if not rows or rows[-1]["key"] != key:
            rows.append({"key": key, "kind": picture.kind, "held": []})
        rows[-1]["held"].append(picture)
    for row in rows:
        outlines = {o.finding: o for picture in row["held"] for o in picture.outlines}
        ordered = sorted(outlines.values(), key=lambda o: o.label)
        numbers = (
            {o.finding: str(n) for n, o in enumerate(ordered, 1)}
            if len(ordered) <= _NUMBERED and row["kind"] == "overview"
            else {}
        )
        legend = [
            {"finding": o.finding, "label": o.label, "colour": o.colour, "number": numbers.get(o.finding, "")}
            for o in ordered
        ]
        row["legend"] = legend if row["kind"] != "detail" else []
        row["pictures"] = [_shown(picture, numbers, words) for picture in row["held"]]
    return rows


def _shown(picture: KeyPicture, numbers: Mapping[str, str], words: Mapping[str, str]) -> dict[str, Any]:
    lined = {s.finding for s in picture.strokes}
    tags = [o for o in picture.outlines if o.finding in numbers and o.finding not in lined and picture.kind != "detail"]
    texts = [
        {
            "finding": o.finding,
            "text": numbers[o.finding],
            "x": o.anchor[0],
            "y": o.anchor[1] + 4,
            "colour": o.colour,
            "anchor": "middle",
        }
        for o in tags
    ]
    # The three planes show where; the lesion's own picture tells how long.
    is_crowded = picture.title in PLANES
    return {
        "title": words.get(picture.title, picture.title),
        "caption": picture.image if picture.kind == "overview" else picture.caption,
        "image": picture.image,
        "size": picture.size,
        "data": base64.b64encode(picture.webp).decode("ascii"),
        "outlines": picture.outlines,
        "strokes": picture.strokes,
        "texts": texts if is_crowded else texts + _stroke_labels(picture),
        "key": list(_keyed(picture).items()) if picture.kind == "detail" else [],
        "corners": _corners(picture),
    }


def _keyed(picture: KeyPicture) -> dict[str, str]:
    """Each name of a line once -> its number in the key: a small picture has no room for names."""
    return {name: str(n) for n, name in enumerate(dict.fromkeys(s.label for s in picture.strokes if s.label), 1)}


def _stroke_labels(picture: KeyPicture) -> list[dict[str, Any]]:
    """Labels (in a small picture, numbers) beside the lines' ends, kept on the picture and off each other."""
    key = _keyed(picture) if picture.kind == "detail" else {}
    room = 26 if key else 140
    width, height = picture.size
    placed: list[tuple[float, float]] = []
    labels: list[dict[str, Any]] = []
    for stroke in picture.strokes:
        text = key.get(stroke.label, stroke.label)
        if not text or (key and any(label["text"] == text for label in labels)):
            continue
        x, y = max(stroke.points, key=lambda p: p[0])
        anchor, x = ("end", x - 6) if x > width * 0.6 else ("start", x + 6)
        y = min(max(y - 6, 16), height - 8)
        while any(abs(y - py) < 15 and abs(x - px) < room for px, py in placed) and y < height - 8:
            y += 15
        placed.append((x, y))
        labels.append(
            {"finding": stroke.finding, "text": text, "x": x, "y": y, "colour": stroke.colour, "anchor": anchor}
        )
    return labels


def _corners(picture: KeyPicture) -> list[dict[str, Any]]:
    width, height = picture.size
    places = ((12, height / 2 + 5), (width - 12, height / 2 + 5), (width / 2, 18), (width / 2, height - 8))
    return [{"text": text, "x": x, "y": y} for text, (x, y) in zip(picture.letters, places, strict=True) if text]


def _table(report: Report, groups: Mapping[str, str], words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of the table of measurements; a finding's name stands in its first row only."""
    shown: list[dict[str, Any]] = []
    before = ""
    for row in measurement_rows(report):
        marks = {"group": groups[row.finding], "symbol": _SYMBOLS.get(row.flag, ""), "word": words.get(row.flag, "")}
        shown.append({**asdict(row), **marks, "is_first": row.finding != before})
        before = row.finding
    return shown


def _written(report: Report, study: Study, groups: Mapping[str, str], words: Mapping[str, str]) -> list[dict[str, Any]]:
    """Per written report its title and its rows: the words, what they state, what the images show, the verdict."""
    tables = []
    for written, date in written_reports(study):
        rows = [
            {
                "groups": " ".join(groups[f.id] for f in pair.seen if f.id in groups),
                "name": finding_name(pair.written or pair.seen[0], report.language),
                "sentence": pair.sentence,
                "written": pair.written.status if pair.written else "",
                "seen": pair.status or "",
                "verdict": pair.verdict,
            }
            for pair in beside(report.findings, written)
        ]
        tables.append({"title": title_of(date, words), "rows": rows})
    return tables


def _evidence(finding: Finding, groups: Mapping[str, str], language: str, words: Mapping[str, str]) -> dict[str, Any]:
    is_structure = ontology().entry(finding.what.name).kind != "finding" and finding.status == "present"
    status = "structure" if is_structure else polarity_of(finding)
    items = [(words["code"], f"{finding.what.code} ({finding.what.scheme})")]
    items += [(a.kind, a.value) for a in finding.attributes]
    for evidence in finding.evidence:
        said = " · ".join(part for part in (evidence.source, evidence.name, evidence.version, evidence.detail) if part)
        items.append((words["source"], said))
    return {
        "group": groups[finding.id],
        "name": finding_name(finding, language),
        "status": status,
        "symbol": _SYMBOLS[status],
        "word": words[status],
        "score": "" if finding.score is None else f"{words['score']} {finding.score:.2f}",
        "details": items,
    }

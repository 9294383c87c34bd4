"""A timeline as JSON and as the CSV table in which the data set is released."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from groundglass.text.timeline.changes import course
from groundglass.text.timeline.patient import PatientTimeline
from groundglass.text.timeline.rows import RELATIONS, Row

_HEAD: tuple[str, ...] = ("study_id", "sequence", "date", "section", "sentence", "id", "entity", "concept", "category")
_HEAD += ("dx_status", "dx_certainty")
_TAIL = ("associate", "evidence", "entity_group", "episode")


def to_csv(patient: PatientTimeline) -> str:
    """One line per row, with every relation as a column; several linked rows are joined by "; "."""
    file = io.StringIO()
    writer = csv.DictWriter(file, (*_HEAD, *RELATIONS, *_TAIL), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_line(row) for row in patient.rows)
    return file.getvalue()


def to_dict(patient: PatientTimeline) -> dict[str, Any]:
    """Studies, rows and the course of each group, JSON-ready."""
    return {
        "studies": [asdict(study) for study in patient.studies],
        "rows": [_line(row) for row in patient.rows],
        "course": [asdict(line) for line in course(patient)],
    }


def _line(row: Row) -> dict[str, Any]:
    return {
        "study_id": row.study.id,
        "sequence": row.study.sequence,
        "date": row.study.date,
        "section": row.section,
        "sentence": row.sentence,
        "id": row.id,
        "entity": row.entity,
        "concept": row.concept,
        "category": row.category,
        "dx_status": "positive" if row.positive else "negative",
        "dx_certainty": "definitive" if row.definitive else "tentative",
        **{name: row.attributes.get(name, "") for name in RELATIONS},
        "associate": "; ".join(held for kind, held in row.links if kind == "ASSOCIATE"),
        "evidence": "; ".join(held for kind, held in row.links if kind == "EVIDENCE"),
        "entity_group": row.group,
        "episode": row.episode,
    }

"""The findings of a study as the API shows them: what was read, what was drawn, and what the reviewer said of each."""

from __future__ import annotations

from typing import Any

from groundglass.app.serve import models
from groundglass.app.serve.desk import Desk
from groundglass.app.serve.problems import not_found
from groundglass.app.serve.review import ReviewState, load_review
from groundglass.app.serve.store import read_json
from groundglass.io.colour import segment_colour


def rows_of(desk: Desk, study_id: str) -> list[dict[str, Any]]:
    """The rows of all findings, of the reading first, numbered for the label maps. Raises the 404 problem."""
    place = desk.store.folder(study_id)
    read = read_json(place.findings, "report")["findings"] if place.findings.is_file() else []
    counts: dict[str, int] = {}
    for row in read:
        if row["label"]:
            counts[row["image"]] = row["label"]
    rows = list(read)
    for drawn in load_review(place).drawn.values():
        row = dict(drawn)
        if row["label"]:
            row["label"] = counts[row["image"]] = counts.get(row["image"], 0) + 1
            row["colour"] = list(segment_colour(row["label"]))
        rows.append(row)
    return rows


def findings_of(desk: Desk, study_id: str) -> list[models.Finding]:
    """The findings with the review on them."""
    review = load_review(desk.store.folder(study_id))
    return [shown(study_id, row, review) for row in rows_of(desk, study_id)]


def shown(study_id: str, row: dict[str, Any], review: ReviewState) -> models.Finding:
    """A finding as the API shows it."""
    mask = f"/api/v1/studies/{study_id}/findings/{row['id']}/mask.nii.gz" if row["label"] else None
    return models.Finding(
        **row,
        mask_url=mask,
        source="person" if row["id"] in review.drawn else "model",
        verdict=review.verdict(row["id"]),
        sentence=review.sentence(row["id"]),
    )


def row_of(desk: Desk, study_id: str, finding_id: str) -> dict[str, Any]:
    """The row of one finding. Raises the 404 problem."""
    row = next((row for row in rows_of(desk, study_id) if row["id"] == finding_id), None)
    if row is None:
        raise not_found("finding in this study")
    return row


def reviewed(review: ReviewState, ids: list[str]) -> models.Review:
    """The review of these findings."""
    return models.Review(
        revision=review.revision,
        findings={i: models.Reviewed(verdict=review.verdict(i), sentence=review.sentence(i)) for i in ids},
    )

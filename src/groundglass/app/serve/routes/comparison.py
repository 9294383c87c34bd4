"""A study beside an earlier one."""

from __future__ import annotations

from fastapi import APIRouter, Request

from groundglass.app.serve import models
from groundglass.app.serve.comparing import compare
from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.findings import findings_of
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.routes.answers import problems

router = APIRouter(tags=["comparison"])


@router.get("/studies/{study_id}/compare/{prior_id}", responses=problems(404, 409, 429))
async def compare_studies(request: Request, study_id: models.Id, prior_id: models.Id) -> models.Comparison:
    """The findings of two studies in pairs, with the change of what both measured. Both must have been read."""
    desk = desk_of(request)
    if study_id == prior_id:
        raise Problem(409, "same-study", "Compare a study with another one.")
    for each in (study_id, prior_id):
        desk.view(each)
    rows = await desk.on_files(compare, desk.opened(study_id), desk.opened(prior_id), what="comparison")
    now = {finding.id: finding for finding in findings_of(desk, study_id)}
    before = {finding.id: finding for finding in findings_of(desk, prior_id)}
    pairs = [
        models.Pair(
            now=now.get(row["now"]), prior=before.get(row["prior"]), status=row["status"],
            matched_by="name" if row["now"] and row["prior"] else None,
            changes=[models.Change(**change) for change in row["changes"]],
        )
        for row in rows
    ]  # fmt: skip
    return models.Comparison(study=study_id, prior=prior_id, pairs=pairs)

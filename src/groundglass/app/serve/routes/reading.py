"""Reading a study, watching it, its report, and the reviewer's say."""

from __future__ import annotations

import shutil
import threading
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from groundglass.app.serve import models
from groundglass.app.serve.desk import Desk, desk_of
from groundglass.app.serve.drawing import keep_drawn, point_finding
from groundglass.app.serve.exports import available
from groundglass.app.serve.findings import findings_of, reviewed, row_of, shown
from groundglass.app.serve.jobs import Job
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.reading import Opened, read, write_mask
from groundglass.app.serve.review import load_review, save_review
from groundglass.app.serve.routes.answers import NIFTI, file_answer, kept_file, problems
from groundglass.app.serve.worker import Tell

router = APIRouter(tags=["reading"])


@router.post("/studies/{study_id}/read", status_code=202, responses=problems(404, 409, 429))
async def read_study(
    request: Request, response: Response, study_id: models.Id, wanted: models.ReadRequest
) -> models.Job:
    """Read a study. The answer is a job; its events tell how it goes. A reading replaces the one before, and the
    verdicts and sentences on it; what the reviewer drew stays."""
    from dataclasses import replace

    from groundglass.core import ontology

    desk = desk_of(request)
    record = desk.store.get(study_id)
    for term in wanted.only:
        ontology()[term]
    prior = None
    if wanted.prior_study is not None:
        desk.view(wanted.prior_study)
        prior = desk.opened(wanted.prior_study)
    opened = replace(desk.opened(study_id), clinical=wanted.clinical)
    job = begin_reading(desk, opened, only=tuple(wanted.only), language=wanted.language, prior=prior)
    record.job = job.id
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return job.view()


def begin_reading(desk: Desk, opened: Opened, *, only: tuple[str, ...], language: str, prior: Opened | None) -> Job:
    """Put a reading in line. Raises the 409 and 429 problems."""
    place = opened.place

    async def work(tell: Tell, stop: threading.Event) -> str:
        await desk.on_reader(_read_with, opened, only, language, prior, tell=tell, stop=stop)
        state = load_review(place)
        state.findings = {i: said for i, said in state.findings.items() if i in state.drawn}
        save_review(place, state)
        shutil.rmtree(place.made, ignore_errors=True)
        return f"/api/v1/studies/{place.id}/report"

    return desk.jobs.start(place.id, "read", work)


def _read_with(tell: Tell, opened: Opened, only: tuple[str, ...], language: str, prior: Opened | None) -> None:
    """The worker's side of a reading: positional, as calls go over the pipe."""
    read(tell, opened, only=only, language=language, prior=prior)


@router.get("/jobs/{job_id}", responses=problems(404))
async def get_job(request: Request, job_id: models.Id) -> models.Job:
    """How a job stands."""
    return desk_of(request).jobs.get(job_id).view()


@router.delete("/jobs/{job_id}", status_code=202, responses=problems(404))
async def cancel_job(request: Request, job_id: models.Id) -> models.Job:
    """Cancel a job; its process is ended. A job that is over stays as it is."""
    jobs = desk_of(request).jobs
    job = jobs.get(job_id)
    jobs.cancel(job)
    return job.view()


@router.get(
    "/jobs/{job_id}/events",
    response_class=StreamingResponse,
    responses=problems(404, 429)
    | {
        200: {
            "description": "Events `progress` {message, step}, then one `done` or `failed` with the job",
            "content": {"text/event-stream": {}},
        }
    },
)
async def job_events(
    request: Request,
    job_id: models.Id,
    last_event_id: Annotated[str, Header(max_length=9, pattern=r"^[0-9]*$")] = "",
) -> StreamingResponse:
    """What happens in a job, as server-sent events, from the beginning or after Last-Event-ID."""
    jobs = desk_of(request).jobs
    stream = await jobs.stream(jobs.get(job_id), int(last_event_id or 0))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


@router.get("/studies/{study_id}/report", responses=problems(404, 409))
async def get_report(request: Request, study_id: models.Id) -> models.ReportView:
    """The report with every finding's place, and the review."""
    desk = desk_of(request)
    record, view = desk.store.get(study_id), desk.view(study_id)
    findings = findings_of(desk, study_id)
    review = load_review(desk.store.folder(study_id))
    return models.ReportView(
        document=view["document"],
        findings=findings,
        review=reviewed(review, [finding.id for finding in findings]),
        exports=available(record),
    )


@router.patch("/studies/{study_id}/findings/{finding_id}", responses=problems(404))
async def review_finding(
    request: Request, study_id: models.Id, finding_id: models.FindingId, said: models.ReviewFinding
) -> models.Finding:
    """Accept or reject a finding, or word its sentence. Exports follow: what is rejected is not in them."""
    desk = desk_of(request)
    row = row_of(desk, study_id, finding_id)
    place = desk.store.folder(study_id)
    state = load_review(place)
    entry = dict(state.findings.get(finding_id, {}))
    if said.verdict is not None:
        entry["verdict"] = said.verdict
    if "sentence" in said.model_fields_set:
        entry["sentence"] = said.sentence or None
    state.findings[finding_id] = entry
    save_review(place, state)
    return shown(study_id, row, state)


@router.post("/studies/{study_id}/findings", status_code=201, responses=problems(404, 409, 429))
async def add_finding(request: Request, study_id: models.Id, wanted: models.NewFinding) -> models.Finding:
    """Add a finding at a point, in voxels. For one with a mask, accept a session."""
    desk = desk_of(request)
    record = desk.store.get(study_id)
    image = next((held for held in record.images if held["id"] == wanted.image), None)
    if image is None:
        raise Problem(422, "no-image", "The study has no image of that id.")
    if len(wanted.point) != len(image["shape"]) or any(
        not -0.5 <= v < n - 0.5 for v, n in zip(wanted.point, image["shape"], strict=True)
    ):
        raise Problem(422, "outside", f"The point is not in an image of {image['shape']} voxels.")
    opened = desk.opened(study_id)
    return await keep_drawn(
        desk, study_id, wanted.sentence,
        lambda finding_id, path: desk.on_files(
            point_finding, opened, wanted.image, wanted.term, tuple(wanted.point), finding_id, path, what="finding"
        ),
    )  # fmt: skip


@router.delete("/studies/{study_id}/findings/{finding_id}", status_code=204, responses=problems(404, 409))
async def delete_finding(request: Request, study_id: models.Id, finding_id: models.FindingId) -> None:
    """Delete a finding that a reviewer added. One that was read is rejected instead."""
    desk = desk_of(request)
    row_of(desk, study_id, finding_id)
    place = desk.store.folder(study_id)
    state = load_review(place)
    if finding_id not in state.drawn:
        raise Problem(409, "not-drawn", "Only a reviewer's own findings are deleted; reject this one.")
    del state.drawn[finding_id]
    state.findings.pop(finding_id, None)
    save_review(place, state)
    (place.drawn / f"{finding_id}.json").unlink(missing_ok=True)


@router.get(
    "/studies/{study_id}/findings/{finding_id}/mask.nii.gz",
    response_class=FileResponse,
    responses=problems(404, 409, 429) | file_answer(NIFTI),
)
async def get_mask(request: Request, study_id: models.Id, finding_id: models.FindingId) -> FileResponse:
    """The mask of one finding on its image's grid."""
    desk = desk_of(request)
    if not row_of(desk, study_id, finding_id)["label"]:
        raise Problem(409, "no-mask", "This finding has no mask.")
    path = desk.store.folder(study_id).made_of(f"mask-{finding_id}.nii.gz")
    if not path.is_file():
        await desk.on_files(write_mask, desk.opened(study_id), finding_id, path, what="mask")
    return kept_file(path, NIFTI)

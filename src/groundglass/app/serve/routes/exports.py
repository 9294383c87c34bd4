"""The reviewed report as a file."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from groundglass.app.serve import models
from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.exports import FORMS, available, export
from groundglass.app.serve.guard import PAGE_POLICY
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.review import load_review
from groundglass.app.serve.routes.answers import problems

router = APIRouter(tags=["exports"])
_BODIES = {
    kind: {"schema": {"type": "object"} if kind.endswith("json") else {"type": "string", "format": "binary"}}
    for kind in (media_type.partition(";")[0] for media_type, _name in FORMS.values())
}


@router.get(
    "/studies/{study_id}/export/{kind}",
    response_class=FileResponse,
    responses=problems(404, 409, 429) | {200: {"description": "The export", "content": _BODIES}},
)
async def export_study(request: Request, study_id: models.Id, kind: models.ExportKind) -> FileResponse:
    """The report with the review in it. Several DICOM series give a zip of one file each."""
    desk = desk_of(request)
    record = desk.store.get(study_id)
    desk.view(study_id)
    if kind not in available(record):
        reason = {
            "pdf": "It needs chromium on the server; export html and print that.",
            "fhir": "It needs the extra 'fhir' on the server.",
        }.get(kind, "No image of this study came from DICOM.")
        raise Problem(409, "not-available", reason)
    media_type, name = FORMS[kind]
    place = desk.store.folder(study_id)
    path = place.made_of(name, str(load_review(place).revision))
    if not path.is_file():
        place.forget_old()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            await desk.on_files(export, desk.opened(study_id), kind, path, what="export")
        except Problem as problem:
            # Nothing is wrong with the request: the report, as it stands, has nothing of this form.
            if problem.kind == "unsupported-input":
                raise Problem(409, "not-available", problem.detail) from problem
            raise
    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    if is_zip and media_type != "application/zip":
        media_type, name = "application/zip", f"{name}.zip"
    headers = {"content-security-policy": PAGE_POLICY} if kind == "html" else {}
    return FileResponse(path, media_type=media_type, filename=name, headers=headers)

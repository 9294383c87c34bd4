"""MONAI Label's labels: saved, fetched, described, deleted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from groundglass.app.serve.datastore import find_image, forget_label, keep_label, label_info_path, label_path
from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.problems import Problem, not_found
from groundglass.app.serve.routes.answers import NIFTI, file_answer, kept_file, problems
from groundglass.app.serve.routes.client_forms import (
    FILE,
    ImageName,
    Tag,
    client_form,
    described_form,
    drop_form,
    params_of,
)
from groundglass.app.serve.store import read_json

router = APIRouter(tags=["MONAI Label"])


@router.put("/datastore/label", openapi_extra=described_form(label=FILE), responses=problems(404, 409, 415, 429))
async def put_label(request: Request, image: ImageName, tag: Tag = "final") -> dict[str, str]:
    """Save a label. In the tag `final`, structures with names that the ontology knows (`params.label_info`) become the
    reviewer's findings; saving it again replaces them."""
    desk = desk_of(request)
    record, image_id = find_image(desk, image)
    form = await client_form(request, desk, ("label",))
    try:
        if not form.files:
            raise Problem(422, "no-files", "The form holds no file in the field 'label'.")
        path, name = form.files[0]
        params = params_of(form)
        await keep_label(desk, record, image_id, tag or "final", path, name, params)
    finally:
        drop_form(form)
    return {"image": image, "label": image}


@router.get("/datastore/label", response_class=FileResponse, responses=problems(404, 409) | file_answer(NIFTI))
async def get_label(request: Request, label: ImageName, tag: Tag) -> FileResponse:
    """A saved label; its id is that of its image."""
    desk = desk_of(request)
    record, image_id = find_image(desk, label)
    path = label_path(desk, record, image_id, tag)
    if not path.is_file():
        raise not_found("label")
    return kept_file(path, NIFTI, name=f"{record.id}-{image_id}.nii.gz")


@router.head("/datastore/label", response_class=Response, responses=problems(404, 409))
async def head_label(request: Request, image: ImageName, tag: Tag) -> Response:
    """Whether there is such a label."""
    desk = desk_of(request)
    record, image_id = find_image(desk, image)
    if not label_path(desk, record, image_id, tag).is_file():
        raise not_found("label")
    return Response()


@router.get("/datastore/label/info", responses=problems(404, 409))
async def get_label_info(request: Request, label: ImageName, tag: Tag) -> dict[str, Any]:
    """What was sent with a label."""
    desk = desk_of(request)
    record, image_id = find_image(desk, label)
    info: dict[str, Any] = read_json(label_info_path(desk, record, image_id, tag), "label")["info"]
    return info


@router.delete("/datastore/label", responses=problems(404, 409))
async def delete_label(request: Request, id: ImageName, tag: Tag) -> dict[str, Any]:
    """Delete a label with the findings that it became."""
    desk = desk_of(request)
    record, image_id = find_image(desk, id)
    if not label_path(desk, record, image_id, tag).is_file():
        raise not_found("label")
    forget_label(desk, record, image_id, tag)
    return {}

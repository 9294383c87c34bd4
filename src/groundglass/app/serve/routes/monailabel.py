"""The endpoints of the MONAI Label protocol, at the root, for 3D Slicer's and OHIF's plug-ins.

An image is named by `STUDY-IMAGE` of this server, by its SeriesInstanceUID (as OHIF does), or by the name that a client
gave when it sent it. There is no training: `trainers` is empty, and so /train/ is not there.
Source: the public server and clients of Project-MONAI/MONAILabel (Apache-2.0), read for names and shapes.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Form, Path, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from starlette.background import BackgroundTask

from groundglass import __version__
from groundglass.app.serve import labelling
from groundglass.app.serve.datastore import (
    client_images,
    client_name,
    expire_sessions,
    find_image,
    image_info,
    labels_of,
    session_info,
    session_record,
    status,
)
from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.guard import token_fits
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.routes.answers import NIFTI, file_answer, kept_file, problems
from groundglass.app.serve.routes.client_forms import (
    FILE,
    ImageName,
    asked_of,
    client_form,
    described_form,
    drop_form,
    media_type_of,
    params_of,
    study_of_form,
    target_image,
    two_parts,
)
from groundglass.app.serve.uploads import shown_name

router = APIRouter(tags=["MONAI Label"])


@router.get("/info/", responses=problems())
async def app_info(request: Request) -> dict[str, Any]:
    """Models, labels and strategies."""
    desk = desk_of(request)
    table = labelling.label_table()
    models = {
        "read": _model("segmentation", table, 3, "What a reading of the image outlines"),
        "click_3d": _model("deepgrow", [], 3, "Clicks, carried through the volume"),
        "click_2d": _model("deepgrow", [], 2, "Clicks on a slice"),
    }
    return {
        "name": "groundglass",
        "description": "Drafts for a qualified reader. Not a medical device.",
        "version": __version__,
        "labels": list(table),
        "models": models,
        "trainers": {},
        "strategies": {name: {"description": what, "config": {}} for name, what in _STRATEGIES.items()},
        "scoring": {},
        "train_stats": {},
        "datastore": status(desk),
        "config": {},
    }


_STRATEGIES = {"first": "The oldest image without a final label", "random": "Any image without a final label"}


def _model(kind: str, labels: Any, dimension: int, description: str) -> dict[str, Any]:
    return {"type": kind, "labels": labels, "dimension": dimension, "description": description, "config": {}}


@router.get("/auth/", responses=problems())
async def auth(request: Request) -> dict[str, Any]:
    """Whether a token is demanded."""
    return {"enabled": desk_of(request).settings.token is not None, "client_id": "groundglass", "realm": ""}


@router.post("/auth/token", responses=problems())
async def auth_token(
    request: Request,
    password: Annotated[str, Form(min_length=1, max_length=1000)],
    username: Annotated[str, Form(max_length=200)] = "",
) -> dict[str, str | None]:
    """The server's token, for who knows it: any user name, the token as password."""
    token = desk_of(request).settings.token
    if token is None:
        return {"access_token": None, "token_type": None}
    if not token_fits(password, token):
        await asyncio.sleep(1.0)  # whoever guesses shall wait
        raise Problem(401, "no-token", "Give the server's token as password.", headers={"WWW-Authenticate": "Bearer"})
    return {"access_token": token, "token_type": "bearer"}


@router.get("/auth/token/valid", responses=problems())
async def auth_valid() -> dict[str, Any]:
    """Reached with a valid token only."""
    return {"username": "groundglass", "full_name": "", "roles": []}


@router.post(
    "/infer/{model}",
    response_model=None,
    openapi_extra=described_form(file=FILE, label=FILE),
    responses=problems(404, 409, 415, 429)
    | {
        200: {
            "description": "`params` and the label map; or one of them, as `output` says",
            "content": {
                "multipart/form-data": {"schema": {"type": "object"}},
                "application/json": {"schema": {"type": "object"}},
                "application/octet-stream": {"schema": FILE},
                NIFTI: {"schema": FILE},
                "application/dicom": {"schema": FILE},
            },
        }
    },
)
async def infer(
    request: Request,
    model: Literal["read", "click_2d", "click_3d"],
    image: Annotated[str, Query(max_length=200)] = "",
    session_id: Annotated[str, Query(max_length=64)] = "",
    output: Literal["image", "json", "all", "dicom_seg"] | None = None,
) -> Response:
    """Run a model on an image of the datastore, of a session, or one that is sent along as `file`."""
    desk = desk_of(request)
    form = await client_form(request, desk, ("file", "label"))
    try:
        params = params_of(form)
        asked = asked_of(model, params)
        record, image_id = await target_image(desk, image, session_id, form)
        ending = ".seg.dcm" if output == "dicom_seg" else str(params.get("result_extension") or ".nii.gz")
        if ending not in (*labelling.EXTENSIONS, ".seg.dcm"):
            raise Problem(422, "bad-extension", f"Results are written as {', '.join(labelling.EXTENSIONS)}.")
        path = desk.store.incoming / f"infer-{secrets.token_hex(8)}{ending}"
        runner = desk.on_bench if model != "read" else desk.on_models
        try:
            answer = await runner(labelling.infer, desk.opened(record.id), image_id, asked, path, what="image")
            if output == "json":
                path.unlink(missing_ok=True)
                return JSONResponse(answer)
            if output in ("image", "dicom_seg"):
                media = {"dicom_seg": "application/dicom"}.get(output) or media_type_of(path)
                gone = BackgroundTask(path.unlink, missing_ok=True)
                return FileResponse(path, media_type=media, filename=path.name, background=gone)
            return two_parts(answer, path)
        finally:
            if output not in ("image", "dicom_seg"):
                path.unlink(missing_ok=True)
    finally:
        drop_form(form)


@router.get("/datastore/", responses=problems())
async def datastore(request: Request, output: Literal["all", "stats", "train"] | None = None) -> Any:
    """The images and their labels: all of it, pairs for training (by id), or how many are done."""
    desk = desk_of(request)
    if output == "all":
        objects = {}
        for record, held in client_images(desk):
            facts = {"ext": ".nii.gz", "info": image_info(record, held)}
            objects[client_name(record, held)] = {"image": facts, "labels": labels_of(desk, record, held)}
        return {
            "name": "groundglass", "description": "Studies of this server", "images_dir": "", "labels_dir": "",
            "objects": objects,
        }  # fmt: skip
    if output == "train":
        done = [(r, i) for r, i in client_images(desk) if "final" in labels_of(desk, r, i)]
        return [{"image": client_name(record, image), "label": client_name(record, image)} for record, image in done]
    return status(desk)


@router.put(
    "/datastore/",
    name="put_image_at_root",
    deprecated=True,
    openapi_extra=described_form(file=FILE),
    responses=problems(404, 409, 415, 429),
)
@router.put("/datastore/image", openapi_extra=described_form(file=FILE), responses=problems(404, 409, 415, 429))
async def put_image(request: Request, image: Annotated[str, Query(max_length=200)] = "") -> dict[str, str]:
    """Send an image. It is known by the name that is given here, too, while no other image has it."""
    desk = desk_of(request)
    record = await study_of_form(request, desk, ("file",), "upload", image)
    return {"image": image if image and record.name == shown_name(image) else client_name(record, record.images[0])}


@router.delete("/datastore/", name="delete_image_at_root", deprecated=True, responses=problems(404, 409))
@router.delete("/datastore/image", responses=problems(404, 409))
async def delete_image(request: Request, id: ImageName) -> dict[str, Any]:
    """Delete an image; that of a study with several is not deleted alone."""
    desk = desk_of(request)
    record, _image_id = find_image(desk, id)
    if len(record.images) > 1:
        raise Problem(409, "one-of-several", "The image is one of several of a study; delete the study.")
    if any(not job.is_over for job in desk.jobs.of_study(record.id)):
        raise Problem(409, "busy", "The study is being read; cancel that first.")
    desk.seats.leave_study(record.id)
    desk.store.delete(record.id)
    return {}


@router.head("/datastore/image", response_class=Response, responses=problems(404, 409))
async def head_image(request: Request, image: ImageName) -> Response:
    """Whether there is such an image."""
    find_image(desk_of(request), image)
    return Response()


@router.get("/datastore/image", response_class=FileResponse, responses=problems(404, 409, 429) | file_answer(NIFTI))
async def get_image(request: Request, image: ImageName) -> FileResponse:
    """The pixels as NIfTI, i fastest: the voxels that points and results speak of."""
    desk = desk_of(request)
    record, image_id = find_image(desk, image)
    path = desk.store.folder(record.id).image(image_id) / "client.nii.gz"
    if not path.is_file():
        await desk.on_files(labelling.write_image, desk.opened(record.id), image_id, path, what="image")
    return kept_file(path, NIFTI, name=f"{record.id}-{image_id}.nii.gz")


@router.get("/datastore/image/info", responses=problems(404, 409))
async def get_image_info(request: Request, image: ImageName) -> dict[str, Any]:
    """Facts of an image."""
    record, image_id = find_image(desk_of(request), image)
    return image_info(record, record.image(image_id))


@router.post("/activelearning/{strategy}", responses=problems(404))
async def next_sample(
    request: Request,
    strategy: Literal["first", "random"],
    params: Annotated[dict[str, Any] | None, Body()] = None,
) -> dict[str, Any]:
    """An image without a final label; an empty object when all have one."""
    desk = desk_of(request)
    left = [(r, i) for r, i in reversed(client_images(desk)) if "final" not in labels_of(desk, r, i)]
    if not left:
        return {}
    record, image = left[0] if strategy == "first" else secrets.choice(left)
    return {"id": client_name(record, image), **image_info(record, image)}


@router.put(
    "/session/", openapi_extra=described_form(files={"type": "array", "items": FILE}), responses=problems(409, 415, 429)
)
async def put_session(
    request: Request, expiry: Annotated[int, Query(ge=0, le=86_400)] = 0, uncompress: bool = False
) -> dict[str, Any]:
    """Send an image for a while: it is deleted when the session expires."""
    desk = desk_of(request)
    expire_sessions(desk)
    record = await study_of_form(request, desk, ("files",), "session", "")
    return {"session_id": record.id, "session_info": session_info(desk, record)}


@router.get("/session/{session_id}", responses=problems(404))
async def get_session(
    request: Request, session_id: Annotated[str, Path(max_length=64)], update_ts: bool = False
) -> dict[str, Any]:
    """A session."""
    desk = desk_of(request)
    return session_info(desk, session_record(desk, session_id))


@router.delete("/session/{session_id}", responses=problems(404))
async def delete_session(request: Request, session_id: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
    """End a session and delete its image."""
    desk = desk_of(request)
    record = session_record(desk, session_id)
    told = session_info(desk, record)
    desk.seats.leave_study(record.id)
    desk.store.delete(record.id)
    return told

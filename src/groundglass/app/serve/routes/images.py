"""Images of a study: facts, volumes for the viewer, thumbnails, label maps."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse

from groundglass.app.serve import models
from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.findings import rows_of
from groundglass.app.serve.problems import not_found
from groundglass.app.serve.reading import write_label_map
from groundglass.app.serve.review import load_review
from groundglass.app.serve.routes.answers import NIFTI, file_answer, kept_file, problems

router = APIRouter(tags=["images"])


@router.get("/studies/{study_id}/images", responses=problems(404))
async def list_images(request: Request, study_id: models.Id) -> models.Images:
    """The images of a study, in the order of its report."""
    record = desk_of(request).store.get(study_id)
    return models.Images(images=[view(study_id, image) for image in record.images])


@router.get(
    "/studies/{study_id}/images/{image_id}/volume.nii.gz",
    response_class=FileResponse,
    responses=problems(404, 409) | file_answer(NIFTI, "NIfTI; flat pictures are shown upright, colour is RGB24"),
)
async def get_volume(request: Request, study_id: models.Id, image_id: models.ImageId) -> FileResponse:
    """The pixels for a viewer."""
    desk = desk_of(request)
    desk.usable_image(study_id, image_id)
    return kept_file(desk.volume(study_id, image_id), NIFTI, keep=True)


@router.get(
    "/studies/{study_id}/images/{image_id}/thumbnail.png",
    response_class=FileResponse,
    responses=problems(404, 409) | file_answer("image/png"),
)
async def get_thumbnail(request: Request, study_id: models.Id, image_id: models.ImageId) -> FileResponse:
    """The middle slice, small."""
    desk = desk_of(request)
    desk.usable_image(study_id, image_id)
    path = desk.store.folder(study_id).image(image_id) / "thumbnail.png"
    if not path.is_file():
        raise not_found("thumbnail")
    return kept_file(path, "image/png", keep=True)


@router.get(
    "/studies/{study_id}/images/{image_id}/labels.nii.gz",
    response_class=FileResponse,
    responses=problems(404, 409, 429) | file_answer(NIFTI, "A label map on the image's grid; 0 where there is none"),
)
async def get_label_map(request: Request, study_id: models.Id, image_id: models.ImageId) -> FileResponse:
    """All masks on an image, numbered as in labels.json; where they overlap the smaller is on top."""
    desk = desk_of(request)
    desk.usable_image(study_id, image_id)
    place = desk.store.folder(study_id)
    path = place.made_of(f"labels-{image_id}.nii.gz", " ".join(load_review(place).drawn))
    if not path.is_file():
        await desk.on_files(write_label_map, desk.opened(study_id), image_id, path, what="label map")
    return kept_file(path, NIFTI)


@router.get("/studies/{study_id}/images/{image_id}/labels.json", responses=problems(404))
async def get_labels(request: Request, study_id: models.Id, image_id: models.ImageId) -> models.Labels:
    """The legend of labels.nii.gz."""
    desk = desk_of(request)
    desk.store.get(study_id).image(image_id)
    rows = rows_of(desk, study_id)
    return models.Labels(
        labels=[
            models.Label(index=row["label"], name=name_of(row), colour=row["colour"], finding=row["id"])
            for row in rows
            if row["image"] == image_id and row["label"]
        ]
    )


def name_of(row: dict[str, Any]) -> str:
    """Side and term, as a legend says it."""
    return f"{row['side']} {row['term']}" if row["side"] in ("left", "right") else str(row["term"])


def view(study_id: str, image: dict[str, Any]) -> models.Image:
    """An image as the API shows it."""
    base = f"/api/v1/studies/{study_id}/images/{image['id']}"
    return models.Image(
        **image, url=f"{base}/volume.nii.gz", thumbnail=f"{base}/thumbnail.png", labels=f"{base}/labels.nii.gz"
    )

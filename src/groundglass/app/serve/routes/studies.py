"""Studies: send one, open one, list, look, delete."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from groundglass.app.serve import models
from groundglass.app.serve.desk import Desk, desk_of
from groundglass.app.serve.intake import Taken, take_in_place, take_upload
from groundglass.app.serve.problems import Problem, too_many
from groundglass.app.serve.routes.answers import problems
from groundglass.app.serve.settings import Limits
from groundglass.app.serve.store import Record, StudyFolder, below, is_inside, now
from groundglass.app.serve.uploads import receive_form

router = APIRouter(tags=["studies"])
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    "required": ["files"],
                }
            },
            "application/json": {
                "schema": {"oneOf": [models.OpenPath.model_json_schema(), models.OpenDicomweb.model_json_schema()]}
            },
        },
    }
}


@router.get("/studies", responses=problems())
async def list_studies(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> models.Studies:
    """Studies, newest first."""
    desk = desk_of(request)
    records = desk.store.all()
    return models.Studies(studies=[view(desk, r) for r in records[offset : offset + limit]], total=len(records))


@router.post("/studies", status_code=201, responses=problems(404, 409, 415, 429, 502), openapi_extra=_BODY)
async def add_study(request: Request, response: Response) -> models.Study:
    """Send the files of one study as a form, open what lies below the server's data folder, or fetch a study by its UID
    from the DICOMweb server that this server was started with.

    Zip archives are taken apart. What cannot be read is named in `warnings`; when nothing can, the request fails."""
    desk = desk_of(request)
    desk.store.check_room()
    if desk.uploads >= desk.limits.uploads_at_once:
        raise too_many("Too many studies are being sent.")
    desk.uploads += 1
    folder = desk.store.begin()
    try:
        record = await _received(request, desk, folder)
        desk.store.finish(folder, record)
    finally:
        desk.uploads -= 1
        desk.store.drop(folder)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/api/v1/studies/{record.id}"
    return view(desk, record)


@router.get("/studies/{study_id}", responses=problems(404))
async def get_study(request: Request, study_id: models.Id) -> models.Study:
    """One study."""
    desk = desk_of(request)
    return view(desk, desk.store.get(study_id))


@router.delete("/studies/{study_id}", status_code=204, responses=problems(404, 409))
async def delete_study(request: Request, study_id: models.Id) -> None:
    """Delete a study with its reading and review. Files that it was opened from stay."""
    desk = desk_of(request)
    desk.store.get(study_id)
    if any(not job.is_over for job in desk.jobs.of_study(study_id)):
        raise Problem(409, "busy", "This study is being read; cancel that first.")
    desk.seats.leave_study(study_id)
    desk.store.delete(study_id)


def view(desk: Desk, record: Record) -> models.Study:
    """A study as the API shows it."""
    return models.Study(
        id=record.id,
        name=record.name,
        created=record.created,
        origin=record.origin,
        date=record.date,
        patient_id=record.patient_id,
        uid=record.uid,
        modalities=list(dict.fromkeys(image["modality"] for image in record.images)),
        images=len(record.images),
        warnings=record.warnings,
        has_report=desk.store.folder(record.id).findings.is_file(),
        job=record.job,
    )


async def _received(request: Request, desk: Desk, folder: StudyFolder) -> Record:
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return await _opened(await request.body(), desk, folder)
    received = await receive_form(request.stream(), content_type, folder.input, desk.limits)
    if not received.files:
        raise Problem(422, "no-files", "The form holds no file in the field 'files'.")
    return await from_files(desk, folder, [(path.name, name) for path, name in received.files], "upload")


async def from_files(desk: Desk, folder: StudyFolder, files: list[tuple[str, str]], origin: str) -> Record:
    """The record of files that lie in `folder/input`. Raises the problems of what cannot be read."""
    taken = await desk.on_files(take_upload, folder.path, files, desk.limits, what="upload")
    return _record(folder, origin, taken)


async def _opened(body: bytes, desk: Desk, folder: StudyFolder) -> Record:
    try:
        content: Any = json.loads(body)
        is_path = isinstance(content, dict) and "path" in content
        wanted = (models.OpenPath if is_path else models.OpenDicomweb).model_validate(content)
    except (ValueError, RecursionError) as error:
        faults = []
        if isinstance(error, ValidationError):
            faults = [{"where": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()[:20]]
        raise Problem(422, "invalid-request", 'Send {"path": ...} or {"dicomweb": ...}.', errors=faults) from error
    if isinstance(wanted, models.OpenPath):
        return await _in_place(wanted.path, desk, folder)
    from groundglass.app.serve.fetching import fetch_study

    files = await fetch_study(desk, wanted.dicomweb, folder)
    return await from_files(desk, folder, files, "dicomweb")


async def _in_place(path: str, desk: Desk, folder: StudyFolder) -> Record:
    root = desk.settings.data.resolve()
    found = below(root, path)
    # A folder on a network drive takes its time; the server goes on meanwhile.
    inside = await asyncio.to_thread(_files_of, found, root, desk.limits)
    if await asyncio.to_thread(_any_zip, inside):
        # Archives are taken apart in the server's own folder.
        copies = [(f"{number:05d}", file) for number, file in enumerate(inside, 1)]
        await asyncio.to_thread(_copy, copies, folder.input)
        return await from_files(desk, folder, [(name, file.name) for name, file in copies], "upload")
    named = [(file.relative_to(root).as_posix(), file.name) for file in inside]
    taken = await desk.on_files(take_in_place, folder.path, root, named, desk.limits, what="path")
    return _record(folder, "path", taken)


def _files_of(found: Path, root: Path, limits: Limits) -> list[Path]:
    """The files at or below a path. Raises problems: 422 where there is none, 413 where there is too much."""
    from groundglass.io.sources import files_below

    files = [found] if found.is_file() else [file.resolve() for file in files_below(found)]
    # A link in the folder may lead out of it.
    inside = [file for file in files if file.is_file() and is_inside(file, root)]
    if not inside:
        raise Problem(422, "no-files", "There is no file below that path.")
    if len(inside) > limits.upload_files or sum(f.stat().st_size for f in inside) > limits.unpacked_bytes:
        raise Problem(413, "too-large", "That folder holds more than one study may; open a part of it.")
    return inside


def _copy(copies: list[tuple[str, Path]], folder: Path) -> None:
    for name, file in copies:
        shutil.copyfile(file, folder / name)


def _any_zip(files: list[Path]) -> bool:
    for path in files:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                return True
    return False


def _record(folder: StudyFolder, origin: str, taken: Taken) -> Record:
    return Record(id=folder.id, created=now(), origin=origin, files=taken.files, images=taken.images, **taken.facts)

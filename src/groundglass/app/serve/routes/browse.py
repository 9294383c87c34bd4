"""What can be opened and how things are called: the data folder, the DICOMweb server's studies, the terms."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from groundglass.app.serve.desk import desk_of
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.routes.answers import problems
from groundglass.app.serve.store import below, is_inside
from groundglass.app.serve.worker import Tell

router = APIRouter(tags=["browsing"])
_MOST = 1000
_QIDO = {
    "uid": "StudyInstanceUID",
    "date": "StudyDate",
    "description": "StudyDescription",
    "patient_id": "PatientID",
    "patient_name": "PatientName",
}


class Entry(BaseModel):
    """A file or folder; `path` is what opens it. `bytes` is that of a file."""

    name: str
    path: str
    kind: Literal["folder", "file"]
    bytes: int | None


class Folder(BaseModel):
    """A folder below the server's data folder, folders first; `truncated` when it holds more than is listed."""

    path: str
    entries: list[Entry]
    truncated: bool


class RemoteStudy(BaseModel):
    """A study of the DICOMweb server, as it describes it."""

    uid: str
    date: str
    description: str
    patient_id: str
    patient_name: str
    modalities: list[str]


class RemoteStudies(BaseModel):
    studies: list[RemoteStudy]


class Terms(BaseModel):
    """Names that a finding may have."""

    terms: list[str]


@router.get("/folder", responses=problems(404))
def list_folder(request: Request, path: Annotated[str, Query(max_length=1000, pattern=r"^[^\x00]*$")] = "") -> Folder:
    """What lies in a folder below the server's data folder. Hidden files and links that lead out are left out."""
    root = desk_of(request).settings.data.resolve()
    folder = below(root, path)
    if not folder.is_dir():
        raise Problem(404, "not-found", "That is not a folder.")
    inside = [found for found in folder.iterdir() if not found.name.startswith(".") and is_inside(_final(found), root)]
    rows = sorted((_entry(found, root) for found in inside), key=lambda row: (row.kind == "file", row.name.casefold()))
    where = folder.relative_to(root).as_posix()
    return Folder(path="" if where == "." else where, entries=rows[:_MOST], truncated=len(rows) > _MOST)


@router.get("/dicomweb/studies", responses=problems(409, 429, 502))
async def list_remote(
    request: Request,
    patient: Annotated[str, Query(max_length=64, pattern=r"^[^\x00-\x1f\\]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> RemoteStudies:
    """Studies of the DICOMweb server that this server was started with; `patient` begins a PatientID."""
    desk = desk_of(request)
    if desk.settings.dicomweb is None:
        raise Problem(409, "no-dicomweb", "The server was started without --dicomweb.")
    rows = await desk.on_files(
        _search, desk.settings.dicomweb, desk.settings.dicomweb_token, patient, limit, what="DICOMweb server"
    )
    return RemoteStudies(studies=[RemoteStudy(**row) for row in rows])


@router.get("/terms", responses=problems())
def list_terms() -> Terms:
    """The names of anatomy and findings that the ontology has."""
    from groundglass.core import ontology

    return Terms(terms=sorted(entry.term.name for entry in ontology() if entry.kind in ("anatomy", "finding")))


def _final(found: Path) -> Path:
    try:
        return found.resolve(strict=True)
    except (OSError, RuntimeError):
        # A link to nowhere is outside.
        return Path("/")


def _entry(found: Path, root: Path) -> Entry:
    is_folder = found.is_dir()
    return Entry(
        name=found.name,
        path=found.relative_to(root).as_posix(),
        kind="folder" if is_folder else "file",
        bytes=None if is_folder else found.stat().st_size,
    )


def _search(_tell: Tell, url: str, token: str | None, patient: str, limit: int) -> list[dict[str, object]]:
    from groundglass.io import DicomWeb

    match = {"PatientID": f"{patient}*"} if patient else {}
    with DicomWeb(url, token=token) as client:
        found = client.studies(limit=limit, include=["StudyDescription", "ModalitiesInStudy"], **match)
    rows: list[dict[str, object]] = []
    for study in found:
        modalities = study.get("ModalitiesInStudy", []) or []
        rows.append(
            {key: str(study.get(keyword, "") or "") for key, keyword in _QIDO.items()}
            | {"modalities": [modalities] if isinstance(modalities, str) else [str(m) for m in modalities]}
        )
    return rows

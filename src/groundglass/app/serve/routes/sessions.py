"""Interactive segmentation: begin, point, undo, look, accept."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from groundglass.app.serve import bench, models
from groundglass.app.serve.desk import Desk, desk_of
from groundglass.app.serve.drawing import keep_drawn
from groundglass.app.serve.problems import Problem, too_many
from groundglass.app.serve.routes.answers import NIFTI, file_answer, problems
from groundglass.app.serve.seats import Seat
from groundglass.segmentation.interactive import Prompt

router = APIRouter(tags=["interactive segmentation"])


@router.post("/studies/{study_id}/images/{image_id}/sessions", status_code=201, responses=problems(404, 409, 429))
async def begin_session(
    request: Request, study_id: models.Id, image_id: models.ImageId, wanted: models.NewSession | None = None
) -> models.Session:
    """Begin to segment a structure on an image."""
    desk = desk_of(request)
    image = desk.usable_image(study_id, image_id)
    if len(image["shape"]) not in (2, 3):
        raise Problem(409, "not-segmentable", "Sessions take pictures, volumes and films, not volumes over time.")
    axis = wanted.axis if wanted is not None else None
    if axis is not None and (not image["is_volume"]):
        raise Problem(422, "no-axis", "Only volumes have an axis of slices.")
    seat = desk.seats.take(study_id, image_id, axis)
    return models.Session(
        session=seat.id, image=image_id, shape=image["shape"],
        slice_axis=axis if axis is not None else image["slice_axis"], expires=int(desk.limits.session_idle),
    )  # fmt: skip


@router.post("/sessions/{session_id}/prompts", responses=problems(404, 409, 429))
async def add_prompt(request: Request, session_id: models.Id, wanted: models.Prompt) -> models.Stroke:
    """Point at the structure, or at what it is not. The answer tells the size of the mask; get it as a slice."""
    desk = desk_of(request)
    points = tuple((x, y) for x, y in wanted.points)
    prompt = Prompt(wanted.kind, points, wanted.positive, wanted.slice, wanted.axis)
    async with _seat(desk, session_id) as seat:
        if len(seat.prompts) >= desk.limits.prompts:
            raise too_many("This session has as many prompts as it may.", after=60)
        return await _step(desk, seat, "prompt", prompt)


@router.post("/sessions/{session_id}/undo", responses=problems(404, 409, 429))
async def undo(request: Request, session_id: models.Id) -> models.Stroke:
    """Take back the last step; nothing happens when there is none."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        return await _step(desk, seat, "undo")


@router.post("/sessions/{session_id}/redo", responses=problems(404, 409, 429))
async def redo(request: Request, session_id: models.Id) -> models.Stroke:
    """Do again what was taken back; nothing happens when there is nothing."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        return await _step(desk, seat, "redo", seat.undone[-1] if seat.undone else None)


@router.post("/sessions/{session_id}/reset", responses=problems(404, 409, 429))
async def reset(request: Request, session_id: models.Id) -> models.Stroke:
    """Begin anew on the same image."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        return await _step(desk, seat, "reset")


@router.post("/sessions/{session_id}/propagate", responses=problems(404, 409, 429))
async def propagate(request: Request, session_id: models.Id) -> models.Stroke:
    """Carry the prompted slices through the volume."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        if not seat.prompts or not desk.store.get(seat.study).image(seat.image)["is_volume"]:
            raise Problem(409, "nothing-to-carry", "Point at the structure on a slice of a volume first.")
        return await _step(desk, seat, "prompt", Prompt("propagate"))


@router.get(
    "/sessions/{session_id}/mask.nii.gz",
    response_class=FileResponse,
    responses=problems(404, 409, 429) | file_answer(NIFTI),
)
async def session_mask(request: Request, session_id: models.Id) -> FileResponse:
    """The whole mask on the image's grid."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        path = desk.store.incoming / f"mask-{seat.id}-{time.monotonic_ns()}.nii.gz"
        await desk.on_bench(bench.write_mask, _standing(desk, seat), path, what="mask")
    return FileResponse(path, media_type=NIFTI, background=BackgroundTask(path.unlink, missing_ok=True))


@router.get(
    "/sessions/{session_id}/slice.png",
    response_class=Response,
    responses=problems(404, 409, 429) | file_answer("image/png", "0 and 255, in the slice's own rows and columns"),
)
async def session_slice(
    request: Request,
    session_id: models.Id,
    axis: Annotated[int | None, Query(ge=0, le=2)] = None,
    index: Annotated[int | None, Query(ge=0, le=65_535)] = None,
) -> Response:
    """The mask of one slice; without an index, that of the last prompt."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        if index is None and not seat.prompts:
            raise Problem(409, "nothing-prompted", "Name a slice, or point at the structure first.")
        png = await desk.on_bench(bench.slice_png, _standing(desk, seat), axis, index, what="slice")
    return Response(png, media_type="image/png")


@router.post("/sessions/{session_id}/accept", status_code=201, responses=problems(404, 409, 429))
async def accept(request: Request, session_id: models.Id, wanted: models.Accept) -> models.Finding:
    """Make the mask a finding. The session goes on, with its prompts, for the next structure or a correction."""
    desk = desk_of(request)
    async with _seat(desk, session_id) as seat:
        standing = _standing(desk, seat)

        async def write(finding_id: str, path: Path) -> Any:
            return await desk.on_bench(bench.accept, standing, wanted.term, finding_id, path, what="session")

        return await keep_drawn(desk, seat.study, wanted.sentence, write)


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(404, 429))
async def end_session(request: Request, session_id: models.Id) -> None:
    """End a session."""
    desk = desk_of(request)
    desk.seats.leave(session_id)
    await desk.on_bench(bench.end, session_id)


@asynccontextmanager
async def _seat(desk: Desk, session_id: str) -> AsyncIterator[Seat]:
    """The session for one request; requests on one session take turns. Raises the 404 problem."""
    seat = desk.seats.get(session_id)
    async with seat.turn:
        desk.seats.get(session_id)  # it may have ended while we waited
        yield seat


def _standing(desk: Desk, seat: Seat) -> bench.Standing:
    return bench.Standing(seat.id, desk.opened(seat.study), seat.image, seat.axis, seat.prompts)


async def _step(desk: Desk, seat: Seat, what: bench.Step, prompt: Prompt | None = None) -> models.Stroke:
    began = time.perf_counter()
    after: bench.After = await desk.on_bench(bench.step, _standing(desk, seat), what, prompt)
    if what == "undo" and len(after.prompts) < len(seat.prompts):
        seat.undone = (*seat.undone, seat.prompts[-1])
    elif what == "redo":
        seat.undone = seat.undone[:-1]
    elif what in ("prompt", "reset"):
        seat.undone = ()
    seat.prompts = after.prompts
    return models.Stroke(
        revision=len(seat.prompts), seconds=round(time.perf_counter() - began, 4), voxels=after.voxels,
        volume_ml=after.volume_ml, slice=after.slice, can_undo=bool(seat.prompts), can_redo=bool(seat.undone),
    )  # fmt: skip

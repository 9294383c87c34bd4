"""What MONAI Label's clients send and get: forms with `params` and files, streamed; answers of two parts."""

from __future__ import annotations

import json
import math
import secrets
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import Query, Request, Response

from groundglass.app.serve import labelling
from groundglass.app.serve.datastore import find_image, session_record
from groundglass.app.serve.desk import Desk
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.routes.answers import NIFTI
from groundglass.app.serve.routes.studies import from_files
from groundglass.app.serve.store import Record
from groundglass.app.serve.uploads import Received, receive_form, shown_name

ImageName = Annotated[str, Query(min_length=1, max_length=200)]
Tag = Annotated[str, Query(max_length=64, pattern=r"^[A-Za-z0-9_.-]*$")]
FILE: dict[str, Any] = {"type": "string", "format": "binary"}


def described_form(**fields: dict[str, Any]) -> dict[str, Any]:
    """The description of a form that is streamed, which the framework cannot see."""
    schema = {"type": "object", "properties": {"params": {"type": "string"}, **fields}}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


async def client_form(request: Request, desk: Desk, names: tuple[str, ...]) -> Received:
    """The form of a request, its files in a folder of their own."""
    content_type = request.headers.get("content-type", "")
    if not content_type:
        return Received()
    folder = desk.store.incoming / f"form-{secrets.token_hex(8)}"
    folder.mkdir()
    try:
        received = await receive_form(request.stream(), content_type, folder, desk.limits, names=names)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    received.folder = folder
    return received


def drop_form(form: Received) -> None:
    if form.folder is not None:
        shutil.rmtree(form.folder, ignore_errors=True)


async def study_of_form(request: Request, desk: Desk, names: tuple[str, ...], origin: str, called: str) -> Record:
    """A study of the files of a form, called as the client wishes."""
    desk.store.check_room()
    folder = desk.store.begin()
    try:
        received = await receive_form(
            request.stream(), request.headers.get("content-type", ""), folder.input, desk.limits, names=names
        )
        if not received.files:
            raise Problem(422, "no-files", f"The form holds no file in the field '{names[0]}'.")
        files = [(path.name, name) for path, name in received.files]
        record = await from_files(desk, folder, files, origin)
        if called:
            record.name = shown_name(called)
        return desk.store.finish(folder, record)
    finally:
        desk.store.drop(folder)


async def target_image(desk: Desk, image: str, session_id: str, form: Received) -> tuple[Record, str]:
    """The image that is meant: of a session, by name, or sent along."""
    if session_id:
        record = session_record(desk, session_id)
        return record, record.images[0]["id"]
    sent = next((held for held in form.files if form.parts.get(held[0].name) == "file"), None)
    if sent is not None:
        folder = desk.store.begin()
        try:
            sent[0].rename(folder.input / "00001")
            record = await from_files(desk, folder, [("00001", sent[1])], "session")
            desk.store.finish(folder, record)
        finally:
            desk.store.drop(folder)
        return record, record.images[0]["id"]
    if not image:
        raise Problem(422, "no-image", "Name an image or a session, or send a file.")
    return find_image(desk, image)


def params_of(form: Received) -> dict[str, Any]:
    try:
        params = json.loads(form.fields.get("params") or "{}")
    except (ValueError, RecursionError) as error:
        raise Problem(422, "bad-params", "`params` is not JSON.") from error
    if not isinstance(params, dict):
        raise Problem(422, "bad-params", "`params` is not a JSON object.")
    return params


def asked_of(model: str, params: dict[str, Any]) -> labelling.Asked:
    label = params.get("label")
    return labelling.Asked(
        model,
        _points(params.get("foreground")),
        _points(params.get("background")),
        label[:100] if isinstance(label, str) else "",
        fixed=params.get("restore_label_idx") is False,
    )


def _points(value: Any) -> tuple[tuple[float, ...], ...]:
    """Points of a client: lists of numbers. Raises the 422 problem."""
    if value is None:
        return ()
    try:
        points = tuple(tuple(float(v) for v in point) for point in value)
    except (TypeError, ValueError, OverflowError) as error:
        raise Problem(422, "bad-points", "Points are lists of i, j, k.") from error
    if len(points) > 1000 or not all(2 <= len(p) <= 3 and all(map(math.isfinite, p)) for p in points):
        raise Problem(422, "bad-points", "Points are lists of i, j, k, at most 1000 of them.")
    return points


def media_type_of(path: Path) -> str:
    return NIFTI if path.name.endswith(".gz") else "application/octet-stream"


def two_parts(params: dict[str, Any], path: Path) -> Response:
    """`params` and the label map as one form, whole: clients read it from the socket by its length."""
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="params"\r\nContent-Type: application/json\r\n\r\n'
        f"{json.dumps(params)}\r\n"
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{path.name}"\r\n'
        f"Content-Type: {media_type_of(path)}\r\n\r\n"
    )
    body = head.encode() + path.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return Response(body, media_type=f"multipart/form-data; boundary={boundary}")

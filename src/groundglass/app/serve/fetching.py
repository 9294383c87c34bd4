"""A study of the DICOMweb server that this server was started with, fetched into a folder."""

from __future__ import annotations

from pathlib import Path

from groundglass.app.serve.desk import Desk
from groundglass.app.serve.problems import Problem
from groundglass.app.serve.settings import Limits
from groundglass.app.serve.store import StudyFolder
from groundglass.app.serve.worker import Tell
from groundglass.core.errors import UnsafeInputError


async def fetch_study(desk: Desk, uid: str, folder: StudyFolder) -> list[tuple[str, str]]:
    """The files, in order. Raises problems: 409 without a server, 422 where it has no such study, 502 for no answer."""
    settings = desk.settings
    if settings.dicomweb is None:
        raise Problem(409, "no-dicomweb", "The server was started without --dicomweb.")
    names: list[str] = await desk.on_files(
        _fetch, settings.dicomweb, settings.dicomweb_token, uid, folder.input, desk.limits, what="study"
    )
    return [(name, name) for name in names]


def _fetch(tell: Tell, url: str, token: str | None, uid: str, folder: Path, limits: Limits) -> list[str]:
    from groundglass.io import DicomWeb

    held = 0

    def check(count: int) -> None:
        nonlocal held
        tell(f"{count} instances")
        held = sum(file.stat().st_size for file in folder.iterdir()) if count % 64 == 0 else held
        if count > limits.upload_files or held > limits.unpacked_bytes:
            raise UnsafeInputError(uid, "is larger than one study may be", "Open a part of it.")

    with DicomWeb(url, token=token) as client:
        files = client.retrieve(uid, folder, progress=check)
    return [file.name for file in files]

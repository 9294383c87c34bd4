"""What the routes' descriptions share: the problems that each may answer with, and files as bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from groundglass.app.serve.models import ProblemDocument
from groundglass.app.serve.problems import MEDIA_TYPE

# Any request may be refused for these.
_ALWAYS = (400, 401, 403, 413, 421, 422)
_SAID = {
    400: "Not a well-formed request",
    401: "The token is missing or wrong",
    403: "A page of another origin may not do this",
    404: "There is no such thing",
    409: "The present state does not allow it",
    413: "Too large",
    415: "Not a media type that is taken",
    421: "Not a name of this server",
    422: "The request or the input does not hold what it should",
    429: "A bound is reached; try again later",
    502: "The DICOMweb server did not answer",
}
NIFTI = "application/gzip"


def problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems beside the ones that every route may."""
    return {
        code: {
            "description": _SAID[code],
            "model": ProblemDocument,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
        }
        for code in sorted({*_ALWAYS, *codes})
    }


def file_answer(media_type: str, description: str = "The file") -> dict[int | str, dict[str, Any]]:
    """The description of a 200 that is a file."""
    return {
        200: {
            "description": description,
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}}},
        }
    }


def kept_file(path: Path, media_type: str, *, name: str | None = None, keep: bool = False) -> FileResponse:
    """A file as a response. `keep` lets the browser keep what never changes under its address."""
    headers = {"cache-control": "private, max-age=31536000, immutable"} if keep else {}
    return FileResponse(path, media_type=media_type, filename=name, headers=headers)

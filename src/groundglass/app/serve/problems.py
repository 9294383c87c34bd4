"""Errors on the wire: RFC 9457 problem documents, from our typed errors and from the framework's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import compile_path

from groundglass.core.errors import (
    ConfigurationError,
    GroundglassError,
    NetworkError,
    TruncatedError,
    UnsafeInputError,
    UnsupportedError,
)

MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:groundglass:problem:"
_KINDS: tuple[tuple[type[GroundglassError], str, int], ...] = (
    (UnsafeInputError, "unsafe-input", 422),
    (TruncatedError, "truncated-input", 422),
    (UnsupportedError, "unsupported-input", 422),
    (NetworkError, "no-answer", 502),
    (ConfigurationError, "configuration", 422),
    (GroundglassError, "bad-input", 422),
)
_log = logging.getLogger("groundglass.serve")


class Problem(Exception):  # noqa: N818 - the name that RFC 9457 gives it
    """Ends a request with a problem document. `kind` is the last part of its type URN."""

    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail
        self.headers: Mapping[str, str] = more.pop("headers", {})
        self.more = more


def not_found(what: str) -> Problem:
    """There is no such thing, or no longer."""
    return Problem(404, "not-found", f"There is no such {what}.")


def too_many(detail: str, *, after: int = 5) -> Problem:
    """A bound is reached; the client may try again after so many seconds."""
    return Problem(429, "too-many", detail, headers={"Retry-After": str(after)})


def document(status: int, kind: str, detail: str, **more: Any) -> dict[str, Any]:
    """The body of a problem response."""
    return {"type": _TYPE + kind, "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}


def response(problem: Problem) -> JSONResponse:
    """The response that a problem ends a request with."""
    body = document(problem.status, problem.kind, problem.detail, **problem.more)
    return JSONResponse(body, problem.status, dict(problem.headers), media_type=MEDIA_TYPE)


def of_error(error: GroundglassError, *, said: str | None = None) -> Problem:
    """The problem that a typed error is. `said` replaces its text, which may name paths of the server."""
    kind, status = next((kind, status) for cls, kind, status in _KINDS if isinstance(error, cls))
    text = f"{error.problem}. {error.remedy}"
    return Problem(status, kind, said or text[:1].upper() + text[1:])


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """Every method that the document has at an address; the framework names those of one route only."""
    return sorted(
        method.upper()
        for template, operations in app.openapi()["paths"].items()
        if compile_path(template)[0].match(path)
        for method in operations
    )


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    async def on_problem(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return response(error)

    async def on_typed(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, GroundglassError)
        return response(of_error(error))

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        headers = dict(error.headers or {})
        if error.status_code == 405 and (methods := _methods_at(app, request.scope["path"])):
            headers["Allow"] = ", ".join(methods)
        return response(Problem(error.status_code, kind, str(error.detail), headers=headers))

    async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        faults = [
            {"where": ".".join(str(part) for part in fault["loc"]), "problem": str(fault["msg"])}
            for fault in error.errors()[:20]
        ]
        return response(Problem(422, "invalid-request", "The request does not fit its description.", errors=faults))

    async def on_fault(request: Request, error: Exception) -> JSONResponse:
        # The client learns nothing of the inside; the log of the server has the trace.
        _log.error("%s %s failed", request.method, request.scope.get("route_path", "?"), exc_info=error)
        return response(Problem(500, "internal-error", "The server failed on this request; its log says more."))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(GroundglassError, on_typed)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_fault)

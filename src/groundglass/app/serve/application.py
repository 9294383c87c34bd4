"""The application: routes under /api/v1, MONAI Label's at the root, the viewer's files, and the guard around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse

from groundglass.app.serve import models, problems
from groundglass.app.serve.desk import Desk
from groundglass.app.serve.guard import Guard
from groundglass.app.serve.routes import (
    browse,
    client_labels,
    comparison,
    exports,
    images,
    monailabel,
    reading,
    sessions,
    studies,
)
from groundglass.app.serve.routes.answers import problems as problem_answers
from groundglass.app.serve.settings import Settings

VIEWER = Path(__file__).with_name("viewer")
API_VERSION = "1.0"


def create_app(settings: Settings) -> FastAPI:
    """The server of a data folder. Raises ConfigurationError when the folder cannot be used."""
    desk = Desk(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await desk.close()

    app = FastAPI(
        title="groundglass", version=API_VERSION, lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/api/v1/openapi.json", generate_unique_id_function=_operation_id, redirect_slashes=False,
        description="Studies in, findings and reports out. Drafts for a qualified reader; not a medical device.",
    )  # fmt: skip
    app.state.desk = desk
    problems.install(app)
    api = APIRouter(prefix="/api/v1")
    api.add_api_route("/info", info, responses=problem_answers(), tags=["server"])
    for module in (studies, images, reading, exports, sessions, comparison, browse):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(monailabel.router)
    app.include_router(client_labels.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    _add_viewer(app)
    app.add_middleware(Guard, settings=settings, audit=desk.audit)
    return app


def _add_viewer(app: FastAPI) -> None:
    """A route per file of the viewer: a mount at the root would answer for every address that the API does not have."""

    def page(path: Path) -> Callable[[Request], Awaitable[FileResponse]]:
        async def answer(_request: Request) -> FileResponse:
            return FileResponse(path)

        return answer

    for path in sorted(VIEWER.rglob("*")) if VIEWER.is_dir() else ():
        if path.is_file():
            app.add_route(f"/{path.relative_to(VIEWER).as_posix()}", page(path), include_in_schema=False)
    if (VIEWER / "index.html").is_file():
        app.add_route("/", page(VIEWER / "index.html"), include_in_schema=False)


async def info(request: Request) -> JSONResponse:
    """What this installation can do: models, formats, terms, and the server's own bounds."""
    from groundglass.app.capabilities import capabilities

    desk: Desk = request.app.state.desk
    limits = desk.limits
    serve = {
        "api": API_VERSION,
        "dicomweb": bool(desk.settings.dicomweb),
        "sessions": {"open": len(desk.seats), "most": limits.sessions},
        "studies": len(desk.store.all()),
        "limits": {"upload_bytes": limits.upload_bytes, "upload_files": limits.upload_files},
    }
    return JSONResponse({**capabilities(), "serve": serve})


def _operation_id(route: APIRoute) -> str:
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with problems where the framework would describe its own errors."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
    )
    schemas = document["components"]["schemas"]
    schemas["ProblemDocument"] = models.ProblemDocument.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            for code, answer in operation["responses"].items():
                if int(code) >= 400:
                    # The framework adds application/json to what the route says.
                    answer["content"] = {
                        problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}
                    }
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}, {}]
    app.openapi_schema = document
    return document

"""`groundglass serve`: the viewer and the API on one port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def serve(
    data: Annotated[
        Path, typer.Option("--data", help="Folder that studies may be opened from; uploads are kept in it, too.")
    ] = Path("groundglass-data"),
    keep: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--keep", help="Folder for what the server is sent and makes; else .groundglass in DATA."),
    ] = None,
    dicomweb: Annotated[
        Optional[str],  # noqa: UP045 (typer resolves the annotation at run time)
        typer.Option(help="Address of a DICOMweb server to fetch studies from."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond localhost a token is demanded.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(envvar="GROUNDGLASS_TOKEN", help="Token that every request must bring; made up where needed."),
    ] = None,
    allow_host: Annotated[
        list[str], typer.Option("--allow-host", help="A further name under which the server is reached.")
    ] = [],  # noqa: B006
    allow_origin: Annotated[
        list[str], typer.Option("--allow-origin", help="Origin of a page elsewhere that may use the API, as OHIF's.")
    ] = [],  # noqa: B006
    dicomweb_token: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(envvar="GROUNDGLASS_DICOMWEB_TOKEN", help="Bearer token of the DICOMweb server."),
    ] = None,
) -> None:
    """Serve the viewer and the HTTP API."""
    from groundglass.app.serve.run import run
    from groundglass.app.serve.settings import Settings

    run(
        Settings(
            data, host, port, token, tuple(allow_host), tuple(allow_origin), dicomweb, dicomweb_token, keep=keep
        )
    )  # fmt: skip

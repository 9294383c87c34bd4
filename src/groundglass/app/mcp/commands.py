"""The command `groundglass mcp`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def mcp(
    folders: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(help="Folders that the tools may read; else the present one."),
    ] = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("-o", "--out", help="Folder for what the tools write; else one that goes with the server."),
    ] = None,
    http: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            metavar="PORT", help="Serve streamable HTTP on this port of localhost instead of stdin and stdout."
        ),
    ] = None,
) -> None:
    """Offer the verbs as tools of a language model (Model Context Protocol)."""
    import tempfile

    from groundglass.core.errors import ConfigurationError

    try:
        from groundglass.app.mcp.server import build_server
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mcp"):
            raise
        raise ConfigurationError(
            "groundglass mcp", "needs the MCP SDK, which is not installed", "pip install 'groundglass[mcp]'."
        ) from error
    with tempfile.TemporaryDirectory(prefix="groundglass-mcp-") as temporary:
        server = build_server(folders or [Path.cwd()], out or Path(temporary))
        if http is None:
            server.run("stdio")
        else:
            # The SDK refuses requests whose Host is not localhost's, so a web page cannot reach it by DNS tricks.
            server.run("streamable-http", host="127.0.0.1", port=http)

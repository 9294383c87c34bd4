"""From the options of the command to a server that runs until it is stopped."""

from __future__ import annotations

import secrets
from pathlib import Path

import typer

from groundglass.app.serve.settings import Settings, is_loopback
from groundglass.core.errors import ConfigurationError

_SHORTEST = 16


def run(
    *, data: Path, dicomweb: str | None, host: str, port: int, token: str | None, hosts: tuple[str, ...],
    origins: tuple[str, ...], dicomweb_token: str | None,
) -> None:  # fmt: skip
    """Serve until interrupted. Raises ConfigurationError for what is missing or contradicts."""
    try:
        import uvicorn

        from groundglass.app.serve.application import create_app
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "serve", f"needs {error.name}, which is not installed", "Install groundglass[serve]."
        ) from error
    if token is not None and len(token) < _SHORTEST:
        raise ConfigurationError("--token", f"has fewer than {_SHORTEST} characters", "Choose a longer one.")
    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(32)
    settings = Settings(data, host, port, token, hosts, origins, dicomweb, dicomweb_token)
    app = create_app(settings)
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", access_log=False, server_header=False, date_header=True,
        timeout_keep_alive=30, limit_concurrency=512, timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 << 10, ws="none",
    )  # fmt: skip
    server = uvicorn.Server(config)
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"http://{shown}:{port}/" + (f"?token={token}" if token else ""), err=True)
    server.run()

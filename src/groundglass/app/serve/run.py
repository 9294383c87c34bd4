"""From the options of the command to a server that runs until it is stopped."""

from __future__ import annotations

import secrets
from dataclasses import replace

import typer

from groundglass.app.serve.settings import Settings
from groundglass.core.errors import ConfigurationError

_SHORTEST = 16


def run(settings: Settings) -> None:
    """Serve until interrupted; a token is made up where one is needed.

    Raises ConfigurationError for what is missing or contradicts.
    """
    try:
        import uvicorn

        from groundglass.app.serve.application import create_app
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "serve", f"needs {error.name}, which is not installed", "Install groundglass[serve]."
        ) from error
    settings = _checked(settings)
    config = uvicorn.Config(
        create_app(settings), host=settings.host, port=settings.port, log_level="warning", access_log=False,
        server_header=False, timeout_keep_alive=30, limit_concurrency=512, timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 << 10, ws="none",
    )  # fmt: skip
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"http://{shown}:{settings.port}/" + (f"?token={settings.token}" if settings.token else ""), err=True)
    uvicorn.Server(config).run()


def _checked(settings: Settings) -> Settings:
    token, keep, data = settings.token, settings.keep, settings.data
    if token is not None and len(token) < _SHORTEST:
        raise ConfigurationError("--token", f"has fewer than {_SHORTEST} characters", "Choose a longer one.")
    if keep is not None and not data.is_dir():
        raise ConfigurationError(data, "is not a folder", "Name the folder of your studies with --data.")
    if keep is not None and keep.resolve().is_relative_to(data.resolve()):
        raise ConfigurationError(keep, "lies in the folder that clients open files from", "Name one elsewhere.")
    if token is None and not settings.is_local:
        return replace(settings, token=secrets.token_urlsafe(32))
    return settings

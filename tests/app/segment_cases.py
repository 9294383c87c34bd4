"""The `segment` command for its tests."""

from __future__ import annotations

from typer.testing import CliRunner

from groundglass.app.cli import app


def segment(*arguments: object) -> str:
    """What the command writes to standard output, run in this process. Its error is raised as it is."""
    result = CliRunner().invoke(app, ["segment", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout

"""The sub-app of `groundglass synthesize`: every command is a function of its own file, registered here."""

from __future__ import annotations

import typer

from groundglass.app.synthesize.corrupt import corrupt
from groundglass.app.synthesize.drr import drr
from groundglass.app.synthesize.motion import motion
from groundglass.app.synthesize.phantom import phantom

synthesize = typer.Typer(
    name="synthesize",
    help="Images with known truth: simulated, and marked so in every file.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@synthesize.callback()
def _synthesize() -> None:
    """A group, even while it holds one command."""


synthesize.command()(phantom)
synthesize.command()(drr)
synthesize.command()(corrupt)
synthesize.command()(motion)

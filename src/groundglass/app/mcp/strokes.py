"""Prompts on a drawn picture, as the interactive session takes them."""

from __future__ import annotations

from typing import Any

from groundglass.app.mcp import answers
from groundglass.core import ConfigurationError, InputError
from groundglass.report.planes import Plane


def apply_stroke(session: Any, stroke: answers.Stroke, plane: Plane) -> None:
    """Give a prompt on a drawn picture to the session, which counts in the array's own rows and columns."""
    spatial = sorted((plane.columns, plane.rows))
    voxels = [plane.under(point) for point in stroke.points]
    points = [(voxel[spatial[1]], voxel[spatial[0]]) for voxel in voxels]
    # A flat image has no slices; other axes than the session's own are named.
    where: dict[str, Any] = {"slice": plane.index} if session.axis is not None else {}
    if session.axis is not None and plane.axis != session.axis:
        where["axis"] = plane.axis
    if stroke.kind == "click":
        for point in points:
            session.click(point, stroke.positive, **where)
    elif stroke.kind == "scribble":
        session.scribble(points, stroke.positive, **where)
    elif len(points) != 2:
        raise InputError("box", f"has {len(points)} points", "Give two opposite corners.")
    elif "axis" in where:
        raise ConfigurationError("box", f"lies in the {plane.name} plane", "Draw boxes in the first prompt's plane.")
    else:
        (x0, y0), (x1, y1) = points
        session.box((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), **where)

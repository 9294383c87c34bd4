"""The door for boxes: whoever finds the places in the image hands them in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from groundglass.core import Box
from groundglass.core.errors import GeometryError, InputError
from groundglass.text.graph.places import place_tree
from groundglass.text.graph.scene import SceneGraph, SceneObject

SMALL = 224
"""Side of the square that the published coordinates also refer to."""


def with_boxes(graph: SceneGraph, boxes: Mapping[str, Box], shape: tuple[int, int]) -> SceneGraph:
    """The graph with boxes (rows, columns of the image's own pixels, half-open) for the places given.

    Places that are boxed but not spoken of become objects without phrases. Raises InputError for a place that is not in
    the tree, GeometryError for a box that leaves the image or is empty.
    """
    for place, box in boxes.items():
        if place not in place_tree().places:
            raise InputError(place, "is not a place of the tree", "Use the names of `boxed_places()`.")
        inside = len(box.start) == 2 and all(
            0 <= a < b <= n for a, b, n in zip(box.start, box.stop, shape, strict=True)
        )
        if not inside:
            raise GeometryError(
                place, f"has the box {box.start} to {box.stop} in an image of {shape}", "Clip it first."
            )
    places = sorted({*(held.place for held in graph.objects), *boxes}, key=lambda p: (place_tree().rank(p), p))
    known = {held.place: held for held in graph.objects}
    objects = tuple(SceneObject(place, boxes[place], shape) if place in boxes else known[place] for place in places)
    return replace(graph, objects=objects)


def small_box(box: Box, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """(x1, y1, x2, y2) in a square of 224: the image scaled by its longer side and centred, as the data set has it."""
    scale = SMALL / max(shape)
    offsets = [(SMALL - length * scale) / 2 for length in shape]
    y1, x1 = (round(edge * scale + offset) for edge, offset in zip(box.start, offsets, strict=True))
    y2, x2 = (round(edge * scale + offset) for edge, offset in zip(box.stop, offsets, strict=True))
    return x1, y1, x2, y2

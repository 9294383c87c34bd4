"""Interactive segmentation in its worker: sessions by key, kept as long as their prompts agree with the server's."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from groundglass.app.serve.places import save_finding, volume_ml
from groundglass.app.serve.reading import Opened
from groundglass.app.serve.viewing import png_of_mask, slice_axis, write_overlay
from groundglass.app.serve.worker import Tell
from groundglass.core import (
    ConfigurationError,
    EmptyMaskError,
    GroundglassError,
    Image,
    InputError,
    UnsupportedError,
)
from groundglass.core.mask_name import mask_name
from groundglass.segmentation.interactive import Prompt, Session

Step = Literal["prompt", "undo", "redo", "reset"]
_MAX_SESSIONS, _MAX_IMAGES, _MAX_BYTES = 64, 16, 3 << 30

_sessions: OrderedDict[str, Session] = OrderedDict()
_images: OrderedDict[tuple[Path, str], Image] = OrderedDict()


@dataclass(frozen=True)
class Standing:
    """Which session, on what, and which prompts are in force as the server knows it."""

    key: str
    opened: Opened
    image: str
    axis: int | None
    prompts: tuple[Prompt, ...]


@dataclass(frozen=True)
class After:
    """The state after a step."""

    prompts: tuple[Prompt, ...]
    voxels: int
    volume_ml: float | None
    slice: int | None


def step(_tell: Tell, standing: Standing, what: Step, prompt: Prompt | None = None) -> After:
    """Take a step. Raises the session's typed errors; then nothing has changed."""
    session = _session(standing)
    if what == "undo":
        session.undo()
    elif what == "redo" and prompt is not None:
        # After a replay the session does not remember what was undone; the server does.
        if not session.redo():
            session.apply(prompt)
    elif what == "reset":
        session.reset()
    elif prompt is not None:
        session.apply(prompt)
    voxels = session.voxel_count
    volume = volume_ml(voxels, session.image) if voxels else None
    return After(session.prompts, voxels, volume, session.current_slice)


def write_mask(_tell: Tell, standing: Standing, target: Path) -> None:
    """The mask for the viewer."""
    write_overlay(_session(standing).mask, _image(standing.opened, standing.image), target)


def slice_png(_tell: Tell, standing: Standing, axis: int | None, index: int | None) -> bytes:
    """One slice of the mask. Raises InputError for a slice that there is not."""
    session = _session(standing)
    if session.axis is None or (axis in (None, session.axis) and index is not None):
        return png_of_mask(session.slice_mask(index if session.axis is not None else None))
    if index is None and axis in (None, session.axis):
        return png_of_mask(session.slice_mask())
    mask = session.mask
    if axis is None or index is None or axis >= mask.ndim or index >= mask.shape[axis]:
        raise InputError(f"slice {index} of axis {axis}", f"is not in a volume of {mask.shape}", "Name one within it.")
    return png_of_mask(np.take(mask, index, axis=axis))


def accept(_tell: Tell, standing: Standing, term: str, finding_id: str, target: Path) -> dict[str, Any]:
    """Write the mask as a finding; its row for the viewer. Raises EmptyMaskError, ConfigurationError for the term."""
    session = _session(standing)
    image = _image(standing.opened, standing.image)
    named = mask_name(term)
    finding = session.finding(named.term, finding_id)
    if finding.where.mask is None or finding.where.mask.is_empty:
        raise EmptyMaskError("the session", "has no voxel yet", "Click on the structure first.")
    if image.time_axis is not None:
        raise UnsupportedError(image.name, "is a film, whose findings lie on one frame", "Use its mask as a file.")
    where = replace(finding.where, side=named.side, anatomy=named.organ)
    opened = standing.opened
    return save_finding(replace(finding, where=where), opened.study(), opened.ids, target)


def end(_tell: Tell, key: str) -> None:
    """Forget a session."""
    _sessions.pop(key, None)


def _session(standing: Standing) -> Session:
    """The session with these prompts in force: as it is kept, or made anew."""
    session = _sessions.pop(standing.key, None)
    if session is None or session.prompts != standing.prompts:
        image = _image(standing.opened, standing.image)
        axis = standing.axis if standing.axis is not None else slice_axis(image)
        session = Session.replay(image, standing.prompts, axis=axis)
    _sessions[standing.key] = session
    while len(_sessions) > _MAX_SESSIONS:
        _sessions.popitem(last=False)
    return session


def _image(opened: Opened, image_id: str) -> Image:
    key = (opened.folder, image_id)
    if key not in _images:
        try:
            study = opened.study()
            index = opened.ids.index(image_id)
            study.images[index].array  # noqa: B018 - decode now, inside the block that cleans errors
        except GroundglassError as error:
            raise opened.cleaned(error) from error
        except ValueError:
            raise ConfigurationError(image_id, "is no image of this study", "List its images.") from None
        _images[key] = study.images[index]
        _make_room()
    _images.move_to_end(key)
    return _images[key]


def _make_room() -> None:
    """Let go of the images that were not used for longest, with their sessions: those are made anew when asked for."""
    while len(_images) > 1 and (
        len(_images) > _MAX_IMAGES or sum(image.array.nbytes for image in _images.values()) > _MAX_BYTES
    ):
        _key, oldest = _images.popitem(last=False)
        for key in [key for key, session in _sessions.items() if session.image is oldest]:
            del _sessions[key]
